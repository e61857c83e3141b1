/* SPDX-License-Identifier: Apache-2.0 */
/* examples/interconnect.json, to be changed and read. */
#pragma once

#include "tests/support/cmocka_std.h"

#include <jansson.h>

#include "controlplane/config/config.h"

#define EXAMPLE SRTPGW_EXAMPLES "/interconnect.json"
#define G "/srtp-gateway:gateway"

/* The example as a JSON tree: what the loader accepts, less the comments. */
json_t *config_example(void);
/* Sets what `at` names ("sip/listener/0/port"; a list's length appends) to a JSON value; "" removes it. */
void config_change(json_t *root, const char *at, const char *value);
/* config_parse() of a tree as the file "test.json". */
int config_parse_tree(json_t *root, struct config **c, struct err *e);
