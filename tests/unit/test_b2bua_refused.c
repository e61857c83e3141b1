/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call that is refused says why: to the caller in a header, to the operator in what `show call` has,
 * and in a counter of its own kind.
 */
#include "tests/unit/b2bua_bench.h"

#define SAVP                                                                                                 \
	"v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\nm=audio 30000 "      \
	"RTP/SAVP 0\r\n"
#define KEY "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

static const struct {
	const char *number, *headers, *body; /* body NULL: bob's usual one */
	const char *status, *why, *counter;
	bool stranger;
} cases[] = {
	{"+999", "", NULL, "404", "no route leads to this number", "refused_no_route"},
	{"", "", NULL, "484", "names nobody", "refused_request"},
	{"+3001", "", NULL, "403", "no trunk is configured for this source", "refused_unknown_peer", true},
	{"+4001", "", NULL, "503", "every trunk of the route is down", "refused_trunk_down"},
	{"+6001", "", NULL, "503", "the called side could not be reached", "failed_unreachable"},
	{"+3001", "Require: x\r\n", NULL, "420", "requires an extension", "refused_request"},
	{"+3001", "Accept: text/plain\r\n", NULL, "406", "Accept does not have application/sdp",
		"refused_request"},
	{"+3001", "Content-Type: text/plain\r\n", "hello", "415", "not application/sdp", "refused_request"},
	{"+3001", "", SAVP, "488", "a=crypto", "refused_media"},
	{"+3001", "", SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_32 " KEY "\r\n", "488", "suite", "refused_media"},
	{"+3001", "", SAVP "a=crypto:1 AEAD_AES_256_GCM inline:short\r\n", "488", "a=crypto",
		"refused_media"},
};

/* The newest call, with those that never began among them. */
static json_t *newest(json_t **data)
{
	json_t *calls;

	*data = look("/srtp-gateway:calls", 500);
	calls = json_object_get(json_object_get(*data, "calls"), "call");
	return json_array_get(calls, json_array_size(calls) - 1);
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static void expect_shown(unsigned i)
{
	json_t *data, *call = newest(&data);
	char begin[8];

	snprintf(begin, sizeof begin, "%s ", cases[i].status);
	assert_string_equal(text_of(call, "state"), "refused");
	if (strncmp(text_of(call, "end-reason"), begin, 4) != 0 ||
		!strstr(text_of(call, "end-reason"), cases[i].why))
		fail_msg("case %u: %s", i, text_of(call, "end-reason"));
	assert_string_equal(text_of(call, "ingress-trunk"), cases[i].stranger ? "" : "carrier-a");
	assert_string_equal(text_of(call, "from"), "+1001");
	assert_string_equal(text_of(call, "to"), cases[i].number);
	json_decref(data);
}

static void test_every_refusal_says_why(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t before = counter(cases[i].counter);
		const char *ip = bob.ip;

		if (cases[i].stranger)
			bob.ip = "198.51.100.77";
		dial(&bob, cases[i].number, cases[i].headers, cases[i].body ? cases[i].body : sdp(&bob, 1));
		hear(&bob, cases[i].status);
		if (!heard(&bob, "\r\nWarning: 399 "))
			expect_heard(&bob, "\r\nUnsupported: x\r\n");
		say(&bob, "ACK", "", "");
		bob.ip = ip;
		silence(NULL);
		assert_int_equal(counter(cases[i].counter), before + 1);
		expect_shown(i);
		expect_no_calls();
	}
}

/* Strangers and floods push no call out that was. */
static void test_a_flood_leaves_the_history(void **state)
{
	json_t *data, *calls;
	unsigned ended = 0, refused = 0;

	(void)state;
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
	for (unsigned i = 0; i < 600; i++) {
		bob.ip = i % 2 ? "198.51.100.1" : "198.51.100.77";
		dial(&bob, "+999", "", sdp(&bob, 1));
		hear(&bob, i % 2 ? "404" : "403");
		say(&bob, "ACK", "", "");
	}
	bob.ip = "198.51.100.1";
	data = look("/srtp-gateway:calls", 500);
	calls = json_object_get(json_object_get(data, "calls"), "call");
	for (size_t i = 0; i < json_array_size(calls); i++) {
		ended += strcmp(text_of(json_array_get(calls, i), "state"), "ended") == 0;
		refused += strcmp(text_of(json_array_get(calls, i), "state"), "refused") == 0;
	}
	assert_int_equal(ended, 1);
	assert_int_equal(refused, 128);
	json_decref(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_every_refusal_says_why),
		T(test_a_flood_leaves_the_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
