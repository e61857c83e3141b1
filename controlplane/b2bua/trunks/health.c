/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "controlplane/b2bua/trunks/health.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "lib/base/log.h"

#define FIRST_MS 2000 /* the first round of all peers is spread over so long */

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* ---- verdicts ---- */

static void tell(struct peer_target *t)
{
	const struct peer_state *p = t->peer;
	struct b2bua *b = p->trunk->b;
	char address[IP_PORT_TEXT_MAX], reason[PEER_WHY_MAX + 80];
	struct notice n = notify_begin(b->notify, "peer-state-change");

	ip_port_text(&t->remote, address);
	state_text(&n.tree, n.node, "trunk", p->trunk->name);
	state_text(&n.tree, n.node, "peer", p->name);
	state_text(&n.tree, n.node, "address", address);
	state_text(&n.tree, n.node, "state", t->down ? "down" : "up");
	state_text(&n.tree, n.node, "reason", t->down ? t->why : "it answers");
	notify_end(b->notify, &n);
	log_at(t->down ? LOG_WARN : LOG_INFO, "trunk",
		t->down ? "a peer is down: it is not called" : "a peer is up again",
		LZ("trunk", p->trunk->name), LZ("peer", p->name), LZ("address", address),
		LZ("reason", t->down ? t->why : "it answers"));
	snprintf(reason, sizeof reason, "peer %.64s: %s", p->name, t->down ? t->why : "it answers");
	trunk_tell_states(b, reason);
}

static void answered(struct peer_target *t, const struct config_health_check *check)
{
	t->failed = 0;
	if (!t->down || ++t->answered < check->up_after)
		return;
	t->down = false;
	t->answered = 0;
	t->why[0] = '\0';
	tell(t);
}

static void failed(struct peer_target *t, const struct config_health_check *check, const char *why)
{
	t->answered = 0;
	str_copy(t->why, sizeof t->why, str_sub(str_z(why), 0, sizeof t->why - 1));
	if (t->down || ++t->failed < check->down_after)
		return;
	t->down = true;
	tell(t);
}

/* ---- OPTIONS ---- */

/* The trunk and the peer as they are configured now; false: they are not, or not checked. */
static bool configured(const struct peer_state *p, struct route_target *out)
{
	const struct b2bua_generation *g = p->trunk->b->now;
	const struct config_trunk *t = config_trunk_named(g->config, p->trunk->name);

	for (uint32_t i = 0; t && t->check.interval_s && t->admin != CONFIG_ADMIN_DOWN && i < t->n_peers;
		i++) {
		if (g->peers[t->index][i] == p) {
			*out = (struct route_target){.trunk = t, .peer = &t->peers[i]};
			return true;
		}
	}
	return false;
}

static void on_response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct peer_target *t = user;
	struct route_target at;
	char why[80];

	(void)ctx;
	(void)from;
	if (m->status < 200 || !configured(t->peer, &at))
		return;
	/* Whoever refuses is there. 408 and 503 say of themselves that calls would not get through. */
	if (m->status != 408 && m->status != 503) {
		answered(t, &at.trunk->check);
		return;
	}
	snprintf(why, sizeof why, "it answered OPTIONS with %u", m->status);
	failed(t, &at.trunk->check, why);
}

static void on_failure(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	struct peer_target *t = user;
	struct route_target at;

	(void)ctx;
	if (configured(t->peer, &at))
		failed(t, &at.trunk->check, error == SIP_TX_TIMEOUT ? "no answer to OPTIONS" : reason);
}

static void on_gone(void *user, struct sip_ctx *ctx)
{
	struct peer_target *t = user;

	if (t->options == ctx)
		t->options = NULL;
}

static const struct sip_ctx_ops options_ops = {
	.response = on_response,
	.failed = on_failure,
	.gone = on_gone,
};

static void build(const struct route_target *at, const struct sip_flow *flow, struct sip_builder *b,
	char *buf, size_t cap)
{
	const struct config_peer *p = at->peer;
	bool v6 = strchr(p->host, ':') != NULL;
	struct str ours = sip_listener_sent_by(flow->listener);
	char uri[CALL_URI_MAX], us[CALL_URI_MAX], tag[SIP_TOKEN_TEXT], call_id[SIP_TOKEN_TEXT];
	struct wbuf to = wbuf_make(uri, sizeof uri), from = wbuf_make(us, sizeof us);

	wbuf_fmt(&to, "sip:%s%s%s", v6 ? "[" : "", p->host, v6 ? "]" : "");
	if (p->has_port || p->ip.family != IP_NONE)
		wbuf_fmt(&to, ":%u", p->port);
	wbuf_fmt(&to, ";transport=%s", config_transport_name(p->transport));
	wbuf_fmt(&from, "<sip:%.*s>", STR_ARG(ours));
	sip_build_request(b, buf, cap, STR("OPTIONS"), wbuf_view(&to));
	sip_build_hdr_u32(b, SIP_H_MAX_FORWARDS, 70);
	sip_build_addr(b, SIP_H_FROM, wbuf_view(&from), sip_token_make(tag));
	sip_build_hdr_fmt(b, SIP_H_TO, "<sip:%s%s%s>", v6 ? "[" : "", p->host, v6 ? "]" : "");
	sip_build_hdr(b, SIP_H_CALL_ID, sip_token_make(call_id));
	sip_build_cseq(b, 1, STR("OPTIONS"));
	sip_build_hdr_fmt(b, SIP_H_CONTACT, "<sip:%.*s;transport=%s>", STR_ARG(ours),
		config_transport_name(p->transport));
	sip_build_hdr(b, SIP_H_ACCEPT, STR("application/sdp"));
}

static void check_target(struct peer_target *t, const struct route_target *peer)
{
	struct b2bua *b = t->peer->trunk->b;
	struct route_target at = *peer;
	const struct config_listener *listener;
	struct sip_flow flow;
	char buf[CALL_HEAD_MAX];
	struct sip_builder r;
	int rc;

	if (t->options) {
		health_forget_target(t);
		failed(t, &at.trunk->check, "no answer to OPTIONS");
	}
	at.remote = t->remote;
	listener = route_flow(b, b->now, &at, &flow);
	if (!listener)
		return; /* calls find that out, too */
	build(&at, &flow, &r, buf, sizeof buf);
	rc = sip_build_end(&r, STR(""), STR(""));
	if (rc == 0)
		rc = sip_ctx_send(b->txl, &r, &flow, &options_ops, t, &t->options);
	if (rc == 0)
		auth_follow_alone(b->now, at.trunk, t->options);
	else
		failed(t, &at.trunk->check, strerror(-rc));
}

static void on_timer(struct timer *timer)
{
	struct peer_state *p = owner_of(timer, struct peer_state, check);
	struct route_target at;
	struct peer_target *t;

	if (!configured(p, &at)) {
		health_forget(p);
		return;
	}
	timer_set(p->trunk->b->wheel, &p->check, at.trunk->check.interval_s * 1000, on_timer);
	TAILQ_FOREACH (t, &p->targets, entry)
		check_target(t, &at);
}

/* ---- from one configuration to the next ---- */

void health_forget_target(struct peer_target *t)
{
	if (t->options)
		sip_ctx_detach(t->options);
	t->options = NULL;
}

void health_forget(struct peer_state *p)
{
	struct peer_target *t;

	timer_cancel(p->trunk->b->wheel, &p->check);
	TAILQ_FOREACH (t, &p->targets, entry) {
		health_forget_target(t);
		t->down = false;
		t->failed = t->answered = 0;
	}
}

static void commit_peer(struct b2bua *b, struct peer_state *p)
{
	struct route_target at;
	bool wanted = configured(p, &at);
	uint32_t interval_ms;

	if (!wanted) {
		health_forget(p);
		return;
	}
	interval_ms = at.trunk->check.interval_s * 1000;
	if (!timer_running(&p->check))
		timer_set(b->wheel, &p->check, call_random(FIRST_MS), on_timer);
	else if (timer_left_ms(b->wheel, &p->check) > interval_ms)
		timer_set(b->wheel, &p->check, interval_ms, on_timer);
}

void health_commit(struct b2bua *b)
{
	const struct config *c = b->now->config;

	for (uint32_t i = 0; i < c->n_trunks; i++)
		for (uint32_t k = 0; k < c->trunks[i].n_peers; k++)
			commit_peer(b, b->now->peers[i][k]);
}

bool health_is_down(const struct peer_state *p)
{
	const struct peer_target *t;

	TAILQ_FOREACH (t, &p->targets, entry)
		if (!t->down)
			return false;
	return !TAILQ_EMPTY(&p->targets);
}
