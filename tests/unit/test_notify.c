/* SPDX-License-Identifier: Apache-2.0 */
/* The bus of notifications: who hears what, and what is remembered. */
#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/schema.h"
#include "controlplane/obs/notify.h"

static struct ly_ctx *yang;
static struct notify *bus;

static int open_bus(void **state)
{
	struct err e = {0};

	(void)state;
	if (schema_context(&yang, &e))
		fail_msg("%s", e.text);
	bus = notify_new();
	return 0;
}

static int close_bus(void **state)
{
	(void)state;
	notify_free(bus);
	ly_ctx_destroy(yang);
	return 0;
}

static void raise_about(unsigned number)
{
	struct notice n = notify_begin(bus, "config-applied");

	state_number(&n.tree, n.node, "commit", number);
	notify_end(bus, &n);
}

struct ear {
	struct notify_listener listener;
	struct ear *ends; /* leaves when this one hears something */
	unsigned n;
	unsigned first, last;
};

static void hear(void *ctx, uint64_t wall_ms, const struct lyd_node *node)
{
	struct ear *e = ctx;
	unsigned number = (unsigned)atoi(lyd_get_value(lyd_child(node)));

	assert_true(wall_ms > 0);
	e->first = e->n++ ? e->first : number;
	e->last = number;
	if (e->ends)
		notify_leave(&e->ends->listener);
}

static void what_is_raised_is_heard_and_valid(void **state)
{
	(void)state;
	struct ear a = {.listener = {.hear = hear, .ctx = &a}}, b = {.listener = {.hear = hear, .ctx = &b}};

	raise_about(1); /* before there is a model: lost */
	notify_set_context(bus, yang);
	notify_listen(bus, &a.listener);
	notify_listen(bus, &b.listener);
	raise_about(2);
	notify_leave(&a.listener);
	notify_leave(&a.listener);
	raise_about(3);
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.first, 2);
	notify_leave(&b.listener);
}

static void a_listener_may_leave_while_it_is_told(void **state)
{
	(void)state;
	struct ear ears[3] = {{.n = 0}};

	notify_set_context(bus, yang);
	for (unsigned i = 0; i < 3; i++) {
		ears[i].listener = (struct notify_listener){.hear = hear, .ctx = &ears[i]};
		notify_listen(bus, &ears[i].listener);
	}
	/* They are told the newest first: the middle one throws out whom is told next, and himself hears on.
	 */
	ears[1].ends = &ears[0];
	ears[2].ends = &ears[2];
	raise_about(1);
	raise_about(2);
	assert_int_equal(ears[0].n, 0);
	assert_int_equal(ears[1].n, 2);
	assert_int_equal(ears[2].n, 1);
	notify_leave(&ears[1].listener);
}

static void the_last_are_remembered(void **state)
{
	(void)state;
	struct ear all = {.n = 0}, none = {.n = 0};

	notify_set_context(bus, yang);
	assert_int_equal(notify_aged(bus), 0);
	for (unsigned i = 1; i <= NOTIFY_REMEMBERED + 10; i++)
		raise_about(i);
	notify_replay(bus, notify_began(bus), UINT64_MAX, hear, &all);
	assert_int_equal(all.n, NOTIFY_REMEMBERED);
	assert_int_equal(all.first, 11);
	assert_int_equal(all.last, NOTIFY_REMEMBERED + 10);
	assert_true(notify_aged(bus) >= notify_began(bus));
	notify_replay(bus, 0, notify_began(bus) - 1, hear, &none);
	assert_int_equal(none.n, 0);
}

static void without_a_bus_nothing_happens(void **state)
{
	(void)state;
	struct notice n = notify_begin(NULL, "config-applied");

	state_number(&n.tree, n.node, "commit", 1);
	notify_end(NULL, &n);
	assert_null(n.node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_raised_is_heard_and_valid, open_bus, close_bus),
		cmocka_unit_test_setup_teardown(a_listener_may_leave_while_it_is_told, open_bus, close_bus),
		cmocka_unit_test_setup_teardown(the_last_are_remembered, open_bus, close_bus),
		cmocka_unit_test(without_a_bus_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
