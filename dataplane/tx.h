/* SPDX-License-Identifier: Apache-2.0 */
/* The last step: finished frames to their ports, a burst each. */
#pragma once

struct worker;
struct batch;

/* Sends what is left of the batch; what waits for its next hop is held; what a port does not take is dropped.
 */
void tx_send(struct worker *w, struct batch *b);
