/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that a packet can cost: intel-ipsec-mb itself over as many keys as there are calls, every one used
 * before one is used again, as far from each other as calls are, measured in turn with what is compared with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/srtp/suite.h"

struct limit; /* opaque */

int limit_open(struct limit **out, enum srtp_suite suite, uint32_t sessions); /* -ENOMEM, -EIO */
void limit_close(struct limit *l); /* wipes the keys; NULL is ignored */

/* Nanoseconds of processor time per packet in one sample; below 0: packets came back wrong. */
double limit_sample(struct limit *l, unsigned payload, bool protect);
