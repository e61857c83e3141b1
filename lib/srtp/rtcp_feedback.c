/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/rtcp_feedback.h"

#include <string.h>

#include "lib/srtp/rtcp_hdr.h"

static const struct {
	uint8_t type, format;
	uint8_t bit; /* enum rtcp_feedback */
} formats[] = {
	{RTCP_RTPFB, 1, RTCP_FEEDBACK_NACK},
	{RTCP_RTPFB, 3, RTCP_FEEDBACK_TMMBR},
	{RTCP_RTPFB, 4, RTCP_FEEDBACK_TMMBR}, /* TMMBN */
	{RTCP_RTPFB, 15, RTCP_FEEDBACK_TWCC},
	{RTCP_PSFB, 1, RTCP_FEEDBACK_PLI},
	{RTCP_PSFB, 4, RTCP_FEEDBACK_FIR},
	{RTCP_PSFB, 15, RTCP_FEEDBACK_REMB}, /* application layer feedback; only REMB is in use */
};

static uint8_t bit_of(const struct rtcp_part *part)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (formats[i].type == part->type && formats[i].format == part->count)
			return formats[i].bit;
	return RTCP_FEEDBACK_OTHER;
}

size_t rtcp_feedback_keep(uint8_t *p, size_t n, uint8_t allowed)
{
	struct rtcp_walk walk = rtcp_walk_begin(p, n);
	struct rtcp_part part;
	size_t kept = 0;

	if (!(allowed & RTCP_FEEDBACK_LIMITED))
		return n;
	/* What is kept only ever moves towards the front, behind where the walk is. */
	while (rtcp_walk_next(&walk, &part) > 0) {
		bool feedback = part.type == RTCP_RTPFB || part.type == RTCP_PSFB;

		if (feedback && !(allowed & bit_of(&part)))
			continue;
		if (kept != part.off)
			memmove(p + kept, p + part.off, part.len);
		kept += part.len;
	}
	return kept;
}
