/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration engine's operations on the management socket (docs/management.md): hello, get-config,
 * edit-config, set, copy-config, delete-config, validate, commit, cancel-commit, discard-changes, lock,
 * unlock, kill-session, diff, history, rollback.
 */
#pragma once

#include "lib/base/err.h"

struct engine;
struct mgmt;
struct ops_config;

/* m and e outlive it, or m is closed before: then the sessions are gone. -EEXIST, -ENOMEM. */
int ops_config_register(struct mgmt *m, struct engine *e, struct ops_config **out);
void ops_config_free(struct ops_config *o); /* behind mgmt_close(); NULL is allowed */
