/* SPDX-License-Identifier: Apache-2.0 */
/* A room (room.h) with calls in it (gen.h): what benchmarks and tests of the worker begin with. */
#pragma once

#include "perf/gen.h"
#include "perf/room.h"

/*
 * Opens a room for conf->sessions calls and programs them; conf->gateway_mac is the room's, whatever it says.
 * On failure nothing is left open. Errors are those of room_open(), gen_open() and gen_program().
 */
int calls_open(const struct gen_conf *conf, struct room *r, struct gen **gen, struct err *err);
void calls_close(struct room *r, struct gen *gen);
