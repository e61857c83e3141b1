/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mixed traffic, and a reset or a wipe in the middle of it; the device's whole state is saved before and
 * after. Every run has the same traffic at the same clocks, each SECRET other keys and other octets in every
 * packet (sim/check_wiped compares). usage: test_wiped LIBRARY reset|wipe SECRET BEFORE AFTER
 */
#include <string.h>

#include "sim/test/bench.h"

enum { SESSIONS = 24, PACKETS = 96 };

static struct session sessions[SESSIONS];
static struct packet packets[PACKETS];

/* shape has what is the same in every run, b the octets. */
static void push_all(struct bench *b, struct bench *shape, struct fpga_ring *r)
{
	for (unsigned i = 0; i < PACKETS; i++) {
		struct packet *p = &packets[i];
		uint8_t op = (uint8_t)(SRTPDEV_OP_RTP_PROTECT + bench_below(shape, 4));
		size_t aad = op >= SRTPDEV_OP_RTCP_PROTECT ? 8 : 12 + 4 * (size_t)bench_below(shape, 30);
		struct fpga_desc d;

		p->src_at = 128 + bench_below(shape, 64);
		p->dst_at = 128 + bench_below(shape, 64);
		p->index = 0x80000000u | i;
		packet_make(b, p, &sessions[i % SESSIONS], op, aad + bench_below(shape, 600), aad);
		if (bench_below(shape, 8) == 0)
			p->src[p->src_at + p->len] ^= 1; /* of the tag, where there is one */
		packet_desc(p, &d);
		fpga_ring_push(r, &d, p);
	}
	fpga_ring_doorbell(r);
}

static void run(const char *library, uint64_t octets, bool wipe, const char *before, const char *after)
{
	const struct sim_conf conf = {.seed = 7, .latency_min = 20, .latency_max = 90, .reorder = 1};
	struct bench b, shape = {.random = 99};
	void *cookies[PACKETS];
	struct fpga_ring *r;

	bench_open(&b, library, &conf);
	b.random = octets;
	CHECK(fpga_ring_open(&r, b.dev, 0, 7) == 0, "ring");
	for (unsigned i = 0; i < SESSIONS; i++)
		bench_session(&b, &sessions[i], bench_suites[i % 6]);
	for (unsigned i = 0; i < PACKETS; i++)
		packet_alloc(&b, &packets[i]);
	push_all(&b, &shape, r);
	hw_sim_step(b.hw, 700);
	CHECK(fpga_ring_in_flight(r) > 20, "the traffic is over");
	CHECK(hw_sim_save(b.hw, before) == 0, "%s: not written", before);
	if (wipe) {
		hw_sim_ops.wr32(b.hw, SRTPDEV_REG_CONTROL, 1u << SRTPDEV_REG_CONTROL_WIPE_LSB);
		hw_sim_step(b.hw, 2);
		while (!fpga_device_ready(b.dev))
			hw_sim_step(b.hw, 1);
	} else {
		CHECK(fpga_device_reset(b.dev, 50) == 0, "reset");
	}
	CHECK(hw_sim_save(b.hw, after) == 0, "%s: not written", after);
	fpga_ring_abandon(r, cookies, PACKETS);
	fpga_ring_close(r);
	for (unsigned i = 0; i < PACKETS; i++)
		packet_free(&b, &packets[i]);
	bench_close(&b);
}

int main(int argc, char **argv)
{
	CHECK(argc == 6, "usage: test_wiped LIBRARY reset|wipe SECRET BEFORE AFTER");
	run(argv[1], strtoull(argv[3], NULL, 0), !strcmp(argv[2], "wipe"), argv[4], argv[5]);
	return 0;
}
