/* SPDX-License-Identifier: Apache-2.0 */
/* A phone whose media end shakes hands: carrier-a, by DTLS-SRTP. For one test program each: it holds what there is one of. */
#pragma once

#include "controlplane/dtls/association.h"
#include "tests/unit/b2bua_audit.h"

/* The media end of the phone that stands for carrier-a. */
static struct {
	struct dtls_identity *identity;
	struct dtls_association *association; /* NULL: not there yet */
	struct ip_port address, gateway;
	unsigned datagrams; /* that it was sent */
} peer;

static const enum srtp_suite suites[] = {SRTP_AEAD_AES_256_GCM};

static inline void say_datagram(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	(void)arg;
	(void)to;
	plane_punt(plane_last(), DP_SIDE_B, &peer.address, octets, n);
}

static inline void hear_datagram(const struct dp_punt *p)
{
	peer.datagrams++;
	if (peer.association)
		dtls_association_input(peer.association, &peer.gateway, p->octets, p->n);
}

/* The first line of a description that begins so: what follows. */
static inline struct str line_of(struct str description, const char *begins)
{
	while (description.n) {
		struct str whole = str_cut(&description, '\n'), line = str_cut(&whole, '\r');

		if (str_starts(line, str_z(begins)))
			return str_sub(line, strlen(begins), line.n);
	}
	fail_msg("no %s", begins);
	return STR("");
}

/* An association of bob's; ours is the certificate that the description has, from where it begins. */
static inline void associate(struct dtls_association **out, enum dtls_role role, struct str description,
	void (*output)(void *, const struct ip_port *, const uint8_t *, size_t))
{
	struct dtls_association_conf conf = {
		.dtls = {.role = role,
			.identity = peer.identity,
			.suites = suites,
			.n_suites = 1,
			.n_peer = 1,
			.max = DTLS_1_3,
			.remote = peer.gateway},
		.any_ip = true,
		.output = output,
	};
	struct err e = {0};

	assert_int_equal(dtls_fingerprint_parse(line_of(description, "a=fingerprint:"), &conf.dtls.peer[0]), 0);
	if (dtls_association_new(&dtls_openssl, &conf, out, &e) < 0)
		fail_msg("%s", e.text);
}

static inline void open_peer(enum dtls_role role)
{
	associate(&peer.association, role, bob.invite->body, say_datagram);
}

static inline int setup(void **state)
{
	memset(&peer, 0, sizeof peer);
	assert_int_equal(ip_parse(str_z("198.51.100.1"), &peer.address.ip), 0);
	peer.address.port = 30001;
	peer.gateway = peer.address;
	assert_int_equal(dtls_identity_make(&peer.identity, NULL), 0);
	assert_int_equal(bench_setup_dtls(state), 0);
	bench.punted = hear_datagram;
	return 0;
}

static inline int teardown(void **state)
{
	int kept = bench_teardown(state);

	dtls_association_close(peer.association);
	dtls_identity_unref(peer.identity);
	return kept;
}

#define TD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* carrier-a takes DTLS alone; these members of its dtls-policy. */
/* members: of the policy; trunk: of bob's trunk, each with a comma in front. */
static inline void take_dtls_and(const char *members, const char *trunk)
{
	char policies[512], a[256];

	snprintf(policies, sizeof policies,
		"\"dtls-policies\":{\"dtls-policy\":[{\"name\":\"d\"%s}]},\"media\":{\"interface\":[", members);
	snprintf(a, sizeof a,
		"\"crypto-profile\":\"gcm\",\"keying\":[\"dtls\"],\"dtls-policy\":\"d\"},"
		"\"rtcp-mux\":\"offer\"%s},{\"name\":\"carrier-b\"",
		trunk);
	bench_change_all((const struct bench_edit[]){{"\"media\":{\"interface\":[", policies},
				 {"\"crypto-profile\":\"gcm\"}},{\"name\":\"carrier-b\"", a}},
		2);
}

static inline void take_dtls(const char *members)
{
	take_dtls_and(members, "");
}

/* Bob's description; wrong: with the fingerprint of a certificate that is not his. */
static inline const char *described(const char *setup_value, bool wrong)
{
	static char text[1024];
	char address[IP_TEXT_MAX], fingerprint[DTLS_FINGERPRINT_TEXT];
	struct wbuf w = wbuf_make(fingerprint, sizeof fingerprint - 1);
	struct dtls_fingerprint f;

	assert_int_equal(dtls_identity_fingerprint(peer.identity, DTLS_SHA256, &f), 0);
	f.octets[3] ^= wrong;
	dtls_fingerprint_print(&w, &f);
	fingerprint[w.len] = '\0';
	snprintf(text, sizeof text,
		"v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		"m=audio %u UDP/TLS/RTP/SAVP 8\r\na=rtcp-mux\r\na=fingerprint:%s\r\na=setup:%s\r\n",
		ip_text(&peer.address.ip, address), peer.address.port, fingerprint, setup_value);
	return text;
}

static inline void invite_bob(void)
{
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
}

/* Bob answers; the call is up, with keys or not. */
static inline void answered(const char *setup_value, bool wrong)
{
	answer(&bob, "200 OK", "", described(setup_value, wrong));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
}

static inline bool secured(void)
{
	return plane_last()->rx_keys[DP_SIDE_B] && plane_last()->tx_keys[DP_SIDE_B] && peer.association &&
	       dtls_association_result(peer.association)->state == DTLS_ESTABLISHED;
}

static inline void assert_keys_fit(void)
{
	const struct dtls_result *r = dtls_association_result(peer.association);
	const struct plane_session *s = plane_last();

	assert_int_equal(s->tx[DP_SIDE_B].suite, r->suite);
	assert_memory_equal(s->tx[DP_SIDE_B].master, r->rx.octets, r->rx.len);
	assert_memory_equal(s->rx[DP_SIDE_B].master, r->tx.octets, r->tx.len);
}

static inline void up(enum dtls_role role)
{
	take_dtls("");
	invite_bob();
	open_peer(role);
	answered(role == DTLS_CLIENT ? "active" : "passive", false);
	run_until(secured, "the handshake");
}

static inline bool ended(void)
{
	return hear_any(&bob) && bob.heard->request && bob.heard->method == SIP_BYE;
}

/* Bob is another DTLS peer from here on: his association is gone, and his certificate. */
static inline void another_identity(void)
{
	if (peer.association)
		dtls_association_close(peer.association);
	peer.association = NULL;
	dtls_identity_unref(peer.identity);
	assert_int_equal(dtls_identity_make(&peer.identity, NULL), 0);
}

/* He says so in a re-INVITE, with that a=setup, and has the 200. */
static inline void says_so(const char *setup_value)
{
	say(&bob, "INVITE", "", described(setup_value, false));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp(&alice, 2));
	hear(&alice, "ACK");
	hear(&bob, "200");
}
