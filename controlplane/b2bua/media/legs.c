/* SPDX-License-Identifier: Apache-2.0 */
/* A call's legs towards the media side: their rules, and the data plane's session. */
#include <errno.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/keys/dtls_srtp.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

static const enum oa_mux muxes[] = {
	[CONFIG_RTCP_MUX_NEVER] = OA_MUX_NEVER,
	[CONFIG_RTCP_MUX_ACCEPT] = OA_MUX_ACCEPT,
	[CONFIG_RTCP_MUX_OFFER] = OA_MUX_OFFER,
};

static const enum oa_profile profiles[] = {
	[CONFIG_RTP_FEEDBACK] = OA_PROFILE_VIDEO,
	[CONFIG_RTP_BASIC] = OA_PROFILE_BASIC,
	[CONFIG_RTP_FEEDBACK_ALWAYS] = OA_PROFILE_FEEDBACK,
};

static const uint8_t learning[] = {
	[CONFIG_LEARN_NEVER] = DP_LEARN_NEVER,
	[CONFIG_LEARN_ONCE] = DP_LEARN_ONCE,
	[CONFIG_LEARN_ANY] = DP_LEARN_ANY,
};

static void choose_methods(const struct config_trunk *t, struct oa_policy *p)
{
	if (t->keying == CONFIG_KEYING_DTLS) {
		p->method = &agreement_dtls;
	} else {
		p->method = t->dtls_first ? &agreement_dtls : &agreement_sdes;
		p->other = t->dtls_first ? &agreement_sdes : &agreement_dtls;
	}
	/* One association, one set of keys: RTCP shares them (RFC 5764 section 4.1 would need another). */
	if (p->method->media_path)
		p->mux = OA_MUX_OFFER;
}

static struct oa_policy policy_of(const struct leg *l)
{
	const struct config_trunk *t = l->trunk;
	struct oa_policy p = {
		.security = OA_SECURITY_NONE,
		.mux = muxes[t->rtcp_mux],
		.ice = t->ice == CONFIG_ICE_LITE,
		.profile = profiles[t->rtp_profile],
		.hop_encrypted = sip_transport_secure(l->flow.transport),
	};

	if (t->srtp != CONFIG_SRTP_NONE) {
		p.security = t->srtp == CONFIG_SRTP_REQUIRED ? OA_SECURITY_REQUIRED : OA_SECURITY_OPTIONAL;
		p.method = &agreement_sdes;
		if (t->keying & CONFIG_KEYING_DTLS)
			choose_methods(t, &p);
		p.keying = (struct keying_policy){
			.suites = t->crypto->suites,
			.n_suites = t->crypto->n_suites,
			.mki_length = t->crypto->mki_length,
			.keep = t->keep_keys,
		};
	}
	return p;
}

/* A line for each of a thousand calls that renew their keys at once would help nobody. */
static void key_deferred(void *arg, unsigned leg)
{
	struct call *c = arg;
	struct b2bua *b = c->b;
	uint64_t now = clock_mono_ns();

	b->counters.keys_deferred++;
	if (b->deferred_told_ns && now - b->deferred_told_ns < NS_PER_S)
		return;
	b->deferred_told_ns = now;
	log_warn("media", "no key slot is free in the data plane: the key of an offer waits until it is agreed on",
		LZ("call", c->id), LU("leg", leg), LU("keys_deferred", b->counters.keys_deferred));
}

int legs_prepare(struct call *c, struct err *e)
{
	struct b2bua *b = c->b;
	int err;

	c->media = (struct call_media){
		.client = b->client,
		.ports = b->ports,
		.settled = answer_settled,
		.settled_arg = c,
		.deferred = key_deferred,
	};
	for (unsigned side = 0; side < 2; side++) {
		struct leg *l = &c->legs[side];
		const struct config_trunk *t = l->trunk;
		struct oa_policy policy = policy_of(l);

		err = leg_dtls_open(l, &policy.keying, e);
		if (err < 0)
			return err;
		err = oa_leg_init(&l->oa, &policy);
		if (err < 0)
			return err_set(e, err, "no random numbers");
		if (l->ancestor && !c->pickup) /* a session that nobody has agreed on yet is no ancestor's */
			oa_leg_follow(&l->oa, &l->ancestor->oa);
		c->media.side[side] = (struct call_media_side){
			.leg = &l->oa,
			.groups = c->generation->groups[t->realm - c->config->realms],
			.n_groups = t->realm->n_interfaces,
			.family = l->flow.remote.ip.family,
			.learn = learning[t->realm->learning],
			.dscp = t->realm->dscp,
			.replay_window = t->crypto ? t->crypto->replay_window : 0,
			.keep_roc = t->keep_roc,
			.key_packets = t->rekey ? t->rekey->packets : 0,
			.key_octets = t->rekey ? t->rekey->octets : 0,
			.media_timeout_s = t->media_timeout_s,
		};
	}
	return 0;
}

int legs_open(struct call *c, struct err *e)
{
	int err = legs_prepare(c, e);

	if (err < 0)
		return err;
	err = call_media_open(&c->media, c);
	if (err == -EAGAIN)
		return err_set(e, err, "the data plane is not connected");
	if (err == -EBUSY)
		return err_set(e, err, "the data plane is behind with what calls ask of it");
	if (err == -ENOSPC)
		return err_set(e, err, "the data plane carries as many calls as it may (its --sessions)");
	if (err < 0)
		return err_set(e, err, "the data plane takes no more sessions: %s", strerror(-err));
	return 0;
}

static void refused(void *arg, int result, const char *reason)
{
	struct call *c = arg;

	(void)result;
	if (c->state == CALL_ENDING)
		return;
	c->b->counters.refused_no_media_plane++;
	call_tell_outside(c, "media could not be set up");
	call_release(
		c, NULL, 503, "the data plane refused the session: %s", reason ? reason : strerror(-result));
}

void leg_note_refusal(struct leg *l, const struct oa_refusal *why)
{
	struct b2bua_counters *n = &l->call->b->counters;

	n->downgrade_clear += why->downgrade == OA_DOWNGRADE_CLEAR;
	n->downgrade_keys += why->downgrade == OA_DOWNGRADE_KEYS;
	l->downgrades[why->downgrade]++;
}

void leg_note_unused(const struct leg *l)
{
	for (unsigned i = 0; i < oa_media_count(&l->oa); i++)
		if (oa_why_not(&l->oa, i)[0])
			log_info("call", "an m-line is not relayed", LZ("call", l->call->id), LZ("trunk", l->trunk->name),
				LZ("reason", oa_why_not(&l->oa, i)));
}

const char *leg_keying(const struct leg *l)
{
	const struct oa_media *m = oa_media_at(&l->oa, l->shown);
	bool by_dtls;

	if (!l->trunk || (l->trunk->srtp != CONFIG_SRTP_REQUIRED && l->suite == SRTP_SUITE_NONE))
		return NULL;
	if (m && m->keys)
		return m->keys->method->name;
	/* An ended call's are gone; what brought them is known. */
	by_dtls = l->suite != SRTP_SUITE_NONE
			  ? leg_shown_keyed(l)->handshake != NULL
			  : l->trunk->dtls_first || l->trunk->keying == CONFIG_KEYING_DTLS;
	return by_dtls ? agreement_dtls.name : agreement_sdes.name;
}

void legs_program(struct call *c)
{
	/* A session that was lost is programmed as a whole when its turn comes. */
	int err = c->state == CALL_ENDING || c->lost ? 0 : call_media_program(&c->media, refused, c);

	if (err < 0)
		refused(c, err, NULL);
	for (unsigned side = 0; side < 2 && c->state != CALL_ENDING; side++)
		leg_dtls_update(&c->legs[side]);
}

void legs_program_again(struct call *c)
{
	int err = c->state == CALL_ENDING ? 0 : call_media_lost(&c->media, refused, c);

	if (err < 0)
		refused(c, err, NULL);
}

static void note_stats(void *arg, const struct dp_stats_leg *s)
{
	call_note_stats(arg, s);
}

static void close_done(void *arg, int result, const char *reason)
{
	struct call *c = arg;

	(void)result;
	(void)reason;
	metrics_note_media(c->b, c);
	call_media_close(&c->media);
	checkpoint_touch(c); /* its record has the packets now */
	call_unwait(c);
}

void legs_close(struct call *c)
{
	if (!c->media.open)
		return;
	c->waiting++;
	if (!c->media.programmed ||
		dp_client_stats_session(c->b->client, c->media.session, note_stats, close_done, c) < 0)
		close_done(c, 0, NULL);
}

void legs_commit(struct call *c)
{
	for (unsigned side = 0; side < 2; side++) {
		struct leg *l = &c->legs[side];

		if (oa_commit(&l->oa) == 0 && l->dialog)
			l->agreed_seq = l->dialog->invite_seq;
		leg_note_keys(l);
	}
	legs_program(c);
	for (unsigned side = 0; side < 2; side++)
		leg_dtls_expect(&c->legs[side]);
	checkpoint_touch(c);
}

static void media_timeout(void *ctx, dp_session_id id, void *user, unsigned leg)
{
	struct b2bua *b = ctx;
	struct call *c = user;
	const struct config_trunk *t = c->legs[program_side_of(leg)].trunk;

	(void)id;
	/* Who waits for his next party may hear nothing. */
	if ((c->state != CALL_UP && c->state != CALL_ANSWERED) || succession_pending(c))
		return;
	b->counters.ended_media_timeout++;
	call_release(c, NULL, 480, "trunk %s: no media arrived for %u s", t->name, t->media_timeout_s);
}

static void session_lost(void *ctx, dp_session_id id, void *user)
{
	struct b2bua *b = ctx;
	struct call *c = user;
	const struct dp_welcome *w = dp_client_welcome(b->client);
	/* The data plane is the one that had it: our last process ended the call, and not all of it was done.
	 */
	bool ended = w && c->plane == w->instance;

	(void)id;
	c->plane = 0;
	if (!ended) {
		restore_later(c);
		return;
	}
	b->counters.ended_meanwhile++;
	call_tell_outside(c, "the call had ended");
	call_release(c, NULL, 408, "its media had ended before the control plane was restarted");
}

static void session_found(void *ctx, dp_session_id id, void *user)
{
	struct call *c = user;
	int err = c->state == CALL_ENDING ? 0 : call_media_found(&c->media, refused, c);

	(void)ctx;
	(void)id;
	c->plane = 0;
	if (err < 0)
		refused(c, err, NULL);
}

static void key_soft_limit(void *ctx, dp_session_id id, void *user, const struct dp_key_soft_limit *e)
{
	struct call *c = user;
	struct leg *l = &c->legs[program_side_of(e->leg)];

	(void)id;
	log_at(e->limit == DP_LIMIT_AUTH_FAILURES || !rekey_possible(l) ? LOG_WARN : LOG_INFO, "media",
		e->limit == DP_LIMIT_AUTH_FAILURES ? "many packets of a call do not authenticate"
						   : "a key is near the end of its life",
		LZ("call", c->id), LU("leg", e->leg), LU("packets", e->packets));
	notice_key_limit(ctx, c, e);
	rekey_limit(l, e);
}

static void ready(void *ctx, const struct dp_welcome *w)
{
	struct b2bua *b = ctx;
	const char *wanted = b->now->config->dataplane.crypto_backend;

	notice_plane(b, true, b->plane_instance && b->plane_instance != w->instance, NULL);
	b->plane_instance = w->instance;
	log_info("media", "data plane is ready", LZ("port", w->port), LZ("backend", w->backend),
		LU("workers", w->workers), LU("sessions_max", w->sessions_max));
	if (wanted && strcmp(wanted, w->backend) != 0)
		log_warn("media",
			"the data plane runs another crypto backend than configured: start it with --backend",
			LZ("configured", wanted), LZ("running", w->backend));
}

static void note_alarm(struct b2bua *b, const struct dp_alarm *a)
{
	for (unsigned i = 0; i < b->n_alarms; i++)
		if (b->alarms[i].worker == a->worker && b->alarms[i].kind == a->kind &&
			strcmp(b->alarms[i].interface, a->interface) == 0) {
			b->alarms[i] = *a;
			return;
		}
	if (b->n_alarms < PLANE_ALARMS)
		b->alarms[b->n_alarms++] = *a;
}

static void log_link(const struct dp_alarm *a)
{
	if (a->raised)
		log_error("media", "alarm: a media interface has no link; nothing is sent or heard there",
			LZ("interface", a->interface), LU("times", a->times));
	else
		log_warn("media", "alarm is over: the media interface has a link again",
			LZ("interface", a->interface), LU("times", a->times));
}

static void plane_alarm(void *ctx, const struct dp_alarm *a)
{
	note_alarm(ctx, a);
	notice_alarm(ctx, a);
	if (a->kind == DP_ALARM_LINK)
		log_link(a);
	else if (a->raised)
		log_error("media", "alarm: a crypto device is out of use; its sessions go on in software",
			LU("worker", a->worker), LU("times", a->times));
	else
		log_warn("media", "alarm is over: the crypto device is in use again", LU("worker", a->worker),
			LU("times", a->times));
}

static void down(void *ctx, const char *why)
{
	struct b2bua *b = ctx;

	b->plane.h.type = DP_TYPE_NONE;
	b->n_plane_ports = 0;
	b->plane_lost_ns = clock_mono_ns();
	b->n_alarms = 0;
	notice_plane(b, false, false, why);
	log_warn("media", "data plane is not connected", LZ("reason", why));
}

/* Where the peer's checks come from, or what it has nominated. */
static void remote_changed(void *ctx, dp_session_id id, void *user, unsigned leg, const struct ip_port *to)
{
	struct call *c = user;
	struct leg *l = &c->legs[leg & 1];
	const struct ice_credentials *newest, *before;
	char address[IP_PORT_TEXT_MAX];

	(void)ctx;
	(void)id;
	if (c->state == CALL_ENDING || !oa_ice_now(&l->oa, leg >> 1, &newest, &before))
		return;
	log_info("call", "ICE found the peer", LZ("call", c->id), LZ("trunk", l->trunk->name),
		LZ("remote", ip_port_text(to, address)));
	if (oa_ice_selected(&l->oa, leg >> 1, to) < 0)
		return;
	leg_dtls_update(l);
	checkpoint_touch(c);
}

static void consent_lost(void *ctx, dp_session_id id, void *user, const struct dp_consent_lost *e)
{
	struct call *c = user;

	(void)ctx;
	(void)id;
	leg_consent_lost(&c->legs[program_side_of(e->leg)], e->leg / 2, e->silent_ms);
}

/* A line for each of a hundred calls in a second would be an attack of its own. */
static void leg_attacked(void *ctx, dp_session_id id, void *user, const struct dp_leg_attacked *e)
{
	struct b2bua *b = ctx;
	struct call *c = user;
	const struct leg *l = &c->legs[program_side_of(e->leg)];
	uint64_t now = clock_mono_ns();

	(void)id;
	b->counters.legs_attacked++;
	if (b->attack_told_ns && now - b->attack_told_ns < NS_PER_S) {
		b->attacks_untold++;
		return;
	}
	log_warn("media", "a leg is under attack: packets from its peer's address do not authenticate",
		LZ("call", c->id), LU("leg", e->leg), LZ("trunk", l->trunk ? l->trunk->name : NULL),
		LU("failures", e->failures), LU("dropped_untried", e->policed),
		LU("other_legs_untold", b->attacks_untold));
	notice_attack(b, c, e);
	b->attack_told_ns = now;
	b->attacks_untold = 0;
}

static void punt_rx(void *ctx, dp_session_id id, void *user, const struct dp_punt *e)
{
	struct call *c = user;

	(void)ctx;
	(void)id;
	if (c->state != CALL_ENDING)
		leg_dtls_punted(&c->legs[e->leg & 1], e->leg >> 1, e);
}

const struct dp_client_events b2bua_media_events = {
	.ready = ready,
	.down = down,
	.session_lost = session_lost,
	.session_found = session_found,
	.media_timeout = media_timeout,
	.key_soft_limit = key_soft_limit,
	.alarm = plane_alarm,
	.remote_changed = remote_changed,
	.consent_lost = consent_lost,
	.leg_attacked = leg_attacked,
	.punt_rx = punt_rx,
};
