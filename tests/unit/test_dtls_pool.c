/* SPDX-License-Identifier: Apache-2.0 */
/* Associations on worker threads: many at once, ended in every state, and peers that never come. */
#include "controlplane/dtls/pool.h"

#include <signal.h>
#include <unistd.h>

#include "tests/support/cmocka_std.h"
#include "tests/unit/dtls_link.h"

#define PAIRS 8

struct bench {
	struct event_base *base;
	struct dtls_pool *pool;
	struct dtls_identity *identity[2];
	unsigned done, failed;
};

struct end {
	struct bench *bench;
	struct dtls_channel *channel;
	struct end *peer;
	struct ip_port address;
	struct dtls_result result;
	bool over;
};

static void to_peer(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	struct end *e = arg;

	assert_true(ip_port_equal(to, &e->peer->address));
	if (e->peer->channel)
		dtls_channel_input(e->peer->channel, &e->address, octets, n);
}

static void done(void *arg, const struct dtls_result *r, const struct ip_port *peer)
{
	struct end *e = arg;

	(void)peer;
	assert_false(e->over);
	e->over = true;
	e->result = *r;
	e->bench->done++;
	e->bench->failed += r->state == DTLS_FAILED;
}

static const struct dtls_events events = {.send = to_peer, .done = done};

static void bench_open(struct bench *b, unsigned threads)
{
	*b = (struct bench){.base = event_base_new()};
	assert_int_equal(dtls_pool_new(b->base, threads, &b->pool), 0);
	dtls_pool_use(b->pool, tested->end[SERVER]);
	for (int i = 0; i < 2; i++)
		assert_int_equal(dtls_identity_make(&b->identity[i], NULL), 0);
}

static void bench_close(struct bench *b)
{
	dtls_pool_free(b->pool);
	for (int i = 0; i < 2; i++)
		dtls_identity_unref(b->identity[i]);
	event_base_free(b->base);
}

static void end_open(struct end *e, int role, uint32_t timeout_ms)
{
	struct dtls_channel_conf c = {
		.association = {.dtls = {.role = role == CLIENT ? DTLS_CLIENT : DTLS_SERVER,
					.identity = e->bench->identity[role],
					.suites = all_suites,
					.n_suites = 4,
					.n_peer = 1,
					.max = DTLS_1_3,
					.remote = e->peer->address}},
		.events = &events,
		.arg = e,
		.timeout_ms = timeout_ms,
	};

	assert_int_equal(dtls_identity_fingerprint(
				 e->bench->identity[!role], DTLS_SHA256, &c.association.dtls.peer[0]),
		0);
	assert_int_equal(dtls_channel_open(e->bench->pool, &c, &e->channel), 0);
}

static void pair(struct bench *b, struct end ends[2], uint16_t port)
{
	for (int i = 0; i < 2; i++)
		ends[i] = (struct end){.bench = b,
			.peer = &ends[!i],
			.address = address_of("192.0.2.1", (uint16_t)(port + i))};
}

static void run_until(struct bench *b, unsigned wanted)
{
	uint64_t until = clock_mono_ns() + PATIENCE_NS;

	while (b->done < wanted && clock_mono_ns() < until)
		event_base_loop(b->base, EVLOOP_ONCE);
	assert_int_equal(b->done, wanted);
}

static void many_at_once(void **state)
{
	struct end ends[PAIRS][2];
	struct bench b;

	(void)state;
	bench_open(&b, 3);
	for (unsigned i = 0; i < PAIRS; i++) {
		pair(&b, ends[i], (uint16_t)(4000 + 2 * i));
		end_open(&ends[i][SERVER], SERVER, 60000);
		end_open(&ends[i][CLIENT], CLIENT, 60000);
	}
	run_until(&b, 2 * PAIRS);
	assert_int_equal(b.failed, 0);
	for (unsigned i = 0; i < PAIRS; i++) {
		assert_true(secret_equal(&ends[i][CLIENT].result.tx, &ends[i][SERVER].result.rx));
		assert_true(secret_equal(&ends[i][CLIENT].result.rx, &ends[i][SERVER].result.tx));
		assert_true(ends[i][CLIENT].result.rx.len > 0);
		dtls_channel_close(ends[i][CLIENT].channel);
		dtls_channel_close(ends[i][SERVER].channel);
	}
	bench_close(&b);
}

/* Calls end when they like: while a worker has the association, or datagrams wait for it. */
static void closed_at_any_moment(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 12; turns++) {
		struct end ends[2];
		struct bench b;

		bench_open(&b, 2);
		pair(&b, ends, 4000);
		end_open(&ends[SERVER], SERVER, 60000);
		end_open(&ends[CLIENT], CLIENT, 60000);
		for (unsigned i = 0; i < turns && b.done < 2; i++)
			event_base_loop(b.base, EVLOOP_ONCE);
		for (int i = 0; i < 2; i++) {
			dtls_channel_close(ends[i].channel);
			ends[i].channel = NULL;
		}
		event_base_loop(b.base, EVLOOP_NONBLOCK);
		bench_close(&b);
	}
}

static void a_peer_that_does_not_answer(void **state)
{
	struct end ends[2];
	struct bench b;

	(void)state;
	bench_open(&b, 1);
	pair(&b, ends, 4000);
	end_open(&ends[CLIENT], CLIENT, 50); /* nobody hears it */
	run_until(&b, 1);
	assert_int_equal(ends[CLIENT].result.failure, DTLS_FAIL_TIMEOUT);
	dtls_channel_close(ends[CLIENT].channel);
	bench_close(&b);
}

/* A server waits for its client for as long as the phone rings; from then on it does not. */
static void a_client_that_never_begins(void **state)
{
	struct end ends[2];
	struct bench b;

	(void)state;
	bench_open(&b, 1);
	pair(&b, ends, 4000);
	end_open(&ends[SERVER], SERVER, 50);
	dtls_channel_expect(ends[SERVER].channel);
	run_until(&b, 1);
	assert_int_equal(ends[SERVER].result.failure, DTLS_FAIL_TIMEOUT);
	assert_non_null(strstr(ends[SERVER].result.reason, "began no handshake"));
	dtls_channel_close(ends[SERVER].channel);
	bench_close(&b);
}

/* A signal that the caller blocks waits, and is not taken by a thread of the pool. */
static void signals_are_the_callers(void **state)
{
	const struct timespec at_once = {0};
	sigset_t end, before;
	struct bench b;

	(void)state;
	bench_open(&b, 2);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &end, &before);
	/* The end of this process, once a thread runs that would have it. */
	for (unsigned i = 0; i < 50; i++) {
		kill(getpid(), SIGTERM);
		usleep(1000);
		assert_int_equal(sigtimedwait(&end, NULL, &at_once), SIGTERM);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(closed_at_any_moment),
		cmocka_unit_test(a_peer_that_does_not_answer),
		cmocka_unit_test(a_client_that_never_begins),
		cmocka_unit_test(signals_are_the_callers),
	};

	return run_with_all_pairs("dtls_pool", tests, sizeof tests / sizeof *tests);
}
