/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending on a secure leg. Plain legs pass. Nothing leaves a secure leg in the clear: without a key the
 * packet is refused before crypto, and srtp_tx_verify() looks at the finished frame once more.
 */
#pragma once

struct worker;
struct packet;

/* Stage: its job, begun; crypto_run() ends all of the batch. */
int srtp_tx_prepare(struct worker *w, struct packet *p);
/* Stage: tag, MKI and index behind the packet. */
int srtp_tx_trailer(struct worker *w, struct packet *p);
/* Stage, the very last: does a frame of a secure leg end in the tag that the backend made for it? */
int srtp_tx_verify(struct worker *w, struct packet *p);
