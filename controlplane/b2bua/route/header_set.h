/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of a message that may reach the other side of a call: which do by default, and what a trunk's
 * table of rules does to them. What the gateway writes itself (of the dialog, the route, the session) never
 * gets into a set.
 */
#pragma once

#include "controlplane/config/headers.h"
#include "controlplane/sip/build.h"
#include "controlplane/sip/message.h"

#define HEADER_SET_MAX (SIP_HEADERS_MAX + 64 + 4) /* the message's lines, rules that add, identities */
#define HEADER_SET_TEXT (8 * 1024)

/* One line. Its text is the message's or the set's own. */
struct header_line {
	enum sip_hdr_id id;
	struct str name, value;
	bool passes;
};

/* Lives no longer than the message that it was made from. */
struct header_set {
	bool request;
	unsigned n;
	bool full; /* something did not fit: the message is refused rather than sent with less */
	struct header_line lines[HEADER_SET_MAX];
	struct wbuf text; /* of values that were made */
	char buf[HEADER_SET_TEXT];
};

/* Without lines, of a request or a response. */
void header_set_empty(struct header_set *s, bool request);
/* All lines of m that are not the gateway's own business. */
void header_set_from(struct header_set *s, const struct sip_msg *m);
/* A trunk's rules of one direction, in their order. */
void header_set_rules(struct header_set *s, const struct config_headers *h, bool out);
/* What passes, as header lines. */
void header_set_build(const struct header_set *s, struct sip_builder *b);

/* The first line that is left of a header; NULL: none. */
struct header_line *header_set_find(struct header_set *s, enum sip_hdr_id id);
/* Takes all its lines out. */
void header_set_remove(struct header_set *s, enum sip_hdr_id id);
/* A line that passes. The value is copied. */
void header_set_add(struct header_set *s, enum sip_hdr_id id, struct str name, struct str value);
/* Copies a value that was made elsewhere. */
struct str header_set_keep(struct header_set *s, struct str value);

/*
 * Does the value match, '*' standing for any text, without case? made NULL, or value with each '*' replaced
 * by what the '*' of its rank found.
 */
bool header_match(struct str value, struct str pattern, struct str form, struct wbuf *made);
