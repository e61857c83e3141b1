/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions with SRTP on both sides, both ways, and RTCP on ports of its own, as SIP calls have them. */
#pragma once

#include "lib/srtp/suite.h"
#include "perf/room.h"

#define SCALE_ADDRESSES 8
#define SCALE_CALLS_PER_ADDRESS 16000 /* of four ports each */
#define SCALE_PORT_LOWER 1024

/* 10.1.0.n, on which the calls are. */
struct dp_address scale_address(uint32_t n);

/* Session number i in place `place` of the session table; place is kept free by who calls. */
struct scale_session {
	uint32_t i;
	dp_session_id id;
	enum srtp_suite suite;
};

/*
 * The messages that make the session, one after the other: fills the k-th and returns true, or false when
 * there is no more. Wipe m when it is sent.
 */
bool scale_session_message(const struct scale_session *s, unsigned k, union dp_msg *m);
