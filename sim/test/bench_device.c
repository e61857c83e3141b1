/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole device, its ring never empty: clocks per packet in steady state with descriptors, packets and
 * completions over the bus, another key on every packet; latency of one packet alone; how many packets are
 * inside. usage: bench_device LIBRARY BUS_LATENCY [speed] One line each: suite operation payload offset
 * clocks-per-packet read-beats write-beats latency-clocks packets-inside
 *
 * speed: how many packets a second the simulation does through the driver, in bursts that are waited for.
 * One line each: burst packets-per-second
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
	uint64_t alone, inside = 0, looks = 0;

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
		if (done < WARM && done + k >= WARM)
			hw_sim_stats(b->hw, &from);
		done += k;
		if (done >= WARM) {
			inside += hw_sim_ops.rd32(b->hw, SRTPDEV_REG_STATUS) >> SRTPDEV_REG_STATUS_BUSY_LSB;
			looks++;
		}
		hw_sim_step(b->hw, 8);
	}
	hw_sim_stats(b->hw, &now);
	printf("%s %s %u %zu %.2f %.2f %.2f %lu %.1f\n", srtp_suite_info(suite)->name,
		op == SRTPDEV_OP_RTP_PROTECT ? "protect" : "unprotect", payload, offset,
		(double)(now.clocks - from.clocks) / WANTED,
		(double)(now.read_beats - from.read_beats) / WANTED,
		(double)(now.write_beats - from.write_beats) / WANTED, (unsigned long)alone,
		(double)inside / (double)looks);
	fflush(stdout);
	while (fpga_ring_in_flight(r)) {
		struct fpga_cpl c;
		if (!fpga_ring_poll(r, &c, 1))
			hw_sim_step(b->hw, 8);
	}
	for (unsigned i = 0; i < SESSIONS; i++)
		CHECK(fpga_context_drop(b->dev, &sessions[i].ctx) == 0, "wipe");
}

static void speed(struct bench *b, struct fpga_ring *r, unsigned burst)
{
	const uint64_t start = clock_mono_ns(), wanted = 1500000000;
	uint64_t now = start;
	unsigned long done = 0;
	struct session s;

	bench_session(b, &s, SRTP_AEAD_AES_128_GCM);
	for (unsigned i = 0; i < burst; i++) {
		packets[i].src_at = packets[i].dst_at = 128;
		packet_make(b, &packets[i], &s, SRTPDEV_OP_RTP_PROTECT, HEADER + 160, HEADER);
	}
	while (now - start < wanted) {
		for (unsigned i = 0; i < burst; i++) {
			struct fpga_desc d;
			packet_desc(&packets[i], &d);
			fpga_ring_push(r, &d, &packets[i]);
		}
		fpga_ring_doorbell(r);
		for (unsigned left = burst; left;) {
			struct fpga_cpl c[64];
			unsigned k = fpga_ring_poll(r, c, 64);

			for (unsigned i = 0; i < k; i++)
				CHECK(c[i].status == SRTPDEV_ST_OK, "status %u", c[i].status);
			if (!k)
				hw_sim_ops.poll_hint(b->hw);
			left -= k;
		}
		done += burst;
		now = clock_mono_ns();
	}
	packet_check(&packets[0], &(struct fpga_cpl){SRTPDEV_ST_OK, HEADER + 160 + 16, NULL});
	printf("%u %.0f\n", burst, 1e9 * (double)done / (double)(now - start));
	CHECK(fpga_context_drop(b->dev, &s.ctx) == 0, "wipe");
}

int main(int argc, char **argv)
{
	static const enum srtp_suite suites[] = {
		SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES_CM_128_HMAC_SHA1_80};
	static const unsigned payloads[] = {20, 160, 1200};
	struct sim_conf conf = {.seed = 9};
	struct fpga_ring *r;
	struct bench b;

	CHECK(argc >= 3, "usage: bench_device LIBRARY BUS_LATENCY [speed]");
	conf.latency_min = conf.latency_max = (uint32_t)strtoul(argv[2], NULL, 0);
	bench_open(&b, argv[1], &conf);
	CHECK(fpga_ring_open(&r, b.dev, 0, 10) == 0, "ring");
	for (unsigned i = 0; i < PACKETS; i++)
		packet_alloc(&b, &packets[i]);
	if (argc > 3) {
		speed(&b, r, 1);
		speed(&b, r, 32);
	}
	for (unsigned s = 0; s < 3 && argc == 3; s++)
		for (unsigned op = SRTPDEV_OP_RTP_PROTECT; op <= SRTPDEV_OP_RTP_UNPROTECT; op++)
			for (unsigned i = 0; i < 3; i++)
				for (unsigned at = 0; at < 2; at++)
					run(&b, r, suites[s], (uint8_t)op, payloads[i], at ? 42 : 0);
	fpga_ring_close(r);
	for (unsigned i = 0; i < PACKETS; i++)
		packet_free(&b, &packets[i]);
	bench_close(&b);
	return 0;
}
