/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers that the gateway carries out: the other side goes on with the target, in a call of its own. */
#include "tests/unit/b2bua_bench.h"

#define TO_CAROL "Refer-To: <sip:+2001@pbx.example>\r\n"

static int setup(void **state)
{
	int rc = bench_setup(state);

	bench_change_all(
		(const struct bench_edit[]){
			{"\"name\":\"carrier-a\",", "\"name\":\"carrier-a\",\"transfer\":\"execute\","},
			{"\"reinvite-keys\":\"own-leg\"", "\"reinvite-keys\":\"always\""}},
		2);
	return rc;
}

static void reported(struct phone *p, const char *line, const char *state)
{
	hear(p, "NOTIFY");
	expect_heard(p, line);
	expect_heard(p, state);
	reply(p, "200 OK");
}

/* bob wants alice to be connected to carol, who hears it. */
static void begun(void)
{
	call_up(&alice, &bob);
	say(&bob, "REFER", TO_CAROL, "");
	hear(&bob, "202");
	expect_heard(&bob, " REFER\r\n");
	reported(&bob, "\r\n\r\nSIP/2.0 100 Trying\r\n", "Subscription-State: active;");
	hear(&carol, "INVITE");
	expect_heard(&carol, "From: <sip:+3001@");
	expect_heard(&carol, "INVITE sip:+2001@198.51.100.2:5061;transport=tls SIP/2.0\r\n");
	expect_not_heard(&carol, "m=audio");
	silence(NULL);
}

/* carol answers; alice is asked to change over. */
static void answered(void)
{
	answer(&carol, "200 OK", "", sdp(&carol, 5));
	hear(&alice, "INVITE");
	expect_heard(&alice, "RTP/AVP 8 0\r\n");
	silence(NULL);
}

static void connected(void)
{
	answered();
	answer(&alice, "200 OK", "", sdp(&alice, 6));
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	expect_heard(&carol, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:");
}

static json_t *shown(const char *id)
{
	char path[80];

	snprintf(path, sizeof path, "/srtp-gateway:calls/call[id='%s']", id);
	return look(path, 0);
}

static const char *text_of(json_t *answer, const char *leaf)
{
	json_t *call = json_array_get(json_object_get(json_object_get(answer, "calls"), "call"), 0);
	json_t *value = json_object_get(call, leaf);

	return json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);
}

static void test_who_stays_is_connected_with_the_target(void **state)
{
	const struct plane_session *first, *second;
	dp_session_id was;
	struct dp_key_add old;

	(void)state;
	begun();
	first = plane_last();
	was = first->id;
	old = first->tx[DP_SIDE_B];
	answer(&carol, "180 Ringing", "", "");
	reported(&bob, "SIP/2.0 180 Ringing\r\n", "Subscription-State: active;");
	answer(&carol, "180 Ringing", "", "");
	silence(NULL); /* once is enough */
	assert_int_equal(b2bua_call_count(bench.b2bua), 2);
	connected();
	second = plane_last();
	assert_true(second->live && second->id != was);
	assert_int_equal(second->leg[DP_SIDE_A].remote.port, 30006);
	assert_int_equal(second->leg[DP_SIDE_B].remote.port, 30005);
	assert_int_equal(second->tx_keys[DP_SIDE_B], 1);
	assert_memory_not_equal(second->tx[DP_SIDE_B].master, old.master, 16);
	reported(&bob, "SIP/2.0 200 OK\r\n", "Subscription-State: terminated;");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	assert_int_equal(bench.live, 1);
	assert_int_equal(counter("transfers_executed"), 1);
	assert_int_equal(counter("transfers_failed"), 0);
	hang_up(&carol, &alice);
	expect_no_calls();
}

/* What its operator sees, and that it is a call as any other afterwards. */
static void test_the_new_call_is_a_call_as_any_other(void **state)
{
	json_t *answer_1, *answer_2;
	char first[9], second[9], end[40];

	(void)state;
	begun();
	snprintf(first, sizeof first, "%.8s", bob.target + 4); /* the Contact is sip:ID@... */
	snprintf(second, sizeof second, "%.8s", carol.target + 4);
	snprintf(end, sizeof end, "goes on as call %s", second);
	answer_1 = shown(first);
	answer_2 = shown(second);
	assert_string_equal(text_of(answer_1, "successor"), second);
	assert_string_equal(text_of(answer_2, "predecessor"), first);
	assert_string_equal(text_of(answer_2, "from"), "+3001");
	assert_string_equal(text_of(answer_2, "to"), "+2001");
	json_decref(answer_1);
	json_decref(answer_2);
	connected();
	reported(&bob, "SIP/2.0 200 OK\r\n", "terminated");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	answer_1 = shown(first);
	assert_string_equal(text_of(answer_1, "end-reason"), end);
	json_decref(answer_1);
	for (unsigned i = 0; i < 2; i++) {
		struct phone *by = i ? &alice : &carol, *other = i ? &carol : &alice;

		say(by, "INVITE", "", sdp_as(by, 7 + i, 20 + i, "sendonly"));
		hear(other, "INVITE");
		expect_heard(other, "a=sendonly");
		answer(other, "200 OK", "", sdp_as(other, 7 + i, 20 + i, "recvonly"));
		hear(other, "ACK");
		hear(by, "200");
		say(by, "ACK", "", "");
		silence(NULL);
	}
	hang_up(&alice, &carol);
	expect_no_calls();
}

static unsigned version_in(const struct phone *p, const char **session)
{
	static char ids[2][40];
	static unsigned next;
	char *id = ids[next++ % 2];
	unsigned version;
	const char *o = memmem(p->heard->text.p, p->heard->text.n, "o=- ", 4);

	assert_non_null(o);
	assert_int_equal(sscanf(o, "o=- %39s %u", id, &version), 2);
	*session = id;
	return version;
}

/* RFC 3264 section 8: for alice it is one session that is changed. */
static void test_the_session_of_who_stays_goes_on(void **state)
{
	const char *before, *after;
	unsigned version;

	(void)state;
	call_up(&bob, &alice);
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 10, "sendonly"));
	hear(&alice, "INVITE");
	version = version_in(&alice, &before);
	answer(&alice, "200 OK", "", sdp_as(&alice, 2, 10, "recvonly"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	say(&bob, "REFER", TO_CAROL, "");
	hear(&bob, "202");
	reported(&bob, "SIP/2.0 100", "active");
	hear(&carol, "INVITE");
	answered();
	expect_heard(&alice, "a=sendrecv");
	assert_int_equal(version_in(&alice, &after), version + 1);
	assert_string_equal(after, before);
	answer(&alice, "200 OK", "", sdp(&alice, 6));
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	reported(&bob, "SIP/2.0 200", "terminated");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hang_up(&alice, &carol);
	expect_no_calls();
}

static void test_a_target_that_does_not_answer_leaves_the_call(void **state)
{
	(void)state;
	begun();
	answer(&carol, "486 Busy Here", "", "");
	hear(&carol, "ACK");
	reported(&bob, "SIP/2.0 486 Busy Here\r\n", "Subscription-State: terminated;");
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	assert_int_equal(bench.live, 1);
	assert_int_equal(counter("transfers_failed"), 1);
	/* The next one may come. Nobody answers it. */
	say(&bob, "REFER", TO_CAROL, "");
	hear(&bob, "202");
	reported(&bob, "SIP/2.0 100 Trying\r\n", "active");
	expect_heard(&bob, "Event: refer;id=2\r\n");
	hear(&carol, "INVITE");
	say(&bob, "REFER", TO_CAROL, "");
	hear(&bob, "491");
	answer(&carol, "180 Ringing", "", "");
	reported(&bob, "SIP/2.0 180 Ringing\r\n", "active");
	pass(20100); /* the ring timeout */
	hear(&carol, "CANCEL");
	reported(&bob, "SIP/2.0 408 Request Timeout\r\n", "terminated");
	reply(&carol, "200 OK");
	answer(&carol, "487 Request Terminated", "", "");
	hear(&carol, "ACK");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* alice will not change over: carol is let go, bob is still there. */
static void test_who_stays_does_not_take_it(void **state)
{
	(void)state;
	begun();
	answered();
	answer(&alice, "488 Not Acceptable Here", "", "");
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	hear(&carol, "BYE");
	reply(&carol, "200 OK");
	reported(&bob, "SIP/2.0 480 ", "terminated");
	silence(NULL);
	hang_up(&bob, &alice);
	expect_no_calls();
}

static void test_glare_is_waited_out(void **state)
{
	(void)state;
	begun();
	answered();
	for (unsigned i = 0; i < 2; i++) {
		answer(&alice, "491 Request Pending", "", "");
		hear(&alice, "ACK");
		silence(NULL);
		pass(4100);
		hear_all(&alice, "INVITE");
		expect_heard(&alice, "RTP/AVP 8 0\r\n");
	}
	answer(&alice, "200 OK", "", sdp(&alice, 6));
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	expect_heard(&carol, "m=audio");
	reported(&bob, "SIP/2.0 200", "terminated");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	hang_up(&carol, &alice);
	expect_no_calls();
}

/* carol's side fails when alice has changed over: she is offered the old session again, with new keys. */
static void test_who_changed_over_in_vain_is_called_back(void **state)
{
	(void)state;
	begun();
	answered();
	bench.plane.slow = true;
	answer(&alice, "200 OK", "", sdp(&alice, 6));
	hear(&alice, "ACK");
	say(&carol, "BYE", "", "");
	hear(&carol, "200");
	bench.plane.slow = false;
	plane_acknowledge();
	reported(&bob, "SIP/2.0 480 ", "terminated");
	hear(&alice, "INVITE");
	expect_heard(&alice, "RTP/AVP 8 0\r\n");
	answer(&alice, "200 OK", "", sdp(&alice, 7));
	hear(&alice, "ACK");
	silence(NULL);
	assert_int_equal(bench.live, 1);
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Many phones hang up as soon as they have heard the 202. */
static void test_who_asked_does_not_wait(void **state)
{
	(void)state;
	for (unsigned fails = 0; fails < 2; fails++) {
		begun();
		say(&bob, "BYE", "", "");
		hear(&bob, "200");
		silence(NULL);
		answer(&carol, "180 Ringing", "", "");
		silence(NULL);
		if (fails) {
			answer(&carol, "603 Decline", "", "");
			hear(&carol, "ACK");
			hear(&alice, "BYE");
			reply(&alice, "200 OK");
		} else {
			connected();
			silence(NULL);
			hang_up(&alice, &carol);
		}
		expect_no_calls();
		assert_int_equal(bench.live, 0);
	}
}

static void test_who_stays_hangs_up(void **state)
{
	(void)state;
	begun();
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	pass(1000);
	/* Nothing was heard of carol, and what is not there cannot be cancelled. */
	answer(&carol, "180 Ringing", "", "");
	hear(&carol, "CANCEL");
	reply(&carol, "200 OK");
	answer(&carol, "487 Request Terminated", "", "");
	hear(&carol, "ACK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(bench.live, 0);
	/* With the re-INVITE on its way. */
	begun();
	answered();
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&carol, "ACK");
	hear(&carol, "BYE");
	reply(&carol, "200 OK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	answer(&alice, "487 Request Terminated", "", "");
	hear(&alice, "ACK");
	silence(NULL);
	expect_no_calls();
	assert_int_equal(bench.live, 0);
}

static void test_nothing_else_is_begun_meanwhile(void **state)
{
	(void)state;
	begun();
	say(&alice, "INVITE", "", sdp_as(&alice, 3, 9, "sendonly"));
	hear(&alice, "491");
	say(&alice, "ACK", "", "");
	say(&bob, "INVITE", "", sdp_as(&bob, 3, 9, "sendonly"));
	hear(&bob, "491");
	say(&bob, "ACK", "", "");
	say(&bob, "UPDATE", "", sdp_as(&bob, 3, 9, "sendonly"));
	hear(&bob, "491");
	say(&alice, "INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=1\r\n");
	hear(&bob, "INFO");
	reply(&bob, "200 OK");
	hear(&alice, "200");
	say(&alice, "NOTIFY", "Event: refer\r\nSubscription-State: terminated\r\n", "");
	hear(&alice, "481");
	plane_event_timeout(plane_last());
	settle();
	silence(NULL);
	connected();
	reported(&bob, "SIP/2.0 200", "terminated");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hang_up(&alice, &carol);
	expect_no_calls();
}

static void test_targets_that_cannot_be_called(void **state)
{
	static const struct {
		const char *headers, *status, *why;
	} cases[] = {
		{"Refer-To: <sip:+9001@b>\r\n", "404", "no route"},
		{"Refer-To: <sip:+4001@b>\r\n", "503", "cannot be called now"},
		{"Refer-To: <sips:+1001@b>\r\n", "503", "not encrypted"},
		{"Refer-To: <sip:+1@b?Replaces=abc>\r\n", "603", "to-tag"},
		{"Refer-To: <sip:+1@b?Replaces=%ZZ>\r\n", "603", "no SIP"},
		{"Refer-To: <sip:+1@b?Replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n", "603", "no other call"},
	};

	(void)state;
	call_up(&alice, &bob);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		say(&bob, "REFER", cases[i].headers, "");
		hear(&bob, cases[i].status);
		expect_heard(&bob, cases[i].why);
		expect_not_heard(&bob, "drained");
		silence(NULL);
		assert_int_equal(counter("refused_transfer"), i + 1);
	}
	/* The other side's trunk has no such policy. */
	say(&alice, "REFER", TO_CAROL, "");
	hear(&alice, "603");
	hang_up(&alice, &bob);
	expect_no_calls();
}

/* Who keeps the first key that it heard cannot be given to another call: that would have to go on with it. */
static void test_who_is_deaf_under_new_keys_stays(void **state)
{
	(void)state;
	bench_change("\"name\":\"carrier-a\",", "\"name\":\"carrier-a\",\"transfer\":\"execute\",");
	call_up(&carol, &bob);
	say(&bob, "REFER", "Refer-To: <sip:+3001@x>\r\n", "");
	hear(&bob, "488");
	expect_heard(&bob, "own-leg");
	silence(NULL);
	hang_up(&carol, &bob);
	expect_no_calls();
}

/* A peer of the target's trunk that is not there: the next one is tried, as for any call. */
static void test_the_target_fails_over(void **state)
{
	(void)state;
	bench_change_all(
		(const struct bench_edit[]){
			{"\"name\":\"carrier-a\",", "\"name\":\"carrier-a\",\"transfer\":\"execute\","},
			{"\"prefix\":\"+5\",\"to-trunk\":[\"drained\",\"carrier-a\"]",
				"\"prefix\":\"+5\",\"to-trunk\":[\"carrier-b\",\"carrier-a\"]"}},
		2);
	call_up(&alice, &bob);
	say(&bob, "REFER", "Refer-To: <sip:+5001@x>\r\n", "");
	hear(&bob, "202");
	reported(&bob, "SIP/2.0 100 Trying\r\n", "active");
	hear(&carol, "INVITE");
	answer(&carol, "503 Service Unavailable", "", "");
	hear(&carol, "ACK");
	assert_int_equal(counter("failovers"), 1);
	hear(&bob, "INVITE");
	expect_heard(&bob, "INVITE sip:+5001@198.51.100.1:5061");
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	hear(&bob, "NOTIFY");
	expect_heard(&bob, "SIP/2.0 486 ");
	reply(&bob, "200 OK");
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	expect_no_calls();
}

static void test_the_gateway_is_shut_down_in_the_middle_of_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begun();
		answered();
		answer(&alice, "491 Request Pending", "", "");
		hear(&alice, "ACK");
		if (i)
			bench_change("\"name\":\"core\",\"realm\":\"core\",\"peer\"",
				"\"name\":\"core\",\"admin-state\":\"down\",\"realm\":\"core\",\"peer\"");
		else
			b2bua_shutdown(bench.b2bua);
		for (struct phone *const *p = (struct phone *[]){&alice, &bob, NULL}; *p; p++) {
			hear(*p, "BYE");
			reply(*p, "200 OK");
		}
		hear(&carol, "ACK");
		hear(&carol, "BYE");
		reply(&carol, "200 OK");
		silence(NULL);
		assert_int_equal(bench.live, 0);
		expect_no_calls();
		if (!i) {
			assert_int_equal(bench_teardown(state), 0);
			setup(state);
		}
	}
}

/* ---- attended ---- */

/* bob holds alice and has asked carol; then he joins them. */
static struct phone consulted(void)
{
	struct phone second;

	call_up(&alice, &bob);
	second = bob;
	second.heard = second.invite = NULL;
	second.call_id[0] = second.local_tag[0] = second.remote_tag[0] = '\0';
	dial(&second, "+2001", "", sdp(&second, 3));
	hear(&carol, "INVITE");
	answer(&carol, "200 OK", "", sdp(&carol, 3));
	hear(&carol, "ACK");
	hear(&second, "200");
	say(&second, "ACK", "", "");
	silence(NULL);
	return second;
}

static void join(const struct phone *second)
{
	char header[400];

	snprintf(header, sizeof header,
		"Refer-To: <sip:+2001@gw?Replaces=%.*s%%40%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s>\r\n",
		(int)strcspn(second->call_id, "@"), second->call_id, strchr(second->call_id, '@') + 1,
		second->remote_tag, second->local_tag);
	say(&bob, "REFER", header, "");
	hear(&bob, "202");
	reported(&bob, "SIP/2.0 100 Trying\r\n", "active");
	hear(&carol, "INVITE");
	expect_not_heard(&carol, "m=audio");
}

static void test_two_calls_are_joined(void **state)
{
	struct phone second = consulted();

	(void)state;
	assert_int_equal(bench.live, 2);
	join(&second);
	connected();
	reported(&bob, "SIP/2.0 200 OK\r\n", "terminated");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&second, "BYE");
	reply(&second, "200 OK");
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	assert_int_equal(bench.live, 1);
	hang_up(&carol, &alice);
	expect_no_calls();
	phone_forget(&second);
}

static void test_a_join_that_fails_leaves_both_calls(void **state)
{
	struct phone second = consulted();

	(void)state;
	join(&second);
	answer(&carol, "488 Not Acceptable Here", "", "");
	hear(&carol, "ACK");
	reported(&bob, "SIP/2.0 488 ", "terminated");
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 2);
	/* carol has offered, and is to hear of bob again. */
	join(&second);
	answered();
	answer(&alice, "488 Not Acceptable Here", "", "");
	hear(&alice, "ACK");
	hear(&carol, "ACK");
	reported(&bob, "SIP/2.0 480 ", "terminated");
	hear(&carol, "INVITE");
	expect_heard(&carol, "a=crypto:");
	answer(&carol, "200 OK", "", sdp(&carol, 8));
	hear(&carol, "ACK");
	silence(NULL);
	hang_up(&alice, &bob);
	hang_up(&second, &carol);
	expect_no_calls();
	phone_forget(&second);
}

/* ---- a restart ---- */

static void test_a_restart_in_the_middle_of_it(void **state)
{
	(void)state;
	bench_keep_calls();
	begun();
	bench_crash(false);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	pass(1100);
	hear(&alice, "OPTIONS");
	reply(&alice, "200 OK");
	hear(&bob, "OPTIONS");
	reply(&bob, "200 OK");
	silence(NULL);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void test_a_restart_afterwards(void **state)
{
	(void)state;
	bench_keep_calls();
	begun();
	connected();
	reported(&bob, "SIP/2.0 200 OK\r\n", "terminated");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	bench_crash(false);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	pass(1100);
	hear(&alice, "OPTIONS");
	reply(&alice, "200 OK");
	hear(&carol, "OPTIONS");
	reply(&carol, "200 OK");
	hang_up(&alice, &carol);
	expect_no_calls();
}

#define TT(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TT(test_who_stays_is_connected_with_the_target),
		TT(test_the_new_call_is_a_call_as_any_other),
		TT(test_the_session_of_who_stays_goes_on),
		TT(test_a_target_that_does_not_answer_leaves_the_call),
		TT(test_who_stays_does_not_take_it),
		TT(test_glare_is_waited_out),
		TT(test_who_changed_over_in_vain_is_called_back),
		TT(test_who_asked_does_not_wait),
		TT(test_who_stays_hangs_up),
		TT(test_nothing_else_is_begun_meanwhile),
		TT(test_targets_that_cannot_be_called),
		TT(test_who_is_deaf_under_new_keys_stays),
		TT(test_the_target_fails_over),
		TT(test_the_gateway_is_shut_down_in_the_middle_of_it),
		TT(test_two_calls_are_joined),
		TT(test_a_join_that_fails_leaves_both_calls),
		TT(test_a_restart_in_the_middle_of_it),
		TT(test_a_restart_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
