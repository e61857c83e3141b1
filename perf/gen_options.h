/* SPDX-License-Identifier: Apache-2.0 */
/* srtpgw-gen's command line, without that of --live. */
#pragma once

#include <stdio.h>

#include "perf/gen.h"

struct gen_options {
	struct gen_conf conf;
	uint64_t packets;
	uint32_t first;
	const char
		*ports[2]; /* of legs in and out; [1] NULL: both at one; [0] NULL: a data plane of its own */
	double pps, tolerate; /* frames a second, 0: as many as go; percent of the packets */
	/* files and sockets; NULL: not asked for */
	const char *flows, *program, *write, *check, *pcap, *json;
	bool help;
};

/* -EINVAL with one line that says what is wrong. */
int gen_options_parse(int argc, char **argv, struct gen_options *o, struct err *err);
void gen_options_help(FILE *out);
