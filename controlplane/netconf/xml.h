/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NETCONF's XML (RFC 6241, section 3), read within bounds: a message is checked to be well-formed as a whole,
 * but only the elements of its envelope (XML_KEPT levels) become nodes. What they carry, configuration and
 * filters, stays text that the engine reads.
 *
 * A document type declaration is refused (RFC 6241, section 3.1), and with it every entity but the five of
 * XML; the encoding is UTF-8 whatever the XML declaration says.
 */
#pragma once

#include <stddef.h>

#include "controlplane/netconf/text.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define XML_KEPT 5        /* <rpc>, operation, parameter, and two levels below: copy-config's <config> */
#define XML_DEPTH_MAX 256 /* elements in one another */
#define XML_NODES_MAX 4096
#define XML_ATTRIBUTES_MAX 64 /* of one kept element */

struct xml_attribute {
	const char *name;  /* as written, prefix included */
	const char *local; /* without it */
	const char *ns;    /* "" without a prefix; of a declaration XML_NS_XMLNS */
	const char *value;
	struct xml_attribute *next;
};

#define XML_NS_XMLNS "http://www.w3.org/2000/xmlns/"

/* An element of the envelope; everything in it lives as long as its document. */
struct xml_node {
	const char *name; /* as written */
	const char *local;
	const char *ns; /* "": none */
	struct xml_attribute *attributes;
	struct xml_node *parent, *child, *next;
	struct str source;  /* the element, in the message */
	struct str content; /* between its tags, in the message */
	const char *text;   /* character data; "" below the parameters of an operation, and beside children */
};

struct xml_doc; /* opaque */

/*
 * The document borrows message until xml_free(). -EBADMSG (not well-formed, a prefix without a namespace, a
 * document type), -E2BIG (a bound), -ENOMEM; e says which and where.
 */
int xml_parse(struct str message, struct xml_doc **out, struct err *e);
void xml_free(struct xml_doc *d); /* NULL is ignored */
const struct xml_node *xml_root(const struct xml_doc *d);

bool xml_is(const struct xml_node *n, const char *ns, const char *local);
/* An attribute without a prefix, or with one for ns; NULL: none. */
const char *xml_attribute(const struct xml_node *n, const char *ns, const char *local);
/* What a prefix stands for at n ("": the default namespace); NULL: nothing. */
const char *xml_namespace(const struct xml_node *n, struct str prefix);

/* n as it would stand alone: with the namespaces declared that it inherits. */
void xml_fragment(const struct xml_node *n, struct text *out);
