/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/wiping.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"

void *wiping_malloc(size_t n)
{
	return malloc(n);
}

void *wiping_realloc(void *p, size_t n)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *to;

	/* In place nothing is left behind. */
	if (n && n <= had && n >= had / 2)
		return p;
	to = n ? malloc(n) : NULL;
	if (!to && n)
		return NULL;
	if (to && p)
		memcpy(to, p, n < had ? n : had);
	wiping_free(p);
	return to;
}

void wiping_free(void *p)
{
	if (p)
		mem_wipe(p, malloc_usable_size(p));
	free(p);
}
