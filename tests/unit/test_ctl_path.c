/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as people type them. */
#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/path.h"

static void short_paths_become_instance_paths(void **state)
{
	(void)state;
	static const struct {
		const char *typed, *means;
	} paths[] = {
		{"trunks/trunk[name='a']/max-calls",
			"/srtp-gateway:gateway/trunks/trunk[name='a']/max-calls"},
		{"trunks/trunk[name=a]/max-calls", "/srtp-gateway:gateway/trunks/trunk[name='a']/max-calls"},
		{"x[a=1][b='2'][3]", "/srtp-gateway:gateway/x[a='1'][b='2'][3]"},
		{"trunks/trunk/a/max-calls", "/srtp-gateway:gateway/trunks/trunk[name='a']/max-calls"},
		{"/trunks/trunk/a/max-calls", "/srtp-gateway:gateway/trunks/trunk[name='a']/max-calls"},
		{"gateway/limits/max-calls", "/srtp-gateway:gateway/limits/max-calls"},
		{"srtp-gateway:gateway/limits", "/srtp-gateway:gateway/limits"},
		{"/srtp-gateway:gateway/trunks/trunk/a", "/srtp-gateway:gateway/trunks/trunk[name='a']"},
		/* A list's key may be called as one of its nodes is. */
		{"trunks/trunk/peer/peer/trunk/host",
			"/srtp-gateway:gateway/trunks/trunk[name='peer']/peer[name='trunk']/host"},
		{"media/interface/m/address/2001:db8::1/port-range/20000/upper",
			"/srtp-gateway:gateway/media/interface[name='m']/address[ip='2001:db8::1']/"
			"port-range[lower='20000']/"
			"upper"},
		/* A leaf-list's entry is its value, slashes included. */
		{"trunks/trunk/a/identify/source-address/192.0.2.0/24",
			"/srtp-gateway:gateway/trunks/trunk[name='a']/identify/source-address[.='192.0.2.0/"
			"24']"},
		{"trunks/trunk/a/identify/source-address",
			"/srtp-gateway:gateway/trunks/trunk[name='a']/identify/source-address"},
		{"trunks/trunk", "/srtp-gateway:gateway/trunks/trunk"},
		{"trunks/trunk/o'k", "/srtp-gateway:gateway/trunks/trunk[name=\"o'k\"]"},
		{"trunks/trunk[name='a/b]']/realm", "/srtp-gateway:gateway/trunks/trunk[name='a/b]']/realm"},
		{"nacm/enable-nacm", "/ietf-netconf-acm:nacm/enable-nacm"},
		{"nacm/groups/group/admin/user-name/alice",
			"/ietf-netconf-acm:nacm/groups/group[name='admin']/user-name[.='alice']"},
		{"", "/srtp-gateway:gateway"},
		{"/", "/srtp-gateway:gateway"},
		/* What is not known here is the gateway's to judge. */
		{"trunks/trnk/a/b", "/srtp-gateway:gateway/trunks/trnk/a/b"},
		{"/other:thing/x[y='z']", "/other:thing/x[y='z']"},
	};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		char out[PATH_MAX_OCTETS];
		struct err e = {0};

		assert_int_equal(path_expand(paths[i].typed, out, &e), 0);
		assert_string_equal(out, paths[i].means);
	}
}

static void what_does_not_end_is_refused(void **state)
{
	(void)state;
	char out[PATH_MAX_OCTETS], longest[2 * PATH_MAX_OCTETS];
	struct err e = {0};

	assert_true(path_expand("trunks/trunk[name='a'/realm", out, &e) < 0);
	assert_non_null(strstr(e.text, "does not end"));
	assert_true(path_expand("trunks/trunk[name='a", out, &e) < 0);
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	assert_true(path_expand(longest, out, &e) < 0);
	assert_non_null(strstr(e.text, "longer than"));
}

static void a_short_path_is_the_same_path(void **state)
{
	(void)state;
	char out[PATH_MAX_OCTETS];
	struct err e = {0};
	static const char full[] = "/srtp-gateway:gateway/trunks/trunk[name='a']/max-calls";

	assert_string_equal(path_short(full), "trunks/trunk[name='a']/max-calls");
	assert_int_equal(path_expand(path_short(full), out, &e), 0);
	assert_string_equal(out, full);
	assert_string_equal(path_short("/srtp-gateway:gateway"), "/srtp-gateway:gateway");
	assert_string_equal(path_short("/ietf-netconf-acm:nacm/x"), "/ietf-netconf-acm:nacm/x");
}

static void keys(void *ctx, const char *list, const char *key, path_each_fn each, void *arg)
{
	(void)ctx;
	assert_string_equal(list, "/srtp-gateway:gateway/trunks/trunk");
	assert_string_equal(key, "name");
	each(arg, "carrier-a");
	each(arg, "carrier-b");
	each(arg, "core");
	each(arg, "with/slash");
}

static const char *completed(const char *text)
{
	static char out[4096];
	FILE *f = fmemopen(out, sizeof out, "w");

	out[0] = 0;
	path_complete(text, keys, NULL, f);
	fclose(f);
	return out;
}

static void candidates_are_nodes_and_keys(void **state)
{
	(void)state;
	assert_string_equal(completed("tru"), "trunks/\n");
	assert_string_equal(completed("trunks/"), "trunks/trunk/\n");
	assert_string_equal(completed("trunks/trunk/c"),
		"trunks/trunk/carrier-a/\ntrunks/trunk/carrier-b/\ntrunks/trunk/core/\n");
	assert_string_equal(completed("trunks/trunk/core/max-call-"), "trunks/trunk/core/max-call-rate\n");
	assert_string_equal(completed("/srtp-gateway:gateway/limits/ring"),
		"/srtp-gateway:gateway/limits/ring-timeout\n");
	assert_string_equal(
		completed("trunks/trunk[name='core']/tls"), "trunks/trunk[name='core']/tls-profile\n");
	assert_string_equal(completed("nothing/like/this"), "");
	assert_string_equal(completed("trunks/trunk[name='"), "");
	assert_non_null(strstr(completed(""), "nacm/\n"));
}

static void values_that_are_few_are_known(void **state)
{
	(void)state;
	assert_string_equal(path_node("trunks/trunk/a/srtp/mode")->values, "required none optional");
	assert_string_equal(path_node("trunks/trunk/a/realm")->values, "@realms/realm");
	assert_string_equal(path_node("sip/listener/x/enabled")->values, "true false");
	assert_non_null(
		strstr(path_node("crypto-profiles/crypto-profile/x/suite")->values, "AEAD_AES_256_GCM"));
	assert_string_equal(path_node("limits/max-calls")->values, "");
	assert_null(path_node("limits/nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_paths_become_instance_paths),
		cmocka_unit_test(what_does_not_end_is_refused),
		cmocka_unit_test(a_short_path_is_the_same_path),
		cmocka_unit_test(candidates_are_nodes_and_keys),
		cmocka_unit_test(values_that_are_few_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
