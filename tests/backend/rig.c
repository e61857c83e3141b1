/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/port/eal.h"
#include "tests/backend/rig.h"

static const struct rig_backend backends[] = {
	{"ipsec-mb", &crypto_ipsec_mb, NULL, 1, false, false},
	{"ipsec-mb-small-pages", &crypto_ipsec_mb, "pages=small", 1, false, false},
	{"ipsec-mb-sse", &crypto_ipsec_mb, "isa=sse", 1, false, false},
	{"ipsec-mb-avx", &crypto_ipsec_mb, "isa=avx", 1, false, false},
	{"ipsec-mb-avx2", &crypto_ipsec_mb, "isa=avx2,pages=thp", 1, false, false},
	{"ipsec-mb-avx512", &crypto_ipsec_mb, "isa=avx512,lanes=off", 1, false, false},
	{"fpga-device", &crypto_fpga_device, NULL, 8, true, true},
	{"fpga-device-copies", &crypto_fpga_device, NULL, 16, true, false},
	{"fpga", &crypto_fpga, NULL, 8, true, true},
	{"cryptodev-aesni-mb", &crypto_cryptodev, "vdev=crypto_aesni_mb", 1, false, false, true},
	{"cryptodev-aesni-gcm", &crypto_cryptodev, "vdev=crypto_aesni_gcm", 1, false, false, true},
	{"cryptodev-openssl", &crypto_cryptodev, "vdev=crypto_openssl", 4, false, false, true},
};

/* Vectors that this processor has not cannot be tested on it. */
static void skip_without(const struct rig_backend *which)
{
	struct crypto_conf conf = {.slots = 1, .socket = -1, .options = which->options};
	struct err err = {""};
	struct crypto_queue *q;
	int rc;

	if (!which->options || strncmp(which->options, "isa=", 4) != 0)
		return;
	conf.err = &err;
	rc = which->backend->open(&q, &conf);
	if (rc == 0)
		which->backend->close(q);
	if (rc != -ENOTSUP)
		return;
	printf("TAP version 13\n1..0 # SKIP %s\n", err.text);
	exit(0);
}

const struct rig_backend *rig_backend_find(int argc, char **argv)
{
	static struct rig_backend found;

	for (size_t i = 0; argc > 1 && i < sizeof(backends) / sizeof(backends[0]); i++) {
		if (strcmp(argv[1], backends[i].name) != 0)
			continue;
		found = backends[i];
		if (argc > 2)
			found.options = argv[2];
		skip_without(&found);
		return &found;
	}
	fputs("name a backend:", stderr);
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		fprintf(stderr, " %s", backends[i].name);
	fputc('\n', stderr);
	exit(2);
}

void rig_dpdk_start(void)
{
	static bool started;
	struct eal_conf conf = {.pages = EAL_PAGES_SMALL, .memory_mb = 256};
	struct err err = {""};
	struct eal eal;

	if (!started && eal_start(&conf, &eal, &err) < 0)
		fail_msg("%s", err.text);
	started = true;
}

void rig_open(struct rig *r, const struct rig_backend *which)
{
	struct err err = {""};
	struct crypto_memory memory;
	struct crypto_conf conf = {.slots = RIG_JOBS, .socket = -1, .options = which->options, .err = &err};

	if (which->dpdk)
		rig_dpdk_start();
	memset(r, 0, sizeof(*r));
	r->b = which->backend;
	r->share = which->share;
	r->rng = rng_make(which->name);
	assert_in_range(r->b->depth, 1, RIG_JOBS);
	r->depth = r->b->depth;
	arena_open(&r->arena, r->depth);
	memory = arena_memory(&r->arena);
	conf.memory = &memory;
	conf.n_memory = which->shown;
	if (r->b->open(&r->q, &conf) < 0)
		fail_msg("%s does not open: %s", which->name, err.text);
	r->samples = calloc(r->depth, sizeof(*r->samples));
	r->before = calloc(r->depth, sizeof(*r->before));
	assert_non_null(r->samples);
	assert_non_null(r->before);
}

unsigned rig_share(const struct rig *r, unsigned packets)
{
	return packets / r->share;
}

void rig_sample(struct rig *r, unsigned i, enum srtp_suite suite, bool rtcp, size_t payload)
{
	do
		sample_make(&r->samples[i], &r->rng, suite, rtcp, payload);
	while (r->b->len_max && r->samples[i].len > r->b->len_max && (payload -= payload < 8 ? payload : 8));
}

void rig_close(struct rig *r)
{
	r->b->close(r->q);
	arena_close(&r->arena);
	free(r->samples);
	free(r->before);
}

enum srtp_suite rig_suite(struct rig *r)
{
	enum srtp_suite suite;

	do
		suite = (enum srtp_suite)(1 + rng_below(&r->rng, SRTP_SUITE_COUNT - 1));
	while (!(r->b->suites >> suite & 1));
	return suite;
}

void rig_fill(struct rig *r, unsigned i, bool protect)
{
	struct sample *s = &r->samples[i];
	struct crypto_job *j = &r->jobs[i];
	bool at_end = rng_below(&r->rng, 2);
	uint8_t *pkt = arena_place(&r->arena, i, s->len + (size_t)CRYPTO_TAILROOM, at_end);

	rng_fill(&r->rng, arena_cell(&r->arena, i), ARENA_PAGE);
	*j = (struct crypto_job){
		.pkt = pkt,
		.tag = pkt + s->len + rng_below(&r->rng, CRYPTO_TAILROOM - s->tag_len + 1u),
		.len = s->len,
		.aad_len = s->aad_len,
		.slot = i,
		.index = s->index,
		.op = protect ? (s->rtcp ? CRYPTO_RTCP_PROTECT : CRYPTO_RTP_PROTECT)
			      : (s->rtcp ? CRYPTO_RTCP_UNPROTECT : CRYPTO_RTP_UNPROTECT),
		.tag_len = s->tag_len,
	};
	memcpy(j->pkt, protect ? s->plain : s->cipher, s->len);
	if (!protect)
		memcpy(j->tag, s->tag, s->tag_len);
	memcpy(r->before[i], arena_cell(&r->arena, i), ARENA_PAGE);
}

void rig_run(struct rig *r, unsigned first, unsigned end)
{
	struct crypto_job *jobs[RIG_JOBS], *done[RIG_JOBS], before[RIG_JOBS];
	unsigned sent = first, back = first, idle = 0;
	bool seen[RIG_JOBS] = {false};

	for (unsigned i = first; i < end; i++) {
		jobs[i] = &r->jobs[i];
		before[i] = r->jobs[i];
	}
	while (back < end) {
		uint16_t k = r->b->submit(r->q, jobs + sent, (uint16_t)(end - sent));

		sent += k;
		k = r->b->poll(r->q, done, (uint16_t)(1 + rng_below(&r->rng, end - first)));
		for (unsigned d = 0; d < k; d++) {
			unsigned i = (unsigned)(done[d] - r->jobs);

			assert_in_range(i, first, sent - 1);
			assert_false(seen[i]);
			seen[i] = true;
			assert_ptr_equal(done[d]->pkt, before[i].pkt);
			assert_ptr_equal(done[d]->tag, before[i].tag);
			assert_int_equal(done[d]->len, before[i].len);
			assert_int_equal(done[d]->aad_len, before[i].aad_len);
			assert_int_equal(done[d]->slot, before[i].slot);
			assert_int_equal(done[d]->index, before[i].index);
			assert_int_equal(done[d]->op, before[i].op);
			assert_int_equal(done[d]->tag_len, before[i].tag_len);
		}
		back += k;
		idle = k ? 0 : idle + 1;
		assert_in_range(idle, 0, 1000000);
	}
}

void rig_check(struct rig *r, unsigned i, enum crypto_status status)
{
	const struct crypto_job *j = &r->jobs[i];
	const struct sample *s = &r->samples[i];
	uint8_t *expected = r->before[i], *cell = arena_cell(&r->arena, i);
	size_t at = (size_t)(j->pkt - cell);
	bool protect = j->op == CRYPTO_RTP_PROTECT || j->op == CRYPTO_RTCP_PROTECT;

	assert_int_equal(j->status, status);
	if (status == CRYPTO_OK)
		memcpy(expected + at, protect ? s->cipher : s->plain, s->len);
	/* The tailroom behind a packet that was protected is for the trailer and free to hold anything. */
	if (status == CRYPTO_OK && protect) {
		assert_memory_equal(j->tag, s->tag, s->tag_len);
		memcpy(expected + at + j->len, j->pkt + j->len, CRYPTO_TAILROOM);
	}
	assert_memory_equal(cell, expected, ARENA_PAGE);
}
