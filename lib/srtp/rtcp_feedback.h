/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feedback in RTCP (RFC 4585, 5104): what of it two sides agreed on. The bits are what a=rtcp-fb can allow; a set of
 * them without RTCP_FEEDBACK_LIMITED stands for all there is.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum rtcp_feedback {
	RTCP_FEEDBACK_LIMITED = 1 << 0, /* only what the other bits say */
	RTCP_FEEDBACK_NACK = 1 << 1,    /* "nack": generic NACK */
	RTCP_FEEDBACK_PLI = 1 << 2,     /* "nack pli" */
	RTCP_FEEDBACK_FIR = 1 << 3,     /* "ccm fir" */
	RTCP_FEEDBACK_TMMBR = 1 << 4,   /* "ccm tmmbr": requests and notifications */
	RTCP_FEEDBACK_REMB = 1 << 5,    /* "goog-remb": receiver estimated maximum bitrate */
	RTCP_FEEDBACK_TWCC = 1 << 6,    /* "transport-cc": transport-wide congestion control */
	RTCP_FEEDBACK_OTHER = 1 << 7,   /* any other format */
};

/* Takes feedback that `allowed` does not have out of the clear compound p of n octets; the new length, 0: nothing stays. */
size_t rtcp_feedback_keep(uint8_t *p, size_t n, uint8_t allowed);
