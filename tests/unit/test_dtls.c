/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS associations of ours with each other: keys, suites and fingerprints. */
#include <errno.h>

#include "controlplane/dtls/hello.h"
#include "tests/unit/dtls_link.h"

static void both_ends_have_the_same_keys(void **state)
{
	struct link *l = link_new();

	(void)state;
	link_open_both(l);
	link_run(l);
	assert_established(l);
	assert_int_equal(result_of(l, CLIENT)->suite, SRTP_AEAD_AES_256_GCM);
	assert_true(strncmp(result_of(l, CLIENT)->version, "DTLSv1.", 7) == 0);
	assert_true(strlen(result_of(l, CLIENT)->cipher) > 0);
	assert_true(strlen(result_of(l, SERVER)->group) > 0);
	assert_true(strlen(result_of(l, CLIENT)->group) > 0);
	link_free(l);
}

static void keys_are_wiped_when_they_were_handed_on(void **state)
{
	struct link *l = link_new();

	(void)state;
	link_open_both(l);
	link_run(l);
	dtls_association_forget_keys(l->end[CLIENT]);
	assert_int_equal(result_of(l, CLIENT)->state, DTLS_ESTABLISHED);
	assert_int_equal(result_of(l, CLIENT)->rx.len + result_of(l, CLIENT)->tx.len, 0);
	link_free(l);
}

/* The server's order decides; the client's alone limits the choice. */
static void the_servers_order_of_suites_decides(void **state)
{
	static const enum srtp_suite orders[][2] = {
		{SRTP_AEAD_AES_128_GCM, SRTP_AES_CM_128_HMAC_SHA1_80},
		{SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AEAD_AES_128_GCM},
		{SRTP_AES_CM_128_HMAC_SHA1_32, SRTP_AEAD_AES_256_GCM},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		struct link *l = link_new();
		struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);

		s.dtls.suites = orders[i];
		s.dtls.n_suites = 2;
		link_open(l, SERVER, &s);
		link_open(l, CLIENT, &c);
		link_run(l);
		assert_established(l);
		assert_int_equal(result_of(l, CLIENT)->suite, orders[i][0]);
		link_free(l);
	}
}

static void no_suite_in_common(void **state)
{
	static const enum srtp_suite a = SRTP_AEAD_AES_256_GCM, b = SRTP_AES_CM_128_HMAC_SHA1_80;
	struct link *l = link_new();
	struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);

	(void)state;
	s.dtls.suites = &a;
	c.dtls.suites = &b;
	s.dtls.n_suites = c.dtls.n_suites = 1;
	link_open(l, SERVER, &s);
	link_open(l, CLIENT, &c);
	link_run(l);
	assert_true(result_of(l, CLIENT)->state == DTLS_FAILED || result_of(l, SERVER)->state == DTLS_FAILED);
	assert_int_equal(result_of(l, CLIENT)->rx.len + result_of(l, SERVER)->rx.len, 0);
	link_free(l);
}

static void a_suite_without_a_profile_is_no_choice(void **state)
{
	static const enum srtp_suite suite = SRTP_AES_256_CM_HMAC_SHA1_80;
	struct link *l = link_new();
	struct dtls_association_conf c = conf_of(l, CLIENT);
	struct err e = {0};

	(void)state;
	c.dtls.suites = &suite;
	c.dtls.n_suites = 1;
	assert_int_equal(dtls_association_new(tested->end[CLIENT], &c, &l->end[CLIENT], &e), -EINVAL);
	assert_non_null(strstr(e.text, "DTLS-SRTP"));
	link_free(l);
}

static void a_wrong_fingerprint_fails_on_either_side(void **state)
{
	(void)state;
	for (int end = 0; end < 2; end++) {
		struct link *l = link_new();
		struct dtls_association_conf conf[2] = {conf_of(l, CLIENT), conf_of(l, SERVER)};

		conf[end].dtls.peer[0].octets[5] ^= 1;
		link_open(l, SERVER, &conf[SERVER]);
		link_open(l, CLIENT, &conf[CLIENT]);
		link_run(l);
		assert_int_equal(result_of(l, end)->state, DTLS_FAILED);
		assert_int_equal(result_of(l, end)->failure, DTLS_FAIL_FINGERPRINT);
		assert_non_null(strstr(result_of(l, end)->reason, "fingerprint"));
		assert_int_equal(result_of(l, end)->rx.len, 0);
		link_free(l);
	}
}

/* Of several any may be it; but of two hashes the weaker one lets nothing in. */
static void several_fingerprints(void **state)
{
	struct link *l = link_new();
	struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);

	(void)state;
	s.dtls.peer[1] = s.dtls.peer[0];
	s.dtls.peer[0].octets[0] ^= 1;
	s.dtls.n_peer = 2;
	assert_int_equal(dtls_identity_fingerprint(l->identity[SERVER], DTLS_SHA512, &c.dtls.peer[1]), 0);
	c.dtls.peer[0].octets[0] ^= 1;
	c.dtls.n_peer = 2;
	link_open(l, SERVER, &s);
	link_open(l, CLIENT, &c);
	link_run(l);
	assert_established(l);
	link_free(l);

	l = link_new();
	s = conf_of(l, SERVER);
	c = conf_of(l, CLIENT);
	assert_int_equal(dtls_identity_fingerprint(l->identity[SERVER], DTLS_SHA512, &c.dtls.peer[1]), 0);
	c.dtls.peer[1].octets[0] ^= 1;
	c.dtls.n_peer = 2;
	link_open(l, SERVER, &s);
	link_open(l, CLIENT, &c);
	link_run(l);
	assert_int_equal(result_of(l, CLIENT)->failure, DTLS_FAIL_FINGERPRINT);
	link_free(l);
}

static void fingerprints_as_text(void **state)
{
	static const struct {
		const char *value;
		int result;
	} cases[] = {
		{"sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:7D:46:3F:54:"
		 "42:CD:54:F1",
			0},
		{"SHA-256 4a:ad:b9:b1:3f:82:18:3b:54:02:12:df:3e:5d:49:6b:19:e5:7c:ab:3e:4b:65:2e:7d:46:3f:54:"
		 "42:cd:54:f1",
			0},
		{"sha-256 4A:AD", -EINVAL},
		{"sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:7D:46:3F:54:"
		 "42:CD:54:F1:",
			-EINVAL},
		{"sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:7D:46:3F:54:"
		 "42:CD:54:F1:00",
			-EINVAL},
		{"sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB", -ENOTSUP},
		{"sha-256", -EINVAL},
		{"", -EINVAL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct dtls_fingerprint f;

		assert_int_equal(dtls_fingerprint_parse(str_z(cases[i].value), &f), cases[i].result);
	}
	struct dtls_fingerprint f, again;
	char text[DTLS_FINGERPRINT_TEXT];
	struct wbuf w = wbuf_make(text, sizeof text);

	assert_int_equal(dtls_fingerprint_parse(str_z(cases[0].value), &f), 0);
	dtls_fingerprint_print(&w, &f);
	assert_true(str_eq(wbuf_view(&w), str_z(cases[0].value)));
	assert_int_equal(dtls_fingerprint_parse(wbuf_view(&w), &again), 0);
	assert_true(dtls_fingerprint_equal(&f, &again));
}

/* A library without 1.3 says so when it is asked for, instead of agreeing on less. */
static void a_version_that_is_not_there_is_refused(void **state)
{
	struct link *l = link_new();
	struct dtls_association_conf c = conf_of(l, CLIENT);
	struct err e = {0};
	int rc;

	(void)state;
	c.dtls.max = DTLS_1_2;
	c.dtls.post_quantum = DTLS_PQ_REQUIRE;
	rc = dtls_association_new(tested->end[CLIENT], &c, &l->end[CLIENT], &e);
	assert_int_equal(rc, -EINVAL);
	assert_non_null(strstr(e.text, "1.2"));
	link_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_have_the_same_keys),
		cmocka_unit_test(keys_are_wiped_when_they_were_handed_on),
		cmocka_unit_test(the_servers_order_of_suites_decides),
		cmocka_unit_test(no_suite_in_common),
		cmocka_unit_test(a_suite_without_a_profile_is_no_choice),
		cmocka_unit_test(a_wrong_fingerprint_fails_on_either_side),
		cmocka_unit_test(several_fingerprints),
		cmocka_unit_test(fingerprints_as_text),
		cmocka_unit_test(a_version_that_is_not_there_is_refused),
	};

	return run_with_all_pairs("dtls", tests, sizeof tests / sizeof *tests);
}
