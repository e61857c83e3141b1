/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving on a secure leg: peek (which keys and indexes may open the packet, replay test), crypto, commit
 * (replay test again, state moves). Until the tag is verified nothing of the leg changes (RFC 3711
 * section 3.3).
 */
#pragma once

struct worker;
struct packet;
struct batch;

/*
 * Stage: prepares the first try. Packets of plain legs are accepted here as they are, and pass by
 * srtp_rx_open().
 */
int srtp_rx_peek(struct worker *w, struct packet *p);

/*
 * The rest of the way in: rounds of crypto over all packets that are not open yet. What a round does not open
 * has another try in the next one (another key, another index) or gets its verdict; what it opens is
 * committed in order of arrival.
 */
void srtp_rx_open(struct worker *w, struct batch *b);
