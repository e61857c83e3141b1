/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <rte_branch_prediction.h>
#include <rte_common.h>

/*
 * What few packets need, of a function that all go through: apart, so that the rest stays small enough to be
 * compiled into its stage, and saves no registers for it.
 */
#define ASIDE __rte_noinline __rte_cold

/*
 * What p points to is read anew from here on. Behind a call in the middle of a stage, where every register
 * that outlives it holds something of the batch's: to read a field again takes less than to store it for the
 * time of the call and then read that.
 */
#define READ_AGAIN(p) __asm__("" : "+r"(p))
