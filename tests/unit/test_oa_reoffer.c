/* SPDX-License-Identifier: Apache-2.0 */
/* A session that changes: hold, versions, new keys, m-lines that come and go. */
#include <errno.h>

#include "tests/unit/oa_bench.h"

static void hold_and_resume(void **state)
{
	struct call *c = established(&plain, &plain);
	unsigned long before_b = version_of(c->to_b), before_a = version_of(c->to_a);

	(void)state;
	assert_int_equal(oa_media_now(&c->a, 0)->direction, SDP_SENDRECV);
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN "a=sendonly\r\n"));
	assert_has(c->to_b, "a=sendonly\r\n");
	assert_int_equal(version_of(c->to_b), before_b + 1);
	assert_int_equal(oa_media_now(&c->a, 0)->direction, SDP_SENDRECV); /* until it is answered */
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\na=recvonly\r\n"));
	assert_has(c->to_a, "a=recvonly\r\n");
	assert_int_equal(version_of(c->to_a), before_a + 1);
	commit(c);
	assert_int_equal(oa_media_now(&c->a, 0)->direction, SDP_RECVONLY);
	assert_int_equal(oa_media_now(&c->b, 0)->direction, SDP_SENDONLY);
	/* The other side resumes. Its m-line is on the same ports. */
	must(c, pass_offer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	assert_has(c->to_a, "m=audio 20000 RTP/AVP 8\r\n");
	must(c, pass_answer(c, &c->a, HEAD("3") "m=audio 4000 RTP/AVP 8\r\n"));
	commit(c);
	assert_int_equal(oa_media_now(&c->a, 0)->direction, SDP_SENDRECV);
	assert_int_equal(oa_media_now(&c->b, 0)->direction, SDP_SENDRECV);
	call_free(c);
}

/* RFC 2543's hold: c=0.0.0.0. Nothing can be sent there, and the other side is told so in today's words. */
static void hold_by_address(void **state)
{
	struct call *c = established(&plain, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a,
			"v=0\r\no=alice 77 2 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 "
			"0\r\n" AUDIO_PLAIN));
	assert_has(c->to_b, "a=sendonly\r\n");
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\na=recvonly\r\n"));
	commit(c);
	assert_int_equal(oa_media_now(&c->a, 0)->remote.ip.family, IP_NONE);
	assert_int_equal(oa_media_now(&c->a, 0)->remote_rtcp.ip.family, IP_NONE);
	call_free(c);
}

static void versions_change_only_with_content(void **state)
{
	struct call *c = established(&plain, &secure);
	unsigned long a1 = version_of(c->to_a), b1 = version_of(c->to_b);

	(void)state;
	/* The same again in another o= version: A's peer reads the same answer; B's peer reads new keys. */
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN));
	assert_int_equal(version_of(c->to_b), b1 + 1);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B));
	assert_int_equal(version_of(c->to_a), a1);
	commit(c);
	/* A refused re-offer uses its version up: the next body does not claim it for something else. */
	must(c, pass_offer(c, &c->a, HEAD("3") AUDIO_PLAIN "a=sendonly\r\n"));
	assert_int_equal(version_of(c->to_b), b1 + 2);
	oa_rollback(&c->a);
	oa_rollback(&c->b);
	assert_int_equal(oa_media_now(&c->b, 0)->direction, SDP_SENDRECV);
	must(c, pass_offer(c, &c->a, HEAD("4") AUDIO_PLAIN));
	assert_int_equal(version_of(c->to_b), b1 + 3);
	call_free(c);
}

/* A session refresh repeats its offer: it is answered from memory, keys and version unchanged. */
static void a_refresh_is_answered_alone(void **state)
{
	struct call *c = established(&secure, &plain);
	char *first = strdup(c->to_a);
	struct wbuf w = wbuf_make(c->to_a, OA_BODY_MAX - 1);
	struct agreed_key tx = oa_media_now(&c->a, 0)->keys->tx;

	(void)state;
	assert_int_equal(oa_offer_received(&c->a, str_z(HEAD("1") AUDIO_SECURE CRYPTO), &c->r), 1);
	must(c, oa_answer_make(&c->a, &c->b, &w, &c->r));
	c->to_a[w.len] = '\0';
	assert_string_equal(c->to_a, first);
	assert_int_equal(oa_commit(&c->a), 0);
	assert_true(agreed_key_equal(&oa_media_now(&c->a, 0)->keys->tx, &tx));
	assert_int_equal(oa_media_now(&c->a, 0)->keys->tx.epoch, tx.epoch);
	/* With another key it is not a refresh. */
	assert_int_equal(oa_offer_received(&c->a, str_z(HEAD("1") AUDIO_SECURE CRYPTO_B), &c->r), 0);
	free(first);
	call_free(c);
}

/* A re-offer on the secure side with its old key leaves both keys as they are; with a new one, both change.
 */
static void keys_of_a_re_offer(void **state)
{
	struct call *c = established(&secure, &plain);
	const struct agreement *k = oa_media_now(&c->a, 0)->keys;
	uint32_t rx = k->rx.epoch, tx = k->tx.epoch;

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_SECURE CRYPTO "a=sendonly\r\n"));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\na=recvonly\r\n"));
	commit(c);
	k = oa_media_now(&c->a, 0)->keys;
	assert_int_equal(k->rx.epoch, rx);
	assert_int_equal(k->tx.epoch, tx);
	must(c, pass_offer(c, &c->a, HEAD("3") AUDIO_SECURE CRYPTO_B));
	assert_int_equal(oa_media_now(&c->a, 0)->keys->rx.epoch, rx); /* still */
	assert_true(oa_next_rx(&c->a, 0)->epoch > tx);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	assert_null(oa_next_rx(&c->a, 0));
	commit(c);
	k = oa_media_now(&c->a, 0)->keys;
	assert_true(k->rx.epoch > tx && k->tx.epoch > tx && k->rx.epoch != k->tx.epoch);
	call_free(c);
}

/* Is the key that we send with the one of the first a=crypto line of this body? */
static void assert_sends_with_key_of(const struct oa_leg *leg, const char *body)
{
	const struct agreed_key *k = oa_tx_now(leg, 0);
	char line[256];
	struct wbuf w = wbuf_make(line, sizeof line - 1);

	assert_non_null(k);
	sdes_print(&w, 1, k);
	line[w.len] = '\0';
	assert_has(body, line);
}

/* Two parties ring: each was offered keys of its own, and which of them answers decides. */
static void an_offer_for_two_parties(void **state)
{
	struct call *c = call_new(&plain, &secure_gcm);
	char other[OA_BODY_MAX];
	struct wbuf w = wbuf_make(other, sizeof other - 1);
	struct oa_keys *keys;
	const char *first, *second;
	uint32_t epoch;

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN));
	must(c, oa_offer_copy(&c->b, &w, &keys, &c->r));
	other[w.len] = '\0';
	assert_non_null(keys);
	first = strstr(c->to_b, "a=crypto:");
	second = strstr(other, "a=crypto:");
	assert_int_equal(strlen(c->to_b), strlen(other));
	assert_memory_equal(c->to_b, other, (size_t)(first - c->to_b)); /* its version too */
	assert_memory_not_equal(first, second, 100);
	/* The second answers early, then the first, then the second has the call. */
	oa_swap_keys(&c->b, keys);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\na=crypto:2 " CM80 K30B "\r\n"));
	epoch = oa_tx_now(&c->b, 0)->epoch;
	oa_swap_keys(&c->b, keys);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5002 RTP/SAVP 8\r\na=crypto:1 AEAD_AES_256_GCM inline:" K44 "\r\n"));
	assert_sends_with_key_of(&c->b, c->to_b);
	assert_true(oa_tx_now(&c->b, 0)->epoch > epoch);
	oa_swap_keys(&c->b, keys);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\na=crypto:1 AEAD_AES_256_GCM inline:" K44 "\r\n"));
	assert_sends_with_key_of(&c->b, other);
	commit(c);
	oa_swap_keys(&c->b, keys); /* too late: what holds, holds */
	assert_sends_with_key_of(&c->b, other);
	oa_keys_free(keys);
	call_free(c);
	/* Without keys in the offer it is one for all. */
	c = call_new(&secure, &plain);
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_SECURE CRYPTO));
	w.len = 0;
	must(c, oa_offer_copy(&c->b, &w, &keys, &c->r));
	other[w.len] = '\0';
	assert_null(keys);
	assert_string_equal(other, c->to_b);
	oa_rollback(&c->b);
	assert_int_equal(oa_offer_copy(&c->b, &w, &keys, &c->r), -EINVAL);
	call_free(c);
}

static void rekey_of_one_leg(void **state)
{
	struct call *c = established(&plain, &secure);
	char *old = strdup(c->to_b);
	struct agreed_key before = oa_media_now(&c->b, 0)->keys->tx;
	struct wbuf w = wbuf_make(c->to_b, OA_BODY_MAX - 1);

	(void)state;
	must(c, oa_offer_rekey(&c->b, &w, &c->r));
	c->to_b[w.len] = '\0';
	assert_true(oa_keys_pending(&c->b));
	assert_int_equal(version_of(c->to_b), version_of(old) + 1);
	/* The same text but for the version and the key. */
	assert_string_equal(strstr(c->to_b, "s=-") ? "s" : "", "s");
	assert_memory_equal(strstr(c->to_b, "s=-"), strstr(old, "s=-"),
		(size_t)(strstr(old, "inline:") - strstr(old, "s=-")));
	assert_string_not_equal(strstr(c->to_b, "inline:"), strstr(old, "inline:"));
	must(c, oa_answer_received(&c->b, str_z(ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO), &c->r));
	assert_int_equal(oa_commit(&c->b), 0);
	assert_false(agreed_key_equal(&oa_media_now(&c->b, 0)->keys->tx, &before));
	assert_false(oa_keys_pending(&c->b));
	free(old);
	call_free(c);
}

/* An m-line added, disabled and enabled again keeps its place and its ports. */
static void m_lines_come_and_go(void **state)
{
	static const char video[] =
		HEAD("2") AUDIO_PLAIN "m=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";
	struct call *c = established(&plain, &plain);

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		must(c, pass_offer(c, &c->a, video));
		assert_has(c->to_b, "m=video 21002 RTP/AVP 96\r\n");
		must(c, pass_answer(c, &c->b,
				ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\nm=video 5002 RTP/AVP 96\r\n"));
		commit(c);
		assert_true(oa_media_now(&c->b, 1)->used);
		must(c, pass_offer(
				c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\n"));
		assert_has(c->to_a, "m=video 0 RTP/AVP 96\r\n");
		must(c, pass_answer(c, &c->a, HEAD("3") AUDIO_PLAIN "m=video 0 RTP/AVP 96\r\n"));
		commit(c);
		assert_false(oa_media_now(&c->a, 1)->used);
	}
	/* Fewer m-lines than there were. */
	assert_int_equal(pass_offer(c, &c->a, HEAD("4") AUDIO_PLAIN), -EINVAL);
	assert_int_equal(c->r.status, 488);
	assert_has(c->r.reason.text, "an offer of 1 m-lines in a session of 2");
	assert_int_equal(c->a.state, OA_IDLE);
	/* All disabled is a valid state of a call that stands. */
	must(c, pass_offer(c, &c->a, HEAD("5") "m=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\n"));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\n"));
	commit(c);
	call_free(c);
}

/* A secure call cannot be re-offered into a clear one, and goes on when it is tried. */
static void a_secure_call_stays_secure(void **state)
{
	struct call *c = established(&secure, &secure);

	(void)state;
	assert_int_equal(pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN), -ENOKEY);
	assert_int_equal(c->r.status, 488);
	assert_true(oa_media_now(&c->a, 0)->keys->established);
	must(c, pass_offer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B));
	assert_int_equal(pass_answer(c, &c->a, HEAD("2") AUDIO_PLAIN), -ENOKEY);
	oa_rollback(&c->a);
	oa_rollback(&c->b);
	assert_true(oa_media_now(&c->a, 0)->keys->established);
	call_free(c);
}

/* 183 with one answer, 200 with another: the later one counts, our keys stay, the caller's too. */
static void a_later_answer_replaces_an_earlier(void **state)
{
	struct call *c = call_new(&secure, &secure);
	char early[OA_BODY_MAX];

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_SECURE CRYPTO));
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 6000 RTP/SAVP 8\r\n" CRYPTO_B));
	strcpy(early, c->to_a);
	uint32_t rx = oa_media_now(&c->b, 0)->keys->rx.epoch, tx = oa_media_now(&c->b, 0)->keys->tx.epoch;

	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 6000 RTP/SAVP 8\r\n" CRYPTO_B));
	assert_string_equal(c->to_a, early);
	assert_int_equal(oa_media_now(&c->b, 0)->keys->rx.epoch, rx);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO));
	assert_string_equal(c->to_a, early);
	assert_int_equal(oa_media_now(&c->b, 0)->remote.port, 5000);
	assert_true(oa_media_now(&c->b, 0)->keys->rx.epoch > rx);
	assert_int_equal(oa_media_now(&c->b, 0)->keys->tx.epoch, tx);
	commit(c);
	call_free(c);
}

static void offers_do_not_overlap(void **state)
{
	struct call *c = call_new(&plain, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN));
	assert_int_equal(oa_offer_received(&c->a, str_z(HEAD("2") AUDIO_PLAIN), &c->r), -EBUSY);
	assert_int_equal(c->r.status, 491);
	assert_int_equal(oa_offer_received(&c->b, str_z(HEAD("2") AUDIO_PLAIN), &c->r), -EBUSY);
	assert_int_equal(c->r.status, 491);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	call_free(c);
}

/* For a peer that takes no new key: what the other side causes repeats the one it hears, what it causes does
 * not. */
static void a_peer_that_keeps_our_key(void **state)
{
	static const enum srtp_suite both[] = {SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AEAD_AES_256_GCM};
	struct oa_policy keeps = secure;
	struct wbuf w;

	(void)state;
	keeps.keying = (struct keying_policy){both, 2, 0, .keep = true};
	struct call *c = established(&plain, &keeps);
	struct agreed_key held = oa_media_now(&c->b, 0)->keys->tx;
	char *line = strdup(strstr(c->to_b, "a=crypto:1 "));

	line[strcspn(line, "\r")] = '\0';
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN "a=sendonly\r\n"));
	assert_has(c->to_b, line);
	assert_has_not(c->to_b, "a=crypto:2 "); /* nothing that would change its suite */
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\na=recvonly\r\n" CRYPTO));
	commit(c);
	assert_true(agreed_key_equal(&oa_media_now(&c->b, 0)->keys->tx, &held));
	assert_int_equal(oa_media_now(&c->b, 0)->keys->tx.epoch, held.epoch);
	unsigned long version = version_of(c->to_b);

	/* The same again is the same to the octet. */
	must(c, pass_offer(c, &c->a, HEAD("3") AUDIO_PLAIN "a=sendonly\r\n"));
	assert_int_equal(version_of(c->to_b), version);
	must(c, pass_answer(c, &c->b, ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\na=recvonly\r\n" CRYPTO));
	commit(c);
	/* Its own new key is answered with one of ours. */
	must(c, pass_offer(c, &c->b, HEAD("4") AUDIO_SECURE CRYPTO_B));
	must(c, pass_answer(c, &c->a, ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"));
	commit(c);
	assert_false(agreed_key_equal(&oa_media_now(&c->b, 0)->keys->tx, &held));
	/* And a rekey of ours is one, when it has to be. */
	oa_burn_keys(&c->b);
	held = oa_media_now(&c->b, 0)->keys->tx;
	w = wbuf_make(c->to_b, OA_BODY_MAX - 1);
	must(c, oa_offer_rekey(&c->b, &w, &c->r));
	must(c, oa_answer_received(&c->b, str_z(ANSWER_HEAD "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO), &c->r));
	assert_int_equal(oa_commit(&c->b), 0);
	assert_false(agreed_key_equal(&oa_media_now(&c->b, 0)->keys->tx, &held));
	free(line);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hold_and_resume),
		cmocka_unit_test(hold_by_address),
		cmocka_unit_test(versions_change_only_with_content),
		cmocka_unit_test(a_refresh_is_answered_alone),
		cmocka_unit_test(keys_of_a_re_offer),
		cmocka_unit_test(an_offer_for_two_parties),
		cmocka_unit_test(rekey_of_one_leg),
		cmocka_unit_test(m_lines_come_and_go),
		cmocka_unit_test(a_secure_call_stays_secure),
		cmocka_unit_test(a_later_answer_replaces_an_earlier),
		cmocka_unit_test(offers_do_not_overlap),
		cmocka_unit_test(a_peer_that_keeps_our_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
