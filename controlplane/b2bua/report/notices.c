/* SPDX-License-Identifier: Apache-2.0 */
/* What is reported by itself: notifications of the model. */
#include "controlplane/b2bua/call.h"
#include "lib/base/clock.h"

#define REFUSAL_PAUSE_MS 1000

void notice_refusal(struct b2bua *b, struct trunk_state *t, unsigned status, const char *reason)
{
	struct refusal_notice *r = t ? &t->refusal : &b->refusal;
	uint64_t now = clock_wall_ms();
	struct notice n;

	if (now - r->told_ms < REFUSAL_PAUSE_MS) {
		r->untold++;
		return;
	}
	n = notify_begin(b->notify, "call-refused");
	state_text(&n.tree, n.node, "trunk", t ? t->name : NULL);
	state_number(&n.tree, n.node, "status", status);
	state_text(&n.tree, n.node, "reason", reason);
	state_number(&n.tree, n.node, "suppressed", r->untold);
	notify_end(b->notify, &n);
	*r = (struct refusal_notice){.told_ms = now};
}

void notice_plane(struct b2bua *b, bool connected, bool restarted, const char *reason)
{
	struct notice n = notify_begin(b->notify, "dataplane-state-change");

	state_bool(&n.tree, n.node, "connected", connected);
	if (connected)
		state_bool(&n.tree, n.node, "restarted", restarted);
	state_text(&n.tree, n.node, "reason", reason);
	notify_end(b->notify, &n);
}

void notice_audit(struct b2bua *b, const char *kind, bool raised, uint64_t times)
{
	struct notice n = notify_begin(b->notify, "audit-alarm");

	state_text(&n.tree, n.node, "kind", kind);
	state_bool(&n.tree, n.node, "raised", raised);
	state_number(&n.tree, n.node, "times", times);
	notify_end(b->notify, &n);
}

void notice_alarm(struct b2bua *b, const struct dp_alarm *a)
{
	bool link = a->kind == DP_ALARM_LINK;
	struct notice n = notify_begin(b->notify, link ? "interface-alarm" : "backend-alarm");

	if (link)
		state_text(&n.tree, n.node, "interface", a->interface);
	else
		state_number(&n.tree, n.node, "worker", a->worker);
	state_text(&n.tree, n.node, "kind", link ? "link-down" : "crypto-device");
	state_bool(&n.tree, n.node, "raised", a->raised);
	state_number(&n.tree, n.node, "times", a->times);
	notify_end(b->notify, &n);
}

void notice_dtls_failed(struct b2bua *b, const struct leg *l, const struct dtls_result *r)
{
	struct notice n = notify_begin(b->notify, "dtls-failure");

	state_text(&n.tree, n.node, "call-id", l->call->id);
	state_text(&n.tree, n.node, "side", l->side == DP_SIDE_A ? "a" : "b");
	state_text(&n.tree, n.node, "trunk", l->trunk->name);
	state_text(&n.tree, n.node, "failure", dtls_failure_name(r->failure));
	state_text(&n.tree, n.node, "reason", r->reason);
	notify_end(b->notify, &n);
}

void notice_key_limit(struct b2bua *b, const struct call *c, const struct dp_key_soft_limit *e)
{
	static const char *const limits[] = {
		[DP_LIMIT_PACKETS] = "packets",
		[DP_LIMIT_OCTETS] = "octets",
		[DP_LIMIT_RTCP_PACKETS] = "rtcp-packets",
		[DP_LIMIT_AUTH_FAILURES] = "auth-failures",
	};
	bool attack = e->limit == DP_LIMIT_AUTH_FAILURES;
	const struct leg *l = &c->legs[program_side_of(e->leg)];
	enum srtp_suite suite = leg_suite_at(l, e->leg / 2);
	struct notice n = notify_begin(b->notify, attack ? "srtp-auth-failure" : "key-limit");

	state_text(&n.tree, n.node, "call-id", c->id);
	state_text(&n.tree, n.node, "side", l->side == DP_SIDE_A ? "a" : "b");
	if (attack) {
		state_text(&n.tree, n.node, "trunk", l->trunk ? l->trunk->name : NULL);
		state_number(&n.tree, n.node, "failures",
			suite == SRTP_SUITE_NONE ? 0 : srtp_suite_info(suite)->auth_failures_max);
	} else {
		state_text(&n.tree, n.node, "direction", e->direction == DP_KEY_RX ? "rx" : "tx");
		state_text(&n.tree, n.node, "limit",
			e->limit < sizeof limits / sizeof *limits ? limits[e->limit] : "packets");
		state_number(&n.tree, n.node, "packets", e->packets);
		state_number(&n.tree, n.node, "octets", e->octets);
	}
	notify_end(b->notify, &n);
}

void notice_attack(struct b2bua *b, const struct call *c, const struct dp_leg_attacked *e)
{
	const struct leg *l = &c->legs[program_side_of(e->leg)];
	struct notice n = notify_begin(b->notify, "srtp-auth-failure");

	state_text(&n.tree, n.node, "call-id", c->id);
	state_text(&n.tree, n.node, "side", l->side == DP_SIDE_A ? "a" : "b");
	state_text(&n.tree, n.node, "trunk", l->trunk ? l->trunk->name : NULL);
	state_number(&n.tree, n.node, "failures", e->failures);
	state_number(&n.tree, n.node, "policed", e->policed);
	notify_end(b->notify, &n);
}

void notice_rekey_refused(const struct leg *l, unsigned status, bool ended)
{
	struct notice n = notify_begin(l->call->b->notify, "rekey-refused");

	state_text(&n.tree, n.node, "call-id", l->call->id);
	state_text(&n.tree, n.node, "side", l->side == DP_SIDE_A ? "a" : "b");
	state_text(&n.tree, n.node, "trunk", l->trunk->name);
	state_text(&n.tree, n.node, "cause", rekey_cause_name(l->rekey.cause));
	state_number(&n.tree, n.node, "status", status);
	state_bool(&n.tree, n.node, "ended", ended);
	notify_end(l->call->b->notify, &n);
}
