/* SPDX-License-Identifier: Apache-2.0 */
/* ICE-lite as a peer's full agent sees it: what is answered, what is not, and where media goes. */
#include <string.h>

#include "dataplane/ice_lite.h"
#include "lib/stun/stun.h"
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig.h"

#define S 6
#define PWD_1 "first-password-of-the-leg"
#define PWD_2 "other-password-of-the-leg"

static struct ip_port gw_a, gw_b, peer_b, wifi, cable, relay;

static void credentials(struct dp_ice_credentials *c, const char *ufrag, const char *pwd)
{
	c->ufrag_len = (uint8_t)strlen(ufrag);
	c->pwd_len = (uint8_t)strlen(pwd);
	memcpy(c->ufrag, ufrag, c->ufrag_len);
	memcpy(c->pwd, pwd, c->pwd_len);
}

static int leg_ice(struct rig *r, const char *ufrag, const char *pwd, const char *before, const char *pwd_before)
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

static union dp_msg secure_leg(const char *ip)
{
	static const struct ip_port nowhere;
	union dp_msg m;

	gw_a = rig_addr(ip, 20000);
	m = rig_leg(S, 0, DP_SECURITY_SRTP, gw_a, nowhere);
	m.leg_update.flags |= DP_LEG_PUNT_DTLS;
	return m;
}

/* Side A: ICE, nothing known of the peer. Side B: plain. */
static void call_open(struct rig *r, const char *ip)
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

static struct stun_check good(void)
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

static size_t written(const struct stun_check *c, uint8_t *p, size_t cap)
{
	struct wbuf w = wbuf_make(p, cap);

	stun_put_check(&w, c);
	return w.len;
}

/* Sends it; true: there was an answer, which proved itself and is *m. */
static bool ask_at(struct rig *r, struct ip_port from, struct ip_port to, const struct stun_check *c,
	struct stun_msg *m)
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

static bool ask(struct rig *r, struct ip_port from, const struct stun_check *c)
{
	struct stun_msg m;

	return ask_at(r, from, gw_a, c, &m) && m.type == STUN_BINDING_SUCCESS &&
	       ip_port_equal(&m.mapped, &from);
}

static bool nominate(struct rig *r, struct ip_port from, uint32_t priority)
{
	struct stun_check c = good();

	c.use_candidate = true;
	c.priority = priority;
	return ask(r, from, &c);
}

static struct ip_port remote(struct rig *r)
{
	return rig_leg_state(r, S, 0)->rtp.remote;
}

static bool is_remote(struct rig *r, struct ip_port a)
{
	struct ip_port now = remote(r);

	return ip_port_equal(&now, &a);
}

static void test_answered(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();

	call_open(r, "10.0.0.1");
	assert_true(ask(r, wifi, &c));
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE), 1);
	assert_true(is_remote(r, wifi)); /* nothing better is known */
	assert_true(ip_port_equal(&rig_message(r, DP_REMOTE_CHANGED)->remote_changed.remote, &wifi));
	assert_true(nominate(r, cable, 1));
	assert_true(is_remote(r, cable));
	rig_run(r, 1);
	assert_true(ip_port_equal(&rig_message(r, DP_REMOTE_CHANGED)->remote_changed.remote, &cable));
}

static void test_answered_ipv6(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();

	call_open(r, "fd00::1");
	assert_true(ask(r, wifi, &c));
	assert_true(is_remote(r, wifi));
}

/* Nothing leaves and nothing changes without the credentials. */
static void test_not_answered(void **state)
{
	struct rig *r = *state;
	struct stun_check c;
	struct stun_msg m;
	uint8_t p[512];
	size_t n;

	call_open(r, "10.0.0.1");
	static const struct str usernames[] = {
		{"", 0}, {"abcd", 4}, {"abc:d", 5}, {"abce:peer", 9}, {"abcdd:peer", 10}, {"peer:abcd", 9}};

	for (unsigned i = 0; i < sizeof usernames / sizeof *usernames; i++) {
		c = good();
		c.username = usernames[i];
		assert_false(ask(r, wifi, &c));
	}
	c = good();
	c.key = PWD_2;
	assert_false(ask(r, wifi, &c));
	/* Without FINGERPRINT, then without MESSAGE-INTEGRITY. */
	c = good();
	n = written(&c, p, sizeof p);
	assert_int_equal(stun_parse(p, n, &m), 0);
	p[3] = (uint8_t)(m.fingerprint - STUN_HEADER);
	rig_send(r, wifi, gw_a, p, m.fingerprint);
	p[3] = (uint8_t)(m.integrity - STUN_HEADER);
	rig_send(r, wifi, gw_a, p, m.integrity);
	rig_run(r, 2);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE_UNAUTHENTIC), 9);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE), 0);
	assert_int_equal(remote(r).ip.family, IP_NONE);
	assert_null(rig_message(r, DP_REMOTE_CHANGED));
	/* A leg without ICE takes no STUN at all. */
	rig_send(r, peer_b, gw_b, p, written(&c, p, sizeof p));
	rig_run(r, 2);
	assert_int_equal(rig_verdict(r, S, 1, DP_V_MALFORMED), 1);
}

/* RFC 8445: one pair is nominated, and another one when the peer changes its mind, whatever the priorities. */
static void test_peer_changes_its_mind(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();

	call_open(r, "10.0.0.1");
	assert_true(ask(r, wifi, &c));
	c = good();
	assert_true(ask(r, cable, &c));
	assert_true(nominate(r, cable, 3000));
	assert_true(is_remote(r, cable));
	assert_true(nominate(r, wifi, 2000));
	assert_true(is_remote(r, wifi));
	/* A check of another pair that is not nominated moves nothing. */
	c = good();
	assert_true(ask(r, cable, &c));
	assert_true(is_remote(r, wifi));
}

/* RFC 5245: every pair is nominated at once, and the highest priority counts while it works. */
static void test_aggressive_nomination(void **state)
{
	struct rig *r = *state;

	call_open(r, "10.0.0.1");
	assert_true(nominate(r, cable, 2000));
	assert_true(nominate(r, wifi, 3000));
	assert_true(nominate(r, relay, 1000));
	assert_true(is_remote(r, wifi));
	r->now += 10 * NS_PER_S;
	assert_true(nominate(r, relay, 1000));
	assert_true(is_remote(r, relay));
}

/* An ICE restart: the old pair serves until the peer nominates with the new credentials, not a moment longer. */
static void test_restart_overlaps(void **state)
{
	struct rig *r = *state;
	struct stun_check renewed = good();

	renewed.username = STR("efgh:peer");
	renewed.key = PWD_2;
	call_open(r, "10.0.0.1");
	assert_true(nominate(r, wifi, 3000));
	assert_false(ask(r, cable, &renewed));
	assert_int_equal(leg_ice(r, "efgh", PWD_2, "abcd", PWD_1), 0);
	assert_int_equal(leg_ice(r, "efgh", PWD_2, "abcd", PWD_1), 0); /* said twice, it means the same */
	assert_true(nominate(r, wifi, 3000));
	assert_true(ask(r, cable, &renewed));
	assert_true(is_remote(r, wifi));
	renewed.use_candidate = true;
	renewed.priority = 1;
	assert_true(ask(r, cable, &renewed));
	assert_true(is_remote(r, cable));
	/* Late checks of before are answered, and nominate nothing. */
	r->now += NS_PER_S;
	assert_true(nominate(r, wifi, 9000));
	assert_true(nominate(r, relay, 9000));
	assert_true(is_remote(r, cable));
	assert_int_equal(leg_ice(r, "efgh", PWD_2, NULL, NULL), 0);
	assert_false(nominate(r, wifi, 9000));
}

static bool says_to(struct rig *r, struct ip_port peer, struct ip_port by, uint16_t seq)
{
	static struct datagram d;
	uint8_t p[512];

	rig_send(r, peer_b, gw_b, p, rig_rtp(p, 8, seq, seq * 160u, 160));
	rig_run(r, 1);
	return rig_receive(r, &d) && ip_port_equal(&d.destination, &peer) && ip_port_equal(&d.source, &by);
}

/*
 * A re-key: the peer is told of the leg's other port and restarts. Checks are answered from the port that they came
 * to; media leaves by the old one until the peer nominates the new one, whatever signalling says meanwhile; and back
 * the other way the next time, though the peer was seen there before.
 */
static void test_restart_on_the_other_port(void **state)
{
	struct rig *r = *state;
	struct stun_check renewed = good(), again = good();
	struct ip_port gw_a2 = rig_addr("10.0.0.1", 20001);
	struct stun_msg m;
	union dp_msg u, moved;

	renewed.username = STR("efgh:peer");
	renewed.key = PWD_2;
	renewed.use_candidate = again.use_candidate = true;
	call_open(r, "10.0.0.1");
	u = moved = secure_leg("10.0.0.1");
	u.leg_update.local_rtcp = gw_a2;
	moved.leg_update.local = gw_a2;
	moved.leg_update.local_rtcp = gw_a;
	assert_int_equal(rig_command(r, &u), 0);
	u = rig_key(S, 0, DP_KEY_TX, SRTP_AEAD_AES_128_GCM, 2);
	assert_int_equal(rig_command(r, &u), 0);
	assert_true(nominate(r, wifi, 3000));
	assert_true(says_to(r, wifi, gw_a, 1));

	assert_int_equal(leg_ice(r, "efgh", PWD_2, "abcd", PWD_1), 0);
	assert_int_equal(rig_command(r, &moved), 0);
	assert_true(says_to(r, wifi, gw_a, 2));
	assert_true(nominate(r, wifi, 3000)); /* consent for the pair from before */
	assert_true(says_to(r, wifi, gw_a, 3));
	assert_true(ask_at(r, wifi, gw_a2, &renewed, &m));
	assert_true(says_to(r, wifi, gw_a2, 4));
	assert_int_equal(rig_command(r, &moved), 0);
	assert_true(says_to(r, wifi, gw_a2, 5));
	assert_true(nominate(r, wifi, 9000)); /* late, at the old port: answered from there, moves nothing */
	assert_true(says_to(r, wifi, gw_a2, 6));

	assert_int_equal(leg_ice(r, "abcd", PWD_1, "efgh", PWD_2), 0);
	assert_true(ask_at(r, wifi, gw_a, &again, &m));
	assert_true(says_to(r, wifi, gw_a, 7));
}

static void test_refused(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();
	struct stun_msg m;
	uint8_t p[512];

	call_open(r, "10.0.0.1");
	c.controlled = c.use_candidate = true;
	assert_true(ask_at(r, wifi, gw_a, &c, &m));
	assert_int_equal(m.error, STUN_ROLE_CONFLICT);
	assert_int_equal(remote(r).ip.family, IP_NONE);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE_REFUSED), 1);
	/* With a wrong password there is no 487 either. */
	c.key = PWD_2;
	assert_false(ask_at(r, wifi, gw_a, &c, &m));
	/* No STUN: a length that does not fit. */
	rig_send(r, wifi, gw_a, p, written(&c, p, sizeof p) - 4);
	rig_run(r, 1);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_MALFORMED), 1);
}

static unsigned heard_at(struct rig *r, struct ip_port to)
{
	struct datagram d;
	unsigned n = 0;

	while (rig_receive(r, &d))
		n += ip_port_equal(&d.destination, &to);
	return n;
}

/* Media and DTLS are heard from every pair that was checked and from nobody else; they go to the nominated one. */
static void test_media_follows(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer(SRTP_AEAD_AES_128_GCM, 1, SRTP_PROTECT);
	struct stun_check check = good();
	uint8_t p[512], hello[60] = {22, 0xfe, 0xfd};
	struct datagram d;
	union dp_msg m;

	call_open(r, "10.0.0.1");
	m = rig_key(S, 0, DP_KEY_RX, SRTP_AEAD_AES_128_GCM, 1);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_TX, SRTP_AEAD_AES_128_GCM, 2);
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(ask(r, cable, &check));
	assert_true(nominate(r, wifi, 3000));
	const struct ip_port from[] = {wifi, cable, relay, wifi};

	for (uint16_t i = 0; i < 4; i++) {
		size_t n = rig_rtp(p, 7, (uint16_t)(i + 1), i * 160u, 160);

		assert_int_equal(srtp_context_protect(c, p, &n, sizeof p), 0);
		rig_send(r, from[i], gw_a, p, n);
		rig_run(r, 1);
		assert_int_equal(heard_at(r, peer_b), i != 2);
		assert_true(is_remote(r, wifi));
	}
	assert_int_equal(rig_verdict(r, S, 0, DP_V_WRONG_SOURCE), 1);
	rig_send(r, peer_b, gw_b, p, rig_rtp(p, 8, 1, 0, 160));
	rig_run(r, 1);
	assert_int_equal(heard_at(r, wifi), 1);

	rig_forget(r);
	rig_send(r, relay, gw_a, hello, sizeof hello);
	rig_run(r, 2);
	assert_null(rig_message(r, DP_PUNT_RX));
	rig_send(r, cable, gw_a, hello, sizeof hello);
	rig_run(r, 2);
	assert_true(ip_port_equal(&rig_message(r, DP_PUNT_RX)->punt.remote, &cable));
	dp_msg_init(&m, DP_PUNT_TX, 0);
	m.punt.session = S;
	m.punt.n = sizeof hello;
	m.punt.remote = relay;
	memcpy(m.punt.octets, hello, sizeof hello);
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(rig_receive(r, &d));
	assert_true(ip_port_equal(&d.destination, &wifi));
	srtp_context_free(c);
}

/* The peer chooses; what signalling says later of its address does not, until ICE ends. */
static void test_signalling_does_not_move_it(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r, "10.0.0.1");
	assert_true(nominate(r, wifi, 3000));
	m = secure_leg("10.0.0.1");
	m.leg_update.remote = cable;
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(is_remote(r, wifi));
	m = secure_leg("10.0.0.1");
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(is_remote(r, wifi));
	assert_int_equal(leg_ice(r, NULL, NULL, NULL, NULL), 0);
	m = secure_leg("10.0.0.1");
	m.leg_update.remote = cable;
	assert_int_equal(rig_command(r, &m), 0);
	assert_true(is_remote(r, cable));
	assert_false(nominate(r, wifi, 3000));
}

/* More than a peer needs is not answered; who floods from elsewhere takes nothing from who is known. */
static void test_rate_limit(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();
	unsigned answered = 0;

	call_open(r, "10.0.0.1");
	assert_true(nominate(r, wifi, 3000));
	c.key = PWD_2;
	for (unsigned i = 0; i < 2 * ICE_CHECKS_PER_SECOND; i++)
		assert_false(ask(r, cable, &c));
	assert_in_range(rig_verdict(r, S, 0, DP_V_ICE_LIMIT), 1, 2 * ICE_CHECKS_PER_SECOND);
	assert_true(nominate(r, wifi, 3000));
	r->now += NS_PER_S;
	for (unsigned i = 0; i < 2 * ICE_CHECKS_PER_SECOND; i++)
		answered += nominate(r, wifi, 3000);
	assert_int_equal(answered, ICE_CHECKS_PER_SECOND);
}

/* Every leg is looked at once in a second. */
static void pass(struct rig *r, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		r->now += NS_PER_S - 2 * TICK_NS;
		rig_run(r, 2 * TICK_NS / NS_PER_MS);
	}
}

static void test_consent(void **state)
{
	static const uint8_t keepalive[STUN_HEADER] = {0, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42};
	struct rig *r = *state;
	struct stun_check c = good();

	call_open(r, "10.0.0.1");
	pass(r, 20);
	assert_null(rig_message(r, DP_CONSENT_LOST));
	assert_true(nominate(r, wifi, 3000));
	pass(r, 20);
	c.key = PWD_2; /* a check that proves nothing is none */
	assert_false(ask(r, wifi, &c));
	assert_null(rig_message(r, DP_CONSENT_LOST));
	pass(r, 12);
	assert_int_equal(rig_count(r, DP_CONSENT_LOST), 1);
	assert_int_equal(rig_message(r, DP_CONSENT_LOST)->consent_lost.leg, 0);
	assert_in_range(rig_message(r, DP_CONSENT_LOST)->consent_lost.silent_ms, 30000, 60000);
	/* And again, as long as it lasts; a keepalive shows that somebody is there. */
	rig_send(r, wifi, gw_a, keepalive, sizeof keepalive);
	rig_send(r, relay, gw_a, keepalive, sizeof keepalive);
	rig_forget(r);
	pass(r, 32);
	assert_int_equal(rig_count(r, DP_CONSENT_LOST), 1);
	assert_in_range(rig_message(r, DP_CONSENT_LOST)->consent_lost.silent_ms, 20000, 33000);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_ICE), 2);
	rig_forget(r);
	assert_true(nominate(r, wifi, 3000));
	pass(r, 25);
	assert_null(rig_message(r, DP_CONSENT_LOST));
}

static void test_described(void **state)
{
	struct rig *r = *state;
	struct stun_check c = good();
	union dp_msg m;

	call_open(r, "10.0.0.1");
	for (unsigned i = DP_ICE_WAITING; i <= DP_ICE_NOMINATED; i++) {
		dp_msg_init(&m, DP_STATS, 0);
		m.stats.scope = DP_STATS_SCOPE_SESSION;
		m.stats.session = S;
		rig_forget(r);
		assert_int_equal(rig_command(r, &m), 0);
		for (unsigned k = 0; k < r->n_messages; k++)
			if (r->messages[k].h.type == DP_STATS_LEG && r->messages[k].stats_leg.leg == 0)
				assert_int_equal(r->messages[k].stats_leg.ice, i);
		if (i == DP_ICE_WAITING)
			assert_true(ask(r, wifi, &c));
		else
			assert_true(nominate(r, wifi, 1));
	}
}

/* A password is nowhere once it is not needed. */
static void test_passwords_are_wiped(void **state)
{
	struct rig *r = *state;
	const uint8_t *memory = (const void *)r->w[0]->mailbox.command_memory;
	union dp_msg m;

	call_open(r, "10.0.0.1");
	dp_msg_init(&m, DP_LEG_ICE, 0);
	m.leg_ice.session = S;
	credentials(&m.leg_ice.credentials[0], "efgh", PWD_2);
	assert_int_equal(rig_command(r, &m), 0);
	assert_null(memmem(&m, sizeof m, PWD_2, sizeof PWD_2 - 1));
	assert_null(memmem(memory, MAILBOX_COMMANDS * sizeof(struct command), PWD_2, sizeof PWD_2 - 1));
	assert_int_equal(rig_session_delete(r, S), 0);
}

/* RTCP on a port of its own is a component of its own. */
static void test_second_component(void **state)
{
	struct ip_port rtcp_local = rig_addr("10.0.0.1", 20001), rtcp = rig_addr("10.0.0.10", 5001);
	struct rig *r = *state;
	struct stun_check c = good();
	struct stun_msg m;
	union dp_msg u;

	call_open(r, "10.0.0.1");
	u = secure_leg("10.0.0.1");
	u.leg_update.flags = 0;
	u.leg_update.local_rtcp = rtcp_local;
	assert_int_equal(rig_command(r, &u), 0);
	c.use_candidate = true;
	assert_true(ask_at(r, rtcp, rtcp_local, &c, &m));
	assert_int_equal(remote(r).ip.family, IP_NONE);
	assert_true(ip_port_equal(&rig_leg_state(r, S, 0)->rtcp.remote, &rtcp));
	assert_true(nominate(r, wifi, 1));
	assert_true(is_remote(r, wifi));
	assert_true(ip_port_equal(&rig_leg_state(r, S, 0)->rtcp.remote, &rtcp));
}

/* More addresses than there is room for: the one in use stays. */
static void test_many_addresses(void **state)
{
	struct rig *r = *state;

	call_open(r, "10.0.0.1");
	assert_true(nominate(r, wifi, 5000));
	for (uint16_t i = 0; i < 3 * ICE_PAIRS_MAX; i++)
		assert_true(nominate(r, rig_addr("10.0.0.12", (uint16_t)(7000 + i)), 100));
	assert_true(is_remote(r, wifi));
	assert_int_equal(rig_leg_state(r, S, 0)->ice->components[0].n, ICE_PAIRS_MAX);
	assert_non_null(ice_pair_find(&rig_leg_state(r, S, 0)->ice->components[0], &wifi));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answered, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_answered_ipv6, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_not_answered, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_peer_changes_its_mind, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_aggressive_nomination, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_restart_overlaps, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_restart_on_the_other_port, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_refused, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_media_follows, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_signalling_does_not_move_it, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_rate_limit, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_consent, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_described, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_passwords_are_wiped, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_second_component, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_many_addresses, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
