/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/srtp_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/srtp/be.h"

#define PAYLOAD 160u /* octets: 20 ms of G.711 */
#define RTP_HEADER 12u
#define MAGIC "TALK"
#define KEY_OCTETS_MAX 64
#define WAITING_MS 500

static const struct {
	const char *name;
	void (*rtp)(srtp_crypto_policy_t *);
	void (*rtcp)(srtp_crypto_policy_t *);
	unsigned key_len;
} suites[] = {
	{"AES_CM_128_HMAC_SHA1_80", srtp_crypto_policy_set_rtp_default, srtp_crypto_policy_set_rtcp_default,
		30},
	{"AES_CM_128_HMAC_SHA1_32", srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
		srtp_crypto_policy_set_rtcp_default, 30},
	{"AES_256_CM_HMAC_SHA1_80", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80, 46},
	{"AEAD_AES_128_GCM", srtp_crypto_policy_set_aes_gcm_128_16_auth,
		srtp_crypto_policy_set_aes_gcm_128_16_auth, 28},
	{"AEAD_AES_256_GCM", srtp_crypto_policy_set_aes_gcm_256_16_auth,
		srtp_crypto_policy_set_aes_gcm_256_16_auth, 44},
};

static int unhex(const char *text, uint8_t out[KEY_OCTETS_MAX])
{
	unsigned n = 0, octet;

	for (; *text; text += 2, n++) {
		if (n == KEY_OCTETS_MAX || sscanf(text, "%2x", &octet) != 1 || !text[1])
			return -1;
		out[n] = (uint8_t)octet;
	}
	return (int)n;
}

bool peer_key_open(struct peer_key *k, const char *suite, const char *key, const char *mki, bool send)
{
	uint8_t octets[KEY_OCTETS_MAX], id[KEY_OCTETS_MAX];
	int n = unhex(key, octets), n_id = unhex(mki, id);
	srtp_master_key_t master = {.key = octets, .mki_id = id, .mki_size = (unsigned)n_id};
	srtp_master_key_t *masters[] = {&master};
	srtp_policy_t policy = {.window_size = 1024};

	policy.ssrc.type = send ? ssrc_any_outbound : ssrc_any_inbound;
	if (n_id > 0) {
		policy.keys = masters;
		policy.num_master_keys = 1;
	} else {
		policy.key = octets;
	}
	for (unsigned i = 0; i < sizeof suites / sizeof *suites; i++) {
		if (strcmp(suites[i].name, suite) != 0)
			continue;
		suites[i].rtp(&policy.rtp);
		suites[i].rtcp(&policy.rtcp);
		k->mki_len = n_id > 0 ? (unsigned)n_id : 0;
		return n == (int)suites[i].key_len && n_id >= 0 &&
		       srtp_create(&k->session, &policy) == srtp_err_status_ok;
	}
	return false;
}

/* What stands behind the number: no two packets' octets are alike. */
static void fill(uint8_t *payload, uint32_t number)
{
	for (unsigned i = 20; i < PAYLOAD; i++)
		payload[i] = (uint8_t)(number * 31 + i * 7);
}

size_t peer_make_rtp(struct peer *p, uint8_t out[2048])
{
	uint8_t *payload = out + RTP_HEADER;
	int n = RTP_HEADER + PAYLOAD;

	memset(out, 0, RTP_HEADER + 20);
	out[0] = 0x80;
	be16_put(out + 2, p->seq++);
	be32_put(out + 4, p->ts);
	be32_put(out + 8, p->ssrc);
	p->ts += PAYLOAD;
	memcpy(payload, MAGIC, 4);
	memcpy(payload + 4, p->name, strlen(p->name));
	be32_put(payload + 16, p->number);
	fill(payload, p->number++);
	if (p->tx_secure &&
		srtp_protect_mki(p->tx.session, out, &n, p->tx.mki_len > 0, 0) != srtp_err_status_ok)
		return 0;
	return (size_t)n;
}

/* A sender report about us with a block about whom we hear, and our CNAME. */
size_t peer_make_rtcp(struct peer *p, uint8_t out[2048])
{
	char cname[64];
	int text = snprintf(cname, sizeof cname, "%s@secret.example", p->name), n;
	unsigned chunk = (4u + 2 + (unsigned)text + 1 + 3) & ~3u, blocks = p->speakers[0].packets ? 1 : 0;

	memset(out, 0, 256);
	out[0] = (uint8_t)(0x80 | blocks);
	out[1] = 200;
	be16_put(out + 2, (uint16_t)(6 + 6 * blocks));
	be32_put(out + 4, p->ssrc);
	be32_put(out + 16, p->ts);
	be32_put(out + 20, (uint32_t)p->sent[0]);
	if (blocks)
		be32_put(out + 28, p->speakers[0].ssrc);
	n = (int)(28 + 24 * blocks);
	out[n] = 0x81;
	out[n + 1] = 202;
	be16_put(out + n + 2, (uint16_t)(chunk / 4));
	be32_put(out + n + 4, p->ssrc);
	out[n + 8] = 1;
	out[n + 9] = (uint8_t)text;
	memcpy(out + n + 10, cname, (size_t)text);
	n += (int)(4 + chunk);
	if (p->tx_secure &&
		srtp_protect_rtcp_mki(p->tx.session, out, &n, p->tx.mki_len > 0, 0) != srtp_err_status_ok)
		return 0;
	return (size_t)n;
}

static struct speaker *speaker(struct peer *p, const char name[PEER_NAME_MAX])
{
	for (unsigned i = 0; i < SPEAKERS; i++) {
		struct speaker *s = &p->speakers[i];

		if (!s->name[0])
			memcpy(s->name, name, PEER_NAME_MAX);
		if (strncmp(s->name, name, PEER_NAME_MAX) == 0)
			return s;
	}
	return NULL;
}

/* One clear RTP packet: who speaks, which number, is it whole? */
static void heard(struct peer *p, const uint8_t *packet, size_t n, uint64_t now_ms)
{
	const uint8_t *payload = packet + RTP_HEADER;
	uint32_t number = n == RTP_HEADER + PAYLOAD ? be32_get(payload + 16) : NUMBERS;
	uint8_t expected[PAYLOAD];
	struct speaker *s;

	fill(expected, number);
	if (number >= NUMBERS || memcmp(payload, MAGIC, 4) != 0 ||
		memcmp(payload + 20, expected + 20, PAYLOAD - 20) != 0 ||
		!(s = speaker(p, (const char *)payload + 4))) {
		p->corrupt++;
		return;
	}
	if (s->seen[number / 8] >> number % 8 & 1) {
		s->copies++;
		return;
	}
	s->seen[number / 8] |= (uint8_t)(1 << number % 8);
	if (!s->packets++)
		s->first = number;
	else if (now_ms - s->at_ms > s->gap_ms)
		s->gap_ms = now_ms - s->at_ms;
	s->first = number < s->first ? number : s->first;
	s->last = number > s->last ? number : s->last;
	s->ssrc_changes += s->packets > 1 && s->ssrc != be32_get(packet + 8);
	s->ssrc = be32_get(packet + 8);
	s->at_ms = now_ms;
}

static void heard_rtcp(struct peer *p, const uint8_t *packet, size_t n)
{
	p->rtcp++;
	for (size_t at = 0; at + 8 <= n; at += 4 * (be16_get(packet + at + 2) + 1u)) {
		const uint8_t *part = packet + at;

		if (part[1] == 200) {
			p->rtcp_ssrc = be32_get(part + 4);
			if ((part[0] & 31) && at + 32 <= n)
				p->rtcp_about = be32_get(part + 28);
		} else if (part[1] == 202 && at + 10 + part[9] <= n && part[8] == 1) {
			snprintf(p->cname, sizeof p->cname, "%.*s", part[9], (const char *)part + 10);
		}
	}
}

/* Counted as refused until a key opens it; the oldest goes when there are too many. */
static void wait_for_key(struct peer *p, const uint8_t *packet, size_t n, uint64_t now_ms)
{
	struct waiting *w = &p->waiting[p->n_waited++ % WAITING];

	w->n = n <= sizeof w->packet ? n : 0;
	p->refused++;
	w->at_ms = now_ms;
	memcpy(w->packet, packet, w->n);
}

void peer_hear(struct peer *p, const uint8_t *packet, size_t n, uint64_t now_ms)
{
	bool rtcp = n >= 8 && packet[1] >= 192 && packet[1] <= 223, secure = p->n_rx || p->promised;
	uint8_t copy[2048 + SRTP_MAX_TRAILER_LEN];
	int len;

	if (n < RTP_HEADER)
		return;
	if (secure && !rtcp && n >= RTP_HEADER + 4 && memcmp(packet + RTP_HEADER, MAGIC, 4) == 0)
		p->clear++;
	for (unsigned i = 0; i < p->n_rx; i++) {
		bool mki = p->rx[i].mki_len > 0;

		memcpy(copy, packet, n);
		len = (int)n;
		if ((rtcp ? srtp_unprotect_rtcp_mki(p->rx[i].session, copy, &len, mki)
			  : srtp_unprotect_mki(p->rx[i].session, copy, &len, mki)) != srtp_err_status_ok)
			continue;
		if (rtcp)
			heard_rtcp(p, copy, (size_t)len);
		else
			heard(p, copy, (size_t)len, now_ms);
		p->heard_by_newest += i == 0;
		return;
	}
	if (!secure && rtcp)
		heard_rtcp(p, packet, n);
	else if (!secure)
		heard(p, packet, n, now_ms);
	else if (rtcp)
		p->rtcp_refused++;
	else
		wait_for_key(p, packet, n, now_ms);
}

void peer_hear_again(struct peer *p, uint64_t now_ms)
{
	for (unsigned i = 0; i < WAITING; i++) {
		struct waiting *w = &p->waiting[i], again = *w;

		if (w->n == 0 || now_ms - w->at_ms > WAITING_MS)
			continue;
		w->n = 0;
		p->refused--;
		peer_hear(p, again.packet, again.n, now_ms);
	}
}

/* The first number that a speaker's packets left out; -1: none. */
static long first_missing(const struct speaker *s)
{
	for (uint32_t i = s->first; i <= s->last; i++)
		if (!(s->seen[i / 8] >> i % 8 & 1))
			return i;
	return -1;
}

void peer_print(const struct peer *p, uint64_t now_ms)
{
	printf("{\"sent\":%llu,\"sent_rtcp\":%llu,\"ssrc\":%u,\"newest_key\":%llu,\"clear\":%llu,\"refused\":"
	       "%llu,"
	       "\"corrupt\":%llu,\"rtcp\":%llu,\"rtcp_refused\":%llu,\"rtcp_ssrc\":%u,\"rtcp_about\":%u,"
	       "\"cname\":\"%s\",\"dtls\":{\"established\":%u,\"version\":\"%s\",\"suite\":\"%s\",\"tx\":\"%s\",\"rx\":\"%s\"},"
	       "\"heard\":{",
		(unsigned long long)p->sent[0], (unsigned long long)p->sent[1], p->ssrc,
		(unsigned long long)p->heard_by_newest, (unsigned long long)p->clear,
		(unsigned long long)p->refused, (unsigned long long)p->corrupt, (unsigned long long)p->rtcp,
		(unsigned long long)p->rtcp_refused, p->rtcp_ssrc, p->rtcp_about, p->cname, p->dtls.established,
		p->dtls.version, p->dtls.suite, p->dtls.tx, p->dtls.rx);
	for (unsigned i = 0; i < SPEAKERS && p->speakers[i].packets; i++) {
		const struct speaker *s = &p->speakers[i];

		printf("%s\"%s\":{\"packets\":%u,\"copies\":%u,\"first\":%u,\"last\":%u,\"lost\":%u,"
		       "\"missing\":%ld,\"ssrc\":"
		       "%u,"
		       "\"ssrc_changes\":%u,\"age_ms\":%llu,\"gap_ms\":%llu}",
			i ? "," : "", s->name, s->packets, s->copies, s->first, s->last,
			s->last - s->first + 1 - s->packets, first_missing(s), s->ssrc, s->ssrc_changes,
			(unsigned long long)(now_ms - s->at_ms), (unsigned long long)s->gap_ms);
	}
	printf("}}\n");
}
