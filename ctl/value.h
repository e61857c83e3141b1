/* SPDX-License-Identifier: Apache-2.0 */
/* Values as RFC 7951 writes them: 64-bit numbers and decimals are strings, identities have a module's name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "ctl/table.h"

/* The member at the end of the names, NULL when one is missing. Ends with NULL. */
const json_t *value_at(const json_t *o, ...) __attribute__((sentinel));

/* The first member of this name at any depth, with or without a module before it; NULL: none. */
const json_t *value_find(const json_t *o, const char *name);

/* A number, also when it is written as a string; 0 for anything else. */
double value_number(const json_t *v);

/* As text, without an identity's module; "" when there is none. Numbers go to buf. */
const char *value_text(const json_t *v, char buf[32]);
void value_cell(struct table *t, const json_t *v);

/* Text as an XPath literal: in the quotes that it does not contain. False: it contains both kinds. */
bool value_quote(const char *text, char *out, size_t cap);
