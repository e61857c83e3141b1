/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that the FPGA driver knows of where its device is: registers, memory that the device can reach, and
 * time. Bound to the simulation (hw_sim.h) or to a card (hw_vfio.h); the driver above is the same.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct hw_ops {
	const char *name;
	uint32_t (*rd32)(void *hw, uint32_t at);
	void (*wr32)(void *hw, uint32_t at, uint32_t value);
	/* Memory written before it is seen by the device before a register written after it. */
	void (*wmb)(void *hw);
	/* n octets, zeroed, on a 64-octet boundary, that the device reaches at *iova; NULL without memory. */
	void *(*dma_alloc)(void *hw, size_t n, uint64_t *iova);
	void (*dma_free)(void *hw, void *p, size_t n);
	/*
	 * Shows the device memory that is the caller's and outlives it: the whole pages in it. -EINVAL: none,
	 * or shown already; -ENOSPC, -ENOMEM.
	 */
	int (*dma_map)(void *hw, void *p, size_t n);
	/* Where the device reaches memory shown to it with dma_map(). -EFAULT: nowhere (it is copied then).
	 */
	int (*iova_of)(void *hw, const void *p, size_t n, uint64_t *iova);
	/* Called when a poll found nothing: lets simulated time pass; nothing on a card. */
	void (*poll_hint)(void *hw);
	/* The device's clocks, about: what time-outs are counted in. */
	uint64_t (*clocks)(void *hw);
	void (*close)(void *hw);
};

#define HW_PAGE 4096

/* The whole pages in [p, p + n): 0, or -EINVAL when there are none. */
static inline int hw_whole_pages(void **p, size_t *n)
{
	uintptr_t first = ((uintptr_t)*p + HW_PAGE - 1) & ~(uintptr_t)(HW_PAGE - 1);
	uintptr_t end = ((uintptr_t)*p + *n) & ~(uintptr_t)(HW_PAGE - 1);

	if (end <= first)
		return -EINVAL;
	*p = (void *)first;
	*n = end - first;
	return 0;
}

/* Memory that was shown to a device, for iova_of(): few and large pieces, so that it is quick. */
#define HW_SHOWN_MAX 64
struct hw_shown {
	unsigned n;
	struct {
		uintptr_t p;
		size_t n;
		uint64_t iova;
	} pieces[HW_SHOWN_MAX];
};

static inline int hw_shown_add(struct hw_shown *s, const void *p, size_t n, uint64_t iova)
{
	if (s->n == HW_SHOWN_MAX)
		return -ENOSPC;
	s->pieces[s->n].p = (uintptr_t)p;
	s->pieces[s->n].n = n;
	s->pieces[s->n++].iova = iova;
	return 0;
}

static inline void hw_shown_remove(struct hw_shown *s, const void *p)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->pieces[i].p == (uintptr_t)p) {
			s->pieces[i] = s->pieces[--s->n];
			return;
		}
}

static inline int hw_shown_find(const struct hw_shown *s, const void *p, size_t n, uint64_t *iova)
{
	for (unsigned i = 0; i < s->n; i++) {
		uintptr_t at = (uintptr_t)p - s->pieces[i].p; /* wraps to a large number in front of it */

		if (at < s->pieces[i].n && n <= s->pieces[i].n - at) {
			*iova = s->pieces[i].iova + at;
			return 0;
		}
	}
	return -EFAULT;
}
