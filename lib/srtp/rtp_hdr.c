/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/srtp/rtp_hdr.h"

#define EXT_ONE_BYTE 0xbede /* RFC 8285 section 4.2 */
#define EXT_TWO_BYTE 0x1000 /* section 4.3; the low 4 bits are the application's */

int rtp_padding(const uint8_t *p, size_t n, const struct rtp_hdr *h)
{
	if (!h->padding)
		return 0;
	if (n <= h->len)
		return -EBADMSG;
	uint8_t count = p[n - 1];

	if (!count || count > n - h->len)
		return -EBADMSG;
	return count;
}

/* One octet of id and length; id 15 ends the list, id 0 is a padding octet. */
static const uint8_t *find_one_byte(const uint8_t *e, size_t n, uint8_t id, uint8_t *len)
{
	for (size_t at = 0; at < n;) {
		uint8_t this_id = e[at] >> 4;
		size_t this_len = (e[at] & 0x0fu) + 1;

		at++;
		if (this_id == 0)
			continue;
		if (this_id == 15 || this_len > n - at)
			break;
		if (this_id == id) {
			*len = (uint8_t)this_len;
			return e + at;
		}
		at += this_len;
	}
	return NULL;
}

static const uint8_t *find_two_byte(const uint8_t *e, size_t n, uint8_t id, uint8_t *len)
{
	for (size_t at = 0; at < n;) {
		uint8_t this_id = e[at++];

		if (this_id == 0)
			continue;
		if (at == n || e[at] > n - at - 1)
			break;
		if (this_id == id) {
			*len = e[at];
			return e + at + 1;
		}
		at += 1u + e[at];
	}
	return NULL;
}

const uint8_t *rtp_ext_find(const uint8_t *p, const struct rtp_hdr *h, uint8_t id, uint8_t *len)
{
	if (!h->ext_off || !id)
		return NULL;
	if (h->ext_profile == EXT_ONE_BYTE)
		return find_one_byte(p + h->ext_off, h->ext_len, id, len);
	if ((h->ext_profile & 0xfff0) == EXT_TWO_BYTE)
		return find_two_byte(p + h->ext_off, h->ext_len, id, len);
	return NULL;
}
