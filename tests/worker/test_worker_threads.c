/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two workers that really run, each on a thread of its own, while this thread feeds packets to whichever
 * queue, gives commands and reads figures. Nothing is lost, and no reader sees a counter go back. Bounded by
 * what is sent, not by time; the watchdog only ends a run that hangs.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "tests/support/cmocka_std.h"
#include "tests/worker/rig.h"

#define CM SRTP_AES_CM_128_HMAC_SHA1_80
#define GCM SRTP_AEAD_AES_128_GCM
#define CALLS 8
#define ROUNDS 400
#define IN_FLIGHT 64 /* packets, fewer than every ring takes */
#define WATCHDOG_S 90

struct call {
	struct ip_port gw[2], peer[2];
	struct srtp_context *out, *in; /* of the secure side's peer */
	uint16_t seq;
};

static struct call calls[CALLS];
static unsigned sent, received;

static void send_command(struct rig *r, union dp_msg *m)
{
	unsigned before = r->n_messages;

	m->h.seq = ++r->seq;
	control_handle(r->control, m);
	for (;;) {
		control_poll(r->control);
		for (unsigned k = before; k < r->n_messages; k++) {
			if (r->messages[k].h.type == DP_ACK && r->messages[k].h.seq == r->seq) {
				assert_int_equal(r->messages[k].ack.result, 0);
				r->n_messages = before;
				return;
			}
		}
		usleep(50);
	}
}

static void call_open(struct rig *r, unsigned i)
{
	struct call *c = &calls[i];
	dp_session_id s = i + 1;
	union dp_msg m;

	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = s;
	m.session_add.worker = i % RIG_WORKERS;
	send_command(r, &m);
	for (uint8_t leg = 0; leg < 2; leg++) {
		c->gw[leg] =
			rig_addr("10.0.0.1", (uint16_t)((i % RIG_WORKERS ? 25000 : 20000) + 10 * i + leg));
		c->peer[leg] = rig_addr("10.0.0.10", (uint16_t)(5000 + 10 * i + leg));
		m = rig_leg(s, leg, leg ? DP_SECURITY_PLAIN : DP_SECURITY_SRTP, c->gw[leg], c->peer[leg]);
		send_command(r, &m);
	}
	m = rig_key(s, 0, DP_KEY_RX, GCM, 10 + i);
	send_command(r, &m);
	m = rig_key(s, 0, DP_KEY_TX, CM, 40 + i);
	send_command(r, &m);
	c->out = rig_peer(GCM, 10 + i, SRTP_PROTECT);
	c->in = rig_peer(CM, 40 + i, SRTP_UNPROTECT);
}

static void collect(struct rig *r)
{
	struct datagram d;

	while (rig_receive(r, &d)) {
		struct call *c = &calls[(d.destination.port - 5000) / 10];

		if (d.destination.port % 10 == 0)
			assert_int_equal(srtp_context_unprotect(c->in, d.octets, &d.n), 0);
		assert_int_equal(d.n, 12 + 80);
		received++;
	}
}

/* One packet each way of every call, at the queue of either worker. */
static void round_of_packets(struct rig *r, unsigned round)
{
	uint8_t p[512];

	for (unsigned i = 0; i < CALLS; i++) {
		struct call *c = &calls[i];
		uint16_t seq = ++c->seq;
		size_t n = rig_rtp(p, 0x100 + i, seq, seq * 160u, 80);

		rig_send_at(r, (i + round) % RIG_WORKERS, c->peer[1], c->gw[1], p, n);
		n = rig_rtp(p, 0x200 + i, seq, seq * 160u, 80);
		assert_int_equal(srtp_context_protect(c->out, p, &n, sizeof p), 0);
		rig_send_at(r, (i + round / 2) % RIG_WORKERS, c->peer[0], c->gw[0], p, n);
		sent += 2;
	}
}

/* Sums never go back, and no figure is torn. */
static void figures_only_rise(struct rig *r, struct dp_stats_global *before)
{
	struct dp_stats_global now = {.rx_packets = 0};

	control_sum(r->control, &now);
	assert_true(now.rx_packets >= before->rx_packets && now.rx_packets <= sent);
	assert_true(now.handover >= before->handover && now.handover <= sent);
	for (unsigned v = 0; v < DP_V_COUNT; v++)
		assert_true(now.verdicts[v] >= before->verdicts[v] && now.verdicts[v] <= sent);
	*before = now;
}

static void test_two_workers(void **state)
{
	struct rig *r = *state;
	struct dp_stats_global sum = {.rx_packets = 0};
	unsigned lcore[RIG_WORKERS], n = 0, id;
	union dp_msg m;

	RTE_LCORE_FOREACH_WORKER(id)
	if (n < RIG_WORKERS)
		lcore[n++] = id;
	assert_int_equal(n, RIG_WORKERS);
	alarm(WATCHDOG_S);
	for (n = 0; n < RIG_WORKERS; n++)
		assert_int_equal(rte_eal_remote_launch(worker_run, r->w[n], lcore[n]), 0);
	for (unsigned i = 0; i < CALLS; i++)
		call_open(r, i);
	for (unsigned round = 0; round < ROUNDS; round++) {
		round_of_packets(r, round);
		/* Another call comes and goes beside the traffic, with its keys. */
		dp_msg_init(&m, DP_SESSION_ADD, 0);
		m.session_add.session = CALLS + 1;
		m.session_add.worker = round % RIG_WORKERS;
		send_command(r, &m);
		m = rig_leg(CALLS + 1, 0, DP_SECURITY_SRTP,
			rig_addr("10.0.0.1", round % RIG_WORKERS ? 28000 : 24000),
			rig_addr("10.0.0.77", 7000));
		send_command(r, &m);
		m = rig_key(CALLS + 1, 0, DP_KEY_RX, CM, 1);
		send_command(r, &m);
		dp_msg_init(&m, DP_SESSION_DEL, 0);
		m.session_del.session = CALLS + 1;
		send_command(r, &m);
		do {
			control_poll(r->control);
			collect(r);
			figures_only_rise(r, &sum);
			rig_forget(r);
		} while (sent - received > IN_FLIGHT);
	}
	while (received < sent)
		collect(r);
	for (n = 0; n < RIG_WORKERS; n++)
		worker_stop(r->w[n]);
	rte_eal_mp_wait_lcore();
	figures_only_rise(r, &sum);
	assert_int_equal(sum.verdicts[DP_V_RELAYED], sent);
	assert_true(sum.handover > sent / 4);
	assert_int_equal(sum.sessions, CALLS);
	for (unsigned i = 0; i < CALLS; i++) {
		srtp_context_free(calls[i].out);
		srtp_context_free(calls[i].in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_workers, rig_open, rig_close),
	};

	/* Two lcores beside this one. */
	rig_lcores(RIG_WORKERS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
