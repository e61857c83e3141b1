/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_crypto: nanoseconds per RTP packet of the crypto alone, at three payload sizes, for
 * the library bare, the data plane's backend over it, DPDK's crypto_aesni_mb, and the portable reference.
 * Every packet belongs to a session drawn at random, so that keys are as cold as they are in a gateway;
 * packets themselves are warm, as the stages fetch them ahead.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/port/eal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "perf/contender.h"
#include "perf/program.h"

#define CHUNK 512 /* packets between two looks at the clock */
#define CHUNKS 24 /* of them per sample */
#define SAMPLES 7
#define HEADER 12
#define ROC 4 /* octets behind the packet that some write before they read the tag */
#define OCTETS_MAX (HEADER + 1200 + CRYPTO_TAILROOM)

static const struct contender *const contenders[] = {
	&contender_bare, &contender_backend, &contender_aesni_mb, &contender_portable};
#define CONTENDERS (sizeof(contenders) / sizeof(contenders[0]))

static const struct {
	enum srtp_suite suite;
	const char *name;
} suites[] = {
	{SRTP_AES_CM_128_HMAC_SHA1_80, "cm128_80"},
	{SRTP_AES_256_CM_HMAC_SHA1_80, "cm256_80"},
	{SRTP_AEAD_AES_128_GCM, "gcm128"},
	{SRTP_AEAD_AES_256_GCM, "gcm256"},
};

static const unsigned payloads[] = {20, 160, 1200};

struct bench {
	struct figures *figures;
	struct bench_load load;
	struct srtp_session_keys *keys;
	struct secret *masters;
	struct crypto_job jobs[CHUNK];
	uint8_t octets[CHUNK][(OCTETS_MAX + 63) / 64 * 64];
	uint64_t random;
	uint16_t seq;
};

/* Of this thread: what other programs do with the core meanwhile does not count. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint32_t draw(struct bench *b, uint32_t below)
{
	b->random = b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((b->random >> 33) % below);
}

static void chunk_fill(struct bench *b, unsigned payload)
{
	static const uint8_t header[HEADER] = {0x80, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78};

	for (unsigned i = 0; i < CHUNK; i++) {
		struct crypto_job *j = &b->jobs[i];

		memcpy(b->octets[i], header, HEADER);
		b->octets[i][2] = (uint8_t)(b->seq >> 8);
		b->octets[i][3] = (uint8_t)b->seq++;
		*j = (struct crypto_job){
			.pkt = b->octets[i],
			.tag = b->octets[i] + HEADER + payload + ROC,
			.len = (uint16_t)(HEADER + payload),
			.aad_len = HEADER,
			.slot = draw(b, b->load.sessions),
			.index = 1,
			.tag_len = srtp_suite_info(b->load.suite)->rtp_tag_len,
		};
	}
}

/*
 * One sample of each direction. The keys that protect() warmed must not help unprotect(): all chunks are
 * protected first and their ciphertext kept, then brought back chunk by chunk outside the clock.
 */
static int sample(struct bench *b, const struct contender *c, void *ctx, unsigned payload, double ns[2])
{
	size_t stride = sizeof(b->octets) + sizeof(b->jobs);
	uint8_t *kept = malloc(CHUNKS * stride);
	uint64_t spent[2] = {0, 0}, t0;
	unsigned ok = 0;

	if (!kept)
		return -ENOMEM;
	for (unsigned k = 0; k < CHUNKS; k++) {
		chunk_fill(b, payload);
		t0 = cpu_ns();
		ok += c->run(ctx, b->jobs, CHUNK, true);
		spent[0] += cpu_ns() - t0;
		memcpy(kept + k * stride, b->octets, sizeof(b->octets));
		memcpy(kept + k * stride + sizeof(b->octets), b->jobs, sizeof(b->jobs));
	}
	for (unsigned k = 0; k < CHUNKS; k++) {
		memcpy(b->octets, kept + k * stride, sizeof(b->octets));
		memcpy(b->jobs, kept + k * stride + sizeof(b->octets), sizeof(b->jobs));
		t0 = cpu_ns();
		ok += c->run(ctx, b->jobs, CHUNK, false);
		spent[1] += cpu_ns() - t0;
	}
	free(kept);
	ns[0] = (double)spent[0] / (CHUNKS * CHUNK);
	ns[1] = (double)spent[1] / (CHUNKS * CHUNK);
	return ok == 2 * CHUNKS * CHUNK ? 0 : -EBADMSG;
}

static void record(struct bench *b, const char *suite, unsigned payload, const char *what, const char *unit,
	double value)
{
	char name[96];
	struct figure *f;

	snprintf(name, sizeof(name), "crypto.%s.%uB.%s", suite, payload, what);
	f = figures_get(b->figures, name, unit);
	if (f)
		figure_sample(f, value);
}

static int bench_payload(struct bench *b, const char *suite, void **ctx, unsigned payload)
{
	static const char *const ways[2] = {"protect", "unprotect"};
	double ns[CONTENDERS][2];
	char what[64];

	for (unsigned s = 0; s < SAMPLES; s++) {
		for (size_t i = 0; i < CONTENDERS; i++) {
			int rc = ctx[i] ? sample(b, contenders[i], ctx[i], payload, ns[i]) : 0;

			if (rc) {
				fprintf(stderr, "bench_crypto: %s %s: packets came back wrong\n",
					contenders[i]->name, suite);
				return rc;
			}
			for (int w = 0; ctx[i] && w < 2; w++) {
				snprintf(what, sizeof(what), "%s.%s", ways[w], contenders[i]->name);
				record(b, suite, payload, what, "ns/packet", ns[i][w]);
				if (i == 0)
					continue;
				snprintf(what, sizeof(what), "%s.%s_over_bare", ways[w], contenders[i]->name);
				record(b, suite, payload, what, "ratio", ns[i][w] / ns[0][w]);
			}
		}
	}
	return 0;
}

static int bench_suite(struct bench *b, size_t which)
{
	void *ctx[CONTENDERS] = {NULL};
	int rc = 0;

	b->load.suite = suites[which].suite;
	for (uint32_t s = 0; s < b->load.sessions && !rc; s++) {
		rc = secret_random(&b->masters[s], srtp_suite_master_len(srtp_suite_info(b->load.suite)));
		rc = rc ? rc : srtp_kdf(b->load.suite, &b->masters[s], &b->keys[s]);
	}
	for (size_t i = 0; i < CONTENDERS && !rc; i++) {
		if (contenders[i]->sessions_max && b->load.sessions > contenders[i]->sessions_max)
			continue;
		rc = contenders[i]->open(&ctx[i], &b->load);
		if (rc)
			fprintf(stderr, "bench_crypto: %s: %s\n", contenders[i]->name, strerror(-rc));
	}
	for (size_t p = 0; p < sizeof(payloads) / sizeof(payloads[0]) && !rc; p++)
		rc = bench_payload(b, suites[which].name, ctx, payloads[p]);
	for (size_t i = 0; i < CONTENDERS; i++)
		if (ctx[i])
			contenders[i]->close(ctx[i]);
	return rc;
}

static int run_in(struct bench *b, uint32_t sessions)
{
	int rc = 0;

	b->keys = calloc(sessions, sizeof(*b->keys));
	b->masters = calloc(sessions, sizeof(*b->masters));
	if (!b->keys || !b->masters)
		return -ENOMEM;
	b->load = (struct bench_load){.sessions = sessions, .masters = b->masters, .keys = b->keys};
	b->random = 1;
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]) && !rc; i++)
		rc = bench_suite(b, i);
	printf("%u sessions, payloads in octets\n", sessions);
	return rc;
}

static int run(const char *const *values, struct figures *figures, void *user, struct err *err)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct eal_conf conf = {0};
	struct eal eal;
	uint32_t sessions;
	int rc = b ? program_number("SESSIONS", values[0], 1, 200000, 10000, &sessions, err) : -ENOMEM;

	(void)user;
	if (!rc) {
		log_setup(LOG_WARN, LOG_TEXT);
		conf.memory_mb = 128 + sessions / 128;
		rc = eal_start(&conf, &eal, err);
	}
	if (!rc) {
		b->figures = figures;
		rc = run_in(b, sessions);
		eal_stop(&eal);
	}
	if (b) {
		free(b->keys);
		free(b->masters);
	}
	free(b);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "bench_crypto",
		.what = "Nanoseconds per packet of the crypto alone, by suite, payload and direction: the bare library, the data plane's\n"
			"backend, DPDK's crypto_aesni_mb and the portable reference.\n",
		.arguments = {
			{"SESSIONS", "keys, of which each packet has one at random: 1 to 200000 (10000)",
				false},
			PROGRAM_JSON_ARGUMENT}};

	return program_main(&program, argc, argv, run, NULL);
}
