/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one command of the table in commands.h, its words and its options. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "ctl/exit.h"
#include "lib/base/err.h"

#define CTL_SOCKET "/run/srtpgw/ctl.sock"

struct command;

enum ctl_option {
	/* for every command */
	OPT_SOCKET,
	OPT_JSON,
	OPT_HELP,
	OPT_VERSION,
	/* for those that name them in their table */
	OPT_ALL,
	OPT_CALL,
	OPT_CALLS,
	OPT_COMMENT,
	OPT_CONFIRM,
	OPT_COUNT,
	OPT_DEFAULTS,
	OPT_FORMAT,
	OPT_FROM,
	OPT_FULL,
	OPT_INTERVAL,
	OPT_KEY,
	OPT_LIMIT,
	OPT_OVERWRITE,
	OPT_REASON,
	OPT_REPLACE,
	OPT_ROUNDS,
	OPT_SINCE,
	OPT_SOURCE,
	OPT_STATE,
	OPT_SUITE,
	OPT_TIMEOUT,
	OPT_TLS,
	OPT_TO,
	OPT_TRUNK,
	OPT_WATCH,
	OPTIONS
};

/* What stands where a word or an option's value is wanted: for completion. */
enum ctl_names {
	NAMES_NONE,
	NAMES_CALLS,
	NAMES_TRUNKS,
	NAMES_PATHS,
	NAMES_FILES,
	NAMES_NOTIFICATIONS,
	NAMES_COMMITS, /* numbers of commits */
	NAMES_STORES,  /* the same, and datastores */
	NAMES_VALUES,
	NAMES_CHOICES
};

enum ctl_value { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER, VALUE_SECONDS, VALUE_CHOICE };

struct ctl_option_spec {
	const char *name; /* with its dashes */
	enum ctl_value value;
	bool optional;   /* it may stand without a value, which is then fallback */
	double min, max; /* VALUE_NUMBER (whole), VALUE_SECONDS */
	double fallback;
	const char *choices; /* VALUE_CHOICE: words separated by spaces */
	const char *what;    /* what the value is, for messages: "a state" */
	enum ctl_names names;
};

extern const struct ctl_option_spec ctl_options[OPTIONS];

struct ctl_args {
	const char *socket;
	const struct command *command; /* never NULL after a parse that went well, but for help and version */
	const char *const *words;      /* after the command's name */
	unsigned n_words;
	bool given[OPTIONS];
	const char *text[OPTIONS]; /* VALUE_TEXT, VALUE_CHOICE; NULL: not given */
	double number[OPTIONS];    /* VALUE_NUMBER, VALUE_SECONDS; 0: not given */
};

/*
 * Options may stand anywhere; "--" ends them. The socket's default is $SRTPGW_SOCKET, then CTL_SOCKET.
 * -EINVAL: e says what is wrong with the command line; out->command is then as far as it was understood. out
 * points into argv, whose words that are no options come to stand at its beginning.
 */
int args_parse(int argc, char **argv, struct ctl_args *out, struct err *e);

static inline bool args_json(const struct ctl_args *a)
{
	return a->given[OPT_JSON];
}
