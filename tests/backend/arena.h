/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets between pages that cannot be touched: the first octet before one or the first behind its tailroom
 * ends the test, also when assembly that no sanitizer sees reads or writes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/crypto/backend.h"

#define ARENA_PAGE 4096

struct arena {
	uint8_t *base;
	unsigned cells;
};

void arena_open(struct arena *a, unsigned cells);
void arena_close(struct arena *a);
struct crypto_memory arena_memory(const struct arena *a); /* all of it */

/* A cell of a page and the place in it for n octets: against the page's front, or against its end. */
uint8_t *arena_cell(const struct arena *a, unsigned cell);
uint8_t *arena_place(const struct arena *a, unsigned cell, size_t n, bool at_end);
