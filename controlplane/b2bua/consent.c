/* SPDX-License-Identifier: Apache-2.0 */
/* Peers with ICE that are not heard any more (RFC 7675). */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/legs.h"
#include "lib/base/log.h"

#define CONSENT_MS 30000 /* RFC 7675 section 5.1 */

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
	if (alone(l, transport)) {
		end(l);
		return;
	}
	/* Not known now: the data plane says it again when it lasts. */
	c->waiting++;
	if (dp_client_stats_session(c->b->client, c->media.session, counted, counted_all, l) < 0)
		call_unwait(c);
}
