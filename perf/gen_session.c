/* SPDX-License-Identifier: Apache-2.0 */
/* The calls: where they are, what their keys are, and how the gateway is told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/srtp/be.h"
#include "perf/gen_private.h"

#define GATEWAY_NET 0x0a000000u /* 10.0.side.n */
#define PEER_NET 0x0a800000u    /* 10.128.0.0 and up: side in the next bit, then the call's number */
#define PEER_SIDE (1u << 20)
#define PEER_WORKER (1u << 21)
#define PEER_PORT 4000

/* Of IPv6 the same behind 2001:db8::/96. */
static const uint8_t prefix_v6[12] = {0x20, 0x01, 0x0d, 0xb8};

static struct ip_addr address(const struct gen *g, unsigned side, uint32_t number)
{
	struct ip_addr a = {.family = g->conf.ipv6[side] ? IP_V6 : IP_V4};

	if (g->conf.ipv6[side])
		memcpy(a.octets, prefix_v6, sizeof(prefix_v6));
	be32_put(a.octets + (g->conf.ipv6[side] ? sizeof(prefix_v6) : 0), number);
	return a;
}

struct ip_port gen_gateway(const struct gen *g, unsigned side, uint32_t s)
{
	if (g->conf.flows)
		return g->conf.flows[s].gateway[side];
	return (struct ip_port){
		.ip = address(g, side, GATEWAY_NET + ((2 * g->conf.worker + side) << 8) + 1 + s / GEN_PORTS),
		.port = (uint16_t)(GEN_PORT_LOWER + s % GEN_PORTS)};
}

static uint32_t peer_first(const struct gen *g, unsigned side)
{
	return PEER_NET + g->conf.worker * PEER_WORKER + side * PEER_SIDE;
}

struct ip_port gen_peer(const struct gen *g, unsigned side, uint32_t s)
{
	if (g->conf.flows)
		return g->conf.flows[s].peer[side];
	return (struct ip_port){.ip = address(g, side, peer_first(g, side) + s), .port = PEER_PORT};
}

uint32_t gen_peer_session(const struct gen *g, unsigned side, const struct ip_port *peer)
{
	uint32_t s = be32_get(peer->ip.octets + (peer->ip.family == IP_V6 ? sizeof(prefix_v6) : 0)) -
		     peer_first(g, side);
	struct ip_port of;

	if (!g->conf.flows) {
		of = gen_peer(g, side, s);
		return s < PEER_SIDE && ip_port_equal(&of, peer) ? s : UINT32_MAX;
	}
	for (s = 0; s < g->conf.sessions; s++)
		if (ip_port_equal(&g->conf.flows[s].peer[side], peer))
			return s;
	return UINT32_MAX;
}

/* Keys are SHA-256 of where they belong: distinct for every call, leg and direction, and the same each run.
 */
int gen_master(const struct gen *g, unsigned side, uint32_t s, unsigned direction, struct secret *out)
{
	const struct srtp_suite_info *info = srtp_suite_info(gen_suite(g, side));
	uint8_t seed[16] = {'k', (uint8_t)side, (uint8_t)direction}, octets[64];
	int rc = 0;

	if (g->conf.flows && side == 1 && direction == DP_KEY_TX && g->conf.flows[s].key.len) {
		*out = g->conf.flows[s].key;
		return out->len == srtp_suite_master_len(info) ? 0 : -EINVAL;
	}
	be32_put(seed + 4, s);
	for (uint8_t half = 0; half < 2 && !rc; half++) {
		seed[3] = half;
		if (!EVP_Digest(seed, sizeof(seed), octets + 32 * half, NULL, EVP_sha256(), NULL))
			rc = -EIO;
	}
	rc = rc ? rc : secret_set(out, octets, srtp_suite_master_len(info));
	mem_wipe(octets, sizeof(octets));
	return rc;
}

static void leg_message(const struct gen *g, union dp_msg *m, unsigned side, uint32_t s, dp_session_id id)
{
	struct dp_leg_update *u = &m->leg_update;
	enum srtp_suite suite = gen_suite(g, side);

	dp_msg_init(m, DP_LEG_UPDATE, 0);
	u->session = id;
	u->leg = u->side = (uint8_t)side;
	u->suite = (uint8_t)suite;
	u->security = suite ? DP_SECURITY_SRTP : DP_SECURITY_PLAIN;
	u->learn = suite ? DP_LEARN_AUTHENTIC : DP_LEARN_NEVER; /* as the control plane has it */
	u->flags = DP_LEG_RTCP_MUX;
	u->local = gen_gateway(g, side, s);
	u->remote = gen_peer(g, side, s);
	u->n_streams = 1;
	u->streams[0].direction = DP_SENDRECV;
	u->streams[0].clock_hz = gen_clock_hz(gen_media_of(&g->conf, s));
}

static int key_message(
	const struct gen *g, union dp_msg *m, unsigned side, uint32_t s, unsigned direction, dp_session_id id)
{
	SECRET_AUTO struct secret master = {0};
	int rc = gen_master(g, side, s, direction, &master);

	dp_msg_init(m, DP_KEY_ADD, 0);
	m->key_add.session = id;
	m->key_add.leg = (uint8_t)side;
	m->key_add.direction = (uint8_t)direction;
	m->key_add.role = DP_KEY_CURRENT;
	m->key_add.suite = (uint8_t)gen_suite(g, side);
	m->key_add.epoch = 1;
	m->key_add.fresh_index = 1;
	m->key_add.master_len = master.len;
	memcpy(m->key_add.master, master.octets, master.len);
	return rc;
}

static dp_session_id session_id(const struct gen *g, uint32_t s)
{
	return UINT64_C(1) << 32 | (g->conf.worker * g->conf.sessions + s);
}

static int program_session(
	struct gen *g, uint32_t s, int (*command)(void *, union dp_msg *), void *user, struct err *err)
{
	dp_session_id id = session_id(g, s);
	union dp_msg m;
	int rc;

	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = id;
	m.session_add.worker = g->conf.worker;
	rc = command(user, &m);
	for (unsigned side = 0; side < 2 && rc >= 0; side++) {
		leg_message(g, &m, side, s, id);
		rc = command(user, &m);
		for (unsigned d = DP_KEY_RX; gen_suite(g, side) && d <= DP_KEY_TX && rc >= 0; d++) {
			rc = key_message(g, &m, side, s, d, id);
			rc = rc < 0 ? rc : command(user, &m);
			mem_wipe(&m, sizeof(m));
		}
	}
	return rc < 0 ? err_set(err, -rc, "call %u of %u is refused: %s", s + 1, g->conf.sessions,
				strerror(-rc))
		      : 0;
}

/* Ports of an address: those that there are calls for. A file's may be any. */
static uint32_t ports_of_address(const struct gen *g)
{
	return g->conf.flows || g->conf.sessions > GEN_PORTS ? GEN_PORTS : g->conf.sessions;
}

/* An address of the gateway, unless it is among them; -E2BIG. */
static int address_add(const struct gen *g, struct dp_configure *c, const struct ip_addr *ip)
{
	for (uint32_t i = 0; i < c->n_addresses; i++)
		if (ip_equal(&c->addresses[i].ip, ip))
			return 0;
	if (c->n_addresses == DP_ADDRESSES_MAX)
		return -E2BIG;
	c->addresses[c->n_addresses++] = (struct dp_address){
		.ip = *ip,
		.port_lower = GEN_PORT_LOWER,
		.port_upper = (uint16_t)(GEN_PORT_LOWER + ports_of_address(g) - 1),
		.worker = (uint8_t)g->conf.worker,
	};
	return 0;
}

/* Addresses and ports of one worker's calls. */
static int configure_add(const struct gen *g, struct dp_configure *c)
{
	int rc = 0;

	for (unsigned side = 0; side < 2; side++)
		for (uint32_t s = 0; s < g->conf.sessions && rc == 0; s += g->conf.flows ? 1 : GEN_PORTS) {
			struct ip_port at = gen_gateway(g, side, s);

			rc = address_add(g, c, &at.ip);
		}
	return rc;
}

int gen_program(struct gen *g, int (*command)(void *user, union dp_msg *m), void *user, struct err *err)
{
	uint32_t last = g->conf.worker;
	struct gen before = {.conf = g->conf};
	union dp_msg m;
	int rc = 0;

	dp_msg_init(&m, DP_CONFIGURE, 0);
	m.configure.generation = 1;
	m.configure.pages = 1;
	m.configure.trial_per_second = 10;
	/* The whole list each time: those of the workers before stay. */
	for (uint32_t worker = 0; worker <= last && rc == 0; worker++) {
		before.conf.worker = worker;
		rc = configure_add(&before, &m.configure);
	}
	if (rc < 0)
		return err_set(err, -rc, "more than %u addresses of the gateway", DP_ADDRESSES_MAX);
	rc = command(user, &m);
	if (rc < 0)
		return err_set(err, -rc, "the configuration is refused: %s", strerror(-rc));
	for (uint32_t s = 0; s < g->conf.sessions && rc >= 0; s++)
		rc = program_session(g, s, command, user, err);
	return rc;
}

int gen_withdraw(struct gen *g, int (*command)(void *user, union dp_msg *m), void *user, struct err *err)
{
	union dp_msg m;
	int rc = 0;

	for (uint32_t s = 0; s < g->conf.sessions && rc >= 0; s++) {
		dp_msg_init(&m, DP_SESSION_DEL, 0);
		m.session_del.session = session_id(g, s);
		rc = command(user, &m);
	}
	return rc < 0 ? err_set(err, -rc, "calls stay in the gateway: %s", strerror(-rc)) : 0;
}
