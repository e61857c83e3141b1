/* SPDX-License-Identifier: Apache-2.0 */
/* What operators do to calls, and configurations that change while calls are up. */
#include "tests/unit/b2bua_bench.h"

#include <errno.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/sip/message.h"
#include "lib/base/clock.h"

static void refused(struct phone *p, const char *number, const char *words)
{
	dial(p, number, "", sdp(p, 7));
	hear(p, "503");
	expect_heard(p, words);
	say(p, "ACK", "", "");
	silence(NULL);
}

static const char *first_id(const json_t *data)
{
	const json_t *calls = json_object_get(json_object_get(data, "calls"), "call");

	return json_string_value(json_object_get(json_array_get(calls, 0), "id"));
}

static long long of_trunk(const char *name, const char *leaf)
{
	json_t *data = look("/srtp-gateway:gateway/trunks", 0), *one;
	long long value = -1;
	size_t i;

	json_array_foreach(
		json_object_get(json_object_get(json_object_get(data, "gateway"), "trunks"), "trunk"), i, one)
		if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0)
			value = json_integer_value(json_object_get(json_object_get(one, "state"), leaf));
	json_decref(data);
	return value;
}

static void test_a_drained_trunk(void **state)
{
	unsigned left;

	(void)state;
	call_up(&alice, &bob);
	assert_int_equal(b2bua_drain(bench.b2bua, "carrier-a", 0, &left), 0);
	assert_int_equal(left, 1);
	/* Neither from it nor to it; other trunks have nothing to do with it. */
	struct phone bobby = bob, al = alice;

	bobby.heard = bobby.invite = al.heard = al.invite = NULL;
	refused(&bobby, "+3001", "drained");
	dial(&al, "+1001", "", sdp(&al, 3));
	hear(&al, "503");
	say(&al, "ACK", "", "");
	hang_up(&alice, &bob);
	assert_int_equal(b2bua_remaining(bench.b2bua, "carrier-a", &left), 0);
	assert_int_equal(left, 0);
	/* What keeps it from calls besides is said. */
	const char *still = NULL;

	assert_int_equal(b2bua_drain(bench.b2bua, NULL, 0, NULL), 0);
	assert_int_equal(b2bua_resume(bench.b2bua, "carrier-a", &still), 0);
	assert_string_equal(still, "the gateway is being drained");
	assert_int_equal(b2bua_drain(bench.b2bua, "carrier-a", 0, NULL), 0);
	assert_int_equal(b2bua_resume(bench.b2bua, NULL, &still), 0);
	assert_null(still);
	assert_int_equal(b2bua_resume(bench.b2bua, "carrier-a", &still), 0);
	assert_null(still);
	call_up(&alice, &bob);
	hang_up(&bob, &alice);
	assert_int_equal(b2bua_drain(bench.b2bua, "nobody", 0, NULL), -ENOENT);
	sip_msg_free(bobby.heard);
	sip_msg_free(bobby.invite);
	sip_msg_free(al.heard);
	sip_msg_free(al.invite);
}

static void test_a_drain_has_an_end(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	assert_int_equal(b2bua_drain(bench.b2bua, NULL, 5, NULL), 0);
	pass(4000);
	silence(NULL);
	pass(2000);
	hear_all(&alice, "BYE");
	expect_heard(&alice, "drained");
	reply(&alice, "200 OK");
	hear(&bob, "BYE");
	expect_not_heard(&bob, "drained"); /* outside the trusted realm: no details */
	reply(&bob, "200 OK");
	expect_no_calls();
	refused(&alice, "+1001", "the gateway is being drained");
	b2bua_resume(bench.b2bua, NULL, NULL);
	/* One that was resumed in time ends nothing. */
	call_up(&alice, &bob);
	b2bua_drain(bench.b2bua, "carrier-a", 1, NULL);
	b2bua_resume(bench.b2bua, "carrier-a", NULL);
	pass(3000);
	silence(NULL);
	hang_up(&alice, &bob);
}

static void test_terminate(void **state)
{
	json_t *data;

	(void)state;
	call_up(&alice, &bob);
	data = look("/srtp-gateway:calls", 0);
	const char *id = first_id(data);

	assert_int_equal(b2bua_terminate(bench.b2bua, str_z(id), "fraud department"), 0);
	hear(&alice, "BYE");
	expect_heard(&alice, "fraud department");
	reply(&alice, "200 OK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	settle();
	assert_int_equal(b2bua_terminate(bench.b2bua, str_z(id), NULL), -EALREADY);
	assert_int_equal(b2bua_terminate(bench.b2bua, STR("none"), NULL), -ENOENT);
	json_decref(data);
	expect_no_calls();
}

/* One that rings is refused on one side and cancelled on the other. */
static void test_terminate_before_the_answer(void **state)
{
	json_t *data;

	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	data = look("/srtp-gateway:calls", 0);
	const char *id = first_id(data);

	assert_int_equal(b2bua_terminate(bench.b2bua, str_z(id), NULL), 0);
	hear(&alice, "480");
	say(&alice, "ACK", "", "");
	hear(&bob, "CANCEL");
	reply(&bob, "200 OK");
	answer(&bob, "487 Request Terminated", "", "");
	hear(&bob, "ACK");
	json_decref(data);
	expect_no_calls();
}

#define CARRIER_A                                                                                            \
	"{\"name\":\"carrier-a\",\"realm\":\"carriers\",\"tls-profile\":\"t\",\"peer\":[{\"name\":\"p\","          \
	"\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\"}],"                                        \
	"\"identify\":{\"source-address\":[\"198.51.100.1/32\"]},"                                               \
	"\"srtp\":{\"mode\":\"required\",\"crypto-profile\":\"gcm\"}},"
#define FIRST_TRUNK "\"trunks\":{\"trunk\":["

/* What is counted of a trunk goes by its name. */
static void test_trunks_in_another_order(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench_change(FIRST_TRUNK,
		FIRST_TRUNK "{\"name\":\"new\",\"realm\":\"core\",\"srtp\":{\"mode\":\"none\"}},");
	assert_int_equal(of_trunk("carrier-a", "active-calls"), 1);
	assert_int_equal(of_trunk("new", "active-calls"), 0);
	hang_up(&alice, &bob);
	assert_int_equal(of_trunk("carrier-a", "active-calls"), 0);
	assert_int_equal(of_trunk("carrier-a", "total-calls"), 1);
	call_up(&alice, &bob);
	assert_int_equal(of_trunk("carrier-a", "total-calls"), 2);
	hang_up(&bob, &alice);
	expect_no_calls();
}

/* A call of a trunk that is removed goes on, and is counted when the trunk is back. */
static void test_a_trunk_that_is_removed_and_comes_back(void **state)
{
	static const struct bench_edit without[] = {
		{CARRIER_A, ""},
		{"{\"name\":\"a\",\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\"]},", ""},
		{"[\"drained\",\"carrier-a\"]", "[\"drained\"]"},
	};

	(void)state;
	call_up(&alice, &bob);
	bench_change_all(without, 3);
	assert_int_equal(of_trunk("carrier-a", "active-calls"), -1);
	dial(&carol, "+1001", "", sdp(&carol, 2));
	hear(&carol, "404");
	say(&carol, "ACK", "", "");
	/* The call is changed by either side as before. */
	say(&bob, "INVITE", "", sdp_as(&bob, 4, 11, "sendonly"));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 2));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	silence(NULL);
	bench_change_all(NULL, 0);
	assert_int_equal(of_trunk("carrier-a", "active-calls"), 1);
	hang_up(&alice, &bob);
	assert_int_equal(of_trunk("carrier-a", "active-calls"), 0);
	expect_no_calls();
}

/* New calls go by the new limits, at once; `down` ends what is there. */
static void test_limits_and_admin_state(void **state)
{
	(void)state;
	call_up(&alice, &bob);
	bench_change("\"max-calls\":300", "\"max-calls\":1");
	dial(&carol, "+3001", "", sdp(&carol, 2));
	hear(&carol, "503");
	say(&carol, "ACK", "", "");
	bench_change("{\"name\":\"carrier-a\",", "{\"name\":\"carrier-a\",\"admin-state\":\"drain\",");
	silence(NULL);
	dial(&carol, "+1001", "", sdp(&carol, 3));
	hear(&carol, "503");
	say(&carol, "ACK", "", "");
	bench_change("{\"name\":\"carrier-a\",", "{\"name\":\"carrier-a\",\"admin-state\":\"down\",");
	hear(&alice, "BYE");
	expect_heard(&alice, "carrier-a was taken down");
	reply(&alice, "200 OK");
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	settle();
	expect_no_calls();
}

/*
 * Configurations that come and go at every step of a call: while it is offered, rings, is up, changes and ends.
 * Nothing is lost, and nothing is left of the generations that are over.
 */
static void test_changes_at_every_step(void **state)
{
	static const struct bench_edit edits[][3] = {
		{{FIRST_TRUNK, FIRST_TRUNK "{\"name\":\"new\",\"realm\":\"core\",\"srtp\":{\"mode\":\"none\"}},"}},
		{{"\"max-calls\":250", "\"max-calls\":249"}},
		{{CARRIER_A, ""},
			{"{\"name\":\"a\",\"prefix\":\"+1\",\"to-trunk\":[\"carrier-a\"]},", ""},
			{"[\"drained\",\"carrier-a\"]", "[\"drained\"]"}},
		{{"\"media-interface\":[\"outside\"]", "\"dscp\":46,\"media-interface\":[\"outside\"]"}},
		{{"[\"AEAD_AES_256_GCM\"]", "[\"AEAD_AES_256_GCM\",\"AEAD_AES_128_GCM\"]"}},
	};
	static const unsigned counts[] = {1, 1, 3, 1, 1};
	unsigned at = 0;

#define CHANGE()                                                                                             \
	do {                                                                                                 \
		bench_change_all(edits[at % 5], counts[at % 5]);                                              \
		at++;                                                                                        \
	} while (0)

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		bench_change_all(NULL, 0);
		dial(&alice, "+1001", "", sdp(&alice, 1));
		CHANGE();
		hear(&bob, "INVITE");
		answer(&bob, "180 Ringing", "", "");
		CHANGE();
		hear(&alice, "180");
		answer(&bob, "200 OK", "", sdp(&bob, 1));
		hear(&bob, "ACK");
		hear(&alice, "200");
		CHANGE();
		say(&alice, "ACK", "", "");
		say(&bob, "INVITE", "", sdp_as(&bob, 2, 11, "sendonly"));
		CHANGE();
		hear(&alice, "INVITE");
		answer(&alice, "200 OK", "", sdp_as(&alice, 2, 12, "recvonly"));
		hear(&alice, "ACK");
		CHANGE();
		hear(&bob, "200");
		say(&bob, "ACK", "", "");
		CHANGE();
		say(&alice, "BYE", "", "");
		hear(&alice, "200");
		hear(&bob, "BYE");
		CHANGE();
		reply(&bob, "200 OK");
		expect_no_calls();
		pass(33000); /* what transactions absorb */
		while (hear_any(&alice) || hear_any(&bob))
			;
	}
	bench_change_all(NULL, 0);
	assert_int_equal(of_trunk("carrier-a", "active-calls"), 0);
	assert_int_equal(of_trunk("core", "active-calls"), 0);
	assert_int_equal(of_trunk("core", "total-calls"), 50);
#undef CHANGE
}

/* An hour, while a call is up and another is being answered: neither has lasted half a million years. */
static void test_the_clock_is_set_back(void **state)
{
	struct call *c;
	json_t *data, *calls;

	(void)state;
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	TAILQ_FIRST(&bench.b2bua->calls)->began_ms += 3600000;
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	assert_true(bench.b2bua->setup.sum_us < 3600000000);
	c = TAILQ_FIRST(&bench.b2bua->calls);
	c->answered_ms = c->legs[0].keyed_ms = clock_wall_ms() + 3600000;
	bench.b2bua->began_ms = clock_wall_ms() + 3600000;
	data = look("/srtp-gateway:calls", 100);
	calls = json_object_get(json_object_get(data, "calls"), "call");
	assert_string_equal(json_string_value(json_object_get(json_array_get(calls, 0), "duration")), "0.0");
	json_decref(data);
	data = look("/srtp-gateway:statistics", 0);
	json_decref(data);
	hang_up(&alice, &bob);
	expect_no_calls();
}

static void link_alarm(bool raised)
{
	union dp_msg m;

	dp_msg_init(&m, DP_ALARM, 0);
	m.alarm.kind = DP_ALARM_LINK;
	m.alarm.raised = raised;
	m.alarm.times = 1;
	strcpy(m.alarm.interface, "e0");
	fake_plane_say(&bench.plane, &m);
	bench.link_lost = raised;
	settle();
}

static const json_t *entry(const json_t *data, const char *top, const char *of, const char *list)
{
	return json_array_get(
		json_object_get(json_object_get(json_object_get(data, top), of), list), 0);
}

static void expect_link(const char *link, bool raised)
{
	json_t *data = look("/srtp-gateway:statistics", 0);
	const json_t *interface = entry(data, "statistics", "data-plane", "interface");
	const json_t *alarm = entry(data, "statistics", "data-plane", "interface-alarm");

	assert_string_equal(json_string_value(json_object_get(interface, "name")), "e0");
	assert_string_equal(json_string_value(json_object_get(interface, "link")), link);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(interface, "rx"), "missed")), 9);
	assert_string_equal(json_string_value(json_object_get(alarm, "interface")), "e0");
	assert_int_equal(json_is_true(json_object_get(alarm, "raised")), raised);
	json_decref(data);
	data = look("/srtp-gateway:gateway/media/interface/state/link", 0);
	interface = entry(data, "gateway", "media", "interface");
	assert_string_equal(json_string_value(json_object_get(json_object_get(interface, "state"), "link")), link);
	json_decref(data);
}

static void test_a_lost_link_is_seen(void **state)
{
	json_t *data;

	(void)state;
	link_alarm(true);
	expect_link("down", true);
	link_alarm(false);
	expect_link("up", false);
	/* Of a data plane that is gone nothing is known. */
	plane_away();
	data = look("/srtp-gateway:statistics", 0);
	assert_null(entry(data, "statistics", "data-plane", "interface"));
	assert_null(entry(data, "statistics", "data-plane", "interface-alarm"));
	json_decref(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_drained_trunk),
		T(test_a_drain_has_an_end),
		T(test_terminate),
		T(test_terminate_before_the_answer),
		T(test_trunks_in_another_order),
		T(test_a_trunk_that_is_removed_and_comes_back),
		T(test_limits_and_admin_state),
		T(test_changes_at_every_step),
		T(test_the_clock_is_set_back),
		T(test_a_lost_link_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
