/* SPDX-License-Identifier: Apache-2.0 */
/* A BYE to an account that has lost its connection waits until its device registers again. */
#include "tests/unit/b2bua_accounts.h"

#include <errno.h>

#define DEVICE(uri) "Contact: <sip:alice@" uri ">;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n"

static struct phone tablet;

static int setup(void **state)
{
	int rc = bench_setup(state);

	tablet = (struct phone){.ip = "10.20.0.60", .listener = INSIDE_UDP};
	with_users_at("", 4);
	return rc;
}

static int teardown(void **state)
{
	phone_forget(&tablet);
	return bench_teardown(state);
}

/* Alice, registered, is in a call with bob. */
static void talk(const char *contact)
{
	registers(&alice, contact);
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 3));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
}

static void unreachable(const char *ip)
{
	bench.refuse_ip = ip;
	bench.send_result = ip ? -ENOTCONN : 0;
}

static void bob_hangs_up(void)
{
	say(&bob, "BYE", "", "");
	hear(&bob, "200");
}

/* kept, delivered, given up */
static void assert_counted(unsigned kept, unsigned delivered, unsigned given_up)
{
	assert_int_equal(counter("byes_kept"), kept);
	assert_int_equal(counter("byes_delivered"), delivered);
	assert_int_equal(counter("byes_given_up"), given_up);
}

static void bye_arrives(struct phone *p, struct str call_id)
{
	const struct sip_msg *m = hear(p, "BYE");

	assert_true(str_eq(m->call_id, call_id));
	reply(p, "200 OK");
	silence(NULL);
	expect_no_calls();
}

/* Its contact is another now, and so is the place that it comes from: the device is the same. */
static void test_the_device_comes_back_elsewhere(void **state)
{
	char call_id[80];

	(void)state;
	talk(DEVICE("10.20.0.5"));
	memcpy(call_id, alice.call_id, sizeof call_id);
	unreachable(alice.ip);
	bob_hangs_up();
	assert_counted(1, 0, 0);
	expect_no_calls();
	pass(20000);
	registers(&tablet, DEVICE("elsewhere.invalid"));
	bye_arrives(&tablet, str_z(call_id));
	assert_counted(1, 1, 0);
	pass(40000);
	assert_counted(1, 1, 0);
}

/* A refresh by who is heard of again at the same contact does, though it names no device. */
static void test_the_connection_ends_under_the_bye(void **state)
{
	char call_id[80];

	(void)state;
	talk("");
	memcpy(call_id, alice.call_id, sizeof call_id);
	bob_hangs_up();
	hear(&alice, "BYE");
	cut_connection("connection reset", true);
	assert_counted(1, 0, 0);
	registers(&alice, "");
	bye_arrives(&alice, str_z(call_id));
	assert_counted(1, 1, 0);
}

static void test_another_device_hears_nothing_and_time_runs_out(void **state)
{
	(void)state;
	talk(DEVICE("10.20.0.5"));
	unreachable(alice.ip);
	bob_hangs_up();
	registers(&tablet, "Contact: <sip:alice@10.20.0.60>;reg-id=1;+sip.instance=\"<urn:uuid:2>\"\r\n");
	silence(NULL);
	pass(33000);
	assert_counted(1, 0, 1);
	unreachable(NULL);
	registers(&alice, DEVICE("10.20.0.5"));
	silence(NULL);
	expect_no_calls();
}

/* One that is answered was not kept; nor is one to a carrier. */
static void test_who_is_there_needs_no_patience(void **state)
{
	(void)state;
	talk(DEVICE("10.20.0.5"));
	hang_up(&bob, &alice);
	talk(DEVICE("10.20.0.5"));
	unreachable(bob.ip);
	say(&alice, "BYE", "", "");
	hear(&alice, "200");
	unreachable(NULL);
	registers(&alice, DEVICE("10.20.0.5"));
	pass(40000);
	silence(NULL);
	assert_counted(0, 0, 0);
	expect_no_calls();
}

/* Its old connection is dead and looks open: it has registered by another, which is where requests go. */
static void test_a_connection_that_only_looks_open(void **state)
{
	char call_id[80];

	(void)state;
	phone_connect(&alice, "alice.example");
	talk(DEVICE("10.20.0.5"));
	memcpy(call_id, alice.call_id, sizeof call_id);
	registers(&tablet, DEVICE("elsewhere.invalid"));
	bob_hangs_up();
	bye_arrives(&tablet, str_z(call_id));
	assert_counted(0, 0, 0);
	phone_disconnect(&alice);
}

/* The same is found out under the BYE. */
static void test_it_moves_while_the_bye_is_on_its_way(void **state)
{
	char call_id[80];

	(void)state;
	phone_connect(&alice, "alice.example");
	talk(DEVICE("10.20.0.5"));
	memcpy(call_id, alice.call_id, sizeof call_id);
	bob_hangs_up();
	hear(&alice, "BYE"); /* into the void */
	registers(&tablet, DEVICE("elsewhere.invalid"));
	bye_arrives(&tablet, str_z(call_id));
	assert_counted(1, 1, 0);
	phone_disconnect(&alice);
}

#define BYES(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BYES(test_the_device_comes_back_elsewhere),
		BYES(test_the_connection_ends_under_the_bye),
		BYES(test_another_device_hears_nothing_and_time_runs_out),
		BYES(test_who_is_there_needs_no_patience),
		BYES(test_a_connection_that_only_looks_open),
		BYES(test_it_moves_while_the_bye_is_on_its_way),
	};

	return cmocka_run_group_tests_name("b2bua_bye", tests, NULL, NULL);
}
