/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fpga/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "srtpdev_regs.h"

#define DESC_AT(field) (SRTPDEV_DESC_##field##_LSB / 8)
_Static_assert(sizeof(struct fpga_desc) == SRTPDEV_LIMIT_DESC_SIZE, "descriptor size");
_Static_assert(offsetof(struct fpga_desc, op) == DESC_AT(OP), "op");
_Static_assert(offsetof(struct fpga_desc, arg) == DESC_AT(ARG), "arg");
_Static_assert(offsetof(struct fpga_desc, gen) == DESC_AT(GEN), "gen");
_Static_assert(offsetof(struct fpga_desc, ctx) == DESC_AT(CTX), "ctx");
_Static_assert(offsetof(struct fpga_desc, src) == DESC_AT(SRC), "src");
_Static_assert(offsetof(struct fpga_desc, dst) == DESC_AT(DST), "dst");
_Static_assert(offsetof(struct fpga_desc, len) == DESC_AT(LEN), "len");
_Static_assert(offsetof(struct fpga_desc, aad) == DESC_AT(AAD), "aad");
_Static_assert(offsetof(struct fpga_desc, index) == DESC_AT(INDEX), "index");

struct completion {
	uint8_t status;
	uint8_t phase;
	uint16_t index;
	uint32_t len, ctx, zero;
};
_Static_assert(sizeof(struct completion) == SRTPDEV_LIMIT_CPL_SIZE, "completion size");
_Static_assert(offsetof(struct completion, index) == SRTPDEV_CPL_INDEX_LSB / 8, "completion index");
_Static_assert(offsetof(struct completion, ctx) == SRTPDEV_CPL_CTX_LSB / 8, "completion context");

/* What is known of a descriptor in flight; where the device cannot write. */
struct place {
	void *cookie;
	uint32_t ctx;
};

struct fpga_ring {
	struct fpga_device *dev;
	const struct hw_ops *ops;
	void *hw;
	uint32_t regs; /* of this queue */
	unsigned size_log2, mask;
	uint16_t head, tail; /* oldest in flight; next to be written. Free running, as the device counts */
	struct fpga_desc *descs;
	volatile struct completion
		*cpls; /* the device writes them: the phase bit says that the rest is there */
	struct place *places;
};

static uint32_t reg(const struct fpga_ring *r, uint32_t at)
{
	return r->regs + at;
}

static void set_base(struct fpga_ring *r, uint32_t lo, uint64_t iova)
{
	r->ops->wr32(r->hw, reg(r, lo), (uint32_t)iova);
	r->ops->wr32(r->hw, reg(r, lo + 4), (uint32_t)(iova >> 32));
}

int fpga_ring_open(struct fpga_ring **ring, struct fpga_device *dev, unsigned queue, unsigned size_log2)
{
	struct fpga_ring *r;
	uint64_t descs, cpls;

	if (size_log2 < 2 || size_log2 > 14 || queue > fpga_device_caps(dev)->queues)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->dev = dev;
	r->ops = fpga_ops(dev, &r->hw);
	r->regs = SRTPDEV_QUEUES_AT + queue * SRTPDEV_QUEUE_STRIDE;
	r->size_log2 = size_log2;
	r->mask = (1u << size_log2) - 1;
	r->places = calloc(1u << size_log2, sizeof(*r->places));
	r->descs = r->ops->dma_alloc(r->hw, sizeof(*r->descs) << size_log2, &descs);
	r->cpls = r->ops->dma_alloc(r->hw, sizeof(*r->cpls) << size_log2, &cpls);
	if (!r->places || !r->descs || !r->cpls) {
		fpga_ring_close(r);
		return -ENOMEM;
	}
	r->ops->wr32(r->hw, reg(r, SRTPDEV_QUEUE_CONFIG), 0);
	set_base(r, SRTPDEV_QUEUE_DESC_LO, descs);
	set_base(r, SRTPDEV_QUEUE_CPL_LO, cpls);
	r->ops->wr32(r->hw, reg(r, SRTPDEV_QUEUE_TAIL), 0);
	r->ops->wr32(r->hw, reg(r, SRTPDEV_QUEUE_CONFIG), 1u << SRTPDEV_QUEUE_CONFIG_ENABLE_LSB | size_log2);
	*ring = r;
	return 0;
}

void fpga_ring_close(struct fpga_ring *r)
{
	if (!r)
		return;
	r->ops->wr32(r->hw, reg(r, SRTPDEV_QUEUE_CONFIG), 0);
	if (r->descs)
		r->ops->dma_free(r->hw, r->descs, sizeof(*r->descs) << r->size_log2);
	if (r->cpls)
		r->ops->dma_free(r->hw, (void *)r->cpls, sizeof(*r->cpls) << r->size_log2);
	free(r->places);
	free(r);
}

unsigned fpga_ring_in_flight(const struct fpga_ring *r)
{
	return (uint16_t)(r->tail - r->head);
}

unsigned fpga_ring_space(const struct fpga_ring *r)
{
	return r->mask + 1 - fpga_ring_in_flight(r);
}

void fpga_ring_push(struct fpga_ring *r, const struct fpga_desc *d, void *cookie)
{
	unsigned at = r->tail++ & r->mask;

	r->descs[at] = *d;
	r->places[at] = (struct place){cookie, d->ctx};
}

void fpga_ring_doorbell(struct fpga_ring *r)
{
	r->ops->wmb(r->hw);
	r->ops->wr32(r->hw, reg(r, SRTPDEV_QUEUE_TAIL), r->tail);
}

unsigned fpga_ring_poll(struct fpga_ring *r, struct fpga_cpl *out, unsigned n)
{
	unsigned done = 0;

	while (done < n && r->head != r->tail) {
		unsigned at = r->head & r->mask;
		volatile struct completion *c = &r->cpls[at];
		uint8_t phase = !(r->head >> r->size_log2 & 1);

		if ((c->phase & 1) != phase)
			break;
		__atomic_thread_fence(
			__ATOMIC_ACQUIRE); /* pairs with the device's write of the whole entry at once */
		out[done].status = c->status;
		out[done].len = c->len;
		out[done].cookie = r->places[at].cookie;
		out[done].foreign = c->index != r->head || c->ctx != r->places[at].ctx;
		done++;
		r->head++;
	}
	return done;
}

unsigned fpga_ring_abandon(struct fpga_ring *r, void **cookies, unsigned n)
{
	unsigned k = 0;

	while (k < n && r->head != r->tail)
		cookies[k++] = r->places[r->head++ & r->mask].cookie;
	return k;
}
