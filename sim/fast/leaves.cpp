/* SPDX-License-Identifier: Apache-2.0 */
/* The fast build's leaves: what the pipelines compute, computed here. Vectors come as words, lowest first. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <openssl/aes.h>
#include <openssl/sha.h>

#include "svdpi.h"

namespace
{
/*
 * A pipeline computes at every clock, whether anybody wants the result or not, and its four threads take
 * turns. So each thread's last key schedule and block are remembered, and an idle clock costs a comparison.
 */
struct aes_thread {
	uint32_t key[8], block[4], out[4];
	unsigned char k256;
	bool known;
	AES_KEY schedule;
};
struct aes_instance {
	std::array<aes_thread, 4> threads;
	unsigned turn;
};
/*
 * Pipelines are numbered over all devices of the process. A device may be made by one thread and run by another;
 * several may be made and run at once: so places never move.
 */
constexpr unsigned INSTANCES_MAX = 65536;
std::unique_ptr<aes_instance> instances[INSTANCES_MAX];
std::atomic<unsigned> n_instances;

void to_octets(const uint32_t *words, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t w = __builtin_bswap32(words[n - 1 - i]);
		memcpy(out + 4 * i, &w, 4);
	}
}

void to_words(const uint8_t *octets, size_t n, uint32_t *words)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t w;
		memcpy(&w, octets + 4 * i, 4);
		words[n - 1 - i] = __builtin_bswap32(w);
	}
}

/* Carry-less 64 x 64, low half: integer products of operands with every fourth bit, so that no carry reaches
 * another. */
uint64_t clmul_low(uint64_t x, uint64_t y)
{
	uint64_t m = 0x1111111111111111u, z = 0;
	uint64_t xs[4], ys[4];
	for (int i = 0; i < 4; i++)
		xs[i] = x & m << i, ys[i] = y & m << i;
	for (int k = 0; k < 4; k++) {
		uint64_t sum = 0;
		for (int i = 0; i < 4; i++)
			sum ^= xs[i] * ys[(k - i) & 3];
		z |= sum & m << k;
	}
	return z;
}

uint64_t reverse(uint64_t x)
{
	x = (x & 0x5555555555555555u) << 1 | (x >> 1 & 0x5555555555555555u);
	x = (x & 0x3333333333333333u) << 2 | (x >> 2 & 0x3333333333333333u);
	x = (x & 0x0f0f0f0f0f0f0f0fu) << 4 | (x >> 4 & 0x0f0f0f0f0f0f0f0fu);
	return __builtin_bswap64(x);
}

/* The 127-bit product of a and b, given with their reverses. */
void clmul(uint64_t a, uint64_t b, uint64_t ar, uint64_t br, uint64_t *hi, uint64_t *lo)
{
	*lo = clmul_low(a, b);
	*hi = reverse(clmul_low(ar, br)) >> 1;
}
} // namespace

extern "C" int sim_aes_new()
{
	unsigned me = n_instances++;
	if (me >= INSTANCES_MAX)
		abort();
	instances[me] = std::make_unique<aes_instance>();
	return (int)me;
}

extern "C" void sim_aes(
	int me, const svBitVecVal *block, const svBitVecVal *key, svBit k256, svBitVecVal *out)
{
	aes_instance &a = *instances[me];
	aes_thread &t = a.threads[a.turn++ & 3];
	bool same_key = t.known && t.k256 == k256 && !memcmp(t.key, key, 32);

	if (!same_key) {
		uint8_t octets[32];
		to_octets(key, 8, octets);
		AES_set_encrypt_key(octets, k256 ? 256 : 128, &t.schedule);
		memcpy(t.key, key, 32);
		t.k256 = k256;
	}
	if (!same_key || memcmp(t.block, block, 16)) {
		uint8_t in[16], res[16];
		to_octets(block, 4, in);
		AES_encrypt(in, res, &t.schedule);
		to_words(res, 4, t.out);
		memcpy(t.block, block, 16);
	}
	t.known = true;
	memcpy(out, t.out, 16);
}

/* Bit 127 is the coefficient of x^0: with its bits turned round a vector is a polynomial as clmul() takes it.
 */
extern "C" void sim_ghash(const svBitVecVal *x, const svBitVecVal *h, svBitVecVal *y)
{
	uint64_t xr1 = (uint64_t)x[3] << 32 | x[2], xr0 = (uint64_t)x[1] << 32 | x[0];
	uint64_t hr1 = (uint64_t)h[3] << 32 | h[2], hr0 = (uint64_t)h[1] << 32 | h[0];
	uint64_t x0 = reverse(xr1), x1 = reverse(xr0), h0 = reverse(hr1), h1 = reverse(hr0);
	uint64_t l1, l0, m1, m0, u1, u0;
	clmul(x0, h0, xr1, hr1, &l1, &l0);
	clmul(x1, h1, xr0, hr0, &u1, &u0);
	clmul(x0 ^ x1, h0 ^ h1, xr0 ^ xr1, hr0 ^ hr1, &m1, &m0);
	m1 ^= l1 ^ u1, m0 ^= l0 ^ u0;
	uint64_t p0 = l0, p1 = l1 ^ m0, p2 = u0 ^ m1, p3 = u1;
	/* x^128 = x^7 + x^2 + x + 1, the upper words first. */
	p2 ^= p3 >> 63 ^ p3 >> 62 ^ p3 >> 57;
	p1 ^= p3 ^ p3 << 1 ^ p3 << 2 ^ p3 << 7;
	p1 ^= p2 >> 63 ^ p2 >> 62 ^ p2 >> 57;
	p0 ^= p2 ^ p2 << 1 ^ p2 << 2 ^ p2 << 7;
	uint64_t hi = reverse(p0), lo = reverse(p1);
	y[3] = (uint32_t)(hi >> 32), y[2] = (uint32_t)hi, y[1] = (uint32_t)(lo >> 32), y[0] = (uint32_t)lo;
}

extern "C" void sim_sha1(const svBitVecVal *state, const svBitVecVal *block, svBitVecVal *out)
{
	uint8_t octets[64];
	SHA_CTX c;
	SHA1_Init(&c);
	c.h0 = state[4], c.h1 = state[3], c.h2 = state[2], c.h3 = state[1], c.h4 = state[0];
	to_octets(block, 16, octets);
	SHA1_Transform(&c, octets);
	out[4] = c.h0, out[3] = c.h1, out[2] = c.h2, out[1] = c.h3, out[0] = c.h4;
}
