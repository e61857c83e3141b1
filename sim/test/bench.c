/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/test/bench.h"

#include <string.h>

#include "sim/test/model.h"

const enum srtp_suite bench_suites[6] = {
	SRTP_AES_CM_128_HMAC_SHA1_80,
	SRTP_AES_CM_128_HMAC_SHA1_32,
	SRTP_AES_256_CM_HMAC_SHA1_80,
	SRTP_AES_256_CM_HMAC_SHA1_32,
	SRTP_AEAD_AES_128_GCM,
	SRTP_AEAD_AES_256_GCM,
};

static uint64_t next(struct bench *b)
{
	b->random ^= b->random >> 12;
	b->random ^= b->random << 25;
	b->random ^= b->random >> 27;
	return b->random * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t bench_below(struct bench *b, uint32_t n)
{
	return (uint32_t)((next(b) >> 32) * n >> 32);
}

void bench_fill(struct bench *b, uint8_t *p, size_t n)
{
	while (n--)
		*p++ = (uint8_t)(next(b) >> 56);
}

void bench_open(struct bench *b, const char *library, const struct sim_conf *conf)
{
	struct err e = {""};

	b->random = conf->seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	CHECK(hw_sim_open(&b->hw, library, conf, 8, &e) == 0, "%s", e.text);
	CHECK(fpga_device_open(&b->dev, &hw_sim_ops, b->hw, &e) == 0, "%s", e.text);
}

void bench_close(struct bench *b)
{
	struct sim_stats st;

	hw_sim_stats(b->hw, &st);
	CHECK(st.broken_offers == 0, "%lu offers changed or withdrawn before the bus took them",
		(unsigned long)st.broken_offers);
	fpga_device_close(b->dev);
}

void bench_session(struct bench *b, struct session *s, enum srtp_suite suite)
{
	int rc;

	bench_fill(b, (uint8_t *)&s->keys.rtp, sizeof(s->keys.rtp));
	bench_fill(b, (uint8_t *)&s->keys.rtcp, sizeof(s->keys.rtcp));
	s->keys.suite = suite;
	rc = fpga_context_take(b->dev, &s->keys, &s->ctx);
	CHECK(rc == 0, "key installation: %d", rc);
}

static uint8_t *room_alloc(struct bench *b, uint64_t *iova)
{
	uint8_t *p = hw_sim_ops.dma_alloc(b->hw, BENCH_BEFORE + ROOM, iova);

	CHECK(p, "no memory");
	*iova += BENCH_BEFORE;
	return p + BENCH_BEFORE;
}

void packet_alloc(struct bench *b, struct packet *p)
{
	memset(p, 0, sizeof(*p));
	p->src = room_alloc(b, &p->src_iova);
	p->dst = room_alloc(b, &p->dst_iova);
}

void packet_free(struct bench *b, struct packet *p)
{
	hw_sim_ops.dma_free(b->hw, p->src - BENCH_BEFORE, BENCH_BEFORE + ROOM);
	hw_sim_ops.dma_free(b->hw, p->dst - BENCH_BEFORE, BENCH_BEFORE + ROOM);
}

static bool is_unprotect(uint8_t op)
{
	return op == SRTPDEV_OP_RTP_UNPROTECT || op == SRTPDEV_OP_RTCP_UNPROTECT;
}

/* Protects m's packet as OpenSSL and as intel-ipsec-mb do, who must agree; octets of the tag. */
static size_t both_protect(struct model_packet *m, uint8_t tag[SRTP_TAG_MAX])
{
	uint8_t again[ROOM], tag_again[SRTP_TAG_MAX], *pkt = m->pkt;
	size_t n;

	memcpy(again, pkt, m->len);
	n = model_protect(m, tag);
	m->pkt = again;
	CHECK(model_protect_ipsec_mb(m, tag_again) == n && !memcmp(tag, tag_again, n) &&
			!memcmp(pkt, again, m->len),
		"%s len %zu aad %zu: OpenSSL and ipsec-mb differ", srtp_suite_info(m->suite)->name, m->len,
		m->aad);
	m->pkt = pkt;
	return n;
}

void packet_make(struct bench *b, struct packet *p, struct session *s, uint8_t op, size_t len, size_t aad)
{
	bool rtcp = op == SRTPDEV_OP_RTCP_PROTECT || op == SRTPDEV_OP_RTCP_UNPROTECT;
	uint8_t plain[ROOM], cipher[ROOM], tag[SRTP_TAG_MAX];
	struct model_packet m = {
		s->keys.suite, rtcp ? &s->keys.rtcp : &s->keys.rtp, rtcp, cipher, len, aad, p->index};

	p->session = s;
	p->op = op;
	p->len = len;
	p->aad = aad;
	p->forged = false;
	bench_fill(b, plain, len);
	memcpy(cipher, plain, len);
	p->tag_octets = (uint8_t)both_protect(&m, tag);
	bench_fill(b, p->src, ROOM);
	bench_fill(b, p->dst, ROOM);
	memcpy(p->src + p->src_at, is_unprotect(op) ? cipher : plain, len);
	if (is_unprotect(op))
		memcpy(p->src + p->src_at + len, tag, p->tag_octets);
	if (p->in_place)
		p->dst_at = p->src_at;
	memcpy(p->before, p->in_place ? p->src : p->dst, ROOM);
	memcpy(p->after, p->before, ROOM);
	memcpy(p->after + p->dst_at, is_unprotect(op) ? plain : cipher, len);
	if (!is_unprotect(op))
		memcpy(p->after + p->dst_at + len, tag, p->tag_octets);
}

void packet_random(struct bench *b, struct packet *p, struct session *s)
{
	static const uint16_t lengths[] = {12, 20, 32, 60, 76, 172, 300, 1212, 2048};
	uint8_t op = (uint8_t)(SRTPDEV_OP_RTP_PROTECT + bench_below(b, 4));
	bool rtcp = op >= SRTPDEV_OP_RTCP_PROTECT;
	size_t most = lengths[bench_below(b, 9)], least = rtcp ? 8 : 12, len, aad;

	len = bench_below(b, 3) ? least + bench_below(b, (uint32_t)(most - least + 1)) : most;
	aad = rtcp ? 8 : 12 + 4 * (size_t)bench_below(b, bench_below(b, 4) ? 3 : 64);
	if (bench_below(b, 16) == 0)
		aad = least + bench_below(b, (uint32_t)(len - least + 1));
	if (aad > len)
		aad = len;
	p->in_place = bench_below(b, 2);
	p->src_at = 128 + (bench_below(b, 2) ? bench_below(b, 64) : 0);
	p->dst_at = 128 + bench_below(b, 64);
	if (bench_below(b, 8) == 0) { /* where mapped memory ends; in place the longer result does too */
		const struct srtp_suite_info *suite = srtp_suite_info(s->keys.suite);
		size_t tag = rtcp ? suite->rtcp_tag_len : suite->rtp_tag_len;

		p->src_at = ROOM - len - (is_unprotect(op) || p->in_place ? tag : 0);
		p->dst_at = ROOM - len - (is_unprotect(op) ? 0 : tag);
	}
	p->index = (uint32_t)next(b);
	packet_make(b, p, s, op, len, aad);
	if (is_unprotect(op) && bench_below(b, 8) == 0) { /* a bit of header, payload or tag */
		size_t bit = bench_below(b, (uint32_t)(8 * (len + p->tag_octets)));
		p->src[p->src_at + bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (p->in_place)
			memcpy(p->before, p->src, ROOM);
		p->forged = true;
	}
}

void packet_desc(const struct packet *p, struct fpga_desc *d)
{
	*d = (struct fpga_desc){
		.op = p->op,
		.arg = p->tag_octets,
		.gen = p->session->ctx.gen,
		.ctx = p->session->ctx.id,
		.src = p->src_iova + p->src_at,
		.dst = (p->in_place ? p->src_iova : p->dst_iova) + p->dst_at,
		.len = (uint16_t)p->len,
		.aad = (uint16_t)p->aad,
		.index = p->index,
	};
}

void packet_check(const struct packet *p, const struct fpga_cpl *c)
{
	const uint8_t *got = p->in_place ? p->src : p->dst, *want = p->forged ? p->before : p->after;
	const char *suite = srtp_suite_info(p->session->keys.suite)->name;
	uint8_t status = p->forged ? SRTPDEV_ST_TAG_FAIL : SRTPDEV_ST_OK;
	uint32_t len = p->forged ? 0 : (uint32_t)(p->len + (is_unprotect(p->op) ? 0 : p->tag_octets));

	CHECK(c->status == status, "%s op %u len %zu aad %zu: status %u, not %u", suite, p->op, p->len,
		p->aad, c->status, status);
	CHECK(c->len == len, "%s op %u len %zu: %u octets written, not %u", suite, p->op, p->len, c->len,
		len);
	for (size_t i = 0; i < ROOM; i++)
		CHECK(got[i] == want[i],
			"%s op %u len %zu aad %zu src %zu dst %zu in place %d forged %d: octet %zd differs",
			suite, p->op, p->len, p->aad, p->src_at % 64, p->dst_at % 64, p->in_place, p->forged,
			(ssize_t)i - (ssize_t)p->dst_at);
}

struct fpga_cpl bench_one(struct bench *b, struct fpga_ring *r, const struct fpga_desc *d)
{
	struct fpga_cpl c = {0};
	unsigned polls = 0;

	fpga_ring_push(r, d, NULL);
	fpga_ring_doorbell(r);
	while (!fpga_ring_poll(r, &c, 1)) {
		CHECK(++polls < 20000, "op %u: no completion", d->op);
		hw_sim_ops.poll_hint(b->hw);
	}
	return c;
}
