/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/obs/mgmt.h"
#include "controlplane/obs/show.h"
#include "lib/base/clock.h"

#define CALLS_SHOWN 200 /* unless "limit" says otherwise */
#define CALLS_SHOWN_MAX 2000

/* One question that waits for the data plane's numbers. */
struct report {
	struct b2bua *b;
	struct mgmt_request *rq;
	void (*finish)(struct report *p);
	char id[CALL_ID_TEXT]; /* show-call */
	char state[16];        /* show-calls: only these; "": all */
	unsigned limit;
	unsigned pending;
	struct dp_stats_global global;
};

/* One call's numbers on their way. */
struct fetch {
	struct report *report;
	struct call *call;
};

static void report_step(struct report *p)
{
	if (--p->pending)
		return;
	p->finish(p);
	free(p);
}

static void fetched_leg(void *arg, const struct dp_stats_leg *s)
{
	struct fetch *f = arg;

	call_note_stats(f->call, s);
}

static void fetched(void *arg, int result, const char *reason)
{
	struct fetch *f = arg;
	struct report *p = f->report;

	(void)result; /* without fresh numbers the last ones are shown */
	(void)reason;
	call_unwait(f->call);
	free(f);
	report_step(p);
}

static void fetch_call(struct report *p, struct call *c)
{
	struct fetch *f = c->media.programmed && c->state != CALL_ENDING ? malloc(sizeof *f) : NULL;

	if (!f)
		return;
	*f = (struct fetch){.report = p, .call = c};
	p->pending++;
	c->waiting++;
	if (dp_client_stats_session(p->b->client, c->media.session, fetched_leg, fetched, f) < 0)
		fetched(f, -1, NULL);
}

static struct show_leg leg_shown(const struct leg *l, char version[16], char cipher[80])
{
	const struct call *c = l->call;
	const struct oa_media *m = oa_media_at(&l->oa, 0);
	const struct dp_stats_leg *s = &c->stats[l->side];
	struct show_leg out = {
		.side = l->side,
		.trunk = l->trunk ? l->trunk->name : NULL,
		.secure = l->trunk && l->trunk->srtp == CONFIG_SRTP_REQUIRED,
		.suite = l->suite,
		.rtcp_mux = m && m->mux,
		.local = c->media.leases[l->side][0].rtp,
		.stats = s->h.type ? s : NULL,
		.signalling = {.transport = l->listener ? l->listener->transport : CONFIG_UDP,
			.remote = l->flow.remote},
	};

	if (m)
		out.remote = m->remote;
	if (sscanf(l->tls, "%15s %79s", version, cipher) == 2) {
		out.signalling.tls_version = version;
		out.signalling.tls_cipher = cipher;
	}
	return out;
}

static const char *state_shown(const struct call *c)
{
	switch (c->state) {
	case CALL_TRYING:
		return "setup";
	case CALL_RINGING:
		return "ringing";
	case CALL_ANSWERED:
	case CALL_UP:
		return "established";
	case CALL_ENDING:
		break;
	}
	if (c->waiting)
		return "ending";
	return c->answered_ms ? "ended" : "refused";
}

static json_t *call_shown(const struct call *c)
{
	char version[2][16], cipher[2][80], reason[CALL_REASON_MAX + 8];
	struct show_leg legs[2] = {
		leg_shown(&c->legs[0], version[0], cipher[0]),
		leg_shown(&c->legs[1], version[1], cipher[1]),
	};
	struct show_call s = {
		.id = c->id,
		.state = state_shown(c),
		.from = str_z(c->from),
		.to = str_z(c->to),
		.ingress_trunk = c->legs[0].trunk ? c->legs[0].trunk->name : NULL,
		.egress_trunk = c->legs[1].trunk ? c->legs[1].trunk->name : NULL,
		.start_ms = c->began_ms,
		.legs = legs,
		.n_legs = 2,
	};

	if (c->answered_ms)
		s.duration_ms = (c->ended_ms ? c->ended_ms : clock_wall_ms()) - c->answered_ms;
	if (c->state == CALL_ENDING) {
		if (c->end.status == 200)
			snprintf(reason, sizeof reason, "%s", c->end.reason);
		else
			snprintf(reason, sizeof reason, "%u %s", c->end.status, c->end.reason);
		s.end_reason = reason;
	}
	return show_call_json(&s);
}

/* The newest up to the limit, the newest last. */
static void finish_calls(struct report *p)
{
	struct b2bua *b = p->b;
	json_t *calls = json_array();
	unsigned shown = 0;
	struct call *c;

	TAILQ_FOREACH_REVERSE(c, &b->calls, call_list, entry)
	if (shown < p->limit && (!p->state[0] || strcmp(p->state, state_shown(c)) == 0) && ++shown)
		json_array_insert_new(calls, 0, call_shown(c));
	for (unsigned i = 1; i <= CALL_HISTORY && i <= b->history_next; i++) {
		c = b->history[(b->history_next - i) % CALL_HISTORY];
		if (c && shown < p->limit && (!p->state[0] || strcmp(p->state, state_shown(c)) == 0) &&
			++shown)
			json_array_insert_new(calls, 0, call_shown(c));
	}
	mgmt_reply(p->rq, show_calls_json(b->n_calls, b->counters.calls, calls));
}

static struct report *report_new(struct b2bua *b, struct mgmt_request *rq, void (*finish)(struct report *))
{
	struct report *p = calloc(1, sizeof *p);

	if (!p) {
		mgmt_reply(rq, NULL);
		return NULL;
	}
	p->b = b;
	p->rq = rq;
	p->finish = finish;
	p->pending = 1; /* the asker's own */
	return p;
}

static void show_calls(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct report *p = report_new(ctx, rq, finish_calls);
	const char *state = mgmt_arg(args, "state");
	const json_t *limit = json_object_get(args, "limit");
	unsigned asked = 0;
	struct call *c;

	if (!p)
		return;
	if (state)
		snprintf(p->state, sizeof p->state, "%s", state);
	p->limit = CALLS_SHOWN;
	if (json_is_integer(limit) && json_integer_value(limit) > 0)
		p->limit = json_integer_value(limit) < CALLS_SHOWN_MAX ? (unsigned)json_integer_value(limit)
								       : CALLS_SHOWN_MAX;
	TAILQ_FOREACH_REVERSE(c, &p->b->calls, call_list, entry)
	if (asked++ < p->limit)
		fetch_call(p, c);
	report_step(p);
}

static void finish_call(struct report *p)
{
	struct call *c = call_find(p->b, str_z(p->id));

	if (c)
		mgmt_reply(p->rq, call_shown(c));
	else
		mgmt_refuse(p->rq, "/srtp-gateway:calls/call", "there is no call '%s', or it ended long ago",
			p->id);
}

static void show_call(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct b2bua *b = ctx;
	const char *id = mgmt_arg(args, "id");
	struct report *p;
	struct call *c;

	if (!id) {
		mgmt_refuse(rq, "/srtp-gateway:calls/call", "which call? give its id");
		return;
	}
	p = report_new(b, rq, finish_call);
	if (!p)
		return;
	snprintf(p->id, sizeof p->id, "%s", id);
	c = call_find(b, str_z(p->id));
	if (c)
		fetch_call(p, c);
	report_step(p);
}

static void global_came(void *arg, const struct dp_stats_global *s)
{
	struct report *p = arg;

	p->global = *s;
}

static void global_done(void *arg, int result, const char *reason)
{
	(void)result;
	(void)reason;
	report_step(arg);
}

static void finish_stats(struct report *p)
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
	struct show_counter sip[SIP_N], calls[CALL_N];
	struct b2bua *b = p->b;
	struct show_stats s = {
		.generation = b->now->config->generation,
		.uptime_ms = clock_wall_ms() - b->began_ms,
		.active = b->n_calls,
		.total = b->counters.calls,
		.welcome = dp_client_welcome(b->client),
		.dataplane = p->global.h.type ? &p->global : NULL,
		.sip = sip,
		.n_sip = SIP_N,
		.calls = calls,
		.n_calls = CALL_N,
	};

	/* Both structs are nothing but counters, in the order of their lists. */
	for (unsigned i = 0; i < SIP_N; i++)
		sip[i] = (struct show_counter){sip_names[i], ((const uint64_t *)b->sip_counters)[i]};
	for (unsigned i = 0; i < CALL_N; i++)
		calls[i] = (struct show_counter){call_names[i], ((const uint64_t *)&b->counters)[i]};
	for (uint32_t i = 0; i < b->now->config->n_trunks; i++)
		s.rejected += b->now->trunks[i]->rejected;
	s.rejected += b->counters.refused_unknown_peer;
	mgmt_reply(p->rq, show_stats_json(&s));
}

static void show_stats(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct report *p = report_new(ctx, rq, finish_stats);

	(void)args;
	if (!p)
		return;
	p->pending++;
	if (dp_client_stats_global(p->b->client, global_came, global_done, p) < 0)
		p->pending--;
	report_step(p);
}

static void show_trunks(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct b2bua *b = ctx;
	json_t *trunks = json_array();

	(void)args;
	for (uint32_t i = 0; i < b->now->config->n_trunks; i++) {
		const struct trunk_state *t = b->now->trunks[i];
		struct show_trunk s = {
			.trunk = &b->now->config->trunks[i],
			.active = t->active,
			.total = t->total,
			.rejected = t->rejected,
			.last_rejection = t->last_reject[0] ? t->last_reject : NULL,
		};

		json_array_append_new(trunks, show_trunk_json(&s));
	}
	mgmt_reply(rq, show_trunks_json(trunks));
}

int report_register(struct mgmt *m, struct b2bua *b)
{
	static const struct {
		const char *op;
		mgmt_fn fn;
	} ops[] = {{"show-calls", show_calls}, {"show-call", show_call}, {"show-stats", show_stats},
		{"show-trunks", show_trunks}};

	for (unsigned i = 0; i < sizeof ops / sizeof *ops; i++) {
		int err = mgmt_register(m, ops[i].op, ops[i].fn, b);

		if (err < 0)
			return err;
	}
	return 0;
}
