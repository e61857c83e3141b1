/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A DPDK crypto device with ipsec-mb behind it: what the device does itself, what goes to the software and is
 * counted, a device that loses packets or fails at them, and its return. Whatever happens, every job ends
 * with the right answer.
 */
#define ALLOW_EXPERIMENTAL_API /* the callback that plays the failing device */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "dataplane/crypto/cryptodev.h"
#include "dataplane/crypto/fallback.h"
#include "tests/backend/rig.h"

#define ANY_CM                                                                                               \
	(1u << SRTP_AES_CM_128_HMAC_SHA1_80 | 1u << SRTP_AES_CM_128_HMAC_SHA1_32 |                           \
		1u << SRTP_AES_256_CM_HMAC_SHA1_80 | 1u << SRTP_AES_256_CM_HMAC_SHA1_32)
#define ANY_GCM (1u << SRTP_AEAD_AES_128_GCM | 1u << SRTP_AEAD_AES_256_GCM)

static struct rig_backend on(const char *options)
{
	return (struct rig_backend){options, &crypto_cryptodev, options, 1, false, false, true};
}

static struct crypto_health health(struct rig *r)
{
	struct crypto_health h;

	assert_int_equal(r->b->health(r->q, &h), 0);
	return h;
}

/* n ordinary packets, of RTP and full RTCP, with something to encrypt, of these suites in turn. */
static void load(struct rig *r, unsigned n, uint32_t suites)
{
	int suite = 0;

	for (unsigned i = 0; i < n; i++) {
		do
			suite = suite % (SRTP_SUITE_COUNT - 1) + 1;
		while (!(suites >> suite & 1));
		do
			sample_make(&r->samples[i], &r->rng, (enum srtp_suite)suite, i % 4 == 3, 20 + 4 * i);
		while (r->samples[i].clear || r->samples[i].aad_len > 80);
		assert_int_equal(r->b->key_load(r->q, i, &r->samples[i].keys), 0);
	}
}

static void run_all(struct rig *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rig_fill(r, i, i / 8 % 2);
	rig_run(r, 0, n);
	for (unsigned i = 0; i < n; i++)
		rig_check(r, i, CRYPTO_OK);
}

static void expect_on_device(const char *options, uint32_t suites, bool all)
{
	struct rig_backend which = on(options);
	struct crypto_health h;
	struct rig r;

	rig_open(&r, &which);
	load(&r, 64, suites);
	run_all(&r, 64);
	h = health(&r);
	assert_int_equal(h.jobs, 64);
	assert_int_equal(h.overflow_jobs, all ? 0 : 64);
	assert_int_equal(h.overflow_slots, all ? 0 : 64);
	assert_false(h.degraded);
	rig_close(&r);
}

static void test_devices_do_what_they_have(void **state)
{
	(void)state;
	expect_on_device("vdev=crypto_aesni_mb", ANY_CM | ANY_GCM, true);
	expect_on_device("vdev=crypto_openssl", ANY_CM | ANY_GCM, true);
	expect_on_device("vdev=crypto_aesni_gcm", ANY_GCM, true);
	/* It has no AES-CM. */
	expect_on_device("vdev=crypto_aesni_gcm", ANY_CM, false);
}

static void test_keys_beyond_the_device_are_counted(void **state)
{
	struct rig_backend which = on("vdev=crypto_aesni_mb,keys=16");
	struct crypto_health h;
	struct rig r;

	(void)state;
	rig_open(&r, &which);
	load(&r, 48, ANY_CM | ANY_GCM);
	run_all(&r, 48);
	h = health(&r);
	assert_int_equal(h.slots_used, 48);
	assert_int_equal(h.overflow_slots, 32);
	assert_int_equal(h.overflow_jobs, 32);
	/* A call ends: its place goes to a session that had none. */
	r.b->key_wipe(r.q, 0);
	r.b->maintain(r.q);
	assert_int_equal(health(&r).overflow_slots, 31);
	rig_close(&r);
}

static void test_two_workers_have_a_device_each(void **state)
{
	struct rig_backend which = on("vdev=crypto_aesni_mb");
	struct rig a, b;

	(void)state;
	rig_open(&a, &which);
	rig_open(&b, &which);
	load(&a, 8, ANY_GCM);
	load(&b, 8, ANY_CM);
	run_all(&a, 8);
	run_all(&b, 8);
	assert_int_equal(health(&a).overflow_jobs + health(&b).overflow_jobs, 0);
	rig_close(&a);
	run_all(&b, 8);
	rig_close(&b);
}

static void test_a_device_that_there_is_not(void **state)
{
	struct err err = {""};
	struct crypto_conf conf = {.slots = 4, .socket = -1, .err = &err, .options = "vdev=crypto_nobody"};
	struct crypto_queue *q;

	(void)state;
	rig_dpdk_start();
	assert_int_equal(crypto_cryptodev.open(&q, &conf), -ENODEV);
	assert_non_null(strstr(err.text, "vdev=crypto_nobody"));
	conf.options = "pci=0000:3d:01.0";
	assert_int_equal(crypto_cryptodev.open(&q, &conf), -ENODEV);
	assert_non_null(strstr(err.text, "bound to vfio-pci"));
}

/* What the device's side of the queue pair does to packets on their way back. */
static enum { WELL, FAILS_SOME, FAILS_ALL, LOSES } fault;

static uint16_t on_way_back(uint16_t dev, uint16_t qp, struct rte_crypto_op **ops, uint16_t n, void *user)
{
	(void)dev, (void)qp, (void)user;
	if (fault == LOSES)
		return 0;
	for (uint16_t i = 0; i < n; i++)
		if (fault == FAILS_ALL || (fault == FAILS_SOME && i % 8 == 0))
			ops[i]->status = RTE_CRYPTO_OP_STATUS_ERROR;
	return n;
}

static void breakable_open(struct rig *r, const struct rig_backend *which)
{
	fault = WELL;
	rig_open(r, which);
	assert_non_null(
		rte_cryptodev_add_deq_callback(crypto_fallback_device(r->q)->dev, 0, on_way_back, NULL));
	load(r, 64, ANY_CM | ANY_GCM);
}

static void test_packets_that_the_device_fails_at_are_done_again(void **state)
{
	struct rig_backend which = on("vdev=crypto_aesni_mb");
	struct crypto_health h;
	struct rig r;

	(void)state;
	breakable_open(&r, &which);
	fault = FAILS_SOME;
	run_all(&r, 64);
	h = health(&r);
	assert_in_range(h.rescued, 1, 63);
	assert_int_equal(h.overflow_jobs, h.rescued);
	assert_int_equal(h.failovers, 0);
	assert_int_equal(h.faults, 0);
	rig_close(&r);
}

static void expect_failover_and_return(int how)
{
	struct rig_backend which = on("vdev=crypto_aesni_mb");
	uint64_t overflow;
	struct rig r;

	breakable_open(&r, &which);
	fault = how;
	run_all(&r, 64);
	assert_true(health(&r).degraded);
	assert_int_equal(health(&r).failovers, 1);
	assert_in_range(health(&r).rescued, 32, 64);
	/* While it is away keys come and go, and nothing is lost. */
	r.b->key_wipe(r.q, 5);
	assert_int_equal(r.b->key_load(r.q, 5, &r.samples[5].keys), 0);
	run_all(&r, 64);
	fault = WELL;
	for (unsigned turn = 0; health(&r).degraded || health(&r).overflow_slots; turn++) {
		assert_in_range(turn, 0, 100000);
		r.b->maintain(r.q);
	}
	overflow = health(&r).overflow_jobs;
	run_all(&r, 64);
	assert_int_equal(health(&r).overflow_jobs, overflow);
	rig_close(&r);
}

static void test_a_device_that_loses_packets(void **state)
{
	(void)state;
	expect_failover_and_return(LOSES);
}

static void test_a_device_that_fails_at_all(void **state)
{
	(void)state;
	expect_failover_and_return(FAILS_ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices_do_what_they_have),
		cmocka_unit_test(test_keys_beyond_the_device_are_counted),
		cmocka_unit_test(test_two_workers_have_a_device_each),
		cmocka_unit_test(test_a_device_that_there_is_not),
		cmocka_unit_test(test_packets_that_the_device_fails_at_are_done_again),
		cmocka_unit_test(test_a_device_that_loses_packets),
		cmocka_unit_test(test_a_device_that_fails_at_all),
	};
	int failed;

	references_open();
	failed = cmocka_run_group_tests_name("cryptodev", tests, NULL, NULL);
	references_close();
	return failed;
}
