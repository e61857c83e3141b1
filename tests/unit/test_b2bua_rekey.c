/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are renewed during a call: when, how, and what becomes of a call whose peer refuses. */
#include "tests/unit/b2bua_renewals.h"

/* p answers the re-INVITE that it heard, with keys that follow from n. */
static void take(struct phone *p, unsigned n)
{
	answer(p, "200 OK", "", sdp_as(p, n, n + 20, "sendrecv"));
	hear(p, "ACK");
	silence(NULL);
}

static void refuse(struct phone *p, const char *status)
{
	answer(p, status, "", "");
	hear(p, "ACK");
}

/* Nothing happens for a while; then, within another, bob is offered new keys. */
static void pass_to_offer(unsigned quiet_ms, unsigned window_ms)
{
	pass(quiet_ms);
	silence(NULL);
	for (unsigned ms = 0; !hear_any(&bob); ms += 500) {
		assert_true(ms < window_ms);
		pass(500);
	}
	assert_true(bob.heard->request && bob.heard->method == SIP_INVITE);
}

static uint32_t tx_epoch(void)
{
	return plane_last()->tx[DP_SIDE_B].epoch;
}

/* By age, again and again; the other side hears nothing of it, and nothing but the key changes. */
static void test_interval(void **state)
{
	struct dp_leg_update before;

	(void)state;
	policy("\"interval\":3600,\"jitter\":10");
	call_up(&alice, &bob);
	before = plane_last()->leg[DP_SIDE_B];
	for (unsigned n = 2; n < 5; n++) {
		uint8_t old[48];

		memcpy(old, plane_last()->tx[DP_SIDE_B].master, sizeof old);
		pass_to_offer(HOUR / 10 * 9 - 2000, HOUR / 10 + 3000);
		expect_heard(&bob, "a=sendrecv\r\n");
		assert_true(plane_last()->leg[DP_SIDE_B].flags & DP_LEG_KEYS_PENDING);
		assert_memory_equal(old, plane_last()->tx[DP_SIDE_B].master, sizeof old); /* not yet */
		take(&bob, n);
		assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], n);
		assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], n);
		assert_memory_not_equal(old, plane_last()->tx[DP_SIDE_B].master, sizeof old);
		assert_int_equal(
			plane_last()->leg[DP_SIDE_B].streams[0].direction, before.streams[0].direction);
		assert_true(ip_port_equal(&plane_last()->leg[DP_SIDE_B].local, &before.local));
	}
	assert_int_equal(renewals("interval", "renewed"), 3);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Several limits of one key are one renewal; what is said of a key that is gone already is none. */
static void test_limits(void **state)
{
	uint32_t first;

	(void)state;
	policy("\"interval\":0,\"packets\":\"5000\",\"octets\":\"100000\"");
	call_up(&alice, &bob);
	assert_int_equal(plane_last()->tx[DP_SIDE_B].soft_packets, 5000);
	assert_int_equal(plane_last()->rx[DP_SIDE_B].soft_octets, 100000);
	first = tx_epoch();
	plane_event_limit(plane_last(), DP_SIDE_B, DP_KEY_TX, DP_LIMIT_PACKETS, first);
	hear(&bob, "INVITE");
	plane_event_limit(plane_last(), DP_SIDE_B, DP_KEY_TX, DP_LIMIT_OCTETS, first);
	plane_event_limit(
		plane_last(), DP_SIDE_B, DP_KEY_RX, DP_LIMIT_PACKETS, plane_last()->rx[DP_SIDE_B].epoch);
	take(&bob, 2);
	plane_event_limit(plane_last(), DP_SIDE_B, DP_KEY_TX, DP_LIMIT_OCTETS, first);
	silence(NULL);
	assert_true(tx_epoch() > first);
	plane_event_limit(
		plane_last(), DP_SIDE_B, DP_KEY_RX, DP_LIMIT_OCTETS, plane_last()->rx[DP_SIDE_B].epoch);
	hear(&bob, "INVITE");
	take(&bob, 3);
	assert_int_equal(renewals("packets", "renewed"), 1);
	assert_int_equal(renewals("octets", "renewed"), 1);
	pass(2 * HOUR);
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* RFC 3261 section 14.1: asked again a moment later. */
static void test_glare(void **state)
{
	(void)state;
	policy("\"interval\":0");
	call_up(&alice, &bob);
	plane_event_limit(plane_last(), DP_SIDE_B, DP_KEY_TX, DP_LIMIT_PACKETS, tx_epoch());
	hear(&bob, "INVITE");
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&bob, "491");
	say(&bob, "ACK", "", "");
	refuse(&bob, "491 Request Pending");
	silence(NULL);
	/* Theirs goes first, and brings new keys itself: ours is not needed any more. */
	say(&bob, "INVITE", "", sdp_as(&bob, 3, 13, "sendonly"));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 3, 13, "recvonly"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	pass(5000);
	silence(NULL);
	plane_event_limit(plane_last(), DP_SIDE_B, DP_KEY_TX, DP_LIMIT_PACKETS, tx_epoch());
	hear(&bob, "INVITE");
	refuse(&bob, "491 Request Pending");
	pass(5000);
	hear(&bob, "INVITE");
	expect_heard(&bob, "a=recvonly\r\n"); /* as it is on hold */
	answer(&bob, "200 OK", "", sdp_as(&bob, 4, 14, "sendonly"));
	hear(&bob, "ACK");
	silence(NULL);
	assert_int_equal(renewals("packets", "renewed"), 1);
	assert_int_equal(renewals("packets", "refused"), 0);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void refuse_all(unsigned attempts, unsigned retry_s)
{
	plane_event_limit(plane_last(), DP_SIDE_B, DP_KEY_TX, DP_LIMIT_PACKETS, tx_epoch());
	for (unsigned i = 0; i < attempts; i++) {
		hear(&bob, "INVITE");
		refuse(&bob, "488 Not Acceptable Here");
		if (i + 1 == attempts)
			break;
		silence(NULL);
		assert_false(plane_last()->leg[DP_SIDE_B].flags & DP_LEG_KEYS_PENDING);
		pass(retry_s * 1000 + 100);
	}
}

static void test_a_peer_that_refuses_goes_on(void **state)
{
	struct audit *a = audit_begin();
	json_t *all, *leg;

	(void)state;
	policy("\"interval\":3600,\"jitter\":0,\"attempts\":2,\"retry-after\":40");
	call_up(&alice, &bob);
	refuse_all(2, 40);
	silence(NULL);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	assert_int_equal(renewals("packets", "refused"), 2);
	assert_int_equal(renewals("packets", "given-up"), 1);
	pass_to_offer(HOUR - 2000, 3000);
	take(&bob, 5);
	assert_int_equal(renewals("interval", "renewed"), 1);
	hang_up(&bob, &alice);
	expect_no_calls();
	all = audit_read("session");
	leg = json_array_get(json_object_get(json_array_get(all, 0), "legs"), 1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(leg, "anomalies"), "renewals-failed")), 2);
	assert_string_equal(text_in(json_object_get(leg, "policies"), "rekey-policy"), "p");
	assert_string_equal(text_in(json_object_get(leg, "policies"), "crypto-profile"), "gcm");
	assert_string_equal(text_in(json_array_get(json_object_get(leg, "keys"), 1), "cause"), "interval");
	json_decref(all);
	audit_end(a);
}

static void test_a_peer_that_refuses_ends_the_call(void **state)
{
	(void)state;
	policy("\"interval\":3600,\"on-refusal\":\"end-call\"");
	call_up(&alice, &bob);
	refuse_all(3, 30);
	hear(&bob, "BYE");
	expect_heard(&bob, "new keys were refused");
	reply(&bob, "200 OK");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	expect_no_calls();
	assert_int_equal(renewals("packets", "given-up"), 1);
}

/* A peer that takes our key and keeps its own is not deaf, and is told apart. */
static void test_one_way(void **state)
{
	unsigned legs;

	(void)state;
	policy("\"interval\":0");
	call_up(&alice, &bob);
	assert_int_equal(b2bua_rekey(bench.b2bua, STR("nothing"), &legs), -ENOENT);
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	hear(&bob, "INVITE");
	take(&bob, 1); /* what it had */
	assert_int_equal(renewals("operator", "one-way"), 1);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 2);
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* carrier-b keeps the first key that it heard: it is left alone. */
static void test_who_keeps_its_key_is_left_alone(void **state)
{
	json_t *data, *call;
	unsigned legs;

	(void)state;
	call_up(&bob, &carol);
	data = look("/srtp-gateway:calls", 0);
	call = json_array_get(json_object_get(json_object_get(data, "calls"), "call"), 0);
	plane_event_limit(
		plane_last(), DP_SIDE_B, DP_KEY_TX, DP_LIMIT_PACKETS, plane_last()->tx[DP_SIDE_B].epoch);
	pass(2 * HOUR);
	silence(NULL);
	assert_int_equal(
		b2bua_rekey(bench.b2bua, str_z(json_string_value(json_object_get(call, "id"))), &legs), 0);
	assert_int_equal(legs, 1);
	json_decref(data);
	settle();
	hear(&bob, "INVITE");
	take(&bob, 2);
	hang_up(&bob, &carol);
	expect_no_calls();
}

/* There is no way to the peer when its keys are due: the call goes on, and it is asked again. */
static void test_who_cannot_be_reached_now_is_asked_later(void **state)
{
	(void)state;
	policy("\"interval\":0,\"retry-after\":10");
	call_up(&alice, &bob);
	bench.send_result = -ENOTCONN;
	bench.refuse_ip = bob.ip;
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	bench.send_result = 0;
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	assert_int_equal(renewals("operator", "refused"), 1);
	pass(11000);
	hear(&bob, "INVITE");
	take(&bob, 2);
	assert_int_equal(renewals("operator", "renewed"), 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* The answer comes in a reliable 183, and the 200 has none. */
static void test_an_answer_before_the_200(void **state)
{
	(void)state;
	policy("\"interval\":0");
	call_up(&alice, &bob);
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	hear(&bob, "INVITE");
	answer(&bob, "183 Session Progress", "Require: 100rel\r\nRSeq: 1\r\n",
		sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&bob, "PRACK");
	reply(&bob, "200 OK");
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], 2);
	answer(&bob, "200 OK", "", "");
	hear(&bob, "ACK");
	silence(NULL);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 2);
	assert_int_equal(renewals("operator", "renewed"), 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Both sides at once: one's answer is no answer to the other's offer. */
static void test_both_sides(void **state)
{
	uint32_t b;

	(void)state;
	bench_change("\"own-leg\"", "\"always\"");
	call_up(&bob, &carol);
	b = plane_last()->tx[DP_SIDE_B].epoch;
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	hear(&bob, "INVITE");
	hear(&carol, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 22, "sendrecv"));
	hear(&bob, "ACK");
	refuse(&carol, "491 Request Pending");
	assert_int_equal(plane_last()->tx[DP_SIDE_B].epoch, b);
	pass(5000);
	hear(&carol, "INVITE");
	take(&carol, 3);
	for (unsigned side = 0; side < 2; side++) {
		assert_int_equal(plane_last()->tx_keys[side], 2);
		assert_int_equal(plane_last()->rx_keys[side], 2);
	}
	assert_int_equal(renewals("operator", "renewed"), 2);
	hang_up(&bob, &carol);
	expect_no_calls();
}

/* By UPDATE where the peer says that it takes it; by a re-INVITE when it does not after all. */
static void test_update(void **state)
{
	(void)state;
	policy("\"interval\":0,\"method\":\"update\"");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "Allow: INVITE, ACK, BYE, UPDATE\r\n", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	plane_event_limit(plane_last(), DP_SIDE_B, DP_KEY_TX, DP_LIMIT_PACKETS, tx_epoch());
	hear(&bob, "UPDATE");
	expect_heard(&bob, "a=crypto:1 AEAD_AES_256_GCM inline:");
	/* Theirs meets ours. */
	struct sip_msg *ours = bob.heard;

	bob.heard = NULL;
	say(&bob, "UPDATE", "", sdp_as(&bob, 2, 12, "sendonly"));
	hear(&bob, "491");
	sip_msg_free(bob.heard);
	bob.heard = ours;
	reply_sdp(&bob, "200 OK", sdp_as(&bob, 3, 13, "sendrecv"));
	silence(NULL);
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 2);
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], 2);
	plane_event_limit(plane_last(), DP_SIDE_B, DP_KEY_TX, DP_LIMIT_PACKETS, tx_epoch());
	hear(&bob, "UPDATE");
	reply(&bob, "501 Not Implemented");
	pass(100);
	hear(&bob, "INVITE");
	take(&bob, 4);
	assert_int_equal(renewals("packets", "renewed"), 2);
	assert_int_equal(renewals("packets", "refused"), 0);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* A thousand calls of one moment: their keys are due evenly over the jitter, and none later than its age. */
static void test_a_thousand_calls_of_one_moment(void **state)
{
	enum { CALLS = 1000, WINDOW_S = 360, MOST = 2 * CALLS / WINDOW_S };
	unsigned total = 0, seconds_with[MOST + 1] = {0};

	(void)state;
	policy("\"interval\":3600,\"jitter\":10");
	for (unsigned i = 0; i < CALLS; i++)
		call_up(&alice, &bob);
	pass((3600 - WINDOW_S - 1) * 1000);
	silence(NULL);
	for (unsigned s = 0; s < WINDOW_S + 2; s++) {
		unsigned n = 0;

		pass(1000);
		while (hear_any(&bob))
			if (bob.heard->request && bob.heard->method == SIP_INVITE) {
				answer(&bob, "200 OK", "", sdp_as(&bob, 2, 30, "sendrecv"));
				n++;
			}
		assert_in_range(n, 0, MOST);
		seconds_with[n]++;
		total += n;
	}
	for (unsigned n = 0; n <= MOST; n++)
		print_message("# %u renewals in a second: %u seconds of %u\n", n, seconds_with[n], WINDOW_S + 2);
	assert_int_equal(total, CALLS);
	/* Evenly: but for the ends of the window there is no second without one. */
	assert_in_range(seconds_with[0], 0, 3);
	assert_int_equal(renewals("interval", "renewed"), CALLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_interval),
		T(test_limits),
		T(test_glare),
		T(test_a_peer_that_refuses_goes_on),
		T(test_a_peer_that_refuses_ends_the_call),
		T(test_one_way),
		T(test_who_keeps_its_key_is_left_alone),
		T(test_who_cannot_be_reached_now_is_asked_later),
		T(test_an_answer_before_the_200),
		T(test_both_sides),
		T(test_update),
		T(test_a_thousand_calls_of_one_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
