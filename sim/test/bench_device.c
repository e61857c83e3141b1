/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole device, its ring never empty: clocks per packet in steady state with descriptors, packets and
 * completions over the bus, another key on every packet; latency of one packet alone; and how fast the
 * simulation is. usage: bench_device LIBRARY BUS_LATENCY [aligned] One line each: suite operation payload
 * offset clocks-per-packet read-beats write-beats latency-clocks packets-per-second
 */
#include <string.h>

#include "lib/base/clock.h"
#include "sim/test/bench.h"

enum { PACKETS = 512, WARM = 1024, WANTED = 4096, SESSIONS = 128, HEADER = 12 };

static struct packet packets[PACKETS];
static struct session sessions[SESSIONS];

static uint64_t latency(struct bench *b, struct fpga_ring *r, struct packet *p)
{
	struct sim_stats before, now;
	struct fpga_desc d;
	struct fpga_cpl c;

	packet_desc(p, &d);
	hw_sim_stats(b->hw, &before);
	fpga_ring_push(r, &d, p);
	fpga_ring_doorbell(r);
	while (!fpga_ring_poll(r, &c, 1))
		hw_sim_step(b->hw, 1);
	hw_sim_stats(b->hw, &now);
	return now.clocks - before.clocks;
}

static void run(struct bench *b, struct fpga_ring *r, enum srtp_suite suite, uint8_t op, unsigned payload,
	size_t offset)
{
	struct sim_stats from = {0}, now;
	unsigned done = 0, sent = 0;
	uint64_t alone, start = 0, stop;

	for (unsigned i = 0; i < SESSIONS; i++)
		bench_session(b, &sessions[i], suite);
	for (unsigned i = 0; i < PACKETS; i++) {
		packets[i].src_at = packets[i].dst_at = 128 + offset;
		packet_make(b, &packets[i], &sessions[i % SESSIONS], op, HEADER + payload, HEADER);
	}
	alone = latency(b, r, &packets[0]);
	while (done < WARM + WANTED) {
		struct fpga_cpl c[64];
		struct fpga_desc d;
		unsigned k;

		while (fpga_ring_space(r) && sent - done < PACKETS) {
			struct packet *p = &packets[sent++ % PACKETS];
			packet_desc(p, &d);
			fpga_ring_push(r, &d, p);
		}
		fpga_ring_doorbell(r);
		k = fpga_ring_poll(r, c, 64);
		for (unsigned i = 0; i < k; i++)
			if (sent < PACKETS + 64)
				packet_check(c[i].cookie, &c[i]);
			else
				CHECK(c[i].status == SRTPDEV_ST_OK, "status %u", c[i].status);
		if (done < WARM && done + k >= WARM) {
			hw_sim_stats(b->hw, &from);
			start = clock_mono_ns();
		}
		done += k;
		hw_sim_step(b->hw, 8);
	}
	stop = clock_mono_ns();
	hw_sim_stats(b->hw, &now);
	printf("%s %s %u %zu %.2f %.2f %.2f %lu %.0f\n", srtp_suite_info(suite)->name,
		op == SRTPDEV_OP_RTP_PROTECT ? "protect" : "unprotect", payload, offset,
		(double)(now.clocks - from.clocks) / WANTED,
		(double)(now.read_beats - from.read_beats) / WANTED,
		(double)(now.write_beats - from.write_beats) / WANTED, (unsigned long)alone,
		1e9 * WANTED / (double)(stop - start));
	fflush(stdout);
	while (fpga_ring_in_flight(r)) {
		struct fpga_cpl c;
		if (!fpga_ring_poll(r, &c, 1))
			hw_sim_step(b->hw, 8);
	}
	for (unsigned i = 0; i < SESSIONS; i++)
		CHECK(fpga_context_drop(b->dev, &sessions[i].ctx) == 0, "wipe");
}

int main(int argc, char **argv)
{
	static const enum srtp_suite suites[] = {
		SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES_CM_128_HMAC_SHA1_80};
	static const unsigned payloads[] = {20, 160, 1200};
	struct sim_conf conf = {.seed = 9};
	struct fpga_ring *r;
	struct bench b;

	CHECK(argc >= 3, "usage: bench_device LIBRARY BUS_LATENCY [aligned]");
	conf.latency_min = conf.latency_max = (uint32_t)strtoul(argv[2], NULL, 0);
	bench_open(&b, argv[1], &conf);
	CHECK(fpga_ring_open(&r, b.dev, 0, 10) == 0, "ring");
	for (unsigned i = 0; i < PACKETS; i++)
		packet_alloc(&b, &packets[i]);
	for (unsigned s = 0; s < 3; s++)
		for (unsigned op = SRTPDEV_OP_RTP_PROTECT; op <= SRTPDEV_OP_RTP_UNPROTECT; op++)
			for (unsigned i = 0; i < 3; i++)
				for (unsigned at = 0; at < (argc > 3 ? 1 : 2); at++)
					run(&b, r, suites[s], (uint8_t)op, payloads[i], at ? 42 : 0);
	fpga_ring_close(r);
	for (unsigned i = 0; i < PACKETS; i++)
		packet_free(&b, &packets[i]);
	bench_close(&b);
	return 0;
}
