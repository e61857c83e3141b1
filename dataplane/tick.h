/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does by the clock and not by the packet. */
#pragma once

struct worker;

/* Every 10 ms: packets held, figures of the backend, and a hundredth of the legs: their media timeout. */
void worker_tick(struct worker *w);
