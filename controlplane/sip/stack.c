/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/stack.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "lib/base/clock.h"

struct sip_stack {
	struct sip_counters counters;
	struct timer_wheel *wheel;
	struct sip_net *net;
	struct sip_txl *txl;
	struct event *tick;
	struct sip_tap tap; /* message NULL: none */
};

static uint64_t now_ms(void *arg)
{
	(void)arg;
	return clock_mono_ns() / NS_PER_MS;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	timer_wheel_advance(arg);
}

static void on_message(void *user, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_stack *s = user;

	if (s->tap.message)
		s->tap.message(s->tap.ctx, false, from, m->text);
	sip_txl_receive(s->txl, m, from);
}

static int net_send(void *ctx, struct sip_flow *flow, struct str text, struct sip_waiter *waiter)
{
	struct sip_stack *s = ctx;
	int rc = sip_net_send(s->net, flow, text, waiter);

	if (rc >= 0 && s->tap.message)
		s->tap.message(s->tap.ctx, true, flow, text);
	return rc;
}

static struct str net_sent_by(void *ctx, const struct sip_listener *l)
{
	(void)ctx;
	return sip_listener_sent_by(l);
}

int sip_stack_new(struct event_base *base, const struct sip_stack_conf *conf, const struct sip_tu *tu,
	void *user, struct sip_stack **out)
{
	const struct timeval tick = {0, TIMER_TICK_MS * 1000};
	struct sip_stack *s = calloc(1, sizeof *s);
	int rc = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->wheel = timer_wheel_new(now_ms, NULL);
	if (!s->wheel)
		goto out;
	if ((rc = sip_net_new(base, &conf->net, &s->counters, on_message, s, &s->net)) < 0)
		goto out;
	struct sip_sender sender = {s, net_send, net_sent_by};

	if ((rc = sip_txl_new(&conf->transactions, s->wheel, &sender, &s->counters, tu, user, &s->txl)) < 0)
		goto out;
	s->tick = event_new(base, -1, EV_PERSIST, on_tick, s->wheel);
	rc = s->tick && event_add(s->tick, &tick) == 0 ? 0 : -ENOMEM;
out:
	if (rc < 0)
		sip_stack_free(s);
	else
		*out = s;
	return rc;
}

void sip_stack_free(struct sip_stack *s)
{
	if (!s)
		return;
	if (s->tick)
		event_free(s->tick);
	sip_txl_free(s->txl);
	sip_net_free(s->net);
	timer_wheel_free(s->wheel);
	free(s);
}

void sip_stack_set_tap(struct sip_stack *s, const struct sip_tap *tap)
{
	s->tap = *tap;
}

struct sip_net *sip_stack_net(struct sip_stack *s)
{
	return s->net;
}

struct sip_txl *sip_stack_transactions(struct sip_stack *s)
{
	return s->txl;
}

struct timer_wheel *sip_stack_wheel(struct sip_stack *s)
{
	return s->wheel;
}

const struct sip_counters *sip_stack_counters(const struct sip_stack *s)
{
	return &s->counters;
}
