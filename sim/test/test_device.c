/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the device does when things are not as they should be: refused descriptors, memory that is not there,
 * bad context memory, wiped and stale contexts, every bit of a tag, resets at any clock. usage: test_device
 * LIBRARY [TEST]
 */
#include "sim/test/test_device.h"

#include <string.h>

const struct sim_conf calm = {.seed = 5, .latency_min = 20, .latency_max = 60, .reorder = 1};

struct bench b;
struct fpga_ring *ring;

void start_on(const char *library, const struct sim_conf *bus)
{
	bench_open(&b, library, bus);
	CHECK(fpga_ring_open(&ring, b.dev, 0, 7) == 0, "ring");
}

void start(const char *library)
{
	start_on(library, &calm);
}

void stop(void)
{
	fpga_ring_close(ring);
	bench_close(&b);
}

void expect(const char *what, struct fpga_desc d, unsigned status)
{
	struct fpga_cpl c = bench_one(&b, ring, &d);

	CHECK(c.status == status, "%s: status %u, not %u", what, c.status, status);
	if (status)
		CHECK(c.len == 0, "%s: %u octets written", what, c.len);
}

/* RFC 7714 section 16 (GCM) and RFC 3711 appendix B.2, RFC 6188 section 7.1 (key stream), through the whole
 * device. */
static void hex(const char *text, uint8_t *out)
{
	for (unsigned v; *text && sscanf(text, "%2x", &v) == 1; text += 2)
		*out++ = (uint8_t)v;
}

static void known_answers(const char *library)
{
	static const struct {
		const char *name;
		enum srtp_suite suite;
		const char *key, *salt;
		uint8_t op;
		uint32_t index;
		uint16_t len, aad, compare; /* octets of the result that the RFC gives */
		const char *in, *out;
	} rows[] = {
		{"RFC 7714 16.1.1", SRTP_AEAD_AES_128_GCM, "000102030405060708090a0b0c0d0e0f",
			"517569642070726f2071756f", SRTPDEV_OP_RTP_PROTECT, 0, 50, 12, 66,
			"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e20706172"
			"7465732074726573",
			"8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7"
			"d19b36de3adf88"
			"33899d7f27beb16a9152cf765ee4390cce"},
		{"RFC 7714 16.2.1", SRTP_AEAD_AES_256_GCM,
			"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
			"517569642070726f2071756f", SRTPDEV_OP_RTP_PROTECT, 0, 50, 12, 66,
			"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e20706172"
			"7465732074726573",
			"8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ff"
			"ae0f1ba63799b8"
			"7b7aa3db36dfffd6b0f9bb7878d7a76c13"},
		{"RFC 7714 17.1", SRTP_AEAD_AES_128_GCM, "000102030405060708090a0b0c0d0e0f",
			"517569642070726f2071756f", SRTPDEV_OP_RTCP_PROTECT, 0x800005d4, 52, 8, 68,
			"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdead"
			"beefdeadbeefdead"
			"beef",
			"81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce0"
			"9b4686303ded0bb9"
			"275bc84aa45896cf4d2fc5abf87245d9eade"},
		{"RFC 7714 17.3, E = 0", SRTP_AEAD_AES_128_GCM, "000102030405060708090a0b0c0d0e0f",
			"517569642070726f2071756f", SRTPDEV_OP_RTCP_PROTECT, 0x000005d4, 52, 8, 68,
			"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdead"
			"beefdeadbeefdead"
			"beef",
			"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdead"
			"beefdeadbeefdead"
			"beef841dd9683dd78ec92ae58790125f62b3"},
		/* SSRC, SEQ and ROC 0: the ciphertext of zeros is the key stream. */
		{"RFC 3711 B.2", SRTP_AES_CM_128_HMAC_SHA1_80, "2b7e151628aed2a6abf7158809cf4f3c",
			"f0f1f2f3f4f5f6f7f8f9fafbfcfd", SRTPDEV_OP_RTP_PROTECT, 0, 60, 12, 60,
			"800000000000000000000000",
			"800000000000000000000000e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f"
			"97ab41e95b3bb0a2"
			"e8dd477901e4fca894c0"},
		{"RFC 6188 7.1", SRTP_AES_256_CM_HMAC_SHA1_80,
			"57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
			"f0f1f2f3f4f5f6f7f8f9fafbfcfd", SRTPDEV_OP_RTP_PROTECT, 0, 60, 12, 60,
			"800000000000000000000000",
			"80000000000000000000000092bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded16"
			"5bac63c4868b7096"
			"d88421b563b8c94c9a31"},
	};
	struct packet p;

	start(library);
	packet_alloc(&b, &p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session s = {.keys = {.suite = rows[i].suite}};
		struct fpga_desc d = {.op = rows[i].op,
			.src = p.src_iova,
			.dst = p.src_iova,
			.len = rows[i].len,
			.aad = rows[i].aad,
			.index = rows[i].index};
		uint8_t want[128];

		hex(rows[i].key, s.keys.rtp.key);
		hex(rows[i].salt, s.keys.rtp.salt);
		s.keys.rtcp = s.keys.rtp;
		CHECK(fpga_context_take(b.dev, &s.keys, &s.ctx) == 0, "%s: key", rows[i].name);
		memset(p.src, 0, ROOM);
		hex(rows[i].in, p.src);
		hex(rows[i].out, want);
		d.ctx = s.ctx.id, d.gen = s.ctx.gen, d.arg = s.ctx.rtp_tag;
		expect(rows[i].name, d, SRTPDEV_ST_OK);
		CHECK(!memcmp(p.src, want, rows[i].compare), "%s: result differs", rows[i].name);
	}
	packet_free(&b, &p);
	stop();
}

static void refused(const char *library)
{
	struct session s;
	struct packet p;
	struct fpga_desc good, d;
	struct fpga_error e;
	struct fpga_counters n;
	uint8_t copy[ROOM];
	unsigned errors = 0;

	start(library);
	bench_session(&b, &s, SRTP_AEAD_AES_128_GCM);
	packet_alloc(&b, &p);
	p.src_at = p.dst_at = 128;
	packet_make(&b, &p, &s, SRTPDEV_OP_RTP_UNPROTECT, 172, 12);
	packet_desc(&p, &good);
	memcpy(copy, p.dst, ROOM);
	d = good, d.op = SRTPDEV_OP_NOP;
	expect("no-op", d, SRTPDEV_ST_OK);
	const struct {
		const char *what;
		size_t at, n;
		uint64_t value;
		unsigned status;
	} rows[] = {
		{"unknown operation", offsetof(struct fpga_desc, op), 1, 99, SRTPDEV_ST_BAD_OP},
		{"context outside", offsetof(struct fpga_desc, ctx), 4, 1 << 30, SRTPDEV_ST_CTX_INVALID},
		{"context far outside", offsetof(struct fpga_desc, ctx), 4, s.ctx.id | 1u << 31,
			SRTPDEV_ST_CTX_INVALID},
		{"context behind the last", offsetof(struct fpga_desc, ctx), 4,
			s.ctx.id + fpga_device_caps(b.dev)->contexts, SRTPDEV_ST_CTX_INVALID},
		{"empty context", offsetof(struct fpga_desc, ctx), 4, s.ctx.id + 1, SRTPDEV_ST_CTX_INVALID},
		{"other generation", offsetof(struct fpga_desc, gen), 2, s.ctx.gen + 1u,
			SRTPDEV_ST_GEN_MISMATCH},
		{"generation of 256 wipes later", offsetof(struct fpga_desc, gen), 2, s.ctx.gen + 256u,
			SRTPDEV_ST_GEN_MISMATCH},
		{"generation of 32,768 wipes later", offsetof(struct fpga_desc, gen), 2, s.ctx.gen + 32768u,
			SRTPDEV_ST_GEN_MISMATCH},
		{"too long", offsetof(struct fpga_desc, len), 2, 2049, SRTPDEV_ST_LEN_ERR},
		{"too long by what 12 bits do not tell", offsetof(struct fpga_desc, len), 2, 4096 + 172,
			SRTPDEV_ST_LEN_ERR},
		{"header longer than packet", offsetof(struct fpga_desc, aad), 2, 173, SRTPDEV_ST_LEN_ERR},
		{"header longer by what 12 bits do not tell", offsetof(struct fpga_desc, aad), 2, 4096 + 12,
			SRTPDEV_ST_LEN_ERR},
		{"header too short", offsetof(struct fpga_desc, aad), 2, 11, SRTPDEV_ST_LEN_ERR},
		{"another tag length", offsetof(struct fpga_desc, arg), 1, 10, SRTPDEV_ST_LEN_ERR},
		{"tag length that 5 bits take for the right one", offsetof(struct fpga_desc, arg), 1, 32 + 16,
			SRTPDEV_ST_LEN_ERR},
		{"no tag at all", offsetof(struct fpga_desc, arg), 1, 0, SRTPDEV_ST_LEN_ERR},
		{"source not there", offsetof(struct fpga_desc, src), 8, 64, SRTPDEV_ST_DMA_RD},
		{"source begins in memory that is not there", offsetof(struct fpga_desc, src), 8,
			p.src_iova - BENCH_BEFORE - 100, SRTPDEV_ST_DMA_RD},
		{"source ends in memory that is not there", offsetof(struct fpga_desc, src), 8,
			p.src_iova + ROOM - 172, SRTPDEV_ST_DMA_RD},
		{"destination not there", offsetof(struct fpga_desc, dst), 8, 64, SRTPDEV_ST_DMA_WR},
		{"destination begins in memory that is not there", offsetof(struct fpga_desc, dst), 8,
			p.dst_iova - BENCH_BEFORE - 100, SRTPDEV_ST_DMA_WR},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		d = good;
		memcpy((uint8_t *)&d + rows[i].at, &rows[i].value, rows[i].n);
		expect(rows[i].what, d, rows[i].status);
		errors++;
		CHECK(fpga_device_error(b.dev, &e) == 1 && e.status == rows[i].status && e.queue == 0 &&
				e.ctx == d.ctx,
			"%s: the error is not noted", rows[i].what);
		CHECK(!memcmp(copy, p.dst, ROOM), "%s: something was written", rows[i].what);
	}
	CHECK(fpga_device_error(b.dev, &e) == 0, "more errors than there were");
	d = good, d.op = SRTPDEV_OP_RTCP_UNPROTECT, d.aad = SRTPDEV_LIMIT_AAD_MIN - 1;
	expect("RTCP header too short", d, SRTPDEV_ST_LEN_ERR);
	errors++;
	/* Contexts: not installed twice, not with another generation, not with an algorithm that is not
	 * there. */
	d = (struct fpga_desc){
		.op = SRTPDEV_OP_KEY_INSTALL, .arg = SRTPDEV_ALG_GCM, .ctx = s.ctx.id, .src = p.src_iova};
	expect("install over a live context", d, SRTPDEV_ST_CTX_INVALID);
	d.ctx++;
	d.gen = 1;
	expect("install with another generation", d, SRTPDEV_ST_GEN_MISMATCH);
	d.gen = 0;
	for (d.arg = 0x08; d.arg; d.arg = (uint8_t)(d.arg << 1), errors++)
		expect("install of an unknown algorithm", d, SRTPDEV_ST_BAD_OP);
	d.arg = SRTPDEV_ALG_GCM | SRTPDEV_ALG_TAG32;
	expect("install of GCM with a short tag", d, SRTPDEV_ST_BAD_OP);
	d.arg = SRTPDEV_ALG_GCM;
	for (unsigned off = 1; off < 64; off *= 2, errors++) {
		d.src = p.src_iova + off;
		expect("install from an unaligned block", d, SRTPDEV_ST_LEN_ERR);
	}
	d.src = 64;
	expect("install from nowhere", d, SRTPDEV_ST_DMA_RD);
	d.src = p.src_iova - BENCH_BEFORE - 64;
	expect("install of a block that begins in memory that is not there", d, SRTPDEV_ST_DMA_RD);
	for (unsigned there = 64; there < SRTPDEV_LIMIT_KEY_BLOCK; there += 64, errors++) {
		d.src = p.src_iova + ROOM - there;
		expect("install of a block that ends in memory that is not there", d, SRTPDEV_ST_DMA_RD);
	}
	d = (struct fpga_desc){.op = SRTPDEV_OP_SLOT_WIPE, .ctx = s.ctx.id + 1};
	expect("wipe of an empty context", d, SRTPDEV_ST_CTX_INVALID);
	d = (struct fpga_desc){.op = SRTPDEV_OP_SLOT_WIPE,
		.ctx = s.ctx.id + fpga_device_caps(b.dev)->contexts,
		.gen = s.ctx.gen};
	expect("wipe of the context behind the last", d, SRTPDEV_ST_CTX_INVALID);
	for (unsigned bit = 0; bit < 16; bit++) {
		d = (struct fpga_desc){.op = SRTPDEV_OP_SLOT_WIPE,
			.ctx = s.ctx.id,
			.gen = (uint16_t)(s.ctx.gen ^ 1u << bit)};
		expect("wipe of another generation", d, SRTPDEV_ST_GEN_MISMATCH);
	}
	fpga_device_counters(b.dev, &n);
	CHECK(n.errors == errors + 23, "%u errors counted, not %u", (unsigned)n.errors, errors + 23);
	/* Nothing of it stays where later operations are, whatever place they get. */
	d = good, d.op = SRTPDEV_OP_NOP;
	for (unsigned i = 0; i < fpga_device_caps(b.dev)->inside; i++)
		expect("no-op after all that", d, SRTPDEV_ST_OK);
	for (unsigned i = 0; i < 3 * fpga_device_caps(b.dev)->inside; i++)
		expect("after all that", good, SRTPDEV_ST_OK);
	packet_check(&p, &(struct fpga_cpl){SRTPDEV_ST_OK, 172, NULL});
	packet_free(&b, &p);
	stop();
}

static void tag_bits(const char *library)
{
	struct packet p;

	start(library);
	packet_alloc(&b, &p);
	p.src_at = p.dst_at = 128;
	for (unsigned i = 0; i < 6; i++) {
		struct session s;

		bench_session(&b, &s, bench_suites[i]);
		for (unsigned rtcp = 0; rtcp < 2; rtcp++) {
			struct fpga_desc d;

			packet_make(&b, &p, &s, rtcp ? SRTPDEV_OP_RTCP_UNPROTECT : SRTPDEV_OP_RTP_UNPROTECT,
				60, rtcp ? 8 : 12);
			packet_desc(&p, &d);
			p.forged = true;
			for (unsigned bit = 0; bit < 8u * p.tag_octets; bit++) {
				uint8_t *octet = p.src + p.src_at + p.len + bit / 8;
				struct fpga_cpl c;

				*octet ^= (uint8_t)(1 << bit % 8);
				c = bench_one(&b, ring, &d);
				packet_check(&p, &c);
				*octet ^= (uint8_t)(1 << bit % 8);
			}
			p.forged = false;
			expect("the right tag", d, SRTPDEV_ST_OK);
		}
	}
	packet_free(&b, &p);
	stop();
}

static void ecc(const char *library)
{
	struct session s;
	struct packet p;
	struct fpga_desc d;
	struct fpga_counters n;

	start(library);
	bench_session(&b, &s, SRTP_AES_CM_128_HMAC_SHA1_80);
	packet_alloc(&b, &p);
	p.src_at = p.dst_at = 128;
	packet_make(&b, &p, &s, SRTPDEV_OP_RTP_PROTECT, 172, 12);
	packet_desc(&p, &d);
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_ECC_INJECT, 2);
	expect("two bits of a key flipped", d, SRTPDEV_ST_ECC);
	CHECK(!memcmp(p.before, p.dst, ROOM), "a packet left under a damaged key");
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_ECC_INJECT, 1);
	expect("one bit of a key flipped", d, SRTPDEV_ST_OK);
	packet_check(&p, &(struct fpga_cpl){SRTPDEV_ST_OK, 182, NULL});
	fpga_device_counters(b.dev, &n);
	CHECK(n.ecc_corrected == 1 && n.ecc_fatal == 1, "corrected %u fatal %u", (unsigned)n.ecc_corrected,
		(unsigned)n.ecc_fatal);
	/* A bit wrong in the memory itself is right again after it was read once. */
	hw_sim_ops.wr32(b.hw, SRTPDEV_REG_ECC_INJECT, 1u << SRTPDEV_REG_ECC_INJECT_WRITE_LSB);
	bench_session(&b, &s, SRTP_AEAD_AES_256_GCM);
	packet_make(&b, &p, &s, SRTPDEV_OP_RTP_PROTECT, 172, 12);
	packet_desc(&p, &d);
	for (int i = 0; i < 3; i++) {
		expect("a key that was stored with a wrong bit", d, SRTPDEV_ST_OK);
		packet_check(&p, &(struct fpga_cpl){SRTPDEV_ST_OK, 188, NULL});
	}
	fpga_device_counters(b.dev, &n);
	CHECK(n.ecc_corrected == 2 && n.ecc_fatal == 1, "corrected %u fatal %u: not written back",
		(unsigned)n.ecc_corrected, (unsigned)n.ecc_fatal);
	packet_free(&b, &p);
	stop();
}

/* Errors are counted once each, while packets wait for a lane just behind the context memory. */
static void ecc_busy(const char *library)
{
	enum { PACKETS = 60 };
	static struct packet p[PACKETS];
	struct session s;
	struct fpga_counters n;
	struct fpga_cpl c;
	unsigned flipped = 0, done = 0;

	start(library);
	bench_session(&b, &s, SRTP_AEAD_AES_128_GCM);
	for (unsigned i = 0; i < PACKETS; i++) {
		struct fpga_desc d;

		packet_alloc(&b, &p[i]);
		p[i].src_at = p[i].dst_at = 128;
		packet_make(&b, &p[i], &s, SRTPDEV_OP_RTP_PROTECT, 1500, 12);
		packet_desc(&p[i], &d);
		fpga_ring_push(ring, &d, &p[i]);
	}
	fpga_ring_doorbell(ring);
	for (unsigned waited = 0; done < PACKETS; waited++) {
		CHECK(waited < 100000, "%u packets came out", done);
		if (!hw_sim_ops.rd32(b.hw, SRTPDEV_REG_ECC_INJECT)) {
			hw_sim_ops.wr32(b.hw, SRTPDEV_REG_ECC_INJECT, 1 + flipped % 2);
			flipped++;
		}
		hw_sim_step(b.hw, 5);
		for (; fpga_ring_poll(ring, &c, 1); done++)
			if (c.status != SRTPDEV_ST_ECC)
				packet_check(c.cookie, &c);
	}
	flipped -= hw_sim_ops.rd32(b.hw, SRTPDEV_REG_ECC_INJECT) != 0;
	fpga_device_counters(b.dev, &n);
	CHECK(flipped > PACKETS / 3 && n.ecc_corrected == (flipped + 1) / 2 && n.ecc_fatal == flipped / 2,
		"%u errors made, %u corrected and %u fatal", flipped, (unsigned)n.ecc_corrected,
		(unsigned)n.ecc_fatal);
	for (unsigned i = 0; i < PACKETS; i++)
		packet_free(&b, &p[i]);
	stop();
}

/* What a failing test leaves behind is tested too (sim/check_waves). */
static void fails(const char *library)
{
	start(library);
	expect("this fails on purpose", (struct fpga_desc){.op = SRTPDEV_OP_NOP}, SRTPDEV_ST_BAD_OP);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(const char *library);
	} tests[] = {
		{"known_answers", known_answers},
		{"refused", refused},
		{"registers", registers},
		{"removed", removed},
		{"rings", rings},
		{"tag_bits", tag_bits},
		{"ecc", ecc},
		{"ecc_busy", ecc_busy},
		{"wipes", wipes},
		{"resets", resets},
		{"resets_stalled", resets_stalled},
		{"late_answers", late_answers},
		{"fails", fails},
	};

	CHECK(argc >= 2, "usage: test_device LIBRARY [TEST]");
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (argc < 3 ? tests[i].run != fails : !strcmp(argv[2], tests[i].name)) {
			tests[i].run(argv[1]);
			printf("%s ok\n", tests[i].name);
			fflush(stdout);
		}
	return 0;
}
