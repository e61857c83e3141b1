/* SPDX-License-Identifier: Apache-2.0 */
/* sha1_pipe: "abc" (FIPS 180-4), then random blocks and chaining values with idle clocks, against OpenSSL. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <deque>
#include <openssl/sha.h>

#include "Vsha1_pipe.h"
#include "tb.h"

enum { CLOCKS = 5000 };

struct expected {
	uint8_t state[20];
	uint32_t id;
	bool valid;
};

static void reference(const uint8_t in[20], const uint8_t block[64], uint8_t out[20])
{
	SHA_CTX c;
	uint32_t *h[5] = {&c.h0, &c.h1, &c.h2, &c.h3, &c.h4};
	SHA1_Init(&c);
	for (int i = 0; i < 5; i++)
		*h[i] = (uint32_t)in[4 * i] << 24 | (uint32_t)in[4 * i + 1] << 16 |
			(uint32_t)in[4 * i + 2] << 8 | in[4 * i + 3];
	SHA1_Transform(&c, block);
	for (int i = 0; i < 20; i++)
		out[i] = (uint8_t)(*h[i / 4] >> (24 - 8 * (i % 4)));
}

int main()
{
	const size_t latency = 83;
	auto m = std::make_unique<Vsha1_pipe>();
	tb_random rnd(3);
	std::deque<expected> due;
	long blocks = 0;

	m->rst = 1;
	m->valid = 0;
	tb_clock(*m);
	m->rst = 0;
	for (int i = 0; i < CLOCKS; i++) {
		uint8_t state[20], block[64], got[20];
		expected e = {};
		rnd.fill(state, 20);
		rnd.fill(block, 64);
		e.valid = i == 0 || rnd.below(3);
		e.id = rnd.below(256);
		if (i == 0) {
			tb_hex("67452301efcdab8998badcfe10325476c3d2e1f0", state);
			memset(block, 0, 64);
			memcpy(block, "abc\x80", 4);
			block[63] = 24;
		}
		reference(state, block, e.state);
		if (i == 0) {
			uint8_t known[20];
			tb_hex("a9993e364706816aba3e25717850c26c9cd0d89d", known);
			TB_CHECK(!memcmp(known, e.state, 20), "reference differs from FIPS 180-4");
		}
		due.push_back(e);
		blocks += e.valid;
		m->valid = e.valid;
		m->id = e.id;
		tb_put(m->state, state, 20);
		tb_put(m->block, block, 64);
		tb_clock(*m);
		if (due.size() < latency)
			continue;
		e = due.front();
		due.pop_front();
		TB_CHECK(m->out_valid == e.valid, "clock %d: valid %d, not %d", i, m->out_valid, e.valid);
		if (!e.valid)
			continue;
		tb_get(m->out_state, got, 20);
		TB_CHECK(m->out_id == e.id, "clock %d: id", i);
		TB_CHECK(!memcmp(got, e.state, 20), "clock %d: chaining value differs", i);
	}
	std::printf("sha1_pipe: %ld blocks, latency %zu\n", blocks, latency);
	return 0;
}
