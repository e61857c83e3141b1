/* SPDX-License-Identifier: Apache-2.0 */
/* What the audit keeps of a session: who, how each side was protected, with which keys for how long, how it
 * ended. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "controlplane/audit/audit.h"
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/report/record.h"
#include "controlplane/keys/dtls_srtp.h"
#include "lib/base/clock.h"

#define TICK_MS 5000

/* Text of anybody's: what is not printable ASCII is a question mark. */
static json_t *text_of(const char *z)
{
	char out[CALL_REASON_MAX];
	size_t n = 0;

	for (; z && z[n] && n + 1 < sizeof out; n++)
		out[n] = z[n] < 0x20 || z[n] > 0x7e ? '?' : z[n];
	return json_stringn(out, n);
}

void record_text(json_t *o, const char *name, const char *z)
{
	if (z && z[0])
		json_object_set_new(o, name, text_of(z));
}

void record_number(json_t *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, json_integer((json_int_t)v));
}

void record_time(json_t *o, const char *name, uint64_t wall_ms)
{
	char text[CLOCK_TEXT_MAX];

	if (wall_ms)
		json_object_set_new(o, name, json_string(clock_text(wall_ms, text)));
}

void record_write(struct b2bua *b, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
	size_t n = text ? strlen(text) : 0;

	if (n > 2)
		audit_write(b->audit, (struct str){text + 1, n - 2}, clock_wall_ms());
	free(text);
	json_decref(o);
}

json_t *record_begin(const char *type)
{
	json_t *o = json_object();

	record_text(o, "type", type);
	record_time(o, "time", clock_wall_ms());
	return o;
}

/* Packets under a key: what was counted at its end less what was at its beginning. */
static void put_traffic(json_t *o, const struct key_traffic *from, const struct key_traffic *to)
{
	const struct {
		const char *name;
		uint64_t from, to;
	} rows[] = {{"rx-packets", from->rx_packets, to->rx_packets},
		{"rx-octets", from->rx_octets, to->rx_octets},
		{"tx-packets", from->tx_packets, to->tx_packets},
		{"tx-octets", from->tx_octets, to->tx_octets}};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		record_number(o, rows[i].name, rows[i].to > rows[i].from ? rows[i].to - rows[i].from : 0);
}

/* What the data plane had counted when this key's time was over. */
static struct key_traffic end_of(const struct leg *l, unsigned epoch)
{
	const struct leg_rekey *r = &l->rekey;

	for (unsigned i = epoch + 1; i < r->n_epochs; i++)
		if (r->epochs[i].transport == r->epochs[epoch].transport)
			return r->epochs[i].before;
	return rekey_traffic(l, r->epochs[epoch].transport);
}

static json_t *epochs_of(const struct leg *l, bool several)
{
	const struct leg_rekey *r = &l->rekey;
	json_t *all = json_array();

	for (unsigned i = 0; i < r->n_epochs; i++) {
		const struct key_epoch *e = &r->epochs[i];
		const struct key_traffic end = end_of(l, i);
		json_t *o = json_object();

		if (several)
			record_number(o, "transport", e->transport + 1);
		record_number(o, "key", e->number);
		record_text(o, "cause", rekey_cause_name((enum rekey_cause)e->cause));
		record_time(o, "start", e->start_ms);
		record_text(o, "suite", srtp_suite_info(e->suite)->name);
		put_traffic(o, &e->before, &end);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *peer_of(const struct leg *l)
{
	json_t *o = json_object();

	record_text(o, "address", l->remote);
	record_text(o, "certificate", l->peer_name);
	record_text(o, "fingerprint", l->peer_fingerprint);
	return o;
}

static json_t *signalling_of(const struct leg *l)
{
	json_t *o = json_object();
	char version[16] = "", cipher[80] = "", group[32] = "";

	record_text(o, "transport", config_transport_name(l->listener ? l->listener->transport : CONFIG_UDP));
	if (sscanf(call_z(l->tls), "%15s %79s %31s", version, cipher, group) >= 2) {
		record_text(o, "tls-version", version);
		record_text(o, "tls-cipher", cipher);
		record_text(o, "tls-group", group);
	}
	return o;
}

/* The profile's name at IANA (RFC 5764 section 4.1.2, RFC 7714 section 14.2). */
static json_t *profile_of(enum srtp_suite suite)
{
	const struct srtp_suite_info *s = srtp_suite_info(suite);

	return s->dtls_profile == 0x0001   ? json_string("SRTP_AES128_CM_HMAC_SHA1_80")
	       : s->dtls_profile == 0x0002 ? json_string("SRTP_AES128_CM_HMAC_SHA1_32")
					   : json_sprintf("SRTP_%s", s->name);
}

/* The association that the newest keys came from. */
static json_t *dtls_of(const struct leg *l, const struct leg_handshake *h, enum srtp_suite suite)
{
	json_t *o = json_object(), *all = json_array();

	record_text(o, "version", h->version);
	record_text(o, "cipher", h->cipher);
	record_text(o, "group", h->group);
	json_object_set_new(o, "profile", profile_of(suite));
	for (unsigned i = 0; i < h->n_peer; i++) {
		char text[DTLS_FINGERPRINT_TEXT];
		struct wbuf w = wbuf_make(text, sizeof text);

		dtls_fingerprint_print(&w, &h->peer[i]);
		json_array_append_new(all, json_stringn(text, w.len));
	}
	json_object_set_new(o, "fingerprints", all);
	json_object_set_new(o, "fingerprint-authenticated", json_boolean(sip_transport_secure(l->flow.transport)));
	return o;
}

static json_t *forged_of(const struct dp_stats_leg *s)
{
	json_t *o = json_object();

	record_number(o, "auth-failures", s->verdicts[DP_V_AUTH_FAIL]);
	record_number(o, "replays", s->verdicts[DP_V_REPLAY] + s->verdicts[DP_V_TOO_OLD]);
	record_number(o, "clear-refused", s->verdicts[DP_V_CLEAR_REFUSED]);
	record_number(o, "no-key", s->verdicts[DP_V_NO_KEY]);
	return o;
}

static json_t *anomalies_of(const struct leg *l, const struct dp_stats_leg *all)
{
	json_t *o = forged_of(all);

	record_number(o, "downgrade-clear", l->downgrades[OA_DOWNGRADE_CLEAR]);
	record_number(o, "downgrade-keys", l->downgrades[OA_DOWNGRADE_KEYS]);
	record_number(o, "renewals-failed", l->rekey.failed);
	record_number(o, "wrong-fingerprints", l->rekey.strangers);
	return o;
}

/* By which rules the side was protected, refused or asked for new keys: names in the configuration. */
static json_t *policies_of(const struct config_trunk *t)
{
	json_t *o = json_object();

	if (t->crypto)
		record_text(o, "crypto-profile", t->crypto->name);
	if (t->dtls)
		record_text(o, "dtls-policy", t->dtls->name);
	if (t->rekey)
		record_text(o, "rekey-policy", t->rekey->name);
	return o;
}

/* Were there keys, packets, or m-lines of it? What BUNDLE or a refusal left of an offer is none. */
static bool transport_was_used(const struct leg *l, unsigned i)
{
	const struct dp_stats_leg *s = call_stats_of(l->call, 2 * i + l->side);
	const struct oa_media *m = oa_media_now(&l->oa, i);
	const struct leg_keyed *k = leg_keyed(l, i);

	return (m && m->open) || (k && k->keys) || (s && call_stats_used(s));
}

static json_t *kinds_of(const struct leg *l, unsigned transport)
{
	const struct oa_media *m;
	json_t *all = json_array();

	for (unsigned i = 0; (m = oa_media_now(&l->oa, i)) != NULL; i++)
		if (m->used && m->transport == transport)
			json_array_append_new(all, json_string(m->kind == SDP_VIDEO ? "video" : "audio"));
	return all;
}

/* Of its newest key, which may have ended before the call: pictures that were switched off. */
static enum srtp_suite last_suite(const struct leg *l, unsigned transport)
{
	enum srtp_suite suite = leg_suite_at(l, transport);

	for (unsigned i = l->rekey.n_epochs; suite == SRTP_SUITE_NONE && i--;)
		if (l->rekey.epochs[i].transport == transport)
			suite = l->rekey.epochs[i].suite;
	return suite;
}

static json_t *transport_of(const struct leg *l, unsigned i)
{
	static const struct dp_stats_leg none;
	const struct dp_stats_leg *s = call_stats_of(l->call, 2 * i + l->side);
	const struct leg_keyed *k = leg_keyed(l, i);
	const struct key_traffic end = rekey_traffic(l, i);
	enum srtp_suite suite = last_suite(l, i);
	json_t *o = json_object();

	record_number(o, "transport", i + 1);
	json_object_set_new(o, "m-lines", kinds_of(l, i));
	record_text(o, "media", suite != SRTP_SUITE_NONE || oa_is_secure(&l->oa, i) ? "srtp" : "rtp");
	if (suite != SRTP_SUITE_NONE)
		record_text(o, "keying", k && k->handshake ? agreement_dtls.name : agreement_sdes.name);
	if (k && k->handshake && suite != SRTP_SUITE_NONE)
		json_object_set_new(o, "dtls", dtls_of(l, k->handshake, suite));
	if (suite != SRTP_SUITE_NONE)
		record_text(o, "suite", srtp_suite_info(suite)->name);
	record_number(o, "keys", k ? k->keys : 0);
	put_traffic(o, &(struct key_traffic){0}, &end);
	json_object_set_new(o, "anomalies", forged_of(s ? s : &none));
	return o;
}

/* NULL: there was one at most, of which the side's own members say all. */
static json_t *transports_of(const struct leg *l)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		if (transport_was_used(l, i))
			json_array_append_new(all, transport_of(l, i));
	if (json_array_size(all) > 1)
		return all;
	json_decref(all);
	return NULL;
}

static json_t *leg_of(const struct leg *l)
{
	const struct dp_stats_leg s = call_stats_sum(l->call, l->side);
	const struct key_traffic end = {s.rx_packets, s.rx_octets, s.tx_packets, s.tx_octets};
	const struct leg_handshake *h = leg_shown_keyed(l)->handshake;
	const char *keying = leg_keying(l);
	json_t *transports = transports_of(l);
	json_t *o = json_object();

	record_text(o, "side", l->side == DP_SIDE_A ? "a" : "b");
	record_text(o, "trunk", l->trunk->name);
	json_object_set_new(o, "peer", peer_of(l));
	json_object_set_new(o, "signalling", signalling_of(l));
	json_object_set_new(o, "policies", policies_of(l->trunk));
	record_text(o, "media", keying ? "srtp" : "rtp");
	record_text(o, "keying", keying);
	if (h && l->suite != SRTP_SUITE_NONE)
		json_object_set_new(o, "dtls", dtls_of(l, h, l->suite));
	if (l->suite != SRTP_SUITE_NONE)
		record_text(o, "suite", srtp_suite_info(l->suite)->name);
	if (keying || (transports && l->rekey.n_epochs))
		json_object_set_new(o, "keys", epochs_of(l, transports != NULL));
	put_traffic(o, &(struct key_traffic){0}, &end);
	json_object_set_new(o, "anomalies", anomalies_of(l, &s));
	if (transports)
		json_object_set_new(o, "transports", transports);
	return o;
}

json_t *record_session(const struct call *c)
{
	json_t *o = record_begin("session"), *legs = json_array();

	record_text(o, "call", c->id);
	record_text(o, "from", c->from);
	record_text(o, "to", c->to);
	if (c->predecessor[0][0]) {
		json_t *all = json_array();

		for (unsigned i = 0; i < 2; i++)
			if (c->predecessor[i][0])
				json_array_append_new(all, json_string(c->predecessor[i]));
		json_object_set_new(o, "predecessors", all);
	}
	record_text(o, "successor", c->successor);
	record_time(o, "began", c->began_ms);
	record_time(o, "answered", c->answered_ms);
	record_time(o, "ended", c->ended_ms);
	record_number(o, "status", c->end.status);
	record_text(o, "reason", c->end.reason);
	for (unsigned side = 0; side < 2; side++)
		if (c->legs[side].trunk)
			json_array_append_new(legs, leg_of(&c->legs[side]));
	json_object_set_new(o, "legs", legs);
	return o;
}

void record_call(const struct call *c)
{
	if (c->b->audit)
		record_write(c->b, record_session(c));
}

bool record_may(struct b2bua *b, enum record_flood f)
{
	static const uint32_t per_s[] = {[RECORD_REFUSALS] = 50, [RECORD_USERS] = 500, [RECORD_USERS_REFUSED] = 5};
	uint64_t now = clock_mono_ns() / NS_PER_MS;
	struct record_bound *r = &b->record_bounds[f];

	if (!b->audit)
		return false;
	if (!r->bucket.per_s)
		rate_begin(&r->bucket, per_s[f], now);
	if (rate_take(&r->bucket, now))
		return true;
	r->left_out++;
	return false;
}

void record_left_out(struct b2bua *b, enum record_flood f, json_t *o)
{
	if (b->record_bounds[f].left_out)
		record_number(o, "left-out", b->record_bounds[f].left_out);
	b->record_bounds[f].left_out = 0;
}

void record_refusal(
	struct b2bua *b, const struct call *c, const char *trunk, unsigned status, const char *reason)
{
	const struct leg *in = c ? &c->legs[DP_SIDE_A] : NULL;
	json_t *o;

	if (!record_may(b, RECORD_REFUSALS))
		return;
	o = record_begin("refusal");
	record_left_out(b, RECORD_REFUSALS, o);
	if (in) {
		record_text(o, "call", c->id);
		record_text(o, "from", c->from);
		record_text(o, "to", c->to);
		json_object_set_new(o, "peer", peer_of(in));
		json_object_set_new(o, "signalling", signalling_of(in));
	}
	record_text(o, "trunk", trunk);
	record_number(o, "status", status);
	record_text(o, "reason", reason);
	record_write(b, o);
}

/* What became of the audit's file since this was asked last. */
static void tell_audit(struct b2bua *b)
{
	struct audit_counters c = audit_counters(b->audit);
	struct audit_seen *seen = &b->audit_seen;

	if (c.taken != seen->taken)
		notice_audit(b, "file-taken", true, c.taken);
	if (c.away != seen->away)
		notice_audit(b, "file-away", c.away, c.taken);
	if (c.losing != seen->losing) {
		notice_audit(b, "records-lost", c.losing, c.failed);
	} else if (!c.losing && c.failed != seen->failed) {
		/* It began and was over between two looks. */
		notice_audit(b, "records-lost", true, c.failed);
		notice_audit(b, "records-lost", false, c.failed);
	}
	*seen = (struct audit_seen){.taken = c.taken, .failed = c.failed, .away = c.away, .losing = c.losing};
}

static void tick(struct timer *t)
{
	struct b2bua *b = (struct b2bua *)((char *)t - offsetof(struct b2bua, audit_timer));

	audit_tick(b->audit, clock_wall_ms());
	tell_audit(b);
	timer_set(b->wheel, t, TICK_MS, tick);
}

/* What was raised of an audit is over with it, and what is left to say of it is said now or never. */
static void take_leave(struct b2bua *b)
{
	struct audit_counters c = audit_counters(b->audit);

	tell_audit(b);
	if (c.away)
		notice_audit(b, "file-away", false, c.taken);
	if (c.losing)
		notice_audit(b, "records-lost", false, c.failed);
}

void b2bua_set_audit(struct b2bua *b, struct audit *a)
{
	struct audit_counters c = audit_counters(a);

	if (a != b->audit) {
		take_leave(b);
		b->audit_seen = (struct audit_seen){.taken = c.taken, .failed = c.failed};
	}
	b->audit = a;
	if (a)
		timer_set(b->wheel, &b->audit_timer, TICK_MS, tick);
	else
		timer_cancel(b->wheel, &b->audit_timer);
}
