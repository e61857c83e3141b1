/* SPDX-License-Identifier: Apache-2.0 */
/* Calls and the data plane, limits, the end of the process, and what operators see. */
#include "tests/unit/b2bua_bench.h"

static void test_no_calls_without_a_data_plane(void **state)
{
	(void)state;
	plane_away();
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&alice, "503");
	expect_heard(&alice, "the data plane is not connected");
	expect_heard(&alice, "\r\nRetry-After: 2\r\n");
	say(&alice, "ACK", "", "");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(counter("refused_no_media_plane"), 1);
	plane_restart(true);
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
}

static void test_a_data_plane_that_refuses_ends_the_call(void **state)
{
	static const int commands[] = {DP_SESSION_ADD, DP_LEG_UPDATE, DP_KEY_ADD};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		bench.plane.refuse_type = commands[i];
		dial(&alice, "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "183 Session Progress", "", sdp(&bob, 1));
		hear(&alice, "503");
		expect_heard(&alice, "the plane says no");
		say(&alice, "ACK", "", "");
		hear(&bob, "CANCEL");
		answer(&bob, "487 Request Terminated", "", "");
		hear(&bob, "ACK");
		silence(NULL);
		bench.plane.refuse_type = 0;
		expect_no_calls();
	}
}

static void test_a_data_plane_that_refuses_an_answered_call(void **state)
{
	(void)state;
	bench.plane.refuse_type = DP_KEY_ADD;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "503"); /* not a 200 to a call that is dead */
	expect_heard(&alice, "the plane says no");
	say(&alice, "ACK", "", "");
	hear(&bob, "BYE");
	expect_heard(&bob, "Reason: SIP;cause=503");
	expect_not_heard(&bob, "the plane says no"); /* a carrier need not know */
	reply(&bob, "200 OK");
	silence(NULL);
	bench.plane.refuse_type = 0;
	expect_no_calls();
}

static void test_a_data_plane_that_refuses_a_change_ends_the_call(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench.plane.refuse_type = DP_LEG_UPDATE;
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 11, "sendonly"));
	bench.plane.refuse_type = 0;
	hear(&bob, "BYE"); /* of the change he never hears */
	reply(&bob, "200 OK");
	hear(&alice, "503");
	expect_heard(&alice, "the plane says no");
	say(&alice, "ACK", "", "");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	silence(NULL);
	expect_no_calls();
}

/* All key slots are taken: a party that offers new keys is heard under them as soon as they are agreed on. */
static void test_an_offered_key_without_room(void **state)
{
	unsigned keys;

	(void)state;
	call_up(&alice, &bob);
	keys = plane_last()->rx_keys[DP_SIDE_B];
	bench.no_room = true;
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 12, "sendrecv"));
	hear(&alice, "INVITE");
	assert_int_equal(counter("keys_deferred"), 1);
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], keys);
	answer(&alice, "200 OK", "", sdp_as(&alice, 2, 12, "sendrecv"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	assert_int_equal(plane_last()->rx_keys[DP_SIDE_B], keys + 1);
	assert_int_equal(plane_last()->rx[DP_SIDE_B].role, DP_KEY_CURRENT);
	assert_int_equal(counter("keys_deferred"), 1);
	bench.no_room = false;
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_a_connection_that_breaks_costs_nothing(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	plane_away();
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 11, "sendonly")); /* a change meanwhile */
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp_as(&bob, 2, 11, "recvonly"));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	plane_restart(true);
	silence(NULL);
	assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_RECV);
	hang_up(&alice, &bob);
	expect_no_calls();
	/* A call that ends while nobody is there leaves nothing behind. */
	call_up(&alice, &bob);
	plane_away();
	hang_up(&bob, &alice);
	assert_int_equal(b2bua_call_count(bench.b2bua), 0);
	plane_restart(true);
	expect_no_calls();
}

static void test_media_that_stops_ends_the_call(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	plane_event_timeout(plane_last(), DP_SIDE_A);
	hear(&alice, "BYE");
	expect_heard(&alice, "no media arrived for 60 s");
	hear(&bob, "BYE");
	reply(&alice, "200 OK");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(counter("ended_media_timeout"), 1);
}

/* Whoever calls whom: a trunk says how long its own party may be silent. */
static void test_each_trunk_has_its_media_timeout(void **state)
{
	(void)state;
	bench_change("\"crypto-profile\":\"gcm\"}},{\"name\":\"carrier-b\"",
		"\"crypto-profile\":\"gcm\"},\"media-timeout\":20},{\"name\":\"carrier-b\"");
	call_up(&alice, &bob);
	assert_int_equal(plane_last()->media_timeout_s[DP_SIDE_A], 60);
	assert_int_equal(plane_last()->media_timeout_s[DP_SIDE_B], 20);
	hang_up(&alice, &bob);
	call_up(&bob, &alice);
	assert_int_equal(plane_last()->media_timeout_s[DP_SIDE_A], 20);
	assert_int_equal(plane_last()->media_timeout_s[DP_SIDE_B], 60);
	plane_event_timeout(plane_last(), DP_SIDE_A);
	hear(&alice, "BYE");
	expect_heard(&alice, "no media arrived for 20 s");
	hear(&bob, "BYE");
	reply(&alice, "200 OK");
	reply(&bob, "200 OK");
	expect_no_calls();
	assert_non_null(strstr(last_reason(), "carrier-a"));
}

static void test_ice_that_stops_ends_the_call(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	plane_event_consent(plane_last(), DP_SIDE_B, 8000); /* no checks, but media or keepalives */
	silence(NULL);
	plane_event_consent(plane_last(), DP_SIDE_B, 30000);
	hear(&alice, "BYE");
	expect_heard(&alice, "no ICE check came for 30 s");
	hear(&bob, "BYE");
	reply(&alice, "200 OK");
	reply(&bob, "200 OK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(counter("ended_ice"), 1);
}

static void test_an_attack_on_a_leg_is_told_and_ends_nothing(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	plane_event_attack(plane_last(), DP_SIDE_A, 64);
	plane_event_attack(plane_last(), DP_SIDE_B, 100000);
	assert_int_equal(counter("legs_attacked"), 2);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_shutdown_tells_everybody(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	dial(&carol, "+3002", "", sdp(&carol, 1));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", "", "");
	hear(&carol, "180");
	b2bua_shutdown(bench.b2bua);
	settle();
	hear(&bob, "BYE");
	expect_heard(&bob, "the gateway is shutting down");
	reply(&bob, "200 OK");
	hear(&carol, "503");
	say(&carol, "ACK", "", "");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	hear(&alice, "CANCEL");
	answer(&alice, "487 Request Terminated", "", "");
	hear(&alice, "ACK");
	silence(NULL);
	expect_no_calls();
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&bob, "503");
	say(&bob, "ACK", "", "");
	carol.call_id[0] = carol.remote_tag[0] = '\0';
	say(&carol, "OPTIONS", "", "");
	hear(&carol, "503");
}

/* The end of the process while everything is under way: what calls back late must find what it names. */
static void test_the_end_with_everything_under_way(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 11, "sendonly"));
	dial(&carol, "+3002", "", sdp(&carol, 1));
	bench.plane.mute = true;
	look_and_leave("/srtp-gateway:calls");
	look_and_leave("/srtp-gateway:statistics");
	b2bua_shutdown(bench.b2bua);
}

static void test_limits(void **state)
{
	struct phone twin;

	(void)state;
	call_up(&alice, &carol);
	twin = alice;
	twin.heard = twin.invite = NULL;
	dial(&twin, "+2001", "", sdp(&alice, 1));
	hear(&twin, "503");
	expect_not_heard(&twin, "\r\nRetry-After: "); /* other trunks have room */
	expect_heard(&twin, "carries as many calls as it may");
	say(&twin, "ACK", "", "");
	sip_msg_free(twin.heard);
	hang_up(&alice, &carol);
	call_up(&alice, &carol); /* the place is free again at once */
	hang_up(&carol, &alice);
	assert_int_equal(counter("refused_limit"), 1);
}

static int small_gateway(void **state)
{
	(void)state;
	return bench_setup_with("\"max-calls\":2,\"max-call-rate\":3");
}

/* p calls q, who is busy, until it is refused for this reason. */
static void dial_until(struct phone *p, struct phone *q, const char *why)
{
	for (unsigned i = 0; i < 1000; i++) {
		dial(p, number_of(q), "", sdp(p, 1));
		if (b2bua_call_count(bench.b2bua) == 0)
			break; /* refused */
		hear(q, "INVITE");
		answer(q, "486 Busy Here", "", "");
		hear_all(q, "ACK");
		hear(p, "486");
		say(p, "ACK", "", "");
	}
	hear(p, "503");
	expect_heard(p, why);
	say(p, "ACK", "", "");
}

static void test_rates(void **state)
{
	(void)state;
	dial_until(&carol, &bob, "the trunk takes no more new calls this second");
	assert_int_equal(counter("refused_rate"), 1);
	dial_until(&bob, &alice, "the gateway takes no more new calls this second");
	assert_int_equal(counter("refused_rate"), 2);
	assert_int_equal(counter("refused_limit"), 0);
	expect_no_calls();
}

/* The calls that a trunk makes over its own rate are not taken from what the gateway has for the others. */
static void test_one_trunks_flood_is_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		dial(&carol, "+1001", "", sdp(&carol, 1));
		if (b2bua_call_count(bench.b2bua)) {
			hear(&bob, "INVITE");
			answer(&bob, "486 Busy Here", "", "");
			hear_all(&bob, "ACK");
		}
		hear_any(&carol);
		say(&carol, "ACK", "", "");
	}
	assert_true(counter("refused_rate") > 10);
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
}

static void test_many_calls_leave_nothing(void **state)
{
	static struct phone phones[200];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		phones[i] = (struct phone){.ip = alice.ip, .listener = INSIDE_UDP};
		snprintf(phones[i].number, sizeof phones[i].number, "+3%03u", i);
		dial(&phones[i], "+1001", "", sdp(&alice, 1));
		hear(&bob, "INVITE");
		answer(&bob, "200 OK", "", sdp(&bob, 1));
		hear(&bob, "ACK");
		hear(&phones[i], "200");
		say(&phones[i], "ACK", "", "");
	}
	assert_int_equal(b2bua_call_count(bench.b2bua), 200);
	assert_int_equal(bench.live, 200);
	for (unsigned i = 0; i < 200; i++) {
		say(&phones[i], "BYE", "", "");
		hear(&phones[i], "200");
		hear(&bob, "BYE");
		reply(&bob, "200 OK");
		sip_msg_free(phones[i].heard);
		phones[i].heard = NULL;
	}
	expect_no_calls();
	for (unsigned i = 0; i < 100; i++) {
		call_up(&alice, &bob);
		hang_up(&alice, &bob);
	}
	json_t *data = look("/srtp-gateway:calls", 0), *all = json_object_get(data, "calls");

	assert_int_equal(json_array_size(json_object_get(all, "call")), 256);
	assert_int_equal(json_integer_value(json_object_get(all, "active")), 0);
	assert_int_equal(json_integer_value(json_object_get(all, "total")), 300);
	json_decref(data);
	pass(70000);
	assert_int_equal(sip_txl_count(bench.txl), 0);
}

static json_t *at(json_t *o, const char *a, const char *b)
{
	json_t *part = json_object_get(o, a);

	part = b ? json_object_get(part, b) : part;
	if (!part)
		fail_msg("no %s.%s in %s", a, b ? b : "", json_dumps(o, JSON_INDENT(1)));
	return part;
}

static void expect_text(json_t *o, const char *name, const char *text)
{
	assert_string_equal(json_string_value(at(o, name, NULL)), text);
}

/* A trunk that is known by its certificate alone. */
static void test_a_caller_known_by_his_certificate(void **state)
{
	struct phone dora = {
		.ip = "198.51.100.4", .listener = OUTSIDE_TLS, .suite = "AEAD_AES_256_GCM", .number = "9"};
	json_t *data;

	(void)state;
	dial(&dora, "+3001", "", sdp(&dora, 1));
	hear(&dora, "403");
	phone_connect(&dora, "elsewhere.example");
	dial(&dora, "+3001", "", sdp(&dora, 1));
	hear(&dora, "403");
	phone_connect(&dora, "OUT.d.example");
	call_up(&dora, &alice);
	data = look("/srtp-gateway:calls", 0); /* behind the two that were refused */
	json_t *signalling = json_object_get(
		json_array_get(json_object_get(json_array_get(at(data, "calls", "call"), 2), "leg"), 0),
		"signalling");

	assert_string_equal(json_string_value(json_object_get(signalling, "tls-version")), "TLSv1.3");
	assert_string_equal(json_string_value(json_object_get(signalling, "tls-group")), "X25519");
	json_decref(data);
	/* In the call, requests take her connection; when that is gone, only who shows the same name gets
	 * them. */
	say(&alice, "INVITE", "", sdp_as(&alice, 2, 11, "sendonly"));
	hear(&dora, "INVITE");
	assert_int_equal(dora.flow.conn, dora.conn);
	answer(&dora, "488 No", "", "");
	hear(&dora, "ACK");
	hear(&alice, "488");
	say(&alice, "ACK", "", "");
	phone_disconnect(&dora);
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&dora, "BYE");
	assert_int_equal(dora.flow.conn, 0);
	assert_int_equal(dora.flow.transport, SIP_TLS);
	assert_string_equal(dora.flow.tls_name, "out.d.example");
	reply(&dora, "200 OK");
	expect_no_calls();
	sip_msg_free(dora.heard);
	sip_msg_free(dora.invite);
}

static void test_what_operators_see(void **state)
{
	char one[96];
	json_t *data, *call, *leg;

	(void)state;
	call_up(&alice, &bob);
	data = look("/srtp-gateway:calls/call[state='established']", 0);
	assert_int_equal(json_integer_value(at(data, "calls", "active")), 1);
	call = json_array_get(at(data, "calls", "call"), 0);
	expect_text(call, "from", "+3001");
	expect_text(call, "to", "+1001");
	expect_text(call, "ingress-trunk", "core");
	expect_text(call, "egress-trunk", "carrier-a");
	snprintf(one, sizeof one, "/srtp-gateway:calls/call[id='%s']",
		json_string_value(at(call, "id", NULL)));
	json_decref(data);
	data = look(one, 0);
	call = json_array_get(at(data, "calls", "call"), 0);
	leg = json_array_get(at(call, "leg", NULL), 0);
	expect_text(leg, "media", "rtp");
	assert_null(json_object_get(leg, "suite"));
	expect_text(leg, "local-address", "10.20.0.10:20000");
	assert_int_equal(json_integer_value(at(leg, "rx", "packets")), 100);
	leg = json_array_get(at(call, "leg", NULL), 1);
	expect_text(leg, "media", "srtp");
	expect_text(leg, "suite", "AEAD_AES_256_GCM");
	expect_text(leg, "keying", "sdes");
	assert_int_equal(json_integer_value(at(leg, "rx", "packets")), 101);
	json_decref(data);
	hang_up(&alice, &bob);
	data = look(one, 0);
	call = json_array_get(at(data, "calls", "call"), 0);
	expect_text(call, "state", "ended");
	expect_text(call, "end-reason", "the calling side hung up");
	leg = json_array_get(at(call, "leg", NULL), 1);
	expect_text(leg, "suite", "AEAD_AES_256_GCM");
	assert_int_equal(json_integer_value(at(leg, "rx", "packets")), 101);
	json_decref(data);
	data = look("/srtp-gateway:calls/call[state='established']", 0);
	assert_null(json_object_get(at(data, "calls", NULL), "call"));
	json_decref(data);
	dial(&alice, "+7", "", sdp(&alice, 1));
	hear(&alice, "404");
	data = look("/srtp-gateway:statistics", 0);
	call = at(data, "statistics", NULL);
	assert_int_equal(json_integer_value(at(call, "calls", "total")), 1);
	assert_int_equal(json_integer_value(at(call, "calls", "rejected")), 1);
	assert_int_equal(json_integer_value(at(at(call, "calls", "counters"), "refused-no-route", NULL)), 1);
	assert_int_equal(json_integer_value(at(at(call, "calls", "counters"), "answered", NULL)), 1);
	assert_int_equal(json_integer_value(at(at(call, "data-plane", "rx"), "packets", NULL)), 7);
	json_decref(data);
	data = look("/srtp-gateway:gateway/trunks", 0);
	leg = json_array_get(at(at(data, "gateway", "trunks"), "trunk", NULL), 1);
	expect_text(leg, "name", "core");
	leg = at(leg, "state", NULL);
	expect_text(leg, "oper-state", "up");
	assert_int_equal(json_integer_value(at(leg, "active-calls", NULL)), 0);
	assert_int_equal(json_integer_value(at(leg, "total-calls", NULL)), 1);
	assert_int_equal(json_integer_value(at(leg, "rejected-calls", NULL)), 1);
	expect_text(leg, "last-rejection", "404 no route leads to this number");
	json_decref(data);
	data = look("/srtp-gateway:calls/call[id='nobody']", 0);
	assert_null(json_object_get(at(data, "calls", NULL), "call"));
	json_decref(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_no_calls_without_a_data_plane),
		T(test_a_data_plane_that_refuses_ends_the_call),
		T(test_a_data_plane_that_refuses_an_answered_call),
		T(test_a_data_plane_that_refuses_a_change_ends_the_call),
		T(test_an_offered_key_without_room),
		T(test_a_connection_that_breaks_costs_nothing),
		T(test_media_that_stops_ends_the_call),
		T(test_each_trunk_has_its_media_timeout),
		T(test_ice_that_stops_ends_the_call),
		T(test_an_attack_on_a_leg_is_told_and_ends_nothing),
		T(test_shutdown_tells_everybody),
		T(test_the_end_with_everything_under_way),
		T(test_limits),
		cmocka_unit_test_setup_teardown(test_rates, small_gateway, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_one_trunks_flood_is_its_own, small_gateway, bench_teardown),
		T(test_a_caller_known_by_his_certificate),
		T(test_many_calls_leave_nothing),
		T(test_what_operators_see),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
