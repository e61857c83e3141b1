/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 200s that come again after a transfer, because our ACK was lost: who hears none for 32 s ends the call that
 * it thinks is up (RFC 3261 section 13.3.1.4), whosever call it is by now.
 */
#include "tests/unit/b2bua_recovered.h"
#include "tests/unit/b2bua_transfers.h"

/* The first INVITE that alice got, whom bob has called; of the test. */
static struct sip_msg *first;

static int begin(void **state)
{
	int rc = setup(state);

	bench_keep_calls();
	call_up(&bob, &alice);
	first = sip_msg_clone(alice.invite);
	return rc;
}

static int end(void **state)
{
	sip_msg_free(first);
	first = NULL;
	return bench_teardown(state);
}

/* bob hands alice, whom he has called, over to carol. */
static void hand_over(void)
{
	say(&bob, "REFER", TO_CAROL, "");
	hear(&bob, "202");
	reported(&bob, "SIP/2.0 100 Trying\r\n", "active");
	hear(&carol, "INVITE");
}

static void handed_over(void)
{
	connected();
	reported(&bob, "SIP/2.0 200 OK\r\n", "terminated");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	silence(NULL);
	assert_int_equal(b2bua_call_count(bench.b2bua), 1);
}

/* The phone has not heard our ACK to its answer to this INVITE. */
static void again(struct phone *p, struct sip_msg *invite, const char *body)
{
	struct sip_msg *now = p->invite;
	uint32_t cseq = invite->cseq;

	p->invite = invite;
	answer(p, "200 OK", "", body);
	p->invite = now;
	assert_int_equal(hear(p, "ACK")->cseq, cseq);
	silence(NULL);
}

/* Those before the transfer and those of it. */
static void all_again(void)
{
	again(&alice, first, sdp(&alice, 1));
	again(&alice, alice.invite, sdp(&alice, 6));
	again(&carol, carol.invite, sdp(&carol, 5));
}

static void test_after_a_transfer(void **state)
{
	(void)state;
	hand_over();
	handed_over();
	all_again();
	hang_up(&alice, &carol);
	expect_no_calls();
}

/* The transactions went with the process: the dialog tells what is to be acknowledged, and goes to another
 * call. */
static void test_after_a_restart_and_a_transfer(void **state)
{
	(void)state;
	bench_crash(false);
	both_have_it(&bob, &alice);
	hand_over();
	again(&alice, first, sdp(&alice, 1));
	handed_over();
	all_again();
	hang_up(&carol, &alice);
	expect_no_calls();
}

/* The same the other way round: the session of the transfer holds, and is not offered anew. */
static void test_after_a_transfer_and_a_restart(void **state)
{
	(void)state;
	hand_over();
	handed_over();
	bench_crash(false);
	all_again();
	both_have_it(&alice, &carol);
	all_again();
	hang_up(&alice, &carol);
	expect_no_calls();
}

/* Nothing came of it, and the call goes on as it was. */
static void test_after_a_restart_and_a_transfer_that_failed(void **state)
{
	(void)state;
	bench_crash(false);
	both_have_it(&bob, &alice);
	hand_over();
	answer(&carol, "486 Busy Here", "", "");
	hear(&carol, "ACK");
	reported(&bob, "SIP/2.0 486 Busy Here\r\n", "terminated");
	silence(NULL);
	again(&alice, first, sdp(&alice, 1));
	hang_up(&bob, &alice);
	expect_no_calls();
}

#define A(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		A(test_after_a_transfer),
		A(test_after_a_restart_and_a_transfer),
		A(test_after_a_transfer_and_a_restart),
		A(test_after_a_restart_and_a_transfer_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
