/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: which address of a registrar is asked. The registrar is the trunk's first peer, whose
 * host may stand for several: who was asked last and granted it is asked again; who failed comes behind those
 * that may do, and the one whose failure is longest ago first; who asked for a rest (503 with Retry-After)
 * last.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/netaddr.h"

struct b2bua_generation;
struct config_trunk;
struct sip_flow;
struct sip_listener;
struct sip_msg;

struct registration_place {
	struct sip_listener *listener; /* that it was sent from; to be compared only */
	struct ip_port registrar;
};

struct registration_way {
	struct registration_place asked;  /* last */
	struct registration_place holder; /* that granted a registration last */
};

/* Where the next REGISTER goes; `back`: one that takes a registration back, to who granted it. -EHOSTUNREACH:
 * the peer has no address; -EADDRNOTAVAIL: no listener is open that speaks to it. */
int registration_aim(const struct registration_way *w, const struct b2bua_generation *g,
	const struct config_trunk *trunk, bool back, struct sip_flow *out, struct err *e);
/* A REGISTER goes there, */
void registration_asked(struct registration_way *w, const struct sip_flow *to);
/* and that failed, */
void registration_refused(
	const struct registration_way *w, const struct b2bua_generation *g, const struct config_trunk *trunk);
/* or it was granted. */
void registration_granted(
	struct registration_way *w, const struct b2bua_generation *g, const struct config_trunk *trunk);
/* How many seconds nobody is to be asked for the Retry-After of who was; 0: another address may be. It rests
 * as its 503 asks for, for calls as well. */
uint32_t registration_heed(const struct registration_way *w, const struct b2bua_generation *g,
	const struct config_trunk *trunk, const struct sip_msg *answer);

/* Did a REGISTER go out by the listener that this came in by? */
bool registration_came_by(const struct registration_way *w, const struct sip_flow *from);
/* And is it from a registrar's address? */
bool registration_came_from(const struct registration_way *w, const struct sip_flow *from);
