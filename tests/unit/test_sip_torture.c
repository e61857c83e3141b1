/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The torture messages of RFC 4475 and RFC 5118 (tests/torture) through the parser and the transaction layer:
 * each is taken or refused as its RFC says, and what is taken can be answered.
 */
#include "tests/unit/sip_tx_bench.h"

#include "controlplane/sip/multipart.h"

#define TORTURE_MAX 65536

static char text[TORTURE_MAX];
static struct sip_msg msg, again;

static size_t load(const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s.sip", SRTPGW_TORTURE, name);
	FILE *f = fopen(path, "re");

	if (!f)
		fail_msg("%s", path);
	size_t n = fread(text, 1, sizeof text, f);

	fclose(f);
	return n;
}

/* A copy of exactly its octets, so that a read past the end is seen. */
static int parse(size_t n, bool datagram, struct sip_reject *why, char **held)
{
	*held = malloc(n);
	memcpy(*held, text, n);
	return sip_msg_parse(&msg, *held, n, datagram, why);
}

/* What is answered can be parsed where the request itself was sound, and is the request's. */
static void is_answered(const char *name)
{
	struct sip_flow from = {.transport = SIP_UDP, .listener = DOOR_A};
	struct sip_reject why;
	unsigned sent = t.sent_count;

	ip_parse(STR("192.0.2.7"), &msg.source.ip);
	from.remote = msg.source;
	sip_txl_receive(t.l, &msg, &from);
	if (msg.method == SIP_ACK)
		return;
	assert_non_null(t.stx);
	assert_int_equal(sip_stx_reply(t.stx, 486, NULL, STR("us")), 0);
	if (t.sent_count <= sent)
		fail_msg("%s: no answer", name);
	char *out = t.sent[t.sent_count - 1];

	if (strcmp(name, "rfc4475/intmeth") == 0)
		return; /* its To has a NUL, at which the copy ends */
	if (sip_msg_parse(&again, out, strlen(out), true, &why) < 0)
		fail_msg("%s: the answer: %s", name, why.reason);
	assert_true(str_eq(again.call_id, msg.call_id) && again.cseq == msg.cseq);
	assert_true(str_eq(again.via.branch, msg.via.branch));
}

static void one(const char *name, const char *expected)
{
	struct sip_reject why;
	size_t n = load(name);
	char *held, got[8] = "ok";

	if (parse(n, true, &why, &held) < 0)
		snprintf(got, sizeof got, "%u", why.status);
	if (strcmp(got, expected))
		fail_msg("%s: %s (%s), not %s", name, got, why.status ? why.reason : "", expected);
	if (!why.status && msg.request)
		is_answered(name);
	free(held);
}

static unsigned each_line(void (*f)(const char *name, const char *expected))
{
	char line[256], name[128], expected[16];
	unsigned n = 0;
	FILE *table = fopen(SRTPGW_TORTURE "/expected", "re");

	assert_non_null(table);
	while (fgets(line, sizeof line, table))
		if (line[0] != '#' && sscanf(line, "%127s %15s", name, expected) == 2) {
			f(name, expected);
			n++;
		}
	fclose(table);
	return n;
}

static void on_its_own(const char *name, const char *expected)
{
	void *nothing = NULL;

	setup(&nothing); /* some share a branch */
	one(name, expected);
	teardown(&nothing);
}

static void test_each_as_its_rfc_says(void **state)
{
	(void)state;
	assert_int_equal(each_line(on_its_own), 49 + 12);
}

/* Each cut short anywhere is refused or taken, and read no further. */
static void cut(const char *name, const char *expected)
{
	struct sip_reject why;
	size_t n = load(name);
	char *held;

	(void)expected;
	for (size_t k = 1; k < n; k += 1 + k / 40) {
		(void)parse(k, true, &why, &held);
		free(held);
		(void)parse(k, false, &why, &held);
		free(held);
	}
}

static void test_cut_short(void **state)
{
	(void)state;
	each_line(cut);
}

static void test_details(void **state)
{
	struct sip_reject why;
	struct sip_part part;
	struct sip_parts it;
	char *held;

	(void)state;
	assert_int_equal(parse(load("rfc4475/wsinv"), true, &why, &held), 0);
	assert_true(msg.max_forwards == 68 && msg.cseq == 9 && msg.body.n == 150);
	assert_true(str_eq(msg.from.display, STR("\"J Rosenberg \\\\\\\"\"")));
	free(held);
	assert_int_equal(parse(load("rfc4475/mpart01"), true, &why, &held), 0);
	it = sip_parts(msg.content_type, msg.body);
	assert_true(sip_parts_next(&it, &part) && str_eq(part.type, STR("text/plain")) &&
		    str_eq(part.body, STR("Hello")));
	assert_true(sip_parts_next(&it, &part) && str_eq(part.type, STR("application/octet-stream")));
	assert_false(sip_parts_next(&it, &part));
	free(held);
	assert_int_equal(parse(load("rfc5118/port-ambiguous"), true, &why, &held), 0);
	assert_true(msg.uri.port == 0 && str_eq(msg.uri.host, STR("2001:db8::10:5070")));
	free(held);
	assert_int_equal(parse(load("rfc5118/port-unambiguous"), true, &why, &held), 0);
	assert_true(msg.uri.port == 5070 && str_eq(msg.uri.host, STR("2001:db8::10")));
	free(held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_as_its_rfc_says),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_details),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
