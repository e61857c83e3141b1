/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body as the offer and as the answer of every kind of leg. What must hold: our bodies parse; every m-line in use is
 * on an open transport and can be told from others there; a leg that requires SRTP has keys on each of those; nothing of a refused offer stays; a key of the peer's is
 * never in what we write.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/keys/dtls_srtp.h"
#include "controlplane/keys/sdes.h"
#include "controlplane/sdp/offer_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum srtp_suite suites[] = {SRTP_AEAD_AES_256_GCM, SRTP_AES_CM_128_HMAC_SHA1_80};
static struct dtls_terms terms = {.hash = DTLS_SHA256};
static const struct oa_policy policies[] = {
	{.security = OA_SECURITY_NONE, .mux = OA_MUX_ACCEPT},
	{.security = OA_SECURITY_REQUIRED,
		.mux = OA_MUX_OFFER,
		.method = &agreement_sdes,
		.keying = {suites, 2, 4},
		.hop_encrypted = true},
	{.security = OA_SECURITY_REQUIRED,
		.mux = OA_MUX_OFFER,
		.method = &agreement_dtls,
		.keying = {.suites = suites, .n_suites = 2, .dtls = &terms}},
	{.security = OA_SECURITY_REQUIRED,
		.mux = OA_MUX_OFFER,
		.method = &agreement_dtls,
		.keying = {.suites = suites, .n_suites = 2, .dtls = &terms},
		.ice = true},
};
/* Which policies meet. */
static const uint8_t pairs[][2] = {
	{0, 0}, {1, 0}, {2, 0}, {0, 1}, {1, 1}, {2, 1}, {0, 2}, {1, 2}, {2, 2}, {3, 1}, {1, 3}, {3, 3},
};
static const char plain_offer[] = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
				  "m=audio 4000 RTP/AVP 8\r\n";

static void give_ports(struct oa_leg *leg, const struct oa_leg *from, uint16_t base)
{
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
		struct oa_local l = {
			.rtp.port = (uint16_t)(base + 2 * i), .rtcp.port = (uint16_t)(base + 2 * i + 1)};
		const struct oa_media *m = oa_media_at(leg, i);
		bool v6 = m && m->remote.ip.family == IP_V6;

		if (!oa_wants_local(leg, from, i))
			continue;
		ip_parse(v6 ? STR("2001:db8::1") : STR("198.51.100.1"), &l.rtp.ip);
		l.rtcp.ip = l.rtp.ip;
		oa_set_local(leg, i, &l);
	}
}

static void check_body(const struct wbuf *w)
{
	static struct sdp sdp;
	struct err e;

	if (sdp_parse(wbuf_view(w), &sdp, &e) < 0)
		abort();
}

static void check_media(const struct oa_leg *leg)
{
	for (unsigned i = 0; oa_media_now(leg, i); i++) {
		const struct oa_media *m = oa_media_now(leg, i);
		const struct oa_media *on = m->used ? oa_media_now(leg, m->transport) : NULL;

		struct dp_stream s = {0};

		if (m->used && (!on || !on->open || !oa_local_of(leg, m->transport)->set))
			abort();
		if (m->used)
			oa_selectors(leg, i, &s);
		if (s.mid_len > sizeof s.mid || s.n_ssrcs > DP_SELECTORS_MAX)
			abort();
		if (!m->open)
			continue;
		if ((leg->policy.security == OA_SECURITY_REQUIRED) !=
			(m->keys && (m->keys->established || m->keys->awaited)))
			abort();
		if (m->keys && m->keys->established && (m->keys->tx.epoch == 0 || m->keys->rx.epoch == 0 ||
				       secret_equal(&m->keys->tx.master, &m->keys->rx.master)))
			abort();
	}
}

static void exchange(struct oa_leg *from, struct oa_leg *to, struct str offer, struct str answer)
{
	static char out[OA_BODY_MAX];
	struct wbuf w = wbuf_make(out, sizeof out);
	struct oa_refusal r;

	if (oa_offer_received(from, offer, &r) < 0) {
		if (!r.status || !r.reason.text[0] || from->pending)
			abort();
		return;
	}
	give_ports(from, from, 20000);
	give_ports(to, from, 30000);
	if (oa_offer_make(to, from, &w, &r) < 0)
		goto out;
	check_body(&w);
	/* An answer that echoes the offer, keys and all, or the text of the fuzzer. */
	if (oa_answer_received(to, answer.n ? answer : wbuf_view(&w), &r) < 0)
		goto out;
	if (!answer.n && to->policy.security == OA_SECURITY_REQUIRED)
		for (unsigned i = 0; i < oa_media_count(to); i++)
			if (oa_media_at(to, i)->used)
				abort();
	w = wbuf_make(out, sizeof out);
	if (oa_answer_make(from, to, &w, &r) < 0)
		goto out;
	check_body(&w);
	if (oa_commit(from) < 0 || oa_commit(to) < 0)
		abort();
	check_media(from);
	check_media(to);
	return;
out:
	if (!r.status || !r.reason.text[0])
		abort();
	oa_rollback(from);
	oa_rollback(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = {(const char *)data, size};

	if (!terms.identity && dtls_identity_make(&terms.identity, NULL) < 0)
		abort();
	for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct oa_leg a, b;

		if (oa_leg_init(&a, &policies[pairs[i][0]]) < 0 || oa_leg_init(&b, &policies[pairs[i][1]]) < 0)
			abort();
		exchange(&a, &b, body, (struct str){0});
		exchange(&a, &b, body, body);
		exchange(&b, &a, body, body);
		oa_leg_close(&a);
		oa_leg_close(&b);
	}
	/* As an answer to an ordinary offer. */
	struct oa_leg a, b;

	if (oa_leg_init(&a, &policies[0]) < 0 || oa_leg_init(&b, &policies[1]) < 0)
		abort();
	exchange(&a, &b, STR(plain_offer), body);
	oa_leg_close(&a);
	oa_leg_close(&b);
	return 0;
}
