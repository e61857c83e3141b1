/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/scale_session.h"

#include "lib/srtp/be.h"

#define PER_SIDE 3 /* the leg, its key to receive with, its key to send with */

static struct ip_addr ipv4(uint32_t host_order)
{
	struct ip_addr a = {.family = IP_V4};

	be32_put(a.octets, host_order);
	return a;
}

struct dp_address scale_address(uint32_t n)
{
	return (struct dp_address){
		.ip = ipv4(0x0a010001 + n), .port_lower = SCALE_PORT_LOWER, .port_upper = UINT16_MAX};
}

/* Port 0 to 3 of session i: RTP and RTCP of side A, then of side B. */
static struct ip_port local_of(uint32_t i, unsigned port)
{
	return (struct ip_port){.ip = scale_address(i / SCALE_CALLS_PER_ADDRESS).ip,
		.port = (uint16_t)(SCALE_PORT_LOWER + i % SCALE_CALLS_PER_ADDRESS * 4 + port)};
}

static void leg(const struct scale_session *s, unsigned side, union dp_msg *m)
{
	struct dp_leg_update *u = &m->leg_update;

	dp_msg_init(m, DP_LEG_UPDATE, 0);
	u->session = s->id;
	u->leg = u->side = (uint8_t)side;
	u->suite = (uint8_t)s->suite;
	u->security = DP_SECURITY_SRTP;
	u->learn = DP_LEARN_AUTHENTIC;
	u->local = local_of(s->i, 2 * side);
	u->local_rtcp = local_of(s->i, 2 * side + 1);
	u->remote = (struct ip_port){ipv4(0x0b000000 + 2 * s->i + side), 4000};
	u->remote_rtcp = (struct ip_port){u->remote.ip, 4001};
	u->n_streams = 1;
	u->streams[0].direction = DP_SENDRECV;
	u->streams[0].clock_hz = 8000;
}

static void key(const struct scale_session *s, unsigned side, unsigned direction, union dp_msg *m)
{
	struct dp_key_add *k = &m->key_add;

	dp_msg_init(m, DP_KEY_ADD, 0);
	k->session = s->id;
	k->leg = (uint8_t)side;
	k->direction = (uint8_t)direction;
	k->role = DP_KEY_CURRENT;
	k->suite = (uint8_t)s->suite;
	k->epoch = 1;
	k->fresh_index = 1;
	k->master_len = (uint8_t)srtp_suite_master_len(srtp_suite_info(s->suite));
	be32_put(k->master, s->i);
	k->master[4] = (uint8_t)(2 * side + direction);
}

bool scale_session_message(const struct scale_session *s, unsigned k, union dp_msg *m)
{
	unsigned side = (k - 1) / PER_SIDE, part = (k - 1) % PER_SIDE;

	if (k > 2 * PER_SIDE)
		return false;
	if (k == 0) {
		dp_msg_init(m, DP_SESSION_ADD, 0);
		m->session_add.session = s->id;
	} else if (part == 0) {
		leg(s, side, m);
	} else {
		key(s, side, part == 1 ? DP_KEY_RX : DP_KEY_TX, m);
	}
	return true;
}
