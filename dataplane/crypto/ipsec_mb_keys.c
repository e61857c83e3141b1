/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key slots. A GCM key is 1 kB when expanded for the library, 128 octets for lanes/: at tens of thousands of
 * sessions the memory of the keys, not AES, bounds GCM. Slots sit in 2 MB pages, and only the lines that a
 * packet will use are fetched ahead. That of SRTCP, needed a few times a minute, is expanded for each packet.
 *
 * Pages are touched when a slot is first loaded (pages.h), so that slots cost memory only once used.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/secret.h"
#include "dataplane/crypto/ipsec_mb.h"

#define LINE 64
#define LINES(octets) (((octets) + LINE - 1) / LINE)

static const uint8_t class_of_suite[SRTP_SUITE_COUNT] = {
	[SRTP_AES_CM_128_HMAC_SHA1_80] = IMB_CM_128,
	[SRTP_AES_CM_128_HMAC_SHA1_32] = IMB_CM_128,
	[SRTP_AES_192_CM_HMAC_SHA1_80] = IMB_CM_192,
	[SRTP_AES_192_CM_HMAC_SHA1_32] = IMB_CM_192,
	[SRTP_AES_256_CM_HMAC_SHA1_80] = IMB_CM_256,
	[SRTP_AES_256_CM_HMAC_SHA1_32] = IMB_CM_256,
	[SRTP_AEAD_AES_128_GCM] = IMB_GCM_128,
	[SRTP_AEAD_AES_256_GCM] = IMB_GCM_256,
};

int imb_keys_open(struct crypto_queue *q, const struct crypto_conf *conf, enum pages_kind kind)
{
	uint32_t slots = conf->slots;
	int rc;

	if (q->lanes && conf->near.slots <= slots)
		q->near = conf->near;
	if (q->lanes)
		rc = pages_map(&q->pages[IMB_PAGES_LANES], (size_t)slots * sizeof(*q->lanes_keys), kind);
	else
		rc = pages_map(&q->pages[IMB_PAGES_CLASSES], slots, kind);
	if (!rc && !q->lanes)
		rc = pages_map(&q->pages[IMB_PAGES_GCM], (size_t)slots * sizeof(*q->gcm), kind);
	if (!rc)
		rc = pages_map(&q->pages[IMB_PAGES_GCM_RTCP], (size_t)slots * sizeof(*q->gcm_rtcp), kind);
	for (int half = 0; half < IMB_HALVES && !rc; half++) {
		rc = pages_map(&q->pages[IMB_PAGES_CM + half], (size_t)slots * sizeof(*q->cm[half]), kind);
		q->cm[half] = (void *)q->pages[IMB_PAGES_CM + half].base;
	}
	q->class_of = q->pages[IMB_PAGES_CLASSES].base;
	q->lanes_keys = (void *)q->pages[IMB_PAGES_LANES].base;
	q->gcm = (void *)q->pages[IMB_PAGES_GCM].base;
	q->gcm_rtcp = (void *)q->pages[IMB_PAGES_GCM_RTCP].base;
	if (rc) {
		imb_keys_close(q);
		return rc;
	}
	q->slots = slots;
	return 0;
}

void imb_keys_close(struct crypto_queue *q)
{
	for (uint32_t slot = 0; slot < q->slots; slot++)
		imb_key_wipe(q, slot);
	for (int i = 0; i < IMB_PAGES_KINDS; i++)
		pages_unmap(&q->pages[i]);
	q->class_of = NULL;
	q->near.slots = q->slots = 0;
}

static void hmac_pad(IMB_MGR *m, const uint8_t key[SRTP_AUTH_KEY_MAX], uint8_t pad, uint8_t *state)
{
	uint8_t block[IMB_SHA1_BLOCK_SIZE];

	memset(block, pad, sizeof(block));
	for (int i = 0; i < SRTP_AUTH_KEY_MAX; i++)
		block[i] ^= key[i];
	IMB_SHA1_ONE_BLOCK(m, block, state);
	mem_wipe(block, sizeof(block));
}

static void cm_load(
	struct crypto_queue *q, struct imb_cm_key *k, enum imb_class c, const struct srtp_half_keys *h)
{
	uint8_t decrypt[sizeof(k->round_keys)] __attribute__((aligned(16))); /* the library insists on both */

	hmac_pad(q->narrow, h->auth, 0x36, k->ipad);
	hmac_pad(q->narrow, h->auth, 0x5c, k->opad);
	memcpy(k->salt, h->salt, sizeof(k->salt));
	switch (c) {
	case IMB_CM_128:
		IMB_AES_KEYEXP_128(q->wide, h->key, k->round_keys, decrypt);
		break;
	case IMB_CM_192:
		IMB_AES_KEYEXP_192(q->wide, h->key, k->round_keys, decrypt);
		break;
	default:
		IMB_AES_KEYEXP_256(q->wide, h->key, k->round_keys, decrypt);
		break;
	}
	mem_wipe(decrypt, sizeof(decrypt));
}

static void cm_load_lanes(
	struct crypto_queue *q, struct lanes_cm_key *k, enum imb_class c, const struct srtp_half_keys *h)
{
	memset(k, 0, sizeof(*k));
	memcpy(k->key, h->key, c == IMB_CM_256 ? 32 : 16);
	memcpy(k->salt, h->salt, SRTP_SALT_MAX);
	hmac_pad(q->narrow, h->auth, 0x36, k->states);
	hmac_pad(q->narrow, h->auth, 0x5c, k->states + IMB_SHA1_DIGEST_SIZE_IN_BYTES);
}

void imb_gcm_expand(struct crypto_queue *q, struct gcm_key_data *k, enum imb_class c, const uint8_t *key)
{
	if (c == IMB_GCM_128)
		IMB_AES128_GCM_PRE(q->wide, key, k);
	else
		IMB_AES256_GCM_PRE(q->wide, key, k);
}

static void gcm_load(
	struct crypto_queue *q, uint32_t slot, enum imb_class c, const struct srtp_session_keys *keys)
{
	struct imb_gcm_rtcp_key *rtcp = &q->gcm_rtcp[slot];

	if (imb_in_lanes(q, c)) {
		lanes_gcm_load(&imb_lanes_key(q, slot)->gcm, keys->rtp.key, keys->rtp.salt, c == IMB_GCM_256);
	} else {
		union imb_gcm_key *rtp = &q->gcm[slot];

		imb_gcm_expand(q, &rtp->data, c, keys->rtp.key);
		memcpy(rtp->salt, keys->rtp.salt, 12);
	}
	memcpy(rtcp->key, keys->rtcp.key, sizeof(rtcp->key));
	memcpy(rtcp->salt, keys->rtcp.salt, 12);
}

int imb_key_load(struct crypto_queue *q, uint32_t slot, const struct srtp_session_keys *keys)
{
	enum imb_class c;

	if (slot >= q->slots)
		return -ENOSPC;
	if ((unsigned)keys->suite >= SRTP_SUITE_COUNT || !class_of_suite[keys->suite])
		return -ENOTSUP;
	imb_key_wipe(q, slot);
	c = class_of_suite[keys->suite];
	if (c >= IMB_GCM_128) {
		gcm_load(q, slot, c, keys);
	} else {
		if (imb_in_lanes(q, c))
			cm_load_lanes(q, &imb_lanes_key(q, slot)->cm, c, &keys->rtp);
		else
			cm_load(q, &q->cm[IMB_RTP][slot], c, &keys->rtp);
		cm_load(q, &q->cm[IMB_RTCP][slot], c, &keys->rtcp);
	}
	*imb_class_place(q, slot) = (uint8_t)c;
	q->slots_used++;
	return 0;
}

void imb_key_wipe(struct crypto_queue *q, uint32_t slot)
{
	enum imb_class c;

	if (slot >= q->slots || imb_class_of(q, slot) == IMB_EMPTY)
		return;
	c = imb_class_of(q, slot);
	if (imb_in_lanes(q, c))
		mem_wipe(imb_lanes_key(q, slot), sizeof(union imb_lanes_key));
	else if (c >= IMB_GCM_128)
		mem_wipe(&q->gcm[slot], sizeof(q->gcm[slot]));
	else
		mem_wipe(&q->cm[IMB_RTP][slot], sizeof(q->cm[IMB_RTP][slot]));
	if (c >= IMB_GCM_128) {
		mem_wipe(&q->gcm_rtcp[slot], sizeof(q->gcm_rtcp[slot]));
		mem_wipe(&q->scratch.rtcp_key, sizeof(q->scratch.rtcp_key));
	} else {
		mem_wipe(&q->cm[IMB_RTCP][slot], sizeof(q->cm[IMB_RTCP][slot]));
	}
	mem_wipe(&q->scratch.iv, sizeof(q->scratch.iv));
	mem_wipe(&q->scratch.mac, sizeof(q->scratch.mac));
	mem_wipe(&q->scratch.gcm, sizeof(q->scratch.gcm));
	*imb_class_place(q, slot) = IMB_EMPTY;
	q->slots_used--;
}

/* Into the second-level cache, which has room for the keys of a batch. The instruction itself: a loop with
 * nothing but the compiler's own prefetches in it is nothing to it, and goes. from: where a line begins. */
static inline void prefetch_lines(const uint8_t *from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__asm__ volatile("prefetcht1 %0" : : "m"(from[(size_t)i * LINE]));
}

#define GCM_VAES_POWERS 48
#define GCM_POWERS_END 1008

/*
 * Of a GCM key, a packet uses the round keys and as many powers of the hash key as it has blocks of
 * payload. With VAES the library keeps 48 powers, the lowest last, before octet 1008; its other
 * code keeps up to 16 at octet 240.
 */
static inline void fetch_gcm(const struct crypto_queue *q, const uint8_t *k, bool aes256, unsigned octets)
{
	unsigned powers = (octets + 15) / 16, first;

	prefetch_lines(k, LINES(176));
	if (aes256)
		prefetch_lines(k + LINES(176) * LINE, LINES(240) - LINES(176));
	if (!q->vaes) {
		prefetch_lines(k + LINES(240) * LINE, LINES(496) - LINES(240));
		return;
	}
	if (powers > GCM_VAES_POWERS)
		powers = GCM_VAES_POWERS;
	first = (GCM_POWERS_END - 16 * powers) / LINE;
	prefetch_lines(k + first * LINE, LINES(GCM_POWERS_END) - first);
}

void imb_key_fetch(const struct crypto_queue *q, uint32_t slot, enum srtp_suite suite, uint16_t octets)
{
	bool gcm = suite == SRTP_AEAD_AES_128_GCM || suite == SRTP_AEAD_AES_256_GCM;

	if (slot >= q->slots)
		return;
	if (imb_in_lanes(q, class_of_suite[suite])) {
		prefetch_lines(imb_lanes_key(q, slot)->gcm.powers, LINES(sizeof(union imb_lanes_key)));
		return;
	}
	prefetch_lines(imb_class_place(q, slot), 1);
	if (gcm)
		fetch_gcm(q, q->gcm[slot].used_by_library, suite == SRTP_AEAD_AES_256_GCM, octets);
	else
		prefetch_lines(q->cm[IMB_RTP][slot].ipad,
			suite == SRTP_AES_CM_128_HMAC_SHA1_80 || suite == SRTP_AES_CM_128_HMAC_SHA1_32
				? LINES(offsetof(struct imb_cm_key, round_keys) + 176)
				: LINES(sizeof(struct imb_cm_key)));
}

uint32_t imb_keeps_near(const struct crypto_queue *q)
{
	uint32_t suites = 0;

	for (int s = 0; q->near.slots && s < SRTP_SUITE_COUNT; s++)
		suites |= (uint32_t)imb_in_lanes(q, class_of_suite[s]) << s;
	return suites;
}
