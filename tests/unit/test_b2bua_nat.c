/* SPDX-License-Identifier: Apache-2.0 */
/* Callers behind NAT that speak UDP: where they are asked, and when NAT gives them another port. */
#include "tests/unit/b2bua_accounts.h"

#define INNER "192.168.7.7"

static void behind_nat(void)
{
	alice.inner = INNER;
	alice.nat_port = 40001;
}

/* bob changes the call, and alice's gateway hears of it at this port of her NAT. */
static void reached_at(unsigned port, unsigned version)
{
	say(&bob, "INVITE", "", sdp_as(&bob, version, version, "sendrecv"));
	hear(&alice, "INVITE");
	assert_int_equal(alice.flow.remote.port, port);
	expect_heard(&alice, "INVITE sip:+3001@" INNER " SIP/2.0\r\n"); /* that is still her name */
	answer(&alice, "200 OK", "", sdp(&alice, 1));
	hear(&alice, "ACK");
	assert_int_equal(alice.flow.remote.port, port);
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
}

static void dtmf(void)
{
	say(&alice, "INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\n");
	hear(&bob, "INFO");
	reply(&bob, "200 OK");
	hear(&alice, "200");
	assert_int_equal(alice.flow.remote.port, alice.nat_port);
}

static void ends_at(unsigned port)
{
	hang_up(&bob, &alice);
	assert_int_equal(alice.flow.remote.port, port);
	expect_no_calls();
}

static bool shown_behind_nat(void)
{
	json_t *calls = look("/srtp-gateway:calls", 0), *leg, *signalling;
	bool shown;

	leg = json_array_get(
		json_object_get(
			json_array_get(json_object_get(json_object_get(calls, "calls"), "call"), 0), "leg"),
		0);
	signalling = json_object_get(leg, "signalling");
	shown = json_is_true(json_object_get(signalling, "behind-nat"));
	json_decref(calls);
	return shown;
}

static void test_requests_take_the_way_that_the_call_came_by(void **state)
{
	(void)state;
	behind_nat();
	call_up(&alice, &bob);
	assert_true(shown_behind_nat());
	reached_at(40001, 2);
	dtmf();
	/* Its NAT has forgotten it and gives it another port: that is known from its next request on. */
	alice.nat_port = 40002;
	dtmf();
	reached_at(40002, 3);
	ends_at(40002);
}

/* Somebody else, at another address, who knows the dialog, moves nothing. */
static void test_strangers_move_nothing(void **state)
{
	(void)state;
	behind_nat();
	call_up(&alice, &bob);
	alice.ip = "10.20.0.99";
	alice.nat_port = 666;
	say(&alice, "INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\n");
	hear(&bob, "INFO");
	reply(&bob, "200 OK");
	hear(&alice, "200"); /* RFC 3581 */
	alice.ip = "10.20.0.5";
	alice.nat_port = 40001;
	reached_at(40001, 2);
	ends_at(40001);
}

static void test_a_restart_remembers_it(void **state)
{
	(void)state;
	bench_keep_calls();
	behind_nat();
	call_up(&alice, &bob);
	bench_crash(false);
	pass(1100);
	hear(&alice, "OPTIONS");
	assert_int_equal(alice.flow.remote.port, 40001);
	reply(&alice, "200 OK");
	hear(&bob, "OPTIONS");
	reply(&bob, "200 OK");
	reached_at(40001, 2);
	ends_at(40001);
}

/* Whoever has no NAT is asked where the Contact says, whatever port it speaks from. */
static void test_others_are_asked_where_they_say(void **state)
{
	(void)state;
	alice.nat_port = 40001;
	call_up(&alice, &bob);
	assert_false(shown_behind_nat());
	hang_up(&bob, &alice);
	assert_int_equal(alice.flow.remote.port, 5060);
	expect_no_calls();
}

/* The connection of a caller that cannot be connected to is there for as long as its call, however long all
 * are silent. */
static void test_the_connection_of_a_call_is_not_idle(void **state)
{
	(void)state;
	phone_connect(&bob, "a.example");
	call_up(&bob, &carol);
	assert_false(phone_connection_used());
	pass(300000);
	silence(NULL);
	assert_true(phone_connection_used());
	hang_up(&carol, &bob);
	phone_connect(&bob, "a.example");
	pass(600000);
	assert_false(phone_connection_used());
	phone_disconnect(&bob);
}

/* Nor that of an account that was called: it may not be registered for as long as it talks. */
static void test_the_connection_of_who_was_called_is_not_idle(void **state)
{
	(void)state;
	with_users_by("inside-tcp", "", 1);
	alice.listener = INSIDE_TCP;
	phone_connect(&alice, "alice.example");
	registers(&alice, "");
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", "", "");
	hear(&bob, "180");
	answer(&alice, "200 OK", "", sdp(&alice, 3));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	assert_false(phone_connection_used());
	pass(300000);
	silence(NULL);
	assert_true(phone_connection_used());
	hang_up(&bob, &alice);
	phone_connect(&alice, "alice.example");
	pass(600000);
	assert_false(phone_connection_used());
	phone_disconnect(&alice);
}

static uint64_t kept_open(void)
{
	return bench.sip_counters.tx_messages + bench.sip_counters.tx_failed;
}

/* Who is handed on to somebody else is behind the same NAT as before. */
static void test_a_transfer_keeps_the_way_open(void **state)
{
	uint64_t before;

	(void)state;
	bench_change_all(
		(const struct bench_edit[]){
			{"\"name\":\"carrier-a\",", "\"name\":\"carrier-a\",\"transfer\":\"execute\","},
			{"\"reinvite-keys\":\"own-leg\"", "\"reinvite-keys\":\"always\""}},
		2);
	behind_nat();
	call_up(&alice, &bob);
	before = kept_open();
	pass(21000);
	assert_int_equal(kept_open(), before + 1);
	say(&bob, "REFER", "Refer-To: <sip:+2001@pbx.example>\r\n", "");
	hear(&bob, "202");
	hear(&bob, "NOTIFY");
	reply(&bob, "200 OK");
	hear(&carol, "INVITE");
	answer(&carol, "200 OK", "", sdp(&carol, 5));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 6));
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	hear(&bob, "NOTIFY");
	reply(&bob, "200 OK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	before = kept_open();
	pass(21000);
	assert_int_equal(kept_open(), before + 1);
	hang_up(&carol, &alice);
	assert_int_equal(alice.flow.remote.port, 40001);
	expect_no_calls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_requests_take_the_way_that_the_call_came_by),
		T(test_strangers_move_nothing),
		T(test_a_restart_remembers_it),
		T(test_others_are_asked_where_they_say),
		T(test_the_connection_of_a_call_is_not_idle),
		T(test_the_connection_of_who_was_called_is_not_idle),
		T(test_a_transfer_keeps_the_way_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
