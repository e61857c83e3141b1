/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/audit/audit.h"
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/report/report_private.h"
#include "controlplane/obs/gather.h"
#include "controlplane/obs/state.h"
#include "lib/base/clock.h"

/* How long ago the call began, in calls; more than UINT32_MAX / 2 for one that is not there yet. */
static uint32_t age_of(const struct b2bua *b, const char *id)
{
	return b->next_id - (uint32_t)strtoul(id, NULL, 16);
}

static bool is(const char *wanted, const char *value)
{
	return !*wanted || (value && strcmp(wanted, value) == 0);
}

static bool is_wanted(const struct b2bua *b, const struct query *q, const struct call *c)
{
	return is(q->id, c->id) && is(q->state, report_state(c)) &&
	       is(q->ingress_trunk, c->legs[0].trunk ? c->legs[0].trunk->name : NULL) &&
	       is(q->egress_trunk, c->legs[1].trunk ? c->legs[1].trunk->name : NULL) &&
	       (!*q->after || age_of(b, c->id) > age_of(b, q->after));
}

/* Calls of the history, those that began last first. */
struct past {
	struct call *calls[CALL_PAST_MAX];
	unsigned n;
};

static int newest_first(const void *a, const void *b)
{
	const struct call *const *x = a, *const *y = b;
	uint32_t i = age_of((*x)->b, (*x)->id), k = age_of((*x)->b, (*y)->id);

	return i < k ? -1 : i > k;
}

static void list_past(struct b2bua *b, struct past *p)
{
	p->n = call_past(b, p->calls);
	qsort(p->calls, p->n, sizeof *p->calls, newest_first);
}

/*
 * The calls that are asked for, the newest first, up to max of them: with those that ended among those that
 * are there, by when they began. How many.
 */
static unsigned select_calls(struct b2bua *b, const struct query *q, struct call **out, unsigned max)
{
	struct call *c = TAILQ_LAST(&b->calls, call_list);
	struct past past;
	unsigned n = 0, p = 0;

	list_past(b, &past);
	while (n < max && (c || p < past.n)) {
		bool ended = p < past.n && (!c || newest_first(&past.calls[p], &c) < 0);
		struct call *next = ended ? past.calls[p++] : c;

		if (!ended)
			c = TAILQ_PREV(c, call_list, entry);
		if (is_wanted(b, q, next))
			out[n++] = next;
	}
	return n;
}

/* One call's numbers on their way. */
struct fetch {
	struct gather_run *run;
	struct call *call;
};

static void fetched_leg(void *arg, const struct dp_stats_leg *s)
{
	struct fetch *f = arg;

	call_note_stats(f->call, s);
}

static void fetched(void *arg, int result, const char *reason)
{
	struct fetch *f = arg;
	struct gather_run *run = f->run;

	(void)result; /* without fresh numbers the last ones are shown */
	(void)reason;
	call_unwait(f->call);
	free(f);
	gather_done(run);
}

static void fetch_call(struct b2bua *b, struct gather_run *run, struct call *c)
{
	struct fetch *f = c->media.programmed && c->state != CALL_ENDING ? malloc(sizeof *f) : NULL;

	if (!f)
		return;
	*f = (struct fetch){.run = run, .call = c};
	gather_wait(run);
	c->waiting++;
	if (dp_client_stats_session(b->client, c->media.session, fetched_leg, fetched, f) < 0)
		fetched(f, -1, NULL);
}

static void fetch_calls(struct b2bua *b, const struct query *q, struct gather_run *run)
{
	struct call *calls[REPORT_CALLS_MAX + 1];
	unsigned limit = q->limit && q->limit < REPORT_CALLS_MAX ? q->limit : REPORT_CALLS_MAX;
	unsigned n = select_calls(b, q, calls, limit + 1);

	if (n > REPORT_CALLS_MAX && !q->limit) {
		gather_refuse(run, "too-big", "/srtp-gateway:calls",
			"more than %u calls at once: ask for one trunk's or one state's, such as "
			"/srtp-gateway:calls/call[state='ringing'], or a page at a time (limit, after), or "
			"/srtp-gateway:calls/active for their number",
			REPORT_CALLS_MAX);
		return;
	}
	for (unsigned i = 0; i < n && i < limit; i++)
		fetch_call(b, run, calls[i]);
}

static void plane_told(void *run)
{
	gather_done(run);
}

static void ask_plane(struct b2bua *b, struct gather_run *run)
{
	gather_wait(run);
	if (report_plane_ask(b, plane_told, run) < 0)
		gather_done(run);
}

static void fetch(void *ctx, const struct query *q, struct gather_run *run)
{
	if (q->parts & (QUERY_STATISTICS | QUERY_MEDIA))
		ask_plane(ctx, run);
	if (q->parts & QUERY_CALL)
		fetch_calls(ctx, q, run);
}

static void write_calls(struct b2bua *b, const struct query *q, struct state_tree *t)
{
	struct lyd_node *calls = state_top(t, "calls");
	struct call *shown[REPORT_CALLS_MAX];
	unsigned limit = q->limit && q->limit < REPORT_CALLS_MAX ? q->limit : REPORT_CALLS_MAX;
	unsigned n = q->parts & QUERY_CALL ? select_calls(b, q, shown, limit) : 0;

	state_number(t, calls, "active", b->n_calls);
	state_number(t, calls, "total", b->counters.calls);
	while (n)
		report_call(t, calls, shown[--n]);
}

static const char *target_state(const struct peer_target *t)
{
	return t->down ? "down" : peer_target_rests(t) ? "resting" : "up";
}

/* The best that one of its addresses is. */
static const char *peer_state(const struct peer_state *p)
{
	const struct peer_target *t;
	bool rests = false;

	if (TAILQ_EMPTY(&p->targets))
		return "no-address";
	TAILQ_FOREACH (t, &p->targets, entry) {
		if (!t->down && !peer_target_rests(t))
			return "up";
		rests |= !t->down;
	}
	return rests ? "resting" : "down";
}

static const char *or_none(const char *text)
{
	return *text ? text : NULL;
}

static void write_peer(struct state_tree *t, struct lyd_node *state, const struct peer_state *p)
{
	struct state_peer out = {
		.name = p->name,
		.state = peer_state(p),
		.reason = or_none(peer_trouble(p)),
	};
	const struct peer_target *at;

	TAILQ_FOREACH (at, &p->targets, entry) {
		if (out.n_targets == STATE_PEER_TARGETS_MAX)
			break;
		out.targets[out.n_targets++] = (struct state_peer_target){
			.remote = at->remote,
			.priority = at->priority,
			.weight = at->weight,
			.state = target_state(at),
			.rest_s = peer_target_rest_s(at),
			.reason = or_none(at->why),
		};
	}
	state_peer(t, state, &out);
}

static void write_trunks(struct b2bua *b, struct state_tree *t)
{
	struct lyd_node *trunks = state_in(t, state_top(t, "gateway"), "trunks");

	for (uint32_t i = 0; i < b->now->config->n_trunks; i++) {
		const struct trunk_state *s = b->now->trunks[i];

		struct state_trunk out = {
			.name = b->now->config->trunks[i].name,
			.oper_state = trunk_oper_name(trunk_oper(b, &b->now->config->trunks[i])),
			.active = s->active,
			.total = s->total,
			.answered = s->answered,
			.rejected = s->rejected,
			.last_rejection = s->last_reject[0] ? s->last_reject : NULL,
		};
		struct registration_info reg;

		if (registration_look(b, out.name, &reg)) {
			out.registration = registration_state_name(reg.state);
			out.registration_left_s = reg.left_s;
			out.registration_failures = reg.failures;
			out.registration_why = reg.why;
		}

		memcpy(out.responses_sent, s->responses.sent, sizeof out.responses_sent);
		memcpy(out.responses_received, s->responses.received, sizeof out.responses_received);
		struct lyd_node *state = state_trunk(t, trunks, &out);

		for (uint32_t k = 0; k < b->now->config->trunks[i].n_peers; k++)
			write_peer(t, state, b->now->peers[i][k]);
	}
}

static void write_users(struct b2bua *b, struct state_tree *t)
{
	static const enum config_transport transports[] = {
		[SIP_UDP] = CONFIG_UDP,
		[SIP_TCP] = CONFIG_TCP,
		[SIP_TLS] = CONFIG_TLS,
		[SIP_WSS] = CONFIG_WSS,
	};
	const struct config *c = b->now->config;
	struct lyd_node *users = c->n_users ? state_in(t, state_top(t, "gateway"), "users") : NULL;

	for (uint32_t i = 0; i < c->n_users; i++) {
		struct user_binding *all[USER_BINDINGS_MAX];
		struct state_registration out[USER_BINDINGS_MAX];
		unsigned n = users_of(b, &c->users[i], all);

		for (unsigned k = 0; k < n; k++)
			out[k] = (struct state_registration){
				.id = all[k]->id,
				.contact = all[k]->contact,
				.instance = or_none(all[k]->instance),
				.agent = or_none(all[k]->agent),
				.transport = transports[all[k]->flow.transport],
				.remote = all[k]->flow.remote,
				.reachable = !all[k]->adrift,
				.expires_s = users_left_s(all[k]),
				.since_ms = all[k]->since_ms,
			};
		if (n)
			state_registration(t, users, c->users[i].name, out, n);
	}
}

static uint64_t rejected(const struct b2bua *b)
{
	uint64_t n = b->counters.refused_unknown_peer;

	for (uint32_t i = 0; i < b->now->config->n_trunks; i++)
		n += b->now->trunks[i]->rejected;
	return n;
}

static void list_rekeys(const struct b2bua *b, struct state_rekey out[REKEY_CAUSES])
{
	_Static_assert(sizeof out->results / sizeof *out->results == REKEY_RESULTS, "a counter for each");
	for (unsigned c = 0; c < REKEY_CAUSES; c++) {
		out[c].cause = rekey_cause_name((enum rekey_cause)c);
		for (unsigned r = 0; r < REKEY_RESULTS; r++)
			out[c].results[r] = (struct state_counter){
				rekey_result_name((enum rekey_result)r), b->rekeys[c][r]};
	}
}

static void write_gateway(struct b2bua *b, struct lyd_node *parent, struct state_tree *t)
{
	static const char *const sip_names[] = {
#define SIP_COUNTER_NAME(name, help) #name,
		SIP_COUNTERS(SIP_COUNTER_NAME)
#undef SIP_COUNTER_NAME
	};
	static const char *const call_names[] = {
#define B2BUA_COUNTER_NAME(name, help) #name,
		B2BUA_COUNTERS(B2BUA_COUNTER_NAME)
#undef B2BUA_COUNTER_NAME
	};
	enum {
		SIP_N = sizeof sip_names / sizeof *sip_names,
		CALL_N = sizeof call_names / sizeof *call_names
	};
	struct state_counter sip[SIP_N], calls[CALL_N];
	struct state_rekey rekeys[REKEY_CAUSES];

	/* Both structs are nothing but counters, in the order of their lists. */
	for (unsigned i = 0; i < SIP_N; i++)
		sip[i] = (struct state_counter){sip_names[i], ((const uint64_t *)b->sip_counters)[i]};
	for (unsigned i = 0; i < CALL_N; i++)
		calls[i] = (struct state_counter){call_names[i], ((const uint64_t *)&b->counters)[i]};
	list_rekeys(b, rekeys);
	state_statistics(t, parent,
		&(struct state_statistics){
			.generation = b->now->config->generation,
			.start_ms = b->began_ms,
			.uptime_ms = clock_between_ms(b->began_ms, clock_wall_ms()),
			.active = b->n_calls,
			.total = b->counters.calls,
			.rejected = rejected(b),
			.calls = calls,
			.n_calls = CALL_N,
			.rekeys = rekeys,
			.n_rekeys = REKEY_CAUSES,
			.sip = sip,
			.n_sip = SIP_N,
		});
}

static void write_audit(const struct b2bua *b, struct lyd_node *parent, struct state_tree *t)
{
	struct audit_counters c = audit_counters(b->audit);
	struct lyd_node *audit = b->audit ? state_in(t, parent, "audit") : NULL;

	state_number(t, audit, "records", c.records);
	state_number(t, audit, "lost", c.failed);
	state_number(t, audit, "file-taken", c.taken);
	state_bool(t, audit, "file-away", c.away);
	state_bool(t, audit, "losing", c.losing);
}

static void write_all(void *ctx, const struct query *q, struct state_tree *t)
{
	struct b2bua *b = ctx;

	if (q->parts & QUERY_TRUNKS)
		write_trunks(b, t);
	report_places(b, t);
	write_users(b, t);
	write_calls(b, q, t);
	if (q->parts & QUERY_STATISTICS) {
		struct lyd_node *statistics = state_top(t, "statistics");

		write_gateway(b, statistics, t);
		write_audit(b, statistics, t);
		report_plane(b, statistics, t);
	}
}

int report_register(struct gather *g, struct b2bua *b)
{
	static const struct gather_source source = {.fetch = fetch, .write = write_all};

	return gather_add(g, &source, b);
}
