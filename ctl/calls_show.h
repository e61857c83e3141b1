/* SPDX-License-Identifier: Apache-2.0 */
/* 'show calls' beyond the newest few: those of a trunk or a state, or all, however many there are. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

#define CALLS_SHOW_NEWEST 200 /* without --limit and --all */

enum ctl_exit calls_show(struct client *c, const struct ctl_args *a, struct err *e);
