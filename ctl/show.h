/* SPDX-License-Identifier: Apache-2.0 */
/* The commands 'show ...' about calls and trunks. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

enum ctl_exit show_calls(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit show_call(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit show_stats(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit show_trunks(struct client *c, const struct ctl_args *a, struct err *e);

/* The operation get: limit 0 for none. *data is the caller's. */
enum ctl_exit show_get(struct client *c, const char *xpath, unsigned limit, json_t **data, struct err *e);
/* Which calls the options ask for. */
enum ctl_exit show_calls_xpath(const struct ctl_args *a, char *xpath, size_t cap, struct err *e);
