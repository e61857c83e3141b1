/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include <sys/mman.h>

#include "tests/backend/arena.h"

void arena_open(struct arena *a, unsigned cells)
{
	size_t size = (2 * (size_t)cells + 1) * ARENA_PAGE;

	a->cells = cells;
	a->base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(a->base, MAP_FAILED);
	for (unsigned i = 0; i < cells; i++)
		assert_int_equal(mprotect(arena_cell(a, i), ARENA_PAGE, PROT_READ | PROT_WRITE), 0);
}

void arena_close(struct arena *a)
{
	munmap(a->base, (2 * (size_t)a->cells + 1) * ARENA_PAGE);
}

struct crypto_memory arena_memory(const struct arena *a)
{
	return (struct crypto_memory){a->base, (2 * (size_t)a->cells + 1) * ARENA_PAGE};
}

uint8_t *arena_cell(const struct arena *a, unsigned cell)
{
	return a->base + (2 * (size_t)cell + 1) * ARENA_PAGE;
}

uint8_t *arena_place(const struct arena *a, unsigned cell, size_t n, bool at_end)
{
	assert_in_range(n, 0, ARENA_PAGE);
	return arena_cell(a, cell) + (at_end ? ARENA_PAGE - n : 0);
}
