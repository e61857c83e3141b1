/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main thread's directory of session ids: which exist, at which worker, and since when an id may be used
 * again. An id's low half is its place; the place is free only when its worker has let go of the session.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/msg/dp_msg.h"

enum directory_state { DIRECTORY_FREE, DIRECTORY_LIVE, DIRECTORY_DELETING };

struct directory_entry {
	dp_session_id id;
	uint8_t state; /* enum directory_state */
	uint8_t worker;
	uint16_t legs; /* bit per leg number that was asked for */
};

struct directory {
	uint32_t n, used;
	struct directory_entry *entries;
};

int directory_open(struct directory *d, uint32_t n); /* -ENOMEM */
void directory_close(struct directory *d);

/* The place an id names, NULL when it is outside the table or 0. */
static inline struct directory_entry *directory_place(const struct directory *d, dp_session_id id)
{
	return id && (uint32_t)id < d->n ? &d->entries[(uint32_t)id] : NULL;
}

/* The entry of a live session of exactly this id, or NULL. */
struct directory_entry *directory_find(const struct directory *d, dp_session_id id);

/* Ids in use from place `cursor` on, at most max; *next: where to go on, 0 at the end. */
uint32_t directory_list(
	const struct directory *d, uint32_t cursor, dp_session_id *ids, uint32_t max, uint32_t *next);
