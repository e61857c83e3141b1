/* SPDX-License-Identifier: Apache-2.0 */
/* Trunks that the gateway registers with (RFC 3261 section 10). */
#include "tests/unit/b2bua_bench.h"

#define PEER_A                                                                                               \
	"\"peer\":[{\"name\":\"p\",\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\"}],"          \
	"\"identify\":{\"source-address\":[\"198.51.100.1/32\"]},"
#define REGISTERS(expires)                                                                                   \
	"\"peer\":[{\"name\":\"p\",\"host\":\"198.51.100.1\",\"certificate-name\":\"a.example\"}],"          \
	"\"registration\":{\"aor\":\"sip:4711@a.example\",\"expires\":" expires "},"

#define SERVERS(user)                                                                                        \
	"\"peer\":[{\"name\":\"p\",\"host\":\"sip.a.example\"}],"                                            \
	"\"registration\":{\"aor\":\"sip:" user "@a.example\",\"expires\":600},"

static const char *state_of(const char *leaf)
{
	static char text[300];
	json_t *all = look("/srtp-gateway:gateway/trunks", 0), *v = NULL, *trunk;
	size_t i;

	json_array_foreach(
		json_object_get(json_object_get(json_object_get(all, "gateway"), "trunks"), "trunk"), i,
		trunk)
	{
		json_t *state = json_object_get(trunk, "state");

		if (strcmp(json_string_value(json_object_get(trunk, "name")), "carrier-a") == 0)
			v = json_object_get(json_object_get(state, "registration"), leaf);
	}
	if (json_is_string(v))
		snprintf(text, sizeof text, "%s", json_string_value(v));
	else
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
	json_decref(all);
	return text;
}

/* The user part of the Contact that was registered. */
static const char *registered_user(void)
{
	static char user[64];
	struct sip_addr contact;

	assert_int_equal(sip_addr_parse(sip_msg_value(bob.heard, SIP_H_CONTACT), &contact), 0);
	snprintf(user, sizeof user, "%.*s", STR_ARG(contact.uri.user));
	return user;
}

static void begin(const char *registers)
{
	bench_change(PEER_A, registers);
	pass(100);
	hear(&bob, "REGISTER");
	expect_heard(&bob, "REGISTER sip:a.example SIP/2.0\r\n");
	expect_heard(&bob, "To: <sip:4711@a.example>\r\n");
	expect_heard(&bob, "From: <sip:4711@a.example>;tag=");
	expect_heard(&bob, "@203.0.113.10:5061;transport=tls>\r\n");
}

static void test_it_is_refreshed(void **state)
{
	char call_id[64];
	uint32_t cseq;

	(void)state;
	begin(REGISTERS("600"));
	expect_heard(&bob, "Expires: 600\r\n");
	snprintf(call_id, sizeof call_id, "%.*s", STR_ARG(bob.heard->call_id));
	cseq = bob.heard->cseq;
	assert_string_equal(state_of("registration-state"), "trying");
	reply_with(&bob, "200 OK", "Expires: 100\r\n");
	assert_string_equal(state_of("registration-state"), "registered");
	pass(74000);
	silence(NULL);
	pass(2000);
	hear(&bob, "REGISTER");
	assert_true(str_eq(bob.heard->call_id, str_z(call_id)) && bob.heard->cseq == cseq + 1);
	/* Refused once: still registered until the time is over, tried again before. */
	reply_with(&bob, "500 Later", "");
	assert_string_equal(state_of("registration-state"), "registered");
	assert_string_equal(state_of("last-failure"), "the registrar answered 500 Later");
	pass(6000);
	hear(&bob, "REGISTER");
	reply_with(&bob, "500 Later", "");
	pass(20000);
	hear(&bob, "REGISTER");
	assert_string_equal(state_of("registration-state"), "failed");
	reply_with(&bob, "200 OK", "Expires: 100\r\n");
	assert_string_equal(state_of("registration-state"), "registered");
	assert_string_equal(state_of("failures"), "2");
	silence(NULL);
}

/* Half a year, or more than any number has: it is taken, and said again within a week. */
static void test_more_time_than_a_week_is_taken(void **state)
{
	static const char *const granted[] = {"Expires: 15768000\r\n", "Expires: 99999999999999999999\r\n"};

	(void)state;
	begin(REGISTERS("600"));
	for (unsigned i = 0; i < 2; i++) {
		reply_with(&bob, "200 OK", granted[i]);
		assert_string_equal(state_of("registration-state"), "registered");
		assert_string_equal(state_of("failures"), "0");
		/* At once, not second by second: nothing happens in between. */
		bench.now += 7u * 86400 * 750 - 10000;
		pass(10);
		silence(NULL);
		assert_string_equal(state_of("registration-state"), "registered");
		pass(12000);
		hear(&bob, "REGISTER");
	}
	reply_with(&bob, "200 OK", "Expires: 0\r\n");
	assert_string_equal(state_of("failures"), "1");
}

static void test_more_time_is_asked_for(void **state)
{
	(void)state;
	begin(REGISTERS("60"));
	reply_with(&bob, "423 Interval Too Brief", "Min-Expires: 900\r\n");
	pass(100);
	hear(&bob, "REGISTER");
	expect_heard(&bob, "Expires: 900\r\n");
	reply_with(&bob, "423 Interval Too Brief", "Min-Expires: 604800\r\n");
	pass(100);
	hear(&bob, "REGISTER");
	expect_heard(&bob, "Expires: 604800\r\n");
	assert_string_equal(state_of("failures"), "0");
	reply_with(&bob, "423 Interval Too Brief", "Min-Expires: 900\r\n");
	assert_string_equal(state_of("registration-state"), "failed");
	assert_string_equal(
		state_of("last-failure"), "the registrar answered 423 to 604800 s, and demands no more than 900 s");
	silence(NULL);
}

/* What cannot be asked for is said, and not asked for every few seconds. */
static void test_what_is_too_long_is_named(void **state)
{
	static const struct {
		const char *header, *why;
	} demands[] = {
		{"Min-Expires: 604801\r\n",
			"the registrar demands registrations of 604801 s at least; 604800 s is the most"},
		{"Min-Expires: 99999999999999999999\r\n",
			"the registrar demands registrations of more than 4294967295 s at least; 604800 s is the most"},
		{"", "the registrar answered 423 and not what it demands (Min-Expires)"},
		{"Min-Expires: soon\r\n", "the registrar answered 423 and not what it demands (Min-Expires)"},
	};

	(void)state;
	begin(REGISTERS("60"));
	for (unsigned i = 0; i < sizeof demands / sizeof *demands; i++) {
		reply_with(&bob, "423 Interval Too Brief", demands[i].header);
		assert_string_equal(state_of("registration-state"), "failed");
		assert_string_equal(state_of("last-failure"), demands[i].why);
		pass(298000);
		silence(NULL);
		pass(4000);
		hear(&bob, "REGISTER");
		expect_heard(&bob, "Expires: 60\r\n");
	}
}

/* Longer and longer, never sooner than the registrar wants. */
static void test_it_backs_off(void **state)
{
	static const unsigned seconds[] = {5, 10, 20, 40, 80, 160, 300, 300};

	(void)state;
	begin(REGISTERS("60"));
	for (unsigned i = 0; i < sizeof seconds / sizeof *seconds; i++) {
		reply_with(&bob, "503 Busy", "");
		pass(seconds[i] * 1000 - 1000);
		silence(NULL);
		pass(2000);
		hear(&bob, "REGISTER");
	}
	reply_with(&bob, "503 Busy", "Retry-After: 1000\r\n");
	pass(999000);
	silence(NULL);
	pass(2000);
	hear(&bob, "REGISTER");
	assert_true(counter("registration_failed") > 8);
}

/* The peer's name: two or three servers by SRV, the first of which has also an address of a family that no
 * listener speaks. The one that is to be asked last stands first. */
static void resolve(void *n_servers, const char *name, enum dns_type type, dns_answer_fn told, void *arg)
{
	static const struct {
		const char *name, *ip;
	} addresses[] = {{"first.example", "2001:db8::9"}, {"first.example", "198.51.100.1"},
		{"second.example", "198.51.100.11"}, {"third.example", "198.51.100.12"}};
	static const char *const servers[] = {"first.example", "second.example", "third.example"};
	struct dns_reply reply = {.ttl = 86400};

	for (unsigned i = 0; i < 4; i++) {
		struct ip_addr ip;

		ip_parse(str_z(addresses[i].ip), &ip);
		if (strcmp(name, addresses[i].name) == 0 && ip.family == (type == DNS_A ? IP_V4 : IP_V6) &&
			(type == DNS_A || type == DNS_AAAA))
			reply.records[reply.n++].ip = ip;
	}
	for (unsigned i = *(unsigned *)n_servers; type == DNS_SRV && i-- > 0;) {
		struct dns_record *r = &reply.records[reply.n++];

		r->srv.priority = (uint16_t)(10 + i);
		r->srv.port = 5061;
		snprintf(r->srv.target, sizeof r->srv.target, "%s", servers[i]);
	}
	told(arg, 0, &reply, NULL);
}

/* bob is the first of them. */
static void begin_with_servers(void **state, unsigned n)
{
	static unsigned n_servers;

	n_servers = n;
	bench.dns = (struct dns_asker){.ask = resolve, .ctx = &n_servers};
	bench_teardown(state);
	bench_setup(state);
	bench_change(PEER_A, SERVERS("4711"));
	pass(100);
	hear(&bob, "REGISTER");
}

static void test_the_second_of_two_servers(void **state)
{
	struct phone second = {.ip = "198.51.100.11", .listener = OUTSIDE_TLS};

	begin_with_servers(state, 2);
	cut_connection("Connection refused", false);
	silence(NULL);
	pass(5100);
	hear(&second, "REGISTER");
	reply(&second, "200 OK");
	assert_string_equal(state_of("registration-state"), "registered");
	/* It stays there while that is good, */
	pass(451000);
	hear(&second, "REGISTER");
	reply(&second, "503 Maintenance");
	pass(5100);
	/* and comes back when it is not. */
	hear(&bob, "REGISTER");
	reply(&bob, "200 OK");
	b2bua_shutdown(bench.b2bua);
	hear(&bob, "REGISTER");
	expect_heard(&bob, "Expires: 0\r\n");
	phone_forget(&second);
}

/* One that failed does not go before another that was not asked yet. */
static void test_the_last_of_three_servers(void **state)
{
	struct phone second = {.ip = "198.51.100.11", .listener = OUTSIDE_TLS};
	struct phone third = {.ip = "198.51.100.12", .listener = OUTSIDE_TLS};

	begin_with_servers(state, 3);
	reply(&bob, "500 Broken");
	pass(5100);
	hear(&second, "REGISTER");
	reply(&second, "500 Broken");
	pass(10100);
	hear(&third, "REGISTER");
	reply(&third, "500 Broken");
	/* All of them did: in turn. */
	pass(20100);
	hear(&bob, "REGISTER");
	reply(&bob, "500 Broken");
	pass(40100);
	hear(&second, "REGISTER");
	reply(&second, "200 OK");
	/* What was before does not count any more. */
	pass(451000);
	hear(&second, "REGISTER");
	reply(&second, "500 Broken");
	pass(5100);
	hear(&bob, "REGISTER");
	reply(&bob, "200 OK");
	phone_forget(&second);
	phone_forget(&third);
}

/* Nor for what a registration was refused that the operator has corrected meanwhile. */
static void test_servers_after_a_correction(void **state)
{
	struct phone second = {.ip = "198.51.100.11", .listener = OUTSIDE_TLS};

	begin_with_servers(state, 2);
	reply(&bob, "403 Forbidden");
	pass(300100);
	hear(&second, "REGISTER");
	reply(&second, "403 Forbidden");
	bench_change(PEER_A, SERVERS("4712"));
	pass(100);
	hear(&bob, "REGISTER");
	reply(&bob, "500 Broken");
	pass(5100);
	hear(&second, "REGISTER");
	reply(&second, "200 OK");
	phone_forget(&second);
}

/* A server's Retry-After is its own, and keeps nobody from the others. */
static void test_a_rest_is_that_of_one_server(void **state)
{
	struct phone second = {.ip = "198.51.100.11", .listener = OUTSIDE_TLS};

	begin_with_servers(state, 2);
	reply_with(&bob, "503 Overload", "Retry-After: 100000\r\n");
	pass(5100);
	hear(&second, "REGISTER");
	/* Who asks for the shorter rest is the next. */
	reply_with(&second, "503 Overload", "Retry-After: 100\r\n");
	pass(99000);
	silence(NULL);
	pass(2000);
	hear(&second, "REGISTER");
	reply_with(&second, "503 Overload", "Retry-After: 100000\r\n");
	/* An hour is the most that a trunk cannot be called for that. */
	pass(3600000 - 5100 - 101000 - 1000);
	silence(NULL);
	pass(3000);
	hear(&bob, "REGISTER");
	reply(&bob, "200 OK");
	assert_string_equal(state_of("registration-state"), "registered");
	phone_forget(&second);
}

/* Who demands a longer time is the one that gets it, and who has a registration is told of its end, though
 * another of the name would be asked next. */
static void test_each_server_is_asked_its_own(void **state)
{
	struct phone second = {.ip = "198.51.100.11", .listener = OUTSIDE_TLS};

	begin_with_servers(state, 2);
	reply(&bob, "500 Broken");
	pass(5100);
	hear(&second, "REGISTER");
	reply_with(&second, "423 Interval Too Brief", "Min-Expires: 900\r\n");
	pass(100);
	hear(&second, "REGISTER");
	expect_heard(&second, "Expires: 900\r\n");
	reply(&second, "200 OK");
	pass(676000);
	hear(&second, "REGISTER");
	reply(&second, "500 Broken"); /* for now: what it granted stands */
	b2bua_shutdown(bench.b2bua);
	hear(&second, "REGISTER");
	expect_heard(&second, "Expires: 0\r\n");
	phone_forget(&second);
}

static void test_calls_come_to_the_contact(void **state)
{
	struct phone other = bob;
	char user[64];

	(void)state;
	begin(REGISTERS("60"));
	snprintf(user, sizeof user, "%s", registered_user());
	reply_with(&bob, "200 OK", "Service-Route: <sip:edge.a.example;lr>\r\n");
	/* From anywhere behind the registrar; the number is in To. */
	other.ip = "198.51.100.77";
	other.heard = other.invite = NULL;
	strcpy(other.number, "+3001");
	dial(&other, user, "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	expect_heard(&alice, "INVITE sip:+3001@10.20.0.5");
	say(&other, "CANCEL", "", "");
	hear(&other, "200");
	hear(&other, "487");
	say(&other, "ACK", "", "");
	phone_forget(&other);
	/* Another user is a stranger's. */
	dial(&other, "somebody", "", sdp(&bob, 1));
	hear(&other, "403");
	phone_forget(&other);
}

static void test_its_end_is_told(void **state)
{
	(void)state;
	begin(REGISTERS("60"));
	reply_with(&bob, "200 OK", "");
	bench_change(
		"\"max-calls\":1,", "\"max-calls\":2,"); /* the first configuration again, but for that */
	hear(&bob, "REGISTER");
	expect_heard(&bob, "Expires: 0\r\n");
	reply(&bob, "200 OK");
	pass(600000);
	silence(NULL);
}

static void test_the_gateway_ends(void **state)
{
	(void)state;
	begin(REGISTERS("60"));
	reply_with(&bob, "200 OK", "");
	b2bua_shutdown(bench.b2bua);
	hear(&bob, "REGISTER");
	expect_heard(&bob, "Expires: 0\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_it_is_refreshed),
		T(test_more_time_than_a_week_is_taken),
		T(test_more_time_is_asked_for),
		T(test_what_is_too_long_is_named),
		T(test_it_backs_off),
		T(test_the_second_of_two_servers),
		T(test_the_last_of_three_servers),
		T(test_servers_after_a_correction),
		T(test_a_rest_is_that_of_one_server),
		T(test_each_server_is_asked_its_own),
		T(test_calls_come_to_the_contact),
		T(test_its_end_is_told),
		T(test_the_gateway_ends),
	};

	return cmocka_run_group_tests_name("b2bua_registration", tests, NULL, NULL);
}
