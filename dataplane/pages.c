/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pages.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE_2M (UINT64_C(2) << 20)

/* Starts on a 2 MB boundary, without which the first and last part would stay in small pages. */
int pages_map(struct pages *p, size_t octets, enum pages_kind kind)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (kind == PAGES_HUGE ? MAP_HUGETLB : 0);
	size_t size = (octets + PAGE_2M - 1) & ~(PAGE_2M - 1);
	size_t spare = kind == PAGES_HUGE ? 0 : PAGE_2M;
	uint8_t *base;
	size_t front;

	if (kind == PAGES_HUGE)
		flags &= ~MAP_NORESERVE;
	base = mmap(NULL, size + spare, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	front = -(uintptr_t)base % PAGE_2M;
	if (front)
		munmap(base, front);
	if (spare - front)
		munmap(base + front + size, spare - front);
	p->base = base + front;
	p->octets = size;
	/* Each is a gain where the system grants it; none is needed to work. */
	if (kind != PAGES_HUGE)
		(void)madvise(p->base, size, kind == PAGES_THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	(void)madvise(p->base, size, MADV_DONTDUMP);
	(void)mlock2(p->base, size, MLOCK_ONFAULT);
	return 0;
}

void pages_unmap(struct pages *p)
{
	if (p->base)
		munmap(p->base, p->octets);
	*p = (struct pages){0};
}
