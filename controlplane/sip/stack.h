/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transport and transactions on one event loop, joined. All of it runs in the thread of the loop.
 */
#pragma once

#include "controlplane/sip/transaction.h"
#include "controlplane/sip/transport.h"

struct sip_stack_conf {
	struct sip_net_conf net;
	struct sip_txl_conf transactions;
};

struct sip_stack;

/*
 * Sees every message that was received and parsed, before anything is done with it, and every message that
 * was handed to the transport, retransmissions included. text holds keys: it is borrowed for the call.
 */
struct sip_tap {
	void (*message)(void *ctx, bool sent, const struct sip_flow *flow, struct str text);
	void *ctx;
};

int sip_stack_new(struct event_base *base, const struct sip_stack_conf *conf, const struct sip_tu *tu,
	void *user, struct sip_stack **out);
void sip_stack_free(struct sip_stack *s);
void sip_stack_set_tap(struct sip_stack *s, const struct sip_tap *tap); /* copied */

struct sip_net *sip_stack_net(struct sip_stack *s);
struct sip_txl *sip_stack_transactions(struct sip_stack *s);
struct timer_wheel *sip_stack_wheel(struct sip_stack *s); /* for the TU's own timers */
const struct sip_counters *sip_stack_counters(const struct sip_stack *s);
