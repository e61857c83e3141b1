/* SPDX-License-Identifier: Apache-2.0 */
/* What backend.h promises beyond right answers: slots, wrong jobs, batch sizes, reset, wiping, known answers.
 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "dataplane/crypto/kat.h"
#include "tests/backend/memory_scan.h"
#include "tests/backend/rig.h"

static const struct rig_backend *which;

/* Sample i of each suite in turn, in slot i. */
static void load(struct rig *r, unsigned n)
{
	int suite = SRTP_SUITE_NONE;

	for (unsigned i = 0; i < n; i++) {
		do
			suite = suite + 1 < SRTP_SUITE_COUNT ? suite + 1 : 1;
		while (!(r->b->suites >> suite & 1));
		sample_make(&r->samples[i], &r->rng, (enum srtp_suite)suite, i / 8 % 2, 16 + i);
		assert_int_equal(r->b->key_load(r->q, i, &r->samples[i].keys), 0);
	}
}

static void test_batches_of_every_size(void **state)
{
	struct crypto_job *jobs[RIG_JOBS];
	struct crypto_health h;
	struct rig r;

	(void)state;
	rig_open(&r, which);
	load(&r, r.depth);
	for (unsigned n = 1; n <= r.depth; n += n < r.depth - r.share ? r.share : 1) {
		for (unsigned i = 0; i < n; i++)
			rig_fill(&r, i, n % 2);
		rig_run(&r, 0, n);
		for (unsigned i = 0; i < n; i++)
			rig_check(&r, i, CRYPTO_OK);
	}
	/* Beyond the depth the caller keeps the rest. */
	for (unsigned i = 0; i < r.depth; i++) {
		rig_fill(&r, i, true);
		jobs[i] = &r.jobs[i];
	}
	assert_int_equal(r.b->submit(r.q, jobs, 1), 1);
	assert_int_equal(r.b->submit(r.q, jobs + 1, (uint16_t)(r.depth - 1)), r.depth - 1);
	assert_int_equal(r.b->submit(r.q, jobs, 1), 0);
	assert_int_equal(r.b->health(r.q, &h), 0);
	assert_int_equal(h.in_flight, r.depth);
	for (unsigned back = 0, idle = 0; back < r.depth; idle++) {
		back += r.b->poll(r.q, jobs, 3);
		assert_in_range(idle, 0, 1000000);
	}
	assert_int_equal(r.b->poll(r.q, jobs, 3), 0);
	for (unsigned i = 0; i < r.depth; i++)
		rig_check(&r, i, CRYPTO_OK);
	rig_close(&r);
}

/* What an operator reads at the start. */
static void test_says_how(void **state)
{
	static const char *const told[][2] = {{"ipsec-mb-sse", "SSE"}, {"ipsec-mb-avx", "AVX"},
		{"ipsec-mb-avx2", "AVX2"}, {"ipsec-mb-avx512", "AVX-512"}};
	struct rig r;

	(void)state;
	rig_open(&r, which);
	if (r.b->how)
		assert_in_range(strlen(r.b->how(r.q)), 1, 100);
	for (unsigned i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (strcmp(which->name, told[i][0]) == 0)
			assert_string_equal(r.b->how(r.q), told[i][1]);
	rig_close(&r);
}

static void test_health_counts(void **state)
{
	struct crypto_health h;
	struct rig r;

	(void)state;
	rig_open(&r, which);
	assert_int_equal(r.b->health(r.q, &h), 0);
	assert_int_equal(h.slots_used, 0);
	assert_int_equal(h.jobs, 0);
	assert_in_range(h.slots, r.depth, UINT32_MAX);
	load(&r, 8);
	for (unsigned i = 0; i < 8; i++) {
		r.samples[i] = r.samples[6];
		assert_int_equal(r.b->key_load(r.q, i, &r.samples[i].keys), 0);
		rig_fill(&r, i, true);
	}
	rig_run(&r, 0, 8);
	assert_int_equal(r.b->health(r.q, &h), 0);
	assert_int_equal(h.slots_used, 8);
	assert_int_equal(h.jobs, 8);
	assert_in_range(h.batches, 1, 8);
	assert_int_equal(h.in_flight, 0);
	assert_int_equal(h.faults, 0);
	assert_false(h.faulty);
	rig_close(&r);
}

static void test_wrong_slots_and_suites(void **state)
{
	struct crypto_health h;
	unsigned suites;
	struct rig r;

	(void)state;
	rig_open(&r, which);
	suites = (unsigned)__builtin_popcount(r.b->suites);
	load(&r, 2 * suites);
	assert_int_equal(r.b->health(r.q, &h), 0);
	assert_int_equal(r.b->key_load(r.q, h.slots, &r.samples[0].keys), -ENOSPC);
	r.samples[1].keys.suite = SRTP_SUITE_NONE;
	assert_int_equal(r.b->key_load(r.q, 20, &r.samples[1].keys), -ENOTSUP);
	r.samples[1].keys.suite = SRTP_SUITE_COUNT;
	assert_int_equal(r.b->key_load(r.q, 20, &r.samples[1].keys), -ENOTSUP);

	/* Another session's key of the same suite opens nothing. */
	for (unsigned i = 0; i < suites; i++) {
		rig_fill(&r, i, false);
		assert_int_equal(r.samples[i].suite, r.samples[i + suites].suite);
		r.jobs[i].slot = i + suites;
	}
	rig_run(&r, 0, suites);
	for (unsigned i = 0; i < suites; i++)
		rig_check(&r, i, CRYPTO_TAG_FAIL);

	/* A slot that was never loaded, and one that there is not, among good ones. */
	for (unsigned i = 0; i < 4; i++)
		rig_fill(&r, i, i % 2);
	r.jobs[0].slot = 100;
	r.jobs[3].slot = h.slots;
	rig_run(&r, 0, 4);
	rig_check(&r, 0, CRYPTO_FAULT);
	rig_check(&r, 1, CRYPTO_OK);
	rig_check(&r, 2, CRYPTO_OK);
	rig_check(&r, 3, CRYPTO_FAULT);
	assert_int_equal(r.b->health(r.q, &h), 0);
	assert_int_equal(h.faults, 2);
	assert_false(h.faulty);
	rig_close(&r);
}

static void test_jobs_that_do_not_fit(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, which);
	load(&r, 8);
	for (unsigned i = 0; i < 8; i++)
		rig_fill(&r, i, true);
	r.jobs[0].aad_len = (uint16_t)(r.jobs[0].len + 1);
	r.jobs[1].tag_len = 5;
	r.jobs[2].tag_len = 0;
	r.jobs[3].op = 99;
	r.jobs[4].aad_len = 7;
	for (unsigned i = 5; i < 7; i++) /* another suite's */
		r.jobs[i].tag_len = r.jobs[i].tag_len == 16 ? 10 : 16;
	rig_run(&r, 0, 8);
	for (unsigned i = 0; i < 7; i++)
		rig_check(&r, i, CRYPTO_FAULT);
	rig_check(&r, 7, CRYPTO_OK);
	rig_close(&r);
}

static void test_wipe_and_reload(void **state)
{
	struct crypto_health h;
	struct sample old;
	struct rig r;

	(void)state;
	rig_open(&r, which);
	load(&r, 16);
	for (unsigned i = 0; i < 8; i++) {
		r.b->key_wipe(r.q, i);
		rig_fill(&r, i, false);
	}
	rig_run(&r, 0, 8);
	for (unsigned i = 0; i < 8; i++)
		rig_check(&r, i, CRYPTO_FAULT);
	assert_int_equal(r.b->health(r.q, &h), 0);
	assert_int_equal(h.slots_used, 8);

	/* The slot's next key, of whatever suite, works; its last one's packets do not open any more. */
	for (unsigned i = 0; i < 8; i++) {
		old = r.samples[i];
		sample_make(&r.samples[i], &r.rng, r.samples[i + 1].suite, old.rtcp, 100);
		assert_int_equal(r.b->key_load(r.q, i, &r.samples[i].keys), 0);
		rig_fill(&r, i, true);
	}
	rig_run(&r, 0, 8);
	for (unsigned i = 0; i < 8; i++)
		rig_check(&r, i, CRYPTO_OK);
	/* Loading over a key that is there replaces it. */
	old = r.samples[0];
	sample_make(&r.samples[0], &r.rng, old.suite, old.rtcp, 100);
	assert_int_equal(r.b->key_load(r.q, 0, &r.samples[0].keys), 0);
	assert_int_equal(r.b->health(r.q, &h), 0);
	assert_int_equal(h.slots_used, 16);
	r.samples[0] = old;
	rig_fill(&r, 0, false);
	rig_run(&r, 0, 1);
	rig_check(&r, 0, CRYPTO_TAG_FAIL);
	rig_close(&r);
}

static void test_reset(void **state)
{
	struct crypto_job *jobs[16], *done[16];
	struct crypto_health h;
	uint32_t at_once;
	struct rig r;

	(void)state;
	rig_open(&r, which);
	load(&r, 16);
	for (unsigned i = 0; i < 16; i++) {
		rig_fill(&r, i, i % 2);
		jobs[i] = &r.jobs[i];
	}
	assert_int_equal(r.b->submit(r.q, jobs, 16), 16);
	assert_int_equal(r.b->reset(r.q), 0);
	for (unsigned back = 0, idle = 0; back < 16; idle++) {
		back += r.b->poll(r.q, done, 16);
		assert_in_range(idle, 0, 1000000);
	}
	/* What submit() does at once is done. */
	at_once = r.b->at_once ? r.b->at_once(r.q) : 0;
	for (unsigned i = 0; i < 16; i++)
		rig_check(&r, i, at_once >> r.samples[i].keys.suite & 1 ? CRYPTO_OK : CRYPTO_FAULT);
	assert_int_equal(r.b->health(r.q, &h), 0);
	assert_int_equal(h.slots_used, 0);
	assert_int_equal(h.in_flight, 0);
	assert_false(h.faulty);
	load(&r, 16);
	for (unsigned i = 0; i < 16; i++)
		rig_fill(&r, i, i % 2);
	rig_run(&r, 0, 16);
	for (unsigned i = 0; i < 16; i++)
		rig_check(&r, i, CRYPTO_OK);
	rig_close(&r);
}

/* A round in one call, of which some jobs were submitted before. */
static void test_run(void **state)
{
	struct crypto_job *jobs[RIG_JOBS];
	struct crypto_health h;
	struct rig r;

	(void)state;
	rig_open(&r, which);
	if (!r.b->run) {
		rig_close(&r);
		return;
	}
	load(&r, r.depth);
	for (unsigned i = 0; i < r.depth; i++)
		jobs[i] = &r.jobs[i];
	for (unsigned before = 0; before <= 5; before += 5) {
		for (unsigned i = 0; i < r.depth; i++)
			rig_fill(&r, i, i / 3 % 2);
		assert_int_equal(r.b->submit(r.q, jobs, (uint16_t)before), before);
		assert_int_equal(
			r.b->run(r.q, jobs + before, (uint16_t)(r.depth - before)), r.depth - before);
		for (unsigned i = 0; i < r.depth; i++)
			rig_check(&r, i, CRYPTO_OK);
		assert_int_equal(r.b->poll(r.q, jobs, 1), 0);
	}
	/* One that is not sound, and none that is left. */
	rig_fill(&r, 0, true);
	r.jobs[0].aad_len = 0;
	assert_int_equal(r.b->run(r.q, jobs, 1), 1);
	rig_check(&r, 0, CRYPTO_FAULT);
	assert_int_equal(r.b->health(r.q, &h), 0);
	assert_int_equal(h.in_flight, 0);
	assert_int_equal(h.jobs, 2 * r.depth);
	assert_int_equal(h.faults, 1);
	rig_close(&r);
}

#if !MEMORY_SCAN_BLIND
/* A backend with software behind it does not say how that does it. */
static bool in_lanes(const struct rig *r)
{
	return !r->b->how || strstr(r->b->how(r->q), "several packets");
}

/*
 * After key_wipe() the process holds neither a session key nor anything that the key was expanded to, in no
 * mapping that it can read: not in the slot, the library's managers, scratch, heap or stack.
 */
static void assert_wiped_keys_leave_memory(struct rig *r, enum srtp_suite suite, size_t payload)
{
	struct memory_scan scan;
	unsigned kinds = 0, unseen;

	for (unsigned i = 0; i < 20; i++) {
		if (i < 2)
			sample_make(&r->samples[i], &r->rng, suite, i, payload);
		else
			r->samples[i] = r->samples[i % 2];
		assert_int_equal(r->b->key_load(r->q, i, &r->samples[0].keys), 0);
	}
	memory_scan_learn(&scan, &r->samples[0].keys);
	/* The scan does see them, but for the two HMAC blocks of each half, which are gone at once,
	 * and what a key of SRTCP under GCM, in lanes one of RTP, is expanded to: both round keys
	 * that it looks for are there while a packet needs them. */
	(void)memory_scan_find(&scan, &kinds);
	unseen = srtp_suite_info(suite)->auth_key_len ? 4 : 2;
	assert_in_range(kinds, scan.n - unseen - (in_lanes(r) ? 2 : 0), scan.n);
	for (unsigned i = 0; i < 20; i++)
		rig_fill(r, i, true);
	rig_run(r, 0, 20);
	for (unsigned i = 0; i < 20; i++)
		rig_fill(r, i, false);
	rig_run(r, 0, 20);
	for (unsigned i = 0; i < 20; i++)
		r->b->key_wipe(r->q, i);
	for (unsigned i = 0; i < 20; i++)
		mem_wipe(&r->samples[i], sizeof(r->samples[i]));
	assert_int_equal(memory_scan_find(&scan, NULL), 0);
}

/* Of short packets and of long ones, which may go another way, with more on the stack. */
static void test_wiped_keys_leave_memory(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, which);
	for (int suite = 1; suite < SRTP_SUITE_COUNT; suite++) {
		if (!(r.b->suites >> suite & 1))
			continue;
		assert_wiped_keys_leave_memory(&r, (enum srtp_suite)suite, 64);
		assert_wiped_keys_leave_memory(&r, (enum srtp_suite)suite, 700);
	}
	rig_close(&r);
}
#endif

static void test_bad_configuration(void **state)
{
	struct crypto_conf conf = {.slots = 0, .socket = -1};
	struct crypto_queue *q;

	(void)state;
	assert_true(which->backend->open(&q, &conf) < 0);
	conf.slots = 4;
	conf.options = "no-such-option=1";
	assert_true(which->backend->open(&q, &conf) < 0);
}

/* Backends that are wrong in one way each: none may pass its known-answer tests. */
static enum { GOOD, WRONG_TAG, WRONG_PAYLOAD, OPENS_ALL, LOSES_ONE, TOUCHES_FORGED } flaw;

static uint16_t flawed_poll(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	uint16_t k = which->backend->poll(q, jobs, n);

	for (uint16_t i = 0; i < k; i++) {
		struct crypto_job *j = jobs[i];

		if (flaw == WRONG_TAG && j->op == CRYPTO_RTCP_PROTECT)
			j->tag[3] ^= 4;
		if (flaw == WRONG_PAYLOAD && j->op == CRYPTO_RTP_UNPROTECT && j->status == CRYPTO_OK && k > 8)
			j->pkt[j->len - 1] ^= 1;
		if (flaw == OPENS_ALL)
			j->status = CRYPTO_OK;
		if (flaw == TOUCHES_FORGED && j->status == CRYPTO_TAG_FAIL)
			j->pkt[j->len - 1] ^= 1;
	}
	return flaw == LOSES_ONE && k ? (uint16_t)(k - 1) : k;
}

static void test_known_answers_find_flaws(void **state)
{
	struct crypto_backend flawed = *which->backend;
	struct rig r;

	(void)state;
	flawed.poll = flawed_poll;
	for (flaw = GOOD; flaw <= TOUCHES_FORGED; flaw++) {
		rig_open(&r, which);
		assert_int_equal(crypto_kat_run(&flawed, r.q), flaw == GOOD ? 0 : -EBADMSG);
		rig_close(&r);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batches_of_every_size),
		cmocka_unit_test(test_says_how),
		cmocka_unit_test(test_health_counts),
		cmocka_unit_test(test_wrong_slots_and_suites),
		cmocka_unit_test(test_jobs_that_do_not_fit),
		cmocka_unit_test(test_wipe_and_reload),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_bad_configuration),
		cmocka_unit_test(test_known_answers_find_flaws),
#if !MEMORY_SCAN_BLIND
		cmocka_unit_test(test_wiped_keys_leave_memory), /* last: not for every backend */
#endif
	};
	size_t n = sizeof(tests) / sizeof(tests[0]);
	int failed;

	which = rig_backend_find(argc, argv);
	references_open();
	if (!MEMORY_SCAN_BLIND && which->keys_elsewhere)
		n--;
	failed = _cmocka_run_group_tests(which->name, tests, n, NULL, NULL);
	references_close();
	return failed;
}
