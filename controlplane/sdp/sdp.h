/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session description in memory (RFC 8866): parsed once, in order, nothing lost that a relay has to pass
 * on. Attributes stay as they were written, known or not; what the gateway itself acts on is decoded besides.
 *
 * Every view points into the text that was parsed (or, in a description being built, into text of its
 * builder's): it must outlive the struct. The struct is about 20 kB, has no pointers of its own to free and
 * may be moved. A description may carry SDES keys: wipe its text (mem_wipe) when done with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/netaddr.h"
#include "lib/base/str.h"

#define SDP_TEXT_MAX (32 * 1024) /* octets */
#define SDP_LINE_MAX 2048        /* octets of one line, its end excluded */
#define SDP_MEDIA_MAX 8          /* m-lines; a session has 16 legs, two for each */
#define SDP_ATTRS_MAX 512        /* a= lines in all */
#define SDP_BANDWIDTH_MAX 4      /* b= lines per level */
#define SDP_FORMATS_MAX 64       /* formats of one m-line */

enum sdp_kind { SDP_AUDIO, SDP_VIDEO, SDP_OTHER_KIND };

enum sdp_proto {
	SDP_PROTO_OTHER, /* not one of the below: never relayed */
	SDP_RTP_AVP,
	SDP_RTP_AVPF,
	SDP_RTP_SAVP,
	SDP_RTP_SAVPF,
	SDP_DTLS_SAVP, /* UDP/TLS/RTP/SAVP */
	SDP_DTLS_SAVPF,
	SDP_PROTO_COUNT,
};

struct sdp_proto_info {
	const char *name;
	bool rtp;      /* RTP over UDP, in a profile that we know */
	bool secure;   /* SRTP */
	bool feedback; /* ...F: RFC 4585 */
	bool dtls;     /* keyed by DTLS (RFC 5764) */
};

const struct sdp_proto_info *sdp_proto_info(enum sdp_proto p); /* never NULL */
/* RTP profile with these properties; SDP_PROTO_OTHER for dtls without secure. */
enum sdp_proto sdp_proto_find(bool secure, bool feedback, bool dtls);

/* As the one who wrote the description means it. Bit 0: it receives, bit 1: it sends. */
enum sdp_direction { SDP_INACTIVE = 0, SDP_RECVONLY = 1, SDP_SENDONLY = 2, SDP_SENDRECV = 3 };

const char *sdp_direction_name(enum sdp_direction d);
/* The same flow seen from the other end. */
enum sdp_direction sdp_direction_mirror(enum sdp_direction d);

/* a=name or a=name:value */
struct sdp_attr {
	struct str name, value;
	bool has_value; /* a colon was there */
	uint16_t line;  /* in the text, from 1 */
};

struct sdp_origin {
	struct str username, sess_id, sess_version; /* the latter two: digits */
	struct str address;                         /* as written, with any "IN IP4 " before it cut off */
	enum ip_family family;
};

struct sdp_media {
	enum sdp_kind kind;
	enum sdp_proto proto;
	struct str kind_text, proto_text; /* as written */
	struct str formats;               /* as written, blank-separated, at least one */
	uint16_t port;                    /* 0: refused or disabled */
	uint16_t line;                    /* of the m-line in the text, from 1 */
	struct ip_addr connection; /* the m-line's own c=, or the session's; IP_NONE only with port 0 */
	struct str bandwidth[SDP_BANDWIDTH_MAX];
	uint16_t n_bandwidth;
	uint16_t first_attr, n_attrs; /* in sdp.attrs */

	/* Decoded from the attributes of this m-line and, for the direction, the session's. */
	enum sdp_direction direction;
	bool rtcp_mux, rtcp_mux_only;
	uint16_t rtcp_port;     /* a=rtcp, RFC 3605; 0: not given */
	struct ip_addr rtcp_ip; /* IP_NONE: not given */
};

struct sdp {
	struct sdp_origin origin;
	struct ip_addr connection; /* IP_NONE: none at session level */
	struct str bandwidth[SDP_BANDWIDTH_MAX];
	uint16_t n_bandwidth;
	struct str time;          /* the first t= value */
	uint16_t n_session_attrs; /* attrs[0 .. n_session_attrs) are the session's */
	uint16_t n_attrs;
	uint16_t n_media;
	struct sdp_media media[SDP_MEDIA_MAX];
	struct sdp_attr attrs[SDP_ATTRS_MAX];
};

/*
 * Parses text into *out. Line ends may be CRLF or LF, the last may be missing. v=, o=, s= come first and
 * a level's other lines in any order (devices differ); strict on sizes, numbers and what may occur where.
 * -EINVAL, or -E2BIG where a limit above is passed; e then says "line N: what is wrong" (never a key in it)
 * and *out is undefined. i=, u=, e=, p=, r=, z= and k= lines are checked for place and dropped.
 */
int sdp_parse(struct str text, struct sdp *out, struct err *e);

/* A level's attributes; m NULL for the session's. */
const struct sdp_attr *sdp_attrs(const struct sdp *s, const struct sdp_media *m, unsigned *n);
/* The level's first attribute of that name (compared with case, RFC 8866 section 5.13), or NULL. */
const struct sdp_attr *sdp_attr_find(const struct sdp *s, const struct sdp_media *m, struct str name);

/* RTP clock of the m-line's first format in Hz: its rtpmap, or RFC 3551's static types; 8000 when unknown. */
uint32_t sdp_media_clock(const struct sdp *s, const struct sdp_media *m);

/* Printing. All lines end with CRLF; w overflows when it is too small. */
void sdp_put_connection(struct wbuf *w, const struct ip_addr *ip);
void sdp_put_media(struct wbuf *w, struct str kind, uint16_t port, struct str proto, struct str formats);
void sdp_put_bandwidth(struct wbuf *w, const struct str *lines, unsigned n);
void sdp_put_attr(struct wbuf *w, const struct sdp_attr *a);
/* The whole description as it stands: everything that sdp_parse() keeps. -EMSGSIZE when w is too small. */
int sdp_print(const struct sdp *s, struct wbuf *w);
