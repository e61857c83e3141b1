/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/xml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#define TEXT_LEVELS 3 /* <rpc>, operation, parameter: whose character data is kept */
#define TEXT_OCTETS_MAX 65536
#define ARENA_BLOCK 8192

struct block {
	struct block *next;
	size_t used, cap;
	_Alignas(max_align_t) char octets[];
};

struct xml_doc {
	struct block *blocks; /* nodes and their strings */
	struct xml_node *root;
};

struct reading {
	struct xml_doc *doc;
	XML_Parser parser;
	struct str message;
	struct xml_node *at; /* innermost kept element that is open */
	struct xml_node
		*last[XML_KEPT]; /* youngest child of the open element of each level, NULL: none yet */
	unsigned depth, nodes;
	struct text text; /* of `at` */
	struct err *e;
	int rc;
};

static void *take(struct xml_doc *d, size_t n)
{
	struct block *b = d->blocks;

	n = (n + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!b || b->cap - b->used < n) {
		size_t cap = n > ARENA_BLOCK ? n : ARENA_BLOCK;

		b = malloc(sizeof *b + cap);
		if (!b)
			return NULL;
		*b = (struct block){.next = d->blocks, .cap = cap};
		d->blocks = b;
	}
	void *p = b->octets + b->used;

	b->used += n;
	return memset(p, 0, n);
}

static const char *keep(struct xml_doc *d, struct str s)
{
	char *p = take(d, s.n + 1);

	if (p)
		memcpy(p, s.p, s.n);
	return p;
}

static void stop(struct reading *r, int code, const char *why)
{
	if (r->rc == 0)
		r->rc = err_set(r->e, code, "%s in line %lu", why,
			(unsigned long)XML_GetCurrentLineNumber(r->parser));
	XML_StopParser(r->parser, XML_FALSE);
}

static const char *local_of(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static struct str prefix_of(const char *name)
{
	const char *colon = strchr(name, ':');

	return (struct str){name, colon ? (size_t)(colon - name) : 0};
}

static bool is_declaration(const struct xml_attribute *a)
{
	return strcmp(a->name, "xmlns") == 0 || strncmp(a->name, "xmlns:", 6) == 0;
}

/* The prefix that a declaration declares, "" for the default namespace. */
static const char *declared(const struct xml_attribute *a)
{
	return a->name[5] ? a->name + 6 : "";
}

static bool read_attributes(struct reading *r, struct xml_node *n, const char **names)
{
	struct xml_attribute **end = &n->attributes;

	for (unsigned i = 0; names[0]; names += 2, i++) {
		if (i == XML_ATTRIBUTES_MAX) {
			stop(r, E2BIG, "more attributes than are taken");
			return false;
		}
		struct xml_attribute *a = take(r->doc, sizeof *a);

		if (!a || !(a->name = keep(r->doc, str_z(names[0]))) ||
			!(a->value = keep(r->doc, str_z(names[1])))) {
			stop(r, ENOMEM, "out of memory");
			return false;
		}
		a->local = local_of(a->name);
		*end = a;
		end = &a->next;
	}
	return true;
}

/* After all attributes are read: a declaration holds for its own element and for attributes before it. */
static bool resolve(struct reading *r, struct xml_node *n)
{
	n->ns = xml_namespace(n, prefix_of(n->name));
	bool known = n->ns != NULL;

	for (struct xml_attribute *a = n->attributes; a && known; a = a->next) {
		if (is_declaration(a))
			a->ns = XML_NS_XMLNS;
		else
			a->ns = prefix_of(a->name).n ? xml_namespace(n, prefix_of(a->name)) : "";
		known = a->ns != NULL;
	}
	if (!known)
		stop(r, EBADMSG, "a prefix that no xmlns declares");
	return known;
}

static void link_node(struct reading *r, struct xml_node *n)
{
	struct xml_node **last = &r->last[r->depth];

	if (*last)
		(*last)->next = n;
	else if (n->parent)
		n->parent->child = n;
	else
		r->doc->root = n;
	*last = n;
	if (r->depth + 1 < XML_KEPT)
		r->last[r->depth + 1] = NULL;
}

static void begin_kept(struct reading *r, const char *name, const char **attributes)
{
	struct xml_node *n = r->nodes++ < XML_NODES_MAX ? take(r->doc, sizeof *n) : NULL;

	if (!n || !(n->name = keep(r->doc, str_z(name)))) {
		stop(r, n ? ENOMEM : E2BIG, n ? "out of memory" : "more elements than are taken");
		return;
	}
	size_t from = (size_t)XML_GetCurrentByteIndex(r->parser);
	size_t tag = (size_t)XML_GetCurrentByteCount(r->parser);

	n->local = local_of(n->name);
	n->text = "";
	n->parent = r->at;
	n->source.p = r->message.p + from;
	n->content.p = n->source.p + tag;
	if (!read_attributes(r, n, attributes) || !resolve(r, n))
		return;
	link_node(r, n);
	r->at = n;
	text_reset(&r->text);
}

static void begin(void *ctx, const char *name, const char **attributes)
{
	struct reading *r = ctx;

	if (r->rc) /* expat may still call after it was stopped */
		return;
	if (r->depth == XML_DEPTH_MAX)
		stop(r, E2BIG, "elements nested deeper than is taken");
	else if (r->depth < XML_KEPT)
		begin_kept(r, name, attributes);
	if (r->rc == 0)
		r->depth++;
}

static void end(void *ctx, const char *name)
{
	struct reading *r = ctx;

	(void)name;
	if (r->rc || --r->depth >= XML_KEPT)
		return;
	struct xml_node *n = r->at;
	const char *at = r->message.p + XML_GetCurrentByteIndex(r->parser);

	n->content.n = (size_t)(at - n->content.p);
	n->source.n = (size_t)(at - n->source.p) + (size_t)XML_GetCurrentByteCount(r->parser);
	if (!n->child && r->depth < TEXT_LEVELS && r->text.n)
		n->text = keep(r->doc, text_view(&r->text));
	if (!n->text)
		stop(r, ENOMEM, "out of memory");
	text_reset(&r->text);
	r->at = n->parent;
}

static void characters(void *ctx, const char *p, int n)
{
	struct reading *r = ctx;

	if (r->rc || r->depth > TEXT_LEVELS || !r->at || r->at->child)
		return;
	text_str(&r->text, (struct str){p, (size_t)n});
	if (r->text.failed)
		stop(r, E2BIG, "a value longer than is taken");
}

static void doctype(void *ctx, const char *name, const char *system, const char *public, int internal)
{
	(void)name, (void)system, (void)public, (void)internal;
	stop(ctx, EBADMSG, "a document type declaration, which NETCONF forbids (RFC 6241, section 3.1),");
}

static int parse(struct reading *r)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, begin, end);
	XML_SetCharacterDataHandler(r->parser, characters);
	XML_SetStartDoctypeDeclHandler(r->parser, doctype);
	/* One call: offsets then count from the message's first octet, and no token is scanned twice. */
	if (XML_Parse(r->parser, r->message.p, (int)r->message.n, 1) == XML_STATUS_OK || r->rc)
		return r->rc;
	enum XML_Error code = XML_GetErrorCode(r->parser);

	if (code == XML_ERROR_NO_MEMORY)
		return err_set(r->e, ENOMEM, "out of memory");
	return err_set(r->e, EBADMSG, "not XML: %s in line %lu", XML_ErrorString(code),
		(unsigned long)XML_GetCurrentLineNumber(r->parser));
}

int xml_parse(struct str message, struct xml_doc **out, struct err *e)
{
	struct reading r = {.message = message, .e = e, .text.max = TEXT_OCTETS_MAX};
	int rc;

	if (message.n > INT32_MAX)
		return err_set(e, E2BIG, "longer than is taken");
	r.doc = calloc(1, sizeof *r.doc);
	r.parser = XML_ParserCreate("UTF-8");
	if (r.doc && r.parser)
		rc = parse(&r);
	else
		rc = err_set(e, ENOMEM, "out of memory");
	if (r.parser)
		XML_ParserFree(r.parser);
	text_free(&r.text);
	if (rc)
		xml_free(r.doc);
	else
		*out = r.doc;
	return rc;
}

void xml_free(struct xml_doc *d)
{
	if (!d)
		return;
	for (struct block *b = d->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(d);
}

const struct xml_node *xml_root(const struct xml_doc *d)
{
	return d->root;
}

bool xml_is(const struct xml_node *n, const char *ns, const char *local)
{
	return strcmp(n->local, local) == 0 && strcmp(n->ns, ns) == 0;
}

const char *xml_attribute(const struct xml_node *n, const char *ns, const char *local)
{
	for (const struct xml_attribute *a = n->attributes; a; a = a->next) {
		if (strcmp(a->local, local) == 0 && (!*a->ns || strcmp(a->ns, ns) == 0))
			return a->value;
	}
	return NULL;
}

static const struct xml_attribute *declaration(const struct xml_node *n, struct str prefix)
{
	for (const struct xml_attribute *a = n->attributes; a; a = a->next) {
		if (is_declaration(a) && str_eq(str_z(declared(a)), prefix))
			return a;
	}
	return NULL;
}

const char *xml_namespace(const struct xml_node *n, struct str prefix)
{
	if (str_eq(prefix, STR("xml")))
		return "http://www.w3.org/XML/1998/namespace";
	for (; n; n = n->parent) {
		const struct xml_attribute *a = declaration(n, prefix);

		if (a) /* xmlns:p="" takes p back, which only XML 1.1 allows; xmlns="" is no namespace */
			return prefix.n && !*a->value ? NULL : a->value;
	}
	return prefix.n ? NULL : "";
}

/* Is the prefix of a declared again between n and the ancestor that declares it? */
static bool is_hidden(
	const struct xml_node *n, const struct xml_node *ancestor, const struct xml_attribute *a)
{
	for (; n != ancestor; n = n->parent) {
		if (declaration(n, str_z(declared(a))))
			return true;
	}
	return false;
}

void xml_fragment(const struct xml_node *n, struct text *out)
{
	size_t name = 1 + strlen(n->name);

	text_str(out, str_sub(n->source, 0, name));
	for (const struct xml_node *up = n->parent; up; up = up->parent) {
		for (const struct xml_attribute *a = up->attributes; a; a = a->next) {
			if (!is_declaration(a) || is_hidden(n, up, a))
				continue;
			text_fmt(out, " %s=\"", a->name);
			text_xml_value(out, str_z(a->value));
			text_z(out, "\"");
		}
	}
	text_str(out, str_sub(n->source, name, n->source.n - name));
}
