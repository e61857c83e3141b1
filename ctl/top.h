/* SPDX-License-Identifier: Apache-2.0 */
/* The command 'watch': the whole gateway, again and again. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

#define TOP_CALLS 20 /* calls shown when the screen's height is not known */

/* Until interrupted (SIGINT, SIGTERM), --rounds refreshes, or an error, which e then names. */
enum ctl_exit top_watch(struct client *c, const struct ctl_args *a, struct err *e);
