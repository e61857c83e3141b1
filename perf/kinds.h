/* SPDX-License-Identifier: Apache-2.0 */
/* The usual kinds of calls, each through a worker of its own: for figures that are counted and not timed. */
#pragma once

#include <stdint.h>

#include "perf/calls.h"
#include "perf/figures.h"

/* Takes the kind's figure, from packets that it sends through the room. 0 or a negative errno value. */
typedef int (*kind_measure)(struct room *room, struct gen *gen, struct figure *f);

/*
 * `what`.KIND in `unit`, one after the other, over so many calls. ready, NULL: nothing: what is still in the
 * way once a kind's calls are there, 0 or a negative errno value with the reason. Every packet must have come
 * back right.
 */
int kinds_measure(const char *what, const char *unit, uint32_t calls, kind_measure measure,
	int (*ready)(struct err *err), struct figures *figures, struct err *err);
