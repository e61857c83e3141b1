/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a call's legs, kept apart. */
#include <stdlib.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "tests/support/cmocka_std.h"

static struct dp_stats_leg stats(uint8_t leg, uint64_t packets)
{
	return (struct dp_stats_leg){.h.type = DP_STATS_LEG, .leg = leg, .side = leg % 2, .rx_packets = packets};
}

static void note(struct call *c, uint8_t leg, uint64_t packets)
{
	const struct dp_stats_leg s = stats(leg, packets);

	call_note_stats(c, &s);
}

static uint64_t packets_of(const struct call *c, unsigned leg)
{
	const struct dp_stats_leg *s = call_stats_of(c, leg);

	return s ? s->rx_packets : UINT64_MAX;
}

/* In whatever order they come and come again. */
static void each_leg_has_its_own(void **state)
{
	static const uint8_t orders[][4] = {{0, 1, 3, 5}, {5, 3, 1, 0}, {3, 0, 5, 1}};

	(void)state;
	for (unsigned i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		struct call *c = calloc(1, sizeof *c);

		assert_non_null(c);
		assert_int_equal(call_stats(c, 1)->h.type, 0);
		assert_null(call_stats_of(c, 1));
		for (unsigned round = 0; round < 3; round++)
			for (unsigned k = 0; k < 4; k++)
				note(c, orders[i][k], 100 * round + orders[i][k]);
		for (unsigned k = 0; k < 4; k++)
			assert_int_equal(packets_of(c, orders[i][k]), 200 + orders[i][k]);
		assert_int_equal(packets_of(c, 2), UINT64_MAX);
		/* A side's own numbers are its first leg's. */
		assert_int_equal(call_stats(c, 0)->leg, 0);
		assert_int_equal(call_stats(c, 1)->leg, 1);
		assert_int_equal(c->n_more_stats, 2);
		free(c->stats[0]);
		free(c->stats[1]);
		free(c->more_stats);
		free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_leg_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
