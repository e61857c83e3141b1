/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: are peers there? Where a trunk's health-check says so, every address of its peers is
 * sent an OPTIONS (RFC 3261 section 11) time and again. One that does not answer several times in a row is
 * down: no call goes there until it answers again.
 */
#pragma once

#include <stdbool.h>

struct b2bua;
struct peer_state;
struct peer_target;

/* A new configuration: checks begin, end or go on. */
void health_commit(struct b2bua *b);
/* Nothing is sent to the target or the peer any more, and no answer is waited for. */
void health_forget_target(struct peer_target *t);
void health_forget(struct peer_state *p);
/* No address of the peer takes calls. A peer without one is not down. */
bool health_is_down(const struct peer_state *p);
