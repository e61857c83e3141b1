/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers that the gateway carries out: the other side goes on with the target, in a call of its own. */
#include "tests/unit/b2bua_transfers.h"

#include "tests/unit/b2bua_audit.h"

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

static char *last_hop(char *text)
{
	char *at = strstr(text, "Max-Forwards: 70");

	if (at)
		memcpy(at, "Max-Forwards:  0", 16);
	return text;
}

/* The REFER is for the gateway, which is where it ends; the call that it makes has hops of its own. */
static void test_a_refer_that_has_come_as_far_as_it_may(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench.garble = last_hop;
	say(&bob, "REFER", TO_CAROL, "");
	bench.garble = NULL;
	hear(&bob, "202");
	reported(&bob, "\r\n\r\nSIP/2.0 100 Trying\r\n", "Subscription-State: active;");
	hear(&carol, "INVITE");
	expect_heard(&carol, "\r\nMax-Forwards: 69\r\n");
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
	plane_event_timeout(plane_last(), DP_SIDE_A);
	settle();
	silence(NULL);
	connected();
	reported(&bob, "SIP/2.0 200", "terminated");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hang_up(&alice, &carol);
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

/* The data plane is asked what the first call's session counted, and does not answer any more. */
static void dies_when_asked(const union dp_msg *c)
{
	bench.plane.mute |= c->h.type == DP_STATS;
}

/* The first call has no dialog with alice any more when it ends: a kill before it is recorded loses no
 * record. */
static void test_a_kill_before_the_record(void **state)
{
	struct audit *a = audit_begin();
	char first[9], second[9], end[40];
	json_t *sessions;
	const json_t *o;

	(void)state;
	bench_keep_calls();
	begun();
	snprintf(first, sizeof first, "%.8s", bob.target + 4);
	snprintf(second, sizeof second, "%.8s", carol.target + 4);
	snprintf(end, sizeof end, "goes on as call %s", second);
	bench.plane.saw = dies_when_asked;
	connected();
	reported(&bob, "SIP/2.0 200 OK\r\n", "terminated");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	pass(100);
	assert_int_equal(b2bua_call_count(bench.b2bua), 2);
	bench_freeze();
	bench.plane.saw = NULL;
	bench.plane.mute = false;
	bench_kill();
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
	sessions = audit_read("session");
	o = json_array_get(sessions, 0);
	assert_int_equal(json_array_size(sessions), 1);
	assert_string_equal(text_in(o, "call"), first);
	assert_string_equal(text_in(o, "reason"), end);
	assert_string_equal(text_in(o, "successor"), second);
	assert_int_equal(json_array_size(json_object_get(o, "legs")), 2);
	json_decref(sessions);
	hang_up(&alice, &carol);
	expect_no_calls();
	/* What the other says of where its party comes from outlives a crash too. */
	sessions = audit_read("session");
	o = json_object_get(json_array_get(sessions, 1), "predecessors");
	assert_int_equal(json_array_size(o), 1);
	assert_string_equal(json_string_value(json_array_get(o, 0)), first);
	json_decref(sessions);
	audit_end(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TT(test_who_stays_is_connected_with_the_target),
		TT(test_a_refer_that_has_come_as_far_as_it_may),
		TT(test_the_new_call_is_a_call_as_any_other),
		TT(test_the_session_of_who_stays_goes_on),
		TT(test_glare_is_waited_out),
		TT(test_who_asked_does_not_wait),
		TT(test_nothing_else_is_begun_meanwhile),
		TT(test_the_target_fails_over),
		TT(test_two_calls_are_joined),
		TT(test_a_restart_afterwards),
		TT(test_a_kill_before_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
