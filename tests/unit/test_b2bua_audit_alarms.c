/* SPDX-License-Identifier: Apache-2.0 */
/* What is reported of the audit by itself: each loss, and the end of whatever was raised. */
#include "tests/unit/b2bua_audit.h"

#include <libyang/libyang.h>

#include "controlplane/obs/notify.h"
#include "lib/audit/chain.h"
#include "tests/support/full_file.h"

#define LOOKED 6000 /* ms: by then the B2BUA has looked at its audit */

static void note(void *ctx, uint64_t wall_ms, const struct lyd_node *node)
{
	char *all = ctx;
	const struct lyd_node *child;

	(void)wall_ms;
	if (strcmp(LYD_NAME(node), "audit-alarm") != 0)
		return;
	LY_LIST_FOR(lyd_child(node), child)
	{
		strcat(all, lyd_get_value(child));
		strcat(all, child->next ? " " : "\n");
	}
}

/* Kind, whether it is raised, and times: a line for each since the setup. */
static const char *alarms(void)
{
	static char all[1024];

	all[0] = '\0';
	notify_replay(bench.notify, 0, UINT64_MAX, note, all);
	return all;
}

static void keep(struct audit *a)
{
	audit_write(a, STR("\"type\":\"test\""), 1700000000000);
}

static void fill_the_disk_for_a_record(struct audit *a)
{
	struct full_file full;

	keep(a);
	full_file_begin(&full, audit_file);
	keep(a);
	full_file_end(&full);
}

static void write_too_long_a_record(struct audit *a)
{
	static char members[AUDIT_LINE_MAX];

	memset(members, ' ', sizeof members - 1);
	audit_write(a, str_z(members), 1700000000000);
}

/* Over before anybody looked: a loss all the same. */
static void test_a_short_loss_is_an_alarm(void **state)
{
	static void (*const ways[])(struct audit *) = {fill_the_disk_for_a_record, write_too_long_a_record};

	for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct audit *a = audit_begin();

		ways[i](a);
		pass(LOOKED);
		assert_string_equal(alarms(), "records-lost true 1\nrecords-lost false 1\n");
		/* Once. */
		pass(2 * LOOKED);
		assert_string_equal(alarms(), "records-lost true 1\nrecords-lost false 1\n");
		audit_end(a);
		assert_string_equal(alarms(), "records-lost true 1\nrecords-lost false 1\n");
		bench_teardown(state);
		bench_setup(state);
	}
}

/* Another file, or none, is configured while its alarms are raised. */
static void test_alarms_end_with_their_audit(void **state)
{
	struct audit *a = audit_begin();
	char elsewhere[90];
	FILE *f;

	(void)state;
	keep(a);
	snprintf(elsewhere, sizeof elsewhere, "%s.old", audit_file);
	assert_int_equal(rename(audit_file, elsewhere), 0);
	f = fopen(audit_file, "w");
	assert_non_null(f);
	fputs("mine\n", f);
	fclose(f);
	pass(LOOKED);
	assert_string_equal(alarms(), "file-taken true 1\nfile-away true 1\n");
	assert_int_equal(unlink(elsewhere), 0);
	keep(a);
	/* Nobody looked since. */
	b2bua_set_audit(bench.b2bua, NULL);
	assert_string_equal(alarms(), "file-taken true 1\nfile-away true 1\n"
				      "file-taken true 2\nrecords-lost true 1\n"
				      "file-away false 2\nrecords-lost false 1\n");
	audit_end(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_short_loss_is_an_alarm, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_alarms_end_with_their_audit, bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
