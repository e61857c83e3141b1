/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP request that turns a TLS connection into a WebSocket with SIP in it (RFC 6455 section 4.2, RFC
 * 7118 section 4). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

#define WS_REQUEST_MAX 8192 /* octets of the request, with the empty line at its end */
#define WS_RESPONSE_MAX 512

/* What is wanted of a request. */
struct ws_policy {
	/* Pages that may connect, such as "https://phone.example.net"; "*": any. */
	const char *const *origins;
	size_t n_origins;
};

struct ws_upgrade {
	unsigned status;    /* 101, or of the refusal */
	const char *reason; /* for the operator; NULL with 101 */
	struct str origin;  /* of the page, in the request's text; empty: it says none */
};

/* Octets of the request, the empty line included; 0: its end is not there. */
size_t ws_request_end(const char *p, size_t n);

/*
 * Judges a whole request and writes the response to it. Requests without an Origin are no web page's, and
 * pass; who they are from is the password's business. Extensions (compression) are never accepted.
 */
void ws_upgrade(struct str request, const struct ws_policy *policy, struct ws_upgrade *out, struct wbuf *response);
