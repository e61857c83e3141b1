/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ghash4: test case 2 of the GCM specification (McGrew and Viega), then four interleaved streams of random
 * packets with idle clocks, against a multiplication written bit by bit as in SP 800-38D, algorithm 1.
 */
#include "Vghash4.h"
#include "tb.h"

enum { CLOCKS = 60000 };

static void multiply(uint8_t x[16], const uint8_t h[16])
{
	uint8_t z[16] = {0}, v[16];
	memcpy(v, h, 16);
	for (int i = 0; i < 128; i++) {
		if (x[i / 8] >> (7 - i % 8) & 1)
			for (int j = 0; j < 16; j++)
				z[j] ^= v[j];
		int out = v[15] & 1;
		for (int j = 15; j > 0; j--)
			v[j] = (uint8_t)(v[j] >> 1 | v[j - 1] << 7);
		v[0] = (uint8_t)(v[0] >> 1 ^ (out ? 0xe1 : 0));
	}
	memcpy(x, z, 16);
}

static void known_answer()
{
	uint8_t h[16], x[16], want[16];
	tb_hex("66e94bd4ef8a2c3b884cfa59ca342b2e", h);
	tb_hex("0388dace60b6a392f328c2b971b2fe78", x);
	tb_hex("5e2ec746917062882c85b0685353deb7", want);
	multiply(x, h);
	TB_CHECK(!memcmp(x, want, 16), "the reference itself is wrong");
}

struct stream {
	uint8_t h[16], y[16], due[16];
	int left;      /* blocks of this packet still to come */
	bool have_due; /* a sum was made when this stream last had its clock */
};

int main()
{
	auto m = std::make_unique<Vghash4>();
	tb_random rnd(2);
	stream s[4] = {};
	long blocks = 0;

	known_answer();
	for (int i = 0; i < CLOCKS; i++) {
		stream &t = s[i % 4];
		uint8_t x[16], got[16];
		/* What comes out now belongs to the stream whose turn it is. */
		if (t.have_due) {
			tb_get(m->y, got, 16);
			TB_CHECK(!memcmp(got, t.y, 16), "clock %d: sum differs", i);
		}
		m->valid = rnd.below(4) != 0;
		m->first = t.left == 0;
		rnd.fill(x, 16);
		if (m->valid) {
			if (m->first) {
				t.left = 1 + (int)rnd.below(20);
				rnd.fill(t.h, 16);
				memset(t.y, 0, 16);
			}
			for (int j = 0; j < 16; j++)
				t.y[j] ^= x[j];
			multiply(t.y, t.h);
			t.have_due = true;
			t.left--;
			blocks++;
		}
		tb_put(m->x, x, 16);
		tb_put(m->h, t.h, 16);
		tb_clock(*m);
	}
	std::printf("ghash4: %ld blocks of 4 interleaved streams\n", blocks);
	return 0;
}
