/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Equal pieces of memory that one worker takes and gives back. Those given back last are taken first, so that
 * only as many are ever touched as were in use at once.
 */
#pragma once

#include <string.h>

#include "dataplane/pages.h"

struct slab_piece {
	struct slab_piece *next; /* given back before */
};

/* Zeroed: closed. */
struct slab {
	struct pages pages;
	size_t size;
	uint32_t n, fresh; /* pieces there are; those from fresh on were never taken */
	uint32_t used;
	struct slab_piece *back; /* given back */
};

/* size: octets of a piece, a multiple of 64. 0 or a negative errno value. */
static inline int slab_open(struct slab *s, size_t size, uint32_t n)
{
	*s = (struct slab){.size = size, .n = n};
	return pages_map(&s->pages, size * n, PAGES_THP);
}

static inline void slab_close(struct slab *s)
{
	pages_unmap(&s->pages);
	*s = (struct slab){.n = 0};
}

/* A zeroed piece on a 64-octet boundary, or NULL: all are in use. */
static inline void *slab_take(struct slab *s)
{
	struct slab_piece *p = s->back;

	if (p) {
		s->back = p->next;
		memset(p, 0, s->size);
	} else if (s->fresh < s->n) {
		p = (void *)(s->pages.base + s->size * s->fresh++);
	}
	s->used += p != NULL;
	return p;
}

static inline void slab_put(struct slab *s, void *piece)
{
	struct slab_piece *p = piece;

	p->next = s->back;
	s->back = p;
	s->used--;
}
