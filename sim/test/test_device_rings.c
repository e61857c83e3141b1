/* SPDX-License-Identifier: Apache-2.0 */
/* Rings: every size, where they and their indexes end, one beside another, in memory that is not there. */
#include "sim/test/test_device.h"

#include <string.h>

#define NOWHERE_HI 0xdead0000u /* upper half of addresses at which there is no memory */

static const struct fpga_desc nop = {.op = SRTPDEV_OP_NOP};

static uint32_t queue_reg(unsigned queue, uint32_t at)
{
	return SRTPDEV_QUEUES_AT + queue * SRTPDEV_QUEUE_STRIDE + at;
}

/* Which of a ring's descriptors are no-ops, and which no operation at all: any pattern that does not repeat.
 */
static bool is_nop(uintptr_t k)
{
	return (k * 2654435761u >> 16 & 1) != 0;
}

/* Do both ends of a ring of this queue lie in one 4 GiB? */
static bool in_one(unsigned queue, uint32_t base_lo, unsigned octets_log2)
{
	uint64_t first = hw_sim_ops.rd32(b.hw, queue_reg(queue, base_lo));

	return (first + (1ull << octets_log2) - 1) >> 32 == 0;
}

/* Bursts of any length until the ring has gone round, and in the longest the free running index too. */
static void goes_round(unsigned size_log2, unsigned *across)
{
	static const struct fpga_desc bad = {.op = 99};
	struct fpga_error e;

	const uintptr_t n = size_log2 == 14 ? 70000 : (5u << size_log2) + 3;
	uintptr_t sent = 0, done = 0;
	struct fpga_ring *r;

	CHECK(fpga_ring_open(&r, b.dev, 1, size_log2) == 0, "ring of %u", 1u << size_log2);
	*across = !in_one(1, SRTPDEV_QUEUE_DESC_LO, size_log2 + 5) << 0 |
		  !in_one(1, SRTPDEV_QUEUE_CPL_LO, size_log2 + 4) << 1;
	while (done < n) {
		unsigned burst = bench_below(&b, 2u << size_log2), waited = 0;
		struct fpga_cpl c;

		while (burst-- && sent < n && fpga_ring_space(r)) {
			sent++;
			fpga_ring_push(r, is_nop(sent) ? &nop : &bad, (void *)sent);
		}
		fpga_ring_doorbell(r);
		for (unsigned leave = sent < n ? bench_below(&b, 3) : 0; fpga_ring_in_flight(r) > leave;) {
			if (!fpga_ring_poll(r, &c, 1)) {
				CHECK(++waited < 10000, "ring of %u: no completion", 1u << size_log2);
				hw_sim_step(b.hw, 8);
				continue;
			}
			CHECK((uintptr_t)c.cookie == ++done, "ring of %u: not in order", 1u << size_log2);
			CHECK(c.status == (is_nop(done) ? SRTPDEV_ST_OK : SRTPDEV_ST_BAD_OP),
				"ring of %u: descriptor %lu has status %u", 1u << size_log2,
				(unsigned long)done, c.status);
		}
	}
	while (fpga_device_error(b.dev, &e))
		;
	fpga_ring_close(r);
}

/* A queue that is always full does not keep the others from their turns. */
static void turns(void)
{
	enum { MANY = 128 };
	struct fpga_ring *one;
	struct fpga_cpl c;
	unsigned ahead = 0;

	CHECK(fpga_ring_open(&one, b.dev, 1, 2) == 0, "ring");
	for (unsigned i = 0; i < MANY; i++)
		fpga_ring_push(ring, &nop, NULL);
	fpga_ring_push(one, &nop, NULL);
	fpga_ring_doorbell(ring);
	fpga_ring_doorbell(one);
	while (!fpga_ring_poll(one, &c, 1))
		hw_sim_step(b.hw, 1);
	while (fpga_ring_poll(ring, &c, 1))
		ahead++;
	CHECK(ahead < MANY / 2, "%u of %u descriptors of another queue went first", ahead, MANY);
	for (; fpga_ring_in_flight(ring); hw_sim_step(b.hw, 8))
		ahead += fpga_ring_poll(ring, &c, 1);
	fpga_ring_close(one);
}

/* A line that is not full waits as long as the register says, not longer. */
static void flush(void)
{
	static const unsigned waits[] = {0, 900};
	unsigned took[2] = {0};

	for (unsigned i = 0; i < 2; i++) {
		struct fpga_cpl c;

		hw_sim_ops.wr32(b.hw, SRTPDEV_REG_FLUSH, waits[i]);
		fpga_ring_push(ring, &nop, NULL);
		fpga_ring_doorbell(ring);
		for (; !fpga_ring_poll(ring, &c, 1); took[i]++)
			hw_sim_step(b.hw, 1);
	}
	CHECK(took[1] >= took[0] + 850 && took[1] <= took[0] + 950, "%u clocks, and %u when told to wait %u",
		took[0], took[1], waits[1]);
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_FLUSH, SRTPDEV_RESET_FLUSH);
}

/* What the bus says when it fails is no descriptor, though it looks like the one that was read before. */
static void descriptors_not_there(void)
{
	static struct packet p;
	struct fpga_error e;
	struct fpga_desc live;
	struct fpga_ring *r;
	struct session s;

	packet_alloc(&b, &p);
	bench_session(&b, &s, SRTP_AEAD_AES_128_GCM);
	p.src_at = p.dst_at = 128;
	packet_make(&b, &p, &s, SRTPDEV_OP_RTP_PROTECT, 100, 12);
	packet_desc(&p, &live);
	const struct fpga_desc left[] = {
		live, {.op = SRTPDEV_OP_SLOT_WIPE, .ctx = s.ctx.id, .gen = s.ctx.gen}};
	for (unsigned i = 0; i < 2; i++) {
		struct fpga_cpl c;

		/* It is in the line that is read last, behind the one descriptor that is asked for. */
		CHECK(fpga_ring_open(&r, b.dev, 1, 4) == 0, "ring");
		fpga_ring_push(r, &nop, NULL);
		fpga_ring_push(r, &left[i], NULL);
		hw_sim_ops.wr32(b.hw, queue_reg(1, SRTPDEV_QUEUE_TAIL), 1);
		while (!fpga_ring_poll(r, &c, 1))
			hw_sim_step(b.hw, 8);
		hw_sim_ops.wr32(b.hw, queue_reg(1, SRTPDEV_QUEUE_DESC_HI), NOWHERE_HI);
		fpga_ring_doorbell(r);
		while (!fpga_ring_poll(r, &c, 1))
			hw_sim_step(b.hw, 8);
		CHECK(c.status == SRTPDEV_ST_DMA_RD && c.len == 0,
			"a descriptor that was not read: status %u", c.status);
		CHECK(fpga_device_error(b.dev, &e) == 1 && e.status == SRTPDEV_ST_DMA_RD && e.queue == 1,
			"the error is not noted");
		fpga_ring_close(r);
	}
	hw_sim_step(b.hw, 2000);
	CHECK(!memcmp(p.before, p.dst, ROOM), "something was written");
	expect("the packet and its key", live, SRTPDEV_ST_OK);
	packet_free(&b, &p);
}

/* Completions that reach no memory are counted, and nobody is interrupted for them. */
static void completions_not_there(void)
{
	struct fpga_counters before, after;
	struct sim_stats st, st_after;
	struct fpga_ring *r;

	CHECK(fpga_ring_open(&r, b.dev, 1, 4) == 0, "ring");
	hw_sim_ops.wr32(b.hw, queue_reg(1, SRTPDEV_QUEUE_CPL_HI), NOWHERE_HI);
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_IRQ_MASK, 2);
	fpga_device_counters(b.dev, &before);
	hw_sim_stats(b.hw, &st);
	fpga_ring_push(r, &nop, NULL);
	fpga_ring_doorbell(r);
	hw_sim_step(b.hw, 1000);
	fpga_device_counters(b.dev, &after);
	hw_sim_stats(b.hw, &st_after);
	CHECK(after.ops == before.ops + 1 && after.lost_writes == before.lost_writes + 1, "%u lost writes",
		(unsigned)(after.lost_writes - before.lost_writes));
	CHECK(st_after.interrupts == st.interrupts, "an interrupt for it");
	fpga_ring_close(r);
	expect("on another queue", nop, SRTPDEV_ST_OK);
}

/* A packet that begins below a multiple of 4 GiB and ends above it, read and written at every place in a
 * beat. */
static void packets_across(void)
{
	enum { MOST = 40 };
	static struct packet p[MOST];
	struct session s;
	unsigned n = 0;
	uint64_t below;

	bench_session(&b, &s, SRTP_AEAD_AES_256_GCM);
	do {
		CHECK(n < MOST, "no memory lies across");
		packet_alloc(&b, &p[n]);
		below = -p[n].dst_iova & UINT32_MAX;
	} while (n++, below < 200 || below > ROOM - 400);
	for (unsigned at = 0; at < 64; at += 9) {
		struct packet *x = &p[n - 1];
		struct fpga_cpl c;
		struct fpga_desc d;

		x->in_place = false;
		for (unsigned from = 0; from < 2; from++) {
			x->src_at = 128;
			x->dst_at = below - 130 + at;
			packet_make(&b, x, &s, SRTPDEV_OP_RTP_PROTECT + from, 300, 12);
			packet_desc(x, &d);
			CHECK(d.dst >> 32 != (d.dst + 300) >> 32, "it does not");
			c = bench_one(&b, ring, &d);
			packet_check(x, &c);
		}
	}
	while (n)
		packet_free(&b, &p[--n]);
}

/* Packets of which nothing is ciphered, as fast as they come: a lane is done with each in a clock. */
static void headers_only(void)
{
	enum { PACKETS = 128 };
	static struct packet p[PACKETS];
	unsigned done = 0, waited = 0;
	struct fpga_cpl c;
	struct session s;

	bench_session(&b, &s, SRTP_AES_CM_128_HMAC_SHA1_80);
	for (unsigned i = 0; i < PACKETS; i++) {
		struct fpga_desc d;

		packet_alloc(&b, &p[i]);
		p[i].src_at = p[i].dst_at = 128;
		packet_make(&b, &p[i], &s, SRTPDEV_OP_RTP_PROTECT, 12, 12);
		packet_desc(&p[i], &d);
		fpga_ring_push(ring, &d, &p[i]);
	}
	fpga_ring_doorbell(ring);
	for (; done < PACKETS; hw_sim_step(b.hw, 8)) {
		CHECK(++waited < 5000, "%u packets came out", done);
		for (; fpga_ring_poll(ring, &c, 1); done++)
			packet_check(c.cookie, &c);
	}
	for (unsigned i = 0; i < PACKETS; i++)
		packet_free(&b, &p[i]);
}

/* Operations that end without a packet, at every stage where one may, in bursts in which several end in one
 * clock: none is lost, and each has its own status. */
static void ends_meet(void)
{
	enum { BURSTS = 300, MOST = 100 };
	const uint32_t empty = fpga_device_caps(b.dev)->contexts - 1;
	static struct packet p;

	packet_alloc(&b, &p);
	struct {
		struct fpga_desc d;
		unsigned status;
	} kinds[] = {
		{nop, SRTPDEV_ST_OK},
		{{.op = 99}, SRTPDEV_ST_BAD_OP},
		{{.op = SRTPDEV_OP_SLOT_WIPE, .ctx = empty}, SRTPDEV_ST_CTX_INVALID},
		{{.op = SRTPDEV_OP_RTP_PROTECT,
			 .arg = 10,
			 .ctx = empty,
			 .src = p.src_iova,
			 .dst = p.dst_iova,
			 .len = 20,
			 .aad = 12},
			SRTPDEV_ST_CTX_INVALID},
	};
	for (unsigned i = 0; i < BURSTS; i++) {
		unsigned n = 1 + bench_below(&b, MOST), waited = 0;
		struct fpga_cpl c;

		for (unsigned k = 0; k < n; k++) {
			unsigned kind = bench_below(&b, 4);

			fpga_ring_push(ring, &kinds[kind].d, &kinds[kind].status);
		}
		fpga_ring_doorbell(ring);
		while (fpga_ring_in_flight(ring)) {
			if (!fpga_ring_poll(ring, &c, 1)) {
				CHECK(++waited < 2000, "%u operations never ended",
					fpga_ring_in_flight(ring));
				hw_sim_step(b.hw, 8);
				continue;
			}
			unsigned want = *(const unsigned *)c.cookie;

			CHECK(c.status == want, "status %u, not %u", c.status, want);
		}
	}
	packet_free(&b, &p);
}

static uint32_t status_after_reset(uint32_t drain, uint64_t *clocks)
{
	struct sim_stats before, after;
	uint32_t status;

	hw_sim_stats(b.hw, &before);
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_DRAIN_LIMIT, drain);
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_CONTROL, 1u << SRTPDEV_REG_CONTROL_RESET_LSB);
	do {
		status = hw_sim_ops.rd32(b.hw, SRTPDEV_REG_STATUS);
		hw_sim_stats(b.hw, &after);
		*clocks = after.clocks - before.clocks;
		CHECK(*clocks < 100000, "the reset does not end");
	} while (!(status >> SRTPDEV_REG_STATUS_READY_LSB & 1));
	return status >> SRTPDEV_REG_STATUS_DRAIN_TIMEOUT_LSB & 1;
}

/* A reset waits for what is inside as long as it may, says whether it gave up, and leaves queues and counters
 * empty. */
static void drains(void)
{
	static const struct fpga_counters none;
	uint64_t patient, hung, alone;
	struct fpga_counters n;
	struct fpga_ring *r;
	struct fpga_cpl c;

	fpga_ring_push(ring, &nop, NULL);
	fpga_ring_doorbell(ring);
	hw_sim_step(b.hw, 4);
	CHECK(!status_after_reset(5000, &patient), "a reset gave up on what came out");
	CHECK(fpga_ring_poll(ring, &c, 1) == 1 && c.status == SRTPDEV_ST_OK, "nor did it wait for it");
	CHECK(!status_after_reset(5000, &alone) && alone < 5000, "%u clocks with nothing inside",
		(unsigned)alone);
	fpga_device_counters(b.dev, &n);
	CHECK(n.ops == none.ops && n.clocks < alone, "counters go on over a reset");
	for (unsigned q = 0; q <= fpga_device_caps(b.dev)->queues; q++)
		CHECK(!(hw_sim_ops.rd32(b.hw, queue_reg(q, SRTPDEV_QUEUE_CONFIG)) >>
			      SRTPDEV_QUEUE_CONFIG_ENABLE_LSB) &&
				!hw_sim_ops.rd32(b.hw, queue_reg(q, SRTPDEV_QUEUE_TAIL)) &&
				!hw_sim_ops.rd32(b.hw, queue_reg(q, SRTPDEV_QUEUE_FETCHED)) &&
				!hw_sim_ops.rd32(b.hw, queue_reg(q, SRTPDEV_QUEUE_COMPLETED)),
			"queue %u goes on over a reset", q);
	fpga_ring_close(ring);
	CHECK(fpga_ring_open(&ring, b.dev, 0, 7) == 0, "ring");
	hw_sim_hang(b.hw, 1);
	fpga_ring_push(ring, &nop, NULL);
	fpga_ring_doorbell(ring);
	hw_sim_step(b.hw, 10);
	CHECK(status_after_reset(5000, &hung), "a reset did not say that it gave up");
	CHECK(hung > 5000 && hung < alone + 5100, "%u clocks", (unsigned)hung);
	/* A wipe does not wait for a reset that does. */
	CHECK(fpga_ring_open(&r, b.dev, 1, 4) == 0, "ring");
	fpga_ring_push(r, &nop, NULL);
	fpga_ring_doorbell(r);
	hw_sim_step(b.hw, 10);
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_DRAIN_LIMIT, 1000000);
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_CONTROL, 1u << SRTPDEV_REG_CONTROL_RESET_LSB);
	hw_sim_step(b.hw, 1000);
	CHECK(!fpga_device_ready(b.dev), "a reset did not wait");
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_CONTROL, 1u << SRTPDEV_REG_CONTROL_WIPE_LSB);
	hw_sim_step(b.hw, (unsigned)alone + 100);
	CHECK(fpga_device_ready(b.dev), "a wipe waited for a reset");
	fpga_ring_close(r);
	hw_sim_hang(b.hw, 0);
}

void rings(const char *library)
{
	/* The simulated device's addresses begin below a multiple of 4 GiB: what is opened first lies across.
	 */
	static const struct {
		unsigned first, across;
	} ends[] = {{14, 1}, {11, 2}};
	unsigned across;

	for (unsigned i = 0; i < 2; i++) {
		start(library);
		goes_round(ends[i].first, &across);
		CHECK(across == ends[i].across, "ring of %u: %u", 1u << ends[i].first, across);
		stop();
	}
	start_on(library, &(struct sim_conf){.seed = 5, .latency_min = 2, .latency_max = 2});
	packets_across();
	headers_only();
	stop();
	start(library);
	for (unsigned size_log2 = 2; size_log2 <= 8; size_log2 += size_log2 < 5 ? 1 : 3)
		goes_round(size_log2, &across);
	turns();
	flush();
	descriptors_not_there();
	completions_not_there();
	ends_meet();
	drains();
	stop();
}
