/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/route/refusal.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/config/config.h"

/* Of RFC 3261 section 16.7 step 6, for what a caller here can use: the lower the better. */
enum layer {
	LAYER_NOBODY,      /* 6xx: nobody anywhere takes it */
	LAYER_ELSEWHERE,   /* 3xx that goes on */
	LAYER_CORRECTABLE, /* the caller can do something about it */
	LAYER_CALLED,      /* other 4xx: the called user's own word */
	LAYER_ABSENT,      /* who was asked has no such user, or not now: another may know more */
	LAYER_SILENT,      /* nobody was there, or we cancelled it */
	LAYER_BROKEN,      /* 5xx, and what is one to the caller: a challenge to us, our session timer */
	LAYER_UNREACHED,   /* no way leads there: a place that answered says more */
};

static enum layer layer_of_answer(const struct refusal *r)
{
	switch (r->m->status) {
	case 415:
	case 420:
	case 484:
		return LAYER_CORRECTABLE;
	case 404:
	case 480:
		return LAYER_ABSENT;
	case 408:
	case 482:
	case 487:
		return LAYER_SILENT;
	case 401: /* not for the caller to answer: see reply_status() and exchange.c */
	case 407:
	case 422:
	case 481:
	case 491:
		return LAYER_BROKEN;
	default:
		break;
	}
	if (r->m->status >= 600)
		return LAYER_NOBODY;
	if (r->m->status < 400)
		return r->pointless || r->trunk->redirect == CONFIG_REDIRECT_REFUSE ? LAYER_BROKEN
										    : LAYER_ELSEWHERE;
	return r->m->status < 500 ? LAYER_CALLED : LAYER_BROKEN;
}

static enum layer layer_of(const struct refusal *r)
{
	if (r->m)
		return layer_of_answer(r);
	return r->status < 500 ? LAYER_SILENT : LAYER_UNREACHED;
}

const struct refusal *refusal_best(const struct refusal *kept, const struct refusal *now)
{
	return kept && layer_of(kept) < layer_of(now) ? kept : now;
}

/* What is kept owns its response and its reason. */
static struct refusal *copy_of(const struct refusal *r)
{
	struct refusal *copy = malloc(sizeof *copy);

	if (!copy)
		return NULL;
	*copy = *r;
	copy->m = r->m ? sip_msg_clone(r->m) : NULL;
	copy->reason = r->reason ? strdup(r->reason) : NULL;
	if ((r->m && !copy->m) || (r->reason && !copy->reason))
		refusal_drop(&copy);
	return copy;
}

void refusal_keep(struct refusal **kept, const struct refusal *now)
{
	struct refusal *copy;

	if (refusal_best(*kept, now) != now)
		return;
	copy = copy_of(now);
	if (!copy)
		return;
	refusal_drop(kept);
	*kept = copy;
}

void refusal_drop(struct refusal **kept)
{
	if (!*kept)
		return;
	sip_msg_free((struct sip_msg *)(*kept)->m);
	free((char *)(*kept)->reason);
	free(*kept);
	*kept = NULL;
}
