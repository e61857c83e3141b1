/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings near what the stages will read: at thousands of sessions the state behind a packet is in no near
 * cache. Each step stands on what the one before has brought, and is done for the batch behind the one that
 * is worked on; the last, of keys, at the start of its own turn. The lines are those that struct leg names,
 * and the crypto backend's. Changes nothing and decides nothing.
 *
 * There are two kinds. The first touch of a page waits until the processor knows where the page lies, and it
 * looks for several at a time only when little else stands between them: reach_*() is for loops of their own.
 * What lies in the same pages costs next to nothing between other work, as long as there is work enough:
 * fetch_*() is for batch_fetching(), a few lines a stage.
 */
#pragma once

struct worker;
struct packet;

/* The leg that a packet arrives on: behind classify_leg(). */
void reach_leg(struct worker *w, const struct packet *p);
/* Its source, and what begins that which leaves by the leg beside. */
void fetch_leg(struct worker *w, const struct packet *p);
/* Numbers: those of what leaves, on secure legs the source's windows and what is known of keys. */
void fetch_numbers(struct worker *w, const struct packet *p);
/* The keys themselves, and what of a leg is not where most legs have it. */
void reach_keys(struct worker *w, const struct packet *p);
void fetch_keys(struct worker *w, const struct packet *p);
