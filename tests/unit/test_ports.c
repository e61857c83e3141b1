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

static void change(struct port_alloc *p, const struct port_range *r, size_t n)
{
	struct port_plan *plan;
	struct err e = {0};

	if (port_alloc_prepare(p, r, n, &plan, &e) < 0)
		fail_msg("%s", e.text);
	port_alloc_commit(plan);
}

static unsigned drained;

static void note_drained(void *arg)
{
	(void)arg;
	drained++;
}

/* The share that a port is told to be in; NULL: none that counts. */
static const struct port_share *told(const struct port_alloc *p, const struct ip_port *at)
{
	size_t n;
	const struct port_share *shares = port_alloc_shares(p, &n);

	for (size_t i = 0; i < n; i++)
		if (ip_equal(&shares[i].ip, &at->ip) && at->port >= shares[i].lower &&
			at->port <= shares[i].upper && (!shares[i].draining || shares[i].in_use))
			return &shares[i];
	return NULL;
}

static void added_ports_are_there_at_once(void **state)
{
	struct port_range r[] = {range(0, "192.0.2.1", 10000, 10003), range(1, "192.0.2.2", 10000, 10003)};
	struct port_alloc *p = make(r, 1, 1);
	struct port_lease l[5];

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l[i]), 0);
	assert_int_equal(port_alloc_get(p, both, 2, IP_NONE, 0, PORT_PAIR, &l[2]), -ENOSPC);
	r[0].upper = 10005;
	change(p, r, 2);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l[2]), 0);
	assert_int_equal(l[2].rtp.port, 10004);
	assert_int_equal(port_alloc_get(p, group1, 1, IP_NONE, 0, PORT_PAIR, &l[3]), 0);
	port_alloc_put(p, &l[0]);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l[0]), 0);
	assert_int_equal(l[0].rtp.port, 10000);
	port_alloc_free(p);
}

static void removed_ports_drain(void **state)
{
	struct port_range r[] = {range(0, "192.0.2.1", 10000, 10003), range(0, "192.0.2.2", 10000, 10003)};
	struct port_alloc *p = make(r, 2, 1);
	struct port_lease l[4], other;
	struct port_usage usage;

	(void)state;
	drained = 0;
	port_alloc_on_drained(p, note_drained, NULL);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l[i]), 0);
	change(p, &r[1], 1); /* 192.0.2.1 goes: l[0] and l[1] are on it */
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &other), -ENOSPC);
	port_alloc_usage(p, 0, &usage);
	assert_int_equal(usage.used, 8);
	assert_int_equal(usage.total, 4);
	struct ip_port at = l[0].rtp;

	assert_true(told(p, &at)->draining);
	port_alloc_put(p, &l[0]);
	assert_int_equal(drained, 0);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &other), -ENOSPC);
	/* It comes back while a call is still there, and both are whole. */
	change(p, r, 2);
	assert_false(told(p, &at)->draining);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l[0]), 0);
	assert_true(ip_port_equal(&l[0].rtp, &at));
	change(p, &r[1], 1);
	port_alloc_put(p, &l[0]);
	port_alloc_put(p, &l[1]);
	assert_int_equal(drained, 1);
	assert_null(told(p, &at));
	port_alloc_free(p);
}

static void a_plan_that_is_abandoned_changes_nothing(void **state)
{
	struct port_range r[] = {range(0, "192.0.2.1", 10000, 10003), range(0, "192.0.2.2", 10000, 10003)};
	struct port_alloc *p = make(r, 1, 1);
	struct port_plan *plan;
	struct port_lease l;
	struct err e = {0};
	size_t n;

	(void)state;
	assert_int_equal(port_alloc_prepare(p, r, 2, &plan, &e), 0);
	port_plan_shares(plan, &n);
	assert_int_equal(n, 2);
	port_alloc_abandon(plan);
	r[1].upper = 10000;
	assert_int_equal(port_alloc_prepare(p, r, 2, &plan, &e), -EINVAL);
	port_alloc_shares(p, &n);
	assert_int_equal(n, 1);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &l), 0);
	port_alloc_free(p);
}

enum { IPS = 3 };
static const char *const ips[IPS] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};
static uint8_t taken[IPS][65536], wanted[IPS][65536];

static unsigned which(const struct ip_addr *ip)
{
	struct ip_addr one;
	unsigned i = 0;

	while (ip_parse(str_z(ips[i]), &one) == 0 && !ip_equal(&one, ip))
		assert_true(++i < IPS);
	return i;
}

static void give_back(struct port_alloc *p, struct port_lease *l)
{
	for (unsigned port = l->rtp.port; l->held && port <= l->rtcp.port; port++)
		taken[which(&l->rtp.ip)][port]--;
	port_alloc_put(p, l);
}

static void one_step(struct port_alloc *p, struct port_lease *l)
{
	unsigned worker = (unsigned)rand() % 3;
	enum port_kind kind = rand() % 3 ? PORT_PAIR : PORT_SINGLE;

	if (l->held) {
		assert_non_null(told(p, &l->rtp));
		assert_int_equal(told(p, &l->rtp)->worker, l->worker);
		assert_int_equal(told(p, &l->rtcp)->worker, l->worker);
		give_back(p, l);
		return;
	}
	if (port_alloc_get(p, both, 2, IP_NONE, worker, kind, l) < 0)
		return;
	for (unsigned port = l->rtp.port; port <= l->rtcp.port; port++) {
		assert_int_equal(taken[which(&l->rtp.ip)][port]++, 0);
		assert_int_equal(wanted[which(&l->rtp.ip)][port], 1);
	}
	assert_int_equal(l->worker, worker);
}

/*
 * Ranges come, go, grow and shrink at random over three workers while ports are taken and given back: nobody
 * shares a port, each lease stays in a share of its own worker, nothing that was removed is given out, and in
 * the end everything is there.
 */
static void ranges_change_under_load(void **state)
{
	enum { LEASES = 300, ROUNDS = 400, FIRST = 10000, SPAN = 200 };
	struct port_range r[2 * IPS] = {range(0, ips[0], FIRST, FIRST + SPAN)};
	struct port_lease held[LEASES] = {0};
	struct port_alloc *p = make(r, 1, 3);
	size_t n = 1;

	(void)state;
	srand(7);
	for (unsigned round = 0; round < ROUNDS; round++) {
		n = 0;
		memset(wanted, 0, sizeof wanted);
		for (unsigned ip = 0; ip < IPS; ip++)
			for (unsigned part = 0; part < 2 && (ip == 0 || rand() % 3); part++) {
				unsigned lower = FIRST + part * SPAN + (unsigned)rand() % 50,
					 upper = FIRST + part * SPAN + 100 + (unsigned)rand() % 99;

				r[n++] = range(
					(unsigned)rand() % 2, ips[ip], (uint16_t)lower, (uint16_t)upper);
				for (unsigned port = lower; port <= upper; port++)
					wanted[ip][port] = 1;
			}
		change(p, r, n);
		for (unsigned step = 0; step < 200; step++)
			one_step(p, &held[(unsigned)rand() % LEASES]);
	}
	for (unsigned i = 0; i < LEASES; i++)
		give_back(p, &held[i]);
	unsigned pairs = 0;
	struct port_lease l;

	for (unsigned worker = 0; worker < 3; worker++)
		while (port_alloc_get(p, both, 2, IP_NONE, worker, PORT_PAIR, &l) == 0)
			pairs++;
	struct port_usage a, b;

	port_alloc_usage(p, 0, &a);
	port_alloc_usage(p, 1, &b);
	assert_int_equal(a.used + b.used, a.total + b.total);
	assert_int_equal(2 * pairs, a.total + b.total);
	port_alloc_free(p);
}

/* After a restart a call takes the very ports that it had, from the worker that it was at. */
static void a_pair_is_claimed(void **state)
{
	struct port_range r[] = {range(0, "192.0.2.1", 10000, 10015), range(1, "2001:db8::1", 10000, 10015)};
	struct port_alloc *p = make(r, 2, 2);
	struct port_lease a = {0}, b = {0}, all[8] = {0};
	struct port_usage usage;

	(void)state;
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 1, PORT_PAIR, &a), 0);
	const struct ip_port at = a.rtp;

	assert_int_equal(port_alloc_claim(p, &at, 1, &b), -EBUSY);
	port_alloc_put(p, &a);
	assert_int_equal(port_alloc_claim(p, &at, 0, &b), -ENOENT); /* not that worker's */
	assert_int_equal(port_alloc_claim(p, &at, 1, &b), 0);
	assert_true(ip_port_equal(&b.rtp, &at) && b.rtcp.port == at.port + 1 && b.worker == 1);
	port_alloc_usage(p, 0, &usage);
	assert_int_equal(usage.used, 2);
	/* Nobody else is given it. */
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 1, PORT_PAIR, &all[i]), 0);
		assert_int_not_equal(all[i].rtp.port, at.port);
	}
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 1, PORT_PAIR, &all[3]), -ENOSPC);
	port_alloc_put(p, &b);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 1, PORT_PAIR, &all[3]), 0);
	assert_int_equal(all[3].rtp.port, at.port);

	struct ip_port other = at;

	other.port++;
	assert_int_equal(port_alloc_claim(p, &other, 1, &b), -ENOENT); /* an RTCP port */
	other.port = 9998;
	assert_int_equal(port_alloc_claim(p, &other, 1, &b), -ENOENT);
	ip_parse(STR("192.0.2.9"), &other.ip);
	assert_int_equal(port_alloc_claim(p, &other, 1, &b), -ENOENT);
	port_alloc_free(p);
}

/* The data plane uses them for what is no call's: whichever of the two it names, and whoever's they are now.
 */
static void a_pair_is_withheld(void **state)
{
	struct port_range r[] = {range(0, "192.0.2.1", 10000, 10007), range(1, "2001:db8::1", 10000, 10007)};
	struct port_alloc *p = make(r, 2, 2);
	struct port_lease a = {0}, b = {0}, c = {0};
	struct ip_port at = {.ip = r[0].ip, .port = 10001};

	(void)state;
	assert_int_equal(port_alloc_withhold(p, &at, &a), 0);
	assert_int_equal(a.rtp.port, 10000);
	at.port = 10000;
	assert_int_equal(port_alloc_withhold(p, &at, &b), -EBUSY);
	at.port = 10007;
	assert_int_equal(port_alloc_withhold(p, &at, &b), 0);
	assert_int_not_equal(a.worker, b.worker);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, a.worker, PORT_PAIR, &c), 0);
	assert_int_equal(c.rtp.port, 10002);
	at.port = 10002;
	assert_int_equal(port_alloc_withhold(p, &at, &(struct port_lease){0}), -EBUSY);
	port_alloc_put(p, &c);
	port_alloc_put(p, &a);
	assert_int_equal(port_alloc_get(p, group0, 1, IP_NONE, 0, PORT_PAIR, &c), 0);
	assert_int_equal(c.rtp.port, 10002); /* what was withheld is behind it */
	at.port = 10008;
	assert_int_equal(port_alloc_withhold(p, &at, &a), -ENOENT);
	port_alloc_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifty_thousand_calls),
		cmocka_unit_test(the_oldest_is_reused_first),
		cmocka_unit_test(exhaustion_is_reported),
		cmocka_unit_test(pairs_and_singles_mix),
		cmocka_unit_test(a_pair_is_claimed),
		cmocka_unit_test(a_pair_is_withheld),
		cmocka_unit_test(ranges_that_are_refused),
		cmocka_unit_test(added_ports_are_there_at_once),
		cmocka_unit_test(removed_ports_drain),
		cmocka_unit_test(a_plan_that_is_abandoned_changes_nothing),
		cmocka_unit_test(ranges_change_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
