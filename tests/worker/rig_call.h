/* SPDX-License-Identifier: Apache-2.0 */
/* The call of two legs that most tests are about: where its ends are, and how it is set up. */
#pragma once

#include "tests/worker/rig.h"

/* Where the gateway and the peers are, set by rig_addresses(); a test may change them before rig_call(). */
extern struct ip_port gw_a, gw_b, peer_a, peer_b;

/* The usual addresses: the gateway's ports are worker 0's. */
void rig_addresses(bool v6);

/*
 * Session s with a leg for each side, at the worker that gw_a is a port of. Neither has keys yet. flags: side
 * A's DP_LEG_*, besides DP_LEG_RTCP_MUX.
 */
void rig_call(struct rig *r, dp_session_id s, enum dp_security a, uint16_t flags, enum dp_security b);
/* Both sides in the clear, at the usual addresses. */
void rig_plain_call(struct rig *r, dp_session_id s);

/* Side A, in the clear, says one packet. How many come out. */
unsigned rig_say(struct rig *r, uint16_t seq);
