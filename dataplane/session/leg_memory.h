/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where legs are. What RTP touches of one is in a table (struct leg), what is seldom needed in another
 * (struct leg_far). Places of the first are taken in pairs, legs that relay to each other side by side,
 * because a packet needs of both: session.h.
 *
 * And their SSRCs: sources, numbering slots, windows, and what is known of a leg's streams. Most legs
 * have one stream and a handful of SSRCs in all their life, a few have many of both. The first source and
 * slot are in struct leg; further ones begin in a block right behind struct leg_far, with room for
 * LEG_SSRC_FIRST SSRCs and one stream in all; they move to a larger block of a slab when the leg has more, up
 * to what DP_LEG_UPDATE says (ssrc_max) and DP_STREAMS_MAX. What does not fit there either (long replay
 * windows, dozens of SSRCs) is memory that came with the command. What stays of sources that gave way has a
 * slab, too.
 *
 * All of it is touched only when a leg needs it (pages.h). Blocks and slabs have room for every leg: taking
 * from them does not fail.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg/dp_msg.h"

#define LEG_SSRC_FIRST 4

struct command;
struct leg;
struct session;
struct worker;

enum leg_memory_of { LEG_MEMORY_BLOCK, LEG_MEMORY_LARGE, LEG_MEMORY_COMMAND };

/* The geometry of a leg as the control plane wants it. */
uint32_t leg_ssrc_max(const struct dp_leg_update *u);
uint32_t leg_replay_window(const struct dp_leg_update *u);

/* Octets that the command for a new leg is to bring, on a 64-octet boundary and zeroed; 0: none. */
size_t leg_memory_wanted(const struct dp_leg_update *u);

/* For a worker's legs. 0 or a negative errno value; whatever the result, closed by leg_memory_close(). */
int leg_memory_open(struct worker *w, uint32_t legs);
void leg_memory_close(struct worker *w);

/* A place for a new leg of the session, where w->n_leg_free says that there is one; its far is set, the rest
 * to be cleared, all but `beside`: that is another leg's. Beside the leg that it will relay to, when that is
 * free. */
struct leg *leg_place_take(struct worker *w, const struct session *s, const struct dp_leg_update *u);
/* Back; it is not `used` any more. */
void leg_place_put(struct worker *w, struct leg *leg);

/* A new leg's, all zero; takes c->memory[0] when there is some. */
void leg_memory_take(struct worker *w, struct leg *leg, struct command *c);
/* Back. What had come with a command is returned, its main thread frees it; else NULL. */
void *leg_memory_put(struct worker *w, struct leg *leg);

/*
 * Room for as many SSRCs and streams as the leg may have. Everything keeps its place by number; what points
 * to sources or numbering slots does not stay good. Nothing when it has the room.
 */
void leg_memory_grow(struct worker *w, struct leg *leg);
/* All SSRCs that there is room for are in use: the leg and those that it relays to get more. */
void leg_memory_grow_with_twins(struct worker *w, struct leg *leg);

/* Octets of sources, slots and windows in use, from leg->far->sources on; for tests. */
size_t leg_memory_size(const struct leg *leg);

/* Room for RETIRED_MAX retired sources; once a leg has none left it is given back. */
void leg_retired_take(struct worker *w, struct leg *leg);
void leg_retired_put(struct worker *w, struct leg *leg);
