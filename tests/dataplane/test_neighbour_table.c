/* SPDX-License-Identifier: Apache-2.0 */
/* Next hops: the table that workers read. */
#include "tests/dataplane/neighbours.h"

#include <pthread.h>

#define ROUNDS 200000

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kept_reference_notices_that_its_place_was_given_away),
		cmocka_unit_test(an_answer_that_changes_is_another_version),
		cmocka_unit_test(what_nobody_uses_changes_without_another_version),
		cmocka_unit_test(a_full_table_gives_up_what_is_unused_longest),
		cmocka_unit_test(a_full_table_keeps_pairs_in_use),
		cmocka_unit_test(readers_never_see_half_a_next_hop),
	};

	return cmocka_run_group_tests_name("neighbour_table", tests, start, stop);
}
