/* SPDX-License-Identifier: Apache-2.0 */
/* OPTIONS to peers: who is down is not called, and comes back. */
#include <errno.h>

#include <libyang/libyang.h>

#include "controlplane/obs/notify.h"
#include "tests/unit/b2bua_bench.h"

#define TRUNK_A                                                                                              \
	"\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\"}],"                                    \
	"\"identify\":{\"source-address\":[\"198.51.100.1/32\"]},"
#define CHECKED TRUNK_A "\"health-check\":{\"interval\":10,\"down-after\":2,\"up-after\":2},"

/* The state of carrier-a, which is the third trunk: its oper-state, and its first peer's. */
static void expect_state(const char *oper, const char *peer)
{
	json_t *data = look("/srtp-gateway:gateway/trunks", 0), *trunks, *trunk;

	trunks = json_object_get(json_object_get(json_object_get(data, "gateway"), "trunks"), "trunk");
	trunk = json_object_get(json_array_get(trunks, 2), "state");
	assert_string_equal(json_string_value(json_object_get(trunk, "oper-state")), oper);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(trunk, "peer"), 0), "state")),
		peer);
	json_decref(data);
}

static void hear_options(const char *status)
{
	hear(&bob, "OPTIONS");
	if (status)
		reply(&bob, status);
}

static void test_a_peer_that_does_not_answer_is_not_called(void **state)
{
	(void)state;
	bench_change(TRUNK_A, CHECKED);
	pass(2100);
	hear_options("200 OK");
	expect_heard(&bob, "OPTIONS sip:198.51.100.1:5061;transport=tls SIP/2.0\r\n");
	expect_heard(&bob, "Max-Forwards: 70\r\n");
	assert_string_equal(bob.flow.tls_name, "a.example");
	pass(10000);
	hear_options(NULL);
	pass(10000); /* the first has failed */
	hear_options(NULL);
	expect_state("up", "up");
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
	pass(10000);
	hear_options(NULL);
	expect_state("unreachable", "down");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&alice, "503");
	expect_heard(&alice, "trunk carrier-a: peer p is down: no answer to OPTIONS");
	say(&alice, "ACK", "", "");
	silence(NULL);
	/* Calls from it are taken: it may reach us though we do not reach it. */
	call_up(&bob, &carol);
	hang_up(&bob, &carol);
	pass(10000);
	hear_options("404 Not Found"); /* whoever refuses is there */
	expect_state("unreachable", "down");
	pass(10000);
	hear_options("200 OK");
	expect_state("up", "up");
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
}

static void test_the_next_trunk_is_asked_at_once(void **state)
{
	const struct bench_edit edits[] = {
		{TRUNK_A, CHECKED},
		{"\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\"]",
			"\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\",\"carrier-b\"]"},
	};

	(void)state;
	bench_change_all(edits, 2);
	for (unsigned i = 0; i < 2; i++) {
		pass(i ? 10000 : 2100);
		hear_options("503 Maintenance");
	}
	expect_state("unreachable", "down");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&carol, "INVITE");
	assert_int_equal(counter("failovers"), 0);
}

static void test_one_that_cannot_be_connected_to(void **state)
{
	(void)state;
	bench_change(TRUNK_A, CHECKED);
	bench.send_result = -ECONNREFUSED;
	bench.refuse_ip = "198.51.100.1";
	pass(12200);
	expect_state("unreachable", "down");
	bench.send_result = 0;
	pass(10000);
	hear_options(NULL);
	cut_connection("certificate has expired", false);
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&alice, "503");
	expect_heard(&alice, "peer p is down: certificate has expired");
	say(&alice, "ACK", "", "");
}

/* Without checks nobody is down, and nothing is sent. */
static void test_checks_end_with_their_configuration(void **state)
{
	(void)state;
	bench_change(TRUNK_A, CHECKED);
	for (unsigned i = 0; i < 3; i++) {
		pass(i ? 10000 : 2100);
		hear_options(NULL);
	}
	expect_state("unreachable", "down");
	bench_change("\"max-call-rate\":2", "\"max-call-rate\":3");
	expect_state("up", "up");
	pass(40000);
	silence(NULL);
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
	/* A late answer, and one that never comes, find nobody. */
	bench_change(TRUNK_A, CHECKED);
	pass(2100);
	hear_options(NULL);
	bench_change("\"198.51.100.1\",\"certificate-name\"", "\"198.51.100.7\",\"certificate-name\"");
	reply(&bob, "200 OK");
	pass(40000);
	silence(NULL);
}

/* The one address of the peer's name. */
static const char *address;

static void resolve(void *ctx, const char *name, enum dns_type type, dns_answer_fn told, void *arg)
{
	struct dns_reply reply = {.ttl = 10};

	(void)ctx;
	if (type == DNS_A && strcmp(name, "sbc.example") == 0) {
		ip_parse(str_z(address), &reply.records[0].ip);
		reply.n = 1;
	}
	told(arg, 0, &reply, NULL);
}

/* The oper-state that the last trunk-state-change told. */
static void note_state(void *ctx, uint64_t wall_ms, const struct lyd_node *node)
{
	struct lyd_node *leaf;

	(void)wall_ms;
	if (strcmp(LYD_NAME(node), "trunk-state-change") == 0 &&
		lyd_find_path(node, "oper-state", 0, &leaf) == LY_SUCCESS)
		snprintf(ctx, 20, "%s", lyd_get_value(leaf));
}

static const char *told_state(void)
{
	static char state[20];

	state[0] = '\0';
	notify_replay(bench.notify, 0, UINT64_MAX, note_state, state);
	return state;
}

/* Who waits to be told that the trunk is back is told, though nobody that was down has come back. */
static void test_a_name_that_moves_away_from_who_is_down(void **state)
{
	(void)state;
	bench.dns = (struct dns_asker){.ask = resolve};
	address = "198.51.100.1";
	bench_teardown(state);
	bench_setup(state);
	bench_change(TRUNK_A, "\"host\":\"sbc.example\"}],"
			      "\"identify\":{\"source-address\":[\"198.51.100.1/32\"]},"
			      "\"health-check\":{\"interval\":10,\"down-after\":2,\"up-after\":2},");
	for (unsigned i = 0; i < 3; i++) {
		pass(i ? 10000 : 2100);
		hear_options(i ? "503 Maintenance" : "200 OK");
	}
	expect_state("unreachable", "down");
	assert_string_equal(told_state(), "unreachable");
	address = "198.51.100.11";
	pass(10100);
	expect_state("up", "up");
	assert_string_equal(told_state(), "up");
	lose_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_peer_that_does_not_answer_is_not_called),
		T(test_the_next_trunk_is_asked_at_once),
		T(test_one_that_cannot_be_connected_to),
		T(test_checks_end_with_their_configuration),
		T(test_a_name_that_moves_away_from_who_is_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
