/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/nearest.h"

#include <string.h>

#define NAME_MAX_OCTETS 63 /* no name here is longer; of what is, nothing is near */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters that are missing, too much, others, or exchanged with their neighbour (optimal string alignment).
 */
static unsigned distance(struct str a, struct str b)
{
	unsigned rows[3][NAME_MAX_OCTETS + 1], *before = rows[0], *last = rows[1], *now = rows[2];

	for (unsigned j = 0; j <= b.n; j++)
		before[j] = last[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *free_row = before;

		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			now[j] = least(
				least(last[j], now[j - 1]) + 1, last[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = free_row;
	}
	return last[b.n];
}

struct nearest nearest_to(struct str wrote)
{
	return (struct nearest){.wrote = wrote, .far = (unsigned)(wrote.n + 2) / 3 + 1};
}

void nearest_offer(struct nearest *n, struct str name)
{
	unsigned far;

	if (!n->wrote.n || !name.n || n->wrote.n > NAME_MAX_OCTETS || name.n > NAME_MAX_OCTETS)
		return;
	far = distance(n->wrote, name);
	/* One with no letter in common is no slip. */
	if (far < n->far && far < name.n) {
		n->far = far;
		n->name = name;
	}
}
