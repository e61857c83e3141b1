/* SPDX-License-Identifier: Apache-2.0 */
/* Where a SIP server is, told by a zone made of text: RFC 3263. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/dns/locate.h"

#define QUESTIONS_MAX 256

/* One line of the zone: "NAME A TTL ADDRESS", "NAME SRV TTL PRIORITY WEIGHT PORT TARGET", ... */
static const char *zone[256];
static bool broken;
static const char *broken_name; /* of which the server does not know the addresses for now; NULL: none */
static struct {
	char name[DNS_NAME_MAX];
	enum dns_type type;
	dns_answer_fn answer;
	void *arg;
} questions[QUESTIONS_MAX];
static unsigned open_questions, asked, changes;
static uint64_t now;
static struct timer_wheel *wheel;

static uint64_t clock_of(void *arg)
{
	(void)arg;
	return now;
}

static void ask(void *ctx, const char *name, enum dns_type type, dns_answer_fn answer, void *arg)
{
	(void)ctx;
	assert_true(open_questions < QUESTIONS_MAX);
	snprintf(questions[open_questions].name, DNS_NAME_MAX, "%s", name);
	questions[open_questions].type = type;
	questions[open_questions].answer = answer;
	questions[open_questions++].arg = arg;
	asked++;
}

static void read_line(const char *line, const char *name, enum dns_type type, struct dns_reply *out)
{
	char owner[80], kind[8], rest[80];
	struct dns_record *r = &out->records[out->n];
	unsigned a, b, c, ttl;

	assert_int_equal(sscanf(line, "%79s %7s %u %79[^\n]", owner, kind, &ttl, rest), 4);
	if (strcmp(owner, name) != 0)
		return;
	memset(r, 0, sizeof *r);
	if ((type == DNS_A && strcmp(kind, "A") == 0) || (type == DNS_AAAA && strcmp(kind, "AAAA") == 0)) {
		assert_int_equal(ip_parse(str_z(rest), &r->ip), 0);
	} else if (type == DNS_SRV && strcmp(kind, "SRV") == 0) {
		assert_int_equal(sscanf(rest, "%u %u %u %79s", &a, &b, &c, r->srv.target), 4);
		r->srv.priority = (uint16_t)a;
		r->srv.weight = (uint16_t)b;
		r->srv.port = (uint16_t)c;
		if (strcmp(r->srv.target, ".") == 0)
			r->srv.target[0] = '\0';
	} else if (type == DNS_NAPTR && strcmp(kind, "NAPTR") == 0) {
		assert_int_equal(sscanf(rest, "%u %u %7s %31s %79s", &a, &b, r->naptr.flags, r->naptr.service,
					 r->naptr.replacement),
			5);
		r->naptr.order = (uint16_t)a;
		r->naptr.preference = (uint16_t)b;
	} else {
		return;
	}
	r->ttl = ttl;
	out->ttl = ttl < out->ttl ? ttl : out->ttl;
	out->n++;
}

/* Every question that is open, and those that follow from the answers. */
static void answer_all(void)
{
	while (open_questions) {
		unsigned i = --open_questions;
		struct dns_reply reply = {.ttl = 60};

		for (unsigned k = 0; zone[k]; k++)
			read_line(zone[k], questions[i].name, questions[i].type, &reply);
		if (broken || (broken_name && strcmp(broken_name, questions[i].name) == 0))
			questions[i].answer(
				questions[i].arg, -EAGAIN, NULL, "Timeout while contacting DNS servers");
		else
			questions[i].answer(questions[i].arg, 0, &reply, NULL);
	}
}

static void pass(unsigned ms)
{
	for (uint64_t end = now + ms; now < end;) {
		now += TIMER_TICK_MS;
		timer_wheel_advance(wheel);
	}
}

static void changed(void *arg)
{
	(void)arg;
	changes++;
}

static struct dns_locator *locate(uint16_t port, enum dns_service service)
{
	return dns_locate(&(struct dns_locator_conf){
		.asker = {.ask = ask},
		.wheel = wheel,
		.place = {"sip.example", port, service == DNS_SIPS_TCP ? 5061 : 5060, service},
		.changed = changed,
		.owner = "carrier",
	});
}

/* "address priority weight", a line each. */
static const char *targets(const struct dns_locator *l)
{
	static char text[4096];
	unsigned n;
	const struct dns_target *t = dns_locator_targets(l, &n);
	char one[IP_PORT_TEXT_MAX];

	text[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s %u %u\n",
			ip_port_text(&t[i].remote, one), t[i].priority, t[i].weight);
	return text;
}

static void set_zone(const char *const *lines)
{
	memset(zone, 0, sizeof zone);
	for (unsigned i = 0; lines[i]; i++)
		zone[i] = lines[i];
}
#define ZONE(...) set_zone((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static int setup(void **state)
{
	(void)state;
	open_questions = asked = changes = 0;
	broken = false;
	broken_name = NULL;
	now = 1000000;
	wheel = timer_wheel_new(clock_of, NULL);
	return wheel ? 0 : -1;
}

static int teardown(void **state)
{
	int left = (int)timer_wheel_count(wheel);

	(void)state;
	broken = true;
	answer_all(); /* what is still open frees itself */
	timer_wheel_free(wheel);
	return left;
}

static void test_naptr_srv_and_addresses(void **state)
{
	struct dns_locator *l;

	(void)state;
	ZONE("sip.example NAPTR 300 50 50 s SIP+D2U _sip._udp.sip.example",
		"sip.example NAPTR 300 90 50 s SIPS+D2T _sips._tcp.second.example",
		"sip.example NAPTR 300 60 50 s SIPS+D2T _sips._tcp.first.example",
		"_sips._tcp.first.example SRV 300 10 60 5071 a.example",
		"_sips._tcp.first.example SRV 300 20 0 5061 b.example", "a.example A 40 192.0.2.1",
		"a.example A 300 192.0.2.2", "a.example AAAA 300 2001:db8::1", "b.example A 300 192.0.2.9");
	l = locate(0, DNS_SIPS_TCP);
	assert_string_equal(dns_locator_trouble(l), "the name is being looked up");
	answer_all();
	assert_int_equal(changes, 1);
	assert_string_equal(targets(l),
		"[2001:db8::1]:5071 10 20\n192.0.2.1:5071 10 20\n192.0.2.2:5071 10 20\n"
		"192.0.2.9:5061 20 0\n");
	assert_string_equal(dns_locator_trouble(l), "");
	/* Asked again after the least time to live, and nobody is told of what did not change. */
	asked = 0;
	pass(39900);
	assert_int_equal(asked, 0);
	pass(200);
	answer_all();
	assert_true(asked > 0);
	assert_int_equal(changes, 1);
	dns_locator_free(l);
}

static void test_a_name_without_service_records(void **state)
{
	struct dns_locator *l;

	(void)state;
	ZONE("sip.example A 60 192.0.2.1");
	l = locate(0, DNS_SIPS_TCP);
	answer_all();
	assert_string_equal(targets(l), "192.0.2.1:5061 0 0\n");
	dns_locator_free(l);
	l = locate(0, DNS_SIP_UDP);
	answer_all();
	assert_string_equal(targets(l), "192.0.2.1:5060 0 0\n");
	dns_locator_free(l);
}

static void test_a_port_means_addresses_only(void **state)
{
	struct dns_locator *l;

	(void)state;
	ZONE("sip.example A 60 192.0.2.1", "_sips._tcp.sip.example SRV 60 1 1 5071 sip.example");
	l = locate(5099, DNS_SIPS_TCP);
	answer_all();
	assert_int_equal(asked, 2);
	assert_string_equal(targets(l), "192.0.2.1:5099 0 0\n");
	dns_locator_free(l);
	l = locate(0, DNS_SIPS_TCP);
	answer_all();
	assert_string_equal(targets(l), "192.0.2.1:5071 1 1\n");
	dns_locator_free(l);
}

static void test_a_service_that_is_decidedly_not_there(void **state)
{
	struct dns_locator *l;

	(void)state;
	ZONE("sip.example A 60 192.0.2.1", "_sips._tcp.sip.example SRV 60 0 0 0 .");
	l = locate(0, DNS_SIPS_TCP);
	answer_all();
	assert_string_equal(targets(l), "");
	assert_string_equal(dns_locator_trouble(l), "the name has no address");
	dns_locator_free(l);
}

static void test_port_0_is_nobodys(void **state)
{
	struct dns_locator *l;

	(void)state;
	ZONE("a.example A 60 192.0.2.1", "_sips._tcp.sip.example SRV 60 1 1 0 a.example",
		"_sips._tcp.sip.example SRV 60 2 1 5071 a.example");
	l = locate(0, DNS_SIPS_TCP);
	answer_all();
	assert_string_equal(targets(l), "192.0.2.1:5071 2 1\n");
	dns_locator_free(l);
}

static void test_a_change_is_followed(void **state)
{
	struct dns_locator *l;

	(void)state;
	ZONE("sip.example A 5 192.0.2.1");
	l = locate(5061, DNS_SIPS_TCP);
	answer_all();
	ZONE("sip.example A 0 192.0.2.2");
	pass(5100);
	answer_all();
	assert_string_equal(targets(l), "192.0.2.2:5061 0 0\n");
	assert_int_equal(changes, 2);
	/* A time to live of 0 is not a question per call, nor a storm of them. */
	asked = 0;
	pass(10000);
	answer_all();
	assert_in_range(asked, 2, 4);
	ZONE("other.example A 5 192.0.2.1");
	pass(2000);
	answer_all();
	assert_string_equal(targets(l), "");
	assert_int_equal(changes, 3);
	dns_locator_free(l);
}

static void test_the_last_good_answer_holds_while_dns_fails(void **state)
{
	struct dns_locator *l;

	(void)state;
	ZONE("sip.example A 5 192.0.2.1");
	l = locate(0, DNS_SIPS_TCP);
	answer_all();
	broken = true;
	for (unsigned i = 0; i < 300; i++) {
		pass(1000);
		answer_all();
	}
	assert_string_equal(targets(l), "192.0.2.1:5061 0 0\n");
	assert_non_null(strstr(dns_locator_trouble(l), "Timeout while contacting DNS servers"));
	assert_int_equal(changes, 1);
	/* It waits longer from time to time, but never long. */
	assert_in_range(asked, 10, 60);
	broken = false;
	ZONE("sip.example A 5 192.0.2.7");
	pass(61000);
	answer_all();
	assert_string_equal(targets(l), "192.0.2.7:5061 0 0\n");
	assert_string_equal(dns_locator_trouble(l), "");
	dns_locator_free(l);
}

static void test_one_family_that_fails_does_not_take_the_other_away(void **state)
{
	struct dns_locator *l;
	struct dns_reply reply = {.n = 1, .ttl = 60};

	(void)state;
	l = locate(5061, DNS_SIPS_TCP);
	ip_parse(STR("192.0.2.1"), &reply.records[0].ip);
	for (unsigned i = 0; i < 2; i++)
		if (questions[i].type == DNS_A)
			questions[i].answer(questions[i].arg, 0, &reply, NULL);
		else
			questions[i].answer(questions[i].arg, -EAGAIN, NULL, "Server failure");
	open_questions = 0;
	assert_string_equal(targets(l), "192.0.2.1:5061 0 0\n");
	dns_locator_free(l);
}

/* For as long as it cannot be told where it is, it is where it was; the others' time to live is not waited
 * for. */
static void test_one_host_that_fails_stays_where_it_was(void **state)
{
	struct dns_locator *l;

	(void)state;
	ZONE("_sips._tcp.sip.example SRV 30 10 0 5061 a.example",
		"_sips._tcp.sip.example SRV 30 20 0 5061 b.example", "a.example A 30 192.0.2.1",
		"b.example A 30 192.0.2.2");
	l = locate(0, DNS_SIPS_TCP);
	answer_all();
	broken_name = "a.example";
	ZONE("_sips._tcp.sip.example SRV 86400 10 0 5061 a.example",
		"_sips._tcp.sip.example SRV 86400 20 0 5061 b.example", "a.example A 86400 192.0.2.7",
		"b.example A 86400 192.0.2.8");
	for (unsigned i = 0; i < 3; i++) {
		pass(60100);
		answer_all();
		assert_string_equal(targets(l), "192.0.2.1:5061 10 0\n192.0.2.8:5061 20 0\n");
		assert_non_null(strstr(
			dns_locator_trouble(l), "A of a.example: Timeout while contacting DNS servers"));
	}
	broken_name = NULL;
	pass(60100);
	answer_all();
	assert_string_equal(targets(l), "192.0.2.7:5061 10 0\n192.0.2.8:5061 20 0\n");
	assert_string_equal(dns_locator_trouble(l), "");
	/* That it is gone is an answer, too. */
	ZONE("_sips._tcp.sip.example SRV 30 10 0 5061 a.example",
		"_sips._tcp.sip.example SRV 30 20 0 5061 b.example", "b.example A 30 192.0.2.8");
	pass(86401000);
	answer_all();
	assert_string_equal(targets(l), "192.0.2.8:5061 20 0\n");
	dns_locator_free(l);
}

/* RFC 2782: by priority, wherever in the answer they stand. */
static void test_more_targets_than_there_is_room_for(void **state)
{
	enum { HOSTS = 40 };
	static char lines[3 * HOSTS][80];
	const struct dns_target *t;
	struct dns_locator *l;
	unsigned n;

	(void)state;
	memset(zone, 0, sizeof zone);
	for (unsigned i = 0; i < HOSTS; i++) {
		snprintf(lines[3 * i], 80, "_sips._tcp.sip.example SRV 60 %u 5 5061 h%u.example", HOSTS - i,
			i);
		snprintf(lines[3 * i + 1], 80, "h%u.example A 60 192.0.2.%u", i, HOSTS - i);
		snprintf(lines[3 * i + 2], 80, "h%u.example AAAA 60 2001:db8::%u", i, HOSTS - i);
	}
	for (unsigned i = 0; i < 3 * HOSTS; i++)
		zone[i] = lines[i];
	l = locate(0, DNS_SIPS_TCP);
	answer_all();
	t = dns_locator_targets(l, &n);
	assert_int_equal(n, DNS_TARGETS_MAX);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(t[i].priority, 1 + i / 2);
	dns_locator_free(l);
}

static void test_whoever_goes_does_not_wait_for_answers(void **state)
{
	(void)state;
	ZONE("sip.example A 5 192.0.2.1");
	dns_locator_free(locate(0, DNS_SIPS_TCP));
	dns_locator_free(locate(5061, DNS_SIPS_TCP));
	answer_all();
	assert_int_equal(changes, 0);
}

#define L(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		L(test_naptr_srv_and_addresses),
		L(test_a_name_without_service_records),
		L(test_a_port_means_addresses_only),
		L(test_a_service_that_is_decidedly_not_there),
		L(test_port_0_is_nobodys),
		L(test_a_change_is_followed),
		L(test_the_last_good_answer_holds_while_dns_fails),
		L(test_one_family_that_fails_does_not_take_the_other_away),
		L(test_one_host_that_fails_stays_where_it_was),
		L(test_more_targets_than_there_is_room_for),
		L(test_whoever_goes_does_not_wait_for_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
