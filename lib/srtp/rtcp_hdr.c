/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/rtcp_hdr.h"

int rtcp_walk_next(struct rtcp_walk *w, struct rtcp_part *part)
{
	const uint8_t *p = w->p + w->off;
	size_t left = w->n - w->off;

	if (!left)
		return 0;
	if (w->n > UINT16_MAX || left < 4 || !rtcp_is(p, left))
		return -EBADMSG;
	size_t len = 4 * (be16_get(p + 2) + (size_t)1);
	size_t padding = 0;

	if (len > left)
		return -EBADMSG;
	/* RFC 3550 wants it in words, and in the last packet alone; browsers pad their transport-wide feedback by octets, and
	 * more may follow it. */
	if (p[0] & 0x20) {
		padding = p[len - 1];
		if (!padding || padding > len - 4)
			return -EBADMSG;
	}
	*part = (struct rtcp_part){
		.off = (uint16_t)w->off,
		.len = (uint16_t)len,
		.body = (uint16_t)(len - padding),
		.type = p[1],
		.count = p[0] & 0x1f,
	};
	w->off += len;
	return 1;
}

int rtcp_check(const uint8_t *p, size_t n)
{
	struct rtcp_walk w = rtcp_walk_begin(p, n);
	struct rtcp_part part;
	int got;

	if (!n)
		return -EBADMSG;
	while ((got = rtcp_walk_next(&w, &part)) > 0)
		;
	return got;
}
