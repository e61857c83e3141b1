/* SPDX-License-Identifier: Apache-2.0 */
/* A record of a call that was being set up: refused, or every count and text in it is within bounds, it says
 * the same when it is written again, and what its heads are taken for can be answered and cancelled. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/recovery/saved_setup.h"
#include "controlplane/sip/transaction.h"

static void expect(int holds)
{
	if (!holds)
		abort();
}

static int take(void *ctx, struct sip_flow *flow, struct str text, struct sip_waiter *waiter)
{
	(void)ctx;
	(void)flow;
	(void)waiter;
	expect(text.n > 0);
	return 0;
}

static struct str sent_by(void *ctx, const struct sip_listener *l)
{
	(void)ctx;
	(void)l;
	return STR("192.0.2.1:5060");
}

static const struct sip_sender sender = {.send = take, .sent_by = sent_by};
static const struct sip_tu tu;

static uint64_t now;

static uint64_t clock_of(void *arg)
{
	(void)arg;
	return now;
}

/* One layer for all: that of an input is empty again when its timers have run. */
static struct sip_txl *layer(struct timer_wheel **wheel)
{
	static struct sip_counters counters;
	static struct timer_wheel *w;
	static struct sip_txl *l;
	const struct sip_txl_conf conf = {0};

	if (!l) {
		w = timer_wheel_new(clock_of, NULL);
		expect(w && sip_txl_new(&conf, w, &sender, &counters, &tu, NULL, &l) == 0);
	}
	*wheel = w;
	return l;
}

/* Both ends of it, and their way to the end. */
static void resume(const struct saved_setup *s)
{
	const struct sip_flow flow = {.transport = SIP_UDP, .remote = s->in.way.remote};
	struct timer_wheel *wheel;
	struct sip_txl *l = layer(&wheel);
	struct sip_ctx *ctx;
	struct sip_stx *stx;

	if (sip_stx_resume(l, s->in.head, &flow, &stx) == 0)
		sip_stx_reply(stx, 500, NULL, s->tag);
	for (uint32_t i = 0; i < s->n_out; i++)
		if (sip_ctx_resume(l, s->out[i].head, &flow, NULL, NULL, &ctx) == 0)
			expect(sip_ctx_cancel(ctx, STR("Reason: SIP;cause=500\r\n")) == 0);
	for (unsigned round = 0; sip_txl_count(l); round++) {
		expect(round < 100);
		now += 10000;
		timer_wheel_advance(wheel);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[(SAVED_INVITES_MAX + 1) * (SIP_HEAD_MAX + 2048)];
	static struct saved_setup s, again;
	struct wbuf w = wbuf_make(text, sizeof text);

	expect(saved_setup_is(data, size) == (size && data[0] == SAVED_SETUP_VERSION));
	if (saved_setup_read(data, size, &s) < 0)
		return 0;
	expect(s.n_out <= SAVED_INVITES_MAX && s.in.way.transport < SIP_TRANSPORT_COUNT);
	for (uint32_t i = 0; i < s.n_out; i++)
		expect(s.out[i].head.n <= SIP_HEAD_MAX && s.out[i].way.transport < SIP_TRANSPORT_COUNT);
	saved_setup_write(&s, &w);
	expect(!w.overflow && w.len == size && memcmp(w.p, data, size) == 0);
	expect(saved_setup_read(w.p, w.len, &again) == 0 && again.n_out == s.n_out &&
		str_eq(s.in.head, again.in.head) && again.began_ms == s.began_ms);
	resume(&s);
	return 0;
}
