/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration in a file, as requests carry it. */
#pragma once

#include <jansson.h>

#include "ctl/exit.h"
#include "lib/base/err.h"

#define CONFIG_TEXT_MAX (64u << 20)

/*
 * Reads FILE ("-": standard input): JSON, or XML when it begins with '<'. *args gets the members "config" and
 * "format"; lines of JSON that begin with // are comments. CTL_FAILED (it cannot be read), CTL_REFUSED (it is
 * not JSON: e names the line).
 */
enum ctl_exit config_text_read(const char *file, json_t *args, struct err *e);
