/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that read and change the configuration. Edits go to the candidate, which all sessions share.
 */
#pragma once

#include "ctl/args.h"
#include "ctl/client.h"

/*
 * Under this name 'commit --confirm' leaves its commit to be confirmed (RFC 6241 section 8.4, persist): the
 * session that made it ends with the command, and any later 'confirm' or 'cancel' finds it.
 */
#define CONFIGURE_PERSIST "srtpgwctl"

enum ctl_exit configure_show(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit configure_edit(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit configure_set(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit configure_delete(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit configure_validate(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit configure_discard(struct client *c, const struct ctl_args *a, struct err *e);

/* commit.c */
enum ctl_exit commit_commit(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit commit_confirm(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit commit_cancel(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit commit_rollback(struct client *c, const struct ctl_args *a, struct err *e);
enum ctl_exit commit_history(struct client *c, const struct ctl_args *a, struct err *e);

/* diff.c */
enum ctl_exit diff_show(struct client *c, const struct ctl_args *a, struct err *e);
/* The lines alone; colour: for a terminal. changes: as the operation diff answers them. */
void diff_print(const json_t *changes, bool colour, FILE *to);
