/* SPDX-License-Identifier: Apache-2.0 */
/* When does an interface that another one has replaced count as replaced? Over a kernel made up here. */
#include "tests/support/cmocka_std.h"

#include <errno.h>

#include "dataplane/port/link_watch.h"
#include "dataplane/port/port_driver.h"

#define WORKERS 2

/* What it says of the interface. */
static struct {
	enum netdev_state state;
	int ethernet; /* netdev_get()'s answer */
	bool runs;
	uint32_t queues;
} kernel;

enum netdev_state __wrap_netdev_state(int mark, const char *name);
enum netdev_state __wrap_netdev_state(int mark, const char *name)
{
	(void)mark;
	(void)name;
	return kernel.state;
}

int __wrap_netdev_get(const char *name, struct netdev *out, struct err *err);
int __wrap_netdev_get(const char *name, struct netdev *out, struct err *err)
{
	(void)name;
	(void)out;
	(void)err;
	return kernel.ethernet;
}

bool __wrap_netdev_runs(const char *name);
bool __wrap_netdev_runs(const char *name)
{
	(void)name;
	return kernel.runs;
}

int __wrap_netdev_queues_get(const char *name, struct netdev_queues *out);
int __wrap_netdev_queues_get(const char *name, struct netdev_queues *out)
{
	(void)name;
	*out = (struct netdev_queues){.rx = kernel.queues, .tx = kernel.queues};
	return 0;
}

struct bench {
	struct port_driver driver;
	struct port_private private;
	struct port port, *ports[1];
	struct link_watch watch;
	uint64_t now;
};

static void bench_open(struct bench *b, bool any_kind)
{
	*b = (struct bench){.driver = port_driver_af_xdp, .now = 1};
	b->driver.keep = NULL;
	b->private = (struct port_private){.driver = &b->driver, .any_kind = any_kind};
	b->port = (struct port){.ifindex = 7,
		.queues = WORKERS,
		.kind = PORT_AF_XDP,
		.interface = "e0",
		.private = &b->private};
	b->ports[0] = &b->port;
	kernel.state = NETDEV_RUNNING;
	kernel.ethernet = 0;
	kernel.runs = true;
	kernel.queues = WORKERS;
}

/* Has it counted as replaced after so many looks? */
static bool replaced_after(struct bench *b, unsigned looks)
{
	for (unsigned i = 0; i < looks; i++) {
		(void)link_watch_look(&b->watch, b->ports, 1, b->now);
		b->now += LINK_WATCH_NS;
	}
	return b->watch.replaced == &b->port;
}

#define MANY (3 * LINK_WATCH_LOOKS)

static void one_that_is_there_or_gone_is_not_replaced(void **state)
{
	static const enum netdev_state states[] = {NETDEV_RUNNING, NETDEV_STILL, NETDEV_GONE};

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct bench b;

		bench_open(&b, false);
		kernel.state = states[i];
		assert_false(replaced_after(&b, MANY));
		assert_int_equal(b.watch.up[0], states[i] == NETDEV_RUNNING);
	}
}

static void one_that_could_not_be_opened_replaces_nothing(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, false);
	kernel.state = NETDEV_REPLACED;
	kernel.ethernet = -ENOTSUP;
	assert_false(replaced_after(&b, MANY));
	assert_non_null(strstr(b.watch.why[0], "not Ethernet"));
	kernel.ethernet = 0;
	kernel.runs = false;
	assert_false(replaced_after(&b, MANY));
	assert_non_null(strstr(b.watch.why[0], "no link"));
	kernel.runs = true;
	kernel.queues = WORKERS - 1;
	assert_false(replaced_after(&b, MANY));
	assert_non_null(strstr(b.watch.why[0], "too few queues"));
	kernel.queues = WORKERS;
	assert_true(replaced_after(&b, LINK_WATCH_LOOKS));
	assert_int_equal(b.watch.losses[0], 1);
}

/* Over AF_PACKET queues do not matter, and the next data plane may choose that. */
static void queues_matter_where_the_kind_is_given(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, true);
	kernel.state = NETDEV_REPLACED;
	kernel.queues = WORKERS - 1;
	assert_true(replaced_after(&b, LINK_WATCH_LOOKS));
}

static void one_that_goes_again_has_to_be_seen_anew(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, false);
	for (unsigned i = 0; i < 3; i++) {
		kernel.state = NETDEV_REPLACED;
		assert_false(replaced_after(&b, LINK_WATCH_LOOKS - 1));
		kernel.state = NETDEV_GONE;
		assert_false(replaced_after(&b, 1));
	}
	kernel.state = NETDEV_REPLACED;
	assert_true(replaced_after(&b, LINK_WATCH_LOOKS));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_there_or_gone_is_not_replaced),
		cmocka_unit_test(one_that_could_not_be_opened_replaces_nothing),
		cmocka_unit_test(queues_matter_where_the_kind_is_given),
		cmocka_unit_test(one_that_goes_again_has_to_be_seen_anew),
	};

	return cmocka_run_group_tests_name("link_watch", tests, NULL, NULL);
}
