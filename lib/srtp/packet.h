/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRTP and SRTCP one packet at a time, in place, over OpenSSL: the portable reference that backends and
 * hardware are compared with. The data plane does not use it; it batches the same parts through a crypto
 * backend.
 *
 * A context is one master key in one direction: it protects or it unprotects. It holds up to ssrc_max streams
 * (SSRCs) with an index and a replay window each for RTP and RTCP; all memory is taken at the start. A
 * received packet is peeked, verified, then committed: one that does not authenticate changes neither a
 * stream nor the packet, and an SSRC gets its stream with its first authentic packet.
 *
 * RFC 3711, RFC 6188, RFC 7714. One thread at a time per context.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/secret.h"
#include "lib/srtp/suite.h"

struct srtp_context;

enum srtp_direction { SRTP_PROTECT, SRTP_UNPROTECT };

struct srtp_context_conf {
	enum srtp_suite suite; /* not SRTP_SUITE_NONE */
	enum srtp_direction direction;
	const struct secret *master; /* key, then salt: srtp_suite_master_len() octets */
	const uint8_t *mki;          /* mki_len octets, copied; they follow the payload of every packet */
	uint8_t mki_len;             /* 0 to SRTP_MKI_MAX */
	uint32_t replay_window;      /* 64 to 32768, a multiple of 64; 0: 1024 */
	uint32_t ssrc_max;           /* streams; 0: 8 */
	uint64_t rtp_packets_max;    /* hard limit of packets under this key, all SSRCs; 0: the suite's */
	uint64_t rtcp_packets_max;   /* the same */
	int srtcp_clear;             /* protect: SRTCP is authenticated but not encrypted (E = 0) */
};

/* -EINVAL for a bad configuration, -ENOMEM, -EIO. *out is written only on success; srtp_context_free() wipes
 * it. */
int srtp_context_alloc(struct srtp_context **out, const struct srtp_context_conf *conf);
void srtp_context_free(struct srtp_context *c); /* NULL is fine */

/* Most octets that protection of one packet adds: index, MKI and tag. */
size_t srtp_context_overhead(const struct srtp_context *c);

/*
 * Protects or unprotects the *n octets at p; *n becomes the new length. Protecting needs cap >= *n +
 * srtp_context_overhead(). Results, none of which but 0 changes packet or streams (counters apart):
 *   -EBADMSG     no RTP or RTCP packet, or too short for tag, index and MKI
 *   -ENOKEY      another MKI than this context's
 *   -EACCES      the tag does not match
 *   -EALREADY    replay: seen already (unprotect) or index used already (protect)
 *   -ESTALE      behind the replay window
 *   -EUSERS      no stream is left for another SSRC
 *   -EKEYEXPIRED the hard limit of packets, or the last index, is reached
 *   -ENOSPC      cap is too small
 *   -EPERM       wrong direction
 *   -EIO         OpenSSL failed; when protecting, the packet is lost and its index used up all the same
 */
int srtp_context_protect(struct srtp_context *c, uint8_t *p, size_t *n, size_t cap);
int srtp_context_unprotect(struct srtp_context *c, uint8_t *p, size_t *n);
int srtp_context_protect_rtcp(struct srtp_context *c, uint8_t *p, size_t *n, size_t cap);
int srtp_context_unprotect_rtcp(struct srtp_context *c, uint8_t *p, size_t *n);

/*
 * All that packets change in a context (streams, windows, indexes, packets under the key) as one block of *n
 * octets, to be compared. No key material. The failures that it refused are not in it:
 */
const void *srtp_context_state(const struct srtp_context *c, size_t *n);
uint64_t srtp_context_failures(const struct srtp_context *c); /* packets whose tag did not match */
