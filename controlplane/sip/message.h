/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SIP message in memory: parsed once, in place, over a buffer that the caller owns (RFC 3261 section 7).
 * Every view points into that buffer; it must outlive the message. sip_msg_clone() makes one that owns its
 * text. Building is in build.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/sip/uri.h"
#include "lib/base/netaddr.h"
#include "lib/base/str.h"

#define SIP_HEADERS_MAX 128      /* header lines in one message */
#define SIP_VALUES_MAX 64        /* Via, Route or Record-Route values that are looked at */
#define SIP_HEAD_MAX (16 * 1024) /* octets up to and with the empty line */
#define SIP_BODY_MAX (64 * 1024) /* octets */
#define SIP_LINE_MAX 8192        /* octets of one header line, folds included */
#define SIP_MESSAGE_MAX (SIP_HEAD_MAX + SIP_BODY_MAX)
#define SIP_COOKIE "z9hG4bK" /* what an RFC 3261 branch begins with */

enum sip_method {
	SIP_METHOD_OTHER, /* a valid token that is none of the below */
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_OPTIONS,
	SIP_REGISTER,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_INFO,
	SIP_REFER,
	SIP_NOTIFY,
	SIP_SUBSCRIBE,
	SIP_MESSAGE,
	SIP_PUBLISH,
	SIP_METHOD_COUNT,
};

/* "" for SIP_METHOD_OTHER. Methods compare with case. */
struct str sip_method_name(enum sip_method method);
enum sip_method sip_method_by_name(struct str name);

/* Known header fields. Names, compact forms and what repeats are one table in header.c. */
enum sip_hdr_id {
	SIP_H_OTHER, /* not one of the below; look at sip_hdr.name */
	SIP_H_ACCEPT,
	SIP_H_ACCEPT_CONTACT,
	SIP_H_ACCEPT_ENCODING,
	SIP_H_ACCEPT_LANGUAGE,
	SIP_H_ALERT_INFO,
	SIP_H_ALLOW,
	SIP_H_ALLOW_EVENTS,
	SIP_H_AUTHENTICATION_INFO,
	SIP_H_AUTHORIZATION,
	SIP_H_CALL_ID,
	SIP_H_CALL_INFO,
	SIP_H_CONTACT,
	SIP_H_CONTENT_DISPOSITION,
	SIP_H_CONTENT_ENCODING,
	SIP_H_CONTENT_LANGUAGE,
	SIP_H_CONTENT_LENGTH,
	SIP_H_CONTENT_TYPE,
	SIP_H_CSEQ,
	SIP_H_DATE,
	SIP_H_DIVERSION,
	SIP_H_ERROR_INFO,
	SIP_H_EVENT,
	SIP_H_EXPIRES,
	SIP_H_FROM,
	SIP_H_HISTORY_INFO,
	SIP_H_IDENTITY,
	SIP_H_IDENTITY_INFO,
	SIP_H_IN_REPLY_TO,
	SIP_H_INFO_PACKAGE,
	SIP_H_JOIN,
	SIP_H_MAX_FORWARDS,
	SIP_H_MIME_VERSION,
	SIP_H_MIN_EXPIRES,
	SIP_H_MIN_SE,
	SIP_H_ORGANIZATION,
	SIP_H_P_ASSERTED_IDENTITY,
	SIP_H_P_EARLY_MEDIA,
	SIP_H_P_PREFERRED_IDENTITY,
	SIP_H_PATH,
	SIP_H_PRIORITY,
	SIP_H_PRIVACY,
	SIP_H_PROXY_AUTHENTICATE,
	SIP_H_PROXY_AUTHORIZATION,
	SIP_H_PROXY_REQUIRE,
	SIP_H_RACK,
	SIP_H_REASON,
	SIP_H_RECORD_ROUTE,
	SIP_H_RECV_INFO,
	SIP_H_REFER_SUB,
	SIP_H_REFER_TO,
	SIP_H_REFERRED_BY,
	SIP_H_REJECT_CONTACT,
	SIP_H_REMOTE_PARTY_ID,
	SIP_H_REPLACES,
	SIP_H_REPLY_TO,
	SIP_H_REQUEST_DISPOSITION,
	SIP_H_REQUIRE,
	SIP_H_RETRY_AFTER,
	SIP_H_ROUTE,
	SIP_H_RSEQ,
	SIP_H_SERVER,
	SIP_H_SERVICE_ROUTE,
	SIP_H_SESSION_EXPIRES,
	SIP_H_SESSION_ID,
	SIP_H_SIP_ETAG,
	SIP_H_SIP_IF_MATCH,
	SIP_H_SUBJECT,
	SIP_H_SUBSCRIPTION_STATE,
	SIP_H_SUPPORTED,
	SIP_H_TARGET_DIALOG,
	SIP_H_TIMESTAMP,
	SIP_H_TO,
	SIP_H_UNSUPPORTED,
	SIP_H_USER_AGENT,
	SIP_H_USER_TO_USER,
	SIP_H_VIA,
	SIP_H_WARNING,
	SIP_H_WWW_AUTHENTICATE,
	SIP_H_COUNT,
};

/* The long name as the RFCs write it; "" for SIP_H_OTHER. */
struct str sip_hdr_name(enum sip_hdr_id id);
/* Long or compact, without case; SIP_H_OTHER when unknown. */
enum sip_hdr_id sip_hdr_by_name(struct str name);

#define SIP_HDR_NONE 0xff /* ends a chain of header indexes */

/* One header line. Folds were replaced by spaces in the buffer; value is trimmed. */
struct sip_hdr {
	uint8_t id;   /* enum sip_hdr_id */
	uint8_t next; /* index of the next line with this id, or SIP_HDR_NONE */
	struct str name, value;
};

/* One Via value. */
struct sip_via {
	struct str text;      /* the whole value */
	struct str version;   /* "2.0", unless the message was refused */
	struct str transport; /* "UDP", "TLS" ... */
	struct str host;      /* sent-by without brackets */
	uint16_t port;        /* 0 when not given */
	struct str params;
	struct str branch; /* empty when there is none */
	bool rport;        /* an rport parameter is there (RFC 3581) */
	bool cookie;       /* the branch begins with SIP_COOKIE and has more */
};

/* A message. Read-only for all but the parser. */
struct sip_msg {
	bool request;
	enum sip_method method; /* of the request line, or of a response's CSeq */
	struct str method_name;
	struct sip_uri uri; /* request: Request-URI */
	uint16_t status;    /* response: 100 to 699 */
	struct str reason;

	/* What every message must have: valid after a successful parse. */
	struct sip_via via; /* topmost */
	struct sip_addr from, to;
	struct str from_tag, to_tag; /* empty when absent */
	struct str call_id;
	uint32_t cseq;
	uint8_t max_forwards; /* 70 when absent */
	bool has_max_forwards;

	struct str content_type; /* as it stood, parameters included; empty when absent */
	struct str body;
	struct str text; /* the whole message */

	/* Where it came from: set by the transport, none for a message that was parsed alone. */
	struct ip_port source;

	uint8_t first[SIP_H_COUNT]; /* index of the first line with this id, or SIP_HDR_NONE */
	uint8_t last[SIP_H_COUNT];
	uint8_t hdr_count;
	struct sip_hdr hdrs[SIP_HEADERS_MAX]; /* in order; a clone has room for hdr_count only */
};

/* Why a message was refused. */
struct sip_reject {
	uint16_t status;    /* what a request should be answered with: 400, 416, 505, 513 ... */
	const char *reason; /* a reason phrase that says what is wrong; static */
	bool answerable;    /* a request other than ACK whose Via says where to */
};

/*
 * Parses one whole message. buf is written to (folded lines become one line), never past n. `datagram`:
 * octets behind Content-Length are ignored and a missing Content-Length means "all the rest"; over a stream
 * it must be there and n must fit it exactly.
 *
 * 0, or -EBADMSG with the reason in why (never NULL). m->first and the header chain then hold what could be
 * read, so that sip_build_response() can answer when why->answerable.
 */
int sip_msg_parse(struct sip_msg *m, char *buf, size_t n, bool datagram, struct sip_reject *why);

/* A copy that owns its text; sip_msg_free() wipes and frees it (NULL is allowed). NULL without memory. */
struct sip_msg *sip_msg_clone(const struct sip_msg *m);
void sip_msg_free(struct sip_msg *clone);
/* A clone's body is wiped: it may carry keys, and is not needed any more. */
void sip_msg_drop_body(struct sip_msg *clone);

/* First header line with this id, or NULL. */
const struct sip_hdr *sip_msg_hdr(const struct sip_msg *m, enum sip_hdr_id id);
/* First line by name: known, compact or unknown. */
const struct sip_hdr *sip_msg_hdr_named(const struct sip_msg *m, struct str name);
/* Value of the first line, empty when absent. */
struct str sip_msg_value(const struct sip_msg *m, enum sip_hdr_id id);

/*
 * Visits the values of a header that is a list, over all its lines and commas:
 *     struct sip_values it = sip_values(m, SIP_H_ROUTE);
 *     while (sip_values_next(&it, &value)) ...
 */
struct sip_values {
	const struct sip_msg *m;
	uint8_t line;
	struct str rest;
};
struct sip_values sip_values(const struct sip_msg *m, enum sip_hdr_id id);
bool sip_values_next(struct sip_values *it, struct str *value);
/* Takes the value up to the next ',' outside quotes and <> off the front of *list, trimmed; false at the end.
 */
bool sip_list_next(struct str *list, struct str *value);

/* True when a list header (Supported, Require, Allow ...) has this token, without case. */
bool sip_msg_has_token(const struct sip_msg *m, enum sip_hdr_id id, struct str token);

/* -EINVAL. */
int sip_via_parse(struct str text, struct sip_via *out);

/* The usual reason phrase of a status, such as "Busy Here"; a class name for an unknown one. */
const char *sip_status_reason(unsigned status);
