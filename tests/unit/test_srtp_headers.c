/* SPDX-License-Identifier: Apache-2.0 */
/* RTP headers and RTCP compounds, with their bounds. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "lib/srtp/rtcp_feedback.h"
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

/* Elements 2 (2 octets), 3 (1 octet) and 5 (none, or 1) in either form; the payload is aa bb. */
static void extensions_that_are_taken_out(void **state)
{
	static const char one[] = "90600001000000000000000b" "bede0002" "21aabb30cc50dd00" "aabb",
			  two[] = "90600001000000000000000b" "10000003" "0202aabb0301cc0005000000" "aabb",
			  other[] = "90600001000000000000000b" "12340001" "deadbeef" "aabb",
			  bad[] = "90600001000000000000000b" "bede0001" "21aabb3f" "aabb";
	static const struct {
		const char *packet;
		uint16_t keep;
		const char *left;
	} cases[] = {
		{one, 0xfffe, "90600001000000000000000b" "bede0002" "21aabb30cc50dd00" "aabb"},
		{one, 1 << 3, "90600001000000000000000b" "bede0001" "30cc0000" "aabb"},
		{one, 1 << 3 | 1 << 5, "90600001000000000000000b" "bede0001" "30cc50dd" "aabb"},
		{one, 1 << 4, "80600001000000000000000b" "aabb"},
		{one, 0, "80600001000000000000000b" "aabb"},
		{two, 1 << 5, "90600001000000000000000b" "10000001" "05000000" "aabb"},
		{two, 1 << 2 | 1 << 3, "90600001000000000000000b" "10000002" "0202aabb0301cc00" "aabb"},
		{other, 0xfffe, "80600001000000000000000b" "aabb"},
		{bad, 0xfffe, "80600001000000000000000b" "aabb"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t p[64], left[64];
		size_t n = hex_to(p, cases[i].packet), n_left = hex_to(left, cases[i].left);
		struct rtp_hdr h, again = {0};

		assert_int_equal(rtp_hdr_parse(p, n, &h), 0);
		uint16_t removed = rtp_ext_keep(p, &h, cases[i].keep);

		assert_int_equal(n - removed, n_left);
		assert_memory_equal(p + removed, left, n_left);
		assert_int_equal(rtp_hdr_parse(p + removed, n - removed, &again), 0);
		assert_int_equal(h.len, again.len);
		assert_int_equal(h.ext_off, again.ext_off);
		assert_int_equal(h.ext_len, again.ext_len);
	}
}

/* Element 4, "ab": where there is no extension, behind the others in their form, in the room of their padding. */
static void an_extension_that_is_added(void **state)
{
	static const struct {
		const char *packet, *with;
	} cases[] = {
		{"80600001000000000000000b" "aabb", "90600001000000000000000b" "bede0001" "41616200" "aabb"},
		{"82600001000000000000000b" "00000001" "00000002" "aabb",
			"92600001000000000000000b" "00000001" "00000002" "bede0001" "41616200" "aabb"},
		{"90600001000000000000000b" "bede0001" "30cc0000" "aabb", "90600001000000000000000b" "bede0002" "30cc416162000000" "aabb"},
		{"90600001000000000000000b" "bede0002" "30cc000000000000" "aabb", "90600001000000000000000b" "bede0002" "30cc416162000000" "aabb"},
		{"90600001000000000000000b" "bede0001" "30ccf123" "aabb", "90600001000000000000000b" "bede0002" "30cc416162000000" "aabb"},
		{"90600001000000000000000b" "bede0000" "aabb", "90600001000000000000000b" "bede0001" "41616200" "aabb"},
		{"90600001000000000000000b" "10010001" "0301cc00" "aabb", "90600001000000000000000b" "10010002" "0301cc0402616200" "aabb"},
		/* nothing can be added */
		{"90600001000000000000000b" "12340001" "deadbeef" "aabb", "90600001000000000000000b" "12340001" "deadbeef" "aabb"},
		{"90600001000000000000000b" "bede0001" "21aabb3f" "aabb", "90600001000000000000000b" "bede0001" "21aabb3f" "aabb"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t p[64], with[64], *at = p + 16;
		size_t n = hex_to(at, cases[i].packet), n_with = hex_to(with, cases[i].with);
		struct rtp_hdr h, again = {0};
		uint16_t room, added;

		assert_int_equal(rtp_hdr_parse(at, n, &h), 0);
		room = rtp_ext_room(&h, 2);
		added = rtp_ext_add(at, &h, 4, "ab", 2);
		assert_true(added <= room);
		assert_int_equal(n + added, n_with);
		assert_memory_equal(at - added, with, n_with);
		assert_int_equal(rtp_hdr_parse(at - added, n + added, &again), 0);
		assert_int_equal(h.len, again.len);
		assert_int_equal(h.ext_off, again.ext_off);
		assert_int_equal(h.ext_len, again.ext_len);
		assert_int_equal(h.ext_profile, again.ext_profile);
	}
}

static void feedback_that_is_taken_out(void **state)
{
	/* RR, NACK, PLI, REMB, of SSRC 1 about SSRC 2 */
	static const char rr[] = "80c9000100000001", nack[] = "81cd0003000000010000000200010000",
			  pli[] = "81ce00020000000100000002", remb[] = "8fce000500000001000000005245"
									"4d420100000000000002";
	static const struct {
		uint8_t allowed;
		const char *left[4];
	} cases[] = {
		{0, {rr, nack, pli, remb}},
		{RTCP_FEEDBACK_LIMITED, {rr}},
		{RTCP_FEEDBACK_LIMITED | RTCP_FEEDBACK_NACK, {rr, nack}},
		{RTCP_FEEDBACK_LIMITED | RTCP_FEEDBACK_PLI | RTCP_FEEDBACK_REMB, {rr, pli, remb}},
		{RTCP_FEEDBACK_LIMITED | RTCP_FEEDBACK_TWCC | RTCP_FEEDBACK_OTHER, {rr}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t p[128], left[128];
		size_t n = hex_to(p, rr), n_left = 0;

		n += hex_to(p + n, nack);
		n += hex_to(p + n, pli);
		n += hex_to(p + n, remb);
		for (size_t k = 0; k < 4 && cases[i].left[k]; k++)
			n_left += hex_to(left + n_left, cases[i].left[k]);
		assert_int_equal(rtcp_feedback_keep(p, n, cases[i].allowed), n_left);
		assert_memory_equal(p, left, n_left);
	}
	uint8_t alone[16];

	assert_int_equal(rtcp_feedback_keep(alone, hex_to(alone, pli), RTCP_FEEDBACK_LIMITED), 0);
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
	/* Padding of nothing, padding of more than the packet, a version that is not 2. */
	p[n - 1] = 0;
	assert_int_equal(rtcp_check(p, n), -EBADMSG);
	p[n - 1] = 12;
	assert_int_equal(rtcp_check(p, n), -EBADMSG);
	p[n - 1] = 4;
	p[8] = 0x41;
	assert_int_equal(rtcp_check(p, n), -EBADMSG);
}

/* As Chromium writes it: transport-wide feedback of one packet, padded by three octets to a word, and a PLI behind it. */
static void padding_of_octets(void **state)
{
	(void)state;
	uint8_t p[128];
	size_t n = hex_to(p, "afcd00050000000100000002000700010000000020010003"
			     "81ce00020000000100000002");
	struct rtcp_walk w = rtcp_walk_begin(p, n);
	struct rtcp_part part;

	assert_int_equal(rtcp_walk_next(&w, &part), 1);
	assert_int_equal(part.type, RTCP_RTPFB);
	assert_int_equal(part.len, 24);
	assert_int_equal(part.body, 21);
	assert_int_equal(rtcp_walk_next(&w, &part), 1);
	assert_int_equal(part.type, RTCP_PSFB);
	assert_int_equal(part.body, 12);
	assert_int_equal(rtcp_walk_next(&w, &part), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtp_with_everything),
		cmocka_unit_test(two_byte_extension),
		cmocka_unit_test(extensions_that_are_taken_out),
		cmocka_unit_test(an_extension_that_is_added),
		cmocka_unit_test(feedback_that_is_taken_out),
		cmocka_unit_test(rtcp_is_told_from_rtp),
		cmocka_unit_test(compound_is_walked),
		cmocka_unit_test(padding_of_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
