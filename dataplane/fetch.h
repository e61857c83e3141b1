/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings near what the stages will read: at thousands of sessions the state behind a packet is in no near
 * cache. Each step stands on what the one before has brought, and is done for a batch behind the one that is
 * worked on, a few lines for each packet of that: batch_fetching(). The lines are those that struct leg
 * names, and the crypto backend's. Changes nothing and decides nothing.
 */
#pragma once

struct leg;
struct packet;
struct worker;

/*
 * Of the leg that a packet arrives on its source, and what says all else. By classify_leg() as soon as it
 * knows the leg: that is the first touch of its page, and of those that follow one another closely several
 * are looked up at a time.
 */
void fetch_leg(const struct leg *leg);
/* Numbers: those of what leaves, on secure legs the source's windows and what is known of keys. */
void fetch_numbers(struct worker *w, const struct packet *p);
/* The keys themselves, and what of a leg is not where most legs have it. */
void fetch_keys(struct worker *w, const struct packet *p);
