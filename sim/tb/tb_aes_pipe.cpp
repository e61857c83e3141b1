/* SPDX-License-Identifier: Apache-2.0 */
/* aes_pipe: the vectors of FIPS 197 appendix C, then random blocks, a new key and key size at every clock. */
#include <deque>
#include <openssl/evp.h>

#include "Vaes_pipe.h"
#include "tb.h"

enum { LATENCY = 15, BLOCKS = 20000 };

struct expected {
	uint8_t out[16];
};

static void reference(const uint8_t key[32], bool k256, const uint8_t in[16], uint8_t out[16])
{
	static EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	EVP_EncryptInit_ex(c, k256 ? EVP_aes_256_ecb() : EVP_aes_128_ecb(), NULL, key, NULL);
	EVP_CIPHER_CTX_set_padding(c, 0);
	EVP_EncryptUpdate(c, out, &n, in, 16);
	TB_CHECK(n == 16, "reference cipher failed");
}

int main()
{
	auto m = std::make_unique<Vaes_pipe>();
	tb_random rnd(1);
	std::deque<expected> due;

	for (int i = 0; i < BLOCKS + LATENCY; i++) {
		uint8_t key[32], in[16], got[16];
		expected e;
		bool k256 = rnd.next() >> 63;
		rnd.fill(key, 32);
		rnd.fill(in, 16);
		if (i < 2) { /* FIPS 197 C.1 and C.3 */
			k256 = i == 1;
			tb_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", key);
			tb_hex("00112233445566778899aabbccddeeff", in);
		}
		reference(key, k256, in, e.out);
		if (i == 0) {
			uint8_t known[16];
			tb_hex("69c4e0d86a7b0430d8cdb78070b4c55a", known);
			TB_CHECK(!memcmp(known, e.out, 16), "reference differs from FIPS 197 C.1");
		}
		due.push_back(e);
		tb_put(m->block, in, 16);
		tb_put(m->key, key, 32);
		m->k256 = k256;
		tb_clock(*m);
		if (i < LATENCY - 1)
			continue;
		tb_get(m->out, got, 16);
		TB_CHECK(!memcmp(got, due.front().out, 16), "block %d differs", i - LATENCY + 1);
		due.pop_front();
	}
	std::printf("aes_pipe: %d blocks, key and key size changed at every clock\n", BLOCKS);
	return 0;
}
