/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One side has reliable provisional responses, UPDATE and session timers, the other has not: every pair,
 * through a whole call. Each side hears what it knows, and what the other does in one way happens here in
 * another.
 */
#include "tests/unit/b2bua_bench.h"

#define KNOWS "Supported: 100rel, timer\r\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n"
#define REFRESHED_BY_UAS "Session-Expires: 90;refresher=uas\r\n"
#define REFRESHED_BY_UAC "Session-Expires: 90;refresher=uac\r\n"

static void prack(struct phone *p)
{
	const char *at = memmem(p->heard->text.p, p->heard->text.n, "\r\nRSeq: ", 8);
	char rack[60];

	assert_non_null(at);
	snprintf(rack, sizeof rack, "RAck: %d %u INVITE\r\n", atoi(at + 8), p->invite_cseq);
	say(p, "PRACK", rack, "");
	hear(p, "200");
	expect_heard(p, " PRACK\r\n");
}

static void set_up(bool caller_knows, bool callee_knows)
{
	dial(&alice, "+1001", caller_knows ? KNOWS REFRESHED_BY_UAS : "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_heard(&bob, "\r\nSupported: timer, 100rel\r\n");
	expect_not_heard(&bob, "\r\nRequire:");
	answer(&bob, "183 Session Progress", callee_knows ? "Require: 100rel\r\nRSeq: 7\r\n" : "",
		sdp(&bob, 1));
	if (callee_knows) {
		hear(&bob, "PRACK");
		reply(&bob, "200 OK");
	}
	hear(&alice, "183");
	if (caller_knows)
		prack(&alice);
	else
		expect_not_heard(&alice, "100rel");
	answer(&bob, "200 OK", callee_knows ? KNOWS REFRESHED_BY_UAC : "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	if (caller_knows)
		expect_heard(&alice, REFRESHED_BY_UAS);
	else
		expect_not_heard(&alice, "Session-Expires");
	say(&alice, "ACK", "", "");
	silence(NULL);
}

/* p changes the session as it can; the other side is sent a re-INVITE, which everybody knows. */
static void change(struct phone *p, bool knows, struct phone *other, bool other_knows, unsigned n,
	const char *direction, const char *answered)
{
	say(p, knows ? "UPDATE" : "INVITE", knows ? KNOWS REFRESHED_BY_UAS : "",
		sdp_as(p, n, n + 10, direction));
	hear(other, "INVITE");
	answer(other, "200 OK", other_knows ? KNOWS REFRESHED_BY_UAC : "",
		sdp_as(other, n, n + 10, answered));
	hear(other, "ACK");
	hear(p, "200");
	if (!knows)
		say(p, "ACK", "", "");
	silence(NULL);
}

static void refreshed(struct phone *p)
{
	hear(p, "UPDATE");
	reply_with(p, "200 OK", REFRESHED_BY_UAC);
}

static void test_every_pair(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool caller_knows = i & 1, callee_knows = i & 2;

		set_up(caller_knows, callee_knows);
		change(&alice, caller_knows, &bob, callee_knows, 2, "sendonly", "recvonly");
		assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_RECV);
		change(&bob, callee_knows, &alice, caller_knows, 3, "sendrecv", "sendrecv");
		assert_int_equal(plane_last()->leg[DP_SIDE_A].streams[0].direction, DP_SENDRECV);
		/* Twice half the time of the one with timers, which the other does not notice. */
		for (unsigned k = 0; k < 2; k++) {
			pass(45100);
			if (caller_knows)
				refreshed(&alice);
			if (callee_knows)
				refreshed(&bob);
			silence(NULL);
		}
		hang_up(i % 2 ? &bob : &alice, i % 2 ? &alice : &bob);
		expect_no_calls();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_every_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
