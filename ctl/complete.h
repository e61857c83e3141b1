/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the shells' completion scripts ask: "srtpgwctl complete -- WORD..." with the words of a command line
 * up to the cursor, the last one as far as it was typed. Prints what it may become, a line each, or ":files"
 * for names of files. Names of calls and trunks are asked of the gateway, if one answers.
 */
#pragma once

#include <stdio.h>

#define COMPLETE_TIMEOUT_S 2
#define COMPLETE_CALLS_MAX 200

/* words: after the program's name; n may be 0. */
void complete_words(const char *const *words, unsigned n, FILE *to);
