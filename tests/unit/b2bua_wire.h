/* SPDX-License-Identifier: Apache-2.0 */
/* What lies between the gateway (b2bua_bench.c) and the phones (b2bua_phones.c). Only they include this. */
#pragma once

#include "controlplane/sip/net.h"

#define WIRE_QUEUE_MAX 4096

/* Empty at the start of each test. */
extern struct bench_wire {
	struct sip_listener doors[3]; /* of the gateway */
	struct {
		struct sip_flow flow;
		char tls_name[80];
		char *text; /* freed by who takes it */
	} queue[WIRE_QUEUE_MAX]; /* what the gateway has sent and nobody has heard, in its order */
	unsigned queued;
	unsigned branches, calls; /* that the phones have made */
} wire;
