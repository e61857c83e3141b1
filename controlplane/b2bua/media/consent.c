/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that are not heard any more: with ICE (RFC 7675), or after they ended their DTLS associations. */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "lib/base/log.h"

#define CONSENT_MS 30000 /* RFC 7675 section 5.1 */
#define WORD_MS (LEG_PARTING_MS - 1000) /* what was on its way when the peer parted is no sign of it */

static bool goes_on(const struct call *c)
{
	return c->state == CALL_UP || c->state == CALL_ANSWERED;
}

static void end(struct leg *l)
{
	l->call->b->counters.ended_ice++;
	call_release(l->call, NULL, 480, "trunk %s: no ICE check came for %u s", l->trunk->name, CONSENT_MS / 1000);
}

static bool does_ice(const struct leg *l, unsigned transport)
{
	const struct oa_media *m = oa_media_now(&l->oa, transport);

	return m && m->open && m->ice;
}

static bool alone(const struct leg *l, unsigned transport)
{
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		if (i != transport && does_ice(l, i))
			return false;
	return true;
}

static bool is_heard(const struct leg *l, unsigned transport)
{
	const struct dp_stats_leg *s = call_stats_of(l->call, 2 * transport + l->side);

	return s && (s->rx_age_ms < CONSENT_MS || s->ice_age_ms < CONSENT_MS);
}

static void counted(void *arg, const struct dp_stats_leg *s)
{
	call_note_stats(((struct leg *)arg)->call, s);
}

/* Who is heard on another transport is there, whatever became of one. */
static void counted_all(void *arg, int result, const char *reason)
{
	struct leg *l = arg;
	bool heard = false;

	(void)reason;
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		heard |= does_ice(l, i) && is_heard(l, i);
	if (heard && goes_on(l->call))
		log_warn("media", "no ICE check comes on one of a side's transports; the call goes on with the others",
			LZ("call", l->call->id), LZ("trunk", l->trunk->name));
	else if (result >= 0 && goes_on(l->call))
		end(l);
	call_unwait(l->call);
}

void leg_consent_lost(struct leg *l, unsigned transport, uint32_t silent_ms)
{
	struct call *c = l->call;

	/* A peer of RFC 5245 sends no checks once it has a pair, but keepalives: its call goes on. */
	if (!goes_on(c) || silent_ms < CONSENT_MS)
		return;
	/* A party that is leaving may be gone, and the other one's next call rings on. Told again when that
	 * comes to nothing. */
	if (l->ended || succession_pending(c))
		return;
	if (alone(l, transport)) {
		end(l);
		return;
	}
	/* Not known now: the data plane says it again when it lasts. */
	c->waiting++;
	if (dp_client_stats_session(c->b->client, c->media.session, counted, counted_all, l) < 0)
		call_unwait(c);
}

/* May anything be heard of it, while the peer is there? */
static bool speaks(const struct leg *l, unsigned transport)
{
	const struct oa_media *m;

	if (does_ice(l, transport))
		return true;
	for (unsigned k = 0; (m = oa_media_now(&l->oa, k)) != NULL; k++)
		if (m->used && m->transport == transport && m->direction & SDP_RECVONLY)
			return true;
	return false;
}

static bool has_parted(const struct leg *l, unsigned transport)
{
	const struct dp_stats_leg *s = call_stats_of(l->call, 2 * transport + l->side);

	return leg_dtls_parted(l, transport) && speaks(l, transport) && s && s->rx_age_ms >= WORD_MS &&
	       s->ice_age_ms >= WORD_MS;
}

/*
 * It may have offered another association, and speaks when that is answered; or answer an offer of ours with
 * one; or wait for its next party.
 */
static bool cannot_be_told(const struct leg *l)
{
	return l->oa.pending || l->call->exchange || succession_pending(l->call);
}

static void looked(void *arg, int result, const char *reason)
{
	struct leg *l = arg;
	struct call *c = l->call;
	bool there = false, gone = false;
	const struct oa_media *m;

	(void)reason;
	for (unsigned i = 0; (m = oa_media_now(&l->oa, i)) != NULL; i++) {
		bool parted = m->open && has_parted(l, i);

		gone |= parted;
		there |= m->open && !parted;
	}
	if (result < 0 || cannot_be_told(l)) {
		leg_dtls_ask_again(l);
	} else if (goes_on(c) && gone && !there) {
		c->b->counters.ended_media_timeout++;
		call_release(c, NULL, 480,
			"trunk %s: the peer ended its DTLS association, and nothing of it was heard since",
			l->trunk->name);
	}
	call_unwait(c);
}

void leg_parted(struct leg *l)
{
	struct call *c = l->call;

	if (!goes_on(c) || l->ended)
		return;
	if (cannot_be_told(l)) {
		leg_dtls_ask_again(l);
		return;
	}
	c->waiting++;
	if (dp_client_stats_session(c->b->client, c->media.session, counted, looked, l) < 0) {
		leg_dtls_ask_again(l);
		call_unwait(c);
	}
}
