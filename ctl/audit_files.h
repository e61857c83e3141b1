/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an audit that a command names, which are one chain. */
#pragma once

#include "ctl/args.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/* A line without its line end. CTL_REFUSED: something is wrong with it, and e will name file and line. */
typedef enum ctl_exit (*audit_line_fn)(void *arg, struct str line, struct err *e);

/* Each line of the files, the oldest file first, in whichever order they are named (as they are named, with a
 * pipe among them), until see() does not say CTL_OK. */
enum ctl_exit audit_each_line(const struct ctl_args *a, audit_line_fn see, void *arg, struct err *e);
/* The file that was written last; borrowed from a. */
const char *audit_newest(const struct ctl_args *a);
