/* SPDX-License-Identifier: Apache-2.0 */
/* A generator and the data plane of its own process in turns. */
#pragma once

#include "perf/gen.h"
#include "perf/pcap.h"
#include "perf/room.h"

struct rings_conf {
	uint64_t frames;   /* on the wire, without those that are left at the end */
	struct pcap *pcap; /* of what was sent and what came; NULL: none */
};

/* Sends, relays and judges until all is out. took: the worker's time. 0, -ENOMEM or -EIO. */
int rings_run(struct room *room, struct gen *gen, const struct rings_conf *conf, struct room_time *took);
