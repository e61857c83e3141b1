/* SPDX-License-Identifier: Apache-2.0 */
/* Calls with pictures on a transport of their own: its keys, its packets and what is wrong with it count as speech's do. */
#include "controlplane/b2bua/b2bua_private.h"
#include "tests/unit/b2bua_renewals.h"

/*
 * p's description with video; the keys of its m-lines follow from audio and video, which are below 26. audio 0: that
 * m-line is refused; video 0: that one.
 */
static const char *both(const struct phone *p, unsigned audio, unsigned video, unsigned version)
{
	static char texts[8][2048];
	static unsigned next;
	char *text = texts[next++ % 8], key[64] = "";
	const char *speech = sdp_as(p, audio, version, "sendrecv"), *at = strstr(speech, "m=audio");

	memset(key, 'a' + (int)video, 58);
	snprintf(text, sizeof texts[0],
		"%.*s%s%sm=video %u RTP/%s 96\r\na=rtpmap:96 H264/90000\r\n%s%s%s", (int)(at - speech), speech,
		audio ? at : "m=audio 0 RTP/", audio ? "" : p->suite ? "SAVP 8\r\n" : "AVP 8\r\n",
		video ? 40000 + video : 0, p->suite ? "SAVP" : "AVP", p->suite ? "a=crypto:1 AEAD_AES_256_GCM inline:" : "",
		p->suite ? key : "", p->suite ? "A=\r\n" : "");
	return text;
}

static struct plane_leg *video(void)
{
	return &plane_last()->video[DP_SIDE_B];
}

/* Alice, in the clear, calls Bob, who speaks AES-256-GCM. */
static void see_bob(unsigned audio, unsigned pictures)
{
	dial(&alice, "+1001", "", both(&alice, 1, 2, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", both(&bob, audio, pictures, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	silence(NULL);
}

static void take_both(unsigned audio, unsigned pictures, unsigned version)
{
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", both(&bob, audio, pictures, version));
	hear(&bob, "ACK");
	silence(NULL);
}

static void reinvite(unsigned audio, unsigned pictures, unsigned version)
{
	say(&bob, "INVITE", "", both(&bob, audio, pictures, version));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", both(&alice, 1, 2, version));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	silence(NULL);
}

/* A gigabyte of pictures: their key has a limit of its own, and reaching it renews all keys of the side. */
static void test_the_limit_of_the_second_m_line(void **state)
{
	uint32_t first;

	(void)state;
	policy("\"interval\":0,\"octets\":\"1000000000\"");
	see_bob(1, 2);
	assert_int_equal(video()->tx_keys, 1);
	assert_int_equal(video()->tx.soft_octets, 1000000000);
	assert_int_equal(video()->rx.soft_octets, 1000000000);
	assert_memory_not_equal(video()->tx.master, plane_last()->tx[DP_SIDE_B].master, 44);
	first = video()->tx.epoch;
	plane_event_limit_at(plane_last(), 3, DP_KEY_TX, DP_LIMIT_OCTETS, first);
	take_both(3, 4, 2);
	assert_int_equal(video()->tx_keys, 2);
	assert_int_equal(video()->rx_keys, 2);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 2);
	assert_int_equal(renewals("octets", "renewed"), 1);
	plane_event_limit_at(plane_last(), 3, DP_KEY_TX, DP_LIMIT_OCTETS, first);
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Speech was refused: the keys of the pictures are the side's, and they age. */
static void test_pictures_alone(void **state)
{
	json_t *data, *call, *leg;

	(void)state;
	policy("\"interval\":3600,\"jitter\":0,\"octets\":\"100000\"");
	see_bob(0, 2);
	data = look("/srtp-gateway:calls", 0);
	call = json_array_get(json_object_get(json_object_get(data, "calls"), "call"), 0);
	leg = json_array_get(json_object_get(call, "leg"), 1);
	assert_string_equal(text_in(leg, "suite"), "AEAD_AES_256_GCM");
	assert_int_equal(json_integer_value(json_object_get(leg, "key-epoch")), 1);
	json_decref(data);
	plane_event_limit_at(plane_last(), 3, DP_KEY_RX, DP_LIMIT_OCTETS, video()->rx.epoch);
	take_both(0, 3, 2);
	pass(HOUR - MINUTE);
	silence(NULL);
	pass(MINUTE + 1000);
	take_both(0, 4, 3);
	assert_int_equal(video()->tx_keys, 3);
	assert_int_equal(renewals("interval", "renewed"), 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* The peer renews the key of its speech alone, time and again: that of its pictures grows old all the same. */
static void test_the_oldest_key_counts(void **state)
{
	unsigned keys;

	(void)state;
	policy("\"interval\":3600,\"jitter\":0");
	see_bob(1, 2);
	pass(HOUR / 2);
	keys = video()->tx_keys;
	reinvite(3, 2, 2);
	assert_true(plane_last()->rx_keys[DP_SIDE_B] > 1);
	assert_int_equal(video()->rx_keys, 1);
	assert_int_equal(video()->tx_keys, keys);
	pass(HOUR / 2 - MINUTE);
	silence(NULL);
	pass(MINUTE + 1000);
	take_both(4, 5, 3);
	assert_int_equal(video()->tx_keys, keys + 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Who takes a new key for its speech and goes on with that of its pictures has not renewed them. */
static void test_half_a_renewal_is_one_way(void **state)
{
	(void)state;
	policy("\"interval\":0");
	see_bob(1, 2);
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	take_both(3, 2, 2);
	assert_int_equal(renewals("operator", "one-way"), 1);
	assert_int_equal(renewals("operator", "renewed"), 0);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static json_int_t number_in(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v))
		fail_msg("no number %s", name);
	return json_integer_value(v);
}

static json_t *leg_at(const json_t *records, unsigned i, unsigned side)
{
	return json_array_get(json_object_get(json_array_get(records, i), "legs"), side);
}

/* Both transports' keys, after a renewal. */
static void check_record(const json_t *leg)
{
	const json_t *transports = json_object_get(leg, "transports"), *keys = json_object_get(leg, "keys"), *video_of;
	json_int_t sum[2] = {0};

	assert_int_equal(json_array_size(transports), 2);
	assert_int_equal(json_array_size(keys), 4);
	for (unsigned i = 0; i < 4; i++) {
		const json_t *k = json_array_get(keys, i);

		assert_string_equal(text_in(k, "cause"), number_in(k, "key") == 1 ? "setup" : "operator");
		assert_string_equal(text_in(k, "suite"), "AEAD_AES_256_GCM");
		sum[number_in(k, "transport") - 1] += number_in(k, "rx-packets");
	}
	assert_int_equal(sum[0], 101);
	assert_int_equal(sum[1], 1001);
	assert_int_equal(number_in(leg, "rx-packets"), 1102);
	assert_int_equal(number_in(json_object_get(leg, "anomalies"), "replays"), 5);
	video_of = json_array_get(transports, 1);
	assert_int_equal(number_in(video_of, "transport"), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(video_of, "m-lines"), 0)), "video");
	assert_string_equal(text_in(video_of, "suite"), "AEAD_AES_256_GCM");
	assert_int_equal(number_in(video_of, "keys"), 2);
	assert_int_equal(number_in(video_of, "rx-packets"), 1001);
	assert_int_equal(number_in(json_object_get(video_of, "anomalies"), "replays"), 5);
	assert_int_equal(number_in(json_object_get(json_array_get(transports, 0), "anomalies"), "replays"), 0);
}

/* The audit has each transport, also of a call that outlived a crash; of others what it always had. */
static void test_the_record_has_every_transport(void **state)
{
	struct audit *a = audit_begin();
	json_t *all;

	(void)state;
	bench_keep_calls();
	policy("\"interval\":0");
	see_bob(1, 2);
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	take_both(3, 4, 2);
	b2bua_set_audit(bench.b2bua, NULL);
	bench_crash(false);
	b2bua_set_audit(bench.b2bua, a);
	pass(1100);
	for (unsigned i = 0; i < 2; i++) {
		hear(i ? &bob : &alice, "OPTIONS");
		reply(i ? &bob : &alice, "200 OK");
	}
	hang_up(&alice, &bob);
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
	expect_no_calls();
	all = audit_read("session");
	check_record(leg_at(all, 0, DP_SIDE_B));
	assert_int_equal(json_array_size(json_object_get(leg_at(all, 0, DP_SIDE_A), "transports")), 2);
	assert_null(json_object_get(leg_at(all, 0, DP_SIDE_A), "keys"));
	assert_null(json_object_get(leg_at(all, 1, DP_SIDE_B), "transports"));
	assert_null(json_object_get(json_array_get(json_object_get(leg_at(all, 1, DP_SIDE_B), "keys"), 0), "transport"));
	assert_int_equal(number_in(leg_at(all, 1, DP_SIDE_B), "rx-packets"), 101);
	json_decref(all);
	audit_end(a);
}

static const char *by_ice(unsigned audio, unsigned pictures)
{
	static char text[4096];

	snprintf(text, sizeof text,
		"%sa=ice-ufrag:FZjw\r\na=ice-pwd:rvXPzEZvic8KMZU+788m452O\r\na=rtcp-mux\r\n"
		"a=candidate:1 1 UDP 2130706431 198.51.100.1 %u typ host\r\n",
		both(&bob, audio, pictures, 1), 40000 + pictures);
	return text;
}

/*
 * Bob finds his way by ICE, for pictures and speech each. When checks for one of them stay away he is there as long as he is
 * heard by the other.
 */
static void test_ice_that_stops_on_one_of_two(void **state)
{
	char speech[4096];
	const char *pictures, *at;

	(void)state;
	bench_change("\"crypto-profile\":\"gcm\"}},{\"name\":\"carrier-b\"",
		"\"crypto-profile\":\"gcm\"},\"ice\":\"lite\",\"rtcp-mux\":\"offer\"},{\"name\":\"carrier-b\"");
	dial(&alice, "+1001", "", both(&alice, 1, 2, 1));
	hear(&bob, "INVITE");
	pictures = by_ice(1, 2);
	at = strstr(pictures, "m=video");
	snprintf(speech, sizeof speech,
		"%.*sa=ice-ufrag:FZjv\r\na=ice-pwd:rvXPzEZvic8KMZU+788m452O\r\na=rtcp-mux\r\n"
		"a=candidate:1 1 UDP 2130706431 198.51.100.1 30001 typ host\r\n%s",
		(int)(at - pictures), pictures, at);
	answer(&bob, "200 OK", "", speech);
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	bench.unheard = 1 << 1;
	plane_event_consent_at(plane_last(), 3, 30000);
	silence(NULL);
	plane_event_consent_at(plane_last(), 1, 8000);
	silence(NULL);
	assert_int_equal(counter("ended_ice"), 0);
	bench.unheard = 1 << 0;
	plane_event_consent_at(plane_last(), 1, 30000);
	silence(NULL);
	bench.unheard = 1 << 0 | 1 << 1;
	plane_event_consent_at(plane_last(), 3, 60000);
	hear(&alice, "BYE");
	expect_heard(&alice, "no ICE check came for 30 s");
	reply(&alice, "200 OK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	expect_no_calls();
	assert_int_equal(counter("ended_ice"), 1);
}

/* Packets and legs of all transports, once the call is over. */
static void test_metrics_have_every_transport(void **state)
{
	(void)state;
	see_bob(1, 2);
	hang_up(&alice, &bob);
	expect_no_calls();
	assert_int_equal(bench.b2bua->ended.received, 100 + 101 + 1000 + 1001);
	assert_int_equal(bench.b2bua->ended.legs[SRTP_SUITE_NONE], 4);
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
	assert_int_equal(bench.b2bua->ended.received, 2 * (100 + 101) + 1000 + 1001);
	assert_int_equal(bench.b2bua->ended.legs[SRTP_SUITE_NONE], 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_limit_of_the_second_m_line),
		T(test_pictures_alone),
		T(test_the_oldest_key_counts),
		T(test_half_a_renewal_is_one_way),
		T(test_the_record_has_every_transport),
		T(test_metrics_have_every_transport),
		T(test_ice_that_stops_on_one_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
