/* SPDX-License-Identifier: Apache-2.0 */
/* What monitoring systems are given: srtpgw_*. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/audit/audit.h"
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/report/report.h"
#include "controlplane/b2bua/report/report_private.h"
#include "controlplane/b2bua/trunks/health.h"
#include "controlplane/obs/metrics.h"
#include "lib/base/clock.h"

#define L(...) ((const char *const[]){__VA_ARGS__, NULL})

void metrics_init(struct b2bua *b)
{
	static const uint32_t setup[] = {50000, 100000, 200000, 500000, 1000000, 2000000, 5000000, 10000000,
		20000000, 30000000, 60000000, 120000000, 180000000};
	static const uint32_t jitter[] = {1000, 2000, 5000, 10000, 20000, 30000, 50000, 100000, 200000};

	b->setup = (struct metrics_histogram){.bounds_us = setup, .n = sizeof setup / sizeof *setup};
	b->ended.jitter =
		(struct metrics_histogram){.bounds_us = jitter, .n = sizeof jitter / sizeof *jitter};
}

static void note_leg(struct b2bua *b, const struct dp_stats_leg *s)
{
	b->ended.legs[s->suite < SRTP_SUITE_COUNT ? s->suite : SRTP_SUITE_NONE]++;
	b->ended.received += s->rx_packets;
	b->ended.lost += s->rx_lost > 0 ? (uint64_t)s->rx_lost : 0;
	if (s->rx_packets)
		metrics_observe(&b->ended.jitter, s->rx_jitter_us);
}

void metrics_note_media(struct b2bua *b, const struct call *c)
{
	for (unsigned side = 0; side < 2; side++)
		if (call_stats(c, side)->h.type)
			note_leg(b, call_stats(c, side));
	/* A second transport counts when it was one: BUNDLE leaves those of an offer behind, unused. */
	for (unsigned i = 0; i < c->n_more_stats; i++)
		if (call_stats_used(&c->more_stats[i]))
			note_leg(b, &c->more_stats[i]);
}

bool report_health(const struct b2bua *b, const char **what)
{
	*what = NULL;
	if (!dp_client_ready(b->client))
		*what = "the data plane is not connected";
	return !*what;
}

/* ---- writing ---- */

static void counter(struct metrics *m, const char *name, const char *help, uint64_t v)
{
	metrics_one(m, name, METRICS_COUNTER, help, v);
}

static void gauge(struct metrics *m, const char *name, const char *help, uint64_t v)
{
	metrics_one(m, name, METRICS_GAUGE, help, v);
}

static const char *suite_label(unsigned suite)
{
	return suite == SRTP_SUITE_NONE ? "none" : srtp_suite_info((enum srtp_suite)suite)->name;
}

/* The counters whose name begins with prefix, as one metric with a label. */
static void write_reasons(
	const struct b2bua *b, struct metrics *m, const char *name, const char *prefix, const char *help)
{
	static const char *const names[] = {
#define B2BUA_COUNTER_NAME(field, help_) #field,
		B2BUA_COUNTERS(B2BUA_COUNTER_NAME)
#undef B2BUA_COUNTER_NAME
	};
	size_t n = strlen(prefix);

	metrics_begin(m, name, METRICS_COUNTER, help);
	/* A REFER is no call: srtpgw_transfers_total has those that were refused. */
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(names[i], prefix, n) == 0 && strcmp(names[i], "refused_transfer") != 0)
			metrics_sample(
				m, name, L("reason", names[i] + n), ((const uint64_t *)&b->counters)[i]);
}

/* At least one: of a call that is being set up none is open yet. */
static void count_transports(const struct leg *l, uint64_t legs[SRTP_SUITE_COUNT])
{
	const struct oa_media *m;
	unsigned n = 0;

	for (unsigned i = 0; (m = oa_media_now(&l->oa, i)) != NULL; i++) {
		if (!m->open)
			continue;
		legs[leg_suite_at(l, i)]++;
		n++;
	}
	if (!n)
		legs[l->suite < SRTP_SUITE_COUNT ? l->suite : SRTP_SUITE_NONE]++;
}

static void write_calls(const struct b2bua *b, struct metrics *m)
{
	uint64_t legs[SRTP_SUITE_COUNT] = {0};
	const struct call *c;

	gauge(m, "srtpgw_calls_active", "Calls now.", b->n_calls);
	counter(m, "srtpgw_calls_offered_total", "Calls offered.", b->counters.calls);
	counter(m, "srtpgw_calls_answered_total", "Calls answered.", b->counters.answered);
	write_reasons(b, m, "srtpgw_calls_refused_total", "refused_", "Calls that the gateway refused.");
	write_reasons(b, m, "srtpgw_calls_failed_total", "failed_", "Calls that failed at the called side.");
	write_reasons(b, m, "srtpgw_calls_ended_total", "ended_", "Calls that the gateway ended.");
	counter(m, "srtpgw_calls_failovers_total", "Times that a call was tried at another peer.",
		b->counters.failovers);
	counter(m, "srtpgw_media_legs_attacked_total",
		"Reports of legs that forged packets come to from their peer's address.",
		b->counters.legs_attacked);
	write_reasons(b, m, "srtpgw_authentication_total", "auth_",
		"Digest: requests that were challenged, and challenges of trunks that were not met.");
	write_reasons(b, m, "srtpgw_register_refused_total", "register_refused_",
		"REGISTERs of users that were refused.");
	write_reasons(b, m, "srtpgw_byes_waited_total", "byes_",
		"BYEs to users whose connection was gone: kept, and what became of them.");
	counter(m, "srtpgw_calls_rang_at_several_total",
		"Times that a call rang at several registrations of its account at once.", b->counters.rang_at_several);
	counter(m, "srtpgw_calls_answered_untagged_total", "Answers without a To tag, of peers that know RFC 2543 only.",
		b->counters.answered_untagged);
	gauge(m, "srtpgw_user_registrations", "Places where users are registered now.", b->users.n);
	gauge(m, "srtpgw_user_registrations_unreachable",
		"Of them those whose connection went with a restart, until they register again.",
		b->users.n_adrift);
	counter(m, "srtpgw_user_registrations_restored_total",
		"Registrations of users taken over from before a restart of the control plane.",
		b->counters.users_restored);
	write_reasons(b, m, "srtpgw_downgrade_attempts_total", "downgrade_",
		"Offers and answers, and TLS handshakes, for less protection than is required.");
	metrics_sample(m, "srtpgw_downgrade_attempts_total", L("reason", "tls"), b->sip_counters->tls_downgrades);
	metrics_write_histogram(
		m, "srtpgw_call_setup_seconds", "From the first INVITE to its answer.", &b->setup);
	TAILQ_FOREACH (c, &b->calls, entry)
		for (unsigned side = 0; side < 2; side++)
			count_transports(&c->legs[side], legs);
	metrics_begin(m, "srtpgw_call_legs", METRICS_GAUGE,
		"Sides of calls now, by crypto suite; one that has several transports counts with each.");
	for (unsigned i = 0; i < SRTP_SUITE_COUNT; i++)
		metrics_sample(m, "srtpgw_call_legs", L("suite", suite_label(i)), legs[i]);
}

static void write_transfers(const struct b2bua *b, struct metrics *m)
{
	static const char transfers[] = "srtpgw_transfers_total", replaces[] = "srtpgw_replaces_total";
	const struct b2bua_counters *c = &b->counters;

	metrics_begin(m, transfers, METRICS_COUNTER,
		"Transfers (REFER): relayed to the other side, which accepted; executed by the gateway; failed, of those that it "
		"began; refused.");
	metrics_sample(m, transfers, L("result", "relayed"), c->transfers);
	metrics_sample(m, transfers, L("result", "executed"), c->transfers_executed);
	metrics_sample(m, transfers, L("result", "failed"), c->transfers_failed);
	metrics_sample(m, transfers, L("result", "refused"), c->refused_transfer);
	metrics_begin(m, replaces, METRICS_COUNTER,
		"INVITEs with Replaces: that took the place of a party, and that were refused.");
	metrics_sample(m, replaces, L("result", "replaced"), c->replaced);
	metrics_sample(m, replaces, L("result", "refused"), c->refused_replaces);
	counter(m, "srtpgw_calls_redirected_total", "Times that a call went on where a 3xx pointed.",
		c->redirected);
}

static void write_rekeys(const struct b2bua *b, struct metrics *m)
{
	static const char name[] = "srtpgw_rekeys_total";

	metrics_begin(m, name, METRICS_COUNTER, "Renewals of media keys, by cause and result.");
	for (unsigned c = 0; c < REKEY_CAUSES; c++)
		for (unsigned r = 0; r < REKEY_RESULTS; r++)
			metrics_sample(m, name,
				L("cause", rekey_cause_name((enum rekey_cause)c), "result",
					rekey_result_name((enum rekey_result)r)),
				b->rekeys[c][r]);
	counter(m, "srtpgw_media_keys_deferred_total",
		"Offered receive keys that the data plane had no slot for before they were agreed on.",
		b->counters.keys_deferred);
}

static void write_dtls(const struct b2bua *b, struct metrics *m)
{
	static const char name[] = "srtpgw_dtls_failures_total";

	counter(m, "srtpgw_dtls_handshakes_total", "DTLS handshakes for media that brought keys.",
		b->handshakes.established);
	counter(m, "srtpgw_dtls13_handshakes_total", "Of those, with DTLS 1.3.", b->handshakes.dtls13);
	counter(m, "srtpgw_dtls_post_quantum_handshakes_total", "Of those, with a hybrid group (X25519MLKEM768).",
		b->handshakes.post_quantum);
	metrics_begin(m, name, METRICS_COUNTER, "DTLS handshakes for media that failed, by reason.");
	for (unsigned f = DTLS_FAIL_NONE + 1; f < DTLS_FAILURES; f++)
		metrics_sample(m, name, L("reason", dtls_failure_name((enum dtls_failure)f)),
			b->handshakes.failed[f]);
	counter(m, "srtpgw_dtls_held_total", "Datagrams of handshakes that came before their answer.",
		b->handshakes.held);
	if (!b->dtls)
		return;
	counter(m, "srtpgw_dtls_strays_total", "DTLS datagrams that were not from the peer.",
		dtls_pool_counters(b->dtls)->strays);
	counter(m, "srtpgw_dtls_dropped_total", "DTLS datagrams that found their association's queue full.",
		dtls_pool_counters(b->dtls)->dropped);
}

static void write_ended(const struct b2bua *b, struct metrics *m)
{
	metrics_begin(m, "srtpgw_ended_legs_total", METRICS_COUNTER,
		"Sides of calls that are over, by crypto suite; one that had several transports counts with each.");
	for (unsigned i = 0; i < SRTP_SUITE_COUNT; i++)
		metrics_sample(m, "srtpgw_ended_legs_total", L("suite", suite_label(i)), b->ended.legs[i]);
	counter(m, "srtpgw_ended_rtp_received_total", "RTP packets accepted in calls that are over.",
		b->ended.received);
	counter(m, "srtpgw_ended_rtp_lost_total", "RTP packets that calls that are over did not receive.",
		b->ended.lost);
	metrics_write_histogram(m, "srtpgw_ended_jitter_seconds",
		"Interarrival jitter of sides of calls at their end.", &b->ended.jitter);
}

/* One metric for all trunks. */
static void write_trunk_metric(const struct b2bua *b, struct metrics *m, const char *name,
	enum metrics_type type, const char *help, uint64_t (*of)(const struct b2bua *b, uint32_t trunk))
{
	metrics_begin(m, name, type, help);
	for (uint32_t i = 0; i < b->now->config->n_trunks; i++)
		metrics_sample(m, name, L("trunk", b->now->config->trunks[i].name), of(b, i));
}

static uint64_t trunk_up(const struct b2bua *b, uint32_t i)
{
	return trunk_oper(b, &b->now->config->trunks[i]) == TRUNK_UP;
}

static void write_registrations(const struct b2bua *b, struct metrics *m)
{
	struct registration_info r;
	const char *name = "srtpgw_trunk_registered";

	metrics_begin(m, name, METRICS_GAUGE, "1 while the trunk's registrar knows us.");
	for (uint32_t i = 0; i < b->now->config->n_trunks; i++)
		if (registration_look(b, b->now->config->trunks[i].name, &r))
			metrics_sample(m, name, L("trunk", b->now->config->trunks[i].name), r.left_s > 0);
	name = "srtpgw_trunk_registration_failures_total";
	metrics_begin(m, name, METRICS_COUNTER, "REGISTERs that had no success.");
	for (uint32_t i = 0; i < b->now->config->n_trunks; i++)
		if (registration_look(b, b->now->config->trunks[i].name, &r))
			metrics_sample(m, name, L("trunk", b->now->config->trunks[i].name), r.failures);
}

static uint64_t trunk_active(const struct b2bua *b, uint32_t i)
{
	return b->now->trunks[i]->active;
}

static uint64_t trunk_total(const struct b2bua *b, uint32_t i)
{
	return b->now->trunks[i]->total;
}

static uint64_t trunk_answered(const struct b2bua *b, uint32_t i)
{
	return b->now->trunks[i]->answered;
}

static uint64_t trunk_rejected(const struct b2bua *b, uint32_t i)
{
	return b->now->trunks[i]->rejected;
}

static void write_responses(const struct b2bua *b, struct metrics *m)
{
	static const char *const classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx", "6xx"};
	static const char name[] = "srtpgw_trunk_responses_total";

	metrics_begin(m, name, METRICS_COUNTER, "Responses to INVITEs, by trunk, direction and class.");
	for (uint32_t i = 0; i < b->now->config->n_trunks; i++) {
		const struct trunk_state *t = b->now->trunks[i];

		for (unsigned k = 0; k < 6; k++) {
			metrics_sample(m, name, L("trunk", t->name, "direction", "sent", "class", classes[k]),
				t->responses.sent[k]);
			metrics_sample(m, name,
				L("trunk", t->name, "direction", "received", "class", classes[k]),
				t->responses.received[k]);
		}
	}
}

static void write_peers(const struct b2bua *b, struct metrics *m)
{
	metrics_begin(m, "srtpgw_peer_up", METRICS_GAUGE, "1 while a peer of a trunk is not known to be down.");
	for (uint32_t i = 0; i < b->now->config->n_trunks; i++)
		for (uint32_t k = 0; k < b->now->config->trunks[i].n_peers; k++) {
			const struct peer_state *p = b->now->peers[i][k];

			metrics_sample(m, "srtpgw_peer_up", L("trunk", p->trunk->name, "peer", p->name),
				!health_is_down(p) && !TAILQ_EMPTY(&p->targets));
		}
}

static void write_trunks(const struct b2bua *b, struct metrics *m)
{
	write_trunk_metric(
		b, m, "srtpgw_trunk_up", METRICS_GAUGE, "1 while the trunk takes calls and a peer of it, where they are checked, answers.", trunk_up);
	write_trunk_metric(b, m, "srtpgw_trunk_calls_active", METRICS_GAUGE, "Calls from or to the trunk.",
		trunk_active);
	write_trunk_metric(b, m, "srtpgw_trunk_calls_total", METRICS_COUNTER,
		"Calls from or to the trunk since the start.", trunk_total);
	write_trunk_metric(b, m, "srtpgw_trunk_calls_answered_total", METRICS_COUNTER,
		"Of them, those that were answered.", trunk_answered);
	write_trunk_metric(b, m, "srtpgw_trunk_calls_rejected_total", METRICS_COUNTER,
		"Calls from or to the trunk that were refused.", trunk_rejected);
	write_responses(b, m);
	write_peers(b, m);
	write_registrations(b, m);
}

static void write_sip(const struct b2bua *b, struct metrics *m)
{
	static const char *const names[] = {
#define SIP_COUNTER_NAME(name, help) "srtpgw_sip_" #name "_total",
		SIP_COUNTERS(SIP_COUNTER_NAME)
#undef SIP_COUNTER_NAME
	};
	static const char *const helps[] = {
#define SIP_COUNTER_HELP(name, help) help,
		SIP_COUNTERS(SIP_COUNTER_HELP)
#undef SIP_COUNTER_HELP
	};
	static const char *const versions[] = {"1.2", "1.3"};
	static const char *const groups[] = {"x25519mlkem768", "x25519", "secp256r1", "secp384r1", "other"};
	static const char agreed[] = "srtpgw_tls_handshakes_total";

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		counter(m, names[i], helps[i], ((const uint64_t *)b->sip_counters)[i]);
	metrics_begin(m, agreed, METRICS_COUNTER, "TLS handshakes completed, by version and group.");
	for (unsigned v = 0; v < SIP_TLS_VERSIONS; v++)
		for (unsigned g = 0; g < SIP_TLS_GROUPS; g++)
			metrics_sample(m, agreed, L("version", versions[v], "group", groups[g]),
				b->sip_counters->tls_agreed[v][g]);
}

static void write_crypto(const struct dp_stats_global *g, struct metrics *m)
{
	counter(m, "srtpgw_crypto_jobs_total", "Packets given to the crypto backend.", g->crypto_jobs);
	counter(m, "srtpgw_crypto_batches_total", "Batches given to the crypto backend.", g->crypto_batches);
	counter(m, "srtpgw_crypto_overflow_jobs_total", "Jobs that software did in place of a device.",
		g->crypto_overflow_jobs);
	counter(m, "srtpgw_crypto_rescued_total", "Jobs that a device failed, done again by software.",
		g->crypto_rescued);
	counter(m, "srtpgw_crypto_failovers_total", "Devices that went out of use.", g->crypto_failovers);
	gauge(m, "srtpgw_crypto_overflow_keys", "Keys in use that no device holds.", g->crypto_overflow_keys);
	gauge(m, "srtpgw_crypto_degraded_workers", "Workers whose device is out of use.", g->crypto_degraded);
}

static void write_next_hops(const struct dp_next_hops *s, struct metrics *m)
{
	static const char name[] = "srtpgw_next_hops";

	metrics_begin(m, name, METRICS_GAUGE,
		"Pairs of a media address and a remote address: in use, by what is known of the way there, or idle.");
	metrics_sample(m, name, L("state", "resolved"), s->resolved);
	metrics_sample(m, name, L("state", "unresolved"), s->unresolved);
	metrics_sample(m, name, L("state", "no_route"), s->no_route);
	metrics_sample(m, name, L("state", "idle"), s->idle);
	gauge(m, "srtpgw_next_hops_capacity", "Pairs that there is room for.", s->capacity);
	counter(m, "srtpgw_next_hops_evicted_total", "Pairs in use that gave way to others.", s->evicted);
}

static void write_media(const struct dp_stats_global *g, struct metrics *m)
{
	static const char packets[] = "srtpgw_media_packets_total", octets[] = "srtpgw_media_octets_total";
	static const char verdicts[] = "srtpgw_media_verdicts_total", cycles[] = "srtpgw_worker_cycles_total";

	metrics_begin(m, packets, METRICS_COUNTER, "Media packets.");
	metrics_sample(m, packets, L("direction", "received"), g->rx_packets);
	metrics_sample(m, packets, L("direction", "sent"), g->tx_packets);
	metrics_begin(m, octets, METRICS_COUNTER, "Octets of media packets.");
	metrics_sample(m, octets, L("direction", "received"), g->rx_octets);
	metrics_sample(m, octets, L("direction", "sent"), g->tx_octets);
	metrics_begin(m, verdicts, METRICS_COUNTER, "Media packets that arrived, by what became of them.");
	for (unsigned v = 0; v < DP_V_COUNT; v++)
		metrics_sample(
			m, verdicts, L("verdict", dp_verdict_name((enum dp_verdict)v)), g->verdicts[v]);
	metrics_begin(m, cycles, METRICS_COUNTER, "Processor cycles of the workers, with and without work.");
	metrics_sample(m, cycles, L("state", "busy"), g->busy_cycles);
	metrics_sample(m, cycles, L("state", "idle"), g->idle_cycles);
	counter(m, "srtpgw_worker_sleep_cycles_total", "Of the idle cycles, those in which workers slept.",
		g->sleep_cycles);
	counter(m, "srtpgw_worker_sleeps_total", "Times that workers went to sleep.", g->sleeps);
	counter(m, "srtpgw_roc_resyncs_total",
		"SRTP streams whose first packet had another rollover counter than expected.",
		g->roc_resyncs);
	counter(m, "srtpgw_media_handover_total", "Packets that arrived at another worker than their own.",
		g->handover);
	counter(m, "srtpgw_media_key_overlaps_cut_total",
		"Replaced receive keys that gave their slot to a new key before their time.", g->overlaps_cut);
	counter(m, "srtpgw_kernel_packets_total", "Packets that went to the kernel.", g->to_kernel);
	gauge(m, "srtpgw_media_sessions", "Media sessions.", g->sessions);
	gauge(m, "srtpgw_media_legs", "Media legs.", g->legs);
	gauge(m, "srtpgw_media_legs_guarded", "Legs with a budget for authentications: they are under attack.",
		g->legs_guarded);
	write_next_hops(&g->next_hops, m);
	write_crypto(g, m);
}

static void write_control(const struct b2bua *b, struct metrics *m)
{
	struct dp_client_counters c;

	dp_client_counters(b->client, &c);
	gauge(m, "srtpgw_dataplane_connected", "1 while the data plane is there.",
		dp_client_ready(b->client));
	counter(m, "srtpgw_dataplane_disconnects_total", "Times the data plane went.", c.disconnects);
	counter(m, "srtpgw_dataplane_commands_total", "Commands to the data plane.", c.commands);
	counter(m, "srtpgw_dataplane_refused_total", "Commands that the data plane refused.", c.nacks);
	counter(m, "srtpgw_dataplane_timeouts_total", "Commands that it did not answer.", c.timeouts);
	counter(m, "srtpgw_dataplane_queue_full_total", "Commands that found the queue full.", c.queue_full);
	gauge(m, "srtpgw_dataplane_queue", "Commands that wait for their answer.", c.outstanding);
}

static void write_audit(const struct b2bua *b, struct metrics *m)
{
	const struct audit_counters c = audit_counters(b->audit);

	counter(m, "srtpgw_audit_records_total", "Records that the audit has written.", c.records);
	counter(m, "srtpgw_audit_lost_total", "Records that could not be written.", c.failed);
	counter(m, "srtpgw_audit_file_taken_total",
		"Times that somebody else moved, removed or cut the audit's file while it was written.",
		c.taken);
	gauge(m, "srtpgw_audit_file_away",
		"1: the audit's file is not at its path, and there can be no other.", c.away);
}

void report_metrics_write(struct b2bua *b, struct metrics *m)
{
	metrics_begin(m, "srtpgw_build_info", METRICS_GAUGE, "The version, as a label.");
	metrics_sample(m, "srtpgw_build_info", L("version", SRTPGW_VERSION), 1);
	metrics_begin(m, "srtpgw_start_time_seconds", METRICS_GAUGE, "When the control plane started.");
	metrics_sample_real(m, "srtpgw_start_time_seconds", NULL, (double)b->began_ms / 1000);
	write_calls(b, m);
	write_rekeys(b, m);
	write_transfers(b, m);
	write_audit(b, m);
	write_ended(b, m);
	write_dtls(b, m);
	write_trunks(b, m);
	report_places_metrics(b, m);
	write_sip(b, m);
	write_control(b, m);
	if (b->plane.h.type)
		write_media(&b->plane, m);
	report_plane_metrics(b, m);
}
