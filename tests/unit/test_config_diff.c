/* SPDX-License-Identifier: Apache-2.0 */
/* What is different between two configurations, by name. */
#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/config/config_diff.h"

/* Trunks, then what is behind the routing container. */
static const char form[] =
	"{\"srtp-gateway:gateway\":{"
	"\"tls-profiles\":{\"tls-profile\":[{\"name\":\"p\",\"certificate\":\"/c\",\"private-key\":\"/k\","
	"\"trust-bag\":\"/t\"}]},"
	"\"media\":{\"interface\":[{\"name\":\"m\",\"device\":\"eth0\",\"address\":[{\"ip\":\"192.0.2.1\","
	"\"port-range\":[{\"lower\":20000,\"upper\":29999}]}]}]},"
	"\"realms\":{\"realm\":[{\"name\":\"out\",\"media-interface\":[\"m\"]}]},"
	"\"sip\":{\"listener\":[{\"name\":\"tls\",\"transport\":\"tls\",\"address\":\"192.0.2.1\",\"port\":5061,"
	"\"tls-profile\":\"p\",\"realm\":\"out\"}]},"
	"\"trunks\":{\"trunk\":[%s]},\"routing\":{\"route\":[%s]}%s}}";

#define TRUNK(name, more)                                                                                    \
	"{\"name\":\"" name                                                                                  \
	"\",\"realm\":\"out\",\"tls-profile\":\"p\",\"peer\":[{\"name\":\"a\",\"host\":\"198.51.100.1\"}]" more "}"
#define A TRUNK("a", "")
#define B TRUNK("b", "")
#define TO_A "{\"name\":\"1\",\"prefix\":\"1\",\"to-trunk\":[\"a\"]}"
#define TO_A_TOO "{\"name\":\"2\",\"prefix\":\"2\",\"to-trunk\":[\"a\"]}"

static struct config *parse(const char *trunks, const char *routes, const char *more)
{
	char text[8192];
	struct config *c = NULL;
	struct err e = {0};

	snprintf(text, sizeof text, form, trunks, routes, more);
	if (config_parse(str_z(text), "test", &c, &e) < 0)
		fail_msg("%s", e.text);
	return c;
}

/* "added trunk b, changed limits max-calls" */
static const char *differences(struct config *from, struct config *to)
{
	static const char *const words[] = {"added", "removed", "changed", "moved"};
	static char text[1024];
	struct config_diff *d;
	size_t n = 0;

	assert_int_equal(config_diff(from, to, &d), 0);
	text[0] = '\0';
	for (uint32_t i = 0; i < d->n; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s %s %s", i ? ", " : "",
			words[d->all[i].change], config_kind_name(d->all[i].kind), d->all[i].name);
	config_diff_free(d);
	config_unref(from);
	config_unref(to);
	return text;
}

static void test_nothing(void **state)
{
	(void)state;
	assert_string_equal(differences(parse(A "," B, TO_A, ""), parse(A "," B, TO_A, "")), "");
}

static void test_lists(void **state)
{
	(void)state;
	assert_string_equal(differences(parse(A, TO_A, ""), parse(A "," B, TO_A, "")), "added trunk b");
	assert_string_equal(differences(parse(A "," B, TO_A, ""), parse(A, TO_A, "")), "removed trunk b");
	/* The order of trunks means nothing; that of routes does. */
	assert_string_equal(differences(parse(A "," B, TO_A, ""), parse(B "," A, TO_A, "")), "");
	assert_string_equal(differences(parse(A, TO_A "," TO_A_TOO, ""), parse(A, TO_A_TOO "," TO_A, "")),
		"moved route 1, moved route 2");
	assert_string_equal(differences(NULL, parse(A, TO_A, "")),
		"added tls-profile p, added interface m, added realm out, added listener tls, added trunk a, "
		"added route 1");
}

static void test_every_leaf_of_a_trunk_counts(void **state)
{
	static const char *const changed[] = {
		TRUNK("a", ",\"admin-state\":\"drain\""),
		TRUNK("a", ",\"max-calls\":5"),
		TRUNK("a", ",\"max-call-rate\":5"),
		TRUNK("a", ",\"media-timeout\":5"),
		TRUNK("a", ",\"rtcp-mux\":\"offer\""),
		TRUNK("a", ",\"ice\":\"lite\""),
		TRUNK("a", ",\"rtp-profile\":\"feedback-always\""),
		TRUNK("a", ",\"identify\":{\"source-address\":[\"198.51.100.0/24\"]}"),
		TRUNK("a", ",\"identify\":{\"listener\":[\"tls\"]}"),
		TRUNK("a", ",\"failover-on\":[500]"),
	};

	(void)state;
	for (unsigned i = 0; i < sizeof changed / sizeof *changed; i++)
		assert_string_equal(
			differences(parse(A, TO_A, ""), parse(changed[i], TO_A, "")), "changed trunk a");
	assert_string_equal(differences(parse(TRUNK("a", ",\"failover-on\":[500]"), TO_A, ""),
				    parse(TRUNK("a", ",\"failover-on\":[502]"), TO_A, "")),
		"changed trunk a");
	/* It is a set. */
	assert_string_equal(differences(parse(TRUNK("a", ",\"failover-on\":[500,480]"), TO_A, ""),
				    parse(TRUNK("a", ",\"failover-on\":[480,500]"), TO_A, "")),
		"");
}

static void test_containers(void **state)
{
	(void)state;
	assert_string_equal(
		differences(parse(A, TO_A, ""), parse(A, TO_A, ",\"limits\":{\"max-calls\":7}")),
		"changed limits max-calls");
	assert_string_equal(
		differences(parse(A, TO_A, ""), parse(A, TO_A, ",\"logging\":{\"level\":\"debug\"}")),
		"changed logging level");
	assert_string_equal(differences(parse(A, TO_A, ",\"dataplane\":{\"longest-nap\":50}"),
				    parse(A, TO_A, ",\"dataplane\":{\"longest-nap\":60}")),
		"changed dataplane longest-nap");
	assert_string_equal(differences(parse(A, TO_A, ",\"dataplane\":{\"longest-nap\":50}"),
				    parse(A, TO_A, ",\"dataplane\":{\"busy-poll\":true}")),
		"changed dataplane busy-poll");
}

static void test_sleep_of_workers_needs_no_start(void **state)
{
	static const char *const rest[] = {"", ",\"dataplane\":{\"longest-nap\":50}",
		",\"dataplane\":{\"busy-poll\":true}", ",\"dataplane\":{\"busy-poll\":false}"};

	(void)state;
	for (unsigned i = 1; i < 4; i++) {
		struct config *from = parse(A, TO_A, rest[i - 1]), *to = parse(A, TO_A, rest[i]);
		struct config_diff *d;

		assert_int_equal(config_diff(from, to, &d), 0);
		assert_int_equal(d->n, 1);
		assert_false(config_difference_needs_start(&d->all[0]));
		config_diff_free(d);
		config_unref(from);
		config_unref(to);
	}
}

static void test_the_metrics_listener_moves_at_once(void **state)
{
	struct config *from = parse(A, TO_A, ",\"observability\":{\"metrics-listener\":{\"port\":9464}}"),
		      *to = parse(A, TO_A, ",\"observability\":{\"metrics-listener\":{\"port\":9465}}");
	struct config_diff *d;

	(void)state;
	assert_int_equal(config_diff(from, to, &d), 0);
	assert_int_equal(d->n, 1);
	assert_false(config_difference_needs_start(&d->all[0]));
	config_diff_free(d);
	config_unref(from);
	config_unref(to);
}

static void test_what_needs_a_start_and_how_it_is_called(void **state)
{
	struct config *from = parse(A, TO_A, ""), *to = parse(B, "{\"name\":\"1\",\"to-trunk\":[\"b\"]}",
						      ",\"dataplane\":{\"workers\":4}");
	struct config_diff *d;
	char path[128];

	(void)state;
	assert_int_equal(config_diff(from, to, &d), 0);
	assert_int_equal(d->n, 4);
	config_difference_path(&d->all[0], path, sizeof path);
	assert_string_equal(path, "/srtp-gateway:gateway/trunks/trunk[name='a']");
	assert_false(config_difference_needs_start(&d->all[0]));
	config_difference_path(&d->all[3], path, sizeof path);
	assert_string_equal(path, "/srtp-gateway:gateway/dataplane/workers");
	assert_true(config_difference_needs_start(&d->all[3]));
	assert_true(config_diff_any(d, CONFIG_KIND_TRUNK));
	assert_false(config_diff_any(d, CONFIG_KIND_LISTENER));
	config_diff_free(d);
	config_unref(from);
	config_unref(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_every_leaf_of_a_trunk_counts),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_sleep_of_workers_needs_no_start),
		cmocka_unit_test(test_the_metrics_listener_moves_at_once),
		cmocka_unit_test(test_what_needs_a_start_and_how_it_is_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
