/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both parties of calls through a gateway: a carrier that calls and one that is called, SIP over TLS, an SDES
 * key of its own in each offer and answer, session timers. What a call dials carries its number, so that the
 * time that each message spent in the gateway is known: from when it is said until the kernel has what came
 * out.
 */
#pragma once

#include "perf/sip_wire.h"

#define LOAD_CALLS_MAX 131072

struct load_call {
	uint64_t invited_ns, answered_ns; /* the offer left the caller, the answer the called side */
	uint64_t inside_ns;               /* what the gateway kept the offer, then the answer */
	uint32_t serial;
	enum load_state { LOAD_FREE, LOAD_CALLING, LOAD_UP, LOAD_LEAVING } state;
	bool held; /* stays up until it is let go */
	char tag[40], target[96];
	char route[128]; /* a proxy's Record-Route, which requests repeat; "": there is none */
};

struct load {
	struct wire wire;
	struct wire_conn *caller;
	struct ip_port local, called, gateway; /* the two parties, and what is between them */
	uint64_t dialled_ns;                   /* delays count from here, when it is not 0 */
	struct load_call *call;
	uint32_t *free, frees, serial, on_hold;
	uint64_t random;
	uint64_t begun, answered, ended, failed;
	unsigned last_status; /* of the last one that failed */
	uint32_t *delay_us;   /* of those answered since load_measure(), inside the gateway, there and back */
	uint32_t delays, delays_max;
};

int load_open(struct load *l, const char *certificate, const char *key, const char *ca,
	const struct ip_port *local, const struct ip_port *called, const struct ip_port *gateway);
void load_close(struct load *l);
/* One more call, which hangs up as soon as it is answered unless held. false: no room for more. */
bool load_call(struct load *l, bool held);
/* One more by a connection of its own, in place of the caller's: its delay includes TCP and TLS. No call may
 * be up. Without a connection the call has failed, and caller is NULL. */
void load_dial(struct load *l);
/* One of those that are held hangs up; false: none. */
bool load_let_go(struct load *l);
static inline uint64_t load_live(const struct load *l)
{
	return l->begun - l->ended - l->failed;
}
/* Forgets the delays so far. */
void load_measure(struct load *l, uint32_t at_most);
/* In microseconds; part: 0.5, 0.99. 0 when none was answered. */
uint32_t load_delay(struct load *l, double part);
