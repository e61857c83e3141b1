/* SPDX-License-Identifier: Apache-2.0 */
/* Media ports: nobody shares one, each worker keeps to its own, the oldest goes out first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/media/port_alloc.h"
#include "tests/support/cmocka_std.h"

static struct port_range range(unsigned group, const char *ip, uint16_t lower, uint16_t upper)
{
	struct port_range r = {.group = group, .lower = lower, .upper = upper};

	assert_int_equal(ip_parse(str_z(ip), &r.ip), 0);
	r.advertised = r.ip;
	return r;
}

static struct port_alloc *make(const struct port_range *r, size_t n, unsigned workers)
{
	struct port_alloc *p = NULL;
	struct err e = {0};

	if (port_alloc_new(r, n, workers, &p, &e) < 0)
		fail_msg("%s", e.text);
	return p;
}

static const unsigned group0[] = {0}, group1[] = {1}, both[] = {0, 1};

/* 50,000 calls: two pairs each out of 4 addresses and 2 workers; then all are given back and taken again. */
static void fifty_thousand_calls(void **state)
{
	enum { CALLS = 50000 };
	struct port_range r[] = {range(0, "192.0.2.1", 10000, 65535), range(0, "192.0.2.2", 10000, 65535),
		range(1, "198.51.100.1", 10000, 65535), range(1, "2001:db8::1", 10000, 65535)};
	struct port_alloc *p = make(r, 4, 2);
	struct port_lease *leases = calloc(2 * CALLS, sizeof *leases);
	uint8_t *taken = calloc(4, 65536);
	struct port_usage usage;
	size_t n;
	const struct port_share *shares = port_alloc_shares(p, &n);

	(void)state;
	assert_non_null(leases);
	assert_non_null(taken);
	assert_int_equal(n, 8);
	for (unsigned round = 0; round < 2; round++) {
		memset(taken, 0, 4 * 65536);
		for (unsigned i = 0; i < 2 * CALLS; i++) {
			struct port_lease *l = &leases[i];
			unsigned w = i % 2 ? leases[i - 1].worker : port_alloc_worker(p), at = 0;

			assert_int_equal(
				port_alloc_get(p, i % 2 ? group1 : group0, 1, IP_NONE, w, PORT_PAIR, l), 0);
			assert_int_equal(l->worker, w);
			assert_int_equal(l->rtp.port % 2, 0);
			assert_int_equal(l->rtcp.port, l->rtp.port + 1);
			while (!ip_equal(&l->rtp.ip, &r[at].ip))
				at++;
			assert_int_equal(taken[at * 65536 + l->rtp.port]++, 0);
			/* In the part of the range that the data plane is told is this worker's. */
			bool mine = false;

			for (size_t s = 0; s < n; s++)
				mine |= shares[s].worker == w && ip_equal(&shares[s].ip, &l->rtp.ip) &&
					l->rtp.port >= shares[s].lower && l->rtcp.port <= shares[s].upper;
			assert_true(mine);
		}
		port_alloc_usage(p, 0, &usage);
		assert_int_equal(usage.used, 2 * CALLS);
		assert_int_equal(usage.exhausted, 0);
		for (unsigned i = 0; i < 2 * CALLS; i++)
			port_alloc_put(p, &leases[i]);
		port_alloc_usage(p, 0, &usage);
		assert_int_equal(usage.used, 0);
	}
	free(leases);
	free(taken);
	port_alloc_free(p);
}

/* A port that was given back comes out again only when every other one has. */
static void the_oldest_is_reused_first(void **state)
{
	struct port_range r = range(0, "192.0.2.1", 10000, 10019);
	struct port_alloc *p = make(&r, 1, 1);
	struct port_lease l, last;

	(void)state;
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &last), 0);
	uint16_t freed = last.rtp.port;

	port_alloc_put(p, &last);
	assert_false(last.held);
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l), 0);
		assert_int_not_equal(l.rtp.port, freed);
	}
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l), 0);
	assert_int_equal(l.rtp.port, freed);
	port_alloc_free(p);
}

static void exhaustion_is_reported(void **state)
{
	struct port_range r[] = {range(0, "192.0.2.1", 10000, 10003), range(1, "192.0.2.2", 10000, 10001)};
	struct port_alloc *p = make(r, 2, 1);
	struct port_lease l[4];
	struct port_usage usage;

	(void)state;
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l[0]), 0);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l[1]), 0);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l[2]), -ENOSPC);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_SINGLE, &l[2]), -ENOSPC);
	/* The next interface of the realm has some. */
	assert_int_equal(port_alloc_get(p, both, 2, IP_NONE, 0, PORT_PAIR, &l[2]), 0);
	assert_int_equal(l[2].rtp.ip.octets[3], 2);
	port_alloc_usage(p, 0, &usage);
	assert_int_equal(usage.exhausted, 3);
	assert_int_equal(usage.total, 4);
	/* Another family, another group, another worker: not there at all. */
	assert_int_equal(port_alloc_get(p, both, 2, IP_V6, 0, PORT_PAIR, &l[3]), -EAFNOSUPPORT);
	assert_int_equal(port_alloc_get(p, (unsigned[]){7}, 1, IP_V4, 0, PORT_PAIR, &l[3]), -EAFNOSUPPORT);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_V4, 1, PORT_PAIR, &l[3]), -EINVAL);
	port_alloc_put(p, &l[0]);
	port_alloc_put(p, &l[0]); /* once is enough */
	port_alloc_usage(p, 0, &usage);
	assert_int_equal(usage.used, 2);
	port_alloc_free(p);
}

/* Ports taken and given back at random, in pairs and alone: never one twice, and in the end all are there
 * again. */
static void pairs_and_singles_mix(void **state)
{
	enum { PAIRS = 40, ROUNDS = 20000 };
	struct port_range r =
		range(0, "192.0.2.1", 10001, 10002 + 2 * PAIRS); /* odd at both ends: cut to pairs */
	struct port_alloc *p = make(&r, 1, 1);
	struct port_lease held[2 * PAIRS] = {0};
	uint8_t taken[2 * PAIRS] = {0};
	struct port_usage usage;
	unsigned failed = 0;

	(void)state;
	srand(1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct port_lease *l = &held[(unsigned)rand() % (2 * PAIRS)];
		enum port_kind kind = rand() % 3 ? PORT_SINGLE : PORT_PAIR;

		if (l->held) {
			for (unsigned port = l->rtp.port; port <= l->rtcp.port; port++)
				taken[port - 10002] = 0;
			port_alloc_put(p, l);
		} else if (port_alloc_get(p, group0, 1, IP_V4, 0, kind, l) == 0) {
			for (unsigned port = l->rtp.port; port <= l->rtcp.port; port++) {
				assert_in_range(port, 10002, 10001 + 2 * PAIRS);
				assert_int_equal(taken[port - 10002]++, 0);
			}
		} else {
			/* A refused single means that there really is no port. */
			for (unsigned port = 0; kind == PORT_SINGLE && port < 2 * PAIRS; port++)
				assert_int_equal(taken[port], 1);
			failed++;
		}
	}
	assert_true(failed > 0);
	for (unsigned i = 0; i < 2 * PAIRS; i++)
		port_alloc_put(p, &held[i]);
	for (unsigned i = 0; i < PAIRS; i++)
		assert_int_equal(port_alloc_get(p, group0, 1, IP_V4, 0, PORT_PAIR, &held[i]), 0);
	port_alloc_usage(p, 0, &usage);
	assert_int_equal(usage.used, usage.total);
	assert_int_equal(usage.used, 2 * PAIRS);
	port_alloc_free(p);
}

static void ranges_that_are_refused(void **state)
{
	struct port_range overlap[] = {
		range(0, "192.0.2.1", 10000, 20000), range(1, "192.0.2.1", 20000, 30000)};
	struct port_range small = range(0, "192.0.2.1", 10001, 10004);
	struct port_alloc *p = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(port_alloc_new(overlap, 2, 1, &p, &e), -EEXIST);
	assert_string_equal(e.text, "192.0.2.1: ports 10000-20000 and 20000-30000 overlap");
	assert_int_equal(port_alloc_new(&small, 1, 2, &p, &e), -EINVAL);
	assert_string_equal(
		e.text, "192.0.2.1 ports 10001-10004: less than a pair of ports for each of 2 workers");
	assert_int_equal(port_alloc_new(&small, 0, 2, &p, &e), -EINVAL);
	assert_int_equal(port_alloc_new(&small, 1, 0, &p, &e), -EINVAL);
	assert_null(p);
	port_alloc_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifty_thousand_calls),
		cmocka_unit_test(the_oldest_is_reused_first),
		cmocka_unit_test(exhaustion_is_reported),
		cmocka_unit_test(pairs_and_singles_mix),
		cmocka_unit_test(ranges_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
