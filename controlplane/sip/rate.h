/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many messages each address may send: a token bucket for every source, in a table of fixed size. Pure;
 * times are milliseconds of a clock that does not jump.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/netaddr.h"

#define RATE_UNLIMITED UINT32_MAX

/* A bucket holds two seconds' worth. Zeroed and filled by rate_begin() before use. */
struct rate_bucket {
	uint32_t per_s;
	int64_t millis;   /* thousandths of messages left; below 0: taken ahead of time */
	uint64_t last_ms; /* when it was filled up last */
};

/* A full one. */
void rate_begin(struct rate_bucket *b, uint32_t per_s, uint64_t now_ms);
/* Another rate; what is left stays, as far as it fits. */
void rate_set(struct rate_bucket *b, uint32_t per_s);
/* Takes one message; false, and nothing is taken, when there is none left. */
bool rate_take(struct rate_bucket *b, uint64_t now_ms);
/* Takes one that is here already, if need be ahead of time. */
void rate_charge(struct rate_bucket *b, uint64_t now_ms);
/* Milliseconds until one is there again; 0: now. */
uint32_t rate_wait_ms(struct rate_bucket *b, uint64_t now_ms);

/* A source as the table has it. Good until the next rate_source_of(). */
struct rate_source {
	struct ip_addr ip;
	struct rate_bucket bucket;
	uint64_t seen_ms;  /* last */
	uint64_t asked_ms; /* when its rate was looked up last */
	uint64_t known_until_ms;
};

struct rate_table;
int rate_table_new(struct rate_table **out); /* -ENOMEM, -EIO */
void rate_table_free(struct rate_table *t);  /* NULL is allowed */
/* NULL: it is not there. */
struct rate_source *rate_find(struct rate_table *t, const struct ip_addr *ip);
/* As rate_find(), else a new one in place of the one of its set that was silent the longest. */
struct rate_source *rate_source_of(
	struct rate_table *t, const struct ip_addr *ip, uint32_t per_s, uint64_t now_ms);
/* To look at all: the place of number i, with ip.family IP_NONE when it is empty; NULL: there is no such place. */
const struct rate_source *rate_at(const struct rate_table *t, unsigned i);
