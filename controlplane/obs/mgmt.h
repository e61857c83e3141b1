/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The management socket: a Unix stream socket where local operators ask and the control plane answers. Access
 * is the socket file's: mode 0600, or 0660 with a group; who connected (SO_PEERCRED) is logged.
 *
 * One line of JSON a request, one line of JSON an answer, in order, UTF-8:
 *
 *   {"op":"get","args":{"xpath":"/srtp-gateway:calls/call[id='c1']"}}
 *   {"ok":true,"data":{...}}
 *   {"error":{"tag":"...","type":"...","path":"/srtp-gateway:calls","message":"more than 1000 calls at
 * once..."}}
 *
 * "args" may be absent. docs/management.md has the operations. A client that is attached to something (a
 * session of management) may be sent lines that are no answers.
 *
 * Bounds: MGMT_CLIENTS_MAX clients, one request of a client in work at a time, MGMT_REQUEST_MAX octets a
 * request; MGMT_LARGE_MAX for operations registered as large, whose line must begin with {"op":"NAME". A
 * client that does not read its answer is not read from, and is closed after MGMT_IDLE_S; so is one that says
 * nothing for that long, unless it is attached.
 *
 * Everything runs in the thread of the event loop.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "lib/base/err.h"

#define MGMT_CLIENTS_MAX 64
#define MGMT_REQUEST_MAX 65536
#define MGMT_LARGE_MAX (16u << 20)
#define MGMT_UNREAD_MAX (4u << 20)
#define MGMT_IDLE_S 600

struct event_base;
struct mgmt;
struct mgmt_client;
struct mgmt_request;

/*
 * One operation. args is an object, borrowed until the return. The request is answered exactly once, now or
 * later, with mgmt_reply() or mgmt_refuse(), also when its client has gone.
 */
typedef void (*mgmt_fn)(struct mgmt_request *rq, const json_t *args, void *ctx);

/*
 * Listens, and sets SIGPIPE to be ignored. A socket file that nobody answers on is replaced. group: name of
 * the group that may connect, NULL for none. e says what to do; -EADDRINUSE (another control plane answers
 * there), -ENOENT (no such folder or group), -ENAMETOOLONG, others from the system.
 */
int mgmt_open(
	struct mgmt **out, struct event_base *base, const char *socket, const char *group, struct err *e);

/*
 * Closes clients, removes the socket file and frees. Requests that are not answered yet may still be, to no
 * effect. NULL is ignored.
 */
void mgmt_close(struct mgmt *m);

/* op is kept by reference. -EEXIST, -ENOMEM. */
int mgmt_register(struct mgmt *m, const char *op, mgmt_fn fn, void *ctx);

int mgmt_register_large(struct mgmt *m, const char *op, mgmt_fn fn, void *ctx);

/* The answer will carry this line, too: all went well, and there is something to know. May be called often. */
void mgmt_warn(struct mgmt_request *rq, const char *text);
/* Answers with data, whose reference is taken over; NULL is answered as out of memory. Ends rq. */
void mgmt_reply(struct mgmt_request *rq, json_t *data);

/* Refuses; path is the YANG path of what is at fault, "" for none. Ends rq. */
void mgmt_refuse(struct mgmt_request *rq, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with an error object, whose reference is taken over: tag, type, path, message, app-tag, info. */
void mgmt_refuse_error(struct mgmt_request *rq, json_t *error);
/* Such an object, its texts made safe for JSON. NULL without memory. */
json_t *mgmt_error(const char *tag, const char *type, const char *path, const char *message);

/*
 * What is kept for a client: closed(data) is called when it goes, at mgmt_close() too, and is what tells one
 * thing from another. -ENOMEM.
 */
typedef void (*mgmt_closed_fn)(void *data);
struct mgmt_client *mgmt_request_client(const struct mgmt_request *rq); /* NULL: gone */
int mgmt_client_attach(struct mgmt_client *c, mgmt_closed_fn closed, void *data);
void *mgmt_client_attached(const struct mgmt_client *c, mgmt_closed_fn closed); /* NULL: nothing */
/* The client that this was attached to; NULL: none. */
struct mgmt_client *mgmt_client_with(const struct mgmt *m, mgmt_closed_fn closed, const void *data);
/* What a client did so far. */
struct mgmt_counts {
	uint32_t requests, errors, pushed;
};
const struct mgmt_counts *mgmt_client_counts(const struct mgmt_client *c);
/* Sends a line that is no answer, whose reference is taken over. -ENOBUFS: it has MGMT_UNREAD_MAX unread. */
int mgmt_client_push(struct mgmt_client *c, json_t *line);
/* Ends it now, or, from inside an operation of its own, after its answer. */
void mgmt_client_close(struct mgmt_client *c);

/* The account that asks, for the log and for what only some may do. */
uid_t mgmt_request_uid(const struct mgmt_request *rq);

/* A text member of args; NULL when it is absent or not text. Borrowed from args. */
const char *mgmt_arg(const json_t *args, const char *name);
