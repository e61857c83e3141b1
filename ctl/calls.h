/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that the gateway has, page by page: there may be fifty thousand. */
#pragma once

#include <jansson.h>

#include "ctl/client.h"

#define CALLS_PAGE 500 /* calls asked for at once */

struct calls_filter {
	const char *state; /* NULL: any */
	const char *trunk; /* on either side; NULL: any */
	unsigned limit;    /* most calls, the newest; 0: all */
};

/*
 * Calls each() with every call that passes the filter, until it does not return CTL_OK: the newest first, but
 * of a trunk first those that came from it, then those that went to it, up to the limit of either. CTL_USAGE:
 * a name that cannot be asked for. CTL_REFUSED: there is no such trunk.
 */
typedef enum ctl_exit (*calls_fn)(void *arg, const json_t *call, struct err *e);
enum ctl_exit calls_each(
	struct client *c, const struct calls_filter *f, calls_fn each, void *arg, struct err *e);
