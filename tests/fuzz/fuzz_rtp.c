/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An RTP packet from the network: header, padding, extensions, unprotect. What parses is also protected and
 * opened again, and must come back as it was; what does not authenticate must stay as it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/srtp/rtp_hdr.h"
#include "tests/fuzz/srtp_roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum srtp_suite suites[] = {
	SRTP_AES_CM_128_HMAC_SHA1_32, SRTP_AES_192_CM_HMAC_SHA1_80, SRTP_AEAD_AES_128_GCM};

/* What is left of a packet whose extensions are taken out is one, with its payload, and none that was to go. */
static void take_out(const uint8_t *data, size_t size)
{
	for (unsigned id = 1; id <= 15; id++) {
		uint8_t *p = malloc(size), len;
		uint16_t keep = (uint16_t)(1u << id), payload;
		struct rtp_hdr h, again;

		memcpy(p, data, size);
		rtp_hdr_parse(p, size, &h);
		payload = h.len;
		uint16_t removed = rtp_ext_keep(p, &h, keep);

		if (removed > payload || rtp_hdr_parse(p + removed, size - removed, &again) || again.len != h.len ||
			removed + h.len != payload || memcmp(p + payload, data + payload, size - payload))
			abort();
		for (unsigned other = 1; other < 256; other++)
			if (other != id && rtp_ext_find(p + removed, &again, (uint8_t)other, &len))
				abort();
		free(p);
	}
}

/* A packet with an element more is one, with its payload, its other elements and the new one. */
static void put_in(const uint8_t *data, size_t size, uint8_t id, uint8_t n)
{
	static const char name[] = "the name of this";
	uint8_t len, other_len, *p = malloc(size + ROOM), *at = p + ROOM;
	struct rtp_hdr before, h, again;
	uint16_t room, added;

	memcpy(at, data, size);
	rtp_hdr_parse(data, size, &before);
	h = before;
	room = rtp_ext_room(&h, n);
	added = rtp_ext_find(at, &h, id, &len) ? 0 : rtp_ext_add(at, &h, id, name, n);
	if (added > room || rtp_hdr_parse(at - added, size + added, &again) || again.len != h.len ||
		h.len != before.len + added || memcmp(at + before.len, data + before.len, size - before.len))
		abort();
	for (unsigned other = 1; other < 256; other++) {
		const uint8_t *was = rtp_ext_find(data, &before, (uint8_t)other, &len),
			      *is = rtp_ext_find(at - added, &again, (uint8_t)other, &other_len);

		if (other == id && !was ? is && (other_len != n || memcmp(is, name, n))
					: !was != !is || (was && (len != other_len || memcmp(was, is, len))))
			abort();
		if (other == id && added && !is)
			abort();
	}
	free(p);
}

static void parse(const uint8_t *data, size_t size)
{
	struct rtp_hdr h;

	if (rtp_hdr_parse(data, size, &h))
		return;
	if (h.len > size || h.ext_off + h.ext_len > h.len)
		abort();
	int padding = rtp_padding(data, size, &h);

	if (padding > 0 && (size_t)padding > size - h.len)
		abort();
	for (unsigned id = 0; id < 256; id++) {
		uint8_t len = 0;
		const uint8_t *e = rtp_ext_find(data, &h, (uint8_t)id, &len);

		if (e && (e < data + h.ext_off || e + len > data + h.len))
			abort();
	}
	take_out(data, size);
	put_in(data, size, 14, 16);
	put_in(data, size, 1, 1);
	put_in(data, size, 3, 6);
}

static const struct roundtrip packets = {srtp_context_protect, srtp_context_unprotect, "mki"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	parse(data, size);
	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
		roundtrip(&packets, suites[i], data, size);
	return 0;
}
