/* SPDX-License-Identifier: Apache-2.0 */
/* What registers tell, and what they never do: keys and packets. */
#include "sim/test/test_device.h"

#include <string.h>

enum { REGISTERS = 0x1000 };

static uint32_t rd32(uint32_t at)
{
	return hw_sim_ops.rd32(b.hw, at);
}

/* Every address of the register space after the same operations, in the middle of one more packet of each
 * suite; octets: where all keys and packets come from. */
static void read_all(const char *library, uint64_t octets, uint32_t seen[REGISTERS / 4])
{
	struct session s[6];
	struct packet p[6];

	start(library);
	b.random = octets;
	for (unsigned i = 0; i < 6; i++) {
		struct fpga_desc d;
		struct fpga_cpl c;

		bench_session(&b, &s[i], bench_suites[i]);
		packet_alloc(&b, &p[i]);
		p[i].src_at = p[i].dst_at = 128;
		p[i].index = 0x80000000u;
		packet_make(&b, &p[i], &s[i], SRTPDEV_OP_RTP_PROTECT + i % 4, 172, i % 4 < 2 ? 12 : 8);
		packet_desc(&p[i], &d);
		c = bench_one(&b, ring, &d);
		packet_check(&p[i], &c);
	}
	for (unsigned i = 0; i < 6; i++) {
		struct fpga_desc d;

		packet_desc(&p[i], &d);
		fpga_ring_push(ring, &d, NULL);
	}
	fpga_ring_doorbell(ring);
	hw_sim_step(b.hw, 150);
	for (uint32_t at = 0; at < REGISTERS; at += 4)
		seen[at / 4] = rd32(at);
	CHECK(fpga_ring_in_flight(ring) == 6, "the packets are out already");
	while (fpga_ring_in_flight(ring)) {
		struct fpga_cpl c;

		hw_sim_step(b.hw, 50);
		fpga_ring_poll(ring, &c, 1);
	}
	for (unsigned i = 0; i < 6; i++)
		packet_free(&b, &p[i]);
	stop();
}

/* With other keys and other octets in the packets every register reads the same. */
static void nothing_secret(const char *library)
{
	static uint32_t one[REGISTERS / 4], other[REGISTERS / 4];

	read_all(library, 11, one);
	read_all(library, 12345, other);
	for (uint32_t at = 0; at < REGISTERS; at += 4)
		CHECK(one[at / 4] == other[at / 4], "register 0x%03x tells something: %08x, %08x", at,
			one[at / 4], other[at / 4]);
	CHECK(one[SRTPDEV_REG_ID / 4] == SRTPDEV_ID_VALUE && one[SRTPDEV_COUNTERS_AT / 4] >= 12,
		"the registers were not read at all");
}

/* No operation but the known ones: the others write nothing. The error FIFO holds the first and says that
 * more came. */
static void other_operations(void)
{
	enum { FIRST = SRTPDEV_OP_SLOT_WIPE + 1, KEPT = 16 };
	struct fpga_error e;
	struct session s;
	struct packet p;
	struct fpga_desc d;
	unsigned kept = 0;

	bench_session(&b, &s, SRTP_AEAD_AES_256_GCM);
	packet_alloc(&b, &p);
	p.src_at = p.dst_at = 128;
	packet_make(&b, &p, &s, SRTPDEV_OP_RTP_PROTECT, 172, 12);
	packet_desc(&p, &d);
	for (unsigned op = FIRST; op < 256; op++) {
		bool more = op >= FIRST + KEPT;

		d.op = (uint8_t)op;
		expect("an operation that there is not", d, SRTPDEV_ST_BAD_OP);
		CHECK((rd32(SRTPDEV_REG_ERROR_WHAT) >> SRTPDEV_REG_ERROR_WHAT_LOST_LSB & 1) == more,
			"after %u errors", op - FIRST + 1);
	}
	CHECK(!memcmp(p.before, p.dst, ROOM), "something was written");
	for (; fpga_device_error(b.dev, &e); kept++)
		CHECK(e.status == SRTPDEV_ST_BAD_OP && e.ctx == s.ctx.id, "error %u: status %u", kept,
			e.status);
	CHECK(kept == KEPT, "%u errors kept, not %u", kept, KEPT);
	packet_free(&b, &p);
}

static bool take_error(bool *lost)
{
	uint32_t what = rd32(SRTPDEV_REG_ERROR_WHAT);

	*lost |= what >> SRTPDEV_REG_ERROR_WHAT_LOST_LSB & 1;
	(void)rd32(SRTPDEV_REG_ERROR_CONTEXT);
	return what >> SRTPDEV_REG_ERROR_WHAT_VALID_LSB;
}

/* One error more than fit, while the oldest is taken out: at every clock it is either kept or said to be
 * lost. */
static void errors_meet_their_reader(void)
{
	enum { KEPT = 16, MOMENTS = 120 };
	static const struct fpga_desc bad = {.op = 99};
	unsigned early = 0, late = 0;

	for (unsigned moment = 0; moment < MOMENTS; moment++) {
		bool lost = false;
		unsigned n = 0;

		for (unsigned i = 0; i < KEPT; i++)
			expect("an error", bad, SRTPDEV_ST_BAD_OP);
		fpga_ring_push(ring, &bad, NULL);
		fpga_ring_doorbell(ring);
		hw_sim_step(b.hw, moment);
		n += take_error(&lost);
		for (struct fpga_cpl c; !fpga_ring_poll(ring, &c, 1);)
			hw_sim_step(b.hw, 8);
		while (take_error(&lost))
			n++;
		CHECK(n == (lost ? KEPT : KEPT + 1), "clock %u: %u errors of %u, %s", moment, n, KEPT + 1,
			lost ? "one said to be lost" : "none said to be lost");
		early += lost;
		late += !lost;
	}
	CHECK(early && late, "the error never met its reader");
}

/* Who asks for a reset and looks at once sees that it is under way. */
static void not_ready_once_asked(void)
{
	static const unsigned asks[] = {SRTPDEV_REG_CONTROL_RESET_LSB, SRTPDEV_REG_CONTROL_WIPE_LSB};

	for (unsigned i = 0; i < 2; i++) {
		hw_sim_ops.wr32(b.hw, SRTPDEV_REG_CONTROL, 1u << asks[i]);
		CHECK(!fpga_device_ready(b.dev), "ready in the clock after bit %u of CONTROL", asks[i]);
		while (!fpga_device_ready(b.dev))
			hw_sim_step(b.hw, 1);
	}
}

/* What may be written is read again, in every queue; sizes that no ring has become the next that one has.
 * What is written where there is no register is nowhere. */
static void settings_stay(void)
{
	static const struct {
		uint32_t at, value, want;
	} queue[] = {
		{SRTPDEV_QUEUE_DESC_LO, 0x12345678, 0x12345640},
		{SRTPDEV_QUEUE_DESC_HI, 0x9abcdef0, 0x9abcdef0},
		{SRTPDEV_QUEUE_CPL_LO, 0x87654321, 0x87654300},
		{SRTPDEV_QUEUE_CPL_HI, 0x0fedcba9, 0x0fedcba9},
		{SRTPDEV_QUEUE_CONFIG, 0, 2},
		{SRTPDEV_QUEUE_CONFIG, 1, 2},
		{SRTPDEV_QUEUE_CONFIG, 15, 14},
		{SRTPDEV_QUEUE_CONFIG, 9 | 1u << SRTPDEV_QUEUE_CONFIG_ENABLE_LSB,
			9 | 1u << SRTPDEV_QUEUE_CONFIG_ENABLE_LSB},
		{SRTPDEV_QUEUE_CONFIG, 9, 9},
		{SRTPDEV_QUEUE_TAIL, 0xabcd1234, 0x1234},
		{SRTPDEV_QUEUE_FETCHED, 7, 0},
		{SRTPDEV_QUEUE_COMPLETED, 7, 0},
	};
	const unsigned queues = fpga_device_caps(b.dev)->queues + 1;
	const uint32_t end = SRTPDEV_QUEUES_AT + queues * SRTPDEV_QUEUE_STRIDE;
	uint32_t before[REGISTERS / 4];

	for (unsigned q = 1; q + 1 < queues; q++) /* but the test's own and the driver's */
		for (unsigned i = 0; i < sizeof(queue) / sizeof(queue[0]); i++) {
			uint32_t at = SRTPDEV_QUEUES_AT + q * SRTPDEV_QUEUE_STRIDE + queue[i].at, got;

			hw_sim_ops.wr32(b.hw, at, queue[i].value);
			got = rd32(at);
			CHECK(got == queue[i].want, "register 0x%03x: %08x written, %08x read", at,
				queue[i].value, got);
		}
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_DRAIN_LIMIT, 0x89abcdef);
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_FLUSH, 0x1234fedc);
	CHECK(rd32(SRTPDEV_REG_DRAIN_LIMIT) == 0x89abcdef && rd32(SRTPDEV_REG_FLUSH) == 0xfedc,
		"drain limit, flush");
	for (uint32_t at = 0; at < REGISTERS; at += 4)
		before[at / 4] = rd32(at);
	for (uint32_t at = 0; at < REGISTERS; at += 4)
		if (at > SRTPDEV_REG_IRQ_MASK && (at < SRTPDEV_QUEUES_AT || at >= end))
			hw_sim_ops.wr32(b.hw, at, UINT32_MAX);
	for (uint32_t at = 0; at < REGISTERS; at += 4)
		if (at < SRTPDEV_COUNTERS_AT || at >= SRTPDEV_COUNTERS_AT + 8 * SRTPDEV_COUNTERS)
			CHECK(rd32(at) == before[at / 4], "register 0x%03x changed", at);
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_FLUSH, SRTPDEV_RESET_FLUSH);
}

/* Beats are counted as the bus has them, and clocks while something is inside. */
static void counters_count(void)
{
	struct fpga_counters n[2];
	struct sim_stats st[2];
	struct session s;
	struct packet p;
	struct fpga_desc d;

	bench_session(&b, &s, SRTP_AES_CM_128_HMAC_SHA1_80);
	packet_alloc(&b, &p);
	packet_make(&b, &p, &s, SRTPDEV_OP_RTP_PROTECT, 1500, 12);
	packet_desc(&p, &d);
	for (unsigned i = 0; i < 2; i++) {
		hw_sim_step(b.hw, 1000); /* nothing is inside */
		fpga_device_counters(b.dev, &n[i]);
		hw_sim_stats(b.hw, &st[i]);
		for (unsigned k = 0; i == 0 && k < 100; k++) {
			fpga_ring_push(ring, &d, NULL);
			fpga_ring_doorbell(ring);
		}
		for (struct fpga_cpl c; fpga_ring_in_flight(ring); hw_sim_step(b.hw, 1))
			(void)fpga_ring_poll(ring, &c, 1);
	}
	CHECK(n[1].ops - n[0].ops == 100 && n[1].ok - n[0].ok == 100, "operations");
	CHECK(n[1].read_beats - n[0].read_beats == st[1].read_beats - st[0].read_beats, "beats read");
	CHECK(n[1].write_beats - n[0].write_beats == st[1].write_beats - st[0].write_beats, "beats written");
	CHECK(n[1].clocks - n[0].clocks >= n[1].busy_clocks - n[0].busy_clocks + 900 &&
			n[1].busy_clocks - n[0].busy_clocks > 1000,
		"busy in %u of %u clocks", (unsigned)(n[1].busy_clocks - n[0].busy_clocks),
		(unsigned)(n[1].clocks - n[0].clocks));
	packet_free(&b, &p);
}

static uint64_t interrupts(void)
{
	struct sim_stats st;

	hw_sim_stats(b.hw, &st);
	return st.interrupts;
}

/* One per line of completions, of queues that asked for it. */
static void interrupts_come_when_asked(void)
{
	static const struct fpga_desc nop = {.op = SRTPDEV_OP_NOP};

	CHECK(interrupts() == 0, "an interrupt that nobody asked for");
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_IRQ_MASK, 2);
	expect("no-op", nop, SRTPDEV_ST_OK);
	hw_sim_step(b.hw, 200);
	CHECK(interrupts() == 0, "another queue's interrupt");
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_IRQ_MASK, 1);
	CHECK(rd32(SRTPDEV_REG_IRQ_MASK) == 1, "mask");
	expect("no-op", nop, SRTPDEV_ST_OK);
	hw_sim_step(b.hw, 200);
	CHECK(interrupts() == 1, "%u interrupts for one line", (unsigned)interrupts());
}

void registers(const char *library)
{
	static const struct sim_conf steady = {.seed = 5, .latency_min = 40, .latency_max = 40};

	nothing_secret(library);
	start_on(library, &steady); /* so that every clock is met */
	interrupts_come_when_asked();
	settings_stay();
	stop();
	start_on(library, &steady);
	other_operations();
	errors_meet_their_reader();
	not_ready_once_asked();
	stop();
	start_on(library,
		&(struct sim_conf){.seed = 6, .latency_min = 20, .latency_max = 60, .write_stall = 50});
	counters_count();
	stop();
}

/* Every read is all ones while the card is out of its slot: the driver takes none of them for an answer, and
 * waits for nothing. */
void removed(const char *library)
{
	static const struct fpga_desc nop = {.op = SRTPDEV_OP_NOP};
	struct fpga_device *none;
	struct fpga_error error;
	struct sim_stats st;
	struct session s;
	struct err e = {""};
	uint64_t began;
	void *cookie;
	void *hw;

	CHECK(hw_sim_open(&hw, library, &calm, 8, &e) == 0, "%s", e.text);
	hw_sim_remove(hw, 1);
	CHECK(fpga_device_open(&none, &hw_sim_ops, hw, &e) == -ENODEV, "a card that is not there was opened");
	CHECK(!strcmp(e.text, "simulation: the device does not answer: removed, or without power"), "%s",
		e.text);

	start(library);
	bench_session(&b, &s, SRTP_AEAD_AES_256_GCM);
	CHECK(!fpga_device_gone(b.dev), "a card that is there is gone");
	fpga_ring_push(ring, &nop, &s);
	fpga_ring_doorbell(ring);
	hw_sim_remove(b.hw, 1);
	hw_sim_stats(b.hw, &st);
	began = st.clocks;
	CHECK(fpga_device_gone(b.dev), "a card that is not there is not gone");
	CHECK(!fpga_device_ready(b.dev), "a card that is not there is ready");
	CHECK(fpga_device_error(b.dev, &error) == 0, "a card that is not there noted an error");
	CHECK(fpga_device_reset(b.dev, 100000) == -ENODEV, "a card that is not there was reset");
	CHECK(fpga_context_drop(b.dev, &s.ctx) == -EIO, "a card that is not there wiped a key");
	CHECK(fpga_context_take(b.dev, &s.keys, &s.ctx) == -EIO, "a card that is not there took a key");
	hw_sim_stats(b.hw, &st);
	CHECK(st.clocks - began < 100, "%u clocks were waited", (unsigned)(st.clocks - began));
	CHECK(fpga_ring_abandon(ring, &cookie, 1) == 1 && cookie == &s, "what was in flight");
	fpga_ring_close(ring);

	hw_sim_remove(b.hw, 0);
	CHECK(fpga_device_reset(b.dev, 0) == 0, "a card that is back is not reset");
	CHECK(fpga_ring_open(&ring, b.dev, 0, 7) == 0, "ring");
	bench_session(&b, &s, SRTP_AEAD_AES_256_GCM);
	expect("no-op", nop, SRTPDEV_ST_OK);
	hw_sim_remove(b.hw, 1); /* closed without it */
	stop();
}
