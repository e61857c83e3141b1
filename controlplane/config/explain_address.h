/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a value that should be an IP address, a network or a host. */
#pragma once

#include <stdbool.h>

#include "lib/base/str.h"

struct lysc_type;
struct wbuf;

/* False: the type takes something else, and nothing was written. type: NULL is allowed. */
bool explain_address(const struct lysc_type *type, struct str value, struct wbuf *w);
