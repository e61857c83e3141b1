/* SPDX-License-Identifier: Apache-2.0 */
/* All commands in one table: parsing, help, completion and the manual's check go by it. */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "ctl/args.h"
#include "ctl/client.h"

#define CTL_NAMES_MAX 2
#define CTL_WORDS_ANY UINT_MAX

struct command {
	const char *name;     /* one word or two: "show calls" */
	const char *synopsis; /* what follows the name */
	const char *summary;  /* one line */
	const char *help;     /* the rest of its help; NULL: none */
	uint32_t options;     /* 1u << enum ctl_option, beyond those of every command */
	unsigned words_min, words_max;
	const char *missing;                 /* what to say when a word is missing */
	enum ctl_names names[CTL_NAMES_MAX]; /* what its words are; those beyond are like the last */
	enum ctl_exit (*run)(struct client *c, const struct ctl_args *a, struct err *e);
	bool local; /* the gateway is not asked: c is NULL */
};

/* Ends with a nameless one. */
extern const struct command commands[];

/* The command that the words begin with, NULL when there is none; *used: how many of them are its name. */
const struct command *command_find(const char *const *words, unsigned n, unsigned *used);
/* Is it the first word of commands of two? */
bool command_is_group(const char *word);

/* Help for one command; NULL: for the program. */
void command_help(const struct command *c, FILE *to);
