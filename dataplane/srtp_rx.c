/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/srtp_rx.h"

#include <string.h>

#include "dataplane/crypto_run.h"
#include "dataplane/session/heard.h"
#include "dataplane/srtcp.h"
#include "dataplane/worker_private.h"
#include "lib/srtp/index.h"
#include "lib/srtp/rtcp_hdr.h"

/* Tries come in pairs: the index most likely meant, then the other one of a stream without state. */
static const enum key_role key_order[] = {KEY_CURRENT, KEY_NEXT, KEY_PREVIOUS};
#define KEYS_TRIED (sizeof key_order / sizeof *key_order)
_Static_assert(KEYS_TRIED * 2 == PACKET_TRIES_MAX, "two tries per key");

/* The first reason counts: it is the current key's. */
static bool refuse(struct packet *p, enum dp_verdict v)
{
	if (p->refused == DP_V_NO_KEY)
		p->refused = (int16_t)v;
	return false;
}

/* The index of a packet whose source gave way to another: only what is newer than all that it sent. */
static bool retired_index(struct packet *p, const struct retired_source *r)
{
	p->index = srtp_index_estimate(r->rtp_end - 1, p->rtp.seq);
	if (p->index == SRTP_INDEX_NONE)
		return refuse(p, DP_V_KEY_EXPIRED);
	return p->index >= r->rtp_end || refuse(p, DP_V_TOO_OLD);
}

/* The index of a try, or false when there is none or it was received already. */
static bool rtp_index(struct packet *p, const struct leg_key *k, unsigned attempt)
{
	const struct source *s = leg_source_find(p->in, p->ssrc, k->era);
	const struct retired_source *r = s ? NULL : leg_retired_find(p->in, p->ssrc, k->era);
	uint16_t seq = p->rtp.seq;

	if (r && r->rtp_end)
		return attempt == 0 && retired_index(p, r);
	if (!s || srtp_replay_empty(&s->window)) {
		if (attempt >= srtp_index_first_tries(seq))
			return false;
		p->index = srtp_index_first(seq, attempt);
		return true;
	}
	if (attempt > 0)
		return false;
	p->index = srtp_index_estimate(srtp_replay_highest(&s->window), seq);
	if (p->index == SRTP_INDEX_NONE)
		return refuse(p, DP_V_KEY_EXPIRED);
	switch (srtp_replay_peek(&s->window, p->index)) {
	case SRTP_REPLAY_SEEN:
		return refuse(p, DP_V_REPLAY);
	case SRTP_REPLAY_OLD:
		return refuse(p, DP_V_TOO_OLD);
	case SRTP_REPLAY_NEW:
		break;
	}
	return true;
}

/* The job that opens a packet of `body` octets, header and payload, with what p->index says. tag: behind the
 * body. */
static inline void rtp_job(struct packet *p, uint32_t slot, uint16_t body, uint8_t tag, uint8_t tag_len)
{
	p->job.pkt = p->data;
	p->job.len = body;
	p->job.aad_len = p->rtp.len;
	p->job.slot = slot;
	p->job.index = srtp_index_roc(p->index);
	p->job.op = CRYPTO_RTP_UNPROTECT;
	p->job.tag = p->data + body + tag;
	p->job.tag_len = tag_len;
}

static bool rtp_try(struct packet *p, const struct leg_key *k, unsigned attempt)
{
	const struct srtp_layout *l = &k->rtp;
	uint16_t body;

	if (p->len < p->rtp.len + l->total)
		return refuse(p, DP_V_MALFORMED);
	body = p->len - l->total;
	if (!leg_key_named(k, p->data + body + l->mki))
		return false;
	if (leg_key_expired(k, false))
		return refuse(p, DP_V_KEY_EXPIRED);
	if (!rtp_index(p, k, attempt))
		return false;
	rtp_job(p, k->slot, body, l->tag, l->tag_len);
	return true;
}

/* Of the last packet, if that is the next one's, too: under the key in leg->rx_era and what follows it. */
static inline struct source *near_source(const struct packet *p)
{
	const struct leg *leg = p->in;
	struct source *s = leg_source(leg, leg->last_source);

	return s->used && s->ssrc == p->ssrc && (uint8_t)s->era == leg->rx_era ? s : NULL;
}

/*
 * The first try of the next packet of the last source, under a key that leg_rx_is_near(): what next_try()
 * comes to then. false: it is not one, and nothing has changed.
 */
static inline bool next_packet(struct packet *p)
{
	const struct leg *leg = p->in;
	uint8_t tag_len = leg->rx_tag_pairs * 2;
	const struct source *s = near_source(p);
	uint16_t body = p->len - tag_len;

	if (p->kind != PACKET_RTP || !leg_rx_is_near(leg) || leg->rx_credit == 0 || !s ||
		p->len < p->rtp.len + tag_len || srtp_replay_empty(&s->window) ||
		(uint16_t)s->window.end != p->rtp.seq || s->window.end > SRTP_INDEX_MAX)
		return false;
	p->index = s->window.end;
	p->tries = 1;
	p->next = true;
	rtp_job(p, leg->rx_slot, body, 0, tag_len);
	return true;
}

static bool try_prepare(struct packet *p, unsigned number)
{
	const struct leg_key *k = leg_key_role(p->in, key_order[number / 2]);

	if (!k)
		return false;
	p->key = leg_rx_number(p->in, k);
	return p->kind == PACKET_RTCP ? srtcp_rx_try(p, k, number % 2) : rtp_try(p, k, number % 2);
}

static ASIDE int next_try(struct packet *p)
{
	while (p->tries < PACKET_TRIES_MAX)
		if (try_prepare(p, p->tries++))
			return PACKET_ON;
	return p->refused;
}

/* Packets of the same batch may have moved the stream on: the estimate may be another one now. */
static bool same_try_again(struct packet *p)
{
	uint64_t before = p->index;

	if (p->fresh_try)
		return false;
	p->fresh_try = true;
	return try_prepare(p, p->tries - 1u) && p->index != before;
}

/* No key opened the packet. One may come with the answer to an outstanding offer. */
static ASIDE int not_opened(struct worker *w, struct packet *p)
{
	struct leg_key *current = leg_key_role(p->in, KEY_CURRENT);
	int verdict = p->refused;

	if (verdict == DP_V_AUTH_FAIL || verdict == DP_V_NO_KEY)
		verdict = hold_for_key(w, p, verdict);
	if (verdict == DP_V_AUTH_FAIL && !p->foreign)
		guard_failed(w, p->in);
	if (verdict == DP_V_AUTH_FAIL && current) {
		count(&p->in->far->count.auth_failures, 1);
		if (p->in->far->count.auth_failures >= leg_key_failures_soft(current))
			leg_key_limit(w, p->in, current, DP_LIMIT_AUTH_FAILURES);
	}
	return verdict;
}

static int plain_accept(struct worker *w, struct packet *p)
{
	struct leg *leg = p->in;
	struct source *s = leg_source_find(leg, p->ssrc, 0);

	/* It may be learned from: no report, no place. What media may be is foreign_admit()'s to say. */
	if (p->kind == PACKET_RTCP && rtcp_check(p->data, p->len) < 0)
		return DP_V_MALFORMED;
	if (!s && p->kind == PACKET_RTP) {
		s = leg_source_new(w, leg, p->ssrc, 0);
		if (!s)
			return DP_V_SSRC_LIMIT;
	}
	source_heard(w, p, s);
	return PACKET_ON;
}

int srtp_rx_peek(struct worker *w, struct packet *p)
{
	if (p->in->security == DP_SECURITY_PLAIN)
		return plain_accept(w, p);
	p->sealed = true;
	p->refused = DP_V_NO_KEY;
	if (rte_pktmbuf_tailroom(p->m) < CRYPTO_TAILROOM)
		return DP_V_TOO_LONG;
	if (likely(next_packet(p)) || next_try(p) == PACKET_ON) {
		crypto_add(w, &p->job);
		return PACKET_ON;
	}
	return not_opened(w, p);
}

/* A packet of rx, whose credit is not used up, once its leg has counted it. */
static inline void credit_used(struct worker *w, struct leg *leg)
{
	if (unlikely(--leg->rx_credit == 0))
		leg_rx_settle(w, leg);
}

/* The tag is right. State moves here and in commit_next(), and nowhere else. */
static ASIDE int commit(struct worker *w, struct packet *p)
{
	struct leg *leg = p->in;
	struct leg_key *k = leg_rx(leg, p->key);
	struct source *s = leg_source_find(leg, p->ssrc, k->era);
	bool rtcp = p->kind == PACKET_RTCP;
	enum srtp_replay_verdict v;

	if (!s) {
		s = leg_source_new(w, leg, p->ssrc, k->era);
		count(&w->stats.roc_resyncs, s && !rtcp && !(p->tries % 2)); /* the second try of a pair */
	}
	if (!s)
		return DP_V_SSRC_LIMIT;
	v = srtp_replay_commit(rtcp ? leg_rtcp_window(leg, s) : &s->window, p->index);
	if (v != SRTP_REPLAY_NEW)
		return v == SRTP_REPLAY_SEEN ? DP_V_REPLAY : DP_V_TOO_OLD;
	if (unlikely(leg->guarded))
		guard_passed(leg, p);
	p->len = p->job.len;
	p->sealed = false;
	if (k->role == KEY_NEXT)
		leg_due(w, leg, LEG_DUE_ROTATE);
	source_heard(w, p, s);
	if (rtcp)
		leg_key_used_rtcp(w, leg, k);
	else if (k == &leg->rx && leg->rx_credit)
		credit_used(w, leg);
	else
		leg_key_used(w, leg, k, p->len);
	return PACKET_ON;
}

/* The same of what next_packet() found, with a look at the leg alone. */
static inline int commit_next(struct worker *w, struct packet *p)
{
	struct leg *leg = p->in;
	struct source *s = near_source(p);

	/* Packets of the same batch may have changed it. */
	if (unlikely(!s || leg->rx_credit == 0 || s->window.end != p->index))
		return commit(w, p);
	srtp_replay_commit_next(&s->window);
	if (unlikely(leg->guarded))
		guard_passed(leg, p);
	p->len = p->job.len;
	source_heard(w, p, s);
	p->sealed = false; /* not before: read with its neighbours, it would have to reach the cache first */
	credit_used(w, leg);
	return PACKET_ON;
}

/* The tag does not match what was tried. */
static ASIDE int try_again(struct worker *w, struct packet *p)
{
	bool again;

	p->next = false;
	again = same_try_again(p);
	if (!again) {
		refuse(p, DP_V_AUTH_FAIL);
		p->fresh_try = false;
		again = next_try(p) == PACKET_ON;
	}
	if (!again)
		return not_opened(w, p);
	crypto_add(w, &p->job);
	return PACKET_ON;
}

/* What a round of crypto says about a packet; PACKET_ON and still sealed: another round. */
static int round_result(struct worker *w, struct packet *p)
{
	if (!p->sealed)
		return PACKET_ON;
	if (p->job.status == CRYPTO_OK)
		return likely(p->next) ? commit_next(w, p) : commit(w, p);
	if (p->job.status != CRYPTO_TAG_FAIL)
		return DP_V_BACKEND_FAULT;
	return try_again(w, p);
}

/* No packet of the batch looks at keys or sources any more. */
static void leg_do_what_is_due(struct worker *w, struct leg *leg)
{
	uint8_t due = leg->due;

	leg->due = 0;
	if (due & LEG_DUE_ROTATE)
		leg_keys_rotate(w, leg);
	if (due & LEG_DUE_GROW)
		leg_memory_grow_with_twins(w, leg);
}

void srtp_rx_open(struct worker *w, struct batch *b)
{
	while (w->round.n) {
		crypto_run(w);
		batch_each(w, b, round_result);
	}
	while (w->n_due)
		leg_do_what_is_due(w, w->due[--w->n_due]);
}
