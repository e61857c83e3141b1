/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/media/leg_keys.h"

#include <stdlib.h>

#include "controlplane/b2bua/call.h"
#include "lib/base/clock.h"

struct leg_keyed *leg_keyed(const struct leg *l, unsigned i)
{
	if (i == 0)
		return (struct leg_keyed *)&l->first;
	return l->more && i < SDP_MEDIA_MAX ? &l->more[i - 1] : NULL;
}

const struct leg_keyed *leg_shown_keyed(const struct leg *l)
{
	const struct leg_keyed *k = leg_keyed(l, l->shown);

	return k ? k : &l->first;
}

struct leg_keyed *leg_keyed_make(struct leg *l, unsigned i)
{
	if (i && i < SDP_MEDIA_MAX && !l->more)
		l->more = calloc(SDP_MEDIA_MAX - 1, sizeof *l->more);
	return leg_keyed(l, i);
}

static const struct agreed_key *tx_at(const struct leg *l, unsigned i)
{
	const struct oa_media *m = oa_media_now(&l->oa, i);

	return m && m->open && m->keys && m->keys->established && m->keys->tx.suite != SRTP_SUITE_NONE ? &m->keys->tx
												       : NULL;
}

enum srtp_suite leg_suite_at(const struct leg *l, unsigned i)
{
	const struct agreed_key *tx = tx_at(l, i);

	return tx ? tx->suite : SRTP_SUITE_NONE;
}

uint32_t leg_keyed_mask(const struct leg *l)
{
	uint32_t mask = 0;

	for (unsigned i = 0; oa_media_now(&l->oa, i); i++)
		mask |= (uint32_t)(tx_at(l, i) != NULL) << i;
	return mask;
}

uint64_t leg_key_age_ms(const struct leg *l)
{
	uint64_t now = timer_now_ms(l->call->b->wheel), oldest = 0;
	uint32_t mask = leg_keyed_mask(l);

	for (unsigned i = 0; mask >> i; i++) {
		const struct leg_keyed *k = mask >> i & 1 ? leg_keyed(l, i) : NULL;

		if (k && k->keyed_ms && now - k->began_ms > oldest)
			oldest = now - k->began_ms;
	}
	return oldest;
}

void leg_key_restore_age(const struct leg *l, struct leg_keyed *k)
{
	uint64_t wall = clock_wall_ms();

	k->began_ms = timer_now_ms(l->call->b->wheel) - (wall > k->keyed_ms ? wall - k->keyed_ms : 0);
}

/* The first transport that is in use, with keys or without; of none the first. */
static unsigned first_open(const struct leg *l)
{
	const struct oa_media *m;

	for (unsigned i = 0; (m = oa_media_now(&l->oa, i)) != NULL; i++)
		if (m->open)
			return i;
	return 0;
}

void leg_view_keys(struct leg *l)
{
	uint32_t mask = leg_keyed_mask(l);
	uint64_t oldest = 0;

	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
		const struct leg_keyed *k = mask >> i & 1 ? leg_keyed(l, i) : NULL;

		if (k && k->keyed_ms && (!oldest || k->keyed_ms < oldest))
			oldest = k->keyed_ms;
	}
	if (oldest)
		l->keyed_ms = oldest;
	l->shown = (uint8_t)first_open(l);
	l->suite = leg_suite_at(l, l->shown);
}

/* Without memory a key is not told from the one before it. */
static bool begins(struct leg *l, unsigned i)
{
	const struct agreed_key *tx = tx_at(l, i);
	struct leg_keyed *k = tx ? leg_keyed_make(l, i) : NULL;

	if (!k || (k->keyed_ms && k->key_epoch == tx->epoch))
		return false;
	k->keyed_ms = clock_wall_ms();
	k->began_ms = timer_now_ms(l->call->b->wheel);
	k->key_epoch = tx->epoch;
	return true;
}

void leg_note_keys(struct leg *l)
{
	uint32_t began = 0;

	for (unsigned i = 0; oa_media_now(&l->oa, i); i++)
		began |= (uint32_t)begins(l, i) << i;
	leg_view_keys(l);
	for (unsigned i = 0; began >> i; i++)
		if (began >> i & 1)
			rekey_began(l, i);
}

void leg_keys_forget(struct leg *l)
{
	free(l->first.handshake);
	for (unsigned i = 0; l->more && i < SDP_MEDIA_MAX - 1; i++)
		free(l->more[i].handshake);
	free(l->more);
	l->first.handshake = NULL;
	l->more = NULL;
}
