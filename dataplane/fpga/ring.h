/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One queue of the device: a ring of descriptors, a ring of completions as long, and the credit between them:
 * an entry is free again when its completion was polled, so the device can never run over either. One thread
 * at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/fpga/device.h"

struct fpga_ring;

/* As in memory: hw/regs/regs.json, record DESC. */
struct fpga_desc {
	uint8_t op;  /* SRTPDEV_OP_* */
	uint8_t arg; /* packets: octets of tag; KEY_INSTALL: algorithm */
	uint16_t gen;
	uint32_t ctx;
	uint64_t src, dst;
	uint16_t len;   /* header and payload */
	uint16_t aad;   /* header */
	uint32_t index; /* RTP: ROC; RTCP: E flag and index */
};

struct fpga_cpl {
	uint8_t status; /* SRTPDEV_ST_* */
	uint32_t len;   /* octets written */
	void *cookie;   /* as given with the descriptor */
	bool foreign;   /* it names another descriptor or context: nothing of it is to be believed */
};

/* size_log2: 2 to 14. -EINVAL, -ENOMEM. The device must be ready, the queue not open already. */
int fpga_ring_open(struct fpga_ring **ring, struct fpga_device *dev, unsigned queue, unsigned size_log2);
void fpga_ring_close(struct fpga_ring *ring); /* disables the queue; nothing may be in flight. NULL is fine */

unsigned fpga_ring_space(const struct fpga_ring *r);
unsigned fpga_ring_in_flight(const struct fpga_ring *r);
/* There must be space. The device sees it with the next doorbell. */
void fpga_ring_push(struct fpga_ring *r, const struct fpga_desc *d, void *cookie);
void fpga_ring_doorbell(struct fpga_ring *r);
/* Up to n completions, in the order of their descriptors. */
unsigned fpga_ring_poll(struct fpga_ring *r, struct fpga_cpl *out, unsigned n);
/* Takes back the cookies of what is in flight, after a reset: up to n, oldest first. */
unsigned fpga_ring_abandon(struct fpga_ring *r, void **cookies, unsigned n);
