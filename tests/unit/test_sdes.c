/* SPDX-License-Identifier: Apache-2.0 */
/* a=crypto lines: what is taken, what is refused and why, and the exchange of keys over them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/keys/base64.h"
#include "controlplane/keys/sdes.h"
#include "tests/support/cmocka_std.h"

/* 30 octets: AES-128 key and salt */
#define K30 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define K30B "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"
/* 28: AES-128 GCM, unpadded and padded; 44: AES-256 GCM; 46: AES-256 CM; 38: AES-192 CM */
#define K28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw"
#define K44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis"
#define K46 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ"
#define K38 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCU"
#define CM80 "AES_CM_128_HMAC_SHA1_80 inline:"

static void lines_that_are_taken(void **state)
{
	static const struct {
		const char *value;
		uint32_t tag;
		enum srtp_suite suite;
		unsigned n_keys, key_len;
		uint64_t lifetime;
		unsigned mki_len;
	} cases[] = {
		{"1 " CM80 K30, 1, SRTP_AES_CM_128_HMAC_SHA1_80, 1, 30, 0, 0},
		{"1 " CM80 K30 "|2^20|1:4", 1, SRTP_AES_CM_128_HMAC_SHA1_80, 1, 30, 1 << 20, 4},
		{"2 AES_CM_128_HMAC_SHA1_32 inline:" K30 "|1048576", 2, SRTP_AES_CM_128_HMAC_SHA1_32, 1, 30,
			1 << 20, 0},
		{"3 " CM80 K30 "|1:4", 3, SRTP_AES_CM_128_HMAC_SHA1_80, 1, 30, 0, 4},
		{"4 " CM80 K30 "|2^48", 4, SRTP_AES_CM_128_HMAC_SHA1_80, 1, 30, UINT64_C(1) << 48, 0},
		{"999999999  AEAD_AES_128_GCM\tinline:" K28, 999999999, SRTP_AEAD_AES_128_GCM, 1, 28, 0, 0},
		{"5 AEAD_AES_128_GCM inline:" K28 "==", 5, SRTP_AEAD_AES_128_GCM, 1, 28, 0, 0},
		{"6 AEAD_AES_256_GCM inline:" K44, 6, SRTP_AEAD_AES_256_GCM, 1, 44, 0, 0},
		{"6 AEAD_AES_256_GCM inline:" K44 "=", 6, SRTP_AEAD_AES_256_GCM, 1, 44, 0, 0},
		{"7 AES_256_CM_HMAC_SHA1_80 inline:" K46 "==", 7, SRTP_AES_256_CM_HMAC_SHA1_80, 1, 46, 0, 0},
		{"8 AES_192_CM_HMAC_SHA1_32 inline:" K38 "=", 8, SRTP_AES_192_CM_HMAC_SHA1_32, 1, 38, 0, 0},
		{"1 aes_cm_128_hmac_sha1_80 INLINE:" K30, 1, SRTP_AES_CM_128_HMAC_SHA1_80, 1, 30, 0, 0},
		{"1 " CM80 K30 "|2^20|1:4;inline:" K30B "|2^20|2:4", 1, SRTP_AES_CM_128_HMAC_SHA1_80, 2, 30,
			1 << 20, 4},
		{"1 " CM80 K30 " KDR=0", 1, SRTP_AES_CM_128_HMAC_SHA1_80, 1, 30, 0, 0},
		{"1 " CM80 K30 " WSH=128 FEC_ORDER=FEC_SRTP -x-y=1 -z", 1, SRTP_AES_CM_128_HMAC_SHA1_80, 1,
			30, 0, 0},
		{"1 " CM80 K30 "|340282366920938463463374607431768211455:16", 1, SRTP_AES_CM_128_HMAC_SHA1_80,
			1, 30, 0, 16},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		SDES_LINE_AUTO struct sdes_line l;
		struct err e = {0};

		if (sdes_parse(str_z(cases[i].value), &l, &e) != 0)
			fail_msg("case %u: %s", i, e.text);
		assert_int_equal(l.tag, cases[i].tag);
		assert_int_equal(l.suite, cases[i].suite);
		assert_int_equal(l.n_keys, cases[i].n_keys);
		assert_int_equal(l.keys[0].master.len, cases[i].key_len);
		assert_int_equal(l.keys[0].lifetime, cases[i].lifetime);
		assert_int_equal(l.keys[0].mki_len, cases[i].mki_len);
	}
}

static void lines_that_are_refused(void **state)
{
	static const struct {
		const char *value;
		int code;
		const char *says;
	} cases[] = {
		{"", -EINVAL, "its tag is not a number of 1 to 9 digits"},
		{"x " CM80 K30, -EINVAL, "its tag"},
		{"1000000000 " CM80 K30, -EINVAL, "its tag"},
		{"1 AES_CM_128_HMAC_SHA1_80", -EINVAL, "it is not TAG SUITE inline:KEY"},
		{"1 F8_128_HMAC_SHA1_80 inline:" K30, -ENOTSUP, "its suite 'F8_128_HMAC_SHA1_80' is unknown"},
		{"1 AES_CM_128_HMAC_SHA1_80 uri:x", -EINVAL, "its key method is not inline"},
		{"1 " CM80, -EINVAL, "its key and salt are 0 octets"},
		{"1 " CM80 K28, -EINVAL, "28 octets, where AES_CM_128_HMAC_SHA1_80 needs 30"},
		{"1 " CM80 K30 "AAAA", -EINVAL, "33 octets, where"},
		{"1 AEAD_AES_256_GCM inline:" K30, -EINVAL, "30 octets, where AEAD_AES_256_GCM needs 44"},
		{"1 " CM80 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo*", -EINVAL, "its key is not base64"},
		{"1 " CM80 K30 "=", -EINVAL, "its key is not base64"},
		{"1 AEAD_AES_128_GCM inline:" K28 "=", -EINVAL, "its key is not base64"},
		{"1 " CM80 K30 K30 K30, -EINVAL, "its key is not base64"},
		{"1 " CM80 K30 "|0", -EINVAL, "its lifetime is 0 packets"},
		{"1 " CM80 K30 "|2^49", -EINVAL, "its lifetime is more packets than"},
		{"1 " CM80 K30 "|2^99", -EINVAL, "its lifetime is more packets than"},
		{"1 " CM80 K30 "|281474976710657", -EINVAL, "its lifetime is more packets than"},
		{"1 " CM80 K30 "|99999999999999999999999", -EINVAL, "its lifetime is more packets than"},
		{"1 " CM80 K30 "|2^", -EINVAL, "its lifetime is not a number"},
		{"1 " CM80 K30 "|abc", -EINVAL, "its lifetime is not a number"},
		{"1 " CM80 K30 "||1:4", -EINVAL, "its lifetime is not a number"},
		{"1 " CM80 K30 "|1:0", -EINVAL, "its MKI length"},
		{"1 " CM80 K30 "|1:129", -EINVAL, "its MKI length"},
		{"1 " CM80 K30 "|256:1", -EINVAL, "its MKI does not fit into 1 octets"},
		{"1 " CM80 K30 "|:4", -EINVAL, "its MKI is not a number"},
		{"1 " CM80 K30 "|x:4", -EINVAL, "its MKI is not a number"},
		{"1 " CM80 K30 "|1:4|2^20", -EINVAL, "its MKI length"},
		{"1 " CM80 K30 ";inline:" K30B, -EINVAL, "it has several keys, not all of them with an MKI"},
		{"1 " CM80 K30 "|1:4;inline:" K30B "|2:2", -EINVAL, "it has several keys, not all of them"},
		{"1 " CM80 K30 "|1:4;inline:" K30B "|1:4", -EINVAL, "two of its keys have the same MKI"},
		{"1 " CM80 K30 " KDR=1", -ENOTSUP, "a key derivation rate (KDR) that is not 0"},
		{"1 " CM80 K30 " KDR=x", -EINVAL, "its KDR is not a number from 0 to 24"},
		{"1 " CM80 K30 " UNENCRYPTED_SRTP", -ENOTSUP, "it asks for UNENCRYPTED_SRTP"},
		{"1 " CM80 K30 " UNENCRYPTED_SRTCP", -ENOTSUP, "it asks for UNENCRYPTED_SRTCP"},
		{"1 " CM80 K30 " UNAUTHENTICATED_SRTP", -ENOTSUP, "it asks for UNAUTHENTICATED_SRTP"},
		{"1 " CM80 K30 " unencrypted_srtp", -ENOTSUP, "it asks for unencrypted_srtp"},
		{"1 " CM80 K30 " -UNENCRYPTED_SRTP", -ENOTSUP, "it asks for UNENCRYPTED_SRTP"},
		{"1 " CM80 K30 " KDR=0  UNENCRYPTED_SRTCP", -ENOTSUP, "it asks for UNENCRYPTED_SRTCP"},
		{"1 " CM80 K30 " FEC_ORDER=SRTP_FEC", -ENOTSUP, "it asks for FEC over encrypted packets"},
		{"1 " CM80 K30 " FEC_KEY=inline:" K30B, -ENOTSUP, "it asks for FEC_KEY"},
		{"1 " CM80 K30 " WSH=63", -EINVAL, "its WSH is not a number from 64 up"},
		{"1 " CM80 K30 " NEW=1", -ENOTSUP, "it has the unknown mandatory parameter 'NEW'"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		static const struct sdes_line wiped;
		struct sdes_line l;
		struct err e = {0};
		int rc = sdes_parse(str_z(cases[i].value), &l, &e);

		if (rc != cases[i].code || !strstr(e.text, cases[i].says))
			fail_msg("case %u (%s): %d '%s'", i, cases[i].value, rc, e.text);
		if (strstr(e.text, "d0RmdmcmV"))
			fail_msg("case %u: the reason shows the key: %s", i, e.text);
		l.tag = 0;
		assert_memory_equal(&l, &wiped, sizeof l);
	}
}

static void mki_is_a_number_in_octets(void **state)
{
	static const uint8_t mki[] = {0, 0, 1, 2};
	SDES_LINE_AUTO struct sdes_line l;
	struct agreed_key k = {.suite = SRTP_AES_CM_128_HMAC_SHA1_80, .mki_len = 4, .mki = {0, 0, 1, 2}};
	char text[256];
	struct wbuf w = wbuf_make(text, sizeof text);
	struct err e;

	(void)state;
	assert_int_equal(sdes_parse(str_z("1 " CM80 K30 "|258:4"), &l, &e), 0);
	assert_memory_equal(l.keys[0].mki, mki, 4);
	k.master = l.keys[0].master;
	sdes_print(&w, 7, &k);
	text[w.len] = '\0';
	assert_string_equal(text, "a=crypto:7 " CM80 K30 "|258:4\r\n");
	/* 16 octets of ones: the longest number */
	memset(k.mki, 0xff, sizeof k.mki);
	k.mki_len = 16;
	w = wbuf_make(text, sizeof text);
	sdes_print(&w, 7, &k);
	text[w.len] = '\0';
	assert_string_equal(text, "a=crypto:7 " CM80 K30 "|340282366920938463463374607431768211455:16\r\n");
	agreed_key_wipe(&k);
}

static void base64_goes_both_ways(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= SECRET_MAX; n++) {
		struct secret a, b;
		char text[96];
		struct wbuf w = wbuf_make(text, sizeof text);

		assert_int_equal(secret_random(&a, n), 0);
		base64_encode(&w, &a);
		assert_int_equal(w.len, (n + 2) / 3 * 4);
		assert_int_equal(base64_decode(wbuf_view(&w), &b), 0);
		assert_true(secret_equal(&a, &b));
		while (w.len && text[w.len - 1] == '=')
			w.len--;
		assert_int_equal(base64_decode(wbuf_view(&w), &b), 0);
		assert_true(secret_equal(&a, &b));
	}
}

/* --- exchanges --- */

static const enum srtp_suite prefer_gcm[] = {
	SRTP_AEAD_AES_256_GCM, SRTP_AEAD_AES_128_GCM, SRTP_AES_CM_128_HMAC_SHA1_80};
static const struct keying_policy gcm_first = {prefer_gcm, 3, 0};
static const struct keying_policy cm_only = {prefer_gcm + 2, 1, 0};

static struct sdp sdp;
static char text[8192];

static const struct sdp_media *media(const char *crypto)
{
	struct err e = {0};

	snprintf(text, sizeof text,
		"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 "
		"RTP/SAVP 0\r\n%s",
		crypto);
	if (sdp_parse(str_z(text), &sdp, &e) < 0)
		fail_msg("%s", e.text);
	return &sdp.media[0];
}

static struct agreement *make(const struct keying_policy *policy)
{
	struct agreement *a;

	assert_int_equal(agreement_sdes.create(policy, &a), 0);
	return a;
}

static const char *printed(const struct agreement *a)
{
	static char out[4096];
	struct wbuf w = wbuf_make(out, sizeof out - 1);

	a->method->print(a, &w);
	assert_false(w.overflow);
	out[w.len] = '\0';
	return out;
}

static void our_preference_decides(void **state)
{
	struct err e = {0};
	struct agreement *a = make(&gcm_first);

	(void)state;
	assert_int_equal(a->method->offered(a, NULL, &sdp,
				 media("a=crypto:1 " CM80 K30 "\r\n"
				       "a=crypto:2 AEAD_AES_128_GCM inline:" K28 "\r\n"
				       "a=crypto:9 AEAD_AES_256_GCM inline:" K44 " UNENCRYPTED_SRTP\r\n"
				       "a=crypto:4 AEAD_AES_128_GCM inline:" K28 "==\r\n"),
				 &e),
		0);
	assert_int_equal(
		a->rx.suite, SRTP_AEAD_AES_128_GCM); /* tag 9 is better liked, but asks for clear media */
	assert_false(a->established);
	assert_int_equal(a->method->answer(a, NULL, &e), 0);
	assert_true(a->established);
	assert_int_equal(a->tx.suite, SRTP_AEAD_AES_128_GCM);
	assert_false(secret_equal(&a->tx.master, &a->rx.master));
	const char *out = printed(a);

	assert_true(str_starts(str_z(out), STR("a=crypto:2 AEAD_AES_128_GCM inline:")));
	assert_int_equal(strchr(out, '\n') - out, strlen(out) - 1); /* one line */
	agreement_destroy(a);
}

static void offers_with_nothing_acceptable(void **state)
{
	static const struct {
		const char *crypto, *says;
	} cases[] = {
		{"", "there is no a=crypto line"},
		{"a=crypto:1 AEAD_AES_256_GCM inline:" K44 "\r\n",
			"no a=crypto line is acceptable (1: its suite AEAD_AES_256_GCM is not allowed here)"},
		{"a=crypto:1 " CM80 K30 " KDR=2\r\na=crypto:2 X inline:y\r\n",
			"(1: it asks for a key derivation rate (KDR) "
			"that is not 0; 2: its suite 'X' is unknown)"},
		{"a=crypto:1 " CM80 K30 "|1:4;inline:" K30B "|2:4\r\n",
			"1: it has 2 keys, where this gateway uses one"},
		{"a=crypto:1 " CM80 K30 "|1:17\r\n", "1: its MKI of 17 octets is longer than 16"},
		{"a=crypto:1 " CM80 K30 "\r\na=crypto:1 " CM80 K30B "\r\n", "two a=crypto lines with tag 1"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct agreement *a = make(&cm_only);
		struct err e = {0};
		int rc = a->method->offered(a, NULL, &sdp, media(cases[i].crypto), &e);

		if (rc != -ENOKEY || !strstr(e.text, cases[i].says))
			fail_msg("case %u: %d '%s'", i, rc, e.text);
		agreement_destroy(a);
	}
}

static void offers_have_a_fresh_key_per_suite(void **state)
{
	struct agreement *a = make(&gcm_first), *b = make(&gcm_first);
	struct err e = {0};
	char first[4096];

	(void)state;
	assert_int_equal(a->method->offer(a, NULL, &e), 0);
	assert_int_equal(b->method->offer(b, NULL, &e), 0);
	strcpy(first, printed(a));
	const struct sdp_media *m = media(first);
	struct secret seen[6];
	unsigned n, k = 0;
	const struct sdp_attr *attr = sdp_attrs(&sdp, m, &n);

	assert_int_equal(n, 3);
	for (unsigned i = 0; i < 3; i++) {
		SDES_LINE_AUTO struct sdes_line l;

		assert_int_equal(sdes_parse(attr[i].value, &l, &e), 0);
		assert_int_equal(l.tag, i + 1);
		assert_int_equal(l.suite, prefer_gcm[i]);
		seen[k++] = l.keys[0].master;
	}
	m = media(printed(b));
	attr = sdp_attrs(&sdp, m, &n);
	for (unsigned i = 0; i < 3; i++) {
		SDES_LINE_AUTO struct sdes_line l;

		assert_int_equal(sdes_parse(attr[i].value, &l, &e), 0);
		seen[k++] = l.keys[0].master;
	}
	for (unsigned i = 0; i < k; i++)
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(seen[i].octets, seen[j].octets, 16);
	agreement_destroy(a);
	agreement_destroy(b);
}

/* The two ends of an exchange hold the same keys, crosswise, in every suite. */
static void both_ends_agree(void **state)
{
	(void)state;
	for (unsigned s = SRTP_SUITE_NONE + 1; s < SRTP_SUITE_COUNT; s++) {
		enum srtp_suite suite = (enum srtp_suite)s;
		const struct keying_policy policy = {&suite, 1, s % 2 ? 4 : 0};
		struct agreement *a = make(&policy), *b = make(&policy);
		struct err e = {0};

		assert_int_equal(a->method->offer(a, NULL, &e), 0);
		assert_int_equal(b->method->offered(b, NULL, &sdp, media(printed(a)), &e), 0);
		assert_int_equal(b->method->answer(b, NULL, &e), 0);
		assert_int_equal(a->method->answered(a, NULL, &sdp, media(printed(b)), &e), 0);
		assert_true(a->established && b->established);
		assert_true(agreed_key_equal(&a->tx, &b->rx));
		assert_true(agreed_key_equal(&a->rx, &b->tx));
		assert_int_equal(a->tx.mki_len, policy.mki_length);
		agreement_destroy(a);
		agreement_destroy(b);
	}
}

static void answers_that_are_refused(void **state)
{
	static const struct {
		const char *crypto, *says;
	} cases[] = {
		{"", "the answer has no a=crypto line"},
		{"a=crypto:3 " CM80 K30 "\r\na=crypto:1 AEAD_AES_256_GCM inline:" K44 "\r\n",
			"the answer has 2 a=crypto lines, where one belongs"},
		{"a=crypto:4 " CM80 K30 "\r\n", "tag 4 was not offered"},
		{"a=crypto:0 " CM80 K30 "\r\n", "tag 0 was not offered"},
		{"a=crypto:1 " CM80 K30 "\r\n",
			"tag 1 has suite AES_CM_128_HMAC_SHA1_80, where AEAD_AES_256_GCM was offered"},
		{"a=crypto:3 " CM80 K28 "\r\n", "cannot be used: its key and salt are 28 octets"},
		{"a=crypto:3 " CM80 K30 " UNENCRYPTED_SRTP\r\n",
			"cannot be used: it asks for UNENCRYPTED_SRTP"},
		{"a=crypto:3 " CM80 K30 "|1:4;inline:" K30B "|2:4\r\n", "cannot be used: it has 2 keys"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct agreement *a = make(&gcm_first);
		struct err e = {0};

		assert_int_equal(a->method->offer(a, NULL, &e), 0);
		int rc = a->method->answered(a, NULL, &sdp, media(cases[i].crypto), &e);

		if (rc != -ENOKEY || !strstr(e.text, cases[i].says))
			fail_msg("case %u: %d '%s'", i, rc, e.text);
		assert_false(a->established);
		agreement_destroy(a);
	}
}

/* A peer that echoes keys would make a two-time pad. */
static void our_own_key_is_not_taken_back(void **state)
{
	struct agreement *a = make(&cm_only), *b = make(&cm_only);
	struct err e = {0};
	char ours[1024];

	(void)state;
	assert_int_equal(a->method->offer(a, NULL, &e), 0);
	strcpy(ours, printed(a));
	assert_int_equal(a->method->answered(a, NULL, &sdp, media(ours), &e), -ENOKEY);
	assert_non_null(strstr(e.text, "sends our own key back"));
	/* The same in a later offer, after the exchange was settled. */
	assert_int_equal(a->method->answered(a, NULL, &sdp, media("a=crypto:1 " CM80 K30 "\r\n"), &e), 0);
	a->method->settled(a);
	assert_int_equal(b->method->offered(b, a, &sdp, media(ours), &e), -ENOKEY);
	assert_non_null(strstr(e.text, "tag 1 offers the very key that we send with"));
	agreement_destroy(a);
	agreement_destroy(b);
}

/* Who offers its key again goes on with it and hears ours go on; a new key gets a new one of ours. */
static void a_key_that_stays_keeps_ours(void **state)
{
	struct agreement *first = make(&cm_only), *same = make(&cm_only), *other = make(&cm_only);
	struct err e = {0};

	(void)state;
	assert_int_equal(
		first->method->offered(first, NULL, &sdp, media("a=crypto:1 " CM80 K30 "\r\n"), &e), 0);
	assert_int_equal(first->method->answer(first, NULL, &e), 0);
	assert_int_equal(
		same->method->offered(same, first, &sdp, media("a=crypto:5 " CM80 K30 "\r\n"), &e), 0);
	assert_int_equal(same->method->answer(same, first, &e), 0);
	assert_true(agreed_key_equal(&same->tx, &first->tx));
	assert_true(str_starts(str_z(printed(same)), STR("a=crypto:5 ")));
	assert_int_equal(
		other->method->offered(other, first, &sdp, media("a=crypto:1 " CM80 K30B "\r\n"), &e), 0);
	assert_int_equal(other->method->answer(other, first, &e), 0);
	assert_false(agreed_key_equal(&other->tx, &first->tx));
	agreement_destroy(first);
	agreement_destroy(same);
	agreement_destroy(other);
}

/* Every key of a leg that uses MKIs has its own. */
static void rekeying_counts_the_mki(void **state)
{
	const struct keying_policy policy = {prefer_gcm + 2, 1, 2};
	struct agreement *a = make(&policy), *b = make(&policy);
	struct err e = {0};

	(void)state;
	assert_int_equal(a->method->offer(a, NULL, &e), 0);
	assert_non_null(strstr(printed(a), "|1:2\r\n"));
	assert_int_equal(a->method->answered(a, NULL, &sdp, media("a=crypto:1 " CM80 K30 "|7:1\r\n"), &e), 0);
	assert_int_equal(b->method->offer(b, a, &e), 0);
	assert_non_null(strstr(printed(b), "|2:2\r\n"));
	agreement_destroy(a);
	agreement_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_that_are_taken),
		cmocka_unit_test(lines_that_are_refused),
		cmocka_unit_test(mki_is_a_number_in_octets),
		cmocka_unit_test(base64_goes_both_ways),
		cmocka_unit_test(our_preference_decides),
		cmocka_unit_test(offers_with_nothing_acceptable),
		cmocka_unit_test(offers_have_a_fresh_key_per_suite),
		cmocka_unit_test(both_ends_agree),
		cmocka_unit_test(answers_that_are_refused),
		cmocka_unit_test(our_own_key_is_not_taken_back),
		cmocka_unit_test(a_key_that_stays_keeps_ours),
		cmocka_unit_test(rekeying_counts_the_mki),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
