/* SPDX-License-Identifier: Apache-2.0 */
/* The management socket's file: who may open it, and what becomes of one that was left behind. */
#pragma once

#include "lib/base/err.h"

/* A listening, non-blocking, close-on-exec socket, the caller's. Errors as mgmt_open(). */
int mgmt_socket_listen(const char *path, const char *group, struct err *e);
