/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fpga/device.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/fpga/ring.h"
#include "lib/base/secret.h"
#include "srtpdev_regs.h"

#define ADMIN_SIZE_LOG2 4
/* What a read gives that no device answers. Bits of STATUS and ERROR_WHAT that there are not read 0. */
#define NOBODY UINT32_MAX
#define ANSWER_LIMIT 200000 /* clocks for an answer: some hundred are usual, at 250 MHz this is 0.8 ms */

struct fpga_device {
	const struct hw_ops *ops;
	void *hw;
	struct fpga_caps caps;
	pthread_mutex_t lock;    /* admin ring, key block, free list */
	struct fpga_ring *admin; /* LOCK: lock */
	uint8_t *key_block;      /* LOCK: lock. zero but while an installation is under way */
	uint64_t key_block_iova;
	uint16_t *gens; /* LOCK: lock. each context's generation, as the device has it */
	uint32_t *free; /* LOCK: lock. contexts that are free, last in first out */
	uint32_t n_free;
};

/* The device's algorithm for a suite; -1 for what it does not do. */
static const struct {
	int alg;
} algs[SRTP_SUITE_COUNT] = {
	[SRTP_SUITE_NONE] = {-1},
	[SRTP_AES_CM_128_HMAC_SHA1_80] = {0},
	[SRTP_AES_CM_128_HMAC_SHA1_32] = {SRTPDEV_ALG_TAG32},
	[SRTP_AES_192_CM_HMAC_SHA1_80] = {-1},
	[SRTP_AES_192_CM_HMAC_SHA1_32] = {-1},
	[SRTP_AES_256_CM_HMAC_SHA1_80] = {SRTPDEV_ALG_K256},
	[SRTP_AES_256_CM_HMAC_SHA1_32] = {SRTPDEV_ALG_K256 | SRTPDEV_ALG_TAG32},
	[SRTP_AEAD_AES_128_GCM] = {SRTPDEV_ALG_GCM},
	[SRTP_AEAD_AES_256_GCM] = {SRTPDEV_ALG_GCM | SRTPDEV_ALG_K256},
};

uint32_t fpga_suites(void)
{
	uint32_t suites = 0;

	for (unsigned s = 0; s < SRTP_SUITE_COUNT; s++)
		if (algs[s].alg >= 0)
			suites |= 1u << s;
	return suites;
}

static uint32_t rd32(struct fpga_device *dev, uint32_t at)
{
	return dev->ops->rd32(dev->hw, at);
}

static uint32_t field(uint32_t v, unsigned lsb, unsigned bits)
{
	return v >> lsb & ((1u << bits) - 1);
}

const struct hw_ops *fpga_ops(const struct fpga_device *dev, void **hw)
{
	*hw = dev->hw;
	return dev->ops;
}

const struct fpga_caps *fpga_device_caps(const struct fpga_device *dev)
{
	return &dev->caps;
}

static bool ready(uint32_t status)
{
	return status != NOBODY && status >> SRTPDEV_REG_STATUS_READY_LSB & 1;
}

bool fpga_device_ready(struct fpga_device *dev)
{
	return ready(rd32(dev, SRTPDEV_REG_STATUS));
}

bool fpga_device_gone(struct fpga_device *dev)
{
	return rd32(dev, SRTPDEV_REG_STATUS) == NOBODY;
}

/* The clock is read before each look: who is held up in between does not take it for the device's silence. */
static int wait_ready(struct fpga_device *dev, uint64_t limit)
{
	uint64_t start = dev->ops->clocks(dev->hw), now = start;
	uint32_t status;

	while (!ready(status = rd32(dev, SRTPDEV_REG_STATUS))) {
		if (status == NOBODY)
			return -ENODEV;
		if (now - start > limit)
			return -ETIMEDOUT;
		dev->ops->poll_hint(dev->hw);
		now = dev->ops->clocks(dev->hw);
	}
	return 0;
}

static void read_caps(struct fpga_device *dev)
{
	uint32_t caps = rd32(dev, SRTPDEV_REG_CAPS);

	dev->caps.version = rd32(dev, SRTPDEV_REG_VERSION);
	dev->caps.lanes = field(caps, SRTPDEV_REG_CAPS_LANES_LSB, SRTPDEV_REG_CAPS_LANES_BITS);
	dev->caps.queues = field(caps, SRTPDEV_REG_CAPS_QUEUES_LSB, SRTPDEV_REG_CAPS_QUEUES_BITS) - 1;
	dev->caps.contexts = 1u << field(caps, SRTPDEV_REG_CAPS_CTX_LOG2_LSB, SRTPDEV_REG_CAPS_CTX_LOG2_BITS);
	dev->caps.inside =
		1u << field(caps, SRTPDEV_REG_CAPS_SLOTS_LOG2_LSB, SRTPDEV_REG_CAPS_SLOTS_LOG2_BITS);
}

int fpga_device_reset(struct fpga_device *dev, uint32_t drain)
{
	int rc;

	pthread_mutex_lock(&dev->lock);
	dev->ops->wr32(dev->hw, SRTPDEV_REG_DRAIN_LIMIT, drain);
	dev->ops->wr32(dev->hw, SRTPDEV_REG_CONTROL, 1u << SRTPDEV_REG_CONTROL_RESET_LSB);
	/* Clearing takes two clocks per context at most; the rest is small. */
	rc = wait_ready(dev, (uint64_t)drain + 4 * (uint64_t)dev->caps.contexts + ANSWER_LIMIT);
	if (rc == 0) { /* until now it may have written into the old one: an operation that came too late */
		fpga_ring_close(dev->admin);
		dev->admin = NULL;
		rc = fpga_ring_open(&dev->admin, dev, dev->caps.queues, ADMIN_SIZE_LOG2);
	}
	for (uint32_t i = 0; i < dev->caps.contexts; i++) {
		dev->gens[i] = 0;
		dev->free[i] = dev->caps.contexts - 1 - i;
	}
	dev->n_free = dev->caps.contexts;
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int fpga_device_open(struct fpga_device **out, const struct hw_ops *ops, void *hw, struct err *e)
{
	struct fpga_device *dev = calloc(1, sizeof(*dev));
	uint32_t id;
	int rc;

	if (!dev) {
		ops->close(hw);
		return err_set(e, ENOMEM, "no memory for the FPGA device");
	}
	dev->ops = ops;
	dev->hw = hw;
	pthread_mutex_init(&dev->lock, NULL);
	id = rd32(dev, SRTPDEV_REG_ID);
	if (id == NOBODY) {
		rc = err_set(
			e, ENODEV, "%s: the device does not answer: removed, or without power", ops->name);
		goto out;
	}
	if (id != SRTPDEV_ID_VALUE) {
		rc = err_set(e, ENODEV, "%s: the device says %#x, not %#x: not an SRTP block", ops->name, id,
			SRTPDEV_ID_VALUE);
		goto out;
	}
	read_caps(dev);
	if (dev->caps.version >> 16 != SRTPDEV_VERSION_VALUE >> 16) {
		rc = err_set(e, ENODEV, "%s: the device is version %u, the driver %u", ops->name,
			dev->caps.version >> 16, SRTPDEV_VERSION_VALUE >> 16);
		goto out;
	}
	dev->gens = calloc(dev->caps.contexts, sizeof(*dev->gens));
	dev->free = calloc(dev->caps.contexts, sizeof(*dev->free));
	dev->key_block = ops->dma_alloc(hw, SRTPDEV_LIMIT_KEY_BLOCK, &dev->key_block_iova);
	if (!dev->gens || !dev->free || !dev->key_block) {
		rc = err_set(e, ENOMEM, "no memory for %u contexts", dev->caps.contexts);
		goto out;
	}
	rc = wait_ready(dev, 4 * (uint64_t)dev->caps.contexts + ANSWER_LIMIT);
	if (rc == 0)
		rc = fpga_device_reset(dev, 0);
	if (rc) {
		err_set(e, -rc, "%s: the device does not become ready", ops->name);
		goto out;
	}
	*out = dev;
	return 0;
out:
	fpga_device_close(dev);
	return rc;
}

void fpga_device_close(struct fpga_device *dev)
{
	if (!dev)
		return;
	if (dev->admin) {
		dev->ops->wr32(dev->hw, SRTPDEV_REG_CONTROL, 1u << SRTPDEV_REG_CONTROL_WIPE_LSB);
		(void)wait_ready(dev, 4 * (uint64_t)dev->caps.contexts + ANSWER_LIMIT);
		fpga_ring_close(dev->admin);
	}
	if (dev->key_block)
		dev->ops->dma_free(dev->hw, dev->key_block, SRTPDEV_LIMIT_KEY_BLOCK);
	pthread_mutex_destroy(&dev->lock);
	dev->ops->close(dev->hw);
	free(dev->gens);
	free(dev->free);
	free(dev);
}

void fpga_device_counters(struct fpga_device *dev, struct fpga_counters *out)
{
	uint64_t *v = (uint64_t *)out;

	_Static_assert(
		sizeof(*out) == SRTPDEV_COUNTERS * sizeof(uint64_t), "one member per counter, in order");
	pthread_mutex_lock(&dev->lock); /* the low word's read holds the high one */
	for (unsigned i = 0; i < SRTPDEV_COUNTERS; i++) {
		uint64_t low = rd32(dev, SRTPDEV_COUNTERS_AT + 8 * i);
		v[i] = low | (uint64_t)rd32(dev, SRTPDEV_COUNTERS_AT + 8 * i + 4) << 32;
	}
	pthread_mutex_unlock(&dev->lock);
}

int fpga_device_error(struct fpga_device *dev, struct fpga_error *out)
{
	uint32_t what;

	pthread_mutex_lock(&dev->lock);
	what = rd32(dev, SRTPDEV_REG_ERROR_WHAT);
	if (what == NOBODY)
		what = 0;
	if (what >> SRTPDEV_REG_ERROR_WHAT_VALID_LSB)
		out->ctx = rd32(dev, SRTPDEV_REG_ERROR_CONTEXT);
	pthread_mutex_unlock(&dev->lock);
	out->index = (uint16_t)what;
	out->queue =
		(uint8_t)field(what, SRTPDEV_REG_ERROR_WHAT_QUEUE_LSB, SRTPDEV_REG_ERROR_WHAT_QUEUE_BITS);
	out->status =
		(uint8_t)field(what, SRTPDEV_REG_ERROR_WHAT_STATUS_LSB, SRTPDEV_REG_ERROR_WHAT_STATUS_BITS);
	return what >> SRTPDEV_REG_ERROR_WHAT_VALID_LSB;
}

/* One operation on the driver's own queue, waited for. Returns its status, -ETIMEDOUT, -ENODEV, or -EPROTO
 * for an answer to something else. LOCK held. */
static int admin_op(struct fpga_device *dev, const struct fpga_desc *d)
{
	uint64_t start, now;
	struct fpga_cpl cpl;
	bool foreign = false;

	if (!dev->admin || !fpga_ring_space(dev->admin))
		return -ETIMEDOUT;
	if (fpga_device_gone(dev)) /* no time is spent on it */
		return -ENODEV;
	fpga_ring_push(dev->admin, d, NULL);
	fpga_ring_doorbell(dev->admin);
	now = start = dev->ops->clocks(dev->hw); /* as in wait_ready() */
	/* An answer that comes after its time is up is taken with the next one's: wait until none is due. */
	do {
		while (!fpga_ring_poll(dev->admin, &cpl, 1)) {
			if (now - start > ANSWER_LIMIT)
				return -ETIMEDOUT;
			dev->ops->poll_hint(dev->hw);
			now = dev->ops->clocks(dev->hw);
		}
		foreign |= cpl.foreign;
	} while (fpga_ring_in_flight(dev->admin));
	return foreign ? -EPROTO : cpl.status;
}

static void fill_half(uint8_t *p, const struct srtp_half_keys *k)
{
	memcpy(p, k->key, sizeof(k->key));
	memcpy(p + SRTPDEV_LIMIT_KEY_SALT, k->salt, sizeof(k->salt));
	memcpy(p + SRTPDEV_LIMIT_KEY_AUTH, k->auth, sizeof(k->auth));
}

int fpga_context_take(struct fpga_device *dev, const struct srtp_session_keys *keys, struct fpga_context *out)
{
	const struct srtp_suite_info *suite = srtp_suite_info(keys->suite);
	struct fpga_desc d = {.op = SRTPDEV_OP_KEY_INSTALL, .src = dev->key_block_iova};
	int rc;

	if (!suite || algs[keys->suite].alg < 0)
		return -ENOTSUP;
	pthread_mutex_lock(&dev->lock);
	if (!dev->n_free) {
		pthread_mutex_unlock(&dev->lock);
		return -ENOSPC;
	}
	d.ctx = dev->free[--dev->n_free];
	d.gen = dev->gens[d.ctx];
	d.arg = (uint8_t)algs[keys->suite].alg;
	fill_half(dev->key_block, &keys->rtp);
	fill_half(dev->key_block + SRTPDEV_LIMIT_KEY_HALF, &keys->rtcp);
	rc = admin_op(dev, &d);
	mem_wipe(dev->key_block, SRTPDEV_LIMIT_KEY_BLOCK);
	if (rc == SRTPDEV_ST_OK)
		*out = (struct fpga_context){d.ctx, d.gen, suite->rtp_tag_len, suite->rtcp_tag_len};
	else if (rc > 0)
		dev->free[dev->n_free++] = d.ctx; /* refused, so it is as it was */
	pthread_mutex_unlock(&dev->lock);
	return rc == SRTPDEV_ST_OK ? 0 : -EIO;
}

int fpga_context_drop(struct fpga_device *dev, const struct fpga_context *ctx)
{
	struct fpga_desc d = {.op = SRTPDEV_OP_SLOT_WIPE, .ctx = ctx->id, .gen = ctx->gen};
	int rc;

	pthread_mutex_lock(&dev->lock);
	rc = admin_op(dev, &d);
	if (rc == SRTPDEV_ST_OK) {
		dev->gens[ctx->id] = (uint16_t)(ctx->gen + 1);
		dev->free[dev->n_free++] = ctx->id;
	}
	pthread_mutex_unlock(&dev->lock);
	return rc == SRTPDEV_ST_OK ? 0 : -EIO;
}
