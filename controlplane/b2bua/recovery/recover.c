/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of an earlier process of ours: taken over from its journal at the start. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/recovery/saved_binding.h"
#include "controlplane/b2bua/recovery/saved_call.h"
#include "controlplane/b2bua/recovery/setup.h"
#include "controlplane/obs/trace.h"
#include "controlplane/state/journal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

/* More requests than are sent in a dialog between two times that it is saved. */
#define CSEQ_GAP 100

struct recovery {
	struct b2bua *b;
	struct saved_call saved; /* large */
	struct saved_setup setup;
	struct record_name last; /* of the audit, as the last process left it */
	unsigned taken, dropped, ended, cut_off;
	unsigned users[USER_RESTORED_COUNT];
};

const struct config_listener *recover_listener(const struct config *c, struct str name)
{
	for (uint32_t i = 0; i < c->n_listeners; i++)
		if (str_eq(str_z(c->listeners[i].name), name))
			return &c->listeners[i];
	return NULL;
}

int recover_flow(const struct leg *l, const struct saved_way *way, struct sip_flow *flow, struct err *e)
{
	const struct b2bua_generation *g = l->call->generation;
	struct sip_listener *listener = g->listeners[l->listener->index];

	if (!listener || (uint8_t)sip_listener_transport(listener) != way->transport)
		return err_set(e, ENOENT, "its listener %s is not what it was", l->listener->name);
	*flow = (struct sip_flow){
		.transport = (enum sip_transport)way->transport,
		.remote = way->remote,
		.listener = listener,
		.tls = way->transport == SIP_TLS ? g->client_tls[l->trunk->index] : NULL,
		.tls_name = way->tls_name.n ? str_dup(way->tls_name) : NULL,
		.tls_sni = way->tls_sni.n ? str_dup(way->tls_sni) : NULL,
	};
	return 0;
}

static int take_dialog(struct leg *l, const struct saved_leg *s, struct err *e)
{
	const struct saved_way way = {.transport = s->transport,
		.remote = s->remote,
		.tls_name = s->tls_name,
		.tls_sni = s->tls_sni};
	struct sip_dialog saved = s->dialog;
	int rc = recover_flow(l, &way, &saved.flow, e);

	if (rc < 0)
		return rc;
	saved.local_seq += CSEQ_GAP;
	rc = sip_dialog_restore(&saved, &l->dialog);
	free((char *)saved.flow.tls_name);
	free((char *)saved.flow.tls_sni);
	if (rc < 0)
		return err_set(e, -rc, "its dialog cannot be kept: %s", strerror(-rc));
	l->dialog->user = l;
	l->before.last_seq = saved.local_seq;
	l->before.answered_seq = l->agreed_seq = s->agreed_seq;
	l->flow = l->dialog->flow;
	if (sip_dialogs_add(l->call->b->dialogs, l->dialog) < 0)
		return err_set(e, EEXIST, "another call has its dialog");
	nat_watch(l);
	return 0;
}

/* What identifies the leg to its peer. An error: nobody can be told anything on it. */
static int take_leg(struct leg *l, const struct saved_leg *s, struct err *e)
{
	const struct config *c = l->call->config;
	char trunk[CALL_URI_MAX], remote[IP_PORT_TEXT_MAX];
	const struct sip_dialog *d = &s->dialog;

	str_copy(trunk, sizeof trunk, s->trunk);
	l->trunk = config_trunk_named(c, trunk);
	if (!l->trunk)
		return err_set(e, ENOENT, "its trunk %s is not configured any more", trunk);
	l->listener = recover_listener(c, s->listener);
	if (!l->listener)
		return err_set(
			e, ENOENT, "its listener %.*s is not configured any more", STR_ARG(s->listener));
	if (str_copy(l->local_tag, sizeof l->local_tag, d->local_tag) < 0 ||
		(d->uac && str_copy(l->call_id, sizeof l->call_id, d->call_id) < 0) ||
		d->local_uri.n >= CALL_URI_MAX || d->remote_uri.n >= CALL_URI_MAX)
		return err_set(e, E2BIG, "its record is damaged");
	if ((d->uac && call_hold(l->call, &l->local_uri, d->local_uri) < 0) ||
		(d->uac && call_hold(l->call, &l->remote_uri, d->remote_uri) < 0) ||
		call_hold(l->call, &l->tls, s->tls) < 0 ||
		call_hold(l->call, &l->remote, str_z(ip_port_text(&s->remote, remote))) < 0)
		return err_set(e, ENOMEM, "out of memory");
	l->invite_cseq = d->invite_seq;
	l->established = true;
	return take_dialog(l, s, e);
}

static struct leg_handshake *take_handshake(const struct saved_handshake *s)
{
	struct leg_handshake *h = s->version.n ? calloc(1, sizeof *h) : NULL;

	if (!h)
		return NULL;
	str_copy(h->version, sizeof h->version, s->version);
	str_copy(h->cipher, sizeof h->cipher, s->cipher);
	str_copy(h->group, sizeof h->group, s->group);
	memcpy(h->peer, s->peer, sizeof h->peer);
	h->n_peer = s->n_peer;
	return h;
}

static void take_past(struct leg *l, const struct saved_past *p)
{
	(void)call_hold(l->call, &l->peer_name, p->peer_name);
	(void)call_hold(l->call, &l->peer_fingerprint, p->peer_fingerprint);
	memcpy(l->downgrades, p->downgrades, sizeof l->downgrades);
}

/* A transport whose keys a record of an older version says nothing of is as old as the first. */
static void take_keyed(struct leg *l, const struct saved_leg *s)
{
	l->first = (struct leg_keyed){.keyed_ms = s->keyed_ms,
		.key_epoch = s->key_epoch,
		.keys = s->keys,
		.handshake = take_handshake(&s->past.handshake)};
	for (unsigned i = 1; i < s->n_media; i++) {
		struct leg_keyed *k = s->media[i].suite == SRTP_SUITE_NONE ? NULL : leg_keyed_make(l, i);

		if (k)
			*k = (struct leg_keyed){
				.keyed_ms = s->keyed_ms, .key_epoch = s->media[i].tx_epoch, .keys = 1};
	}
	for (unsigned i = 0; i < s->n_more; i++) {
		struct leg_keyed *k = leg_keyed_make(l, s->more[i].transport);

		if (!k || k->handshake)
			continue;
		k->keyed_ms = s->more[i].keyed_ms;
		k->keys = s->more[i].keys;
		k->handshake = take_handshake(&s->more[i].handshake);
	}
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		if (leg_keyed(l, i))
			leg_key_restore_age(l, leg_keyed(l, i));
}

/* What was agreed on the leg. */
static int take_media(struct leg *l, const struct saved_leg *s, struct ip_port rtp[SDP_MEDIA_MAX])
{
	struct oa_media media[SDP_MEDIA_MAX] = {0};
	struct agreed_key rx[SDP_MEDIA_MAX] = {0}, tx[SDP_MEDIA_MAX] = {0};
	int rc;

	const struct oa_held held = {
		.sess_id = s->sess_id,
		.sent = s->sent,
		.version = s->version,
		.sent_version = s->sent_version,
		.next_epoch = s->next_epoch,
		.burnt_epoch = s->burnt_epoch,
		.n_media = s->n_media,
		.media = media,
		.rx = rx,
		.tx = tx,
	};

	for (unsigned i = 0; i < s->n_media; i++) {
		const struct saved_media *m = &s->media[i];

		media[i] = (struct oa_media){
			.used = m->used,
			.transport = m->transport,
			.kind = (enum sdp_kind)m->kind,
			.proto = (enum sdp_proto)m->proto,
			.mux = m->mux,
			.ice = m->ice,
			.swapped = m->swapped,
			.direction = (enum sdp_direction)m->direction,
			.clock_hz = m->clock_hz,
			.extensions = m->extensions,
			.feedback = m->feedback,
			.mid_sent = m->mid_sent,
			.remote = m->remote,
			.remote_rtcp = m->remote_rtcp,
			.before = m->before,
			.before_rtcp = m->before_rtcp,
		};
		rx[i] = (struct agreed_key){.suite = (enum srtp_suite)m->suite, .epoch = m->rx_epoch};
		tx[i] = (struct agreed_key){
			.suite = (enum srtp_suite)m->suite, .epoch = m->tx_epoch, .mki_len = m->mki_len};
		memcpy(tx[i].mki, m->mki, m->mki_len);
		if (m->ported)
			rtp[i] = m->local;
	}
	take_keyed(l, s);
	take_past(l, &s->past);
	for (unsigned i = 0; i < s->n_media; i++)
		if (s->media[i].selected.ip.family != IP_NONE && oa_ice_selected(&l->oa, i, &s->media[i].selected) < 0)
			return -ENOMEM;
	rc = oa_leg_assume(&l->oa, &held);
	leg_view_keys(l);
	return rc;
}

static int take_session(struct call *c, const struct saved_call *s, struct err *e)
{
	struct ip_port rtp[2][SDP_MEDIA_MAX] = {0};
	int rc = legs_prepare(c, e);

	for (unsigned side = 0; rc == 0 && side < 2; side++) {
		rc = take_media(&c->legs[side], &s->legs[side], rtp[side]);
		if (rc < 0)
			err_set(e, -rc,
				rc == -ENOKEY ? "there were no media keys on trunk %s yet"
					      : "trunk %s has another media security now",
				c->legs[side].trunk->name);
	}
	return rc < 0 ? rc : call_media_restore(&c->media, c, s->session, s->worker, rtp, e);
}

/* No new call gets it. */
static void pass_number(struct b2bua *b, uint32_t n)
{
	if (b->next_id <= n && n != UINT32_MAX)
		b->next_id = n + 1;
}

static void number(struct call *c, uint32_t n)
{
	c->number = n;
	snprintf(c->id, sizeof c->id, "%08x", n);
	pass_number(c->b, n);
}

/* It is up, as far as anybody knows. */
static void go_on(struct call *c, const struct saved_call *s)
{
	struct b2bua *b = c->b;

	for (unsigned side = 0; side < 2; side++) {
		const struct saved_leg *l = &s->legs[side];

		leg_trunk(&c->legs[side])->active++;
		session_timer_restore(&c->legs[side], &(struct leg_timer){
							      .interval_s = l->interval_s,
							      .min_s = l->min_s,
							      .ours = l->ours,
							      .peer_updates = l->peer_updates,
							      .due_ms = l->due_ms,
						      });
		rekey_restore(&c->legs[side], l);
		if (b->trace)
			trace_bind(b->trace, l->dialog.call_id, c->id, side ? 'b' : 'a');
	}
	c->counted = true;
	revive_later(c);
}

static void note_dropped(struct recovery *r, uint64_t key, const char *why)
{
	log_warn("call", "could not be taken over: its media ends", LU("call", key), LZ("reason", why));
	r->dropped++;
}

/* Nobody is to hear of it once more, however soon this process ends. */
static void forget(struct recovery *r, uint64_t key)
{
	(void)journal_remove(r->b->checkpoint.journal, key);
	(void)journal_flush(r->b->checkpoint.journal);
}

/* Has the last process written its record, and been killed before it could forget it? */
static bool is_recorded(const struct recovery *r, uint64_t key, uint64_t began_ms, struct str record)
{
	struct record_name name;
	char id[CALL_ID_TEXT];

	snprintf(id, sizeof id, "%08x", (uint32_t)key);
	if (strcmp(id, r->last.call) != 0)
		return false;
	record_name_call(id, began_ms, &name);
	if (record.n && record_name_saved(record, &name) < 0)
		return false;
	return strcmp(name.began, r->last.began) == 0;
}

/*
 * It has ended, and only its record is missing. Its media is nobody's, and goes with what else the data plane
 * has that no call knows. A BYE of it that had no answer is not sent again: it has ended all the same (RFC
 * 3261 section 15.1.1).
 */
static void take_ended(struct recovery *r, uint64_t key)
{
	pass_number(r->b, (uint32_t)key);
	if (r->b->audit && record_write_saved(r->b, r->saved.record) < 0)
		note_dropped(r, key, "what is to be recorded of its end is damaged");
	else
		r->ended++;
}

/* There is no way to end it with a word. */
static void drop(struct call *c, const char *why)
{
	char reason[CALL_REASON_MAX];

	snprintf(reason, sizeof reason, "could not be taken over after a restart: %.200s", why);
	c->end.status = 503;
	(void)call_hold(c, &c->end.reason, str_z(reason));
	c->ended_ms = clock_wall_ms();
	call_discard(c);
}

static void take_standing(struct recovery *r, uint64_t key, size_t octets)
{
	const struct saved_call *s = &r->saved;
	struct call *c = call_new(r->b);
	struct err e = {0};
	int rc = 0;

	if (!c) {
		rc = err_set(&e, ENOMEM, "out of memory");
	} else {
		number(c, (uint32_t)key);
		checkpoint_known(c, octets);
		(void)call_hold(c, &c->from, s->from);
		(void)call_hold(c, &c->to, s->to);
		route_hunt_free(&c->hunt);
		for (unsigned i = 0; i < 2; i++)
			str_copy(c->predecessor[i], sizeof c->predecessor[i], s->predecessor[i]);
		c->max_forwards = s->max_forwards;
		c->began_ms = s->began_ms;
		c->answered_ms = s->answered_ms;
		c->plane = s->plane;
		c->state = CALL_UP;
		for (unsigned side = 0; rc == 0 && side < 2; side++)
			rc = take_leg(&c->legs[side], &s->legs[side], &e);
	}
	if (rc < 0) {
		note_dropped(r, key, e.text);
		if (c)
			drop(c, e.text);
		return;
	}
	r->taken++;
	rc = take_session(c, s, &e);
	go_on(c, s);
	if (rc < 0) {
		call_tell_outside(c, "the gateway was restarted");
		call_release(c, NULL, 503, "could not be taken over after a restart: %s", e.text);
	}
}

static void take_setup(struct recovery *r, uint64_t key, const void *data, size_t n)
{
	struct call *c;

	if (saved_setup_read(data, n, &r->setup) < 0) {
		note_dropped(r, key, "its record is damaged");
	} else if (is_recorded(r, key, r->setup.began_ms, STR(""))) {
		forget(r, key);
	} else if (!(c = call_new(r->b))) {
		note_dropped(r, key, "out of memory");
	} else {
		number(c, (uint32_t)key);
		checkpoint_known(c, n);
		c->saved_setup = true;
		setup_cut_off(c, &r->setup, r->cut_off++);
	}
}

static void take_call(struct recovery *r, uint64_t key, const void *data, size_t n)
{
	if (saved_call_read(data, n, &r->saved) < 0) {
		note_dropped(r, key, "its record is damaged, or of another version");
	} else if (is_recorded(r, key, r->saved.began_ms, r->saved.record)) {
		forget(r, key);
	} else if (r->saved.record.n) {
		take_ended(r, key);
		forget(r, key);
	} else {
		take_standing(r, key, n);
	}
}

static void take(void *arg, uint64_t key, const void *data, size_t n)
{
	struct recovery *r = arg;

	if (saved_binding_key(key))
		r->users[users_restore(r->b, key & ~SAVED_BINDING_KEY, data, n)]++;
	else
		(saved_setup_is(data, n) ? take_setup : take_call)(r, key, data, n);
}

static void note_users(struct recovery *r)
{
	const unsigned *n = r->users;

	r->b->counters.users_restored += n[USER_RESTORED] + n[USER_ADRIFT];
	if (n[USER_RESTORED] || n[USER_ADRIFT] || n[USER_EXPIRED] || n[USER_UNWANTED] || n[USER_DAMAGED])
		log_info("user", "registrations of before the restart are there again",
			LU("registrations", n[USER_RESTORED] + n[USER_ADRIFT]),
			LU("without_connection", n[USER_ADRIFT]), LU("expired", n[USER_EXPIRED]),
			LU("not_configured", n[USER_UNWANTED]), LU("damaged", n[USER_DAMAGED]));
}

int b2bua_keep_calls(struct b2bua *b, const char *directory, struct err *e)
{
	return checkpoint_open(b, directory, e);
}

void b2bua_recover(struct b2bua *b)
{
	struct checkpoint *k = &b->checkpoint;
	struct recovery *r = k->journal ? calloc(1, sizeof *r) : NULL;
	struct journal_found found;
	uint64_t began = clock_mono_ns();
	int rc;

	if (!k->journal)
		return;
	if (r) {
		r->b = b;
		record_name_last(b, &r->last);
	}
	rc = r ? journal_read(k->journal, take, r, &found) : -ENOMEM;
	if (rc < 0)
		log_error("call", "calls and registrations of before the start cannot be read: they end",
			LZ("directory", k->directory), LZ("reason", strerror(-rc)));
	else if (r->taken || r->dropped || r->ended || r->cut_off || found.torn)
		log_info("call", "calls of before the restart are taken over", LU("calls", r->taken),
			LU("dropped", r->dropped), LU("ended_before", r->ended), LU("cut_off", r->cut_off),
			LU("records", found.records), LU("torn", found.torn),
			LU("ms", (clock_mono_ns() - began) / NS_PER_MS));
	b->counters.recovered += r ? r->taken : 0;
	if (r)
		note_users(r);
	/* What was dropped is not to be dropped by the next process as well. */
	(void)journal_flush(k->journal);
	checkpoint_renewed(b);
	free(r);
}
