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
/*
 * Shows a picture of whole lines: on a terminal instead of the one before, and no more of it than fits, so
 * that it does not scroll; else below it, with an empty line behind.
 */
void refresh_show(const struct refresh *r, const char *text);
/* The part of a picture that fits. */
void refresh_clip(const char *text, unsigned lines, unsigned columns, FILE *to);
/* Waits. True: it is enough, a signal came or nobody reads. */
bool refresh_pause(const struct refresh *r, double seconds);
/* The end of it all: what comes next does not stand in the last picture. */
void refresh_end(const struct refresh *r);
/* Lines of the terminal; 0: not known. */
unsigned refresh_lines(const struct refresh *r);
