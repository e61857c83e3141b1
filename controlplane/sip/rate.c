/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/rate.h"

#include <errno.h>
#include <stdlib.h>

#include "controlplane/sip/hash.h"

#define WAYS 8    /* places that one address can have */
#define SETS 2048 /* a power of two; 16,384 sources in all */
#define BURST_S 2
#define FILL_MAX_MS 3600000 /* keeps products far from the edge */

struct rate_table {
	struct hash_key key; /* else a stranger could aim his addresses at the place of another */
	struct rate_source sets[SETS][WAYS];
};

static int64_t capacity(const struct rate_bucket *b)
{
	return (int64_t)b->per_s * BURST_S * 1000;
}

void rate_begin(struct rate_bucket *b, uint32_t per_s, uint64_t now_ms)
{
	*b = (struct rate_bucket){.per_s = per_s, .last_ms = now_ms};
	b->millis = capacity(b);
}

void rate_set(struct rate_bucket *b, uint32_t per_s)
{
	b->per_s = per_s;
	if (b->millis > capacity(b))
		b->millis = capacity(b);
}

/* A thousandth of a message comes in every millisecond for each message per second. */
static void fill(struct rate_bucket *b, uint64_t now_ms)
{
	uint64_t passed = now_ms - b->last_ms;

	b->last_ms = now_ms;
	b->millis += (int64_t)(passed < FILL_MAX_MS ? passed : FILL_MAX_MS) * b->per_s;
	if (b->millis > capacity(b))
		b->millis = capacity(b);
}

bool rate_take(struct rate_bucket *b, uint64_t now_ms)
{
	if (b->per_s == RATE_UNLIMITED)
		return true;
	fill(b, now_ms);
	if (b->millis < 1000)
		return false;
	b->millis -= 1000;
	return true;
}

void rate_charge(struct rate_bucket *b, uint64_t now_ms)
{
	if (b->per_s == RATE_UNLIMITED)
		return;
	fill(b, now_ms);
	b->millis -= 1000;
}

uint32_t rate_wait_ms(struct rate_bucket *b, uint64_t now_ms)
{
	if (b->per_s == RATE_UNLIMITED)
		return 0;
	fill(b, now_ms);
	return b->millis >= 1000 ? 0 : (uint32_t)((1000 - b->millis + b->per_s - 1) / b->per_s);
}

int rate_table_new(struct rate_table **out)
{
	struct rate_table *t = calloc(1, sizeof *t);
	int rc = t ? hash_key_make(&t->key) : -ENOMEM;

	if (rc < 0)
		free(t);
	else
		*out = t;
	return rc;
}

void rate_table_free(struct rate_table *t)
{
	free(t);
}

static struct rate_source *set_of(struct rate_table *t, const struct ip_addr *ip)
{
	struct str octets = {(const char *)ip->octets, sizeof ip->octets};

	return t->sets[hash_str(&t->key, octets) % SETS];
}

struct rate_source *rate_find(struct rate_table *t, const struct ip_addr *ip)
{
	struct rate_source *set = set_of(t, ip);

	for (unsigned i = 0; i < WAYS; i++)
		if (ip_equal(&set[i].ip, ip))
			return &set[i];
	return NULL;
}

struct rate_source *rate_source_of(
	struct rate_table *t, const struct ip_addr *ip, uint32_t per_s, uint64_t now_ms)
{
	struct rate_source *set = set_of(t, ip), *s = rate_find(t, ip);

	if (!s) {
		s = set;
		for (unsigned i = 1; i < WAYS; i++)
			if (set[i].seen_ms < s->seen_ms)
				s = &set[i];
		*s = (struct rate_source){.ip = *ip};
		rate_begin(&s->bucket, per_s, now_ms);
	}
	s->seen_ms = now_ms;
	return s;
}

const struct rate_source *rate_at(const struct rate_table *t, unsigned i)
{
	return i < SETS * WAYS ? &t->sets[i / WAYS][i % WAYS] : NULL;
}
