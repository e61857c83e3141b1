/* SPDX-License-Identifier: Apache-2.0 */
/* The commands 'show ...' about calls and trunks. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

enum ctl_exit show_calls(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit show_call(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit show_stats(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit show_trunks(struct client *c, const struct ctl_args *a, struct err *e);
