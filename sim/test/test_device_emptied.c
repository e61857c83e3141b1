/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts that are wiped, and resets, while packets are on their way. */
#include "sim/test/test_device.h"

#include <string.h>

/*
 * A wipe overtakes packets on another queue, at every moment of their way: each ends right, or ABORTED or
 * refused with nothing written; none ends right once the wipe has ended; and a new key in the context does
 * not bring them back.
 */
void wipes(const char *library)
{
	enum { PACKETS = 12, MOMENTS = 160 };
	static struct packet p[PACKETS];
	unsigned right = 0, aborted = 0, refused_n = 0;

	start(library);
	for (unsigned i = 0; i < PACKETS; i++)
		packet_alloc(&b, &p[i]);
	for (unsigned moment = 0; moment < MOMENTS; moment++) {
		struct session s, other;
		struct fpga_cpl c;
		struct fpga_desc d;
		bool wiped = false;
		unsigned done = 0;

		bench_session(&b, &s, bench_suites[moment % 6]);
		for (unsigned i = 0; i < PACKETS; i++) {
			packet_random(&b, &p[i], &s);
			packet_desc(&p[i], &d);
			fpga_ring_push(ring, &d, &p[i]);
		}
		fpga_ring_doorbell(ring);
		hw_sim_step(b.hw, 2 * moment);
		while (done < PACKETS) {
			while (fpga_ring_poll(ring, &c, 1)) {
				struct packet *k = c.cookie;

				done++;
				if (c.status == SRTPDEV_ST_OK || c.status == SRTPDEV_ST_TAG_FAIL) {
					/* In order: it came out before the wipe's end was seen, or it was on
					 * its way then. */
					packet_check(k, &c);
					right++;
					continue;
				}
				CHECK(c.status == SRTPDEV_ST_ABORTED || c.status == SRTPDEV_ST_CTX_INVALID ||
						c.status == SRTPDEV_ST_GEN_MISMATCH,
					"status %u", c.status);
				aborted += c.status == SRTPDEV_ST_ABORTED;
				refused_n += c.status != SRTPDEV_ST_ABORTED;
				CHECK(!memcmp(k->in_place ? k->src : k->dst, k->before, ROOM),
					"an aborted packet was written");
			}
			if (!wiped) {
				uint8_t seen[PACKETS][ROOM];

				CHECK(fpga_context_drop(b.dev, &s.ctx) == 0, "wipe");
				wiped = true;
				for (unsigned i = 0; i < PACKETS; i++)
					memcpy(seen[i], p[i].in_place ? p[i].src : p[i].dst, ROOM);
				bench_session(
					&b, &other, bench_suites[moment % 6]); /* takes the same context */
				CHECK(other.ctx.id == s.ctx.id, "another context");
				hw_sim_step(b.hw, 1500);
				for (unsigned i = 0; i < PACKETS; i++)
					CHECK(!memcmp(seen[i], p[i].in_place ? p[i].src : p[i].dst, ROOM),
						"a packet was written after the wipe of its key had ended");
			}
		}
		CHECK(fpga_context_drop(b.dev, &other.ctx) == 0, "wipe");
	}
	CHECK(right && aborted && refused_n, "not every case was met: right %u aborted %u refused %u", right,
		aborted, refused_n);
	for (unsigned i = 0; i < PACKETS; i++)
		packet_free(&b, &p[i]);
	stop();
}

/* One of each operation, a forged packet between them: the ring's first descriptors, and so many packets. */
static unsigned short_trace(
	struct packet p[], struct session *gcm, struct session *cm, const struct fpga_context *old)
{
	static const struct {
		uint8_t op;
		bool cm, forged;
		uint16_t len;
	} rows[] = {
		{SRTPDEV_OP_RTP_PROTECT, false, false, 32},
		{SRTPDEV_OP_RTP_UNPROTECT, true, true, 76},
		{SRTPDEV_OP_RTP_UNPROTECT, false, true, 172},
		{SRTPDEV_OP_RTCP_PROTECT, true, false, 60},
		{SRTPDEV_OP_RTCP_UNPROTECT, false, false, 60},
		{SRTPDEV_OP_RTP_PROTECT, true, false, 32},
	};
	enum { PACKETS = sizeof(rows) / sizeof(rows[0]) };
	struct fpga_desc d;

	for (unsigned i = 0; i < PACKETS; i++) {
		packet_make(&b, &p[i], rows[i].cm ? cm : gcm, rows[i].op, rows[i].len,
			rows[i].op < SRTPDEV_OP_RTCP_PROTECT ? 12 : 8);
		p[i].forged = rows[i].forged;
		p[i].src[p[i].src_at + rows[i].len] ^= p[i].forged; /* a bit of its tag */
		packet_desc(&p[i], &d);
		fpga_ring_push(ring, &d, &p[i]);
	}
	/* Any octets are a key. */
	d = (struct fpga_desc){.op = SRTPDEV_OP_KEY_INSTALL,
		.arg = SRTPDEV_ALG_TAG32,
		.ctx = old->id + 1,
		.src = p[0].src_iova};
	fpga_ring_push(ring, &d, NULL);
	d = (struct fpga_desc){.op = SRTPDEV_OP_SLOT_WIPE, .ctx = old->id, .gen = old->gen};
	fpga_ring_push(ring, &d, NULL);
	fpga_ring_doorbell(ring);
	return PACKETS;
}

/* What came out is right; what did not was written as it must be as far as it was written; nothing of a
 * forged packet ever was. */
static unsigned came_out(struct packet p[], unsigned n)
{
	struct fpga_cpl c;
	unsigned done = 0;

	for (; fpga_ring_poll(ring, &c, 1); done++)
		if (c.cookie)
			packet_check(c.cookie, &c);
		else
			CHECK(c.status == SRTPDEV_ST_OK, "installation or wipe: status %u", c.status);
	for (unsigned i = 0; i < n; i++)
		for (size_t at = 0; at < ROOM; at++)
			CHECK(p[i].dst[at] == p[i].before[at] ||
					(!p[i].forged && p[i].dst[at] == p[i].after[at]),
				"packet %u, octet %zu: neither what was there nor what it must be", i, at);
	return done;
}

/* A reset at every step-th clock of a short trace, up to where nothing is left of it: the device comes back
 * empty, and works. */
static void resets_at(const char *library, const struct sim_conf *bus, unsigned step)
{
	enum { ROWS = 8, MOMENTS = 4000 };
	static struct packet p[ROWS];
	unsigned moment = 0, done = 0;

	start_on(library, bus);
	for (unsigned i = 0; i < ROWS; i++) {
		packet_alloc(&b, &p[i]);
		p[i].src_at = p[i].dst_at = 128;
	}
	for (; done < ROWS; moment += step) {
		struct session gcm, cm, old;
		struct fpga_cpl c;
		struct fpga_desc d;
		void *cookies[ROWS];
		unsigned n;

		CHECK(moment < MOMENTS, "the trace does not end: %u of %u", done, ROWS);
		bench_session(&b, &gcm, SRTP_AEAD_AES_256_GCM);
		bench_session(&b, &cm, SRTP_AES_CM_128_HMAC_SHA1_80);
		bench_session(&b, &old, SRTP_AEAD_AES_128_GCM);
		n = short_trace(p, &gcm, &cm, &old.ctx);
		hw_sim_step(b.hw, moment);
		done = came_out(p, n);
		CHECK(fpga_device_reset(b.dev, moment % 3 ? 0 : 4000) == 0, "reset at clock %u", moment);
		came_out(p, n);
		fpga_ring_abandon(ring, cookies, ROWS);
		fpga_ring_close(ring);
		CHECK(fpga_ring_open(&ring, b.dev, 0, 7) == 0, "ring");
		packet_desc(&p[0], &d);
		expect("a context from before", d, SRTPDEV_ST_CTX_INVALID);
		bench_session(&b, &gcm, bench_suites[moment % 6]);
		packet_make(&b, &p[0], &gcm, SRTPDEV_OP_RTP_PROTECT, 172, 12);
		packet_desc(&p[0], &d);
		c = bench_one(&b, ring, &d);
		packet_check(&p[0], &c);
	}
	printf("%u clocks\n", moment - step);
	for (unsigned i = 0; i < ROWS; i++)
		packet_free(&b, &p[i]);
	stop();
}

void resets(const char *library)
{
	resets_at(library, &calm, 1);
}

/* The bus lets offers wait while the device is told to drain. */
void resets_stalled(const char *library)
{
	static const struct sim_conf stalls = {.seed = 6,
		.latency_min = 2,
		.latency_max = 60,
		.reorder = 1,
		.read_stall = 60,
		.answer_stall = 20,
		.write_stall = 60};

	resets_at(library, &stalls, 3);
}

/* Waits for n completions: no-ops, or packets that are right. */
static void await(unsigned n, bool packets)
{
	for (unsigned done = 0, waited = 0; done < n;) {
		struct fpga_cpl c;

		if (!fpga_ring_poll(ring, &c, 1)) {
			CHECK(++waited < 5000, "%u of %u came out", done, n);
			hw_sim_step(b.hw, 8);
			continue;
		}
		if (packets)
			packet_check(c.cookie, &c);
		else
			CHECK(c.status == SRTPDEV_ST_OK, "a no-op's status is %u", c.status);
		done++;
	}
}

static void renew(void)
{
	void *cookies[128];

	CHECK(fpga_device_reset(b.dev, 0) == 0, "reset");
	fpga_ring_abandon(ring, cookies, 128);
	fpga_ring_close(ring);
	CHECK(fpga_ring_open(&ring, b.dev, 0, 7) == 0, "ring");
}

/* What the bus still answers and acknowledges after a reset is of nobody, though its numbers are in use
 * again: reads of descriptors and packets that it held back meanwhile, and refused writes that it says so of
 * late. */
void late_answers(const char *library)
{
	enum { N = 8, ACK = 6000, MOMENTS = 48 };
	static const struct sim_conf slow_acks = {
		.seed = 8, .latency_min = 10, .latency_max = 30, .ack_latency = ACK, .reorder = 1};
	static struct packet p[N];
	uint64_t strays = 0;

	start_on(library, &slow_acks);
	for (unsigned i = 0; i < N; i++) {
		packet_alloc(&b, &p[i]);
		p[i].src_at = p[i].dst_at = 128;
	}
	for (unsigned moment = 0; moment < MOMENTS; moment++) {
		struct fpga_counters n;
		struct session s;
		struct fpga_desc d;
		bool written = moment % 4 == 0;

		renew(); /* numbers begin with 0 in each life */
		bench_session(&b, &s, bench_suites[moment % 6]);
		for (unsigned i = 0; i < N; i++) {
			packet_make(&b, &p[i], &s, SRTPDEV_OP_RTP_PROTECT, 100, 12);
			packet_desc(&p[i], &d);
			d.dst = 64;
			fpga_ring_push(ring, &d, &p[i]);
		}
		fpga_ring_doorbell(ring);
		hw_sim_step(b.hw, written ? 800 : moment);
		hw_sim_hang(b.hw, !written);
		renew();
		for (unsigned i = 0; !written && i < moment / 4 % 3; i++)
			renew(); /* three in all: the fourth has the first's epoch */
		if (!written) {
			d = (struct fpga_desc){.op = SRTPDEV_OP_NOP};
			for (unsigned i = 0; i < 2 * N; i++)
				fpga_ring_push(ring, &d, NULL);
			fpga_ring_doorbell(ring);
			hw_sim_hang(b.hw, 0);
			await(2 * N, false);
		}
		bench_session(&b, &s, bench_suites[moment % 6]);
		for (unsigned i = 0; i < N; i++) {
			packet_make(&b, &p[i], &s, SRTPDEV_OP_RTP_PROTECT, 100, 12);
			packet_desc(&p[i], &d);
			fpga_ring_push(ring, &d, &p[i]);
		}
		fpga_ring_doorbell(ring);
		await(N, true);
		fpga_device_counters(b.dev, &n);
		strays += n.stray;
		CHECK(fpga_context_drop(b.dev, &s.ctx) == 0, "wipe");
	}
	CHECK(strays, "no answer came late");
	for (unsigned i = 0; i < N; i++)
		packet_free(&b, &p[i]);
	stop();
}
