/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/rtcp_describe.h"

#include <string.h>

#include "lib/srtp/rtcp_hdr.h"

#define ITEM_CNAME 1
#define ITEM_HDR_LEN 2u
#define SSRC_LEN 4u
#define CHUNK_MIN 8u /* an SSRC, and the end in a word of its own */

static size_t words_of(size_t octets)
{
	return (octets + 3) & ~(size_t)3;
}

/* 64 of its bits, another 64 for each part. */
static uint64_t bits_of(
	const struct siphash_key *key, uint64_t call, uint8_t part, const uint8_t *name, uint8_t n)
{
	uint8_t text[sizeof call + 1 + UINT8_MAX];

	memcpy(text, &call, sizeof call);
	text[sizeof call] = part;
	memcpy(text + sizeof call + 1, name, n);
	return siphash(key, text, sizeof call + 1 + n);
}

static void other_name(const struct siphash_key *key, uint64_t call, const uint8_t *name, uint8_t n,
	char out[RTCP_CNAME_MAX])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t bits = 0;

	for (uint8_t i = 0; i < RTCP_CNAME_MAX; i++, bits >>= 6) {
		if (i % 8 == 0)
			bits = bits_of(key, call, i, name, n);
		out[i] = letters[bits & 63];
	}
}

/* Items from p + at on, up to `body`: where they end, the filling included; *cname: the first, or NULL. */
static size_t items_end(const uint8_t *p, size_t at, size_t body, const uint8_t **cname)
{
	*cname = NULL;
	while (at < body && p[at]) {
		if (body - at < ITEM_HDR_LEN || body - at < ITEM_HDR_LEN + p[at + 1])
			return body;
		if (p[at] == ITEM_CNAME && !*cname)
			*cname = p + at;
		at += ITEM_HDR_LEN + p[at + 1];
	}
	return words_of(at + 1);
}

/* An SDES in place. 0: it describes nobody any more. */
static size_t hide(uint8_t *p, const struct rtcp_part *part, const struct siphash_key *key, uint64_t call)
{
	size_t at = RTCP_HDR_LEN - SSRC_LEN, out = at;
	uint8_t chunks = 0;

	for (unsigned i = 0; i < part->count && part->body >= at + CHUNK_MIN; i++) {
		const uint8_t *cname;
		size_t end = items_end(p, at + SSRC_LEN, part->body, &cname), n = SSRC_LEN;
		char name[RTCP_CNAME_MAX];

		memmove(p + out, p + at, SSRC_LEN);
		if (cname) {
			/* Who forgot the end of the items gets it in place of a letter. */
			size_t room = part->body - at - SSRC_LEN - ITEM_HDR_LEN - 1;
			size_t len = cname[1] < RTCP_CNAME_MAX ? cname[1] : RTCP_CNAME_MAX;

			len = len < room ? len : room;
			other_name(key, call, cname + ITEM_HDR_LEN, cname[1], name);
			p[out + n] = ITEM_CNAME;
			p[out + n + 1] = (uint8_t)len;
			memcpy(p + out + n + ITEM_HDR_LEN, name, len);
			n += ITEM_HDR_LEN + len;
		}
		memset(p + out + n, 0, words_of(n + 1) - n);
		out += words_of(n + 1);
		chunks++;
		at = end;
	}
	p[0] = (uint8_t)(2u << 6 | chunks);
	be16_put(p + 2, (uint16_t)(out / 4 - 1));
	return chunks ? out : 0;
}

size_t rtcp_describe_hide(uint8_t *p, size_t n, const struct siphash_key *key, uint64_t call)
{
	struct rtcp_walk walk = rtcp_walk_begin(p, n);
	struct rtcp_part part;
	size_t kept = 0;

	/* What is kept only ever moves towards the front, behind where the walk is. */
	while (rtcp_walk_next(&walk, &part) > 0) {
		size_t len = part.type == RTCP_SDES ? hide(p + part.off, &part, key, call) : part.len;

		if (kept != part.off)
			memmove(p + kept, p + part.off, len);
		kept += len;
	}
	return kept;
}
