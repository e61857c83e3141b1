/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who takes over from this process: the program that lies on the disk now, perhaps a newer one, with the same
 * command line, environment and process id. Whatever supervises the process notices nothing.
 */
#pragma once

#include <limits.h>

#include "lib/base/err.h"

struct successor {
	char program[PATH_MAX]; /* empty: it is not known where it is */
	char **argv;            /* borrowed; NULL ends it */
};

/* At the start, while the program's own file has its place. */
void successor_find(struct successor *s, char **argv);
/*
 * Would it start? It is asked to check the configuration (--check), which takes a fraction of a second; one
 * that does not answer is given up after 10 s. -EINVAL and others, with what it said.
 */
int successor_check(const struct successor *s, struct err *e);
/* The end of this process. Returns only when that could not be: a negative errno value. */
int successor_start(const struct successor *s);
