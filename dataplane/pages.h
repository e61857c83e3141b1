/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory in large pages that is taken from the system when it is first written: a table for the most sessions
 * there may be costs what those that there were at once have needed. Mapped memory is zero, locked as it is
 * taken and left out of core dumps where the system allows it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum pages_kind {
	PAGES_THP,  /* transparent hugepages where the system gives them, else ordinary ones */
	PAGES_HUGE, /* 2 MB pages of hugetlbfs, reserved at once: -ENOMEM when there are too few */
	PAGES_SMALL
};

/* Zeroed: nothing mapped. */
struct pages {
	uint8_t *base; /* on a 2 MB boundary */
	size_t octets; /* rounded up to 2 MB */
};

/* 0 or a negative errno value. Not PAGES_HUGE: takes address space alone. */
int pages_map(struct pages *p, size_t octets, enum pages_kind kind);
void pages_unmap(struct pages *p); /* nothing mapped is fine; wiping is the caller's */
