/* SPDX-License-Identifier: Apache-2.0 */
/* RTP headers and RTCP compounds, with their bounds. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "lib/srtp/rtcp_hdr.h"
#include "lib/srtp/rtp_hdr.h"
#include "tests/support/hex.h"

static void rtp_with_everything(void **state)
{
	(void)state;
	uint8_t p[64];
	struct rtp_hdr h = {0};
	/* P, X, 2 CSRCs; M, PT 96; a one-byte extension of 2 words; 4 octets of payload, 3 of them padding */
	size_t n = hex_to(p, "b2e01234000001f4cafef00d1111111122222222"
			     "bede0002"
			     "3061217879000000"
			     "aa000003");

	assert_int_equal(rtp_hdr_parse(p, n, &h), 0);
	assert_int_equal(h.len, 12 + 8 + 4 + 8);
	assert_int_equal(h.seq, 0x1234);
	assert_int_equal(h.ts, 500);
	assert_int_equal(h.ssrc, 0xcafef00d);
	assert_int_equal(h.pt, 96);
	assert_true(h.marker);
	assert_int_equal(h.csrc_count, 2);
	assert_int_equal(h.ext_off, 24);
	assert_int_equal(h.ext_len, 8);
	assert_int_equal(rtp_padding(p, n, &h), 3);

	uint8_t len = 0;
	const uint8_t *e = rtp_ext_find(p, &h, 2, &len);

	assert_ptr_equal(e, p + 27);
	assert_int_equal(len, 2);
	assert_ptr_equal(rtp_ext_find(p, &h, 3, &len), p + 25);
	assert_null(rtp_ext_find(p, &h, 4, &len));
	assert_null(rtp_ext_find(p, &h, 0, &len));

	/* All shorter than the header are refused; the header alone is an empty packet. */
	for (size_t cut = 0; cut < h.len; cut++) {
		struct rtp_hdr other;

		assert_int_equal(rtp_hdr_parse(p, cut, &other), -EBADMSG);
	}
	assert_int_equal(rtp_hdr_parse(p, h.len, &h), 0);
	assert_int_equal(rtp_padding(p, h.len, &h), -EBADMSG);
	p[n - 1] = 5;
	assert_int_equal(rtp_padding(p, n, &h), -EBADMSG);
	p[n - 1] = 0;
	assert_int_equal(rtp_padding(p, n, &h), -EBADMSG);
	p[0] = 0x72;
	assert_int_equal(rtp_hdr_parse(p, n, &h), -EBADMSG);
}

static void two_byte_extension(void **state)
{
	(void)state;
	uint8_t p[64], len = 9;
	struct rtp_hdr h = {0};
	size_t n = hex_to(p, "90600001000000000000000110050003"
			     "05000703414243000900000a");

	assert_int_equal(rtp_hdr_parse(p, n, &h), 0);
	assert_ptr_equal(rtp_ext_find(p, &h, 7, &len), p + 20);
	assert_int_equal(len, 3);
	assert_non_null(rtp_ext_find(p, &h, 5, &len));
	assert_int_equal(len, 0);
	/* Its length would be behind the extension. */
	assert_null(rtp_ext_find(p, &h, 10, &len));
	/* An element that runs past the end is not given out. */
	p[19] = 0x30;
	assert_null(rtp_ext_find(p, &h, 7, &len));
}

static void rtcp_is_told_from_rtp(void **state)
{
	(void)state;
	static const uint8_t sr[] = {0x80, 200}, marker_pt_95[] = {0x80, 0x80 | 95}, rtp[] = {0x80, 0x80 | 8};

	assert_true(rtcp_is(sr, 2));
	assert_true(rtcp_is(marker_pt_95, 2));
	assert_false(rtcp_is(rtp, 2));
	assert_false(rtcp_is(sr, 1));
}

static void compound_is_walked(void **state)
{
	(void)state;
	uint8_t p[128];
	/* RR without reports, SDES CNAME "a", BYE with 4 octets of padding */
	size_t n = hex_to(p, "80c9000100000001"
			     "81ca00020000000101016100"
			     "a1cb00020000000100000004");

	struct rtcp_walk w = rtcp_walk_begin(p, n);
	struct rtcp_part part;

	assert_int_equal(rtcp_walk_next(&w, &part), 1);
	assert_int_equal(part.type, RTCP_RR);
	assert_int_equal(part.len, 8);
	assert_int_equal(rtcp_walk_next(&w, &part), 1);
	assert_int_equal(part.type, RTCP_SDES);
	assert_int_equal(part.off, 8);
	assert_int_equal(part.count, 1);
	assert_int_equal(rtcp_walk_next(&w, &part), 1);
	assert_int_equal(part.type, RTCP_BYE);
	assert_int_equal(part.len, 12);
	assert_int_equal(part.body, 8);
	assert_int_equal(rtcp_walk_next(&w, &part), 0);

	assert_int_equal(rtcp_check(p, n), 0);
	for (size_t cut = 0; cut < n; cut++)
		if (cut != 8 && cut != 20)
			assert_int_equal(rtcp_check(p, cut), -EBADMSG);
	/* Padding before the last packet, padding of more than the packet, a version that is not 2. */
	p[0] |= 0x20;
	assert_int_equal(rtcp_check(p, n), -EBADMSG);
	p[0] &= 0xdf;
	p[n - 1] = 12;
	assert_int_equal(rtcp_check(p, n), -EBADMSG);
	p[n - 1] = 4;
	p[8] = 0x41;
	assert_int_equal(rtcp_check(p, n), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtp_with_everything),
		cmocka_unit_test(two_byte_extension),
		cmocka_unit_test(rtcp_is_told_from_rtp),
		cmocka_unit_test(compound_is_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
