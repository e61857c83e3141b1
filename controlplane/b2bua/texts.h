/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: texts that many calls have in common, such as how the signalling of a trunk is protected and whose
 * certificate it is. One copy of each, counted.
 */
#pragma once

#include "lib/base/str.h"

struct texts;

/* NULL without memory or random numbers. */
struct texts *texts_new(void);
void texts_free(struct texts *t); /* with all that is in it; NULL is ignored */

/*
 * *slot holds the text s from now on, which ends with a NUL there, instead of what it held; NULL: nothing, as of an
 * empty text. -ENOMEM: it holds nothing.
 */
int texts_hold(struct texts *t, const char **slot, struct str s);
void texts_drop(struct texts *t, const char **slot);
/* Different texts that are held. */
unsigned texts_count(const struct texts *t);
