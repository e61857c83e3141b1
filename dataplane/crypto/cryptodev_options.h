/* SPDX-License-Identifier: Apache-2.0 */
/* What the options of the cryptodev backend say. DPDK need not run. */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

#define CRYPTODEV_VALUE_MAX 256
#define CRYPTODEV_SESSIONS_PER_KEY 2 /* RTP and RTCP; header lengths beyond the first take from the others   \
				      */

struct cryptodev_options {
	char vdev[CRYPTODEV_VALUE_MAX]; /* a driver's name; "" with pci */
	char pci[CRYPTODEV_VALUE_MAX];  /* addresses, '+' between them; "" with vdev */
	uint32_t keys;                  /* that the device is to hold at most */
};

/* "vdev=DRIVER" or "pci=ADDRESS[+ADDRESS...]", then maybe ",keys=N". -EINVAL with the reason in e. */
int cryptodev_options_parse(struct cryptodev_options *o, const char *text, struct err *e);

/* Of DPDK's memory that one queue with these options takes, in MB. */
uint32_t cryptodev_options_memory(const struct cryptodev_options *o);
