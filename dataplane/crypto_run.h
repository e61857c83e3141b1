/* SPDX-License-Identifier: Apache-2.0 */
/* A burst of packets through the crypto backend. */
#pragma once

#include <stdint.h>

struct worker;
struct packet;

/*
 * Submits the job of each packet and polls until all are done, so that a packet leaves in the iteration it
 * came in. job.status then says how each ended. A backend that does not finish within CRYPTO_RUN_POLLS polls
 * without progress marks the worker as failed; what it did not finish is CRYPTO_FAULT.
 */
void crypto_run(struct worker *w, struct packet *const *packets, uint16_t n);

#define CRYPTO_RUN_POLLS 1000000
