/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/show.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"

/* Text from the network as JSON: what is not printable ASCII or UTF-8 is shown as \xNN. */
static json_t *text(struct str s)
{
	json_t *t = json_stringn(s.p ? s.p : "", s.n);
	char escaped[512];
	struct wbuf w = wbuf_make(escaped, sizeof escaped);

	if (t)
		return t;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c >= 0x20 && c < 0x7f)
			wbuf_u8(&w, c);
		else
			wbuf_fmt(&w, "\\x%02x", c);
	}
	return json_stringn(escaped, w.len);
}

static json_t *text_or_null(const char *z)
{
	return z ? text(str_z(z)) : json_null();
}

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)(v > INT64_MAX ? INT64_MAX : v));
}

static json_t *address(const struct ip_port *a)
{
	char buf[IP_PORT_TEXT_MAX];

	return a->ip.family == IP_NONE ? json_null() : json_string(ip_port_text(a, buf));
}

static json_t *verdicts(const uint64_t counts[DP_VERDICTS_MAX])
{
	json_t *o = json_object();

	for (unsigned v = 0; v < DP_V_COUNT; v++)
		json_object_set_new(o, dp_verdict_name((enum dp_verdict)v), number(counts[v]));
	return o;
}

static json_t *counters(const struct show_counter *rows, unsigned n)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < n; i++)
		json_object_set_new(o, rows[i].name, number(rows[i].value));
	return o;
}

static void add_stats(json_t *leg, const struct dp_stats_leg *s)
{
	json_object_set_new(leg, "rx",
		json_pack("{s:o,s:o,s:o,s:I,s:f,s:o,s:o,s:o}", "packets", number(s->rx_packets), "octets",
			number(s->rx_octets), "rtcp-packets", number(s->rx_rtcp), "lost",
			(json_int_t)s->rx_lost, "jitter", (double)s->rx_jitter_us / 1000, "auth-failures",
			number(s->verdicts[DP_V_AUTH_FAIL]), "replays",
			number(s->verdicts[DP_V_REPLAY] + s->verdicts[DP_V_TOO_OLD]), "age",
			s->rx_age_ms == UINT64_MAX ? json_null() : number(s->rx_age_ms)));
	json_object_set_new(leg, "tx",
		json_pack("{s:o,s:o,s:o,s:o}", "packets", number(s->tx_packets), "octets",
			number(s->tx_octets), "rtcp-packets", number(s->tx_rtcp), "clear-packets",
			number(s->clear_out)));
	json_object_set_new(leg, "verdicts", verdicts(s->verdicts));
}

static const char *suite_name(enum srtp_suite suite)
{
	const struct srtp_suite_info *info = srtp_suite_info(suite);

	return suite == SRTP_SUITE_NONE || !info ? "none" : info->name;
}

static json_t *leg_json(const struct show_leg *l)
{
	enum srtp_suite suite = l->suite;
	struct ip_port remote = l->remote;

	if (l->stats) {
		if (l->stats->suite != SRTP_SUITE_NONE)
			suite = (enum srtp_suite)l->stats->suite;
		if (l->stats->remote.ip.family != IP_NONE)
			remote = l->stats->remote;
	}
	json_t *o = json_pack("{s:s,s:o,s:s,s:s,s:s,s:b,s:o,s:o,s:{s:s,s:o,s:o,s:o}}", "leg",
		l->side == DP_SIDE_A ? "a" : "b", "trunk", text_or_null(l->trunk), "media",
		l->secure ? "srtp" : "rtp", "suite", suite_name(suite), "keying", l->secure ? "sdes" : "none",
		"rtcp-mux", l->rtcp_mux, "local-address", address(&l->local), "remote-address",
		address(&remote), "signalling", "transport", config_transport_name(l->signalling.transport),
		"remote-address", address(&l->signalling.remote), "tls-version",
		text_or_null(l->signalling.tls_version), "tls-cipher",
		text_or_null(l->signalling.tls_cipher));

	if (o && l->stats)
		add_stats(o, l->stats);
	return o;
}

json_t *show_call_json(const struct show_call *c)
{
	char start[CLOCK_TEXT_MAX];
	json_t *legs = json_array();

	for (unsigned i = 0; i < c->n_legs; i++)
		json_array_append_new(legs, leg_json(&c->legs[i]));
	return json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:s,s:f,s:o,s:o}", "id", text(str_z(c->id)), "state",
		c->state, "from", text(c->from), "to", text(c->to), "ingress-trunk",
		text_or_null(c->ingress_trunk), "egress-trunk", text_or_null(c->egress_trunk), "start-time",
		clock_text(c->start_ms, start), "duration", (double)c->duration_ms / 1000, "end-reason",
		text_or_null(c->end_reason), "legs", legs);
}

json_t *show_trunk_json(const struct show_trunk *t)
{
	static const char *const states[] = {
		[CONFIG_ADMIN_UP] = "up",
		[CONFIG_ADMIN_DRAIN] = "drain",
		[CONFIG_ADMIN_DOWN] = "down",
	};

	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "name", t->trunk->name, "state",
		states[t->trunk->admin], "realm", t->trunk->realm->name, "srtp",
		t->trunk->srtp == CONFIG_SRTP_REQUIRED ? "required" : "none", "active-calls",
		number(t->active), "total-calls", number(t->total), "rejected-calls", number(t->rejected),
		"last-rejection", text_or_null(t->last_rejection));
}

static json_t *dataplane_json(const struct dp_welcome *w, const struct dp_stats_global *g)
{
	json_t *o = json_pack("{s:b}", "connected", w != NULL);

	if (w) {
		json_object_set_new(o, "port", text((struct str){w->port, strnlen(w->port, sizeof w->port)}));
		json_object_set_new(
			o, "backend", text((struct str){w->backend, strnlen(w->backend, sizeof w->backend)}));
		json_object_set_new(o, "workers", number(w->workers));
	}
	if (g) {
		json_object_set_new(o, "sessions", number(g->sessions));
		json_object_set_new(o, "legs", number(g->legs));
		json_object_set_new(o, "rx",
			json_pack("{s:o,s:o}", "packets", number(g->rx_packets), "octets",
				number(g->rx_octets)));
		json_object_set_new(o, "tx",
			json_pack("{s:o,s:o}", "packets", number(g->tx_packets), "octets",
				number(g->tx_octets)));
		json_object_set_new(o, "to-kernel", number(g->to_kernel));
		json_object_set_new(o, "handover", number(g->handover));
		json_object_set_new(o, "crypto",
			json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "jobs", number(g->crypto_jobs), "batches",
				number(g->crypto_batches), "overflow-jobs", number(g->crypto_overflow_jobs),
				"overflow-keys", number(g->crypto_overflow_keys), "rescued",
				number(g->crypto_rescued), "failovers", number(g->crypto_failovers),
				"degraded", number(g->crypto_degraded)));
		json_object_set_new(o, "verdicts", verdicts(g->verdicts));
	}
	return o;
}

json_t *show_stats_json(const struct show_stats *s)
{
	return json_pack("{s:s,s:o,s:f,s:{s:o,s:o,s:o,s:o},s:o,s:o}", "version", SRTPGW_VERSION, "generation",
		number(s->generation), "uptime", (double)s->uptime_ms / 1000, "calls", "active",
		number(s->active), "total", number(s->total), "rejected", number(s->rejected), "counters",
		counters(s->calls, s->n_calls), "data-plane", dataplane_json(s->welcome, s->dataplane), "sip",
		counters(s->sip, s->n_sip));
}

json_t *show_calls_json(uint64_t active, uint64_t total, json_t *calls)
{
	return json_pack("{s:o,s:o,s:o}", "active", number(active), "total", number(total), "calls", calls);
}

json_t *show_trunks_json(json_t *trunks)
{
	return json_pack("{s:o}", "trunks", trunks);
}
