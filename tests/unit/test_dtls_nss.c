/* SPDX-License-Identifier: Apache-2.0 */
/* What only the module of NSS brings: DTLS 1.3, the hybrid group, and how it gets along with what has neither. */
#include <errno.h>

#include "tests/unit/dtls_link.h"

static bool is(const struct dtls_backend *b, const char *name)
{
	return strcmp(b->name, name) == 0;
}

static bool both_have_1_3(void)
{
	return is(tested->end[CLIENT], "nss") && is(tested->end[SERVER], "nss") && !tested->capped;
}

static const char *version_there_is(void)
{
	return both_have_1_3() ? "DTLSv1.3" : "DTLSv1.2";
}

static void the_newest_version_that_both_have(void **state)
{
	struct link *l = link_new();

	(void)state;
	link_open_both(l);
	link_run(l);
	assert_established(l);
	for (int end = 0; end < 2; end++)
		assert_string_equal(result_of(l, end)->version, version_there_is());
	if (both_have_1_3()) {
		assert_string_equal(result_of(l, CLIENT)->group, "X25519MLKEM768");
		assert_string_equal(result_of(l, SERVER)->group, "X25519MLKEM768");
		assert_string_equal(result_of(l, SERVER)->cipher, "TLS_AES_128_GCM_SHA256");
	}
	/* Older clients are NSS' own where ICE has found them: with the other's names for suites it was the other. */
	if (!both_have_1_3() && is(tested->end[SERVER], "nss") && tested->by_ice)
		assert_string_equal(result_of(l, SERVER)->cipher, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
	assert_true(result_of(l, SERVER)->cookie);
	link_free(l);
}

/* Either end's policy caps it. */
static void capped_to_1_2(void **state)
{
	(void)state;
	for (int end = 0; end < 2; end++) {
		struct link *l = link_new();
		struct dtls_association_conf conf[2] = {conf_of(l, CLIENT), conf_of(l, SERVER)};

		conf[end].dtls.max = DTLS_1_2;
		link_open(l, SERVER, &conf[SERVER]);
		link_open(l, CLIENT, &conf[CLIENT]);
		link_run(l);
		assert_established(l);
		assert_string_equal(result_of(l, SERVER)->version, "DTLSv1.2");
		link_free(l);
	}
}

/* Off at either end: another group, and the call is there. */
static void without_the_hybrid(void **state)
{
	(void)state;
	for (int end = 0; end < 2; end++) {
		struct link *l = link_new();
		struct dtls_association_conf conf[2] = {conf_of(l, CLIENT), conf_of(l, SERVER)};

		conf[end].dtls.post_quantum = DTLS_PQ_OFF;
		link_open(l, SERVER, &conf[SERVER]);
		link_open(l, CLIENT, &conf[CLIENT]);
		link_run(l);
		assert_established(l);
		assert_string_equal(result_of(l, SERVER)->version, version_there_is());
		assert_string_equal(result_of(l, SERVER)->group, "X25519");
		link_free(l);
	}
}

/* Why an end has no keys. */
static const char *reason_at(const struct link *l, int end)
{
	const struct dtls_result *r = result_of(l, end);

	return r->state == DTLS_FAILED ? r->reason : dtls_association_complaint(l->end[end]);
}

/* 1.3, or the hybrid, or no keys. */
static void required(void **state)
{
	(void)state;
	for (int what = 0; what < 6; what++) {
		struct link *l = link_new();
		struct dtls_association_conf conf[2] = {conf_of(l, CLIENT), conf_of(l, SERVER)};
		int strict = what & 1, other = !strict;

		if (!is(tested->end[strict], "nss") || (strict == CLIENT && tested->capped)) {
			link_free(l);
			continue;
		}
		if (what / 2 == 0)
			conf[strict].dtls.min = DTLS_1_3;
		else
			conf[strict].dtls.post_quantum = DTLS_PQ_REQUIRE;
		if (what / 2 == 2)
			conf[other].dtls.post_quantum = DTLS_PQ_OFF; /* it has 1.3, with X25519 and P-256 */
		link_open(l, SERVER, &conf[SERVER]);
		link_open(l, CLIENT, &conf[CLIENT]);
		if (both_have_1_3() && what / 2 < 2) {
			link_run(l);
			assert_established(l);
			assert_string_equal(result_of(l, other)->version, "DTLSv1.3");
		} else {
			while (deliver_one(l))
				;
			assert_true(result_of(l, CLIENT)->state == DTLS_FAILED ||
				    dtls_association_complaint(l->end[SERVER])[0]);
			assert_int_not_equal(result_of(l, strict)->state, DTLS_ESTABLISHED);
			/* A server that was not asked back refuses in silence. */
			if (reason_at(l, strict)[0])
				assert_non_null(strstr(reason_at(l, strict), "the policy requires "));
			else
				assert_true(reason_at(l, other)[0]);
			assert_int_equal(result_of(l, other)->rx.len + result_of(l, strict)->rx.len, 0);
		}
		link_free(l);
	}
}

static size_t longest;

static void carry_and_measure(struct link *l, int to, const uint8_t *octets, size_t n)
{
	longest = n > longest ? n : longest;
	/* A path MTU of 1,280, IPv6: nothing longer comes through, ever. */
	if (n + 48 <= 1280)
		put(l, to, octets, n);
}

static void a_hybrid_hello_on_a_path_of_1280(void **state)
{
	struct link *l = link_new();

	(void)state;
	longest = 0;
	l->carry = carry_and_measure;
	link_open_both(l);
	link_run(l);
	assert_established(l);
	assert_true(longest <= DTLS_MTU);
	link_free(l);
}

/* A client of DTLS 1.3 is done before its server; what it waits for then is lost three times. */
static void carry_nothing_back_when_done(struct link *l, int to, const uint8_t *octets, size_t n)
{
	if (to == CLIENT && l->end[CLIENT] && result_of(l, CLIENT)->state == DTLS_ESTABLISHED && l->lose++ < 3)
		return;
	put(l, to, octets, n);
}

/* It asks until it has its acknowledgement, and nothing changes by that. */
static void late_acknowledgements(void **state)
{
	struct link *l = link_new();
	uint64_t until = clock_mono_ns() + PATIENCE_NS;
	struct dtls_result before;

	(void)state;
	l->lose = 0;
	l->carry = carry_nothing_back_when_done;
	link_open_both(l);
	link_run(l);
	assert_established(l);
	before = *result_of(l, SERVER);
	while (both_have_1_3() && (l->lose <= 3 || l->n_wire)) {
		if (!deliver_one(l))
			wait_and_tick(l);
		assert_true(clock_mono_ns() < until);
	}
	assert_established(l);
	assert_true(secret_equal(&before.rx, &result_of(l, SERVER)->rx));
	assert_false(result_of(l, CLIENT)->closed || result_of(l, SERVER)->closed);
	dtls_result_wipe(&before);
	link_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_version_that_both_have),
		cmocka_unit_test(capped_to_1_2),
		cmocka_unit_test(without_the_hybrid),
		cmocka_unit_test(required),
		cmocka_unit_test(a_hybrid_hello_on_a_path_of_1280),
		cmocka_unit_test(late_acknowledgements),
	};

	return run_with_all_pairs("dtls_nss", tests, sizeof tests / sizeof *tests);
}
