/* SPDX-License-Identifier: Apache-2.0 */
/*
 * srtpgwctl run against a gateway that says what the test wants. The program is the real one; the gateway is
 * a script: the first line whose `asks` is in the request answers it.
 */
#pragma once

#include "tests/support/cmocka_std.h"

#include <stddef.h>

#include "ctl/exit.h"

struct line {
	const char *asks; /* NULL ends the script */
	const char
		*answer; /* one line or more; without a newline at its end: the gateway hangs up after it */
};

/* What the last run printed, and every request that it made, a line each. */
extern char output[1 << 18], errors[1 << 16], requests[1 << 16];

/* cmocka group fixtures. */
int double_setup(void **state);
int double_teardown(void **state);

/* Runs srtpgwctl with these words ('...' keeps spaces); its exit code. script NULL: nobody listens. */
int run(const struct line *script, const char *words);
/* With this on its standard input. */
int run_with_input(const struct line *script, const char *words, const char *input);

/* A file in the fixture's folder with this content; its path, good until the next call. Removed at the end.
 */
const char *file_with(const char *content);

#define OK(data) "{\"ok\":true,\"data\":" data "}\n"
#define REFUSAL(tag, path, message)                                                                          \
	"{\"error\":{\"tag\":\"" tag "\",\"type\":\"application\",\"path\":\"" path                          \
	"\",\"message\":\"" message "\"}}\n"

/* Fails unless text is in what was printed, in the errors, or in a request. */
void expect_output(const char *text);
void expect_errors(const char *text);
void expect_request(const char *text);
