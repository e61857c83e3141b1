/* SPDX-License-Identifier: Apache-2.0 */
/* ICE in offers and answers (RFC 8839): who does it, with which credentials, and when those are new. */
#include <errno.h>

#include "controlplane/sdp/oa_private.h"
#include "tests/unit/oa_bench.h"

#define PWD "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
#define PWD_2 "a=ice-pwd:bsd88fgpdd777uzjYhagZg\r\n"
#define ICE "a=ice-ufrag:8hhY\r\n" PWD
#define HOST "a=candidate:1 1 UDP 2130706431 10.1.1.1 4000 typ host\r\n"
#define RELAY "a=candidate:2 1 UDP 16777215 192.0.2.9 4000 typ relay raddr 10.1.1.1 rport 4000\r\n"
#define HOST_B "a=candidate:1 1 UDP 2130706431 10.2.2.2 5000 typ host\r\n"
#define ANSWER ANSWER_HEAD "m=audio 5000 RTP/AVP 8\r\n"

static struct oa_policy lite;

static int setup(void **state)
{
	(void)state;
	lite = plain;
	lite.ice = true;
	return 0;
}

/* Our fragment in a body of ours. */
static const char *fragment(const char *body)
{
	static char text[64];
	const char *at = strstr(body, "a=ice-ufrag:");

	text[0] = '\0';
	if (at)
		sscanf(at, "a=ice-ufrag:%63s", text);
	return text;
}

static bool checked(const struct oa_leg *leg)
{
	const struct ice_credentials *newest, *before;

	return oa_ice_now(leg, 0, &newest, &before);
}

static void an_offer_with_ice_is_answered_with_it(void **state)
{
	struct call *c = call_new(&lite, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN ICE HOST "a=rtcp-mux\r\na=ice-options:trickle\r\n"));
	assert_has_not(c->to_b, "a=ice");
	assert_has_not(c->to_b, "a=candidate");
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_has(c->to_a, "t=0 0\r\na=ice-lite\r\n");
	assert_has(c->to_a, "a=candidate:1 1 UDP 2130706431 198.51.100.1 20000 typ host\r\n");
	assert_has_not(c->to_a, "a=candidate:1 2"); /* muxed */
	assert_has(c->to_a, "a=end-of-candidates\r\n");
	assert_int_equal(strlen(fragment(c->to_a)), ICE_UFRAG);
	assert_has(c->to_a, "a=ice-pwd:");
	assert_null(strstr(c->a.pending->sent, "ice-pwd")); /* what is kept has no password */
	commit(c);
	assert_true(checked(&c->a));
	assert_false(checked(&c->b));
	call_free(c);
}

static void without_mux_rtcp_has_a_candidate(void **state)
{
	struct call *c = call_new(&lite, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN ICE HOST));
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_has(c->to_a, "a=candidate:1 2 UDP 2130706430 198.51.100.1 20001 typ host\r\n");
	assert_has_not(c->to_a, "end-of-candidates");
	call_free(c);
}

/* As without ICE: by policy, by the peer's description, or because something on the way rewrote it. */
static void it_is_done_without(void **state)
{
	static const struct {
		const char *lines;
		bool allowed;
		const char *instead;
	} cases[] = {
		{ICE HOST, false, "m=audio 20000 RTP/AVP"},
		{"", true, "m=audio 20000 RTP/AVP"},
		{ICE RELAY, true, "a=ice-mismatch\r\n"},
		{ICE HOST "a=ice-mismatch\r\n", true, "m=audio 20000 RTP/AVP"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct call *c = call_new(cases[i].allowed ? &lite : &plain, &plain);
		char offer[1024];

		snprintf(offer, sizeof offer, "%s%s", HEAD("1") AUDIO_PLAIN, cases[i].lines);
		must(c, pass_offer(c, &c->a, offer));
		must(c, pass_answer(c, &c->b, ANSWER));
		assert_has(c->to_a, cases[i].instead);
		assert_has_not(c->to_a, "a=ice-ufrag");
		assert_has_not(c->to_a, "a=candidate");
		assert_has_not(c->to_a, "a=ice-lite");
		commit(c);
		assert_false(checked(&c->a));
		call_free(c);
	}
}

static void two_lite_agents_do_without(void **state)
{
	struct call *c = call_new(&lite, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a,
			"v=0\r\no=a 7 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\na=ice-lite\r\n" ICE
			"m=audio 4000 RTP/AVP 8\r\n" HOST));
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_has_not(c->to_a, "a=ice");
	call_free(c);
}

static void malformed_credentials_are_refused(void **state)
{
	static const char *const lines[] = {
		"a=ice-ufrag:8hhY\r\n",
		PWD,
		"a=ice-ufrag:8hh\r\n" PWD,
		"a=ice-ufrag:8h-Y\r\n" PWD,
		"a=ice-ufrag:8hhY\r\na=ice-pwd:short\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct call *c = call_new(&lite, &plain);
		char offer[1024];

		snprintf(offer, sizeof offer, "%s%s", HEAD("1") AUDIO_PLAIN, lines[i]);
		assert_int_equal(pass_offer(c, &c->a, offer), -EINVAL);
		assert_int_equal(c->r.status, 488);
		assert_has(c->r.reason.text, "a=ice-");
		call_free(c);
	}
}

/* No address yet is no hold. */
static void trickled_candidates_are_awaited(void **state)
{
	struct call *c = call_new(&lite, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a,
			"v=0\r\no=a 7 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-options:trickle\r\n"
			"m=audio 9 RTP/AVP 8\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" ICE));
	assert_has(c->to_b, "a=sendrecv");
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_has(c->to_a, "a=sendrecv");
	assert_has(c->to_a, "a=candidate:1 1 UDP ");
	commit(c);
	assert_true(checked(&c->a));
	call_free(c);
}

static void our_offer_has_it_and_the_answer_decides(void **state)
{
	static const struct {
		const char *lines;
		bool does;
	} cases[] = {{ICE "a=candidate:1 1 UDP 2130706431 10.2.2.2 5000 typ host\r\n", true},
		{"", false},
		{ICE "a=ice-mismatch\r\n", false}};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct call *c = call_new(&plain, &lite);
		char answer[1024];

		must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN));
		assert_has(c->to_b, "a=ice-lite\r\n");
		assert_has(c->to_b, "a=candidate:1 2 UDP 2130706430 203.0.113.2 21001 typ host\r\n");
		assert_true(oa_check_expected(&c->b, 0)); /* checks may be faster than the answer */
		snprintf(answer, sizeof answer, "%s%s", ANSWER, cases[i].lines);
		must(c, pass_answer(c, &c->b, answer));
		commit(c);
		assert_int_equal(checked(&c->b), cases[i].does);
		/* A later offer of ours asks nobody again who did without, and keeps what holds. */
		char before[64];

		snprintf(before, sizeof before, "%s", fragment(c->to_b));
		must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN));
		assert_string_equal(fragment(c->to_b), cases[i].does ? before : "");
		call_free(c);
	}
}

/* Other credentials of the peer's are answered with others of ours; both are good for a while. */
static void a_restart_has_new_credentials(void **state)
{
	struct call *c = call_new(&lite, &plain);
	const struct ice_credentials *newest, *before;
	char first[64];

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN ICE HOST));
	must(c, pass_answer(c, &c->b, ANSWER));
	commit(c);
	snprintf(first, sizeof first, "%s", fragment(c->to_a));
	unsigned long version = version_of(c->to_a);

	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN ICE HOST "a=sendonly\r\n"));
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_string_equal(fragment(c->to_a), first);
	commit(c);
	must(c, pass_offer(c, &c->a, HEAD("3") AUDIO_PLAIN "a=ice-ufrag:8hhY\r\n" PWD_2 HOST));
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_string_not_equal(fragment(c->to_a), first);
	assert_true(version_of(c->to_a) > version);
	/* From the answer on, not only when it is acknowledged. */
	assert_true(oa_ice_now(&c->a, 0, &newest, &before));
	assert_string_equal(newest->ufrag, fragment(c->to_a));
	assert_string_equal(before->ufrag, first);
	commit(c);
	assert_true(oa_ice_now(&c->a, 0, &newest, &before));
	assert_string_equal(newest->ufrag, fragment(c->to_a));
	assert_string_equal(before->ufrag, first);
	call_free(c);
}

static void a_refused_restart_changes_nothing(void **state)
{
	struct call *c = call_new(&lite, &plain);
	const struct ice_credentials *newest, *before;
	char first[64];

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN ICE HOST));
	must(c, pass_answer(c, &c->b, ANSWER));
	commit(c);
	snprintf(first, sizeof first, "%s", fragment(c->to_a));
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN "a=ice-ufrag:9hhY\r\n" PWD HOST));
	oa_rollback(&c->a);
	oa_rollback(&c->b);
	assert_true(oa_ice_now(&c->a, 0, &newest, &before));
	assert_string_equal(newest->ufrag, first);
	assert_string_equal(before->ufrag, "");
	call_free(c);
}

/* Our offer may ring at several. Whoever answers is the peer, one after the other in early media; who offers
 * is anyhow. */
static void who_answers_is_the_peer(void **state)
{
	struct call *c = call_new(&plain, &lite);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN));
	assert_true(oa_ice_peer(&c->b, 0) == 0);
	must(c, pass_answer(c, &c->b, ANSWER "a=ice-ufrag:anna\r\n" PWD));
	assert_true(oa_ice_peer(&c->b, 0) == dp_ice_peer("anna", 4));
	must(c, pass_answer(c, &c->b, ANSWER "a=ice-ufrag:bert\r\n" PWD));
	assert_true(oa_ice_peer(&c->b, 0) == dp_ice_peer("bert", 4));
	commit(c);
	assert_true(oa_ice_peer(&c->b, 0) == dp_ice_peer("bert", 4));
	/* An offer of ours with the same credentials is for that one alone. */
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN "a=sendonly\r\n"));
	assert_true(oa_ice_peer(&c->b, 0) == dp_ice_peer("bert", 4));
	must(c, pass_answer(c, &c->b, ANSWER "a=ice-ufrag:bert\r\n" PWD));
	commit(c);
	must(c, pass_offer(c, &c->b, HEAD("2") AUDIO_PLAIN "a=ice-ufrag:bert\r\n" PWD HOST));
	must(c, pass_answer(c, &c->a, ANSWER));
	assert_true(oa_ice_peer(&c->b, 0) == 0);
	call_free(c);
}

/* The peer gives ICE up, and takes it up again. */
static void ice_ends_and_begins(void **state)
{
	struct call *c = call_new(&lite, &plain);

	(void)state;
	must(c, pass_offer(c, &c->a, HEAD("1") AUDIO_PLAIN ICE HOST));
	must(c, pass_answer(c, &c->b, ANSWER));
	commit(c);
	must(c, pass_offer(c, &c->a, HEAD("2") AUDIO_PLAIN));
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_has_not(c->to_a, "a=ice");
	commit(c);
	assert_false(checked(&c->a));
	must(c, pass_offer(c, &c->a, HEAD("3") AUDIO_PLAIN ICE HOST));
	must(c, pass_answer(c, &c->b, ANSWER));
	commit(c);
	assert_true(checked(&c->a));
	call_free(c);
}

#define SENT "s=-\r\nc=IN IP4 203.0.113.2\r\nt=0 0\r\nm=audio 21000 RTP/AVP 8\r\na=sendrecv\r\n"

/* The leg as an earlier process has left it, with ICE or without. */
static void assume(struct oa_leg *leg, bool ice)
{
	struct oa_media media = {.used = true, .proto = SDP_RTP_AVP, .clock_hz = 8000, .ice = ice};
	struct agreed_key none = {0};
	struct oa_held held = {.sess_id = STR("7"),
		.sent = STR(SENT),
		.version = 3,
		.sent_version = 3,
		.n_media = 1,
		.media = &media,
		.rx = &none,
		.tx = &none};
	struct oa_local local = {.rtp = {.ip = {.family = IP_V4, .octets = {203, 0, 113, 2}}, .port = 21000}};

	assert_int_equal(oa_leg_assume(leg, &held), 0);
	oa_set_local(leg, 0, &local);
}

/* After a restart of ours nobody knows the password any more: the next offer brings others. */
static void a_call_taken_over_restarts(void **state)
{
	const struct ice_credentials *newest, *before;
	struct call *c = call_new(&plain, &lite);
	struct wbuf w = wbuf_make(c->to_b, sizeof c->to_b - 1);

	(void)state;
	assume(&c->b, true);
	assert_true(oa_ice_now(&c->b, 0, &newest, &before));
	assert_string_equal(newest->ufrag, "");
	must(c, oa_offer_rekey(&c->b, &w, &c->r));
	c->to_b[w.len] = '\0';
	assert_int_equal(strlen(fragment(c->to_b)), ICE_UFRAG);
	assert_has(c->to_b, "a=ice-lite\r\n");
	call_free(c);
}

/* The browser's own offer is the first that comes then: it hears of new ones, once, and keeps those. */
static void a_reoffer_after_a_takeover(void **state)
{
	struct call *c = call_new(&lite, &plain);
	const struct ice_credentials *newest, *before;
	char first[64];

	(void)state;
	assume(&c->a, true);
	assume(&c->b, false);
	must(c, pass_offer(c, &c->a, HEAD("4") AUDIO_PLAIN ICE HOST));
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_has(c->to_a, "a=ice-lite\r\n");
	snprintf(first, sizeof first, "%s", fragment(c->to_a));
	assert_int_equal(strlen(first), ICE_UFRAG);
	assert_true(oa_ice_now(&c->a, 0, &newest, &before));
	assert_string_equal(newest->ufrag, first);
	commit(c);
	must(c, pass_offer(c, &c->a, HEAD("5") AUDIO_PLAIN ICE HOST "a=sendonly\r\n"));
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_string_equal(fragment(c->to_a), first);
	commit(c);
	/* The other side's offer finds a leg that is as ever. */
	must(c, pass_offer(c, &c->b, HEAD("6") AUDIO_PLAIN));
	assert_string_equal(fragment(c->to_a), first);
	must(c, pass_answer(c, &c->a, ANSWER ICE HOST_B));
	commit(c);
	assert_true(checked(&c->a));
	call_free(c);
}

/* The other side's offer is the first, and the browser's restart crosses nothing: it answers with its own. */
static void an_offer_of_ours_after_a_takeover(void **state)
{
	struct call *c = call_new(&lite, &plain);
	char first[64];

	(void)state;
	assume(&c->a, true);
	assume(&c->b, false);
	must(c, pass_offer(c, &c->b, HEAD("4") AUDIO_PLAIN));
	snprintf(first, sizeof first, "%s", fragment(c->to_a));
	assert_int_equal(strlen(first), ICE_UFRAG);
	/* Refused: what it had is not known any more, and the next one brings others again. */
	oa_rollback(&c->a);
	oa_rollback(&c->b);
	must(c, pass_offer(c, &c->b, HEAD("5") AUDIO_PLAIN));
	assert_string_not_equal(fragment(c->to_a), first);
	must(c, pass_answer(c, &c->a, ANSWER ICE HOST_B));
	commit(c);
	assert_true(checked(&c->a));
	/* The leg that did without is not asked for it. */
	assert_has_not(c->to_b, "a=ice");
	call_free(c);
}

/* A client that has forgotten its ICE meanwhile, or is another one: the leg does without from then on. */
static void a_reoffer_without_ice_after_a_takeover(void **state)
{
	struct call *c = call_new(&lite, &plain);

	(void)state;
	assume(&c->a, true);
	assume(&c->b, false);
	must(c, pass_offer(c, &c->a, HEAD("4") AUDIO_PLAIN));
	must(c, pass_answer(c, &c->b, ANSWER));
	assert_has_not(c->to_a, "a=ice");
	commit(c);
	assert_false(checked(&c->a));
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_with_ice_is_answered_with_it),
		cmocka_unit_test(without_mux_rtcp_has_a_candidate),
		cmocka_unit_test(it_is_done_without),
		cmocka_unit_test(two_lite_agents_do_without),
		cmocka_unit_test(malformed_credentials_are_refused),
		cmocka_unit_test(trickled_candidates_are_awaited),
		cmocka_unit_test(our_offer_has_it_and_the_answer_decides),
		cmocka_unit_test(a_restart_has_new_credentials),
		cmocka_unit_test(a_refused_restart_changes_nothing),
		cmocka_unit_test(who_answers_is_the_peer),
		cmocka_unit_test(ice_ends_and_begins),
		cmocka_unit_test(a_call_taken_over_restarts),
		cmocka_unit_test(a_reoffer_after_a_takeover),
		cmocka_unit_test(an_offer_of_ours_after_a_takeover),
		cmocka_unit_test(a_reoffer_without_ice_after_a_takeover),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
