/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of an INVITE that failed: the next target, or what whoever sent it to us hears. */
#include <stdio.h>

#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/route/redirect.h"
#include "controlplane/b2bua/route/refusal.h"

unsigned failure_unreached(const struct leg *out)
{
	return out->call->initial && out->binding ? 480 : 503;
}

/* What the caller hears when the called side fails: its own words where they mean the same here. */
static unsigned status_for_caller(unsigned status)
{
	if (status == 422)
		return 502; /* the timer is of our session, not of the caller's */
	if (status == 481 || status == 491)
		return 500;
	if (status == 487)
		return 480; /* nobody here has cancelled anything */
	return reply_status(status);
}

static void note_response(struct call *c, const struct sip_msg *m, unsigned status)
{
	if (status != m->status)
		return;
	(void)call_hold(c, &c->end.phrase, str_sub(m->reason, 0, CALL_PHRASE_MAX - 1));
	reply_retry_after(m, &c->end.retry_after);
}

void failure_explain(struct leg *out, const struct refusal *r, char why[CALL_REASON_MAX])
{
	const struct sip_msg *m = r->m;
	struct call *c = out->call;
	struct str phrase = m ? str_sub(m->reason, 0, 100) : STR("");

	if (m) {
		bool pointless = c->redirection && c->redirection->why_not[0] && m->status < 400;

		snprintf(why, CALL_REASON_MAX, "trunk %s answered %u %.*s%s%.120s", r->trunk->name, m->status,
			STR_ARG(phrase), pointless ? ": " : "", pointless ? c->redirection->why_not : "");
		call_tell_outside(c, "the %s side answered %u %.*s",
			out->side == DP_SIDE_A ? "calling" : "called", m->status, STR_ARG(phrase));
	} else {
		snprintf(why, CALL_REASON_MAX, "trunk %s: %s", r->trunk->name,
			r->reason ? r->reason : "no answer");
		call_tell_outside(c, "the other side could not be reached");
	}
}

void failure_conclude(struct leg *out, const struct refusal *r)
{
	struct leg *in = leg_twin(out);
	struct call *c = out->call;
	unsigned status = r->status;
	char why[CALL_REASON_MAX];

	if (r->m) {
		passing_keep(in, r->trunk, r->m);
		status = redirect_pass(in, r->trunk, r->m) ? r->m->status : status_for_caller(r->m->status);
		note_response(c, r->m, status);
	} else {
		c->b->counters.failed_unreachable++;
	}
	failure_explain(out, r, why);
	out->ended = true;
	call_release(c, r->m ? out : NULL, status, "%s", why);
}

void failure_at_target(struct leg *out, struct refusal *r)
{
	if (redirect_failed(out, r))
		return;
	r->pointless = r->m && r->m->status < 400 && out->trunk->redirect == CONFIG_REDIRECT_FOLLOW;
	if (!route_failover(out, r))
		failure_conclude(out, refusal_best(out->call->hunt->best, r));
}

unsigned failure_status(const struct leg *out, unsigned status)
{
	if (status == 491)
		return 491;
	if (status == 487)
		return out->cancelled ? 487 : 408; /* cancelled by the peer, or because it took too long */
	return status_for_caller(status);
}
