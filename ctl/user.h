/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts of browser users. */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

/* The hashes of a password, read from standard input; the gateway is not asked: c is NULL. */
enum ctl_exit user_hash(struct client *c, const struct ctl_args *a, struct err *e);
