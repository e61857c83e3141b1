/* SPDX-License-Identifier: Apache-2.0 */
/* From negotiated legs to commands: which, in which order, and none that changes nothing. */
#include <errno.h>
#include <stdio.h>

#include "controlplane/keys/dtls_srtp.h"
#include "controlplane/media/program.h"
#include "tests/support/oa_call.h"

/* What put() was called with, and one line per command. */
static struct {
	union dp_msg m[64];
	unsigned n;
	char text[2048];
	int fail_at;
} got;

static int put(void *arg, union dp_msg *m)
{
	const char *why = "";
	struct wbuf w = wbuf_make(got.text + strlen(got.text), sizeof got.text - strlen(got.text) - 1);

	(void)arg;
	m->h.seq = 1;
	if (dp_msg_check(m, m->h.length, &why) < 0)
		fail_msg("%s: %s", dp_type_name((enum dp_type)m->h.type), why);
	if (got.fail_at && (int)got.n + 1 == got.fail_at)
		return -ENOBUFS;
	switch (m->h.type) {
	case DP_SESSION_ADD:
		wbuf_z(&w, "session ");
		break;
	case DP_LEG_UPDATE:
		wbuf_fmt(&w, "leg%u:%u ", m->leg_update.leg, m->leg_update.streams[0].direction);
		break;
	case DP_KEY_ADD:
		wbuf_fmt(&w, "%s%u:%u%s ", m->key_add.direction == DP_KEY_RX ? "rx" : "tx", m->key_add.leg,
			m->key_add.epoch, m->key_add.role == DP_KEY_NEXT ? "next" : "");
		break;
	case DP_LEG_ICE:
		if (m->leg_ice.credentials[0].ufrag_len)
			wbuf_fmt(&w, "ice%u:%u%s ", m->leg_ice.leg, m->leg_ice.consent_s,
				m->leg_ice.credentials[1].ufrag_len ? "+" : "");
		else
			wbuf_fmt(&w, "ice%u:end ", m->leg_ice.leg);
		break;
	case DP_KEY_RETIRE:
		wbuf_fmt(&w, "retire-%s%u:%u ", m->key_retire.direction == DP_KEY_RX ? "rx" : "tx",
			m->key_retire.leg, m->key_retire.epoch);
		break;
	}
	assert_false(w.overflow);
	got.text[strlen(got.text)] = '\0';
	got.m[got.n++] = *m;
	return 0;
}

static struct program *held; /* what the data plane has */

static struct program_call call_of(struct oa_call *c)
{
	return (struct program_call){
		.session = UINT64_C(7) << 32 | 3,
		.worker = 1,
		.a = {.leg = &c->a, .learn = DP_LEARN_ONCE, .dscp = 46, .replay_window = 1024},
		.b = {.leg = &c->b, .learn = DP_LEARN_NEVER},
	};
}

/* The commands from what is held to what is wanted, which is held from then on. */
static const char *step(const struct program_call *call)
{
	struct program *now;

	memset(&got, 0, sizeof got);
	assert_int_equal(program_make(call, &now), 0);
	assert_int_equal(program_diff(held, now, put, NULL), 0);
	program_free(held);
	held = program_pack(now);
	return got.text;
}

static void forget(struct oa_call *c)
{
	program_free(held);
	held = NULL;
	oa_call_free(c);
}

static void a_plain_call(void **state)
{
	struct oa_call *c = oa_call_new(&oa_call_plain, &oa_call_plain);
	const struct program_call call = call_of(c);

	(void)state;
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\n");
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\na=rtcp:5007\r\n");
	assert_string_equal(step(&call), "session leg0:3 leg1:3 ");
	const struct dp_leg_update *a = &got.m[1].leg_update, *b = &got.m[2].leg_update;

	assert_int_equal(a->side, DP_SIDE_A);
	assert_int_equal(a->security, DP_SECURITY_PLAIN);
	assert_int_equal(a->suite, SRTP_SUITE_NONE);
	assert_int_equal(a->learn, DP_LEARN_ONCE);
	assert_int_equal(a->dscp, 46);
	assert_int_equal(a->local.port, 20000);
	assert_int_equal(a->remote.port, 4000);
	assert_int_equal(a->remote_rtcp.port, 4001);
	assert_int_equal(b->side, DP_SIDE_B);
	assert_int_equal(b->learn, DP_LEARN_NEVER);
	assert_int_equal(b->remote_rtcp.port, 5007);
	assert_int_equal(a->streams[0].id, b->streams[0].id);
	oa_call_commit(c);
	assert_string_equal(step(&call), "");
	/* Hold: both legs change, nothing else. */
	oa_call_offer(c, &c->a, HEAD_A("2") "m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n");
	assert_string_equal(step(&call), "");
	oa_call_answer(c, &c->b, HEAD_B("2") "m=audio 5000 RTP/AVP 8\r\na=rtcp:5007\r\na=recvonly\r\n");
	assert_string_equal(step(&call), "leg0:1 leg1:2 ");
	oa_call_commit(c);
	assert_string_equal(step(&call), "");
	forget(c);
}

#define ICE(ufrag) "a=ice-ufrag:" ufrag "\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"

/* Credentials go with the leg, the way to the peer is the data plane's to say, and an end is said first. */
static void a_call_with_ice(void **state)
{
	static const struct ip_port found = {.ip = {.family = IP_V4, .octets = {10, 9, 9, 9}}, .port = 999};
	struct oa_policy lite = oa_call_plain;

	(void)state;
	lite.ice = true;
	struct oa_call *c = oa_call_new(&lite, &oa_call_plain);
	const struct program_call call = call_of(c);

	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\n" ICE("8hhY"));
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\n");
	assert_string_equal(step(&call), "session leg0:3 leg1:3 ice0:0 ");
	assert_int_equal(got.m[1].leg_update.remote.ip.family, IP_NONE);
	assert_int_equal(got.m[1].leg_update.remote_rtcp.ip.family, IP_NONE);
	oa_call_commit(c);
	assert_string_equal(step(&call), "ice0:30 ");
	oa_ice_selected(&c->a, 0, &found);
	assert_string_equal(step(&call), "leg0:3 ");
	assert_true(ip_port_equal(&got.m[0].leg_update.remote, &found));
	/* A restart: the new ones and those before them, from the answer on. */
	oa_call_offer(c, &c->a, HEAD_A("2") "m=audio 4000 RTP/AVP 8\r\n" ICE("9hhY"));
	assert_string_equal(step(&call), "");
	oa_call_answer(c, &c->b, HEAD_B("2") "m=audio 5000 RTP/AVP 8\r\n");
	assert_string_equal(step(&call), "ice0:30+ ");
	oa_call_commit(c);
	assert_string_equal(step(&call), "");
	oa_call_offer(c, &c->a, HEAD_A("3") "m=audio 4000 RTP/AVP 8\r\n");
	oa_call_answer(c, &c->b, HEAD_B("3") "m=audio 5000 RTP/AVP 8\r\n");
	assert_string_equal(step(&call), "ice0:end leg0:3 ");
	assert_int_equal(got.m[1].leg_update.remote.port, 4000);
	forget(c);
}

/* A peer that we offer ICE may check before it answers; who answers is told from others that were offered it.
 */
static void an_offer_with_ice(void **state)
{
	struct oa_policy lite = oa_call_plain;

	(void)state;
	lite.ice = true;
	struct oa_call *c = oa_call_new(&oa_call_plain, &lite);
	const struct program_call call = call_of(c);

	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\n");
	assert_string_equal(step(&call), "session leg1:0 ice1:0 ");
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\n" ICE("8hhY"));
	assert_string_equal(step(&call), "leg0:3 leg1:3 ice1:0 ");
	assert_true(got.m[2].leg_ice.peer == dp_ice_peer("8hhY", 4));
	oa_call_commit(c);
	assert_string_equal(step(&call), "ice1:30 ");
	forget(c);
}

static void a_secure_call(void **state)
{
	struct oa_call *c = oa_call_new(&oa_call_secure, &oa_call_secure);
	const struct program_call call = call_of(c);
	const struct agreement *k;

	(void)state;
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/SAVP 8\r\na=rtcp-mux\r\n" CRYPTO);
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B);
	/* Receive keys before any send key, and both behind their legs. */
	assert_string_equal(step(&call), "session leg0:3 leg1:3 rx0:1 rx1:1 tx0:2 tx1:2 ");
	assert_int_equal(got.m[1].leg_update.learn, DP_LEARN_AUTHENTIC);
	assert_int_equal(got.m[1].leg_update.suite, SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(got.m[1].leg_update.flags, DP_LEG_RTCP_MUX);
	assert_int_equal(got.m[1].leg_update.remote_rtcp.ip.family, IP_NONE);
	assert_int_equal(
		got.m[2].leg_update.flags, DP_LEG_KEYS_PENDING); /* until the exchange is committed */
	k = oa_media_now(&c->a, 0)->keys;
	assert_int_equal(got.m[3].key_add.master_len, 30);
	assert_memory_equal(got.m[3].key_add.master, k->rx.master.octets, 30);
	assert_memory_equal(got.m[5].key_add.master, k->tx.master.octets, 30);
	assert_int_equal(got.m[5].key_add.fresh_index, 1);
	oa_call_commit(c);
	assert_string_equal(step(&call), "leg1:3 ");
	assert_int_equal(got.m[0].leg_update.flags, 0);
	forget(c);
}

/* A peer may send with the key of its offer at once: it is there before the answer is. */
static void a_re_offer_with_a_new_key(void **state)
{
	struct oa_call *c = oa_call_new(&oa_call_secure, &oa_call_plain);
	const struct program_call call = call_of(c);

	(void)state;
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO);
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\n");
	oa_call_commit(c);
	assert_string_equal(step(&call), "session leg0:3 leg1:3 rx0:1 tx0:2 ");
	oa_call_offer(c, &c->a, HEAD_A("2") "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO_B);
	assert_string_equal(step(&call), "rx0:3next ");
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\n");
	/* Our new key comes with the answer: until that is sent the peer hears the one it knows. */
	assert_string_equal(step(&call), "");
	oa_call_commit(c);
	assert_string_equal(step(&call), "tx0:4 ");
	/* One that fails: its key is taken back. */
	oa_call_offer(c, &c->a, HEAD_A("3") "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO);
	assert_string_equal(step(&call), "rx0:5next ");
	oa_rollback(&c->a);
	oa_rollback(&c->b);
	assert_string_equal(step(&call), "retire-rx0:5 ");
	/* One that repeats its key: nothing to do. */
	oa_call_offer(c, &c->a, HEAD_A("4") "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO_B);
	assert_string_equal(step(&call), "");
	forget(c);
}

/*
 * A peer that agreed to DTLS offers SDES before the handshake is done, and that ends before the answer: the
 * key of the offer, which the data plane has, is the next one behind the handshake's.
 */
static void a_handshake_that_ends_behind_the_next_offer(void **state)
{
	struct dtls_terms terms = {.hash = DTLS_SHA256};
	struct oa_policy both = oa_call_secure;
	struct agreed_key k = {.suite = oa_call_suites[0], .master = {.len = 30}};
	struct oa_call *c;

	(void)state;
	assert_int_equal(dtls_identity_make(&terms.identity, NULL), 0);
	both.other = &agreement_dtls;
	both.keying.dtls = &terms;
	c = oa_call_new(&both, &oa_call_plain);
	const struct program_call call = call_of(c);

	oa_call_offer(c, &c->a,
		HEAD_A("1") "m=audio 4000 UDP/TLS/RTP/SAVP 8\r\na=rtcp-mux\r\na=setup:actpass\r\n"
			    "a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:"
			    "3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1\r\n");
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\n");
	oa_call_commit(c);
	assert_string_equal(step(&call), "session leg0:3 leg1:3 ");
	oa_call_offer(c, &c->a, HEAD_A("2") "m=audio 4000 RTP/SAVP 8\r\na=rtcp-mux\r\n" CRYPTO);
	assert_string_equal(step(&call), "rx0:1next ");
	oa_bond_now(&c->a, 0)->done = true;
	assert_true(oa_keys_arrived(&c->a, 0, oa_bond_now(&c->a, 0), &k, &k));
	assert_string_equal(step(&call), "leg0:3 rx0:2 rx0:1next tx0:3 leg0:3 ");
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\n");
	oa_call_commit(c);
	assert_string_equal(step(&call), "leg0:3 leg1:3 tx0:4 ");
	forget(c);
	dtls_identity_unref(terms.identity);
}

static void our_rekey(void **state)
{
	struct oa_call *c = oa_call_new(&oa_call_plain, &oa_call_secure);
	const struct program_call call = call_of(c);
	struct wbuf w = wbuf_make(c->text, sizeof c->text);
	struct oa_refusal r;

	(void)state;
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\n");
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO);
	oa_call_commit(c);
	assert_string_equal(step(&call), "session leg0:3 leg1:3 rx1:1 tx1:2 ");
	assert_int_equal(oa_offer_rekey(&c->b, &w, &r), 0);
	assert_string_equal(step(&call), "leg1:3 "); /* hold packets that no key opens yet */
	assert_int_equal(got.m[0].leg_update.flags, DP_LEG_KEYS_PENDING);
	assert_int_equal(
		oa_answer_received(&c->b, str_z(HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B), &r), 0);
	assert_string_equal(step(&call), "rx1:3 tx1:4 ");
	assert_int_equal(oa_commit(&c->b), 0);
	assert_string_equal(step(&call), "leg1:3 ");
	/* All at once: packets are held until the keys are there, not only until they are on their way. */
	w = wbuf_make(c->text, sizeof c->text);
	assert_int_equal(oa_offer_rekey(&c->b, &w, &r), 0);
	step(&call);
	assert_int_equal(
		oa_answer_received(&c->b, str_z(HEAD_B("3") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO), &r), 0);
	assert_int_equal(oa_commit(&c->b), 0);
	assert_string_equal(step(&call), "rx1:5 tx1:6 leg1:3 ");
	forget(c);
}

/* After a restart of the data plane no send key goes out again; a rekey brings the voice back. */
static void burnt_keys_do_not_send_again(void **state)
{
	struct oa_call *c = oa_call_new(&oa_call_plain, &oa_call_secure);
	struct program_call call = call_of(c);
	struct wbuf w = wbuf_make(c->text, sizeof c->text);
	struct oa_refusal r;

	(void)state;
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\n");
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO);
	oa_call_commit(c);
	assert_string_equal(step(&call), "session leg0:3 leg1:3 rx1:1 tx1:2 ");
	program_free(held);
	held = NULL;
	oa_burn_keys(&c->b);
	assert_string_equal(step(&call), "session leg0:3 leg1:3 rx1:1 ");
	assert_int_equal(oa_offer_rekey(&c->b, &w, &r), 0);
	step(&call);
	assert_int_equal(
		oa_answer_received(&c->b, str_z(HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO), &r), 0);
	assert_string_equal(step(&call), "tx1:3 ");
	forget(c);
}

/* Video is added, switched off and on again; its leg goes silent and its keys go. */
static void m_lines_come_and_go(void **state)
{
	static const char with[] =
		HEAD_A("2") "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO
			    "m=video 4002 RTP/SAVP 96\r\na=rtpmap:96 VP8/90000\r\n" CRYPTO_B;
	static const char answer[] = HEAD_B("2") "m=audio 5000 RTP/AVP 8\r\nm=video 5002 RTP/AVP 96\r\n";
	struct oa_call *c = oa_call_new(&oa_call_secure, &oa_call_plain);
	const struct program_call call = call_of(c);

	(void)state;
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO);
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\n");
	oa_call_commit(c);
	step(&call);
	oa_call_offer(c, &c->a, with);
	oa_call_answer(c, &c->b, answer);
	oa_call_commit(c);
	assert_string_equal(step(&call), "leg2:3 leg3:3 rx2:3 tx2:4 ");
	assert_int_equal(got.m[0].leg_update.streams[0].id, 1);
	oa_call_offer(c, &c->b, HEAD_B("3") "m=audio 5000 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\n");
	oa_call_answer(
		c, &c->a, HEAD_A("3") "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO "m=video 0 RTP/SAVP 96\r\n");
	oa_call_commit(c);
	const char *off = step(&call);

	assert_non_null(strstr(off, "leg2:0 leg3:0 "));
	assert_non_null(strstr(off, "retire-rx2:3 retire-tx2:4 "));
	assert_null(strstr(off, "x2:5"));
	oa_call_offer(c, &c->a, with);
	oa_call_answer(c, &c->b, answer);
	oa_call_commit(c);
	const char *on = step(&call);

	assert_non_null(strstr(on, "leg2:3 leg3:3 "));
	assert_null(strstr(on, "x2:3 ")); /* never an old number for a new key */
	forget(c);
}

/* The callee never took the video: no leg for it, though it has ports. */
static void a_refused_m_line_has_no_leg(void **state)
{
	struct oa_call *c = oa_call_new(&oa_call_plain, &oa_call_plain);
	const struct program_call call = call_of(c);

	(void)state;
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\nm=video 4002 RTP/AVP 96\r\n");
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\n");
	oa_call_commit(c);
	assert_string_equal(step(&call), "session leg0:3 leg1:3 ");
	forget(c);
}

static void nothing_before_an_answer(void **state)
{
	struct oa_call *c = oa_call_new(&oa_call_plain, &oa_call_secure);
	const struct program_call call = call_of(c);
	const struct program_leg *legs;
	struct program *p;

	(void)state;
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\n");
	assert_int_equal(program_make(&call, &p), 0);
	assert_int_equal(program_legs(p, &legs), 0);
	program_free(p);
	forget(c);
}

/* A full queue stops the run, and the key that did not go out is not left in the message. */
static void a_failure_is_handed_on(void **state)
{
	struct oa_call *c = oa_call_new(&oa_call_secure, &oa_call_plain);
	const struct program_call call = call_of(c);
	struct program *now;

	(void)state;
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/SAVP 8\r\n" CRYPTO);
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\n");
	assert_int_equal(program_make(&call, &now), 0);
	memset(&got, 0, sizeof got);
	got.fail_at = 4;
	assert_int_equal(program_diff(NULL, now, put, NULL), -ENOBUFS);
	assert_int_equal(got.n, 3);
	program_free(now);
	forget(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_call),
		cmocka_unit_test(a_call_with_ice),
		cmocka_unit_test(an_offer_with_ice),
		cmocka_unit_test(a_secure_call),
		cmocka_unit_test(a_re_offer_with_a_new_key),
		cmocka_unit_test(a_handshake_that_ends_behind_the_next_offer),
		cmocka_unit_test(our_rekey),
		cmocka_unit_test(burnt_keys_do_not_send_again),
		cmocka_unit_test(m_lines_come_and_go),
		cmocka_unit_test(a_refused_m_line_has_no_leg),
		cmocka_unit_test(nothing_before_an_answer),
		cmocka_unit_test(a_failure_is_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
