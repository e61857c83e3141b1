/* SPDX-License-Identifier: Apache-2.0 */
/* The management socket's insides: mgmt.c has the socket and its operations, mgmt_client.c each client. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "controlplane/obs/mgmt.h"

struct operation {
	SLIST_ENTRY(operation) next;
	const char *name;
	mgmt_fn fn;
	void *ctx;
	bool large;
};

struct attachment {
	SLIST_ENTRY(attachment) next;
	mgmt_closed_fn closed;
	void *data;
};

struct mgmt_client {
	LIST_ENTRY(mgmt_client) next;
	struct mgmt *m;
	struct bufferevent *stream;
	struct mgmt_request *pending; /* in work; NULL when the next line may be taken */
	struct ucred who;
	struct mgmt_counts counts;
	SLIST_HEAD(, attachment) attachments;
	size_t searched; /* octets of its input that hold no end of line */
	bool closing;    /* to be closed once its output is written, whatever else it sent */
	bool eof;        /* it sends no more; what it sent before is still answered */
	bool serving;    /* inside serve(): an answer does not call it again */
};

struct mgmt {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *resume; /* accepts again after accept_pause */
	char path[108];
	unsigned n_clients;
	LIST_HEAD(, mgmt_client) clients;
	SLIST_HEAD(, operation) operations;
};

/* Owned by whoever has to answer; the client only points at it, and is forgotten here when it goes first. */
struct mgmt_request {
	struct mgmt_client *client; /* NULL: gone */
	json_t *warnings;           /* an array; NULL: none */
	uid_t uid;
};

const struct operation *mgmt_find_operation(const struct mgmt *m, const char *name);

/* Serves a connection, whose stream and account are filled in. Frees itself when it ends. */
void mgmt_client_begin(struct mgmt_client *c, struct mgmt *m);
void mgmt_client_free(struct mgmt_client *c);
