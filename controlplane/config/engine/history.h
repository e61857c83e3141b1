/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last commits, in a folder beside the configuration file: NNNNNNNNNN.commit, whose first line is JSON
 * that says who, when and why, and whose rest is the configuration. Mode 0700, the files 0600.
 */
#pragma once

#include "controlplane/config/engine.h"

struct history_entry {
	uint64_t commit, time_ms;
	char *user, *door, *comment; /* comment may be NULL */
	bool confirmed;
};

struct history {
	char *folder;
	unsigned n;
	struct history_entry entries[ENGINE_HISTORY]; /* oldest first */
	uint64_t last;                                /* number of the newest commit; 0: none */
	bool broken;                                  /* the folder cannot be written: said once */
};

/* Reads what is there; a file that cannot be read is left out with a warning. -ENOMEM. */
int history_open(struct history *h, const char *config_path);
void history_close(struct history *h);

/*
 * Adds a commit; the oldest goes when there are too many. Its number, also when it cannot be stored (which is
 * logged: a commit is not undone for its history's sake).
 */
uint64_t history_add(struct history *h, const struct history_entry *entry, const struct lyd_node *tree);
/* This commit and what waited before it. */
void history_confirm(struct history *h, uint64_t commit);
const struct history_entry *history_find(const struct history *h, uint64_t commit);
/* The configuration of a commit as JSON text, free() it. */
int history_text(const struct history *h, uint64_t commit, char **out, struct err *e);
