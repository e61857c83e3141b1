/* SPDX-License-Identifier: Apache-2.0 */
/* The command 'monitor': what the gateway reports, as it happens. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

enum ctl_exit monitor_follow(struct client *c, const struct ctl_args *a, struct err *e);

/* One notification as a line: its time, its name, its leaves as name=value. */
void monitor_print(const json_t *notification, FILE *to);
