/* SPDX-License-Identifier: Apache-2.0 */
/* Next hops: the table that workers read, and what fills it, over a kernel made up here. */
#include "tests/dataplane/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <linux/neighbour.h>

#include "dataplane/neighbour_path.h"
#include "dataplane/sizing.h"
#include "lib/base/log.h"

#define ROUNDS 200000

static struct ip_addr ip(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(str_z(text), &a), 0);
	return a;
}

/* --- the table --- */

static struct neighbour_key pair(uint32_t n)
{
	struct neighbour_key k = {.local = ip("192.0.2.1"), .remote = {.family = IP_V4}};

	memcpy(k.remote.octets, &n, 4);
	return k;
}

static void value_fill(struct neighbour_value *v, uint8_t with)
{
	*v = (struct neighbour_value){.state = NEIGHBOUR_READY, .port = with, .mtu = with};
	memset(v->ether, with, sizeof(v->ether));
}

static void a_kept_reference_notices_that_its_place_was_given_away(void **state)
{
	struct neighbour_table *t;
	struct neighbour_key a = pair(1), b = pair(2);
	struct neighbour_ref ref = {0};
	struct neighbour_value v;

	(void)state;
	assert_int_equal(neighbour_table_create(1, &t), 0);
	assert_int_equal(neighbour_table_find(t, &ref, &a, 1, &v), NEIGHBOUR_MISSING);
	uint32_t at = neighbour_table_insert(t, &a, 1);
	assert_int_equal(neighbour_table_find(t, &ref, &a, 1, &v), NEIGHBOUR_FOUND);
	assert_int_equal(v.state, NEIGHBOUR_PENDING);
	value_fill(&v, 7);
	neighbour_table_publish(t, at, &v);
	assert_int_equal(neighbour_table_find(t, &ref, &a, 1, &v), NEIGHBOUR_FOUND);
	assert_int_equal(v.port, 7);

	neighbour_table_remove(t, at);
	assert_int_equal(neighbour_table_find(t, &ref, &a, 1, &v), NEIGHBOUR_MISSING);
	assert_int_equal(neighbour_table_insert(t, &b, 1), at);
	value_fill(&v, 9);
	neighbour_table_publish(t, at, &v);
	assert_int_equal(neighbour_table_find(t, &ref, &a, 1, &v), NEIGHBOUR_MISSING); /* not b's address */
	neighbour_table_destroy(t);
}

/* Who uses an answer without looking it up sees that it changed, and each second that it is to look it up. */
static void an_answer_that_changes_is_another_version(void **state)
{
	struct neighbour_table *t;
	struct neighbour_key a = pair(1);
	struct neighbour_value v;
	uint32_t before;

	(void)state;
	assert_int_equal(neighbour_table_create(2, &t), 0);
	uint32_t at = neighbour_table_insert(t, &a, 1);
	before = neighbour_table_version(t);
	assert_int_not_equal(before, 0);
	value_fill(&v, 7);
	neighbour_table_publish(t, at, &v);
	neighbour_table_publish(t, at, &v);
	assert_int_equal(
		neighbour_table_version(t), before); /* nobody could use it yet, and then it is the same */
	value_fill(&v, 8);
	neighbour_table_publish(t, at, &v);
	assert_int_not_equal(neighbour_table_version(t), before);
	before = neighbour_table_version(t);
	v.state = NEIGHBOUR_NO_ROUTE;
	neighbour_table_publish(t, at, &v);
	assert_int_not_equal(neighbour_table_version(t), before);
	before = neighbour_table_version(t);
	neighbour_table_remove(t, at);
	assert_int_not_equal(neighbour_table_version(t), before);
	before = neighbour_table_version(t);
	neighbour_table_tick(t, 2);
	assert_int_not_equal(neighbour_table_version(t), before);
	neighbour_table_destroy(t);
}

/* Calls end all the time; packets of the others must not lose what was prepared for them. */
static void what_nobody_uses_changes_without_another_version(void **state)
{
	struct neighbour_table *t;
	struct neighbour_value v;
	uint32_t at[4], before;

	(void)state;
	assert_int_equal(neighbour_table_create(4, &t), 0);
	for (uint32_t i = 0; i < 4; i++) {
		struct neighbour_key k = pair(i);

		at[i] = neighbour_table_insert(t, &k, 1);
		value_fill(&v, 7);
		neighbour_table_publish(t, at[i], &v);
	}
	neighbour_table_tick(t, 2);
	for (uint32_t i = 2; i < 4; i++) {
		struct neighbour_key k = pair(i);

		assert_int_equal(neighbour_table_find(t, NULL, &k, 2, &v), NEIGHBOUR_FOUND);
	}
	neighbour_table_tick(t, 3);
	before = neighbour_table_version(t);
	value_fill(&v, 8);
	neighbour_table_publish(t, at[0], &v);
	neighbour_table_remove(t, at[1]);
	assert_int_equal(neighbour_table_version(t), before);

	/* Used in the second before: somebody may have been told so late that it still sends by the answer.
	 */
	neighbour_table_publish(t, at[2], &v);
	assert_int_not_equal(neighbour_table_version(t), before);
	before = neighbour_table_version(t);
	neighbour_table_remove(t, at[3]);
	assert_int_not_equal(neighbour_table_version(t), before);
	neighbour_table_destroy(t);
}

static void a_full_table_gives_up_what_is_unused_longest(void **state)
{
	enum { N = 20 };
	struct neighbour_table *t;
	struct neighbour_value v;
	struct neighbour_key late = pair(1000);
	uint32_t at[N];

	(void)state;
	assert_int_equal(neighbour_table_create(N, &t), 0);
	for (uint32_t i = 0; i < N; i++) {
		struct neighbour_key k = pair(i);

		at[i] = neighbour_table_insert(t, &k, 10);
		assert_int_not_equal(at[i], NEIGHBOUR_NONE);
	}
	for (uint32_t i = 0; i < N; i++) {
		struct neighbour_key k = pair(i);

		if (i != 13)
			assert_int_equal(neighbour_table_find(t, NULL, &k, 11, &v), NEIGHBOUR_FOUND);
	}
	assert_int_equal(neighbour_table_insert(t, &late, 11), NEIGHBOUR_NONE);
	assert_int_equal(neighbour_table_victim(t, &late), at[13]);
	neighbour_table_remove(t, at[13]);
	assert_int_equal(neighbour_table_insert(t, &late, 11), at[13]);
	for (uint32_t i = 0; i < N; i++) {
		struct neighbour_key k = pair(i);

		assert_int_equal(neighbour_table_find(t, NULL, &k, 11, &v),
			i == 13 ? NEIGHBOUR_MISSING : NEIGHBOUR_FOUND);
	}
	neighbour_table_destroy(t);
}

/* Those in use lie side by side where their calls began one after the other. */
static void a_full_table_keeps_pairs_in_use(void **state)
{
	enum { N = 600, DEAD = 20 };
	struct neighbour_table *t;
	struct neighbour_value v;

	(void)state;
	assert_int_equal(neighbour_table_create(N, &t), 0);
	for (uint32_t i = 0; i < N; i++) {
		struct neighbour_key k = pair(i);

		assert_int_not_equal(neighbour_table_insert(t, &k, 1), NEIGHBOUR_NONE);
	}
	neighbour_table_tick(t, 60);
	for (uint32_t i = 0; i < N - DEAD; i++) {
		struct neighbour_key k = pair(i);

		assert_int_equal(neighbour_table_find(t, NULL, &k, 60, &v), NEIGHBOUR_FOUND);
	}
	for (uint32_t i = N; i < N + DEAD; i++) {
		struct neighbour_key k = pair(i);
		uint32_t victim = neighbour_table_victim(t, &k);

		assert_false(neighbour_table_in_use(t, victim));
		neighbour_table_remove(t, victim);
		assert_int_equal(neighbour_table_insert(t, &k, 60), victim);
	}
	neighbour_table_destroy(t);
}

struct race {
	struct neighbour_table *table;
	struct neighbour_key a, b;
	_Atomic int done;
};

/* Two pairs in turn in the same place, with ever other values, each of one octet only. */
static void *race_writer(void *arg)
{
	struct race *r = arg;
	struct neighbour_value v;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t at = neighbour_table_insert(r->table, i & 1 ? &r->a : &r->b, 1);

		for (unsigned k = 0; k < 4; k++) {
			/* a's octets are odd, b's even: a mix-up of pairs shows as well as a torn value */
			value_fill(&v, (uint8_t)((i * 4 + k) << 1 | (i & 1)));
			neighbour_table_publish(r->table, at, &v);
		}
		neighbour_table_remove(r->table, at);
	}
	r->done = 1;
	return NULL;
}

static void readers_never_see_half_a_next_hop(void **state)
{
	struct race r = {.a = pair(1), .b = pair(2)};
	struct neighbour_ref ref = {0};
	struct neighbour_value v;
	pthread_t writer;
	uint64_t seen = 0;

	(void)state;
	assert_int_equal(neighbour_table_create(1, &r.table), 0);
	assert_int_equal(pthread_create(&writer, NULL, race_writer, &r), 0);
	while (!r.done) {
		if (neighbour_table_find(r.table, &ref, &r.a, 1, &v) != NEIGHBOUR_FOUND ||
			v.state != NEIGHBOUR_READY)
			continue;
		seen++;
		assert_int_equal(v.port & 1, 1);
		assert_int_equal(v.mtu, v.port);
		for (size_t i = 0; i < sizeof(v.ether); i++)
			assert_int_equal(v.ether[i], v.port);
	}
	pthread_join(writer, NULL);
	print_message("# %llu consistent reads\n", (unsigned long long)seen);
	neighbour_table_destroy(r.table);
}

/* --- pairs and next hops --- */

#define IFINDEX 7

/* What it answers, and what it was asked. */
static struct {
	bool gateway; /* one next hop for all; otherwise each remote is its own */
	bool no_route;
	uint16_t state; /* NUD_*, of every neighbour */
	unsigned routes, neighbours, used;
	uint8_t *asked; /* by the last two octets of the remote; NULL: not counted */
	unsigned warnings;
} kernel;

int __wrap_rtnl_open(void);
int __wrap_rtnl_open(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
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
	*m = (struct mirror){.port = {.ifindex = IFINDEX, .mtu = 1500}};
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
	assert_int_equal(m.paths.ready, PAIRS);
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
	second_passes(&m);
	assert_int_equal(m.paths.evicted, N);
	assert_int_equal(kernel.warnings, 0); /* the others' calls were over */

	for (unsigned s = 0; s < 60; s++) {
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
	assert_int_equal(m.paths.ready, N);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kept_reference_notices_that_its_place_was_given_away),
		cmocka_unit_test(an_answer_that_changes_is_another_version),
		cmocka_unit_test(what_nobody_uses_changes_without_another_version),
		cmocka_unit_test(a_full_table_gives_up_what_is_unused_longest),
		cmocka_unit_test(a_full_table_keeps_pairs_in_use),
		cmocka_unit_test(readers_never_see_half_a_next_hop),
		cmocka_unit_test(each_call_keeps_its_next_hops),
		cmocka_unit_test(a_few_sessions_have_room_for_many_remotes),
		cmocka_unit_test(room_for_many_costs_little_until_they_come),
		cmocka_unit_test(ends_of_calls_leave_the_version_alone),
		cmocka_unit_test(pairs_of_ended_calls_go_sooner_where_room_runs_short),
		cmocka_unit_test(a_warning_a_minute_says_that_pairs_in_use_give_way),
		cmocka_unit_test(rounds_go_in_steps),
		cmocka_unit_test(a_round_begun_again_reaches_everything),
		cmocka_unit_test(a_gateway_in_use_is_confirmed_once_a_second),
		cmocka_unit_test(what_the_kernel_says_of_a_next_hop_reaches_all_its_pairs),
	};

	return cmocka_run_group_tests_name("neighbour", tests, start, stop);
}
