/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are up are kept outside the process, so that a crash of it ends none; of those that are being
 * set up, what it takes to end them (keep_setup.c). What makes a call of a set-up is written at once; other
 * changes within SAVE_MS, many calls with one system call. Segments are renewed a few calls at a time.
 * Bindings of users go with them (keep_users.c).
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/recovery/saved_call.h"
#include "controlplane/b2bua/recovery/setup.h"
#include "controlplane/state/journal.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#define SAVE_MS 20
#define COPIES 200 /* calls of one turn that are put into a new segment: 10,000 a second */
#define ENDS 100   /* that are written in one turn: when all calls end at once, the loop has other work too */
#define RETRY_MS 5000          /* after a failure, such as a full file system */
#define RECORD_MAX (64u << 10) /* octets of the text of a record, as in the audit */

static void save(struct timer *t);

void checkpoint_later(struct checkpoint *k)
{
	struct b2bua *b = (struct b2bua *)((char *)k - offsetof(struct b2bua, checkpoint));

	if (!timer_running(&k->timer))
		timer_set(b->wheel, &k->timer, k->failing ? RETRY_MS : SAVE_MS, save);
}

static struct call_list *list_of(struct checkpoint *k, enum call_saving s)
{
	return s == SAVING_CHANGE ? &k->changed : s == SAVING_END ? &k->ended : &k->copied;
}

static void enlist(struct call *c, enum call_saving s)
{
	struct checkpoint *k = &c->b->checkpoint;

	if (c->saving == s)
		return;
	if (c->saving != SAVING_NOTHING)
		TAILQ_REMOVE(list_of(k, c->saving), c, saving_entry);
	c->saving = s;
	if (s != SAVING_NOTHING)
		TAILQ_INSERT_TAIL(list_of(k, s), c, saving_entry);
}

/* Does it stand, on both legs? */
static bool stands(const struct call *c)
{
	if (c->state != CALL_UP && c->state != CALL_ANSWERED)
		return false;
	for (unsigned side = 0; side < 2; side++)
		if (c->legs[side].ancestor || !c->legs[side].dialog || !c->legs[side].established ||
			!c->legs[side].oa.sent)
			return false;
	return c->media.open;
}

/* Has it ended, and is it in no audit yet? */
static bool owes_record(const struct call *c)
{
	return c->state == CALL_ENDING && c->ended_ms && c->b->audit;
}

static bool is_kept(const struct call *c)
{
	return stands(c) || owes_record(c) || setup_is_kept(c);
}

static struct saved_media media_of(const struct leg *l, unsigned i)
{
	const struct oa_media *om = &l->oa.media[i];
	const struct oa_local *local = oa_local_of(&l->oa, i);
	struct saved_media m = {
		.used = om->used,
		.transport = om->transport,
		.mux = om->mux,
		.ice = om->ice,
		.ported = local->set,
		.swapped = om->swapped,
		.kind = (uint8_t)om->kind,
		.proto = (uint8_t)om->proto,
		.direction = (uint8_t)om->direction,
		.clock_hz = om->clock_hz,
		.extensions = om->extensions,
		.feedback = om->feedback,
		.mid_sent = om->mid_sent,
		.remote = om->remote,
		.remote_rtcp = om->remote_rtcp,
		.before = om->before,
		.before_rtcp = om->before_rtcp,
		.local = local->rtp,
		.selected = *oa_selected(&l->oa, i),
	};

	if (om->keys && om->keys->established) {
		m.suite = (uint8_t)om->keys->tx.suite;
		m.rx_epoch = om->keys->rx.epoch;
		m.tx_epoch = om->keys->tx.epoch;
		m.mki_len = om->keys->tx.mki_len;
		memcpy(m.mki, om->keys->tx.mki, m.mki_len);
	}
	return m;
}

static struct saved_handshake handshake_of(const struct leg_keyed *k)
{
	const struct leg_handshake *h = k->handshake;
	struct saved_handshake s = {0};

	if (!h)
		return s;
	s.version = str_z(h->version);
	s.cipher = str_z(h->cipher);
	s.group = str_z(h->group);
	s.n_peer = h->n_peer;
	memcpy(s.peer, h->peer, sizeof s.peer);
	return s;
}

/* Of the transports behind the first. */
static void save_more(const struct leg *l, struct saved_leg *s)
{
	for (unsigned i = 1; i < SDP_MEDIA_MAX; i++) {
		const struct leg_keyed *k = leg_keyed(l, i);

		if (k && k->keys)
			s->more[s->n_more++] = (struct saved_keyed){.transport = (uint8_t)i,
				.keys = k->keys,
				.keyed_ms = k->keyed_ms,
				.handshake = handshake_of(k)};
	}
}

static void save_leg(const struct leg *l, struct saved_leg *s)
{
	const struct sip_flow *flow = &l->dialog->flow;

	*s = (struct saved_leg){
		.trunk = str_z(l->trunk->name),
		.listener = str_z(l->listener->name),
		.dialog = *l->dialog,
		.transport = (uint8_t)flow->transport,
		.remote = flow->remote,
		.tls_name = str_z(flow->tls_name),
		.tls_sni = str_z(flow->tls_sni),
		.tls = str_z(l->tls),
		.interval_s = l->timer.interval_s,
		.min_s = l->timer.min_s,
		.ours = l->timer.ours,
		.peer_updates = l->timer.peer_updates,
		.due_ms = l->timer.due_ms,
		.sess_id = str_z(l->oa.sess_id),
		.sent = str_z(l->oa.sent),
		.version = l->oa.version,
		.sent_version = l->oa.sent_version,
		.next_epoch = l->oa.next_epoch,
		.burnt_epoch = l->oa.burnt_epoch,
		.key_epoch = l->first.key_epoch,
		.keys = l->first.keys,
		.keyed_ms = l->first.keyed_ms,
		.past = {.peer_name = str_z(l->peer_name),
			.peer_fingerprint = str_z(l->peer_fingerprint),
			.handshake = handshake_of(&l->first)},
		.agreed_seq = l->agreed_seq,
		.n_media = l->oa.n_media,
	};
	memcpy(s->past.downgrades, l->downgrades, sizeof s->past.downgrades);
	rekey_save(l, s);
	save_more(l, s);
	for (unsigned i = 0; i < l->oa.n_media; i++)
		s->media[i] = media_of(l, i);
}

static void write_call(const struct call *c, struct wbuf *w)
{
	struct saved_call s = {
		.id = str_z(c->id),
		.from = str_z(c->from),
		.to = str_z(c->to),
		.max_forwards = c->max_forwards,
		.began_ms = c->began_ms,
		.answered_ms = c->answered_ms,
		/* One that waits to be set up again is at no data plane. */
		.plane = c->lost    ? 0
			 : c->plane ? c->plane
				    : c->b->plane_instance,
		.session = c->media.session,
		.worker = c->media.worker,
		.predecessor = {str_z(c->predecessor[0]), str_z(c->predecessor[1])},
	};

	for (unsigned side = 0; side < 2; side++)
		save_leg(&c->legs[side], &s.legs[side]);
	saved_call_write(&s, w);
}

/* Its text is behind the room for its record. */
static void write_end(const struct call *c, struct wbuf *w)
{
	struct wbuf text = wbuf_make(w->p + w->cap, RECORD_MAX);

	record_save(c, &text);
	if (text.overflow)
		w->overflow = true;
	else
		saved_call_write(&(struct saved_call){.record = wbuf_view(&text)}, w);
}

/* The heads of its INVITEs are behind the room for its record. */
static void write_setup(const struct call *c, struct wbuf *w)
{
	setup_write(c, w, wbuf_make(w->p + w->cap, RECORD_MAX));
}

static int forget_record(struct checkpoint *k, struct call *c)
{
	k->live -= c->saved_octets;
	c->saved_octets = 0;
	c->saved_setup = false;
	return journal_remove(k->journal, c->number);
}

static int put(struct checkpoint *k, struct call *c)
{
	struct wbuf w = wbuf_make(k->buffer, SAVED_CALL_MAX);
	bool setup = setup_is_kept(c);
	int rc;

	enlist(c, SAVING_NOTHING);
	if (!is_kept(c)) /* not any more, or not yet */
		return c->saved_setup ? forget_record(k, c) : 0;
	(setup ? write_setup : owes_record(c) ? write_end : write_call)(c, &w);
	if (w.overflow) {
		log_warn("call", "is too large to be saved: it will not outlive the control plane",
			LZ("call", c->id));
		return 0;
	}
	rc = journal_put(k->journal, c->number, w.p, w.len);
	if (rc < 0)
		return rc;
	k->live -= c->saved_octets;
	c->saved_octets = (uint32_t)journal_record_octets(w.len);
	k->live += c->saved_octets;
	c->saved_setup = setup;
	c->b->counters.saved++;
	return 0;
}

/* Every call that is saved, into a new segment. */
static int renew(struct checkpoint *k, struct b2bua *b)
{
	struct call *c;
	int rc = journal_turn(k->journal);

	if (rc < 0)
		return rc;
	k->renewing = true;
	TAILQ_FOREACH (c, &b->calls, entry)
		if (c->saving == SAVING_NOTHING && is_kept(c))
			enlist(c, SAVING_COPY);
	keep_users_copy(b, false);
	return 0;
}

static int save_some(struct checkpoint *k, struct b2bua *b)
{
	struct call *c;
	int rc = 0;

	if (k->failing)
		rc = renew(k, b);
	while (rc == 0 && (c = TAILQ_FIRST(&k->changed)) != NULL)
		rc = put(k, c);
	for (unsigned i = 0; rc == 0 && i < ENDS && (c = TAILQ_FIRST(&k->ended)) != NULL; i++)
		rc = put(k, c);
	for (unsigned i = 0; rc == 0 && i < COPIES && (c = TAILQ_FIRST(&k->copied)) != NULL; i++)
		rc = put(k, c);
	if (rc == 0)
		rc = keep_users_put(k, COPIES);
	if (rc == 0)
		rc = journal_flush(k->journal);
	if (rc == 0 && k->renewing && TAILQ_EMPTY(&k->copied) && TAILQ_EMPTY(&k->ended) &&
		TAILQ_EMPTY(&k->users_copied)) {
		journal_trim(k->journal);
		k->renewing = false;
	}
	if (rc == 0 && !k->renewing && journal_due(k->journal, k->live))
		rc = renew(k, b);
	return rc;
}

static void note_result(struct checkpoint *k, int rc)
{
	if (rc < 0 && !k->failing)
		log_error("call",
			"calls cannot be saved, nor can registrations: they will not outlive the control plane; make "
			"room in the recovery directory",
			LZ("directory", k->directory), LZ("reason", strerror(-rc)));
	else if (rc == 0 && k->failing)
		log_info("call", "calls are saved again");
	k->failing = rc < 0;
}

static void save(struct timer *t)
{
	struct b2bua *b = (struct b2bua *)((char *)t - offsetof(struct b2bua, checkpoint.timer));
	struct checkpoint *k = &b->checkpoint;

	note_result(k, save_some(k, b));
	if (k->failing || !TAILQ_EMPTY(&k->changed) || !TAILQ_EMPTY(&k->ended) || !TAILQ_EMPTY(&k->copied) ||
		!TAILQ_EMPTY(&k->users_changed) || !TAILQ_EMPTY(&k->users_copied))
		checkpoint_later(k);
}

void checkpoint_touch(struct call *c)
{
	struct checkpoint *k = &c->b->checkpoint;

	if (!k->journal || !(is_kept(c) || c->saved_setup))
		return;
	enlist(c, owes_record(c) ? SAVING_END : SAVING_CHANGE);
	checkpoint_later(k);
}

void checkpoint_answered(struct call *c)
{
	struct checkpoint *k = &c->b->checkpoint;
	int rc;

	if (!k->journal || k->failing || !stands(c))
		return;
	rc = put(k, c);
	if (rc == 0)
		rc = journal_flush(k->journal);
	if (rc < 0) {
		note_result(k, rc);
		checkpoint_later(k);
	}
}

bool checkpoint_has_it(const struct call *c)
{
	return c->saved_octets && !c->saved_setup && stands(c);
}

void checkpoint_ended(struct call *c)
{
	if (owes_record(c))
		checkpoint_touch(c);
	else
		checkpoint_forget(c);
}

void checkpoint_forget(struct call *c)
{
	struct checkpoint *k = &c->b->checkpoint;

	enlist(c, SAVING_NOTHING);
	if (!k->journal || !c->saved_octets)
		return;
	/* What cannot be noted is found out after a restart: its peers do not know the call any more. */
	(void)forget_record(k, c);
	checkpoint_later(k);
}

int checkpoint_write(struct b2bua *b)
{
	struct checkpoint *k = &b->checkpoint;
	int rc;

	do
		rc = save_some(k, b);
	while (rc == 0 && (!TAILQ_EMPTY(&k->ended) || !TAILQ_EMPTY(&k->copied) ||
				  !TAILQ_EMPTY(&k->users_changed) || !TAILQ_EMPTY(&k->users_copied)));
	note_result(k, rc);
	if (rc < 0)
		checkpoint_later(k);
	return rc;
}

void checkpoint_forgotten(struct b2bua *b)
{
	struct checkpoint *k = &b->checkpoint;
	int rc = k->journal && !k->failing ? journal_flush(k->journal) : 0;

	if (rc < 0) {
		note_result(k, rc);
		checkpoint_later(k);
	}
}

int checkpoint_open(struct b2bua *b, const char *directory, struct err *e)
{
	struct checkpoint *k = &b->checkpoint;
	int rc = journal_open(directory, &k->journal, e);

	if (rc < 0)
		return rc;
	k->buffer = malloc(SAVED_CALL_MAX + RECORD_MAX);
	k->directory = strdup(directory);
	if (!k->buffer || !k->directory) {
		checkpoint_close(b);
		return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

void checkpoint_known(struct call *c, size_t octets)
{
	c->saved_octets = (uint32_t)journal_record_octets(octets);
	c->b->checkpoint.live += c->saved_octets;
}

void checkpoint_renewed(struct b2bua *b)
{
	struct call *c;

	b->checkpoint.renewing = true;
	TAILQ_FOREACH (c, &b->calls, entry)
		enlist(c, SAVING_COPY);
	keep_users_copy(b, true);
	checkpoint_later(&b->checkpoint);
}

void checkpoint_close(struct b2bua *b)
{
	struct checkpoint *k = &b->checkpoint;

	if (!k->journal)
		return;
	timer_cancel(b->wheel, &k->timer);
	(void)save_some(k, b);
	journal_free(k->journal);
	free(k->buffer);
	free(k->directory);
	k->journal = NULL;
	k->buffer = k->directory = NULL;
}
