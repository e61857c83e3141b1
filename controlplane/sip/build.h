/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing SIP messages. A request is built without its Via: the layer that sends it knows transport, address
 * and branch and puts the line in (transaction.h). Order of calls: begin, headers, sip_build_end().
 *
 * Nothing here fails until the end: what does not fit makes sip_build_end() say so.
 */
#pragma once

#include "controlplane/sip/message.h"
#include "lib/base/buf.h"

struct sip_builder {
	struct wbuf w;
	size_t line_end;        /* octets of the first line with its CRLF */
	enum sip_method method; /* of a request */
	uint16_t status;        /* of a response, else 0 */
};

/* buf is the caller's; wipe it (mem_wipe) after sending when the body may hold keys. */
void sip_build_request(struct sip_builder *b, void *buf, size_t cap, struct str method, struct str uri);

/*
 * A response to a request with Via (received and rport filled in from request->source), From, To, Call-ID,
 * CSeq, and Record-Route for 101 to 299; Timestamp for 100 (RFC 3261 section 8.2.6). reason NULL: the usual
 * phrase. to_tag is added when the request's To has none and it is not empty.
 */
void sip_build_response(struct sip_builder *b, void *buf, size_t cap, const struct sip_msg *request,
	unsigned status, const char *reason, struct str to_tag);

/* CR, LF and NUL in a value are written as spaces: what is put in cannot make a line of its own. */
void sip_build_hdr(struct sip_builder *b, enum sip_hdr_id id, struct str value);
void sip_build_hdr_named(struct sip_builder *b, struct str name, struct str value);
void sip_build_hdr_u32(struct sip_builder *b, enum sip_hdr_id id, uint32_t value);
void sip_build_hdr_fmt(struct sip_builder *b, enum sip_hdr_id id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sip_build_cseq(struct sip_builder *b, uint32_t number, struct str method);
/* From or To: "value;tag=tag"; value is a name-addr or a URI in <>. */
void sip_build_addr(struct sip_builder *b, enum sip_hdr_id id, struct str value, struct str tag);
/* All lines with this id, as they stood. */
void sip_build_copy(struct sip_builder *b, const struct sip_msg *from, enum sip_hdr_id id);

/*
 * Content-Type (when the body is not empty), Content-Length and the body. 0 or -EMSGSIZE. The message is then
 * sip_built(b).
 */
int sip_build_end(struct sip_builder *b, struct str content_type, struct str body);
struct str sip_built(const struct sip_builder *b);

#define SIP_TOKEN_TEXT 25
/* 96 random bits as text with a NUL, for tags, branches and Call-IDs. Aborts without a random generator. */
struct str sip_token_make(char buf[SIP_TOKEN_TEXT]);
