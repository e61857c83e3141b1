/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend over two others: a device, and software that can do all that the device can. The device does what
 * it holds the key of; the software does the rest: sessions beyond the device's key slots, suites that it has
 * not, packets too long for it, jobs that it failed on. When it faults or hangs it goes out of use at once,
 * its unfinished jobs are done by the software, and maintain() resets it, again and again with growing
 * pauses, and gives it its keys back.
 *
 * The software holds every key all the time, and session keys are kept here for the device's return: both are
 * wiped with the slot.
 */
#pragma once

#include "dataplane/crypto/backend.h"

/* The device's queue, for tests. */
struct crypto_queue *crypto_fallback_device(struct crypto_queue *queue);
