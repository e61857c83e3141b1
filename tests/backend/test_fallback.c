/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FPGA with ipsec-mb behind it: more sessions than the device has contexts; a device that hangs, faults
 * or loses a key while it has packets; and its return. Whatever happens, every job ends with the right
 * answer. usage: test_fallback sim=LIBRARY,...
 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/crypto/fallback.h"
#include "dataplane/crypto/fpga.h"
#include "dataplane/fpga/hw_sim.h"
#include "srtpdev_regs.h"
#include "tests/backend/rig.h"

static struct rig_backend fpga = {"fpga", &crypto_fpga, NULL, 1, true, true};

static struct crypto_health health(struct rig *r)
{
	struct crypto_health h;

	assert_int_equal(r->b->health(r->q, &h), 0);
	return h;
}

static struct fpga_device *card(struct rig *r)
{
	return crypto_fpga_hw(crypto_fallback_device(r->q));
}

static uint64_t card_ok(struct rig *r)
{
	struct fpga_counters n;

	fpga_device_counters(card(r), &n);
	return n.ok;
}

static void poke(struct rig *r, uint32_t at, uint32_t value)
{
	void *hw;
	const struct hw_ops *ops = fpga_ops(card(r), &hw);

	ops->wr32(hw, at, value);
}

/* The whole device stands still, or goes on. */
static void hang(struct rig *r, bool on)
{
	void *hw;

	(void)fpga_ops(card(r), &hw);
	hw_sim_hang(hw, on);
}

/* It is taken out of its slot, or put back. */
static void take_out(struct rig *r, bool out)
{
	void *hw;

	(void)fpga_ops(card(r), &hw);
	hw_sim_remove(hw, out);
}

/* What comes of it comes to memory so. */
static void harm_way(struct rig *r, enum sim_harm harm)
{
	void *hw;

	(void)fpga_ops(card(r), &hw);
	hw_sim_harm(hw, harm);
}

static struct sim_stats stats(struct rig *r)
{
	struct sim_stats st;
	void *hw;

	(void)fpga_ops(card(r), &hw);
	hw_sim_stats(hw, &st);
	return st;
}

/* Samples of the device's suites, in slots from 0. */
static void load(struct rig *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		enum srtp_suite suite;

		do
			suite = rig_suite(r);
		while (!(crypto_fpga_device.suites >> suite & 1));
		rig_sample(r, i, suite, i % 5 == 0, 20 + i);
		assert_int_equal(r->b->key_load(r->q, i, &r->samples[i].keys), 0);
	}
}

static void run_all(struct rig *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rig_fill(r, i, i % 2);
	rig_run(r, 0, n);
	for (unsigned i = 0; i < n; i++)
		rig_check(r, i, CRYPTO_OK);
}

static void maintain(struct rig *r, unsigned turns)
{
	while (turns--)
		r->b->maintain(r->q);
}

/* One sample's key in every slot; slots are used one after another through the few jobs of the rig. */
static void test_more_sessions_than_contexts(void **state)
{
	enum { N = RIG_JOBS };
	uint32_t contexts;
	struct crypto_health h;
	struct rig r;
	uint64_t ok;

	(void)state;
	rig_open(&r, &fpga);
	contexts = fpga_device_caps(card(&r))->contexts;
	assert_in_range(contexts, 1, N - r.depth);
	load(&r, 8);
	for (unsigned i = 8; i < N; i++)
		assert_int_equal(r.b->key_load(r.q, i, &r.samples[i % 8].keys), 0);
	h = health(&r);
	assert_int_equal(h.slots_used, N);
	assert_int_equal(h.overflow_slots, N - contexts);
	ok = card_ok(&r);
	for (unsigned first = 0; first < N; first += r.depth) {
		for (unsigned i = 0; i < r.depth; i++) {
			r.samples[i] = r.samples[i % 8];
			rig_fill(&r, i, i % 2);
			r.jobs[i].slot = first + i;
		}
		rig_run(&r, 0, r.depth);
		for (unsigned i = 0; i < r.depth; i++)
			rig_check(&r, i, CRYPTO_OK);
	}
	h = health(&r);
	assert_int_equal(h.jobs, N);
	assert_int_equal(h.overflow_jobs, N - contexts);
	assert_int_equal(card_ok(&r) - ok, contexts);
	assert_int_equal(h.rescued, 0);
	/* Calls end: their places go to sessions that had none. */
	for (unsigned i = 0; i < contexts; i++)
		r.b->key_wipe(r.q, i);
	maintain(&r, 200);
	h = health(&r);
	assert_int_equal(h.overflow_slots, N - 2 * contexts);
	rig_close(&r);
}

static void test_other_suites_run_in_software(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, &fpga);
	rig_sample(&r, 0, SRTP_AES_192_CM_HMAC_SHA1_80, false, 100);
	assert_int_equal(r.b->key_load(r.q, 0, &r.samples[0].keys), 0);
	run_all(&r, 1);
	assert_int_equal(health(&r).overflow_jobs, 1);
	rig_close(&r);
}

static void test_hang_in_mid_traffic(void **state)
{
	struct crypto_job *jobs[RIG_JOBS], *done[RIG_JOBS];
	struct crypto_health h;
	struct rig r;
	uint64_t ok;
	unsigned k = 0;

	(void)state;
	rig_open(&r, &fpga);
	load(&r, 64);
	run_all(&r, 64);
	for (unsigned i = 0; i < 64; i++) {
		rig_fill(&r, i, i % 2);
		jobs[i] = &r.jobs[i];
	}
	assert_int_equal(r.b->submit(r.q, jobs, 24), 24);
	k = r.b->poll(r.q, done, 64); /* some are inside */
	hang(&r, true);
	assert_int_equal(r.b->submit(r.q, jobs + 24, 40), 40);
	for (unsigned idle = 0; k < 64; idle++) {
		k += r.b->poll(r.q, done, 64);
		assert_in_range(idle, 0, 1000000);
	}
	for (unsigned i = 0; i < 64; i++)
		rig_check(&r, i, CRYPTO_OK);
	h = health(&r);
	assert_true(h.degraded);
	assert_false(h.faulty);
	assert_int_equal(h.failovers, 1);
	assert_in_range(h.rescued, 40, 64);
	assert_int_equal(h.faults, 0);
	assert_int_equal(h.overflow_slots, 64);

	/* Meanwhile calls come, go on and end. */
	r.b->key_wipe(r.q, 0);
	rig_sample(&r, 0, SRTP_AEAD_AES_128_GCM, false, 60);
	assert_int_equal(r.b->key_load(r.q, 0, &r.samples[0].keys), 0);
	run_all(&r, 64);
	assert_int_equal(health(&r).jobs, 3 * 64);

	/* A reset that gets no answer changes nothing; one that does brings it back. */
	maintain(&r, 4);
	assert_true(health(&r).degraded);
	run_all(&r, 64);
	hang(&r, false);
	maintain(&r, 40);
	h = health(&r);
	assert_false(h.degraded);
	assert_int_equal(h.overflow_slots, 0);
	ok = card_ok(&r);
	run_all(&r, 64);
	assert_int_equal(card_ok(&r) - ok, 64);
	assert_int_equal(health(&r).failovers, 1);
	rig_close(&r);
}

/* A device that refuses everything: here its rows have errors of two bits, over and over. */
static void test_fault_then_reset(void **state)
{
	struct crypto_health h;
	struct rig r;
	unsigned rounds = 0;

	(void)state;
	rig_open(&r, &fpga);
	load(&r, 64);
	/* One bad row costs one packet's time, nothing else: it is installed anew. */
	poke(&r, SRTPDEV_REG_ECC_INJECT, 2);
	run_all(&r, 64);
	h = health(&r);
	assert_false(h.degraded);
	assert_int_equal(h.rescued, 1);
	assert_int_equal(h.faults, 0);
	maintain(&r, 20);
	run_all(&r, 64);
	assert_int_equal(health(&r).overflow_jobs, 1);

	/* A reset behind the driver's back: contexts are gone, every job is refused. */
	poke(&r, SRTPDEV_REG_CONTROL, 1u << SRTPDEV_REG_CONTROL_WIPE_LSB);
	do
		run_all(&r, 64);
	while (!health(&r).degraded && ++rounds < 4);
	h = health(&r);
	assert_true(h.degraded);
	assert_int_equal(h.failovers, 1);
	assert_int_equal(h.faults, 0);
	maintain(&r, 20);
	h = health(&r);
	assert_false(h.degraded);
	assert_int_equal(h.overflow_slots, 0);
	uint64_t before = h.overflow_jobs;
	run_all(&r, 64);
	assert_int_equal(health(&r).overflow_jobs, before);
	rig_close(&r);
}

/* Installing and wiping keys finds a dead device, too; the next reset wipes what could not be. */
static void test_hang_between_packets(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, &fpga);
	load(&r, 16);
	poke(&r,
		SRTPDEV_QUEUES_AT + fpga_device_caps(card(&r))->queues * SRTPDEV_QUEUE_STRIDE +
			SRTPDEV_QUEUE_CONFIG,
		0);
	r.b->key_wipe(r.q, 3);
	assert_true(health(&r).degraded);
	assert_int_equal(r.b->key_load(r.q, 3, &r.samples[3].keys), 0);
	run_all(&r, 16);
	maintain(&r, 20);
	assert_false(health(&r).degraded);
	assert_int_equal(health(&r).overflow_slots, 0);
	run_all(&r, 16);
	rig_close(&r);
}

/* The card is taken out under load: known long before its silence would be, and nothing waits for it after.
 */
static void test_taken_out_in_mid_traffic(void **state)
{
	enum { MOMENTS = 5 };
	struct rig_backend patient = fpga;
	char options[1024];

	(void)state;
	snprintf(options, sizeof(options), "%s,hang=1000000000", fpga.options); /* its silence says nothing */
	patient.options = options;
	for (unsigned moment = 0; moment < MOMENTS; moment++) {
		struct crypto_job *jobs[RIG_JOBS], *done[RIG_JOBS];
		struct crypto_health h;
		unsigned k = 0;
		uint64_t out;
		struct rig r;

		rig_open(&r, &patient);
		load(&r, 64);
		for (unsigned i = 0; i < 64; i++) {
			rig_fill(&r, i, i % 2);
			jobs[i] = &r.jobs[i];
		}
		assert_int_equal(r.b->submit(r.q, jobs, 48), 48);
		for (unsigned i = 0; i < 10 * moment; i++)
			k += r.b->poll(r.q, done, 64);
		take_out(&r, true);
		out = stats(&r).clocks;
		assert_int_equal(r.b->submit(r.q, jobs + 48, 16), 16);
		for (unsigned idle = 0; k < 64; idle++) {
			k += r.b->poll(r.q, done, 64);
			assert_in_range(idle, 0, 1000000);
		}
		assert_in_range(stats(&r).clocks - out, 0, 60000);
		for (unsigned i = 0; i < 64; i++)
			rig_check(&r, i, CRYPTO_OK);
		h = health(&r);
		assert_true(h.degraded);
		assert_int_equal(h.failovers, 1);
		assert_int_equal(h.faults, 0);

		/* Calls come, go on and end, and resets are tried, without a wait for it. */
		out = stats(&r).clocks;
		r.b->key_wipe(r.q, 0);
		assert_int_equal(r.b->key_load(r.q, 0, &r.samples[0].keys), 0);
		maintain(&r, 20);
		run_all(&r, 64);
		assert_true(health(&r).degraded);
		assert_in_range(stats(&r).clocks - out, 0, 1000);

		take_out(&r, false);
		maintain(&r, 40);
		h = health(&r);
		assert_false(h.degraded);
		assert_int_equal(h.overflow_slots, 0);
		run_all(&r, 64);
		assert_int_equal(health(&r).overflow_jobs, h.overflow_jobs);
		assert_int_equal(health(&r).failovers, 1);
		rig_close(&r);
	}
}

/* Runs the first 64 jobs, which are filled in; from their middle on, what comes of the card comes so.
 * Software does what is not believed, and the card is out of use.
 */
static void harm_midway(struct rig *r, enum sim_harm harm)
{
	struct crypto_job *jobs[64], *done[64];
	struct crypto_health h;
	unsigned k;

	for (unsigned i = 0; i < 64; i++)
		jobs[i] = &r->jobs[i];
	assert_int_equal(r->b->submit(r->q, jobs, 24), 24);
	k = r->b->poll(r->q, done, 64);
	harm_way(r, harm);
	assert_int_equal(r->b->submit(r->q, jobs + 24, 40), 40);
	for (unsigned idle = 0; k < 64; idle++) {
		k += r->b->poll(r->q, done, 64);
		assert_in_range(idle, 0, 1000000);
	}
	for (unsigned i = 0; i < 64; i++)
		rig_check(r, i, harm == SIM_HARM_OK && i < 32 && i % 2 == 0 ? CRYPTO_TAG_FAIL : CRYPTO_OK);
	h = health(r);
	assert_true(h.degraded);
	assert_int_equal(h.failovers, 1);
	assert_in_range(h.rescued, 1, 64);
	assert_int_equal(h.faults, 0);
}

/*
 * A card, or its way to memory, that answers what is not so, under load and to keys: none of it is believed,
 * no packet goes out with what was in the driver's memory before, and software does the work until a reset.
 */
static void test_answers_that_are_not_so(void **state)
{
	(void)state;
	for (enum sim_harm harm = SIM_HARM_INDEX; harm < SIM_HARMS; harm++) {
		struct rig r;

		rig_open(&r, &fpga);
		load(&r, 64);
		for (unsigned round = 0; round < 3;
			round++) /* the driver's memory holds others where each goes */
			run_all(&r, 61);
		for (unsigned i = 0; i < 64; i++)
			rig_fill(&r, i, i % 2);
		if (harm == SIM_HARM_OK) /* of jobs 0, 2, ... up to 30: forged */
			for (unsigned i = 0; i < 32; i += 2) {
				r.jobs[i].tag[0] ^= 1;
				memcpy(r.before[i], arena_cell(&r.arena, i), ARENA_PAGE);
			}
		harm_midway(&r, harm);

		/* It is not trusted again before its known answers are right. */
		run_all(&r, 64);
		maintain(&r, 4);
		assert_true(health(&r).degraded);
		harm_way(&r, SIM_HARM_NONE);
		maintain(&r, 40);
		assert_false(health(&r).degraded);
		assert_int_equal(health(&r).overflow_slots, 0);
		run_all(&r, 64);

		/* An answer about a key that is of something else. */
		if (harm == SIM_HARM_INDEX || harm == SIM_HARM_CONTEXT) {
			harm_way(&r, harm);
			r.b->key_wipe(r.q, 3);
			assert_true(health(&r).degraded);
			assert_int_equal(r.b->key_load(r.q, 3, &r.samples[3].keys), 0);
			harm_way(&r, SIM_HARM_NONE);
			run_all(&r, 64);
		}
		rig_close(&r);
	}
}

/* RTCP of one source begins alike in each packet: what the driver's memory holds of the one before is not
 * taken for the next.
 */
static void test_lost_packets_that_begin_alike(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, &fpga);
	for (unsigned i = 0; i < 64; i++) {
		struct sample *s = &r.samples[i];

		rig_sample(&r, i, SRTP_AES_CM_128_HMAC_SHA1_80, true, 40);
		memcpy(s->plain, r.samples[0].plain, s->aad_len);
		sample_move(s, s->index);
		assert_int_equal(r.b->key_load(r.q, i, &s->keys), 0);
	}
	for (unsigned round = 0; round < 3; round++)
		run_all(&r, 61);
	for (unsigned i = 0; i < 64; i++)
		rig_fill(&r, i, i % 2);
	harm_midway(&r, SIM_HARM_LOST);
	rig_close(&r);
}

/* While there are no packets: the alarm does not wait for the next one, nor does a key. */
static void test_taken_out_at_rest(void **state)
{
	struct crypto_health h;
	char text[256];
	uint64_t out;
	struct rig r;

	(void)state;
	rig_open(&r, &fpga);
	load(&r, 4);
	take_out(&r, true);
	maintain(&r, 1);
	h = health(&r);
	assert_true(h.degraded);
	assert_int_equal(h.failovers, 1);
	run_all(&r, 4);
	r.b->report(r.q, text, sizeof(text));
	assert_non_null(strstr(text, "does not answer"));
	take_out(&r, false);
	maintain(&r, 10);
	assert_false(health(&r).degraded);

	take_out(&r, true);
	out = stats(&r).clocks;
	r.b->key_wipe(r.q, 3);
	assert_in_range(stats(&r).clocks - out, 0, 1000);
	assert_true(health(&r).degraded);
	rig_close(&r);
}

/* A worker that loses its processor for longer than any answer may take: the card had answered meanwhile. */
static void test_worker_is_held_up(void **state)
{
	enum {
		LONG = 210000
	}; /* clocks: more than an administrative answer may take, and ten times a packet's */
	struct rig r;
	void *hw;

	(void)state;
	rig_open(&r, &fpga);
	load(&r, 8);
	(void)fpga_ops(card(&r), &hw);
	hw_sim_hold_up(hw, LONG);
	run_all(&r, 8);
	assert_int_equal(health(&r).failovers, 0);
	r.b->key_wipe(r.q, 3);
	assert_int_equal(r.b->key_load(r.q, 3, &r.samples[3].keys), 0);
	assert_int_equal(health(&r).failovers, 0);
	assert_int_equal(health(&r).overflow_slots, 0);
	hw_sim_hold_up(hw, 0);
	run_all(&r, 8);
	assert_int_equal(health(&r).overflow_jobs, 0);
	rig_close(&r);
}

/* The card stands still in the middle of an installation, and ends it after the driver has given it up: in
 * memory that is still its own. */
static void test_answer_after_its_time(void **state)
{
	(void)state;
	for (unsigned into = 20; into <= 320; into += 100) {
		struct rig r;
		void *hw;

		rig_open(&r, &fpga);
		load(&r, 4);
		(void)fpga_ops(card(&r), &hw);
		hw_sim_fail(hw, stats(&r).clocks + into, 220000);
		r.b->key_wipe(r.q, 3);
		assert_int_equal(r.b->key_load(r.q, 3, &r.samples[3].keys), 0);
		assert_true(health(&r).degraded);
		hw_sim_fail(hw, 0, 0);
		hw_sim_hang(hw, false);
		maintain(&r, 4);
		assert_false(health(&r).degraded);
		run_all(&r, 4);
		assert_int_equal(stats(&r).faults, 0);
		rig_close(&r);
	}
}

static void refused(const char *options, int rc, const char *text)
{
	struct err err = {""};
	struct crypto_conf conf = {.slots = 16, .socket = -1, .options = options, .err = &err};
	struct crypto_queue *q;

	assert_int_equal(crypto_fpga.open(&q, &conf), rc);
	assert_string_equal(err.text, text);
}

static void test_no_device(void **state)
{
	static const char which[] =
		"say which FPGA: pci=ADDRESS for a card, or sim=LIBRARY for the simulated one";

	(void)state;
	refused(NULL, -EINVAL, which);
	refused("pci=0000:ff:1f.7,sim=x", -EINVAL, which);
	refused("pci=3b:00.0", -EINVAL, "'3b:00.0' is no PCI address such as 0000:3b:00.0");
	refused("pci=0000:3b:00.8", -EINVAL, "'0000:3b:00.8' is no PCI address such as 0000:3b:00.0");
	refused("pci=ffff:ff:1f.7", -ENODEV, "no device: there is no PCI device ffff:ff:1f.7");
	refused("hang=0,sim=x", -EINVAL, "FPGA option hang takes clocks, not '0'");
	refused("sim", -EINVAL, "FPGA option 'sim' has no value");
	refused("simm=x", -EINVAL, "unknown FPGA option 'simm'");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_sessions_than_contexts),
		cmocka_unit_test(test_other_suites_run_in_software),
		cmocka_unit_test(test_hang_in_mid_traffic),
		cmocka_unit_test(test_fault_then_reset),
		cmocka_unit_test(test_hang_between_packets),
		cmocka_unit_test(test_taken_out_in_mid_traffic),
		cmocka_unit_test(test_answers_that_are_not_so),
		cmocka_unit_test(test_lost_packets_that_begin_alike),
		cmocka_unit_test(test_taken_out_at_rest),
		cmocka_unit_test(test_worker_is_held_up),
		cmocka_unit_test(test_answer_after_its_time),
		cmocka_unit_test(test_no_device),
	};
	int failed;

	if (argc != 2) {
		fputs("usage: test_fallback sim=LIBRARY,...\n", stderr);
		return 2;
	}
	fpga.options = argv[1];
	references_open();
	failed = cmocka_run_group_tests_name("fallback", tests, NULL, NULL);
	references_close();
	return failed;
}
