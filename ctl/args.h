/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, and the help that describes it. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "ctl/exit.h"
#include "lib/base/err.h"

#define CTL_SOCKET "/run/srtpgw/ctl.sock"

enum ctl_what { CTL_NOTHING, CTL_CALLS, CTL_CALL, CTL_STATS, CTL_TRUNKS };

struct ctl_args {
	const char *socket;
	enum ctl_what what;
	const char *id;    /* of the call, with CTL_CALL */
	const char *state; /* only calls in it; NULL: all */
	bool json;
	bool help, version; /* to be printed, and nothing else done */
	double watch_s;     /* seconds between refreshes; 0: once */
	unsigned rounds;    /* refreshes before the watch ends; 0: until interrupted */
};

/*
 * Options may stand anywhere. The socket's default is $SRTPGW_SOCKET, then CTL_SOCKET. -EINVAL: e says what
 * is wrong with the command line. out points into argv.
 */
int args_parse(int argc, char **argv, struct ctl_args *out, struct err *e);

/* Help for what was named so far: the program, or one command. */
void args_help(enum ctl_what what, FILE *to);
