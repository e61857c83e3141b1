/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows under a heading, in columns as wide as their widest cell. Cells may hold what a caller put into a SIP
 * header: what could move the cursor or turn the line around is shown as '?'.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

struct table;

/*
 * headings: names of the columns, separated by spaces; one that begins with '>' is aligned to the right. NULL
 * without memory; the functions below take that and do nothing.
 */
struct table *table_new(const char *headings);
/* Cells fill the columns from left to right; a full row begins the next. NULL and "" are shown as "-". */
void table_text(struct table *t, const char *z);
void table_number(struct table *t, int64_t v);
void table_fixed(struct table *t, double v, int digits);
/* Prints and frees. A row that is not full is filled with "-". */
void table_print(struct table *t, FILE *to);

/* One text, made harmless in the same way. */
void print_harmless(const char *z, FILE *to);
