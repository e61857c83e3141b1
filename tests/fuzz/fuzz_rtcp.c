/* SPDX-License-Identifier: Apache-2.0 */
/* RTCP from the network: compound walk, SRTCP unprotect, and the rewriting that a gateway does to it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/srtp/renumber.h"
#include "lib/srtp/rtcp_describe.h"
#include "lib/srtp/rtcp_feedback.h"
#include "lib/srtp/rtcp_hdr.h"
#include "tests/fuzz/srtp_roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum srtp_suite suites[] = {SRTP_AES_CM_128_HMAC_SHA1_32, SRTP_AEAD_AES_128_GCM};

/* Slots whose SSRCs and sequence numbers the corpus names: 1 became 3 and goes out as 1; 2 began at 40000. */
struct side {
	struct renumber r;
	struct renumber_slot slots[2];
	struct renumber_past past[2];
	uint64_t windows[2 * 2];
};

static void map(struct renumber *r, uint32_t ssrc, uint16_t seq, uint32_t ts, uint32_t now_ms)
{
	struct renumber_packet p = {.ssrc = ssrc, .seq = seq, .ts = ts, .now_ms = now_ms};
	struct renumber_slot *last = NULL;

	if (renumber_packet_map(r, &last, &p) != RENUMBER_SEND)
		abort();
}

static void sides(struct side *a, struct side *b)
{
	if (renumber_init(&a->r, a->slots, a->slots + 1, a->past, 2, a->windows, 64, 1) ||
		renumber_init(&b->r, b->slots, b->slots + 1, b->past, 2, b->windows, 64, 2))
		abort();
	map(&a->r, 1, 100, 0, 0);
	map(&a->r, 3, 9, 5000, 20);
	map(&b->r, 2, 40000, 0, 0);
	map(&b->r, 2, 100, 1u << 31, 20);
}

static void rewrite(const uint8_t *data, size_t size)
{
	struct side a, b;
	uint8_t *p = malloc(size + 1);
	int sound = rtcp_check(data, size);

	sides(&a, &b);
	memcpy(p, data, size);
	int n = renumber_rtcp(&a.r, &b.r, RENUMBER_ANY_SOURCE, p, size);

	if (n < 0 ? !sound || memcmp(p, data, size) : sound || (size_t)n > size)
		abort();
	/* What is left is a compound again. */
	if (n > 0 && rtcp_check(p, (size_t)n))
		abort();
	if (n > 0) {
		static const struct siphash_key key = {{1}};
		size_t kept = rtcp_describe_hide(p, (size_t)n, &key, 1);

		if (kept > (size_t)n || (kept && rtcp_check(p, kept)))
			abort();
		n = (int)kept;
	}
	for (unsigned allowed = RTCP_FEEDBACK_LIMITED; n > 0 && allowed < 256; allowed = 2 * allowed + 1) {
		n = (int)rtcp_feedback_keep(p, (size_t)n, (uint8_t)(UINT8_MAX ^ (allowed & 0xfe)));
		if (n && rtcp_check(p, (size_t)n))
			abort();
	}
	free(p);
}

static const struct roundtrip packets = {srtp_context_protect_rtcp, srtp_context_unprotect_rtcp, NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	rewrite(data, size);
	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
		roundtrip(&packets, suites[i], data, size);
	return 0;
}
