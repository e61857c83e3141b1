/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "dataplane/crypto/kat.h"

#define BIT(suite) (1u << (suite))
#define PAYLOAD_MAX 37
#define BATCH                                                                                                \
	20 /* enough for any backend to take its path for many, with a remainder in lanes of 4, 8 or 16 */

#define KAT_ROC 0x00010203u
#define KAT_SRTCP_INDEX 0x80abcdefu /* E flag and index */

/* Payload and tag as they must come out; computed with OpenSSL, apart from any code of this project. */
struct kat_answer {
	uint8_t payload[PAYLOAD_MAX];
	uint8_t tag[SRTP_TAG_MAX];
};

static const struct kat_row {
	uint32_t suites; /* those that differ in the length of their tags share a row */
	struct kat_answer rtp, rtcp;
} kat_rows[] = {
	{
		.suites = BIT(SRTP_AES_CM_128_HMAC_SHA1_80) | BIT(SRTP_AES_CM_128_HMAC_SHA1_32),
		.rtp = {
			.payload = {0x41, 0xf6, 0xaa, 0xb2, 0x80, 0x72, 0xaa, 0xd9, 0x71, 0xc3, 0xf9, 0xef, 0x7b, 0x0e, 0x7e, 0xe2, 0x9a, 0xa3, 0xeb, 0x2a, 0x9b, 0x04, 0x8b, 0xe1, 0x03, 0x43, 0x1c, 0x81, 0x07, 0x4d, 0xad, 0x29, 0xa3, 0xb6, 0x7c, 0x15, 0xb8},
			.tag = {0xb0, 0x1f, 0xd7, 0x91, 0x03, 0x5b, 0x42, 0xd6, 0xc6, 0x15},
		},
		.rtcp = {
			.payload = {0x58, 0x21, 0x23, 0x2f, 0x52, 0x8a, 0xf6, 0xdd, 0x7e, 0xc5, 0x6f, 0x8a, 0xb6, 0xab, 0xac, 0x62, 0x4b, 0x25, 0xbb, 0x8e, 0xbe, 0x2b, 0x86, 0x1b},
			.tag = {0x8f, 0xd4, 0x52, 0x67, 0x0d, 0xd4, 0xf0, 0x3e, 0xc3, 0xe4},
		},
	},
	{
		.suites = BIT(SRTP_AES_192_CM_HMAC_SHA1_80) | BIT(SRTP_AES_192_CM_HMAC_SHA1_32),
		.rtp = {
			.payload = {0x28, 0x71, 0x5c, 0x1b, 0xeb, 0xfe, 0x7c, 0x93, 0x2d, 0xd2, 0xb3, 0x2b, 0x1d, 0x92, 0xf0, 0xe1, 0x1e, 0xb4, 0x7d, 0x79, 0x65, 0xf8, 0x98, 0x0b, 0x3b, 0x2f, 0x77, 0x1b, 0x79, 0x8e, 0x12, 0xba, 0xb0, 0x77, 0x48, 0x29, 0x9f},
			.tag = {0xcb, 0xd5, 0x74, 0x64, 0xc1, 0xa7, 0x27, 0x27, 0x68, 0x24},
		},
		.rtcp = {
			.payload = {0x2e, 0xb5, 0x50, 0x1b, 0x29, 0x0c, 0x4a, 0x89, 0x85, 0x7c, 0xe6, 0xc9, 0x6a, 0x58, 0xad, 0x3b, 0xfc, 0x8b, 0xbf, 0x2e, 0x9b, 0x58, 0x50, 0x6c},
			.tag = {0x04, 0x96, 0x1d, 0xa8, 0xf0, 0x97, 0x17, 0xf0, 0xea, 0xe1},
		},
	},
	{
		.suites = BIT(SRTP_AES_256_CM_HMAC_SHA1_80) | BIT(SRTP_AES_256_CM_HMAC_SHA1_32),
		.rtp = {
			.payload = {0xdc, 0x92, 0x19, 0x5d, 0x9b, 0xa9, 0x19, 0x78, 0x59, 0xe4, 0x66, 0x58, 0xff, 0x12, 0xd1, 0xd3, 0x2a, 0xc1, 0x4c, 0x47, 0x1f, 0xea, 0x55, 0xe8, 0x9f, 0x05, 0x6b, 0x80, 0xb1, 0x7b, 0x8c, 0x1b, 0xb1, 0xfe, 0x7a, 0x3f, 0x93},
			.tag = {0xaf, 0x18, 0x58, 0x77, 0x95, 0x4b, 0xec, 0x22, 0xc8, 0xd4},
		},
		.rtcp = {
			.payload = {0xb4, 0x89, 0xf4, 0x64, 0xc1, 0x54, 0x62, 0xd7, 0x9c, 0x6f, 0x9b, 0x92, 0xe3, 0x35, 0x51, 0xc8, 0xec, 0x3d, 0xef, 0x23, 0xeb, 0xd6, 0x8d, 0x50},
			.tag = {0x83, 0x6f, 0x5f, 0xdc, 0x8d, 0x7a, 0x25, 0x20, 0xab, 0x49},
		},
	},
	{
		.suites = BIT(SRTP_AEAD_AES_128_GCM),
		.rtp = {
			.payload = {0x57, 0x3b, 0xc5, 0x73, 0xee, 0x19, 0x64, 0x71, 0x44, 0x4c, 0xeb, 0xe5, 0xea, 0x73, 0xaf, 0x6d, 0x04, 0x74, 0x45, 0x5e, 0xca, 0xba, 0xb3, 0xca, 0x8a, 0xc1, 0x49, 0x9f, 0x96, 0x4f, 0xd3, 0x10, 0x12, 0xb1, 0xfb, 0x57, 0xd0},
			.tag = {0x07, 0x6b, 0x40, 0xbe, 0x4a, 0x42, 0xc3, 0xbb, 0x64, 0xbf, 0x2b, 0x19, 0x7d, 0xdf, 0x26, 0x7a},
		},
		.rtcp = {
			.payload = {0x83, 0x47, 0xf5, 0x0b, 0x9d, 0x90, 0xb4, 0x23, 0x2a, 0xc5, 0x93, 0x01, 0x26, 0xc9, 0x0b, 0xf6, 0x59, 0x92, 0xd3, 0xdf, 0x40, 0xe0, 0x3f, 0x2c},
			.tag = {0x6b, 0x0a, 0xdd, 0xca, 0x51, 0xbd, 0x9b, 0xa5, 0x8c, 0x1d, 0x7a, 0x76, 0x33, 0x3c, 0xd5, 0xd9},
		},
	},
	{
		.suites = BIT(SRTP_AEAD_AES_256_GCM),
		.rtp = {
			.payload = {0x18, 0x8f, 0x86, 0xc0, 0x8d, 0xbc, 0x4c, 0xfa, 0x73, 0x76, 0x8a, 0xae, 0x07, 0x29, 0x77, 0x48, 0xea, 0x0d, 0xed, 0x48, 0x5d, 0x81, 0x74, 0x26, 0x72, 0xa3, 0x24, 0x59, 0x02, 0x0a, 0xee, 0x2a, 0x0c, 0x25, 0x47, 0x2b, 0xc1},
			.tag = {0x0e, 0xdc, 0x53, 0x55, 0x0b, 0x30, 0xd0, 0x45, 0x84, 0x90, 0x21, 0xb7, 0x3e, 0x44, 0x35, 0xf9},
		},
		.rtcp = {
			.payload = {0xbe, 0xc0, 0xc9, 0xd8, 0x3d, 0x59, 0xa5, 0x87, 0xae, 0x0f, 0xfe, 0x76, 0x33, 0x52, 0xe9, 0xc1, 0x37, 0x2a, 0x12, 0xaa, 0x30, 0x53, 0x60, 0xf7},
			.tag = {0xab, 0xd0, 0xc1, 0xca, 0x0d, 0xd9, 0xda, 0x0a, 0xdb, 0x0c, 0xf0, 0x52, 0xa0, 0xe5, 0xfc, 0x9b},
		},
	},
};

/* One of the two packets: its header, how much payload (octet i is first + i) and what to call it by. */
static const struct kat_packet {
	bool rtp;
	uint8_t header[12];
	uint8_t header_len, payload_len, first;
	uint32_t index;
} kat_packets[] = {
	{true, {0x80, 0x60, 0xfe, 0xdc, 0x01, 0x23, 0x45, 0x67, 0xde, 0xca, 0xfb, 0xad}, 12, 37, 0x00,
		KAT_ROC},
	{false, {0x81, 0xc9, 0x00, 0x07, 0xde, 0xca, 0xfb, 0xad}, 8, 24, 0x40, KAT_SRTCP_INDEX},
};

static void fill(uint8_t *p, size_t n, uint8_t first)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(first + 29 * i);
}

static void kat_keys(struct srtp_session_keys *keys, enum srtp_suite suite)
{
	*keys = (struct srtp_session_keys){.suite = suite};
	fill(keys->rtp.key, sizeof(keys->rtp.key), 0x11);
	fill(keys->rtp.salt, sizeof(keys->rtp.salt), 0x12);
	fill(keys->rtp.auth, sizeof(keys->rtp.auth), 0x13);
	fill(keys->rtcp.key, sizeof(keys->rtcp.key), 0x77);
	fill(keys->rtcp.salt, sizeof(keys->rtcp.salt), 0x78);
	fill(keys->rtcp.auth, sizeof(keys->rtcp.auth), 0x79);
}

struct kat_batch {
	const struct crypto_backend *backend;
	struct crypto_queue *queue;
	const struct kat_packet *packet;
	uint8_t tag_len;
	unsigned n;
	struct crypto_job jobs[BATCH];
	uint8_t octets[BATCH][12 + PAYLOAD_MAX + CRYPTO_TAILROOM];
};

static uint8_t *kat_payload(struct kat_batch *b, unsigned i)
{
	return b->octets[i] + b->packet->header_len;
}

static void kat_fill(struct kat_batch *b)
{
	for (unsigned i = 0; i < b->n; i++) {
		memcpy(b->octets[i], b->packet->header, b->packet->header_len);
		for (unsigned k = 0; k < b->packet->payload_len; k++)
			kat_payload(b, i)[k] = (uint8_t)(b->packet->first + k);
	}
}

/* A backend that has given up will not answer however often it is asked. */
static bool kat_given_up(struct kat_batch *b)
{
	struct crypto_health h;

	return b->backend->health(b->queue, &h) == 0 && h.faulty;
}

/* All jobs with one operation; true when each ended as expected. */
static bool kat_run_op(struct kat_batch *b, enum crypto_op op, enum crypto_status expected)
{
	struct crypto_job *jobs[BATCH], *done[BATCH];
	unsigned sent = 0, back = 0, idle = 0;
	bool ok = true;

	for (unsigned i = 0; i < b->n; i++) {
		struct crypto_job *j = &b->jobs[i];

		j->pkt = b->octets[i];
		j->aad_len = b->packet->header_len;
		j->len = (uint16_t)(b->packet->header_len + b->packet->payload_len);
		j->tag = j->pkt + j->len + i % 8; /* as with an index or an MKI in between */
		j->slot = 0;
		j->index = b->packet->index;
		j->op = (uint8_t)op;
		j->tag_len = b->tag_len;
		jobs[i] = j;
	}
	/* A backend that never answers must not hang the start. */
	while (back < b->n && idle++ < 1000000) {
		uint16_t k;

		sent += b->backend->submit(b->queue, jobs + sent, (uint16_t)(b->n - sent));
		k = b->backend->poll(b->queue, done, (uint16_t)(b->n - back));
		for (uint16_t i = 0; i < k; i++)
			ok &= done[i]->status == expected;
		back += k;
		if (k)
			idle = 0;
		else if (idle % 1024 == 0 && kat_given_up(b))
			return false;
	}
	return ok && back == b->n;
}

static bool kat_payloads_are(struct kat_batch *b, const uint8_t *payload)
{
	bool ok = true;

	for (unsigned i = 0; i < b->n; i++)
		ok &= !memcmp(kat_payload(b, i), payload, b->packet->payload_len) &&
		      !memcmp(b->octets[i], b->packet->header, b->packet->header_len);
	return ok;
}

static bool kat_packet(struct kat_batch *b, const struct kat_answer *answer)
{
	enum crypto_op protect = b->packet->rtp ? CRYPTO_RTP_PROTECT : CRYPTO_RTCP_PROTECT;
	enum crypto_op unprotect = b->packet->rtp ? CRYPTO_RTP_UNPROTECT : CRYPTO_RTCP_UNPROTECT;
	uint8_t clear[PAYLOAD_MAX];

	kat_fill(b);
	memcpy(clear, kat_payload(b, 0), b->packet->payload_len);
	if (!kat_run_op(b, protect, CRYPTO_OK) || !kat_payloads_are(b, answer->payload))
		return false;
	for (unsigned i = 0; i < b->n; i++) {
		if (memcmp(b->jobs[i].tag, answer->tag, b->tag_len))
			return false;
		b->jobs[i].tag[b->tag_len - 1] ^= 1;
	}
	if (!kat_run_op(b, unprotect, CRYPTO_TAG_FAIL) || !kat_payloads_are(b, answer->payload))
		return false;
	for (unsigned i = 0; i < b->n; i++)
		b->jobs[i].tag[b->tag_len - 1] ^= 1;
	return kat_run_op(b, unprotect, CRYPTO_OK) && kat_payloads_are(b, clear);
}

static bool kat_suite(struct kat_batch *b, enum srtp_suite suite)
{
	const struct srtp_suite_info *info = srtp_suite_info(suite);
	bool known = false, ok = true;

	for (size_t r = 0; r < sizeof(kat_rows) / sizeof(kat_rows[0]); r++) {
		if (!(kat_rows[r].suites & BIT(suite)))
			continue;
		known = true;
		for (size_t p = 0; p < sizeof(kat_packets) / sizeof(kat_packets[0]); p++) {
			b->packet = &kat_packets[p];
			b->tag_len = b->packet->rtp ? info->rtp_tag_len : info->rtcp_tag_len;
			b->n = 1;
			ok = ok && kat_packet(b, b->packet->rtp ? &kat_rows[r].rtp : &kat_rows[r].rtcp);
			b->n = BATCH;
			ok = ok && kat_packet(b, b->packet->rtp ? &kat_rows[r].rtp : &kat_rows[r].rtcp);
		}
	}
	return known && ok;
}

int crypto_kat_run(const struct crypto_backend *backend, struct crypto_queue *queue)
{
	struct kat_batch b = {.backend = backend, .queue = queue};
	struct srtp_session_keys keys;
	int rc = 0;

	for (int s = 0; s < SRTP_SUITE_COUNT && !rc; s++) {
		if (!(backend->suites & BIT(s)))
			continue;
		kat_keys(&keys, (enum srtp_suite)s);
		rc = backend->key_load(queue, 0, &keys);
		if (rc)
			break;
		if (!kat_suite(&b, (enum srtp_suite)s))
			rc = -EBADMSG;
		backend->key_wipe(queue, 0);
	}
	return rc;
}
