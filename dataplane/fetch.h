/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings near what the stages will read, a batch at a time: at thousands of sessions the state behind a
 * packet is in no near cache, and each stage would wait for it packet by packet. The lines are those that
 * struct leg, struct source, struct renumber_slot and struct leg_key name. Changes nothing and decides
 * nothing: a frame that it does not understand costs the stages a wait and no more.
 */
#pragma once

struct worker;
struct batch;

/* Before classify_packet(): table entries and the legs that they name. */
void fetch_legs(const struct worker *w, const struct batch *b);

/* Behind it: sources and keys of the legs, the legs on the other side, their numbering and keys. */
void fetch_twins(const struct batch *b);
