/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/state.h"

#include <stdio.h>
#include <string.h>

#define C(parent, leaf, value) state_number(t, parent, leaf, value)

static void verdicts(struct state_tree *t, struct lyd_node *parent, const uint64_t counts[DP_VERDICTS_MAX])
{
	struct lyd_node *n = state_in(t, parent, "verdicts");

	for (unsigned v = 0; v < DP_V_COUNT; v++)
		state_counter(t, n, dp_verdict_name((enum dp_verdict)v), counts[v]);
}

static void counters(
	struct state_tree *t, struct lyd_node *parent, const struct state_counter *rows, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		state_counter(t, parent, rows[i].name, rows[i].value);
}

static void traffic(struct state_tree *t, struct lyd_node *parent, uint64_t packets, uint64_t octets)
{
	C(parent, "packets", packets);
	C(parent, "octets", octets);
}

static void leg_traffic(struct state_tree *t, struct lyd_node *leg, const struct dp_stats_leg *s)
{
	struct lyd_node *rx = state_in(t, leg, "rx"), *tx = state_in(t, leg, "tx");

	traffic(t, rx, s->rx_packets, s->rx_octets);
	C(rx, "rtcp-packets", s->rx_rtcp);
	state_signed(t, rx, "lost", s->rx_lost);
	state_milli(t, rx, "jitter", s->rx_jitter_us);
	C(rx, "auth-failures", s->verdicts[DP_V_AUTH_FAIL]);
	C(rx, "replays", s->verdicts[DP_V_REPLAY] + s->verdicts[DP_V_TOO_OLD]);
	if (s->rx_age_ms != UINT64_MAX)
		C(rx, "age", s->rx_age_ms);
	traffic(t, tx, s->tx_packets, s->tx_octets);
	C(tx, "rtcp-packets", s->tx_rtcp);
	C(tx, "clear-packets", s->clear_out);
	verdicts(t, leg, s->verdicts);
}

static void signalling(struct state_tree *t, struct lyd_node *leg, const struct state_signalling *s)
{
	struct lyd_node *n = state_in(t, leg, "signalling");

	state_text(t, n, "transport", config_transport_name(s->transport));
	state_address(t, n, "remote-address", &s->remote);
	state_text(t, n, "tls-version", s->tls_version);
	state_text(t, n, "tls-cipher", s->tls_cipher);
	state_text(t, n, "tls-group", s->tls_group);
	state_bool(t, n, "behind-nat", s->behind_nat);
}

static void association(struct state_tree *t, struct lyd_node *parent, const struct state_dtls *d)
{
	struct lyd_node *n;

	if (!d->version)
		return;
	n = state_in(t, parent, "dtls");
	state_text(t, n, "version", d->version);
	state_text(t, n, "cipher", d->cipher);
	state_text(t, n, "group", d->group);
	state_bool(t, n, "fingerprint-authenticated", d->authenticated);
}

static void ice(struct state_tree *t, struct lyd_node *leg, const struct dp_stats_leg *s)
{
	static const char *const states[] = {[DP_ICE_NONE] = "waiting",
		[DP_ICE_WAITING] = "waiting",
		[DP_ICE_CHECKED] = "checked",
		[DP_ICE_NOMINATED] = "nominated",
		[DP_ICE_LOST] = "lost"};
	struct lyd_node *n = state_in(t, leg, "ice");

	state_text(t, n, "state", states[s->ice]);
	state_number(t, n, "pairs", s->ice_pairs);
	if (s->ice_age_ms != UINT64_MAX)
		C(n, "check-age", s->ice_age_ms);
}

static void remote_of(
	struct state_tree *t, struct lyd_node *n, const struct dp_stats_leg *s, const struct ip_port *signalled)
{
	state_address(t, n, "remote-address", s && s->remote.ip.family != IP_NONE ? &s->remote : signalled);
}

static void transport(struct state_tree *t, struct lyd_node *leg, const struct state_transport *m)
{
	char number[8];

	snprintf(number, sizeof number, "%u", m->number);

	struct lyd_node *n = state_entry(t, leg, "transport", number);

	for (unsigned i = 0; i < m->n_media; i++)
		state_text(t, n, "media", m->media[i]);
	if (m->stats && m->stats->suite != SRTP_SUITE_NONE)
		state_text(t, n, "suite", srtp_suite_info((enum srtp_suite)m->stats->suite)->name);
	association(t, n, &m->dtls);
	state_address(t, n, "local-address", &m->local);
	remote_of(t, n, m->stats, &m->remote);
	if (m->stats)
		leg_traffic(t, n, m->stats);
}

static void leg(struct state_tree *t, struct lyd_node *call, const struct state_leg *l)
{
	struct lyd_node *n = state_entry(t, call, "leg", l->side == DP_SIDE_A ? "a" : "b");
	const struct dp_stats_leg *s = l->stats;
	enum srtp_suite suite = s && s->suite != SRTP_SUITE_NONE ? (enum srtp_suite)s->suite : l->suite;
	const struct srtp_suite_info *info = suite == SRTP_SUITE_NONE ? NULL : srtp_suite_info(suite);

	state_text(t, n, "trunk", l->trunk);
	state_text(t, n, "media", l->secure ? "srtp" : "rtp");
	if (info)
		state_text(t, n, "suite", info->name);
	state_text(t, n, "keying", l->keying);
	if (info)
		C(n, "key-age", l->key_age_ms / 1000);
	if (info)
		C(n, "key-epoch", l->key_epoch);
	state_text(t, n, "last-renewal", l->renewal);
	association(t, n, &l->dtls);
	state_bool(t, n, "rtcp-mux", l->rtcp_mux);
	if (s && s->ice != DP_ICE_NONE)
		ice(t, n, s);
	state_address(t, n, "local-address", &l->local);
	remote_of(t, n, s, &l->remote);
	signalling(t, n, &l->signalling);
	if (s)
		leg_traffic(t, n, s);
	for (unsigned i = 0; i < l->n_transports; i++)
		transport(t, n, &l->transports[i]);
}

void state_call(struct state_tree *t, struct lyd_node *parent, const struct state_call *c)
{
	struct lyd_node *n = state_entry(t, parent, "call", c->id);

	state_text(t, n, "state", c->state);
	state_str(t, n, "from", c->from);
	state_str(t, n, "to", c->to);
	state_text(t, n, "ingress-trunk", c->ingress_trunk);
	state_text(t, n, "egress-trunk", c->egress_trunk);
	for (unsigned i = 0; i < 2; i++)
		if (c->predecessor[i] && c->predecessor[i][0])
			state_text(t, n, "predecessor", c->predecessor[i]);
	if (c->successor && c->successor[0])
		state_text(t, n, "successor", c->successor);
	state_time(t, n, "start-time", c->start_ms);
	state_milli(t, n, "duration", c->duration_ms);
	state_text(t, n, "end-reason", c->end_reason);
	for (unsigned i = 0; i < c->n_legs; i++)
		leg(t, n, &c->legs[i]);
}

void state_registration(
	struct state_tree *t, struct lyd_node *users, const char *user, const struct state_registration *all, unsigned n)
{
	struct lyd_node *state = state_in(t, state_entry(t, users, "user", user), "state");
	char text[IP_TEXT_MAX];

	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof text, "%llu", (unsigned long long)all[i].id);
		struct lyd_node *r = state_entry(t, state, "registration", text);

		state_text(t, r, "contact", all[i].contact);
		state_text(t, r, "transport", config_transport_name(all[i].transport));
		state_bool(t, r, "reachable", all[i].reachable);
		state_text(t, r, "instance", all[i].instance);
		state_number(t, r, "expires", all[i].expires_s);
		state_text(t, r, "address", ip_text(&all[i].remote.ip, text));
		state_time(t, r, "since", all[i].since_ms);
		state_text(t, r, "user-agent", all[i].agent);
	}
}

struct lyd_node *state_trunk(struct state_tree *t, struct lyd_node *parent, const struct state_trunk *s)
{
	struct lyd_node *n = state_in(t, state_entry(t, parent, "trunk", s->name), "state");

	state_text(t, n, "oper-state", s->oper_state);
	C(n, "active-calls", s->active);
	C(n, "total-calls", s->total);
	C(n, "answered-calls", s->answered);
	C(n, "rejected-calls", s->rejected);
	state_text(t, n, "last-rejection", s->last_rejection);
	if (s->registration) {
		struct lyd_node *r = state_in(t, n, "registration");

		state_text(t, r, "registration-state", s->registration);
		state_number(t, r, "expires-in", s->registration_left_s);
		C(r, "failures", s->registration_failures);
		state_text(t, r, "last-failure", s->registration_why);
	}
	for (unsigned i = 0; i < 6; i++) {
		const char class[] = {(char)('1' + i), '\0'};
		struct lyd_node *r = state_entry(t, n, "responses", class);

		C(r, "sent", s->responses_sent[i]);
		C(r, "received", s->responses_received[i]);
	}
	return n;
}

void state_peer(struct state_tree *t, struct lyd_node *state, const struct state_peer *p)
{
	struct lyd_node *n = state_entry(t, state, "peer", p->name);
	char address[IP_PORT_TEXT_MAX];

	state_text(t, n, "state", p->state);
	state_text(t, n, "reason", p->reason);
	for (unsigned i = 0; i < p->n_targets; i++) {
		const struct state_peer_target *at = &p->targets[i];
		struct lyd_node *m = state_entry(t, n, "target", ip_port_text(&at->remote, address));

		C(m, "priority", at->priority);
		C(m, "weight", at->weight);
		state_text(t, m, "state", at->state);
		if (at->rest_s)
			C(m, "rest", at->rest_s);
		state_text(t, m, "reason", at->reason);
	}
}

static void crypto(struct state_tree *t, struct lyd_node *n, const struct dp_stats_global *g)
{
	C(n, "jobs", g->crypto_jobs);
	C(n, "batches", g->crypto_batches);
	C(n, "overflow-jobs", g->crypto_overflow_jobs);
	C(n, "overflow-keys", g->crypto_overflow_keys);
	C(n, "rescued", g->crypto_rescued);
	C(n, "failovers", g->crypto_failovers);
	C(n, "degraded", g->crypto_degraded);
}

static void next_hops(struct state_tree *t, struct lyd_node *n, const struct dp_next_hops *s)
{
	C(n, "resolved", s->resolved);
	C(n, "unresolved", s->unresolved);
	C(n, "no-route", s->no_route);
	C(n, "idle", s->idle);
	C(n, "capacity", s->capacity);
	C(n, "evicted", s->evicted);
}

static void plane_traffic(struct state_tree *t, struct lyd_node *n, const struct dp_stats_global *g)
{
	C(n, "sessions", g->sessions);
	C(n, "legs", g->legs);
	C(n, "legs-guarded", g->legs_guarded);
	traffic(t, state_in(t, n, "rx"), g->rx_packets, g->rx_octets);
	traffic(t, state_in(t, n, "tx"), g->tx_packets, g->tx_octets);
	C(n, "to-kernel", g->to_kernel);
	C(n, "handover", g->handover);
	C(n, "roc-resyncs", g->roc_resyncs);
	C(n, "key-overlaps-cut", g->overlaps_cut);
	C(n, "busy-cycles", g->busy_cycles);
	C(n, "idle-cycles", g->idle_cycles);
	C(n, "sleep-cycles", g->sleep_cycles);
	C(n, "sleeps", g->sleeps);
	next_hops(t, state_in(t, n, "next-hops"), &g->next_hops);
	crypto(t, state_in(t, n, "crypto"), g);
	verdicts(t, n, g->verdicts);
}

static void alarm(struct state_tree *t, struct lyd_node *plane, const struct dp_alarm *a)
{
	struct lyd_node *n;

	if (a->kind == DP_ALARM_LINK)
		n = state_entry_named(t, plane, "interface-alarm", a->interface, "link-down");
	else
		n = state_entry2(t, plane, "alarm", a->worker, "crypto-device");
	state_bool(t, n, "raised", a->raised);
	C(n, "times", a->times);
}

static void interface(struct state_tree *t, struct lyd_node *plane, const struct dp_stats_port *s)
{
	struct lyd_node *n = state_entry(t, plane, "interface", s->interface);
	struct lyd_node *rx = state_in(t, n, "rx"), *tx = state_in(t, n, "tx");

	state_text(t, n, "link", state_link(s));
	if (s->link_mbit_s)
		C(n, "link-speed", s->link_mbit_s);
	C(n, "link-losses", s->link_losses);
	traffic(t, rx, s->rx_packets, s->rx_octets);
	C(rx, "missed", s->rx_missed);
	C(rx, "errors", s->rx_errors);
	C(rx, "no-buffer", s->rx_no_buffer);
	traffic(t, tx, s->tx_packets, s->tx_octets);
	C(tx, "errors", s->tx_errors);
}

const char *state_link(const struct dp_stats_port *s)
{
	return s->link_up ? "up" : "down";
}

void state_plane(struct state_tree *t, struct lyd_node *parent, const struct state_plane *p)
{
	struct lyd_node *n = state_in(t, parent, "data-plane");
	const struct dp_welcome *w = p->welcome;

	state_bool(t, n, "connected", w != NULL);
	if (w) {
		state_str(t, n, "port", (struct str){w->port, strnlen(w->port, sizeof w->port)});
		state_str(t, n, "backend", (struct str){w->backend, strnlen(w->backend, sizeof w->backend)});
		C(n, "workers", w->workers);
	}
	if (w && p->counted)
		plane_traffic(t, n, p->counted);
	for (unsigned i = 0; i < p->n_alarms; i++)
		alarm(t, n, &p->alarms[i]);
	for (unsigned i = 0; w && p->counted && i < p->n_ports; i++)
		interface(t, n, &p->ports[i]);
	counters(t, state_in(t, n, "control"), p->control, p->n_control);
}

void state_statistics(struct state_tree *t, struct lyd_node *parent, const struct state_statistics *s)
{
	struct lyd_node *calls = state_in(t, parent, "calls");

	state_text(t, parent, "version", SRTPGW_VERSION);
	state_time(t, parent, "start-time", s->start_ms);
	state_milli(t, parent, "uptime", s->uptime_ms);
	C(parent, "generation", s->generation);
	C(calls, "active", s->active);
	C(calls, "total", s->total);
	C(calls, "rejected", s->rejected);
	counters(t, state_in(t, calls, "counters"), s->calls, s->n_calls);
	for (unsigned i = 0; i < s->n_rekeys; i++)
		counters(t, state_entry(t, parent, "rekey", s->rekeys[i].cause), s->rekeys[i].results,
			sizeof s->rekeys[i].results / sizeof *s->rekeys[i].results);
	counters(t, state_in(t, parent, "sip"), s->sip, s->n_sip);
}
