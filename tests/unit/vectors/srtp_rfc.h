/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of the RFCs, as hex. */
#pragma once

/* RFC 3711 appendix B.2 and RFC 6188 section 7.1: keystream for SSRC 0, ROC 0, SEQ 0. */
static const struct {
	const char *what, *key, *salt, *keystream;
} cm_keystreams[] = {
	{"RFC 3711 B.2",
		"2b7e151628aed2a6abf7158809cf4f3c",
		"f0f1f2f3f4f5f6f7f8f9fafbfcfd0000",
		"e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd"
		"477901e4fca894c0"},
	{"RFC 6188 7.1",
		"57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
		"f0f1f2f3f4f5f6f7f8f9fafbfcfd0000",
		"92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac63c4868b7096d884"
		"21b563b8c94c9a31"},
};

/* RFC 3711 appendix B.3 and RFC 6188 section 7: SRTP session keys. */
static const struct {
	const char *what;
	enum srtp_suite suite;
	const char *master, *key, *salt, *auth;
} derivations[] = {
	{"RFC 3711 B.3", SRTP_AES_CM_128_HMAC_SHA1_80,
		"e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6",
		"c61e7a93744f39ee10734afe3ff7a087",
		"30cbbc08863d8c85d49db34a9ae1",
		"cebe321f6ff7716b6fd4ab49af256a156d38baa4"},
	{"RFC 6188 7, AES-192", SRTP_AES_192_CM_HMAC_SHA1_80,
		"73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1"
		"c8522f3acd4ce86d5add78edbb11",
		"31874736a8f1143870c26e4857d8a5b2c4a354407faadabb",
		"2372b82d639b6d8503a47adc0a6c",
		"355b10973cd95b9eacf4061c7e1a7151e7cfbfcb"},
	{"RFC 6188 7.2", SRTP_AES_256_CM_HMAC_SHA1_80,
		"f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b63b04803de51ee7c9"
		"6423ab5b78d2",
		"5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
		"fa31791685ca444a9e07c6c64e93",
		"fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"},
};

/* RFC 7714 sections 16 and 17: packets under session keys. rtcp_tagged is with E = 0. */
static const struct {
	const char *what;
	enum srtp_suite suite;
	const char *key, *salt, *rtp, *rtp_sealed, *rtcp, *rtcp_sealed, *rtcp_tagged;
} gcm_packets[] = {
	{"RFC 7714 16.1 and 17.1", SRTP_AEAD_AES_128_GCM,
		"000102030405060708090a0b0c0d0e0f",
		"517569642070726f2071756f",
		"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e2070"
		"61727465732074726573",
		"8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a"
		"51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
		"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeef"
		"deadbeefdeadbeefdeadbeef",
		"81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda"
		"4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
		"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeef"
		"deadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790125f62b3000005d4"},
	{"RFC 7714 16.2 and 17.2", SRTP_AEAD_AES_256_GCM,
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"517569642070726f2071756f",
		"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e2070"
		"61727465732074726573",
		"8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a02"
		"76ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
		"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeef"
		"deadbeefdeadbeefdeadbeef",
		"81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be"
		"8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
		"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeef"
		"deadbeefdeadbeefdeadbeef91db4afbfeee5a978fab4393ed2615fe000005d4"},
};
