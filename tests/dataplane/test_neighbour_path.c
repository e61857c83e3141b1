/* SPDX-License-Identifier: Apache-2.0 */
/* Next hops: what fills the table that workers read, over a kernel made up here. */
#include "tests/dataplane/neighbours.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/neighbour.h>

#include "dataplane/nexthop/neighbour_path.h"
#include "dataplane/sizing.h"
#include "lib/base/log.h"

#define IFINDEX 7

/* What it answers, and what it was asked. */
static struct {
	bool gateway; /* one next hop for all; otherwise each remote is its own */
	bool no_route;
	uint16_t state; /* NUD_*, of every neighbour */
	struct rtnl_link link;
	uint32_t route_mtu; /* of every route; 0: the interface's */
	unsigned routes, neighbours, used;
	uint8_t *asked; /* by the last two octets of the remote; NULL: not counted */
	unsigned warnings;
} kernel;

int __wrap_rtnl_open(void);
int __wrap_rtnl_open(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int __wrap_rtnl_link_get(int fd, uint32_t ifindex, struct rtnl_link *out);
int __wrap_rtnl_link_get(int fd, uint32_t ifindex, struct rtnl_link *out)
{
	(void)fd;
	assert_int_equal(ifindex, IFINDEX);
	*out = kernel.link;
	return 0;
}

int __wrap_rtnl_route_get(
	int fd, const struct ip_addr *local, const struct ip_addr *remote, struct rtnl_route *out);
int __wrap_rtnl_route_get(
	int fd, const struct ip_addr *local, const struct ip_addr *remote, struct rtnl_route *out)
{
	(void)fd;
	kernel.routes++;
	if (kernel.asked != NULL)
		kernel.asked[remote->octets[0] | remote->octets[1] << 8] = 1;
	if (kernel.no_route)
		return -ENETUNREACH;
	*out = (struct rtnl_route){.kind = RTNL_ROUTE_UNICAST,
		.ifindex = IFINDEX,
		.mtu = kernel.route_mtu,
		.next_hop = kernel.gateway ? *local : *remote};
	return 0;
}

int __wrap_rtnl_neighbour_get(int fd, uint32_t ifindex, const struct ip_addr *ip, struct rtnl_neighbour *out);
int __wrap_rtnl_neighbour_get(int fd, uint32_t ifindex, const struct ip_addr *ip, struct rtnl_neighbour *out)
{
	(void)fd;
	kernel.neighbours++;
	*out = (struct rtnl_neighbour){.ifindex = ifindex,
		.ip = *ip,
		.state = kernel.state,
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, 1}};
	return 0;
}

int __wrap_rtnl_neighbour_use(int fd, uint32_t ifindex, const struct ip_addr *ip);
int __wrap_rtnl_neighbour_use(int fd, uint32_t ifindex, const struct ip_addr *ip)
{
	(void)fd;
	(void)ifindex;
	(void)ip;
	kernel.used++;
	return 0;
}

void __wrap_log_write(
	enum log_level level, const char *module, const char *message, const struct log_field *fields);
void __wrap_log_write(
	enum log_level level, const char *module, const char *message, const struct log_field *fields)
{
	(void)module;
	(void)message;
	(void)fields;
	kernel.warnings += level == LOG_WARN;
}

struct mirror {
	struct port port, *ports[1];
	struct neighbour_table *table;
	struct paths paths;
};

static void mirror_open(struct mirror *m, uint32_t capacity)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.state = NUD_REACHABLE;
	kernel.link = (struct rtnl_link){.mtu = 1500, .mac = {2, 7}};
	*m = (struct mirror){.port = {.ifindex = IFINDEX, .mtu = 1500, .mac = {{2, 7}}}};
	m->ports[0] = &m->port;
	assert_int_equal(neighbour_table_create(capacity, &m->table), 0);
	assert_int_equal(paths_open(&m->paths, m->table, m->ports, 1, capacity), 0);
}

static void mirror_close(struct mirror *m)
{
	paths_close(&m->paths);
	neighbour_table_destroy(m->table);
}

/* A worker's lookup, and what the mirror does when it knows nothing. */
static enum neighbour_state use(struct mirror *m, uint32_t n)
{
	struct neighbour_key k = pair(n);
	struct neighbour_value v = {.state = NEIGHBOUR_PENDING};

	if (neighbour_table_find(m->table, NULL, &k, m->paths.tick, &v) == NEIGHBOUR_FOUND)
		return (enum neighbour_state)v.state;
	paths_add(&m->paths, &k);
	return NEIGHBOUR_PENDING;
}

static void use_all(struct mirror *m, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++)
		(void)use(m, n);
}

static void second_begins(struct mirror *m)
{
	paths_tick(&m->paths);
	neighbour_table_tick(m->table, m->paths.tick);
}

static void second_passes(struct mirror *m)
{
	second_begins(m);
	while (paths_step(&m->paths))
		;
}

/* At an access border each side of a call has an address of its own. */
static void each_call_keeps_its_next_hops(void **state)
{
	enum { SESSIONS = 40000, PAIRS = 2 * SESSIONS };
	struct mirror m;

	(void)state;
	mirror_open(&m, sizing_next_hops(SESSIONS));
	use_all(&m, 0, PAIRS);
	for (unsigned s = 0; s < 3; s++) {
		for (uint32_t n = 0; n < PAIRS; n++)
			if (use(&m, n) != NEIGHBOUR_READY)
				fail_msg("pair %u is not there in second %u", n, s);
		second_passes(&m);
	}
	assert_int_equal(m.paths.evicted, 0);
	assert_int_equal(kernel.routes, PAIRS);
	assert_int_equal(m.paths.entries, PAIRS);
	assert_int_equal(m.paths.resolved, PAIRS);
	mirror_close(&m);
}

static void a_few_sessions_have_room_for_many_remotes(void **state)
{
	(void)state;
	assert_true(sizing_next_hops(1) >= 65536);
	assert_true(sizing_next_hops(1000000) > 1000000 * LEGS_PER_SESSION);
}

static size_t resident(void)
{
	unsigned long size = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &size, &pages), 2);
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void room_for_many_costs_little_until_they_come(void **state)
{
	struct mirror m;
	size_t before = resident();

	(void)state;
	mirror_open(&m, sizing_next_hops(1000000));
	use_all(&m, 0, 1000);
	second_passes(&m);
	size_t taken = resident() - before;
	if (taken > 24 << 20)
		fail_msg("%zu kB for 1,000 pairs", taken >> 10);
	mirror_close(&m);
}

static void ends_of_calls_leave_the_version_alone(void **state)
{
	enum { OVER = 1000, LIVE = 10 };
	struct mirror m;

	(void)state;
	mirror_open(&m, 65536);
	use_all(&m, 0, OVER + LIVE);
	for (unsigned s = 0; s <= PATH_IDLE_S; s++) {
		second_begins(&m);
		uint32_t version = neighbour_table_version(m.table);
		use_all(&m, OVER, OVER + LIVE);
		while (paths_step(&m.paths))
			;
		assert_int_equal(neighbour_table_version(m.table), version);
	}
	assert_int_equal(m.paths.entries, LIVE);
	for (uint32_t n = OVER; n < OVER + LIVE; n++)
		assert_int_equal(use(&m, n), NEIGHBOUR_READY);
	mirror_close(&m);
}

static void pairs_of_ended_calls_go_sooner_where_room_runs_short(void **state)
{
	enum { N = 1000, HALF = N / 2, MANY = N / 10 * 9 };
	struct mirror m;

	(void)state;
	mirror_open(&m, N);
	use_all(&m, 0, HALF);
	for (unsigned s = 0; s < PATH_IDLE_S; s++)
		second_passes(&m);
	assert_int_equal(m.paths.entries, HALF);
	use_all(&m, 0, MANY);
	for (unsigned s = 0; s <= PATH_IDLE_FULL_S; s++)
		second_passes(&m);
	assert_in_range(m.paths.entries, 1, N / 4 * 3);
	assert_int_equal(m.paths.evicted, 0);
	mirror_close(&m);
}

static void a_warning_a_minute_says_that_pairs_in_use_give_way(void **state)
{
	enum { N = 100 };
	struct mirror m;

	(void)state;
	mirror_open(&m, N);
	use_all(&m, 0, N);
	for (unsigned s = 0; s <= NEIGHBOUR_IN_USE_S; s++)
		second_passes(&m);
	use_all(&m, N, 2 * N);
	for (uint32_t n = N; n < 2 * N; n++)
		assert_int_equal(use(&m, n), NEIGHBOUR_READY);
	second_passes(&m);
	assert_int_equal(m.paths.evicted, 0); /* the others' calls were over */
	assert_int_equal(kernel.warnings, 0);

	use_all(&m, 0, N);
	assert_int_equal(m.paths.evicted, N);
	for (unsigned s = 1; s <= 60; s++) {
		use_all(&m, s % 2 * N, s % 2 * N + N);
		second_passes(&m);
		assert_int_equal(kernel.warnings, 1);
	}
	second_passes(&m);
	assert_int_equal(kernel.warnings, 2);
	for (unsigned s = 0; s < 120; s++)
		second_passes(&m);
	assert_int_equal(kernel.warnings, 2);
	mirror_close(&m);
}

/* What an operator is told of them. */
static void counted(
	const struct mirror *m, uint32_t resolved, uint32_t unresolved, uint32_t no_route, uint32_t idle)
{
	assert_int_equal(m->paths.resolved, resolved);
	assert_int_equal(m->paths.unresolved, unresolved);
	assert_int_equal(m->paths.no_route, no_route);
	assert_int_equal(m->paths.idle, idle);
}

static void pairs_in_use_are_counted_by_what_is_known_of_their_way(void **state)
{
	enum { N = 100 };
	struct mirror m;
	struct neighbour_key k = pair(0);
	struct rtnl_neighbour silent = {.ifindex = IFINDEX, .ip = k.remote, .state = NUD_FAILED};

	(void)state;
	mirror_open(&m, 65536);
	use_all(&m, 0, N);
	second_passes(&m);
	counted(&m, N, 0, 0, 0);
	paths_neighbour(&m.paths, &silent);
	kernel.no_route = true;
	use_all(&m, N, N + 2);
	second_passes(&m);
	counted(&m, N - 1, 1, 2, 0);
	for (unsigned s = 0; s <= NEIGHBOUR_IN_USE_S; s++) {
		use_all(&m, 0, 10);
		second_passes(&m);
	}
	counted(&m, 9, 1, 0, N - 10 + 2);
	for (unsigned s = 0; s <= PATH_IDLE_S; s++)
		second_passes(&m);
	counted(&m, 0, 0, 0, 0);
	mirror_close(&m);
}

static unsigned questions(void)
{
	return kernel.routes + kernel.neighbours + kernel.used;
}

/* The largest number of questions in one step until there is no more to do. */
static unsigned most_questions(struct mirror *m)
{
	unsigned most = 0, before;
	bool more;

	do {
		before = questions();
		more = paths_step(&m->paths);
		if (questions() - before > most)
			most = questions() - before;
	} while (more);
	return most;
}

/* Between two steps the mirror reads notifications and workers' requests. */
static void rounds_go_in_steps(void **state)
{
	enum { N = 20000, SLACK = 8 };
	struct mirror m;

	(void)state;
	mirror_open(&m, 65536);
	use_all(&m, 0, N);
	kernel.routes = 0;
	paths_refresh(&m.paths);
	assert_in_range(most_questions(&m), 1, STEP_QUESTIONS + SLACK);
	assert_int_equal(kernel.routes, N);

	kernel.neighbours = 0;
	paths_resync(&m.paths);
	assert_in_range(most_questions(&m), 1, STEP_QUESTIONS + SLACK);
	assert_int_equal(kernel.neighbours, N);

	kernel.no_route = true;
	paths_refresh(&m.paths);
	(void)most_questions(&m);
	kernel.routes = 0;
	for (unsigned s = 0; s < ROUTE_RETRY_S; s++) {
		second_begins(&m);
		assert_in_range(most_questions(&m), 0, STEP_QUESTIONS + SLACK);
	}
	assert_int_equal(kernel.routes, N);
	mirror_close(&m);
}

/* Routes that change all the time and lost notifications begin rounds again and again. */
static void a_round_begun_again_reaches_everything(void **state)
{
	enum { N = 20000 };
	static uint8_t asked[65536];
	struct mirror m;
	unsigned reached = 0;

	(void)state;
	mirror_open(&m, 65536);
	use_all(&m, 0, N);
	kernel.asked = asked;
	for (unsigned i = 0; i < 4 * N / STEP_QUESTIONS; i++) {
		paths_refresh(&m.paths);
		paths_resync(&m.paths);
		second_begins(&m);
		use_all(&m, N - 1, N);
		(void)paths_step(&m.paths);
	}
	for (uint32_t n = 0; n < N; n++)
		reached += asked[n];
	assert_int_equal(reached, N);
	/* and the walk of each second came round, too */
	assert_int_equal(m.paths.resolved + m.paths.idle, N);
	mirror_close(&m);
}

static void a_gateway_in_use_is_confirmed_once_a_second(void **state)
{
	enum { N = 1000 };
	struct mirror m;

	(void)state;
	mirror_open(&m, 65536);
	kernel.gateway = true;
	kernel.state = NUD_STALE;
	use_all(&m, 0, N);
	kernel.used = 0;
	for (unsigned s = 0; s < 10; s++) {
		use_all(&m, 0, N);
		second_passes(&m);
	}
	assert_int_equal(kernel.used, 10);
	for (unsigned s = 0; s < HOP_KEEP_S; s++)
		second_passes(&m);
	kernel.used = 0;
	second_passes(&m);
	assert_int_equal(kernel.used, 0);
	mirror_close(&m);
}

static void what_the_kernel_says_of_a_next_hop_reaches_all_its_pairs(void **state)
{
	enum { N = 100 };
	struct mirror m;
	struct neighbour_key k = pair(0);
	struct rtnl_neighbour n = {.ifindex = IFINDEX, .ip = k.local, .state = NUD_FAILED};

	(void)state;
	mirror_open(&m, 65536);
	kernel.gateway = true;
	use_all(&m, 0, N);
	paths_neighbour(&m.paths, &n);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(use(&m, i), NEIGHBOUR_PENDING);
	n = (struct rtnl_neighbour){
		.ifindex = IFINDEX, .ip = k.local, .state = NUD_REACHABLE, .has_mac = true, .mac = {2, 9}};
	paths_neighbour(&m.paths, &n);
	uint32_t before = neighbour_table_version(m.table);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(use(&m, i), NEIGHBOUR_READY);
	n.state = NUD_STALE;
	paths_neighbour(&m.paths, &n);
	assert_int_equal(neighbour_table_version(m.table), before); /* it is where it was */
	n.mac[5] = 1;
	paths_neighbour(&m.paths, &n);
	assert_int_not_equal(neighbour_table_version(m.table), before);
	mirror_close(&m);
}

/* What does not fit any more is refused by a worker, who counts it; the kernel would only drop it. */
static void an_interface_that_changes_is_followed(void **state)
{
	static const struct {
		uint32_t link, route;
		uint16_t fits;
	} mtus[] = {{1500, 0, 1500}, {1400, 0, 1400}, {1400, 1450, 1400}, {1400, 1300, 1300}, {9000, 0, 9000},
		{100000, 0, UINT16_MAX}};
	struct neighbour_key k = pair(0);
	struct neighbour_value v;
	struct mirror m;

	(void)state;
	mirror_open(&m, 65536);
	(void)use(&m, 0);
	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		kernel.link.mtu = mtus[i].link;
		kernel.link.mac[5] = (uint8_t)i;
		kernel.route_mtu = mtus[i].route;
		paths_refresh(&m.paths);
		while (paths_step(&m.paths))
			;
		assert_int_equal(neighbour_table_find(m.table, NULL, &k, m.paths.tick, &v), NEIGHBOUR_FOUND);
		assert_int_equal(v.mtu, mtus[i].fits);
		assert_memory_equal(v.ether + 6, kernel.link.mac, 6);
	}
	mirror_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_keeps_its_next_hops),
		cmocka_unit_test(a_few_sessions_have_room_for_many_remotes),
		cmocka_unit_test(room_for_many_costs_little_until_they_come),
		cmocka_unit_test(ends_of_calls_leave_the_version_alone),
		cmocka_unit_test(pairs_of_ended_calls_go_sooner_where_room_runs_short),
		cmocka_unit_test(a_warning_a_minute_says_that_pairs_in_use_give_way),
		cmocka_unit_test(pairs_in_use_are_counted_by_what_is_known_of_their_way),
		cmocka_unit_test(rounds_go_in_steps),
		cmocka_unit_test(a_round_begun_again_reaches_everything),
		cmocka_unit_test(a_gateway_in_use_is_confirmed_once_a_second),
		cmocka_unit_test(an_interface_that_changes_is_followed),
		cmocka_unit_test(what_the_kernel_says_of_a_next_hop_reaches_all_its_pairs),
	};

	return cmocka_run_group_tests_name("neighbour_path", tests, start, stop);
}
