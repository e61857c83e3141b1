/* SPDX-License-Identifier: Apache-2.0 */
/* The data plane's command line: devices that the kernel knows nothing of, and where their packets go. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "dataplane/control/options.h"
#include "tests/support/words.h"

#define WORDS 32
#define MAC "02:00:00:00:10:01"

static int parse(const char *line, struct options *o, struct err *err)
{
	static char text[512];
	char *argv[WORDS] = {"srtpgw-dataplane", "--socket", "/run/x"};

	snprintf(text, sizeof(text), "%s", line);
	return options_parse(words_of(text, argv, 3, WORDS), argv, o, err);
}

static void test_devices_and_their_next_hops(void **state)
{
	struct options o;
	struct err err = {""};

	(void)state;
	assert_int_equal(parse("--interface eth0 --device net_memif0,role=server --next-hop " MAC
			       " --device 0000:3b:00.0 --next-hop 10.0.1.1=02:00:00:00:10:02 --next-hop "
			       "2001:db8::1=02:00:00:00:10:03",
				 &o, &err),
		0);
	assert_int_equal(o.n_interfaces, 1);
	assert_int_equal(o.n_devices, 2);
	assert_string_equal(o.devices[0], "net_memif0,role=server");
	assert_int_equal(o.n_hops, 3);
	assert_int_equal(o.hops[0].device, 0);
	assert_int_equal(o.hops[0].local.family, IP_NONE);
	assert_int_equal(o.hops[0].mac[5], 1);
	assert_int_equal(o.hops[1].device, 1);
	assert_int_equal(o.hops[1].local.octets[2], 1);
	assert_int_equal(o.hops[2].local.family, IP_V6);
	assert_int_equal(o.hops[2].mac[5], 3);
}

static void test_an_interface_alone_has_no_devices(void **state)
{
	struct options o;
	struct err err = {""};

	(void)state;
	assert_int_equal(parse("--interface eth0", &o, &err), 0);
	assert_int_equal(o.n_devices + o.n_hops, 0);
}

static void test_what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *said;
	} rows[] = {
		{"", "--device"},
		{"--device net_memif0", "--next-hop"},
		{"--device net_memif0 --next-hop " MAC " --device net_memif1", "net_memif1"},
		{"--next-hop " MAC " --device net_memif0", "follows"},
		{"--device net_memif0 --next-hop 02:00", "'02:00'"},
		{"--device net_memif0 --next-hop 10.0.0=" MAC, "10.0.0="},
		{"--device net_memif0 --next-hop " MAC "x", "x'"},
		{"--device net_memif0,id=1 --next-hop " MAC " --device net_memif0", "twice"},
		{"--device net_a_name_that_is_long,x=y --next-hop " MAC, "net_a_name"},
		{"--device ,x=y --next-hop " MAC, "',x=y'"},
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {""};

		assert_int_equal(parse(rows[i].line, &o, &err), -EINVAL);
		if (!strstr(err.text, rows[i].said))
			fail_msg("%s: %s", rows[i].line, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices_and_their_next_hops),
		cmocka_unit_test(test_an_interface_alone_has_no_devices),
		cmocka_unit_test(test_what_is_wrong_is_said),
	};

	return cmocka_run_group_tests_name("dataplane_options", tests, NULL, NULL);
}
