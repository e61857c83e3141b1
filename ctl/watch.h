/* SPDX-License-Identifier: Apache-2.0 */
/* 'show calls --watch': the legs of all calls, again and again. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

/* Most calls asked for in full in one refresh. */
#define WATCH_CALLS_MAX 100

/* Until interrupted (SIGINT, SIGTERM), --rounds refreshes, or an error, which e then names. */
enum ctl_exit watch_calls(struct client *c, const struct ctl_args *args, struct err *e);
