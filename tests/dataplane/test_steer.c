/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steering by flow rules, over a device of this file's own: it takes the rules that it is told to take, and
 * says at which queue a packet would arrive.
 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_flow.h>

#include "dataplane/port/steer.h"

#define RULES 512
#define NOWHERE (-1)

/* A rule as the device holds it. */
struct rte_flow {
	bool used, v4;
	uint8_t ip[16];
	uint16_t lower, upper, mask;
	uint16_t queue;
};

static struct {
	struct rte_flow rules[RULES];
	unsigned n, room, made; /* in force; may be; ever */
	bool ranges, masks, rules_at_all;
	bool late; /* what it does not take is refused when it is made, and not before */
} device;

static int read_rule(
	struct rte_flow *f, const struct rte_flow_item *items, const struct rte_flow_action *actions)
{
	const struct rte_flow_action_queue *queue = actions[0].conf;
	const struct rte_flow_item_udp *udp = items[2].spec, *last = items[2].last, *mask = items[2].mask;

	assert_int_equal(items[0].type, RTE_FLOW_ITEM_TYPE_ETH);
	assert_int_equal(items[2].type, RTE_FLOW_ITEM_TYPE_UDP);
	assert_int_equal(items[3].type, RTE_FLOW_ITEM_TYPE_END);
	assert_int_equal(actions[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
	assert_int_equal(actions[1].type, RTE_FLOW_ACTION_TYPE_END);
	*f = (struct rte_flow){
		.used = true, .v4 = items[1].type == RTE_FLOW_ITEM_TYPE_IPV4, .queue = queue->index};
	if (f->v4)
		memcpy(f->ip, &((const struct rte_flow_item_ipv4 *)items[1].spec)->hdr.dst_addr, 4);
	else
		memcpy(f->ip, ((const struct rte_flow_item_ipv6 *)items[1].spec)->hdr.dst_addr, 16);
	f->lower = f->upper = rte_be_to_cpu_16(udp->hdr.dst_port);
	f->mask = rte_be_to_cpu_16(mask->hdr.dst_port);
	if (last)
		f->upper = rte_be_to_cpu_16(last->hdr.dst_port);
	assert_int_equal(mask->hdr.src_port, 0);
	return (last && !device.ranges) || (f->mask != UINT16_MAX && !device.masks) ? -ENOTSUP : 0;
}

int __wrap_rte_flow_validate(uint16_t port, const struct rte_flow_attr *attr,
	const struct rte_flow_item items[], const struct rte_flow_action actions[], struct rte_flow_error *e);
int __wrap_rte_flow_validate(uint16_t port, const struct rte_flow_attr *attr,
	const struct rte_flow_item items[], const struct rte_flow_action actions[], struct rte_flow_error *e)
{
	struct rte_flow f;
	int rc = device.rules_at_all ? read_rule(&f, items, actions) : -ENOSYS;

	assert_int_equal(port, 3);
	assert_true(attr->ingress);
	e->message = rc < 0 ? "the device refuses" : NULL;
	return device.late && rc == -ENOTSUP ? 0 : rc;
}

struct rte_flow *__wrap_rte_flow_create(uint16_t port, const struct rte_flow_attr *attr,
	const struct rte_flow_item items[], const struct rte_flow_action actions[], struct rte_flow_error *e);
struct rte_flow *__wrap_rte_flow_create(uint16_t port, const struct rte_flow_attr *attr,
	const struct rte_flow_item items[], const struct rte_flow_action actions[], struct rte_flow_error *e)
{
	struct rte_flow made;

	assert_int_equal(__wrap_rte_flow_validate(port, attr, items, actions, e), 0);
	if (read_rule(&made, items, actions) < 0) {
		assert_true(device.late);
		rte_errno = ENOTSUP;
		return NULL;
	}
	for (unsigned i = 0; i < RULES && device.n < device.room; i++) {
		if (device.rules[i].used)
			continue;
		device.rules[i] = made;
		device.n++;
		device.made++;
		return &device.rules[i];
	}
	e->message = "the device is full";
	rte_errno = ENOSPC;
	return NULL;
}

int __wrap_rte_flow_destroy(uint16_t port, struct rte_flow *f, struct rte_flow_error *e);
int __wrap_rte_flow_destroy(uint16_t port, struct rte_flow *f, struct rte_flow_error *e)
{
	(void)e;
	assert_int_equal(port, 3);
	assert_true(f->used);
	f->used = false;
	device.n--;
	return 0;
}

/* Where a packet arrives; two rules for it are one too many. */
static int queue_of(const char *ip, uint16_t port)
{
	struct ip_addr a;
	int queue = NOWHERE;

	assert_int_equal(ip_parse(str_z(ip), &a), 0);
	for (unsigned i = 0; i < RULES; i++) {
		const struct rte_flow *f = &device.rules[i];
		bool in = f->mask == UINT16_MAX ? port >= f->lower && port <= f->upper
						: (port & f->mask) == f->lower;

		if (!f->used || f->v4 != (a.family == IP_V4) || memcmp(f->ip, a.octets, f->v4 ? 4 : 16) ||
			!in)
			continue;
		assert_int_equal(queue, NOWHERE);
		queue = f->queue;
	}
	return queue;
}

static struct dp_address media(const char *ip, uint16_t lower, uint16_t upper, uint8_t worker)
{
	struct dp_address a = {.port_lower = lower, .port_upper = upper, .worker = worker};

	assert_int_equal(ip_parse(str_z(ip), &a.ip), 0);
	return a;
}

static struct steer *open_device(bool rules, bool ranges, unsigned room)
{
	struct steer *s = steer_open(3, 4);

	memset(&device, 0, sizeof device);
	device.rules_at_all = rules;
	device.ranges = ranges;
	device.masks = true;
	device.room = room;
	assert_non_null(s);
	return s;
}

static void every_port_has_its_worker(bool ranges)
{
	const struct dp_address list[] = {media("192.0.2.1", 20001, 29998, 0),
		media("192.0.2.1", 29999, 49999, 3), media("2001:db8::1", 1, 65535, 2),
		media("192.0.2.2", 4000, 4000, 1)};
	struct steer *s = open_device(true, ranges, RULES);
	char why[STEER_REASON];
	uint32_t n = steer_set(s, list, 4, why);

	assert_int_equal(n, device.n);
	assert_true(ranges ? n == 4 : n > 4);
	assert_string_equal(why, "");
	for (uint32_t p = 0; p < 0x10000; p++) {
		assert_int_equal(queue_of("192.0.2.1", (uint16_t)p), p < 20001 || p > 49999 ? NOWHERE
								     : p <= 29998           ? 0
											    : 3);
		assert_int_equal(queue_of("2001:db8::1", (uint16_t)p), p ? 2 : NOWHERE);
		assert_int_equal(queue_of("192.0.2.2", (uint16_t)p), p == 4000 ? 1 : NOWHERE);
	}
	steer_close(s);
	assert_int_equal(device.n, 0);
}

static void test_a_device_that_compares_with_ranges(void **state)
{
	(void)state;
	every_port_has_its_worker(true);
}

static void test_a_device_that_compares_under_masks(void **state)
{
	(void)state;
	every_port_has_its_worker(false);
}

/* As DPDK's tap, which says so only when a rule with a mask is made: a rule for each port, and those that stay are not
 * made again. */
static void test_a_device_that_takes_whole_ports(void **state)
{
	const struct dp_address list[] = {media("192.0.2.1", 20000, 20099, 0), media("192.0.2.1", 20100, 20199, 1),
		media("192.0.2.1", 20200, 20299, 0)};
	const struct dp_address large = media("192.0.2.1", 20000, 29999, 0);
	char why[STEER_REASON];

	(void)state;
	for (unsigned late = 0; late < 2; late++) {
		struct steer *s = open_device(true, false, RULES);

		device.masks = false;
		device.late = late;
		assert_int_equal(steer_set(s, list, 2, why), 200);
		for (uint16_t p = 19990; p < 20210; p++)
			assert_int_equal(queue_of("192.0.2.1", p), p < 20000 || p > 20199 ? NOWHERE : p > 20099);
		assert_int_equal(steer_set(s, list + 1, 2, why), 200);
		assert_int_equal(device.made, 300);
		assert_int_equal(steer_set(s, &large, 1, why), 0);
		assert_int_equal(device.n, 0);
		assert_int_equal(steer_set(s, list, 1, why), 100);
		steer_close(s);
	}
}

/* What both lists need is not taken off for a moment: its packets would arrive anywhere. */
static void test_another_list_keeps_what_stays(void **state)
{
	const struct dp_address list[] = {media("192.0.2.1", 20000, 20015, 0),
		media("192.0.2.1", 20016, 20031, 1), media("192.0.2.1", 30000, 30999, 2)};
	struct steer *s = open_device(true, true, RULES);
	char why[STEER_REASON];

	(void)state;
	assert_int_equal(steer_set(s, list, 2, why), 2);
	assert_int_equal(steer_set(s, list, 2, why), 2);
	assert_int_equal(device.made, 2);
	assert_int_equal(steer_set(s, list + 1, 2, why), 2);
	assert_int_equal(device.made, 3);
	assert_int_equal(queue_of("192.0.2.1", 20000), NOWHERE);
	assert_int_equal(queue_of("192.0.2.1", 20016), 1);
	assert_int_equal(queue_of("192.0.2.1", 30500), 2);
	assert_int_equal(steer_set(s, NULL, 0, why), 0);
	assert_string_equal(why, "");
	assert_int_equal(device.n, 0);
	steer_close(s);
}

/* All or nothing, and the reason for people. */
static void test_a_device_that_cannot(void **state)
{
	const struct dp_address list[] = {
		media("192.0.2.1", 20000, 20999, 0), media("192.0.2.1", 21000, 21999, 1)};
	struct dp_address beyond = media("192.0.2.1", 1, 2, 4);
	struct steer *s = open_device(false, false, RULES);
	char why[STEER_REASON];

	(void)state;
	assert_int_equal(steer_set(s, list, 2, why), 0);
	assert_non_null(strstr(why, "the device refuses"));
	steer_close(s);
	s = open_device(true, true, 1);
	assert_int_equal(steer_set(s, list, 2, why), 0);
	assert_non_null(strstr(why, "the device is full"));
	assert_int_equal(device.n, 0);
	device.room = 2;
	assert_int_equal(steer_set(s, list, 2, why), 2);
	assert_int_equal(steer_set(s, &beyond, 1, why), 0);
	assert_int_equal(device.n, 0);
	steer_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_device_that_compares_with_ranges),
		cmocka_unit_test(test_a_device_that_compares_under_masks),
		cmocka_unit_test(test_a_device_that_takes_whole_ports),
		cmocka_unit_test(test_another_list_keeps_what_stays),
		cmocka_unit_test(test_a_device_that_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
