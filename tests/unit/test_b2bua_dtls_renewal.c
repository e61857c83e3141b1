/* SPDX-License-Identifier: Apache-2.0 */
/* New associations in a call: renewed, refused, spoilt by a stranger, recorded, and known after a crash. */
#include "tests/unit/b2bua_dtls_peer.h"
#include "tests/unit/b2bua_renewals.h"

/* Bob takes the offer of a new association, with a certificate of its own; role: who begins it. */
static void take_renewal(enum dtls_role role, bool early)
{
	another_identity();
	hear(&bob, "INVITE");
	if (early)
		open_peer(role);
	settle();
	answer(&bob, "200 OK", "", described(role == DTLS_CLIENT ? "active" : "passive", false));
	hear(&bob, "ACK");
	if (early)
		return;
	assert_true(plane_last()->leg[DP_SIDE_B].flags & DP_LEG_KEYS_PENDING);
	open_peer(role);
}

static unsigned keys_wanted;

static bool renewed(void)
{
	return plane_last()->tx_keys[DP_SIDE_B] == keys_wanted && plane_last()->rx_keys[DP_SIDE_B] == keys_wanted &&
	       peer.association && dtls_association_result(peer.association)->state == DTLS_ESTABLISHED;
}

/*
 * New keys are a new association, on a fresh port, with both in use until it is there; the answer comes before or
 * after the peer's first word. Time and again.
 */
static void test_new_keys(void **state)
{
	struct ip_port before, now;
	uint8_t old[48];

	(void)state;
	up(DTLS_CLIENT);
	for (keys_wanted = 2; keys_wanted < 6; keys_wanted++) {
		before = plane_last()->leg[DP_SIDE_B].local;
		memcpy(old, plane_last()->tx[DP_SIDE_B].master, sizeof old);
		assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
		pass(100);
		take_renewal(keys_wanted % 2 ? DTLS_SERVER : DTLS_CLIENT, keys_wanted > 3);
		now = plane_last()->leg[DP_SIDE_B].local;
		assert_int_not_equal(now.port, before.port);
		assert_true(ip_port_equal(&plane_last()->leg[DP_SIDE_B].local_rtcp, &before));
		run_until(renewed, "the handshake");
		settle();
		assert_keys_fit();
		assert_memory_not_equal(old, plane_last()->tx[DP_SIDE_B].master, 44);
		assert_int_equal(renewals(NULL, "renewed"), keys_wanted - 1);
		silence(NULL);
	}
	assert_int_equal(renewals(NULL, "one-way") + renewals(NULL, "refused"), 0);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static bool given_up(void)
{
	return renewals(NULL, "given-up") > 0;
}

static unsigned turns;

/* Long enough for a worker to say what it has to say. */
static bool a_while(void)
{
	return ++turns > 20;
}

static const char *last_renewal(void)
{
	static char text[16];
	json_t *data = look("/srtp-gateway:calls", 0), *call, *leg;
	size_t i;

	text[0] = '\0';
	call = json_array_get(json_object_get(json_object_get(data, "calls"), "call"), 0);
	json_array_foreach(json_object_get(call, "leg"), i, leg)
		if (json_object_get(leg, "last-renewal"))
			snprintf(text, sizeof text, "%s", text_in(leg, "last-renewal"));
	json_decref(data);
	return text;
}

/* carrier-b has DTLS by a policy with these members (NULL: none more), and renews its keys under one with those. */
static void take_dtls_with_policy(const char *dtls, const char *members)
{
	char policies[256];

	snprintf(policies, sizeof policies,
		"\"rekey-policies\":{\"rekey-policy\":[{\"name\":\"p\",%s}]},"
		"\"dtls-policies\":{\"dtls-policy\":[{\"name\":\"d\"%s}]},\"media\":{\"interface\":[",
		members, dtls ? dtls : "");
	bench_change_all((const struct bench_edit[]){{"\"media\":{\"interface\":[", policies},
				 {"\"crypto-profile\":\"gcm\"}},{\"name\":\"carrier-b\"",
					 "\"crypto-profile\":\"gcm\",\"keying\":[\"dtls\"],\"dtls-policy\":\"d\","
					 "\"rekey-policy\":\"p\"},\"rtcp-mux\":\"offer\"},{\"name\":\"carrier-b\""}},
		2);
}

/* A call with bob, who shakes hands as the server. */
static void call_under_dtls(void)
{
	invite_bob();
	open_peer(DTLS_SERVER);
	answered("passive", false);
	run_until(secured, "the handshake");
}

/* It takes the offer and shakes no hands: the keys in force serve on, or the call ends, as the policy has it. */
static void test_a_renewal_that_fails(void **state)
{
	(void)state;
	bench_keep_calls();
	for (int end = 0; end < 2; end++) {
		unsigned said;

		take_dtls_with_policy(",\"handshake-timeout\":4",
			end ? "\"attempts\":1,\"on-refusal\":\"end-call\""
			    : "\"attempts\":3,\"on-refusal\":\"alarm-and-continue\"");
		call_under_dtls();
		assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
		pass(100);
		dtls_association_close(peer.association);
		peer.association = NULL;
		hear(&bob, "INVITE");
		answer(&bob, "200 OK", "", described("actpass", false));
		hear(&bob, "ACK");
		if (end) {
			run_until(ended, "the call ends");
			expect_heard(&bob, "new keys were refused: DTLS timeout");
			reply(&bob, "200 OK");
			hear(&alice, "BYE");
			reply(&alice, "200 OK");
		} else {
			run_until(given_up, "the gateway gives up");
			assert_int_equal(renewals(NULL, "refused"), 1); /* asked again it would do the same */
			assert_int_equal(b2bua_rekey_all(bench.b2bua), 0);
			said = peer.datagrams;
			turns = 0;
			run_until(a_while, "some turns");
			assert_int_equal(peer.datagrams, said); /* nor is the handshake begun once more */
			silence(NULL);
			assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
			assert_false(plane_last()->leg[DP_SIDE_B].flags & DP_LEG_KEYS_PENDING);
			bench_crash(false);
			assert_string_equal(last_renewal(), "given-up");
			assert_int_equal(b2bua_rekey_all(bench.b2bua), 0); /* the next process knows it too */
			hang_up(&alice, &bob);
		}
		expect_no_calls();
	}
}

static unsigned refusals_wanted;

static bool refused_often(void)
{
	return renewals(NULL, "refused") == refusals_wanted;
}

/* Bob takes the offer; somebody else, with another certificate, is faster on the media path. */
static void renew_with_stranger(bool end)
{
	dtls_association_close(peer.association);
	peer.association = NULL;
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", described("passive", true));
	hear(&bob, "ACK");
	open_peer(DTLS_SERVER);
	if (end)
		run_until(ended, "the call ends");
	else
		run_until(refused_often, "the renewal fails");
}

/*
 * A stranger in the middle of a renewal has no part in the keys from before: they serve on, the peer is asked again,
 * and only the policy ends the call.
 */
static void test_a_stranger_during_a_renewal(void **state)
{
	(void)state;
	take_dtls_with_policy(NULL, "\"attempts\":3,\"retry-after\":5,\"on-refusal\":\"alarm-and-continue\"");
	call_under_dtls();
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	for (refusals_wanted = 1; refusals_wanted <= 2; refusals_wanted++) {
		renew_with_stranger(false);
		settle();
		assert_int_equal(bench.live, 1);
		assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
		assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], 1);
		assert_false(plane_last()->leg[DP_SIDE_B].flags & DP_LEG_KEYS_PENDING);
		silence(NULL);
		pass(5100);
	}
	take_renewal(DTLS_SERVER, false);
	keys_wanted = 2;
	run_until(renewed, "the handshake with the peer itself");
	settle();
	assert_keys_fit();
	assert_int_equal(renewals(NULL, "renewed"), 1);
	assert_int_equal(renewals(NULL, "given-up"), 0);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_stranger_during_a_renewal_where_the_policy_ends_calls(void **state)
{
	(void)state;
	take_dtls_with_policy(NULL, "\"attempts\":1,\"on-refusal\":\"end-call\"");
	call_under_dtls();
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	renew_with_stranger(true);
	expect_heard(&bob, "new keys were refused: DTLS fingerprint");
	reply(&bob, "200 OK");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	expect_no_calls();
}

static const struct ip_port *media_to(void)
{
	return &plane_last()->leg[DP_SIDE_B].remote;
}

/*
 * The answer to the offer of a new association says that the peer is elsewhere: what the keys from before
 * open goes where it was until the new ones are there, and stays there when they do not come.
 */
static void test_a_renewal_that_moves(void **state)
{
	struct ip_port before;

	(void)state;
	take_dtls_with_policy(NULL, "\"attempts\":3,\"retry-after\":5,\"on-refusal\":\"alarm-and-continue\"");
	call_under_dtls();
	before = peer.address;
	assert_true(ip_port_equal(media_to(), &before));
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	refusals_wanted = 1;
	peer.address.ip.octets[3] = 77;
	peer.address.port = 40000;
	renew_with_stranger(false);
	settle();
	assert_int_equal(plane_last()->tx_keys[DP_SIDE_B], 1);
	assert_true(ip_port_equal(media_to(), &before));
	pass(5100);
	take_renewal(DTLS_SERVER, false);
	assert_true(ip_port_equal(media_to(), &before));
	keys_wanted = 2;
	run_until(renewed, "the handshake with the peer itself");
	settle();
	assert_keys_fit();
	assert_true(ip_port_equal(media_to(), &peer.address));
	/* Of its own accord as well. */
	before = peer.address;
	peer.address.port = 50000;
	another_identity();
	says_so("passive");
	associate(&peer.association, DTLS_SERVER, bob.heard->body, say_datagram);
	assert_true(ip_port_equal(media_to(), &before));
	say(&bob, "ACK", "", "");
	keys_wanted = 3;
	run_until(renewed, "the handshake at the next place");
	settle();
	assert_true(ip_port_equal(media_to(), &peer.address));
	/* An association that goes on moves with its peer at once. */
	peer.address.port = 50002;
	say(&bob, "INVITE", "", described("actpass", false));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 3));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	assert_true(ip_port_equal(media_to(), &peer.address));
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* It says so, and has its answer; the association that it begins, if any, is still to come. */
static void moves_to(struct ip_port to, const char *setup_value)
{
	peer.address = to;
	says_so(setup_value);
}

/* Held by address it is nowhere; that is forgotten as little as where it was while it had the keys in force.
 */
static void test_who_was_held_by_address_moves(void **state)
{
	struct ip_port before, held, after;

	(void)state;
	take_dtls_with_policy(NULL, "\"on-refusal\":\"alarm-and-continue\"");
	call_under_dtls();
	before = held = after = peer.address;
	memset(held.ip.octets, 0, 4);
	after.port = 50000;
	moves_to(held, "actpass");
	say(&bob, "ACK", "", "");
	assert_int_equal(media_to()->ip.family, IP_NONE);
	another_identity();
	for (unsigned i = 0; i < 2; i++) {
		moves_to(after, "passive");
		assert_true(ip_port_equal(media_to(), &before));
		if (i)
			break;
		say(&bob, "ACK", "", "");
		moves_to(held, "passive");
		say(&bob, "ACK", "", "");
		assert_int_equal(media_to()->ip.family, IP_NONE);
	}
	associate(&peer.association, DTLS_SERVER, bob.heard->body, say_datagram);
	say(&bob, "ACK", "", "");
	keys_wanted = 2;
	run_until(renewed, "the handshake at the next place");
	settle();
	assert_true(ip_port_equal(media_to(), &after));
	/* With the association that goes on it is where it says, also after a hold. */
	moves_to(held, "actpass");
	say(&bob, "ACK", "", "");
	moves_to(before, "actpass");
	say(&bob, "ACK", "", "");
	assert_true(ip_port_equal(media_to(), &before));
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Nor does a crash make the keys in force those of the place that it was to move to. */
static void test_a_crash_after_a_renewal_that_moved_and_failed(void **state)
{
	struct ip_port before;

	(void)state;
	bench_keep_calls();
	take_dtls_with_policy(NULL, "\"attempts\":3,\"retry-after\":5,\"on-refusal\":\"alarm-and-continue\"");
	call_under_dtls();
	before = peer.address;
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	refusals_wanted = 1;
	peer.address.port = 40000;
	renew_with_stranger(false);
	settle();
	bench_crash(false);
	pass(1050);
	hear(&alice, "OPTIONS");
	reply(&alice, "200 OK");
	hear(&bob, "OPTIONS");
	reply(&bob, "200 OK");
	pass(5000);
	keys_wanted = 2;
	take_renewal(DTLS_SERVER, false);
	assert_true(ip_port_equal(media_to(), &before));
	run_until(renewed, "the handshake");
	settle();
	assert_true(ip_port_equal(media_to(), &peer.address));
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void assert_recorded(const json_t *leg, unsigned keys)
{
	const json_t *dtls = json_object_get(leg, "dtls");
	char fingerprint[DTLS_FINGERPRINT_TEXT];
	struct wbuf w = wbuf_make(fingerprint, sizeof fingerprint - 1);
	struct dtls_fingerprint f;

	assert_string_equal(text_in(leg, "keying"), "dtls");
	assert_true(strncmp(text_in(dtls, "version"), "DTLSv1.", 7) == 0);
	assert_string_equal(text_in(dtls, "cipher"), dtls_association_result(peer.association)->cipher);
	assert_string_equal(text_in(dtls, "group"), dtls_association_result(peer.association)->group);
	assert_string_equal(text_in(dtls, "profile"), "SRTP_AEAD_AES_256_GCM");
	assert_true(json_is_true(json_object_get(dtls, "fingerprint-authenticated")));
	assert_int_equal(dtls_identity_fingerprint(peer.identity, DTLS_SHA256, &f), 0);
	dtls_fingerprint_print(&w, &f);
	fingerprint[w.len] = '\0';
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(dtls, "fingerprints"), 0)), fingerprint);
	assert_int_equal(json_array_size(json_object_get(leg, "keys")), keys);
}

/* The last session's record; a new reference. */
static json_t *close_audit(struct audit *a)
{
	json_t *all = audit_read("session"), *last = json_incref(json_array_get(all, json_array_size(all) - 1));

	json_decref(all);
	audit_end(a);
	return last;
}

static long long anomaly(const json_t *record, unsigned side, const char *name)
{
	const json_t *leg = json_array_get(json_object_get(record, "legs"), side);

	return json_integer_value(json_object_get(json_object_get(leg, "anomalies"), name));
}

static void test_what_the_audit_keeps(void **state)
{
	struct audit *a = audit_begin();
	json_t *record, *legs;

	(void)state;
	up(DTLS_SERVER);
	/* Somebody offers less in the middle of it: refused, and remembered. */
	say(&bob, "INVITE", "", "v=0\r\no=- 1 2 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
				 "m=audio 30001 RTP/AVP 8\r\n");
	hear(&bob, "488");
	say(&bob, "ACK", "", "");
	hang_up(&alice, &bob);
	expect_no_calls();
	record = close_audit(a);
	legs = json_object_get(record, "legs");
	assert_recorded(json_array_get(legs, 1), 1);
	assert_null(json_object_get(json_array_get(legs, 0), "dtls"));
	assert_int_equal(anomaly(record, 1, "downgrade-clear"), 1);
	assert_int_equal(anomaly(record, 0, "downgrade-clear"), 0);
	json_decref(record);
}

/* The next process knows that a renewal is due, and all that the audit is to keep. */
static void test_a_crash_after_a_renewal_that_failed(void **state)
{
	struct audit *a;
	json_t *record, *leg;

	(void)state;
	bench_keep_calls();
	a = audit_begin();
	take_dtls_with_policy(NULL, "\"on-refusal\":\"alarm-and-continue\"");
	call_under_dtls();
	refusals_wanted = 1;
	assert_int_equal(b2bua_rekey_all(bench.b2bua), 1);
	pass(100);
	renew_with_stranger(false);
	assert_string_equal(last_renewal(), "refused");
	b2bua_set_audit(bench.b2bua, NULL);
	bench_crash(false);
	b2bua_set_audit(bench.b2bua, a);
	assert_string_equal(last_renewal(), "refused");
	pass(1050);
	hear(&alice, "OPTIONS");
	reply(&alice, "200 OK");
	hear(&bob, "OPTIONS");
	reply(&bob, "200 OK");
	pass(5000);
	keys_wanted = 2;
	take_renewal(DTLS_SERVER, false);
	run_until(renewed, "the handshake");
	assert_string_equal(last_renewal(), "renewed");
	hang_up(&alice, &bob);
	expect_no_calls();
	record = close_audit(a);
	leg = json_array_get(json_object_get(record, "legs"), 1);
	assert_recorded(leg, 2);
	assert_string_equal(text_in(json_array_get(json_object_get(leg, "keys"), 0), "cause"), "setup");
	assert_string_equal(text_in(json_array_get(json_object_get(leg, "keys"), 1), "cause"), "operator");
	assert_int_equal(anomaly(record, 1, "renewals-failed"), 1);
	assert_int_equal(anomaly(record, 1, "wrong-fingerprints"), 1);
	json_decref(record);
}

/*
 * The process was killed while the peer's own new association was to begin: the next one knows nothing of it,
 * and offers another.
 */
static void test_a_crash_before_the_peers_association(void **state)
{
	(void)state;
	bench_keep_calls();
	take_dtls_with_policy(NULL, "\"on-refusal\":\"alarm-and-continue\"");
	call_under_dtls();
	another_identity();
	says_so("active");
	say(&bob, "ACK", "", "");
	bench_crash(false);
	pass(1050);
	hear(&alice, "OPTIONS");
	reply(&alice, "200 OK");
	hear(&bob, "OPTIONS");
	reply(&bob, "200 OK");
	pass(5000);
	keys_wanted = 2;
	take_renewal(DTLS_SERVER, false);
	run_until(renewed, "the handshake");
	hang_up(&alice, &bob);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TD(test_new_keys),
		TD(test_a_renewal_that_fails),
		TD(test_a_stranger_during_a_renewal),
		TD(test_a_stranger_during_a_renewal_where_the_policy_ends_calls),
		TD(test_a_renewal_that_moves),
		TD(test_who_was_held_by_address_moves),
		TD(test_a_crash_after_a_renewal_that_moved_and_failed),
		TD(test_a_crash_after_a_renewal_that_failed),
		TD(test_a_crash_before_the_peers_association),
		TD(test_what_the_audit_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
