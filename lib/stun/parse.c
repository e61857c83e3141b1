/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "lib/base/secret.h"
#include "lib/stun/hmac.h"
#include "lib/stun/stun.h"

/* XOR-MAPPED-ADDRESS: port and address under the cookie and the transaction id, RFC 8489 section 14.2. */
static int read_mapped(struct rbuf v, const struct stun_msg *m, struct ip_port *out)
{
	uint8_t family, mask[16];
	size_t n;

	stun_mask(m->id, mask);
	rbuf_u8(&v);
	family = rbuf_u8(&v);
	out->port = rbuf_u16(&v) ^ (uint16_t)(STUN_COOKIE >> 16);
	n = family == 1 ? 4 : 16;
	const uint8_t *octets = rbuf_bytes(&v, n);

	if ((family != 1 && family != 2) || !octets || v.left)
		return -EBADMSG;
	out->ip.family = family == 1 ? IP_V4 : IP_V6;
	memcpy(out->ip.octets, octets, n);
	for (unsigned i = 0; i < sizeof mask; i++)
		out->ip.octets[i] ^= i < n ? mask[i] : 0;
	return 0;
}

static int read_error(struct rbuf v, uint16_t *out)
{
	uint32_t code = rbuf_u32(&v);
	unsigned class = code >> 8 & 7, number = code & 0xff;

	if (v.short_read || class < 3 || class > 6 || number > 99)
		return -EBADMSG;
	*out = (uint16_t)(class * 100 + number);
	return 0;
}

static int read_role(struct rbuf v, bool *role, uint64_t *tie_breaker)
{
	uint64_t high = rbuf_u32(&v);

	*tie_breaker = high << 32 | rbuf_u32(&v);
	*role = true;
	return v.short_read || v.left ? -EBADMSG : 0;
}

static void note_unknown(struct stun_msg *m, uint16_t type)
{
	if (m->n_unknown < STUN_UNKNOWN_MAX)
		m->unknown[m->n_unknown++] = type;
}

/* One attribute with the value v, whose header is at `at`. */
static int read_attribute(struct stun_msg *m, uint16_t type, uint16_t at, struct rbuf v)
{
	switch (type) {
	case STUN_A_USERNAME:
		if (v.left > STUN_USERNAME_MAX)
			return -EBADMSG;
		if (!m->username.p)
			m->username = (struct str){(const char *)v.p, v.left};
		return 0;
	case STUN_A_INTEGRITY:
		m->integrity = at;
		return v.left == STUN_HMAC ? 0 : -EBADMSG;
	case STUN_A_FINGERPRINT:
		m->fingerprint = at;
		return v.left == 4 ? 0 : -EBADMSG;
	case STUN_A_MAPPED:
		return m->mapped.ip.family ? 0 : read_mapped(v, m, &m->mapped);
	case STUN_A_ERROR_CODE:
		return m->error ? 0 : read_error(v, &m->error);
	case STUN_A_PRIORITY:
		if (v.left != 4)
			return -EBADMSG;
		if (!m->has_priority)
			m->priority = rbuf_u32(&v);
		m->has_priority = true;
		return 0;
	case STUN_A_USE_CANDIDATE:
		m->use_candidate = true;
		return v.left == 0 ? 0 : -EBADMSG;
	case STUN_A_CONTROLLED:
		return read_role(v, &m->controlled, &m->tie_breaker);
	case STUN_A_CONTROLLING:
		return read_role(v, &m->controlling, &m->tie_breaker);
	case STUN_A_UNKNOWN:
	case STUN_A_REALM:
	case STUN_A_NONCE:
	case STUN_A_INTEGRITY_SHA256:
		return 0;
	default:
		if (type < 0x8000)
			note_unknown(m, type);
		return 0;
	}
}

int stun_parse(const uint8_t *p, size_t n, struct stun_msg *out)
{
	struct rbuf r = rbuf_make(p, n);
	const uint8_t *id;

	memset(out, 0, sizeof *out);
	out->type = rbuf_u16(&r);
	size_t length = rbuf_u16(&r);
	uint32_t cookie = rbuf_u32(&r);

	id = rbuf_bytes(&r, STUN_ID);
	if (!id || n > UINT16_MAX || out->type >> 14 || cookie != STUN_COOKIE || length % 4 || length != n - STUN_HEADER)
		return -EBADMSG;
	memcpy(out->id, id, STUN_ID);
	while (r.left) {
		uint16_t at = (uint16_t)(n - r.left), type = rbuf_u16(&r), len = rbuf_u16(&r);
		const uint8_t *value = rbuf_bytes(&r, (len + 3u) & ~3u);
		int rc = 0;

		if (!value || out->fingerprint)
			return -EBADMSG;
		if (!out->integrity || type == STUN_A_FINGERPRINT)
			rc = read_attribute(out, type, at, rbuf_make(value, len));
		if (rc < 0)
			return rc;
	}
	return 0;
}

bool stun_fingerprint_good(const uint8_t *p, const struct stun_msg *m)
{
	struct rbuf v = rbuf_make(p + m->fingerprint + 4, 4);

	return m->fingerprint && rbuf_u32(&v) == stun_crc(p, m->fingerprint);
}

bool stun_integrity_good(const uint8_t *p, const struct stun_msg *m, const void *key, size_t key_len)
{
	uint8_t mac[STUN_HMAC];

	if (!m->integrity || key_len == 0 || key_len > STUN_KEY_MAX)
		return false;
	stun_hmac(p, m->integrity, key, key_len, mac);
	return mem_equal_ct(mac, p + m->integrity + 4, STUN_HMAC);
}
