/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server for monitoring: GET of a few pages, one request a connection. At most WEB_CLIENTS_MAX
 * connections, each with WEB_TIMEOUT_S for its request and as long for its answer. On the loop's thread.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/netaddr.h"
#include "lib/base/str.h"

#define WEB_CLIENTS_MAX 16
#define WEB_TIMEOUT_S 10

struct event_base;
struct evbuffer;
struct web;         /* opaque */
struct web_request; /* opaque: answered exactly once, also when its client has gone */

/* path is borrowed. */
typedef void (*web_page_fn)(void *ctx, struct web_request *rq, struct str path);

/* e names the address. -EADDRINUSE and others of the system. */
int web_open(struct event_base *base, const struct ip_port *at, web_page_fn page, void *ctx, struct web **out,
	struct err *e);
/* Closes everything; requests that are not answered yet may still be, to no effect. NULL is ignored. */
void web_close(struct web *w);
/* Where it listens. */
const struct ip_port *web_address(const struct web *w);

/* Answers with a body, whose content is taken over. type: such as "text/plain". Ends rq. */
void web_answer(struct web_request *rq, unsigned status, const char *type, struct evbuffer *body);
/* The same with a line of text. */
void web_say(struct web_request *rq, unsigned status, const char *text);
