/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dns/weighted.h"

#include <stddef.h>

static void swap(uint8_t *a, uint8_t *b)
{
	uint8_t t = *a;

	*a = *b;
	*b = t;
}

/* By priority, those of weight 0 before the others of theirs, as the RFC wants them for the drawing. */
static void sort(const struct weighted *w, unsigned n, uint8_t *order)
{
	for (unsigned i = 0; i < n; i++) {
		order[i] = (uint8_t)i;
		for (unsigned k = i; k > 0; k--) {
			const struct weighted *a = &w[order[k - 1]], *b = &w[order[k]];

			if (a->priority < b->priority ||
				(a->priority == b->priority && (!a->weight || b->weight)))
				break;
			swap(&order[k - 1], &order[k]);
		}
	}
}

/* Draws, without putting back, from n things of one priority. */
static void draw(const struct weighted *w, unsigned n, uint32_t (*below)(uint32_t n), uint8_t *order)
{
	uint32_t sum = 0; /* at most 64 x 65535 */

	for (unsigned i = 0; i < n; i++)
		sum += w[order[i]].weight;
	for (; n > 1; order++, n--) {
		uint32_t at = below(sum + 1), so_far = w[order[0]].weight;
		unsigned i = 0;

		while (so_far < at)
			so_far += w[order[++i]].weight;
		sum -= w[order[i]].weight;
		/* The rest keeps its order: those of weight 0 stay in front. */
		for (; i > 0; i--)
			swap(&order[i - 1], &order[i]);
	}
}

void weighted_order(const struct weighted *w, unsigned n, uint32_t (*below)(uint32_t n), uint8_t *order)
{
	sort(w, n, order);
	for (unsigned from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && w[order[to]].priority == w[order[from]].priority; to++)
			;
		draw(w, to - from, below, order + from);
	}
}
