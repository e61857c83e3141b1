/* SPDX-License-Identifier: Apache-2.0 */
/* The command 'trace': a call's signalling between its two sides. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

enum ctl_exit ladder_trace(struct client *c, const struct ctl_args *a, struct err *e);

/* The ladder alone. data: what the operation trace answers. full: each message's text below its arrow. */
void ladder_print(const json_t *data, bool full, FILE *to);
