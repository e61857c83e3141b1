/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's device in this process: the Verilated block, loaded from a library that has sim/sim.h's
 * interface. */
#pragma once

#include "dataplane/fpga/hw_ops.h"
#include "lib/base/err.h"
#include "sim/sim.h"

extern const struct hw_ops hw_sim_ops;

/* -ENOENT: no such library; -ELIBBAD: not one of ours; -ENOMEM. step: clocks that pass with each poll_hint(),
 * 0: 16. Waveforms: to conf->trace, or to the file that SRTPGW_SIM_WAVES names, from clock
 * SRTPGW_SIM_WAVES_FROM on; -ENOTSUP from a library that was built without. */
int hw_sim_open(void **hw, const char *library, const struct sim_conf *conf, unsigned step, struct err *e);

/* The simulation itself, for tests. */
void hw_sim_stats(void *hw, struct sim_stats *out);
void hw_sim_step(void *hw, uint64_t clocks);
void hw_sim_hang(void *hw, int on);
void hw_sim_remove(void *hw, int on);        /* as sim_remove() */
int hw_sim_save(void *hw, const char *file); /* as sim_save() */
void hw_sim_harm(void *hw, enum sim_harm harm); /* as sim_harm() */
/* Whoever looks at the clock is held up for so long just before: what happens to who loses the processor. */
void hw_sim_hold_up(void *hw, uint64_t clocks);
/* Stands still from that clock on, for so many: what a card that fails under load looks like. */
void hw_sim_fail(void *hw, uint64_t at, uint64_t clocks);
