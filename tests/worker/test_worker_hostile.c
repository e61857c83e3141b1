/* SPDX-License-Identifier: Apache-2.0 */
/* Peers with valid keys, strangers and stray frames that mean no good: nobody else is silenced or misled. */
#include <errno.h>
#include <string.h>

#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/support/inet_sum.h"
#include "tests/worker/rig_call.h"

#define S 4
#define CM SRTP_AES_CM_128_HMAC_SHA1_80
#define GCM SRTP_AEAD_AES_128_GCM

/* A secure (keys: 1 in, 2 out), B plain. */
static void call_open(struct rig *r, uint16_t flags)
{
	union dp_msg m;

	rig_addresses(false);
	rig_call(r, S, DP_SECURITY_SRTP, flags, DP_SECURITY_PLAIN);
	m = rig_key(S, 0, DP_KEY_RX, CM, 1);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_TX, CM, 2);
	assert_int_equal(rig_command(r, &m), 0);
	rig_forget(r);
}

static unsigned play(struct rig *r, struct ip_port from, struct ip_port to, const void *p, size_t n)
{
	rig_send(r, from, to, p, n);
	rig_run(r, 1);
	return rig_heard(r);
}

/*
 * A compound whose only report speaks for an SSRC that another one followed: with it taken out an empty SDES
 * of 4 octets is left, less than the header that SRTCP leaves clear.
 */
static void test_rtcp_with_nothing_left(void **state)
{
	struct rig *r = *state;
	uint8_t p[256];

	call_open(r, 0);
	for (uint16_t i = 1; i <= 20; i++)
		assert_int_equal(play(r, peer_b, gw_b, p, rig_rtp(p, 9, i, i * 160u, 160)), 1);
	rig_run(r, 20);
	assert_int_equal(play(r, peer_b, gw_b, p, rig_rtp(p, 10, 21, 21 * 160u, 160)), 1);
	memset(p, 0, 12);
	p[0] = 0x80; /* SDES, no chunk, no more words */
	p[1] = 202;
	p[4] = 0x80; /* RR of the SSRC before, no report */
	p[5] = 201;
	p[7] = 1;
	p[11] = 9;
	assert_int_equal(play(r, peer_b, gw_b, p, 12), 0);
	assert_int_equal(rig_verdict(r, S, 1, DP_V_NO_STREAM), 1);
	assert_int_equal(rig_leg_state(r, S, 0)->far->renumber.srtcp_next, 0);
}

/* A peer whose audio comes from one device after the other (hold music, transfers) is always heard. */
static void test_many_ssrcs_in_turn(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer_of_many(CM, 1);
	struct crypto_health before, after;
	uint8_t p[512], first[2][512], report[512];
	size_t n, first_n[2], report_n;

	call_open(r, 0);
	/* The first one wraps its sequence number before it falls silent, and is beyond its middle again. */
	for (uint32_t i = 65000; i < 105000; i++) {
		n = rig_sealed(c, p, 0x100, (uint16_t)i);
		if (i == 75000 || i == 104900) {
			memcpy(first[i != 75000], p, n);
			first_n[i != 75000] = n;
		}
		if (i % 100 == 0)
			assert_int_equal(play(r, peer_a, gw_a, p, n), 1);
	}
	report_n = rig_sr(report, 0x100, 0, 0);
	assert_int_equal(srtp_context_protect_rtcp(c, report, &report_n, sizeof report), 0);
	assert_int_equal(play(r, peer_a, gw_a, report, report_n), 1);
	for (uint32_t ssrc = 0x101; ssrc < 0x11e; ssrc++) {
		rig_run(r, 1100);
		for (uint16_t i = 1; i <= 10; i++)
			assert_int_equal(play(r, peer_a, gw_a, p, rig_sealed(c, p, ssrc, i)), 1);
	}
	/* What was received of it is not received again, though its place is another's now, nor does it cost
	 * a decryption. */
	assert_int_equal(crypto_ipsec_mb.health(r->w[0]->crypto, &before), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(play(r, peer_a, gw_a, first[i], first_n[i]), 0);
	assert_int_equal(play(r, peer_a, gw_a, report, report_n), 0);
	assert_int_equal(crypto_ipsec_mb.health(r->w[0]->crypto, &after), 0);
	assert_int_equal(after.jobs, before.jobs);
	/* It goes on where it was, in its second rollover, and the replays of before are still known. */
	rig_run(r, 1100);
	assert_int_equal(play(r, peer_a, gw_a, p, rig_sealed(c, p, 0x100, (uint16_t)105000)), 1);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(play(r, peer_a, gw_a, first[i], first_n[i]), 0);
	assert_int_equal(play(r, peer_a, gw_a, report, report_n), 0);
	assert_int_equal(play(r, peer_a, gw_a, p, rig_sealed(c, p, 0x100, (uint16_t)105001)), 1);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_SSRC_LIMIT), 0);
	srtp_context_free(c);
}

/* There is an end to it: memory is bounded, replays stay refused, and the next key begins anew. */
static void test_ssrc_flood(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer_of_many(CM, 1), *next = rig_peer_of_many(CM, 3);
	const struct leg *leg;
	uint8_t p[512], first[512];
	size_t first_n;
	unsigned relayed;
	union dp_msg m;

	call_open(r, 0);
	leg = rig_leg_state(r, S, 0);
	first_n = rig_sealed(c, first, 1, 1);
	relayed = play(r, peer_a, gw_a, first, first_n);
	for (uint32_t ssrc = 2; ssrc <= 90; ssrc++) {
		rig_run(r, 1100);
		relayed += play(r, peer_a, gw_a, p, rig_sealed(c, p, ssrc, 1));
		assert_int_equal(play(r, peer_a, gw_a, first, first_n), 0);
	}
	assert_int_equal(relayed, leg->far->ssrc_max + RETIRED_MAX);
	assert_int_equal(rig_verdict(r, S, 0, DP_V_SSRC_LIMIT), 90 - relayed);
	m = rig_key(S, 0, DP_KEY_RX, CM, 3);
	assert_int_equal(rig_command(r, &m), 0);
	rig_key_retire(r, S, DP_KEY_RX, 1);
	assert_int_equal(leg->far->n_retired, 0);
	assert_int_equal(play(r, peer_a, gw_a, p, rig_sealed(next, p, 91, 1)), 1);
	/* Nor does the old key come back to open its packets once more. */
	m = rig_key(S, 0, DP_KEY_RX, CM, 1);
	assert_int_equal(rig_command(r, &m), -EALREADY);
	assert_int_equal(play(r, peer_a, gw_a, first, first_n), 0);
	srtp_context_free(c);
	srtp_context_free(next);
}

/* Transmit epochs rise: none that was there comes back, whatever was between. */
static void test_tx_epochs_rise(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r, 0);
	m = rig_key(S, 0, DP_KEY_TX, GCM, 5);
	assert_int_equal(rig_command(r, &m), 0);
	m = rig_key(S, 0, DP_KEY_TX, CM, 2);
	assert_int_equal(rig_command(r, &m), -EALREADY);
	assert_int_equal(leg_tx(rig_leg_state(r, S, 0))->epoch, 5);
}

/* Strangers spend what a second allows; the peer, who moves in that second, is heard all the same. */
static void test_trials_are_not_used_up(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer_of_many(CM, 1);
	struct ip_port moved = rig_addr("10.0.0.77", 7777);
	uint8_t p[512];

	call_open(r, 0);
	assert_int_equal(play(r, peer_a, gw_a, p, rig_sealed(c, p, 7, 1)), 1);
	rig_run(r, 1000);
	for (unsigned i = 0; i < 200; i++) {
		size_t n = rig_rtp(p, 0xbad00000 + i, (uint16_t)i, i, 60);

		assert_int_equal(play(r, rig_addr("10.0.0.66", (uint16_t)(1000 + i)), gw_a, p, n), 0);
	}
	assert_true(rig_verdict(r, S, 0, DP_V_TRIAL_LIMIT) >= 180);
	assert_int_equal(play(r, moved, gw_a, p, rig_sealed(c, p, 7, 2)), 1);
	assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 0))->remote, &moved));
	srtp_context_free(c);
}

/* Nor do they keep the peer's handshake from the control plane. */
static void test_punts_are_not_used_up(void **state)
{
	struct rig *r = *state;
	uint8_t hello[60] = {22, 0xfe, 0xfd};

	call_open(r, DP_LEG_PUNT_DTLS);
	for (unsigned i = 0; i < 400; i++)
		play(r, rig_addr("10.0.0.66", (uint16_t)(1000 + i)), gw_a, hello, sizeof hello);
	assert_in_range(rig_verdict(r, S, 0, DP_V_PUNT_FULL), 200, 399);
	play(r, peer_a, gw_a, hello, sizeof hello);
	rig_run(r, 2);
	assert_true(ip_port_equal(&rig_message(r, DP_PUNT_RX)->punt.remote, &peer_a));
	/* On a leg that asks for none, it goes nowhere. */
	rig_forget(r);
	play(r, peer_b, gw_b, hello, sizeof hello);
	hello[0] = 1;
	play(r, peer_b, gw_b, hello, sizeof hello);
	rig_run(r, 2);
	assert_null(rig_message(r, DP_PUNT_RX));
	assert_int_equal(rig_verdict(r, S, 1, DP_V_MALFORMED), 2);
}

/* The control plane's datagrams are no way around a leg's keys. */
static void test_punt_is_no_way_out(void **state)
{
	struct rig *r = *state;
	union dp_msg m;

	call_open(r, DP_LEG_PUNT_DTLS);
	for (unsigned first = 0; first < 256; first++) {
		dp_msg_init(&m, DP_PUNT_TX, 0);
		m.punt.session = S;
		m.punt.n = 100;
		m.punt.remote = peer_a;
		m.punt.octets[0] = (uint8_t)first;
		bool allowed = first <= 3 || (first >= 20 && first <= 63);

		assert_int_equal(rig_command(r, &m), allowed ? 0 : -EINVAL);
		assert_int_equal(rig_heard(r), allowed);
	}
}

/* Forgeries and replays keep no call alive. */
static void test_timeout_under_attack(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c = rig_peer_of_many(CM, 1);
	uint8_t old[512], forged[512];
	size_t n;

	call_open(r, 0);
	rig_media_timeout(r, S, 3, 3);
	n = rig_sealed(c, old, 7, 1);
	assert_int_equal(play(r, peer_a, gw_a, old, n), 1);
	for (uint16_t i = 0; i < 600; i++) {
		memcpy(forged, old, n);
		be16_put(forged + 2, (uint16_t)(2 + i));
		assert_int_equal(play(r, peer_a, gw_a, forged, n) + play(r, peer_a, gw_a, old, n), 0);
		rig_run(r, 8);
		if (rig_count(r, DP_MEDIA_TIMEOUT) == 2)
			break;
	}
	/* Both legs' peers are silent. */
	assert_int_equal(rig_count(r, DP_MEDIA_TIMEOUT), 2);
	srtp_context_free(c);
}

static void put_tag(uint8_t *f, size_t *n, uint16_t tci)
{
	memmove(f + 16, f + 12, *n - 12);
	be16_put(f + 12, 0x8100);
	be16_put(f + 14, tci);
	*n += 4;
}

/* A frame to the gateway's port of leg B as rig_send() makes it, for changes to its headers. */
static size_t frame_of(struct rig *r, uint8_t *f, uint16_t seq)
{
	uint8_t p[256];
	struct rte_mbuf *m;
	size_t n;
	void *taken = NULL;

	rig_send(r, peer_b, gw_b, p, rig_rtp(p, 9, seq, seq * 160u, 160));
	assert_int_equal(rte_ring_dequeue(r->rx[0], &taken), 0);
	m = taken;
	n = rte_pktmbuf_pkt_len(m);
	memcpy(f, rte_pktmbuf_mtod(m, void *), n);
	rte_pktmbuf_free(m);
	return n;
}

/*
 * On a plain leg the checksum is all that says that a packet is whole. Wherever the addresses lie before
 * UDP's header: with octets of options behind them, or none.
 */
static void checksum_decides(struct rig *r, bool v6, size_t options)
{
	enum { RIGHT, WRONG, NONE, UNFINISHED, CASES };
	const size_t udp = (v6 ? 54 : 34) + options;
	uint8_t f[512];

	rig_addresses(v6);
	rig_call(r, S, DP_SECURITY_PLAIN, 0, DP_SECURITY_PLAIN);
	for (uint16_t i = RIGHT; i < CASES; i++) {
		size_t n = frame_of(r, f, i + 1) + options;

		if (options) {
			memmove(f + udp, f + 34, n - udp);
			memset(f + 34, 1, options); /* no operation */
			f[14] = (uint8_t)(0x45 + options / 4);
			be16_put(f + 16, (uint16_t)(n - 14));
			be16_put(f + 24, 0);
			be16_put(f + 24, (uint16_t)~inet_sum(0, f + 14, 20 + options));
		}
		if (i == WRONG)
			f[n - 1] ^= 1;
		else if (i == NONE)
			be16_put(f + udp + 6, 0);
		else if (i == UNFINISHED) /* the pseudo-header's sum, which with UDP's is ones */
			be16_put(f + udp + 6, (uint16_t)~inet_sum(0, f + udp, n - udp));
		rig_send_frame(r, f, n);
		rig_run(r, 1);
		assert_int_equal(rig_heard(r), i == RIGHT || i == UNFINISHED || (i == NONE && !v6));
	}
}

static void test_checksum(void **state)
{
	checksum_decides(*state, false, 0);
}

static void test_checksum_behind_options(void **state)
{
	checksum_decides(*state, false, 4);
}

/* As long as a header of IPv6. */
static void test_checksum_behind_many_options(void **state)
{
	checksum_decides(*state, false, 20);
}

static void test_checksum_v6(void **state)
{
	checksum_decides(*state, true, 0);
}

/* Another VLAN's frames are another network's, whatever their addresses say. */
static void vlan(struct rig *r, bool v6)
{
	struct dp_stats_global sum = {.rx_packets = 0};
	struct rte_mbuf *m;
	uint8_t f[512];
	size_t n;

	rig_addresses(v6);
	rig_call(r, S, DP_SECURITY_PLAIN, 0, DP_SECURITY_PLAIN);
	n = frame_of(r, f, 1);
	put_tag(f, &n, 5);
	rig_send_frame(r, f, n);
	rig_run(r, 1);
	assert_int_equal(rig_heard(r), 0);
	/* The tag taken off by the port. */
	n = frame_of(r, f, 2);
	m = rte_pktmbuf_alloc(r->pool);
	memcpy(rte_pktmbuf_append(m, (uint16_t)n), f, n);
	m->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 5;
	assert_int_equal(rte_ring_enqueue(r->rx[0], m), 0);
	rig_run(r, 1);
	assert_int_equal(rig_heard(r), 0);
	control_sum(r->control, &sum);
	assert_int_equal(sum.to_kernel, 2);
	/* A priority alone is no VLAN. */
	n = frame_of(r, f, 3);
	put_tag(f, &n, 6u << 13);
	rig_send_frame(r, f, n);
	rig_run(r, 1);
	assert_int_equal(rig_heard(r), 1);
}

static void test_vlan(void **state)
{
	vlan(*state, false);
}

static void test_vlan_v6(void **state)
{
	vlan(*state, true);
}

/* Fragments are never put together here, so that none can hide a header. */
static void test_fragments(void **state)
{
	struct rig *r = *state;
	uint8_t f[512];
	size_t n;

	call_open(r, 0);
	for (unsigned i = 0; i < 3; i++) {
		static const uint16_t fragment[3] = {0x2000, 0x2001, 0x0001};

		n = frame_of(r, f, (uint16_t)(i + 1));
		be16_put(f + 20, fragment[i]);
		be16_put(f + 24, 0);
		be16_put(f + 24, (uint16_t)~inet_sum(0, f + 14, 20));
		rig_send_frame(r, f, n);
		rig_run(r, 1);
		assert_int_equal(rig_heard(r), 0);
	}
	assert_int_equal(rig_verdict(r, S, 1, DP_V_MALFORMED), 1); /* the one with the ports */
	assert_int_equal(play(r, peer_b, gw_b, f, rig_rtp(f, 9, 9, 9 * 160u, 160)), 1);
}

/* Reports at the media port of a leg that has another one for them make no stream. */
static void test_report_at_rtp_port(void **state)
{
	struct rig *r = *state;
	uint8_t p[256];
	union dp_msg m;

	call_open(r, 0);
	m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	m.leg_update.flags = 0;
	m.leg_update.local_rtcp = rig_addr("10.0.0.1", 20011);
	m.leg_update.remote_rtcp = rig_addr("10.0.0.11", 6001);
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(play(r, peer_b, gw_b, p, rig_sr(p, 9, 0, 0)), 0);
	assert_int_equal(rig_verdict(r, S, 1, DP_V_MALFORMED), 1);
	assert_false(rig_leg_state(r, S, 1)->source.used);
	assert_false(rig_leg_state(r, S, 0)->far->renumber.first->now.valid);
}

/* A plain leg learns its peer from what is relayed, not from noise that begins like a report. */
static void test_noise_teaches_nothing(void **state)
{
	struct rig *r = *state;
	struct ip_port nat = rig_addr("10.0.0.11", 6666), noise = rig_addr("10.0.0.11", 6667);
	uint8_t p[256] = {0x80, 201, 0xff, 0xff};
	union dp_msg m;

	call_open(r, 0);
	m = rig_leg(S, 1, DP_SECURITY_PLAIN, gw_b, peer_b);
	m.leg_update.learn = DP_LEARN_ONCE;
	assert_int_equal(rig_command(r, &m), 0);
	assert_int_equal(play(r, noise, gw_b, p, 20), 0);
	assert_int_equal(play(r, nat, gw_b, p, rig_rtp(p, 9, 1, 160, 160)), 1);
	assert_true(ip_port_equal(&leg_rtp(rig_leg_state(r, S, 1))->remote, &nat));
}

/* A clear packet that waits for its next hop when its leg becomes a secure one does not leave it. */
static void test_clear_packet_waits(void **state)
{
	struct rig *r = *state;
	struct packet p = {.kind = PACKET_RTP};
	union dp_msg m;
	uint8_t o[256];
	void *frame = NULL;

	call_open(r, 0);
	rig_send(r, peer_b, gw_b, o, rig_rtp(o, 9, 1, 160, 160));
	assert_int_equal(rig_session(r, S + 1, 0), 0);
	for (uint8_t leg = 0; leg < 2; leg++) {
		m = rig_leg(S + 1, leg, DP_SECURITY_PLAIN, rig_addr("10.0.0.1", (uint16_t)(20020 + leg)),
			rig_addr("10.0.0.12", (uint16_t)(7000 + leg)));
		assert_int_equal(rig_command(r, &m), 0);
	}
	rig_heard(r);
	rig_send(r, rig_addr("10.0.0.12", 7000), rig_addr("10.0.0.1", 20020), o, rig_rtp(o, 9, 1, 160, 160));
	rig_run(r, 1);
	assert_int_equal(rte_ring_dequeue(r->tx[0], &frame), 0);
	p.m = frame;
	p.in = rig_leg_state(r, S + 1, 0);
	p.to = leg_departure(rig_leg_state(r, S + 1, 1));
	p.len = 172;
	assert_int_equal(hold_for_hop(r->w[0], &p), PACKET_TAKEN);
	m = rig_leg(S + 1, 1, DP_SECURITY_SRTP, rig_addr("10.0.0.1", 20021), rig_addr("10.0.0.12", 7001));
	assert_int_equal(rig_command(r, &m), 0);
	rig_run(r, 50);
	assert_int_equal(rig_heard(r), 0);
	assert_int_equal(r->w[0]->hold.hops_waiting, 0);
	assert_int_equal(rig_verdict(r, S + 1, 0, DP_V_NEIGHBOUR), 1);
}

/* However many legs wait for keys while somebody forges, packets that wait for a next hop have their room. */
static void test_hold_is_shared(void **state)
{
	struct rig *r = *state;
	uint8_t p[256];
	union dp_msg m;

	call_open(r, 0);
	for (dp_session_id s = 5; s < 5 + 55; s++) {
		struct ip_port local = rig_addr("10.0.0.1", (uint16_t)(21000 + s));

		assert_int_equal(rig_session(r, s, 0), 0);
		m = rig_leg(s, 0, DP_SECURITY_SRTP, local, peer_a);
		m.leg_update.flags |= DP_LEG_KEYS_PENDING;
		assert_int_equal(rig_command(r, &m), 0);
		for (uint16_t i = 0; i < 12; i++)
			rig_send(r, peer_a, local, p, rig_rtp(p, 1, i, i, 100));
		rig_run(r, 1);
	}
	assert_int_equal(r->w[0]->hold.keys_waiting, HOLD_KEYS);
	rig_run(r, 300);
	assert_int_equal(r->w[0]->hold.keys_waiting, 0);
}

/* An offer with a new index space that came to nothing, then a key that keeps the peer's: its index goes on.
 */
static void test_index_goes_on_past_an_offer(void **state)
{
	struct rig *r = *state;
	struct srtp_context *old = rig_peer_of_many(CM, 1), *new = rig_peer_of_many(CM, 4);
	uint8_t p[512];
	union dp_msg m;

	call_open(r, 0);
	for (uint32_t i = 65000; i < 66000; i++) {
		assert_int_equal(play(r, peer_a, gw_a, p, rig_sealed(old, p, 7, (uint16_t)i)), 1);
		rig_sealed(new, p, 7, (uint16_t)i);
	}
	m = rig_key(S, 0, DP_KEY_RX, CM, 3);
	m.key_add.role = DP_KEY_NEXT;
	assert_int_equal(rig_command(r, &m), 0);
	rig_key_retire(r, S, DP_KEY_RX, 3);
	m = rig_key(S, 0, DP_KEY_RX, CM, 4);
	m.key_add.role = DP_KEY_NEXT;
	m.key_add.fresh_index = 0;
	assert_int_equal(rig_command(r, &m), 0);
	/* 2^15 and more behind the wrap, where a stream without state would be taken for one of ROC 0. */
	for (uint32_t i = 66000; i < 66000 + 0x8000; i++)
		rig_sealed(new, p, 7, (uint16_t)i);
	for (uint32_t i = 66000; i < 66000 + 0x8000; i += 64)
		assert_int_equal(play(r, peer_a, gw_a, p, rig_sealed(old, p, 7, (uint16_t)i)), 1);
	assert_int_equal(play(r, peer_a, gw_a, p, rig_sealed(new, p, 7, (uint16_t)(66000 + 0x8000))), 1);
	srtp_context_free(old);
	srtp_context_free(new);
}

/* The packet with sequence number 0 is lost on the way: the rollover is reported with the next one. */
static void test_checkpoint_over_a_gap(void **state)
{
	struct rig *r = *state;
	const union dp_msg *event;
	uint8_t p[256];

	call_open(r, 0);
	for (uint32_t i = 30000; i < 67000; i += 1001) {
		assert_int_equal(play(r, peer_b, gw_b, p, rig_rtp(p, 9, (uint16_t)i, i * 160u, 40)), 1);
		assert_int_equal(rig_count(r, DP_INDEX_CHECKPOINT), i > 0xffff);
	}
	event = rig_message(r, DP_INDEX_CHECKPOINT);
	assert_int_equal(event->index_checkpoint.roc, 1);
	assert_int_equal(event->index_checkpoint.ssrc, 9);
}

#define HOSTILE(f) cmocka_unit_test_setup_teardown(f, rig_open, rig_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(test_rtcp_with_nothing_left),
		HOSTILE(test_many_ssrcs_in_turn),
		HOSTILE(test_ssrc_flood),
		HOSTILE(test_tx_epochs_rise),
		HOSTILE(test_trials_are_not_used_up),
		HOSTILE(test_punts_are_not_used_up),
		HOSTILE(test_punt_is_no_way_out),
		HOSTILE(test_timeout_under_attack),
		HOSTILE(test_checksum),
		HOSTILE(test_checksum_behind_options),
		HOSTILE(test_checksum_behind_many_options),
		HOSTILE(test_checksum_v6),
		HOSTILE(test_vlan),
		HOSTILE(test_vlan_v6),
		HOSTILE(test_fragments),
		HOSTILE(test_report_at_rtp_port),
		HOSTILE(test_noise_teaches_nothing),
		HOSTILE(test_clear_packet_waits),
		HOSTILE(test_hold_is_shared),
		HOSTILE(test_index_goes_on_past_an_offer),
		HOSTILE(test_checkpoint_over_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
