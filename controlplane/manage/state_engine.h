/* SPDX-License-Identifier: Apache-2.0 */
/* The state of management itself: sessions and commits. */
#pragma once

struct engine;
struct gather;

/* e outlives g. -ENOMEM. */
int state_engine_register(struct gather *g, struct engine *e);
