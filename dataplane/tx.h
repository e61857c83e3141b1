/* SPDX-License-Identifier: Apache-2.0 */
/* The last step: finished frames to their ports, a burst each. */
#pragma once

struct worker;
struct packet;
struct batch;

/* Stage: a packet whose next hop is not known yet is held; before one that goes those go that waited for it. */
int tx_wait(struct worker *w, struct packet *p);
/* Sends what is left of the batch; what a port does not take is dropped. */
void tx_send(struct worker *w, struct batch *b);
