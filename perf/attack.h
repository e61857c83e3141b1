/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that nobody should send, among those of a generator's calls; and a gateway under them, in a time of
 * its own: the clock goes on by what the worker's turns took of the processor, packets arrive at their rates
 * in that time, and those that find the port's ring full are lost, as they are at a NIC. So an attack at line
 * rate is one on any machine, whatever the generator can do and whoever else wants the core.
 *
 * Honest packets that are lost at the ring are never built, so that every one that is must come back right.
 */
#pragma once

#include <stdint.h>

#include "perf/gen.h"
#include "perf/room.h"

enum attack_kind {
	ATTACK_NONE,
	ATTACK_FORGED_ONE, /* of one call: addresses, SSRC, number right; payload and tag are noise */
	ATTACK_FORGED_ALL, /* the same of every call in turn */
	ATTACK_STRANGERS,  /* from addresses that nobody negotiated, else as forged; clear to a plain leg */
	ATTACK_REPLAYS,    /* genuine packets of the last moments again */
};

struct attack_conf {
	enum attack_kind kind;
	double honest_pps, attack_pps;
};

struct attack_result {
	uint64_t honest;       /* packets that the calls sent */
	uint64_t lost;         /* of them: at the full ring, or not relayed */
	uint64_t one, one_lost; /* the same of the call that all forged packets were for; those that met a full ring
				   are not among them */
	uint64_t hostile;      /* packets that reached the ring */
	uint64_t hostile_ring; /* and those that found it full */
	uint64_t came_out;     /* frames beyond the honest ones that the gateway sent, or that were wrong */
	uint64_t trials;       /* packets that were authenticated in vain */
	double cpu_ns;         /* of the worker, all packets */
	double seconds;        /* of the attack, in its own time */
	double recovery_ms;    /* from its end until the ring was empty */
};

struct attack; /* opaque */

int attack_open(struct room *room, struct gen *gen, uint32_t calls, struct attack **out); /* -ENOMEM */
void attack_close(struct attack *a);

/* So many seconds of it, then until the ring is empty. 0, -ENOMEM or -EIO. */
int attack_run(
	struct attack *a, const struct attack_conf *conf, double seconds, struct attack_result *result);
