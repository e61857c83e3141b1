/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events for the control plane, coalesced per leg: a leg holds one bit for each kind, and what is reported is
 * the state at the time of reporting. So there is room for every event, and a slow control plane hears the
 * newest of each.
 */
#pragma once

#include "dataplane/session/session.h"

/* Sets a bit; the event goes out at the end of the iteration, or when there is room. */
void event_mark(struct worker *w, struct leg *leg, enum leg_event event);
/* The leg goes away: what it had to report goes too. */
void event_forget(struct worker *w, struct leg *leg);
/* Worker, at the end of an iteration: reports as much as there is room for. */
void event_flush(struct worker *w);
