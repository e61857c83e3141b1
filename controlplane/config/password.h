/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of trunks: files that the configuration names, read when it comes into force. */
#pragma once

#include <stdbool.h>

#include "lib/base/secret.h"

/*
 * The first line of a file. *others: others than its owner can read it. -EINVAL: no file, an empty line, or a
 * control character; -E2BIG: over SECRET_MAX octets; others from the system. out is wiped then.
 */
int config_password_read(const char *path, struct secret *out, bool *others);
