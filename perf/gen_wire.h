/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generator at a port of its own, and a gateway behind it: over a NIC that DPDK owns, memif, vhost-user,
 * AF_XDP, AF_PACKET. Frames are made before they are sent and judged after they came, a round of some
 * thousand at a time, so that neither takes time of what is measured.
 */
#pragma once

#include "perf/gen.h"
#include "perf/pcap.h"

#define WIRE_ROUND 8192 /* frames: rings of twice as many hold a round however long the other side sleeps */

struct wire;

/* After eal_start(). devices: as port.h's device has them; [1] NULL: both legs are at the first. Waits until
 * its link is up, 20 s at most. */
int wire_open(const char *const devices[2], struct wire **out, struct err *err);
void wire_close(struct wire *w); /* NULL is ignored */

struct wire_conf {
	uint64_t frames;
	double pps;        /* frames a second; 0: as many as the port takes */
	struct pcap *pcap; /* of what was sent and what came; NULL: none */
};

struct wire_result {
	double seconds; /* that frames were on their way */
	uint64_t good;  /* packets that came back right in that time */
	double p50, p99, p999,
		max;     /* from the burst that a packet was sent with to the one it came with, us */
	uint64_t others; /* frames that are not for us: not UDP over IP */
};

/*
 * A round at a gentle rate of the first packet of each call, which is not measured, then all. 0; -ENOLINK:
 * nothing came back of the first round; -ENOMEM, -EIO.
 */
int wire_run(struct wire *w, struct gen *gen, const struct wire_conf *conf, struct wire_result *result,
	struct err *err);
