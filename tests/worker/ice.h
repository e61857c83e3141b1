/* SPDX-License-Identifier: Apache-2.0 */
/* A call whose side A finds its way by ICE, and the checks that its full agent sends. */
#pragma once

#include <string.h>

#include "dataplane/ice_lite.h"
#include "lib/stun/stun.h"
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#define S 6
#define PWD_1 "first-password-of-the-leg"
#define PWD_2 "other-password-of-the-leg"

static struct ip_port wifi, cable, relay; /* where side A's peer may be */

static inline void credentials(struct dp_ice_credentials *c, const char *ufrag, const char *pwd)
{
	c->ufrag_len = (uint8_t)strlen(ufrag);
	c->pwd_len = (uint8_t)strlen(pwd);
	memcpy(c->ufrag, ufrag, c->ufrag_len);
	memcpy(c->pwd, pwd, c->pwd_len);
}

static inline int leg_ice(
	struct rig *r, const char *ufrag, const char *pwd, const char *before, const char *pwd_before)
{
	union dp_msg m;

	dp_msg_init(&m, DP_LEG_ICE, 0);
	m.leg_ice.session = S;
	m.leg_ice.consent_s = 30;
	if (ufrag)
		credentials(&m.leg_ice.credentials[0], ufrag, pwd);
	if (before)
		credentials(&m.leg_ice.credentials[1], before, pwd_before);
	return rig_command(r, &m);
}

static inline union dp_msg secure_leg(const char *ip)
{
	static const struct ip_port nowhere;
	union dp_msg m;

	gw_a = rig_addr(ip, 20000);
	m = rig_leg(S, 0, DP_SECURITY_SRTP, gw_a, nowhere);
	m.leg_update.flags |= DP_LEG_PUNT_DTLS;
	return m;
}

/* Side A: ICE, nothing known of the peer. Side B: plain. */
static inline void call_open(struct rig *r, const char *ip)
{
	union dp_msg m = secure_leg(ip);

	gw_b = rig_addr("10.0.0.1", 20010);
	peer_b = rig_addr("10.0.0.11", 6000);
	wifi = rig_addr(strchr(ip, ':') ? "fd00::10" : "10.0.0.10", 5000);
	cable = rig_addr(strchr(ip, ':') ? "fd00::12" : "10.0.0.12", 5002);
	relay = rig_addr("10.0.0.13", 5004);
	assert_int_equal(rig_session(r, S, 0), 0);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(leg_ice(r, "abcd", PWD_1, NULL, NULL), 0);
	rig_forget(r);
}

static inline struct stun_check good(void)
{
	static uint8_t n;
	struct stun_check c = {.username = STR("abcd:peer"),
		.key = PWD_1,
		.key_len = sizeof PWD_1 - 1,
		.priority = 1000,
		.tie_breaker = 9};

	c.id[0] = ++n;
	return c;
}

static inline size_t written(const struct stun_check *c, uint8_t *p, size_t cap)
{
	struct wbuf w = wbuf_make(p, cap);

	stun_put_check(&w, c);
	return w.len;
}

/* Sends it; true: there was an answer, which proved itself and is *m. */
static inline bool ask_at(
	struct rig *r, struct ip_port from, struct ip_port to, const struct stun_check *c, struct stun_msg *m)
{
	uint8_t p[512];
	static struct datagram d;

	rig_send(r, from, to, p, written(c, p, sizeof p));
	rig_run(r, 1);
	if (!rig_receive(r, &d))
		return false;
	assert_true(ip_port_equal(&d.destination, &from));
	assert_true(ip_port_equal(&d.source, &to));
	assert_int_equal(stun_parse(d.octets, d.n, m), 0);
	assert_memory_equal(m->id, c->id, STUN_ID);
	assert_true(stun_fingerprint_good(d.octets, m));
	assert_true(stun_integrity_good(d.octets, m, c->key, c->key_len));
	assert_false(rig_receive(r, &d));
	return true;
}

static inline bool ask(struct rig *r, struct ip_port from, const struct stun_check *c)
{
	struct stun_msg m;

	return ask_at(r, from, gw_a, c, &m) && m.type == STUN_BINDING_SUCCESS &&
	       ip_port_equal(&m.mapped, &from);
}

static inline bool nominate(struct rig *r, struct ip_port from, uint32_t priority)
{
	struct stun_check c = good();

	c.use_candidate = true;
	c.priority = priority;
	return ask(r, from, &c);
}

static inline struct ip_port remote(struct rig *r)
{
	return leg_rtp(rig_leg_state(r, S, 0))->remote;
}

static inline bool is_remote(struct rig *r, struct ip_port a)
{
	struct ip_port now = remote(r);

	return ip_port_equal(&now, &a);
}
