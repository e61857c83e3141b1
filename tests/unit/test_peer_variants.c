/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What peers do to a session that stands, as two tables: how they offer, and how they answer an offer of
 * ours. Each row begins with the same call and says what the data plane is told of the peer's leg.
 *
 * Of a key, "rx" is what it sends with and "tx" what we do; "~" behind it: the rollover counter goes on.
 */
#include <stdio.h>

#include "controlplane/media/program.h"
#include "tests/support/oa_call.h"

#define C80 "AES_CM_128_HMAC_SHA1_80"
#define C32 "AES_CM_128_HMAC_SHA1_32"
#define HELD "v=0\r\no=alice 77 2 IN IP4 10.1.1.1\r\ns=call\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
#define MOVED "v=0\r\no=alice 77 2 IN IP4 10.1.1.9\r\ns=call\r\nc=IN IP4 10.1.1.9\r\nt=0 0\r\n"
#define B_MOVED "v=0\r\no=bob 88 2 IN IP4 10.2.2.9\r\ns=-\r\nc=IN IP4 10.2.2.9\r\nt=0 0\r\n"
#define M "m=audio 4000 RTP/SAVP 8\r\n"
#define KEY(tag, suite, key) "a=crypto:" tag " " suite " inline:" key "\r\n"

static const enum srtp_suite suites[] = {SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AES_CM_128_HMAC_SHA1_32};
static const struct oa_policy secure = {
	.security = OA_SECURITY_REQUIRED,
	.mux = OA_MUX_ACCEPT,
	.method = &agreement_sdes,
	.keying = {suites, 2, 0},
	.hop_encrypted = true,
};

static char said[400];

/* What concerns the peer's leg: side A's is 0, side B's is 1. */
static int put(void *arg, union dp_msg *m)
{
	unsigned leg = *(unsigned *)arg;
	struct wbuf w = wbuf_make(said + strlen(said), sizeof said - strlen(said) - 1);
	char at[IP_PORT_TEXT_MAX];

	if (m->h.type == DP_LEG_UPDATE && m->leg_update.leg == leg &&
		!(m->leg_update.flags & DP_LEG_KEYS_PENDING))
		wbuf_fmt(&w, "%u@%s ", m->leg_update.streams[0].direction,
			m->leg_update.remote.ip.family ? ip_port_text(&m->leg_update.remote, at) : "nowhere");
	if (m->h.type == DP_KEY_ADD && m->key_add.leg == leg)
		wbuf_fmt(&w, "%s%s%s ", m->key_add.direction == DP_KEY_RX ? "rx" : "tx",
			m->key_add.suite == SRTP_AES_CM_128_HMAC_SHA1_32 ? "32" : "",
			m->key_add.fresh_index ? "" : "~");
	assert_false(w.overflow);
	return 0;
}

static struct program *held;

static void program_now(const struct program_call *call, unsigned leg)
{
	struct program *now;

	assert_int_equal(program_make(call, &now), 0);
	assert_int_equal(program_diff(held, now, put, &leg), 0);
	program_free(held);
	held = now;
}

struct variant {
	const char *name;
	bool keep_roc;
	const char *body;
	const char *told;
	const char *ours; /* in what the peer hears from us; NULL: nothing in particular */
	bool moved;       /* an answer's address */
};

static const struct variant offers[] = {
	{"the same key again", false, HEAD_A("2") M KEY("1", C80, K30), "", NULL},
	{"a new key", false, HEAD_A("2") M KEY("1", C80, K30B), "rx tx ", NULL},
	{"a new key, and its counter goes on", true, HEAD_A("2") M KEY("1", C80, K30B), "rx~ tx~ ", NULL},
	{"the same key under an MKI", false, HEAD_A("2") M KEY("1", C80, K30 "|7:4"), "rx~ tx ", "|1:4"},
	{"a new key with an MKI", false, HEAD_A("2") M KEY("1", C80, K30B "|2^20|7:2"), "rx tx ", "|1:2"},
	{"another tag, the same key", false, HEAD_A("2") M KEY("5", C80, K30), "", "a=crypto:5 "},
	{"another suite", false, HEAD_A("2") M KEY("1", C32, K30B), "rx32 3@10.1.1.1:4000 tx32 ", C32},
	{"another suite first", false, HEAD_A("2") M KEY("1", C32, K30B) KEY("2", C80, K30), "",
		"a=crypto:2 "},
	{"another address, the same key", false, MOVED M KEY("1", C80, K30), "3@10.1.1.9:4000 ", NULL},
	{"another address, the counter goes on", true, MOVED M KEY("1", C80, K30), "3@10.1.1.9:4000 ", NULL},
	{"another port, the same key", false, HEAD_A("2") "m=audio 4010 RTP/SAVP 8\r\n" KEY("1", C80, K30),
		"3@10.1.1.1:4010 ", NULL},
	{"another address and a new key", true, MOVED M KEY("1", C80, K30B), "rx 3@10.1.1.9:4000 tx ", NULL},
	{"hold", false, HEAD_A("2") M KEY("1", C80, K30) "a=sendonly\r\n", "1@10.1.1.1:4000 ",
		"a=recvonly\r\n"},
	{"hold without music", false, HEAD_A("2") M KEY("1", C80, K30) "a=inactive\r\n", "0@10.1.1.1:4000 ",
		"a=inactive\r\n"},
	{"hold by address", false, HELD M KEY("1", C80, K30), "1@nowhere ", "a=recvonly\r\n"},
	{"hold by address, with a new key", false, HELD M KEY("1", C80, K30B), "rx 1@nowhere tx ", NULL},
	{"hold in both styles", false, HELD M KEY("1", C80, K30) "a=inactive\r\n", "0@nowhere ",
		"a=inactive\r\n"},
	{"another codec", false, HEAD_A("2") "m=audio 4000 RTP/SAVP 0\r\n" KEY("1", C80, K30), "",
		"SAVP 0\r\n"},
	{"another codec of another clock", false,
		HEAD_A("2") "m=audio 4000 RTP/SAVP 96\r\na=rtpmap:96 opus/48000/2\r\n" KEY("1", C80, K30),
		"3@10.1.1.1:4000 ", "a=rtpmap:96 opus/48000/2\r\n"},
};

/* What the other side, in the clear, answers to each. */
static void answer_for(struct oa_call *c, const char *offer)
{
	bool held_now = strstr(offer, "sendonly") || strstr(offer, "inactive") || strstr(offer, "0.0.0.0");
	char body[400];

	snprintf(body, sizeof body, HEAD_B("2") "m=audio 5000 RTP/AVP %s\r\n%sa=%s\r\n",
		strstr(offer, "SAVP 96")  ? "96"
		: strstr(offer, "SAVP 0") ? "0"
					  : "8",
		strstr(offer, "SAVP 96") ? "a=rtpmap:96 opus/48000/2\r\n" : "",
		strstr(offer, "inactive") ? "inactive"
		: held_now                ? "recvonly"
					  : "sendrecv");
	oa_call_answer(c, &c->b, body);
}

static void expect_told(const struct variant *v)
{
	if (strcmp(said, v->told))
		fail_msg("%s: told '%s', not '%s'", v->name, said, v->told);
}

static struct program_call call_of(struct oa_call *c, const struct variant *v)
{
	return (struct program_call){
		.a = {.leg = &c->a, .keep_roc = v->keep_roc},
		.b = {.leg = &c->b, .keep_roc = v->keep_roc},
	};
}

static void what_a_peer_offers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof offers / sizeof *offers; i++) {
		const struct variant *v = &offers[i];
		struct oa_call *c = oa_call_new(&secure, &oa_call_plain);
		struct program_call call = call_of(c, v);

		oa_call_offer(c, &c->a, HEAD_A("1") M KEY("1", C80, K30));
		oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/AVP 8\r\n");
		oa_call_commit(c);
		program_now(&call, 0);
		said[0] = '\0';
		oa_call_offer(c, &c->a, v->body);
		program_now(&call, 0); /* its key may be in use before our answer is */
		answer_for(c, v->body);
		program_now(&call, 0);
		if (v->ours && !strstr(c->text, v->ours))
			fail_msg("%s: '%s' is not in %s", v->name, v->ours, c->text);
		oa_call_commit(c);
		program_now(&call, 0);
		expect_told(v);
		program_free(held);
		held = NULL;
		oa_call_free(c);
	}
}

/* To an offer of ours, which always has new keys. */
static const struct variant answers[] = {
	{"a new key", false, HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" KEY("1", C80, K30B), "rx tx ", NULL},
	{"the same key again", false, HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" KEY("1", C80, K30), "tx ",
		NULL},
	{"a new key, and counters go on", true, HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" KEY("1", C80, K30B),
		"rx~ tx~ ", NULL},
	{"another suite", false, HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" KEY("2", C32, K30B), "rx32 tx32 ",
		NULL},
	{"another suite, counters go on", true, HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" KEY("2", C32, K30B),
		"rx32~ tx32~ ", NULL},
	{"another suite, the same key text", true,
		HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" KEY("2", C32, K30), "rx32~ tx32~ ", NULL},
	{"a new MKI", false, HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" KEY("1", C80, K30B "|9:1"), "rx tx ",
		NULL},
	{"another address", true, B_MOVED "m=audio 5000 RTP/SAVP 8\r\n" KEY("1", C80, K30B), "rx tx ", NULL,
		.moved = true},
};

static void what_a_peer_answers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof answers / sizeof *answers; i++) {
		const struct variant *v = &answers[i];
		struct oa_call *c = oa_call_new(&oa_call_plain, &secure);
		struct program_call call = call_of(c, v);

		oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\n");
		oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/SAVP 8\r\n" KEY("1", C80, K30));
		oa_call_commit(c);
		program_now(&call, 1);
		oa_call_offer(c, &c->a, HEAD_A("2") "m=audio 4000 RTP/AVP 8\r\n");
		program_now(&call, 1);
		said[0] = '\0';
		oa_call_answer(c, &c->b, v->body);
		program_now(&call, 1);
		expect_told(v);
		assert_int_equal(oa_media_now(&c->b, 0)->remote.ip.octets[3], v->moved ? 9 : 2);
		program_free(held);
		held = NULL;
		oa_call_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_peer_offers),
		cmocka_unit_test(what_a_peer_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
