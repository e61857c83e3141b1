/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks DNS servers, on the event loop, without ever waiting: c-ares underneath. The servers are those of
 * /etc/resolv.conf, read again when it changes, or those that the configuration names.
 */
#pragma once

#include <stdint.h>

#include "controlplane/dns/reply.h"
#include "lib/base/err.h"

struct event_base;
struct dns_client;

/*
 * Called exactly once for every question, perhaps before dns_asker.ask() returns. result: 0 with the reply
 * (which may hold nothing), or a negative errno value with why, for people.
 */
typedef void (*dns_answer_fn)(void *arg, int result, const struct dns_reply *reply, const char *why);

/* Whoever can be asked: the client, or a test. */
struct dns_asker {
	void *ctx;
	void (*ask)(void *ctx, const char *name, enum dns_type type, dns_answer_fn answer, void *arg);
};

/* -ENOMEM and others, with e. */
int dns_client_new(struct event_base *base, struct dns_client **out, struct err *e);
/* Open questions are answered with -ECANCELED first. NULL is ignored. */
void dns_client_free(struct dns_client *c);
#define DNS_SERVERS_MAX 8
/*
 * Names n servers to ask from now on, in this order, on port 53; 0: those of /etc/resolv.conf. When they are
 * others than before, open questions are answered with -ECANCELED.
 */
void dns_client_set_servers(struct dns_client *c, const struct ip_addr *servers, unsigned n);
struct dns_asker dns_client_asker(struct dns_client *c);
