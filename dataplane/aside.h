/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <rte_branch_prediction.h>
#include <rte_common.h>

/*
 * What few packets need, of a function that all go through: apart, so that the rest stays small enough to be
 * compiled into its stage, and saves no registers for it.
 */
#define ASIDE __rte_noinline __rte_cold
