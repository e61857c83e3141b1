/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One device: identity, reset, contexts. Its last queue is the driver's own, for installing and wiping
 * contexts, so that a worker's queue carries packets only. hw/README.md describes the device;
 * hw/regs/regs.json is what both share.
 *
 * Contexts belong to whoever took them with fpga_context_take(). Functions may be called from any thread;
 * those that wait for the device hold a lock meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/fpga/hw_ops.h"
#include "lib/base/err.h"
#include "lib/srtp/kdf.h"

struct fpga_device;

struct fpga_caps {
	uint32_t version;
	unsigned lanes, queues; /* queues for packets: the driver's own is not counted */
	uint32_t contexts;
	unsigned inside; /* operations that it can hold at once */
};

struct fpga_counters {
	uint64_t ops, ok, tag_fail, errors, read_beats, write_beats, ecc_corrected, ecc_fatal, clocks,
		busy_clocks, lost_writes, stray;
};

/* A context as descriptors name it. gen changes with every wipe. */
struct fpga_context {
	uint32_t id;
	uint16_t gen;
	uint8_t rtp_tag, rtcp_tag; /* octets */
};

/*
 * Takes hw over (closes it when it fails, too), resets the device and waits until it is ready. -ENODEV: not
 * one of ours, another major version, or it does not answer; -ETIMEDOUT; -ENOMEM.
 */
int fpga_device_open(struct fpga_device **dev, const struct hw_ops *ops, void *hw, struct err *e);
void fpga_device_close(struct fpga_device *dev); /* wipes the device first; NULL is fine */

const struct fpga_caps *fpga_device_caps(const struct fpga_device *dev);
void fpga_device_counters(struct fpga_device *dev, struct fpga_counters *out);
bool fpga_device_ready(struct fpga_device *dev);
/* Reads of its registers are all ones, which is nobody's answer: it was taken out, lost its power or its
 * link. */
bool fpga_device_gone(struct fpga_device *dev);

/* The oldest error that the device noted, and takes it out: 1, or 0 when there is none. */
struct fpga_error {
	uint16_t index;
	uint8_t queue, status;
	uint32_t ctx;
};
int fpga_device_error(struct fpga_device *dev, struct fpga_error *out);

/*
 * Function-level reset: every context is gone, queues must be opened again. Operations in flight are waited
 * for at most drain clocks. -ETIMEDOUT when the device does not come back, -ENODEV when it is gone.
 */
int fpga_device_reset(struct fpga_device *dev, uint32_t drain);

/*
 * Loads keys into a free context. -ENOSPC: none is free. -ENOTSUP: not a suite of the device. -EIO: it
 * refused or did not answer. Waits for the device, some hundred clocks.
 */
int fpga_context_take(
	struct fpga_device *dev, const struct srtp_session_keys *keys, struct fpga_context *out);
/* Wipes it and gives it back. Operations in flight on it end ABORTED. -EIO: not done; the context stays
 * unusable. */
int fpga_context_drop(struct fpga_device *dev, const struct fpga_context *ctx);

/* The suites that a device does: bit 1 << enum srtp_suite. */
uint32_t fpga_suites(void);

/* For the driver's other parts. */
const struct hw_ops *fpga_ops(const struct fpga_device *dev, void **hw);
