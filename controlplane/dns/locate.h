/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps track of where a SIP server is (RFC 3263 section 4): NAPTR, SRV, then A and AAAA of its targets; with
 * a port only the latter. Asked again when what was told has lived its time, so that whoever wants to know
 * never waits. While DNS fails, the last good answer holds.
 */
#pragma once

#include <stdint.h>

#include "controlplane/dns/client.h"
#include "controlplane/sip/timer.h"

#define DNS_TARGETS_MAX 64 /* of one place: those of the best priority, then of the greatest weight */
#define DNS_WHY_MAX 160

enum dns_service { DNS_SIP_UDP, DNS_SIP_TCP, DNS_SIPS_TCP };

struct dns_place {
	const char *host; /* a name; not copied */
	uint16_t port;    /* 0: SRV records say it, or else it is default_port */
	uint16_t default_port;
	enum dns_service service;
};

/* One address, by its SRV record's priority and weight (RFC 2782); 0 without SRV records. */
struct dns_target {
	struct ip_port remote;
	uint16_t priority, weight;
};

struct dns_locator;

struct dns_locator_conf {
	struct dns_asker asker;
	struct timer_wheel *wheel;
	struct dns_place place;
	void (*changed)(void *arg); /* the targets are others than before; never from within dns_locate() */
	void *arg;
	const char *owner; /* for the log: whose place it is; not copied */
};

/* Asks at once. NULL without memory. */
struct dns_locator *dns_locate(const struct dns_locator_conf *conf);
/* changed() is not called any more. NULL is ignored. */
void dns_locator_free(struct dns_locator *l);
/* Good until changed() is called. */
const struct dns_target *dns_locator_targets(const struct dns_locator *l, unsigned *n);
/* Why there are no targets, or why those that there are may be old; "": the last answer was good. */
const char *dns_locator_trouble(const struct dns_locator *l);
