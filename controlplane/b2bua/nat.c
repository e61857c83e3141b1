/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callers behind NAT that speak UDP: what goes to them takes the way that they came by, and that way is kept
 * open while they say nothing themselves: two line ends, which SIP ignores before a message (RFC 3261
 * section 7.5, RFC 5626 section 3.5.1). Over TCP and TLS the connection is the way, that of an account that
 * is called, too: the kernel keeps it, and for as long as the call lasts it is not idle.
 */
#include <stddef.h>

#include "controlplane/b2bua/call.h"

#define HOLD_S 240 /* well within the silence that ends a connection */

static void keep_open(struct timer *t)
{
	struct leg *l = (struct leg *)((char *)t - offsetof(struct leg, nat_timer));
	struct sip_flow flow = l->dialog->flow;

	/* A packet that is lost is followed by another. */
	if (l->dialog->behind_nat)
		(void)sip_net_send(l->call->b->net, &flow, STR("\r\n\r\n"), NULL);
	else
		sip_net_hold(l->call->b->net, flow.conn);
	nat_watch(l);
}

void nat_watch(struct leg *l)
{
	uint32_t seconds = 0;

	if (l->dialog && l->dialog->behind_nat)
		seconds = l->trunk->realm->nat_keepalive_s;
	else if (l->dialog && sip_transport_reliable(l->dialog->flow.transport))
		seconds = HOLD_S;
	if (seconds)
		timer_set(l->call->b->wheel, &l->nat_timer, seconds * 1000, keep_open);
}

void nat_stop(struct leg *l)
{
	timer_cancel(l->call->b->wheel, &l->nat_timer);
}
