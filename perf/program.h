/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmarks have in common as programs: their command line, --help, and how figures leave. They
 * take arguments by place; --help and -h are the only options.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "perf/figures.h"

#define PROGRAM_ARGUMENTS_MAX 3
/* The file that the figures are written to is the argument of this name. */
#define PROGRAM_JSON "RESULT.json"

/* An error: the command line is wrong. No errno value is. */
#define PROGRAM_USAGE (-10000)

struct program_argument {
	const char *name; /* as the usage has it; NULL: no more */
	const char *what; /* a phrase for --help */
	bool needed;      /* else it may be left out, with all behind it */
};

#define PROGRAM_JSON_ARGUMENT                                                                                \
	{                                                                                                    \
		PROGRAM_JSON, "the figures, as JSON", false                                                  \
	}

struct program {
	const char *name;
	const char *what; /* whole lines for --help */
	struct program_argument arguments[PROGRAM_ARGUMENTS_MAX];
};

/*
 * What a program is for. values: its arguments by place, NULL where they are left out. PROGRAM_USAGE: one of
 * them is wrong; other errors: no figures. err has the line that says why.
 */
typedef int (*program_run)(const char *const *values, struct figures *figures, void *user, struct err *err);

/*
 * All of main(): prints the figures, and writes them to PROGRAM_JSON when run() was right. The exit status: 0;
 * 1: it failed; 2: the command line is wrong.
 */
int program_main(const struct program *p, int argc, char **argv, program_run run, void *user);

/* An argument that is a number; fallback where it is left out. PROGRAM_USAGE with the line in err. */
int program_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t fallback,
	uint32_t *out, struct err *err);
