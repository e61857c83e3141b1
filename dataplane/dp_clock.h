/* SPDX-License-Identifier: Apache-2.0 */
/* lib/base/clock.h beside DPDK, whose NS_PER_S is a floating-point number. Include this one in the data
 * plane. */
#pragma once

#include <rte_cycles.h>
#undef NS_PER_S
#include "lib/base/clock.h"
