/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/digest_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SLOTS 16384   /* nonces whose counts are known */
#define WINDOW 64     /* counts below the highest that may still come, out of order */
#define MAC_OCTETS 16 /* of HMAC-SHA-256 */
#define NONCE_OCTETS (16 + MAC_OCTETS)
#define NONCE_TEXT (2 * NONCE_OCTETS)

/* The counts that one nonce was used with. */
struct used {
	uint64_t serial; /* of the nonce; 0: free */
	uint64_t seen;   /* bit n: highest - n */
	uint32_t highest;
};

struct digest_server {
	struct secret key;
	uint64_t serial; /* of the last nonce, from 1 */
	struct used used[SLOTS];
};

/* What a nonce says. */
struct nonce {
	uint64_t made_ms, serial;
};

int digest_server_new(struct digest_server **out)
{
	struct digest_server *s = calloc(1, sizeof *s);
	int rc;

	if (!s)
		return -ENOMEM;
	rc = secret_random(&s->key, 32);
	if (rc < 0)
		free(s);
	else
		*out = s;
	return rc;
}

void digest_server_free(struct digest_server *s)
{
	if (!s)
		return;
	secret_wipe(&s->key);
	free(s);
}

static void put_u64(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static bool sign(const struct digest_server *s, const uint8_t p[16], uint8_t mac[MAC_OCTETS])
{
	uint8_t whole[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!HMAC(EVP_sha256(), s->key.octets, s->key.len, p, 16, whole, &n) || n < MAC_OCTETS)
		return false;
	memcpy(mac, whole, MAC_OCTETS);
	return true;
}

/* The text of a fresh nonce; empty when it cannot be signed, which no answer then fits. */
static void nonce_make(struct digest_server *s, uint64_t now_ms, char text[NONCE_TEXT + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t octets[NONCE_OCTETS];

	put_u64(octets, now_ms);
	put_u64(octets + 8, ++s->serial);
	text[0] = '\0';
	if (!sign(s, octets, octets + 16))
		return;
	for (unsigned i = 0; i < NONCE_OCTETS; i++) {
		text[2 * i] = digits[octets[i] >> 4];
		text[2 * i + 1] = digits[octets[i] & 15];
	}
	text[NONCE_TEXT] = '\0';
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: it is none of ours. */
static bool nonce_read(const struct digest_server *s, struct str text, struct nonce *out)
{
	uint8_t octets[NONCE_OCTETS], mac[MAC_OCTETS];

	if (text.n != NONCE_TEXT)
		return false;
	for (unsigned i = 0; i < NONCE_OCTETS; i++) {
		int high = digit_of(text.p[2 * i]), low = digit_of(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		octets[i] = (uint8_t)(high << 4 | low);
	}
	if (!sign(s, octets, mac) || !mem_equal_ct(mac, octets + 16, MAC_OCTETS))
		return false;
	*out = (struct nonce){get_u64(octets), get_u64(octets + 8)};
	return true;
}

void digest_server_challenge(struct digest_server *s, struct str realm, enum digest_algorithm algorithm,
	bool stale, uint64_t now_ms, struct wbuf *w)
{
	char nonce[NONCE_TEXT + 1];

	nonce_make(s, now_ms, nonce);
	digest_challenge_write(
		&(struct digest_challenge){
			.realm = realm,
			.nonce = str_z(nonce),
			.algorithm = algorithm,
			.qop = true,
			.stale = stale,
		},
		w);
}

/*
 * Serial numbers go up, so that of two nonces in one slot the lower is the older: it gives way, and is stale
 * when it comes back. No count is good twice.
 */
static enum digest_verdict use(struct digest_server *s, uint64_t serial, uint32_t nc)
{
	struct used *u = &s->used[serial % SLOTS];

	if (u->serial > serial)
		return DIGEST_STALE;
	if (u->serial < serial)
		*u = (struct used){.serial = serial};
	if (nc > u->highest) {
		uint32_t up = nc - u->highest;

		u->seen = up < WINDOW ? u->seen << up | 1 : 1;
		u->highest = nc;
		return DIGEST_RIGHT;
	}
	if (u->highest - nc >= WINDOW || !nc || u->seen >> (u->highest - nc) & 1)
		return DIGEST_REPLAYED;
	u->seen |= UINT64_C(1) << (u->highest - nc);
	return DIGEST_RIGHT;
}

static bool is_right(
	const struct digest_credentials *c, struct str method, const struct digest_wanted *wanted)
{
	return wanted->password ? digest_verify(c, method, wanted->password)
				: digest_verify_ha1(c, method, wanted->ha1[c->algorithm]);
}

/*
 * c.uri is not compared with the Request-URI: RFC 3261 section 22.4 has proxies change that one, and what a
 * replay to another target could gain, the count takes away.
 */
enum digest_verdict digest_server_check(struct digest_server *s, const struct digest_credentials *c,
	struct str method, const struct digest_wanted *wanted, uint64_t now_ms)
{
	struct nonce nonce;

	if (!c->qop || !str_eq(c->username, wanted->username) || !str_eq(c->realm, wanted->realm) ||
		!(wanted->algorithms & 1u << c->algorithm) || !is_right(c, method, wanted))
		return DIGEST_WRONG;
	if (!nonce_read(s, c->nonce, &nonce) || now_ms - nonce.made_ms > wanted->lifetime_ms)
		return DIGEST_STALE;
	return use(s, nonce.serial, c->nc);
}
