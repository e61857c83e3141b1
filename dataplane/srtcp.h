/* SPDX-License-Identifier: Apache-2.0 */
/* SRTCP's own part of the two crypto stages: explicit index and E flag (RFC 3711 section 3.4). */
#pragma once

#include <stdbool.h>

struct worker;
struct packet;
struct leg_key;

/* Prepares the job that opens an SRTCP packet with k; false when k cannot (p->refused says why). */
bool srtcp_rx_try(struct packet *p, const struct leg_key *k, unsigned attempt);

/* Prepares the job that protects a clear compound under the leaving leg's key; PACKET_ON or the verdict. */
int srtcp_tx_prepare(struct packet *p);
