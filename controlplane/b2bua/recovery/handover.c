/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process ends in good order and its calls go on with the next one, which finds them in the journal as
 * after a crash. What a crash loses, calls that are being set up and changes that are not agreed on yet, has
 * time to come to its end, and is then refused so that whoever waits is told.
 */
#include <errno.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "lib/base/log.h"

#define AGAIN_S 2 /* Retry-After: the next process is there by then */

/* Its handshakes are not done: the next process would not know with what keys. */
static bool waits_for_keys(const struct leg *l)
{
	if (!l->dtls)
		return false;
	for (unsigned i = 0; i < l->oa.n_media; i++)
		if (l->oa.media[i].used && l->oa.media[i].keys && !l->oa.media[i].keys->established)
			return true;
	return false;
}

static bool is_under_way(const struct call *c)
{
	if (c->state != CALL_UP || c->exchange || c->early.open || reinvite_open(c) || succession_pending(c))
		return true;
	for (unsigned side = 0; side < 2; side++) {
		const struct leg *l = &c->legs[side];

		if (l->ancestor || l->astray || l->update || waits_for_keys(l))
			return true;
	}
	return false;
}

/* One that takes over a party of another, or is not known well enough to be taken over itself. */
static bool cannot_be_kept(const struct call *c)
{
	if (c->state < CALL_ANSWERED || !c->saved_octets || c->saved_setup)
		return true;
	/* The called side's 2xx waits for an answer that only the caller's ACK will bring. */
	return c->legs[DP_SIDE_A].ack_due || c->legs[DP_SIDE_B].ack_due;
}

static void settle(struct call *c)
{
	if (c->state == CALL_ENDING)
		return;
	if (cannot_be_kept(c)) {
		c->end.retry_after = AGAIN_S;
		call_release(c, NULL, 503, "the gateway is being restarted");
	} else if (c->exchange && !c->initial && c->exchange->stx && !c->exchange->awaiting_ack) {
		exchange_call_off(c->exchange);
	}
}

unsigned b2bua_up(const struct b2bua *b)
{
	const struct call *c;
	unsigned n = 0;

	TAILQ_FOREACH (c, &b->calls, entry)
		n += c->state == CALL_ANSWERED || c->state == CALL_UP;
	return n;
}

int b2bua_leave(struct b2bua *b, struct err *e)
{
	const struct checkpoint *k = &b->checkpoint;

	if (!k->journal || k->failing)
		return err_set(e, ENOTSUP, "calls cannot be kept: %s%s",
			k->journal ? "nothing can be written to the recovery directory "
				   : "there is no recovery directory",
			k->journal ? k->directory : "");
	b->leaving = LEAVING_SOON;
	log_info("call", "calls are handed over to the next process: no new ones are taken",
		LU("calls", b->n_calls));
	return 0;
}

bool b2bua_under_way(struct b2bua *b)
{
	const struct call *c;

	/* A request over UDP that the next process hears again would be passed on twice. */
	if (b->n_relays || !TAILQ_EMPTY(&b->lost))
		return true;
	TAILQ_FOREACH (c, &b->calls, entry)
		if (is_under_way(c))
			return true;
	return false;
}

int b2bua_settle(struct b2bua *b)
{
	int rc = checkpoint_write(b);

	if (rc < 0)
		return rc;
	b->leaving = LEAVING_NOW;
	for (struct call *c = call_first(b); c; c = call_after(c))
		settle(c);
	return 0;
}

int b2bua_keep(struct b2bua *b)
{
	return checkpoint_write(b);
}

void b2bua_stay(struct b2bua *b)
{
	b->leaving = LEAVING_NOT;
	for (struct call *c = call_first(b); c; c = call_after(c))
		if (c->state != CALL_ENDING)
			reinvite_start(c); /* what was put off */
}
