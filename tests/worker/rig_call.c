/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/worker/rig_call.h"

#include "tests/support/cmocka_std.h"

struct ip_port gw_a, gw_b, peer_a, peer_b;

void rig_addresses(bool v6)
{
	gw_a = rig_addr(v6 ? "fd00::1" : "10.0.0.1", 20000);
	gw_b = rig_addr(v6 ? "fd00::1" : "10.0.0.1", 20010);
	peer_a = rig_addr(v6 ? "fd00::a" : "10.0.0.10", 5000);
	peer_b = rig_addr(v6 ? "fd00::b" : "10.0.0.11", 6000);
}

void rig_call(struct rig *r, dp_session_id s, enum dp_security a, uint16_t flags, enum dp_security b)
{
	union dp_msg m;

	assert_int_equal(rig_session(r, s, gw_a.port < RIG_PORTS_1 ? 0 : 1), 0);
	m = rig_leg(s, 0, a, gw_a, peer_a);
	m.leg_update.flags |= flags;
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(s, 1, b, gw_b, peer_b);
	assert_int_equal(rig_command(r, &m), 0);
}

void rig_plain_call(struct rig *r, dp_session_id s)
{
	rig_addresses(false);
	rig_call(r, s, DP_SECURITY_PLAIN, 0, DP_SECURITY_PLAIN);
}

unsigned rig_say(struct rig *r, uint16_t seq)
{
	uint8_t p[256];

	rig_send(r, peer_a, gw_a, p, rig_rtp(p, 4, seq, seq * 160u, 160));
	rig_run(r, 1);
	return rig_heard(r);
}
