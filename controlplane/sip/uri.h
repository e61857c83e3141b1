/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIP, SIPS and tel URIs, name-addr values and their parameters (RFC 3261 sections 19.1, 20.10 and 25.1,
 * RFC 3966). Everything here is a view into the text that was parsed; nothing is allocated or unescaped.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

enum sip_scheme { SIP_SCHEME_OTHER, SIP_SCHEME_SIP, SIP_SCHEME_SIPS, SIP_SCHEME_TEL };

struct sip_uri {
	enum sip_scheme scheme;
	struct str text;     /* the whole URI as it stood */
	struct str user;     /* still escaped; tel: the number; empty when there is none */
	struct str password; /* still escaped */
	struct str host;     /* without the brackets of an IPv6 literal; empty for tel: */
	bool has_user;       /* there was an '@' */
	bool host_v6;
	uint16_t port;      /* 0 when not given */
	struct str params;  /* behind the first ';', without it: "transport=tcp;lr" */
	struct str headers; /* behind the '?', without it */
};

/*
 * -EINVAL: not a URI of its scheme. -EPROTONOSUPPORT: well-formed, but a scheme other than sip, sips and tel
 * (a request for it gets 416); out then holds text and SIP_SCHEME_OTHER.
 */
int sip_uri_parse(struct str text, struct sip_uri *out);

/* Writes the URI from its parts; parsing what was written gives an equal URI. */
void sip_uri_print(struct wbuf *w, const struct sip_uri *u);

/* RFC 3261 section 19.1.4, tel: RFC 3966 section 4 (visual separators do not count). */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);

/*
 * Who is meant, as it may stand in the user part of a sip: URI: of a tel: URI with its parameters (RFC 3261
 * section 19.1.6), unless they have characters that may not stand there. A view into the text, too.
 */
struct str sip_uri_party(const struct sip_uri *u);

/* The URI as it may be a request's: without headers (RFC 3261 section 19.1.1, table 1). A view into the text, too. */
struct str sip_uri_target(const struct sip_uri *u);

/* 5061 for sips:, 5060 otherwise, unless the URI names one. */
uint16_t sip_uri_port(const struct sip_uri *u);

/*
 * A parameter of a list separated by ';' (quoted strings may hold a ';'). The name compares without case;
 * value is empty for a flag such as "lr". False when absent.
 */
bool sip_param(struct str params, struct str name, struct str *value);

/* Takes the next parameter off the front of *params; false at the end. A quoted value keeps its quotes. */
bool sip_param_next(struct str *params, struct str *name, struct str *value);

/* Resolves %XX. The octets written, -EINVAL for a bad escape, -ENOSPC. */
int sip_unescape(struct str in, char *out, size_t cap);

/* Octets that may not stand in a user part are written as %XX. */
void sip_user_escape(struct wbuf *w, struct str user);

/* A From, To, Contact, Route or Record-Route value. */
struct sip_addr {
	struct str display; /* as it stood, with its quotes if it had some */
	struct sip_uri uri;
	struct str params; /* the header's own parameters, behind the first ';' outside <> */
	bool star;         /* "Contact: *"; all else empty */
};

/* -EINVAL; -EPROTONOSUPPORT as sip_uri_parse() with all the rest filled in. */
int sip_addr_parse(struct str text, struct sip_addr *out);

/* RFC 3261 section 25.1 token, at least one octet. */
bool sip_is_token(struct str s);
