/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a group of users may use: the sockets of both planes. */
#pragma once

#include "lib/base/err.h"

/*
 * Gives what is at path, and not what a link there names, to the group and lets it read and write (mode
 * 0660). -ENOENT: there is no such group; -EPERM: the process is neither in it nor privileged. err says
 * which.
 */
int file_group_give(const char *path, const char *group, struct err *err);
