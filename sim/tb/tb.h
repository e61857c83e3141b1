/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every bench of a leaf needs: a seeded random source, wide ports as octets, and one way to fail. A
 * bench is a program that exits 0 or says which case went wrong and exits 1.
 */
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "verilated.h"

/* xorshift64*: the same run for the same seed everywhere. */
struct tb_random {
	uint64_t s;
	explicit tb_random(uint64_t seed) : s(seed * 0x9e3779b97f4a7c15u | 1)
	{
	}
	uint64_t next()
	{
		s ^= s >> 12;
		s ^= s << 25;
		s ^= s >> 27;
		return s * 0x2545f4914f6cdd1du;
	}
	uint32_t below(uint32_t n)
	{
		return (uint32_t)((next() >> 32) * n >> 32);
	}
	void fill(uint8_t *p, size_t n)
	{
		while (n--)
			*p++ = (uint8_t)(next() >> 56);
	}
};

#define TB_CHECK(cond, ...)                                                                                  \
	do {                                                                                                 \
		if (!(cond)) {                                                                               \
			std::fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                 \
			std::fprintf(stderr, __VA_ARGS__);                                                   \
			std::fputc('\n', stderr);                                                            \
			std::exit(1);                                                                        \
		}                                                                                            \
	} while (0)

/* A wide port (words, least significant first) from and to octets, octet 0 in the highest bits. */
template <class W> void tb_put(W &port, const uint8_t *octets, size_t n)
{
	for (size_t i = 0; i < n / 4; i++) {
		const uint8_t *o = octets + n - 4 - 4 * i;
		port[i] = (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
	}
}

template <class W> void tb_get(const W &port, uint8_t *octets, size_t n)
{
	for (size_t i = 0; i < n / 4; i++) {
		uint8_t *o = octets + n - 4 - 4 * i;
		uint32_t w = port[i];
		o[0] = (uint8_t)(w >> 24), o[1] = (uint8_t)(w >> 16), o[2] = (uint8_t)(w >> 8),
		o[3] = (uint8_t)w;
	}
}

static inline void tb_hex(const char *text, uint8_t *out)
{
	for (; text[0]; text += 2) {
		unsigned v = 0;
		if (std::sscanf(text, "%2x", &v) != 1)
			std::abort();
		*out++ = (uint8_t)v;
	}
}

/* One rising edge. The low phase is evaluated first, with the new inputs: the very first edge is one too. */
template <class M> void tb_clock(M &m)
{
	m.clk = 0;
	m.eval();
	m.clk = 1;
	m.eval();
}
