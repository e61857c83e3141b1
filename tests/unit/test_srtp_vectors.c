/* SPDX-License-Identifier: Apache-2.0 */
/* The RFCs' own answers, and the suites' table. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "lib/srtp/kdf.h"
#include "lib/srtp/packet_cipher.h"
#include "lib/srtp/rtp_hdr.h"
#include "tests/support/hex.h"
#include "tests/unit/vectors/srtp_rfc.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static void keystreams_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(cm_keystreams); i++) {
		struct srtp_half_keys keys = {0};
		uint8_t expect[64], out[64] = {0}, tag[SRTP_TAG_MAX];
		size_t n = hex_to(expect, cm_keystreams[i].keystream);
		size_t key_len = hex_to(keys.key, cm_keystreams[i].key);
		uint8_t salt[16];
		struct packet_cipher c;

		/* The RFCs print the salt with the two counter octets behind it. */
		assert_int_equal(hex_to(salt, cm_keystreams[i].salt), 16);
		memcpy(keys.salt, salt, SRTP_SALT_MAX);
		const struct srtp_suite_info *s = srtp_suite_info(
			key_len == 16 ? SRTP_AES_CM_128_HMAC_SHA1_80 : SRTP_AES_256_CM_HMAC_SHA1_80);

		assert_int_equal(s->key_len, key_len);
		assert_int_equal(packet_cipher_init(&c, s, &keys, false), 0);
		assert_int_equal(packet_seal(&c, &(struct packet_job){.p = out, .n = n}, tag), 0);
		assert_memory_equal(out, expect, n);
		packet_cipher_wipe(&c);
	}
}

static void session_keys_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(derivations); i++) {
		const struct srtp_suite_info *s = srtp_suite_info(derivations[i].suite);
		struct secret master = {0};
		struct srtp_session_keys keys;
		uint8_t expect[64];

		master.len = (uint8_t)hex_to(master.octets, derivations[i].master);
		assert_int_equal(srtp_kdf(derivations[i].suite, &master, &keys), 0);
		hex_to(expect, derivations[i].key);
		assert_memory_equal(keys.rtp.key, expect, s->key_len);
		hex_to(expect, derivations[i].salt);
		assert_memory_equal(keys.rtp.salt, expect, s->salt_len);
		hex_to(expect, derivations[i].auth);
		assert_memory_equal(keys.rtp.auth, expect, s->auth_key_len);
		assert_memory_not_equal(keys.rtcp.key, keys.rtp.key, s->key_len);
	}
}

static void a_wrong_master_gives_no_keys(void **state)
{
	(void)state;
	static const struct srtp_session_keys none;
	struct srtp_session_keys keys;
	struct secret master = {.len = 29};

	memset(&keys, 0xaa, sizeof keys);
	assert_int_equal(srtp_kdf(SRTP_AES_CM_128_HMAC_SHA1_80, &master, &keys), -EINVAL);
	assert_memory_equal(&keys, &none, sizeof keys);
	master.len = 0;
	assert_int_equal(srtp_kdf(SRTP_SUITE_NONE, &master, &keys), -EINVAL);
	assert_int_equal(srtp_kdf(SRTP_SUITE_COUNT, &master, &keys), -EINVAL);
}

/* Seals clear, compares with sealed, opens it again; then one changed bit must be refused and leave the
 * packet alone. */
static void gcm_case(struct packet_cipher *c, struct packet_job job, uint8_t *clear, size_t n,
	const uint8_t *sealed, const uint8_t *tag)
{
	uint8_t work[128], got[SRTP_TAG_MAX], bad[SRTP_TAG_MAX];

	memcpy(work, clear, n);
	job.p = work;
	job.n = n;
	assert_int_equal(packet_seal(c, &job, got), 0);
	assert_memory_equal(work, sealed, n);
	assert_memory_equal(got, tag, 16);
	memcpy(bad, tag, 16);
	bad[15] ^= 1;
	assert_int_equal(packet_open(c, &job, bad), -EACCES);
	assert_memory_equal(work, sealed, n);
	assert_int_equal(packet_open(c, &job, got), 0);
	assert_memory_equal(work, clear, n);
}

static void gcm_packets_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(gcm_packets); i++) {
		const struct srtp_suite_info *s = srtp_suite_info(gcm_packets[i].suite);
		struct srtp_half_keys keys = {0};
		uint8_t clear[128], sealed[128];
		struct packet_cipher c;
		struct rtp_hdr h = {0};

		assert_int_equal(hex_to(keys.key, gcm_packets[i].key), s->key_len);
		assert_int_equal(hex_to(keys.salt, gcm_packets[i].salt), s->salt_len);
		assert_int_equal(packet_cipher_init(&c, s, &keys, false), 0);

		size_t n = hex_to(clear, gcm_packets[i].rtp);

		assert_int_equal(rtp_hdr_parse(clear, n, &h), 0);
		assert_int_equal(hex_to(sealed, gcm_packets[i].rtp_sealed), n + 16);
		gcm_case(&c, (struct packet_job){.clear = h.len, .ssrc = h.ssrc, .index = h.seq}, clear, n,
			sealed, sealed + n);

		/* Behind the tag is E and the index. */
		struct packet_job job = {.clear = 8,
			.ssrc = 0x4d617273,
			.index = 0x5d4,
			.word = 0x800005d4,
			.word_in_aad = true};

		n = hex_to(clear, gcm_packets[i].rtcp);
		assert_int_equal(hex_to(sealed, gcm_packets[i].rtcp_sealed), n + 20);
		assert_int_equal(be32_get(sealed + n + 16), job.word);
		gcm_case(&c, job, clear, n, sealed, sealed + n);

		job.word = 0x5d4;
		job.plain = true;
		assert_int_equal(hex_to(sealed, gcm_packets[i].rtcp_tagged), n + 20);
		gcm_case(&c, job, clear, n, sealed, sealed + n);
		packet_cipher_wipe(&c);
	}
}

static void suites_are_found(void **state)
{
	(void)state;
	assert_null(srtp_suite_info(SRTP_SUITE_COUNT));
	for (unsigned i = SRTP_SUITE_NONE + 1; i < SRTP_SUITE_COUNT; i++) {
		const struct srtp_suite_info *s = srtp_suite_info((enum srtp_suite)i);

		assert_int_equal(srtp_suite_by_name(str_z(s->name)), i);
		assert_true(srtp_suite_master_len(s) <= SRTP_MASTER_MAX);
		assert_true(s->rtp_tag_len <= SRTP_TAG_MAX && s->rtcp_tag_len >= 10);
		if (s->dtls_profile)
			assert_int_equal(srtp_suite_by_dtls_profile(s->dtls_profile), i);
	}
	assert_int_equal(srtp_suite_by_name(STR("aead_aes_256_gcm")), SRTP_AEAD_AES_256_GCM);
	assert_int_equal(srtp_suite_by_name(STR("NONE")), SRTP_SUITE_NONE);
	assert_int_equal(srtp_suite_by_name(STR("AEAD_AES_256_GCM_8")), SRTP_SUITE_NONE);
	assert_int_equal(srtp_suite_by_dtls_profile(0), SRTP_SUITE_NONE);
	/* RFC 5764 section 4.1.2, RFC 7714 section 14.2 */
	assert_int_equal(srtp_suite_by_dtls_profile(1), SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(srtp_suite_by_dtls_profile(8), SRTP_AEAD_AES_256_GCM);
	/* RFC 4568 section 6.2.2 */
	assert_int_equal(srtp_suite_info(SRTP_AES_CM_128_HMAC_SHA1_32)->rtp_tag_len, 4);
	assert_int_equal(srtp_suite_info(SRTP_AES_CM_128_HMAC_SHA1_32)->rtcp_tag_len, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keystreams_match),
		cmocka_unit_test(session_keys_match),
		cmocka_unit_test(a_wrong_master_gives_no_keys),
		cmocka_unit_test(gcm_packets_match),
		cmocka_unit_test(suites_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
