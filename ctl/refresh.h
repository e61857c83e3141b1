/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share that refresh a screen until they are interrupted. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

struct refresh {
	bool terminal; /* standard output is one */
	sigset_t ending;
};

/* From here on SIGINT and SIGTERM end the pause, not the process. */
void refresh_begin(struct refresh *r);
/* A new picture: the screen is empty. Without a terminal nothing happens. */
void refresh_clear(const struct refresh *r);
/* Ends a picture and waits. True: it is enough, a signal came or nobody reads. */
bool refresh_pause(const struct refresh *r, double seconds);
/* Lines of the terminal; 0: not known. */
unsigned refresh_lines(const struct refresh *r);
