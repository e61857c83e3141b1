/* SPDX-License-Identifier: Apache-2.0 */
/* A key's life on a leg: loaded, used, replaced, wiped. */
#include <errno.h>
#include <string.h>

#include "dataplane/event.h"
#include "dataplane/worker_private.h"

/*
 * How long a receive key that was replaced stays: for packets that are late, from the first one under the new
 * key on. A peer may be slower with its media than with its answer, or silent: then for longer, not for ever.
 */
#define OVERLAP_NS (500 * NS_PER_MS)
#define OVERLAP_MAX_NS (10 * NS_PER_S)

/* Packets until a limit may be reached: each may be the longest that there is. */
static uint32_t credit_of(const struct leg_key *k)
{
	uint64_t most = k->more->packets_max > k->packets ? k->more->packets_max - k->packets : 0;

	if (k->packets < k->soft_packets && k->soft_packets - k->packets < most)
		most = k->soft_packets - k->packets;
	if (k->octets < k->soft_octets && (k->soft_octets - k->octets) / UINT16_MAX + 1 < most)
		most = (k->soft_octets - k->octets) / UINT16_MAX + 1;
	return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

/* A key's packets and octets. left: of the credit that it was given; octets: of the leg, its way. */
static void work_out(struct leg_key *k, uint32_t left, uint64_t octets)
{
	k->packets += k->more->credit - left;
	k->more->credit = left;
	k->octets = octets - k->more->octets_before;
}

static void tx_work_out(struct leg *leg)
{
	work_out(leg_tx(leg), leg_leaving(leg)->credit, leg_tx_octets(leg));
}

static void rx_work_out(struct leg *leg)
{
	work_out(&leg->rx, leg->rx_credit, leg_rx_octets(leg));
}

static void rx_credit(struct leg *leg)
{
	const struct leg_key *k = &leg->rx;
	uint32_t credit = credit_of(k);

	if (credit && k->packets + k->more->rtcp_packets == 0)
		credit = 1; /* key_used() is to see the first */
	leg->rx_credit = credit < UINT16_MAX ? (uint16_t)credit : UINT16_MAX;
	k->more->credit = leg->rx_credit;
}

/* From now on leg_rx_is_near(), if it may be. */
static void rx_near_begin(struct leg *leg)
{
	const struct leg_key *k = &leg->rx;

	if (leg_rx_is_near(leg) || k->role != KEY_CURRENT || k->mki_len)
		return;
	leg->rx_suite = k->suite;
	leg->rx_tag_pairs = k->rtp.tag_len / 2;
	leg->rx_era = (uint8_t)k->era;
	leg->rx_slot = k->slot;
	k->more->octets_before = leg_rx_octets(leg) - k->octets;
	rx_credit(leg);
}

static void rx_near_end(struct leg *leg)
{
	if (!leg_rx_is_near(leg))
		return;
	rx_work_out(leg);
	leg->rx_suite = SRTP_SUITE_NONE;
	leg->rx_credit = 0;
}

/* A receive key that comes back with empty windows would open all its old packets again. */
static void rx_wipe(struct worker *w, struct leg *leg, struct leg_key *k)
{
	if (k->role != KEY_NONE)
		leg->far->rx_gone[leg->far->n_rx_gone++ % RX_GONE_MAX] = k->epoch;
	if (k->role == KEY_PREVIOUS)
		TAILQ_REMOVE(&w->overlaps, leg, far->overlap);
	if (k == &leg->rx)
		rx_near_end(leg);
	leg_key_wipe(w, k);
}

static bool era_alive(const struct leg *leg, uint32_t era)
{
	for (unsigned k = 0; k < DP_KEY_SLOTS; k++)
		if (leg_rx(leg, k)->role != KEY_NONE && leg_rx(leg, k)->era == era)
			return true;
	return false;
}

/* Sources of an era that no key can open any more; what they lost stays counted. */
static void forget_eras(struct worker *w, struct leg *leg)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < leg->far->ssrc_max; i++) {
		struct source *s = leg_source(leg, i);

		if (s->used && !era_alive(leg, s->era)) {
			source_settle(leg, s);
			s->used = false;
		}
	}
	if (!leg->far->retired)
		return;
	for (uint32_t i = 0; i < leg->far->n_retired; i++)
		if (era_alive(leg, leg->far->retired[i].era))
			leg->far->retired[n++] = leg->far->retired[i];
	leg->far->n_retired = n;
	if (n == 0)
		leg_retired_put(w, leg);
}

static bool slot_used(struct leg *leg, uint32_t slot)
{
	for (unsigned i = 0; i < DP_KEY_SLOTS; i++)
		if (leg_rx(leg, i)->role != KEY_NONE && leg_rx(leg, i)->slot == slot)
			return true;
	return leg_tx(leg)->role != KEY_NONE && leg_tx(leg)->slot == slot;
}

/* The one beside what packets read, or any; SLOT_NONE. near: leg_near_rx() or leg_near_tx(). */
static uint32_t slot_free(struct worker *w, struct leg *leg, uint32_t near, enum srtp_suite suite)
{
	if (near != SLOT_NONE && !slot_used(leg, near))
		return near;
	return key_slots_take(&w->slots, suite);
}

/*
 * A free slot of the backend. Keys that were replaced hold theirs for late packets; when no other is free the
 * one replaced longest ago gives its own up, whosesoever leg, if it will do here: that costs a late packet, a
 * key refused a call.
 */
static uint32_t slot_take(struct worker *w, struct leg *leg, uint32_t near, enum srtp_suite suite)
{
	uint32_t slot = slot_free(w, leg, near, suite);
	struct leg *longest;

	if (slot != SLOT_NONE)
		return slot;
	TAILQ_FOREACH (longest, &w->overlaps, far->overlap) {
		struct leg_key *k = leg_key_role(longest, KEY_PREVIOUS);

		if (k->slot >= w->near_slots || k->slot == near) {
			rx_wipe(w, longest, k);
			forget_eras(w, longest);
			count(&w->stats.overlaps_cut, 1);
			return slot_free(w, leg, near, suite);
		}
	}
	return SLOT_NONE;
}

static void slot_put(struct worker *w, enum srtp_suite suite, uint32_t slot)
{
	if (slot >= w->near_slots)
		key_slots_put(&w->slots, suite, slot);
}

/* A key that is loaded, on its way to its place. */
struct loaded_key {
	struct leg_key key;
	struct leg_key_more more;
};

static void key_place(struct leg_key *place, const struct loaded_key *loaded, enum key_role role)
{
	struct leg_key_more *more = place->more;

	*place = loaded->key;
	place->role = (uint8_t)role;
	place->more = more;
	*more = loaded->more;
}

static int leg_key_load(
	struct worker *w, struct leg *leg, uint32_t near, struct loaded_key *out, const struct command *c)
{
	const struct dp_key_add *conf = &c->key_add.conf;
	const struct srtp_suite_info *info = srtp_suite_info(conf->suite);
	struct leg_key *k = &out->key;
	uint32_t slot;
	int rc;

	slot = slot_take(w, leg, near, conf->suite);
	if (slot == SLOT_NONE)
		return -ENOSPC;
	rc = w->backend->key_load(w->crypto, slot, &c->key_add.keys);
	if (rc < 0) {
		slot_put(w, conf->suite, slot);
		return rc;
	}
	*k = (struct leg_key){
		.suite = conf->suite,
		.mki_len = conf->mki_len,
		.slot = slot,
		.epoch = conf->epoch,
		.rtp = srtp_layout(info, conf->mki_len, false),
		.soft_packets = conf->soft_packets,
		.soft_octets = conf->soft_octets ? conf->soft_octets : UINT64_MAX,
	};
	out->more = (struct leg_key_more){
		.packets_max = info->rtp_packets_max,
		.rtcp_packets_max = info->rtcp_packets_max,
		.info = info,
	};
	if (conf->hard_packets && conf->hard_packets < out->more.packets_max)
		out->more.packets_max = conf->hard_packets;
	if (k->soft_packets == 0 || k->soft_packets > out->more.packets_max)
		k->soft_packets = out->more.packets_max - (out->more.packets_max >> SOFT_MARGIN_SHIFT);
	memcpy(out->more.mki, conf->mki, conf->mki_len);
	memcpy(out->more.salt, c->key_add.keys.rtp.salt, sizeof out->more.salt);
	return 0;
}

/*
 * Does the command bring the key that is in use, under another number? A control plane that was restarted
 * does not know the keys that it gave. Its indexes go on: with empty windows it would open old packets again,
 * and with a rollover counter of 0 no new ones.
 */
static bool is_in_use(const struct leg_key *k, const struct command *c)
{
	const struct dp_key_add *conf = &c->key_add.conf;

	return k && k->suite == conf->suite && k->mki_len == conf->mki_len &&
	       memcmp(k->more->mki, conf->mki, conf->mki_len) == 0 &&
	       mem_equal_ct(k->more->salt, c->key_add.keys.rtp.salt, sizeof k->more->salt);
}

void leg_key_wipe(struct worker *w, struct leg_key *k)
{
	if (k->role == KEY_NONE)
		return;
	w->backend->key_wipe(w->crypto, k->slot);
	slot_put(w, k->suite, k->slot);
	*k->more = (struct leg_key_more){.packets_max = 0};
	*k = (struct leg_key){.role = KEY_NONE, .more = k->more};
}

struct leg_key *leg_key_role(struct leg *leg, enum key_role role)
{
	for (unsigned i = 0; i < DP_KEY_SLOTS; i++)
		if (leg_rx(leg, i)->role == role)
			return leg_rx(leg, i);
	return NULL;
}

static bool rx_was_here(const struct leg *leg, uint32_t epoch)
{
	for (uint32_t i = 0; i < leg->far->n_rx_gone && i < RX_GONE_MAX; i++)
		if (leg->far->rx_gone[i] == epoch)
			return true;
	return false;
}

static void make_previous(struct worker *w, struct leg *leg, struct leg_key *k)
{
	leg->attended = true;
	if (k == &leg->rx)
		rx_near_end(leg);
	k->role = KEY_PREVIOUS;
	TAILQ_INSERT_TAIL(&w->overlaps, leg, far->overlap);
	k->more->until = w->now + OVERLAP_MAX_NS;
}

/* Another took the place of a key that its peer has not begun to use, and it is still to come. */
static void make_next_again(struct worker *w, struct leg *leg, struct leg_key *k)
{
	if (leg_key_role(leg, KEY_NEXT))
		return;
	TAILQ_REMOVE(&w->overlaps, leg, far->overlap);
	k->role = KEY_NEXT;
}

static void tx_wipe(struct worker *w, struct leg *leg)
{
	struct leaving *l = leg_leaving(leg);

	leg_key_wipe(w, leg_tx(leg));
	l->suite = SRTP_SUITE_NONE;
	l->credit = 0;
	leaving_forget(l);
}

void leg_keys_wipe(struct worker *w, struct leg *leg)
{
	for (unsigned i = 0; i < DP_KEY_SLOTS; i++)
		rx_wipe(w, leg, leg_rx(leg, i));
	tx_wipe(w, leg);
}

/* The current key is in use: the one before it is needed for late packets alone. */
static void overlap_ends(struct worker *w, struct leg *leg)
{
	struct leg_key *previous = leg_key_role(leg, KEY_PREVIOUS);

	if (previous && previous->more->until > w->now + OVERLAP_NS)
		previous->more->until = w->now + OVERLAP_NS;
}

void leg_keys_tick(struct worker *w, struct leg *leg)
{
	struct leg_key *previous = leg_key_role(leg, KEY_PREVIOUS);

	if (!previous || w->now < previous->more->until)
		return;
	rx_wipe(w, leg, previous);
	forget_eras(w, leg);
}

static void promote_next(struct worker *w, struct leg *leg)
{
	struct leg_key *previous = leg_key_role(leg, KEY_PREVIOUS);
	struct leg_key *current = leg_key_role(leg, KEY_CURRENT);
	struct leg_key *next = leg_key_role(leg, KEY_NEXT);

	if (!next)
		return;
	if (previous)
		rx_wipe(w, leg, previous);
	if (current)
		make_previous(w, leg, current);
	next->role = KEY_CURRENT;
	rx_near_begin(leg);
	leg->far->count.auth_failures = 0;
	guard_end(w, leg);
	forget_eras(w, leg);
}

void leg_keys_rotate(struct worker *w, struct leg *leg)
{
	if (!leg_key_role(leg, KEY_NEXT))
		return;
	promote_next(w, leg);
	overlap_ends(w, leg);
}

void leg_key_limit(struct worker *w, struct leg *leg, struct leg_key *k, enum dp_limit limit)
{
	bool tx = k == leg_tx(leg);

	if (tx)
		tx_work_out(leg);
	else if (k == &leg->rx && leg_rx_is_near(leg))
		rx_work_out(leg);
	if (k->reported & 1u << limit)
		return;
	k->reported |= (uint8_t)(1u << limit);
	*(tx ? &leg->far->limit_tx : &leg->far->limit_rx) = (struct leg_limit){
		.limit = (uint8_t)limit,
		.epoch = k->epoch,
		.packets = limit == DP_LIMIT_RTCP_PACKETS ? k->more->rtcp_packets : k->packets,
		.octets = k->octets,
	};
	event_mark(w, leg, tx ? LEG_EVENT_LIMIT_TX : LEG_EVENT_LIMIT_RX);
}

/* k has opened or sealed one more packet, or some. */
static void key_used(struct worker *w, struct leg *leg, struct leg_key *k)
{
	if (k != leg_tx(leg) && k->role == KEY_CURRENT && k->packets + k->more->rtcp_packets == 1)
		overlap_ends(w, leg);
	if (k->packets >= k->soft_packets)
		leg_key_limit(w, leg, k, DP_LIMIT_PACKETS);
	if (k->octets >= k->soft_octets)
		leg_key_limit(w, leg, k, DP_LIMIT_OCTETS);
}

void leg_key_used(struct worker *w, struct leg *leg, struct leg_key *k, uint16_t octets)
{
	k->packets++;
	k->octets += octets;
	key_used(w, leg, k);
}

void leg_key_used_rtcp(struct worker *w, struct leg *leg, struct leg_key *k)
{
	k->more->rtcp_packets++;
	key_used(w, leg, k);
	if (k->more->rtcp_packets >=
		k->more->rtcp_packets_max - (k->more->rtcp_packets_max >> SOFT_MARGIN_SHIFT))
		leg_key_limit(w, leg, k, DP_LIMIT_RTCP_PACKETS);
}

ASIDE void leg_rx_settle(struct worker *w, struct leg *leg)
{
	rx_work_out(leg);
	key_used(w, leg, &leg->rx);
	rx_credit(leg);
}

ASIDE void leg_tx_settle(struct worker *w, struct leg *leg)
{
	struct leg_key *k = leg_tx(leg);

	tx_work_out(leg);
	key_used(w, leg, k);
	leg_leaving(leg)->credit = k->more->credit = credit_of(k);
}

ASIDE void leg_tx_undone(struct leg *leg, uint16_t octets)
{
	leg->far->count.tx_packets--;
	leg->far->count.tx_octets -= octets;
	leg_tx(leg)->more->octets_before -= octets;
}

static void tx_place(struct leg *leg, const struct loaded_key *loaded)
{
	struct leaving *l = leg_leaving(leg);
	struct leg_key *k = leg_tx(leg);

	key_place(k, loaded, KEY_CURRENT);
	k->more->octets_before = leg_tx_octets(leg);
	k->more->credit = credit_of(k);
	l->suite = k->suite;
	l->mki_len = k->mki_len;
	l->tag_len = k->rtp.tag_len;
	l->key = k->slot;
	l->credit = k->more->credit;
	leaving_forget(l);
}

/* An era that no key had; nor is its lowest octet another's now, by which packets tell eras (leg.rx_era). */
static uint32_t era_next(struct leg *leg)
{
	bool taken;

	do {
		leg->far->era++;
		taken = false;
		for (unsigned i = 0; i < DP_KEY_SLOTS; i++)
			taken |= leg_rx(leg, i)->role != KEY_NONE &&
				 (uint8_t)leg_rx(leg, i)->era == (uint8_t)leg->far->era;
	} while (taken);
	return leg->far->era;
}

static int rx_add(struct worker *w, struct leg *leg, struct command *c)
{
	const struct dp_key_add *conf = &c->key_add.conf;
	bool next = conf->role == DP_KEY_NEXT;
	struct leg_key *current = leg_key_role(leg, KEY_CURRENT);
	struct loaded_key loaded;
	struct leg_key *place;
	uint32_t era;
	int rc;

	for (unsigned i = 0; i < DP_KEY_SLOTS; i++) {
		if (leg_rx(leg, i)->role == KEY_NONE || leg_rx(leg, i)->epoch != conf->epoch)
			continue;
		if (next && leg_rx(leg, i)->role == KEY_PREVIOUS)
			make_next_again(w, leg, leg_rx(leg, i));
		return 0; /* said again */
	}
	if (rx_was_here(leg, conf->epoch)) {
		snprintf(c->reason, sizeof c->reason, "receive key %u was retired already", conf->epoch);
		return -EALREADY;
	}
	if (is_in_use(current, c)) {
		/* As the next one it may still be withdrawn, and must not take the one in use with it. */
		if (!next)
			current->epoch = conf->epoch;
		return 0;
	}
	rc = leg_key_load(w, leg, leg_near_rx(w, leg), &loaded, c);
	/* No slot at all: without an overlap. */
	if (rc == -ENOSPC && !next && current) {
		rx_wipe(w, leg, current);
		count(&w->stats.overlaps_cut, 1);
		rc = leg_key_load(w, leg, leg_near_rx(w, leg), &loaded, c);
	}
	if (rc < 0)
		return rc;
	/* Agreed, and not used so far (the peer is silent, or this is sooner than its next packet): it will
	 * be. */
	promote_next(w, leg);
	current = leg_key_role(leg, KEY_CURRENT);
	place = leg_key_role(leg, KEY_NONE);
	if (!next && leg_key_role(leg, KEY_PREVIOUS))
		place = leg_key_role(leg, KEY_PREVIOUS);
	rx_wipe(w, leg, place);
	/* Indexes go on from the key that is in use, not from one that was offered and never was. */
	era = conf->fresh_index ? era_next(leg) : current ? current->era : leg->far->era;
	key_place(place, &loaded, next ? KEY_NEXT : KEY_CURRENT);
	place->era = era;
	if (!next) {
		if (current)
			make_previous(w, leg, current);
		leg->far->count.auth_failures = 0;
		rx_near_begin(leg);
	}
	guard_end(w, leg);
	forget_eras(w, leg);
	hold_retry(w, leg);
	return 0;
}

static int tx_add(struct worker *w, struct leg *leg, struct command *c)
{
	const struct dp_key_add *conf = &c->key_add.conf;
	uint32_t near = leg_near_tx(w, leg);
	struct loaded_key loaded;
	int rc;

	if (leg_tx(leg)->role != KEY_NONE && leg_tx(leg)->epoch == conf->epoch)
		return 0; /* said again: above all, its indexes do not begin again */
	if (leg->far->tx_any && conf->epoch <= leg->far->tx_epoch_last) {
		snprintf(c->reason, sizeof c->reason, "transmit key %u was there already: epochs rise",
			conf->epoch);
		return -EALREADY;
	}
	if (!(w->backend->suites >> conf->suite & 1))
		return -ENOTSUP;
	/* The one before sends no more: its slot will do where that is the best, and in want of another. */
	if (w->slots.n_free == 0 || leg_tx(leg)->slot == near)
		tx_wipe(w, leg);
	rc = leg_key_load(w, leg, near, &loaded, c);
	if (rc < 0)
		return rc;
	tx_wipe(w, leg);
	tx_place(leg, &loaded);
	leg->far->tx_any = true;
	leg->far->tx_epoch_last = conf->epoch;
	renumber_rekey(&leg->far->renumber, conf->fresh_index);
	return 0;
}

/* The leg that a command names; NULL with the reason. */
static struct leg *leg_of(struct worker *w, struct command *c, unsigned number)
{
	struct session *s = session_find(w, c->session);

	if (!s)
		snprintf(c->reason, sizeof c->reason, "no such session");
	else if (!s->legs[number])
		snprintf(c->reason, sizeof c->reason, "the session has no leg %u", number);
	return s ? s->legs[number] : NULL;
}

int session_key_add(struct worker *w, struct command *c)
{
	struct leg *leg = leg_of(w, c, c->key_add.conf.leg);
	int rc = -ENOENT;

	if (leg && leg->security == DP_SECURITY_PLAIN) {
		snprintf(c->reason, sizeof c->reason, "a plain leg takes no key");
		rc = -EPERM;
	} else if (leg) {
		rc = c->key_add.conf.direction == DP_KEY_RX ? rx_add(w, leg, c) : tx_add(w, leg, c);
		if (rc < 0 && !c->reason[0])
			snprintf(c->reason, sizeof c->reason, "backend %s: %s", w->backend->name,
				rc == -ENOSPC ? "no key slot left" : "does not take the key");
	}
	return rc;
}

int session_key_retire(struct worker *w, struct command *c)
{
	const struct dp_key_retire *r = &c->key_retire;
	struct leg *leg = leg_of(w, c, r->leg);

	if (!leg)
		return -ENOENT;
	/* A key that is gone already (replaced, or the command is said again) is what was wanted. */
	if (r->direction == DP_KEY_TX && leg_tx(leg)->role != KEY_NONE && leg_tx(leg)->epoch == r->epoch)
		tx_wipe(w, leg);
	for (unsigned i = 0; r->direction == DP_KEY_RX && i < DP_KEY_SLOTS; i++)
		if (leg_rx(leg, i)->role != KEY_NONE && leg_rx(leg, i)->epoch == r->epoch)
			rx_wipe(w, leg, leg_rx(leg, i));
	forget_eras(w, leg);
	return 0;
}
