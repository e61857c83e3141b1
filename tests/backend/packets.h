/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random packets and what they must become, made by the two references: lib/srtp/packet (portable, OpenSSL)
 * and libsrtp2 (another project's code, with its own key derivation and indexes).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/crypto/backend.h"
#include "tests/support/rng.h"

#define PACKET_MAX (12 + 15 * 4 + 4 + 5 * 4 + 2048 + SRTP_TRAILER_MAX)

struct sample {
	enum srtp_suite suite;
	struct secret master;
	struct srtp_session_keys keys; /* derived from master */
	bool rtcp;
	bool clear;            /* SRTCP with E=0 */
	uint16_t aad_len, len; /* of the packet without trailer */
	uint32_t index;        /* as crypto_job has it */
	uint8_t tag_len;
	uint8_t tag[SRTP_TAG_MAX];
	uint8_t plain[PACKET_MAX];
	uint8_t cipher[PACKET_MAX]; /* header and payload as protected */
};

/* Once per process. */
void references_open(void);
void references_close(void);

/*
 * A random packet of that suite and payload under a new random key, with its protected form by the portable
 * reference. RTP: CSRCs and a header extension now and then, ROC 0. RTCP: E=0 now and then, payload in words,
 * index 1.
 */
void sample_make(struct sample *s, struct rng *r, enum srtp_suite suite, bool rtcp, size_t payload);

/*
 * Protects it again at a ROC or an SRTCP index of any size, which the references with their own state do not
 * reach: straight from the RFCs over OpenSSL with the session keys.
 */
void sample_move(struct sample *s, uint32_t index);

/*
 * Fails unless libsrtp2 makes the very same whole packet of it. RTP at any ROC, RTCP at index 1. Suites
 * that libsrtp2 does otherwise than the RFCs are let pass.
 */
void sample_check_libsrtp(const struct sample *s);
