/* SPDX-License-Identifier: Apache-2.0 */
/* A command line from text, as a test writes it down. */
#pragma once

#include <string.h>

/* Puts the words of a line, which it cuts up, behind argc that argv has already; at most `room` in all. How many. */
static inline int words_of(char *line, char **argv, int argc, int room)
{
	char *rest = line;

	for (char *word; argc < room && (word = strtok_r(rest, " ", &rest)) != NULL;)
		argv[argc++] = word;
	return argc;
}
