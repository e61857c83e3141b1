/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device behind a queue of crypto_fpga_device, for tests and reports. How the backend uses it:
 *
 * The device reads a packet where it lies, if it was shown that memory, or a copy; it writes into memory of
 * the queue's own, and the packet is touched only when the verdict is OK. So a packet that the device fails
 * on, at whatever moment, is whole and can be done elsewhere.
 */
#pragma once

#include "dataplane/crypto/backend.h"
#include "dataplane/fpga/device.h"

#define FPGA_DEPTH 128 /* jobs in flight; the ring is as long */

struct fpga_device *crypto_fpga_hw(struct crypto_queue *queue);
