/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the names that there are somebody meant who wrote one that there is not: "did you mean ...?" */
#pragma once

#include "lib/base/str.h"

struct nearest {
	struct str wrote;
	struct str name; /* the nearest so far, of what was offered; empty: none is near */
	unsigned far;
};

/* What is written may be wrong in one letter of three: missing, too much, another, or two exchanged. */
struct nearest nearest_to(struct str wrote);

/* name: stays the caller's, as long as the result is used. The first of those that are equally near is kept.
 */
void nearest_offer(struct nearest *n, struct str name);
