/* SPDX-License-Identifier: Apache-2.0 */
/* SRTP where the peer can and plain RTP where it cannot (OSRTP, RFC 8643), and never back. */
#include <errno.h>

#include "controlplane/media/program.h"
#include "tests/unit/oa_bench.h"

#define PLAIN "m=audio 4000 RTP/AVP 8\r\n"
#define SAVP "m=audio 4000 RTP/SAVP 8\r\n"
#define B_PLAIN "m=audio 5000 RTP/AVP 8\r\n"
#define B_SAVP "m=audio 5000 RTP/SAVP 8\r\n"
#define F8 "a=crypto:1 F8_128_HMAC_SHA1_80 inline:" K30 "\r\n"

static const struct oa_policy optional = {
	.security = OA_SECURITY_OPTIONAL,
	.mux = OA_MUX_ACCEPT,
	.method = &agreement_sdes,
	.keying = {cm, 1, 0},
	.hop_encrypted = true,
};

/* As the data plane is told. */
static enum dp_security told(struct call *c, unsigned leg)
{
	const struct program_call call = {.a = {.leg = &c->a}, .b = {.leg = &c->b}};
	const struct program_leg *legs;
	enum dp_security security;
	struct program *p;

	assert_int_equal(program_make(&call, &p), 0);
	assert_int_equal(program_legs(p, &legs), 2);
	security = (enum dp_security)legs[leg].update.security;
	/* Keys and the promise go together. */
	assert_int_equal(legs[leg].tx.suite != SRTP_SUITE_NONE, security == DP_SECURITY_SRTP);
	program_free(p);
	return security;
}

static void what_peers_offer(void **state)
{
	static const struct {
		const char *name, *body;
		bool clear_hop, refused, secure;
	} rows[] = {
		{"a key", HEAD("1") PLAIN CRYPTO, false, false, true},
		{"no key", HEAD("1") PLAIN, false, false, false},
		{"a key that cannot be used", HEAD("1") PLAIN F8, false, false, false},
		{"one that can and one that cannot", HEAD("1") PLAIN F8 "a=crypto:2 " CM80 K30 "\r\n", false,
			false, true},
		{"SRTP or nothing", HEAD("1") SAVP CRYPTO, false, false, true},
		{"SRTP without a key", HEAD("1") SAVP, false, true, false},
		{"SRTP with a key that cannot be used", HEAD("1") SAVP F8, false, true, false},
		{"a key that everybody could read", HEAD("1") PLAIN CRYPTO, true, false, false},
		{"SRTP with a key that everybody could read", HEAD("1") SAVP CRYPTO, true, true, false},
		{"DTLS", HEAD("1") "m=audio 4000 UDP/TLS/RTP/SAVP 8\r\n", false, true, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct oa_policy policy = optional;

		policy.hop_encrypted = !rows[i].clear_hop;
		struct call *c = call_new(&policy, &plain);
		int rc = pass_offer(c, &c->a, rows[i].body);

		if ((rc < 0) != rows[i].refused)
			fail_msg("%s: %d %s", rows[i].name, rc, c->r.reason.text);
		if (rc < 0) {
			assert_int_equal(c->r.status, 488);
			call_free(c);
			continue;
		}
		must(c, pass_answer(c, &c->b, ANSWER_HEAD B_PLAIN));
		assert_has(c->to_a, strstr(rows[i].body, "SAVP") ? " RTP/SAVP 8\r\n" : " RTP/AVP 8\r\n");
		if (!!strstr(c->to_a, "a=crypto:") != rows[i].secure)
			fail_msg("%s: %s", rows[i].name, c->to_a);
		assert_int_equal(told(c, 0) == DP_SECURITY_SRTP, rows[i].secure);
		commit(c);
		assert_int_equal(told(c, 0) == DP_SECURITY_SRTP, rows[i].secure);
		assert_int_equal(told(c, 1), DP_SECURITY_PLAIN);
		call_free(c);
	}
}

static void what_peers_answer(void **state)
{
	static const struct {
		const char *name, *body;
		bool refused, secure;
	} rows[] = {
		{"a key", ANSWER_HEAD B_PLAIN CRYPTO_B, false, true},
		{"no key", ANSWER_HEAD B_PLAIN, false, false},
		{"another profile", ANSWER_HEAD B_SAVP CRYPTO_B, true, false},
		{"a tag that was not offered", ANSWER_HEAD B_PLAIN "a=crypto:9 " CM80 K30B "\r\n", true,
			false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct call *c = call_new(&plain, &optional);

		must(c, pass_offer(c, &c->a, HEAD("1") PLAIN));
		assert_has(c->to_b, " RTP/AVP 8\r\n");
		assert_has(c->to_b, "a=crypto:1 " CM80);
		int rc = pass_answer(c, &c->b, rows[i].body);

		if ((rc < 0) != rows[i].refused)
			fail_msg("%s: %d %s", rows[i].name, rc, c->r.reason.text);
		if (rc >= 0) {
			assert_int_equal(told(c, 1) == DP_SECURITY_SRTP, rows[i].secure);
			commit(c);
			assert_int_equal(told(c, 1) == DP_SECURITY_SRTP, rows[i].secure);
			/* What stands is offered again as it stands. */
			must(c, pass_offer(c, &c->a, HEAD("2") PLAIN "a=sendonly\r\n"));
			assert_int_equal(!!strstr(c->to_b, "a=crypto:"), rows[i].secure);
		}
		call_free(c);
	}
}

/* Nobody reads a key of ours over a hop that is not encrypted. */
static void no_key_over_a_clear_hop(void **state)
{
	struct oa_policy policy = optional;

	(void)state;
	policy.hop_encrypted = false;
	struct call *c = call_new(&plain, &policy);

	must(c, pass_offer(c, &c->a, HEAD("1") PLAIN));
	assert_has_not(c->to_b, "a=crypto");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD B_PLAIN));
	commit(c);
	assert_int_equal(told(c, 1), DP_SECURITY_PLAIN);
	call_free(c);
}

static void what_is_encrypted_stays_so(void **state)
{
	struct call *c = call_new(&optional, &optional);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") PLAIN CRYPTO));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD B_PLAIN CRYPTO_B));
	commit(c);
	/* An offer and an answer that leave the key out. */
	assert_int_equal(pass_offer(c, &c->a, HEAD("2") PLAIN), -ENOKEY);
	assert_int_equal(c->r.status, 488);
	assert_has(c->r.reason.text, "does not become clear");
	must(c, pass_offer(c, &c->a, HEAD("3") PLAIN CRYPTO));
	assert_has(c->to_b, "a=crypto:1 ");
	assert_int_equal(pass_answer(c, &c->b, ANSWER_HEAD B_PLAIN), -ENOKEY);
	oa_rollback(&c->a);
	oa_rollback(&c->b);
	assert_int_equal(told(c, 0), DP_SECURITY_SRTP);
	assert_int_equal(told(c, 1), DP_SECURITY_SRTP);
	/* Not even by way of port 0. */
	must(c, pass_offer(c, &c->a, HEAD("4") "m=audio 0 RTP/AVP 8\r\n"));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 0 RTP/AVP 8\r\n"));
	commit(c);
	assert_int_equal(pass_offer(c, &c->a, HEAD("5") PLAIN), -ENOKEY);
	must(c, pass_offer(c, &c->a, HEAD("6") PLAIN CRYPTO));
	assert_int_equal(pass_answer(c, &c->b, ANSWER_HEAD B_PLAIN), -ENOKEY);
	call_free(c);
}

/* What is clear may become encrypted when the peer offers it. */
static void what_is_clear_may_improve(void **state)
{
	struct call *c = call_new(&optional, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") PLAIN));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD B_PLAIN));
	commit(c);
	assert_int_equal(told(c, 0), DP_SECURITY_PLAIN);
	must(c, pass_offer(c, &c->a, HEAD("2") PLAIN CRYPTO));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD B_PLAIN));
	assert_has(c->to_a, "a=crypto:1 ");
	commit(c);
	assert_int_equal(told(c, 0), DP_SECURITY_SRTP);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_peers_offer),
		cmocka_unit_test(what_peers_answer),
		cmocka_unit_test(no_key_over_a_clear_hop),
		cmocka_unit_test(what_is_encrypted_stays_so),
		cmocka_unit_test(what_is_clear_may_improve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
