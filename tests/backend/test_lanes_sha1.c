/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC-SHA1 in lanes against OpenSSL's and RFC 2202: every length, every number of packets, mixtures, with
 * SHA instructions and without them; nothing is read beside the packet, and no state stays on the stack.
 */
#include "tests/support/cmocka_std.h"

#include <cpuid.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "dataplane/crypto/lanes/sha1.h"
#include "tests/backend/arena.h"
#include "tests/backend/hmac_states.h"
#include "tests/backend/memory_scan.h"

#define KEY_OCTETS 20
#define JOBS_MAX 200
#define OCTETS_MAX 65535
#define MANY 300 /* lengths that are tried one by one: every rest of a block, several blocks */

static bool processor_has_lanes(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("bmi2");
}

static bool processor_has_sha(void)
{
	unsigned eax, ebx, ecx, edx;

	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && ebx & bit_SHA;
}

/* One packet with a key of its own, and what OpenSSL makes of it. */
struct sample {
	uint32_t states[10];
	uint8_t wanted[20];
	uint8_t mac[LANES_HMAC_MAC + 4];
};

static struct sample samples[JOBS_MAX];
static struct lanes_hmac jobs[JOBS_MAX];
static uint8_t noise[OCTETS_MAX + 1 + JOBS_MAX];

static int make_noise(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	return 0;
}

/* Job i over octets at data, which are there already. */
static void prepare(unsigned i, const uint8_t *data, uint32_t octets)
{
	static uint8_t text[OCTETS_MAX + 4];
	struct sample *s = &samples[i];
	const uint8_t *key = noise + i;
	uint32_t trailer = 0x80a1b2c3 + i;
	unsigned n = sizeof(s->wanted);

	hmac_states(key, KEY_OCTETS, s->states);
	memset(s->mac, 0xee, sizeof(s->mac));
	if (octets)
		memcpy(text, data, octets);
	memcpy(text + octets, &trailer, sizeof(trailer));
	assert_non_null(HMAC(EVP_sha1(), key, KEY_OCTETS, text, octets + sizeof(trailer), s->wanted, &n));
	jobs[i] = (struct lanes_hmac){(const uint8_t *)s->states, data, octets, trailer, s->mac};
}

static void run_and_check(unsigned n)
{
	static const uint8_t untouched[4] = {0xee, 0xee, 0xee, 0xee};

	for (int sha_ni = 0; sha_ni <= processor_has_sha(); sha_ni++) {
		for (unsigned i = 0; i < n; i++)
			memset(samples[i].mac, 0xee, sizeof(samples[i].mac));
		lanes_hmac_sha1(jobs, n, sha_ni);
		for (unsigned i = 0; i < n; i++) {
			if (memcmp(samples[i].mac, samples[i].wanted, LANES_HMAC_MAC))
				fail_msg("packet %u of %u, %u octets, SHA instructions: %d: wrong", i, n,
					jobs[i].octets, sha_ni);
			assert_memory_equal(samples[i].mac + LANES_HMAC_MAC, untouched, sizeof(untouched));
		}
	}
}

/* RFC 2202, 3, test cases 1, 2 and 5: the last four octets of each text go in as the trailer. */
static void test_published_vectors(void **state)
{
	static const struct {
		const char *key, *text;
		size_t key_n, text_n;
		uint8_t wanted[20];
	} vectors[] = {
		{"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
			"Hi There", 20, 8,
			{0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b, 0xc0, 0xb6, 0xfb, 0x37,
				0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00}},
		{"Jefe", "what do ya want for nothing?", 4, 28,
			{0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84,
				0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79}},
		{"\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c",
			"Test With Truncation", 20, 20,
			{0x4c, 0x1a, 0x03, 0x42, 0x4b, 0x55, 0xe0, 0x7f, 0xe7, 0xf2, 0x7b, 0xe1, 0xd5, 0x8b,
				0xb9, 0x32, 0x4a, 0x9a, 0x5a, 0x04}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		size_t n = vectors[i].text_n - sizeof(jobs->trailer);

		hmac_states((const uint8_t *)vectors[i].key, vectors[i].key_n, samples[i].states);
		memcpy(samples[i].wanted, vectors[i].wanted, sizeof(samples[i].wanted));
		jobs[i] = (struct lanes_hmac){(const uint8_t *)samples[i].states,
			(const uint8_t *)vectors[i].text, (uint32_t)n, 0, samples[i].mac};
		memcpy(&jobs[i].trailer, vectors[i].text + n, sizeof(jobs[i].trailer));
	}
	run_and_check(sizeof(vectors) / sizeof(*vectors));
}

static void test_every_length(void **state)
{
	static const uint32_t large[] = {1023, 1024, 1200, 1460, 2048, 8960, 65471, 65472, 65535};

	(void)state;
	for (uint32_t octets = 0; octets <= MANY; octets++) {
		for (unsigned i = 0; i < 16; i++)
			prepare(i, noise + i, octets);
		run_and_check(1);
		run_and_check(16);
	}
	for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++) {
		for (unsigned j = 0; j < 16; j++)
			prepare(j, noise + j, large[i]);
		run_and_check(1);
		run_and_check(16);
	}
}

/* What a gateway sees: audio, video, comfort noise; one long packet among many short ones, and the other way
 * round. */
static void test_every_number_of_every_mixture(void **state)
{
	static const uint32_t mixtures[][8] = {
		{172, 172, 172, 172, 172, 172, 172, 172},
		{172, 92, 332, 13, 172, 0, 60, 1200},
		{64, 63, 51, 52, 115, 116, 128, 127},
		{1200, 1212, 1180, 1200, 172, 1200, 900, 1200},
		{20, 20, 20, 20, 20, 20, 20, 4000},
	};

	(void)state;
	for (size_t m = 0; m < sizeof(mixtures) / sizeof(*mixtures); m++) {
		for (unsigned n = 1; n <= 40; n++) {
			for (unsigned i = 0; i < n; i++)
				prepare(i, noise + i, mixtures[m][i % 8]);
			run_and_check(n);
		}
		for (unsigned i = 0; i < JOBS_MAX; i++)
			prepare(i, noise + i, mixtures[m][(i + i / 8) % 8]);
		run_and_check(JOBS_MAX);
	}
	lanes_hmac_sha1(jobs, 0, processor_has_sha());
}

/* One very long packet must not make others longer, nor they it shorter. */
static void test_lengths_at_random(void **state)
{
	uint32_t x = 7;

	(void)state;
	for (int round = 0; round < 300; round++) {
		unsigned n = 1 + (x = x * 1664525 + 1013904223) % 97;
		uint32_t most = 1U << (4 + (x >> 28) % 9);

		for (unsigned i = 0; i < n; i++)
			prepare(i, noise + i, ((x = x * 1664525 + 1013904223) >> 8) % most);
		run_and_check(n);
	}
}

/* Packets and states lie between pages that cannot be touched, and cannot be written themselves. */
static void test_nothing_beside_a_packet_is_touched(void **state)
{
	struct arena a;

	(void)state;
	arena_open(&a, 32);
	for (int at_end = 0; at_end < 2; at_end++) {
		for (uint32_t octets = 0; octets <= MANY; octets++) {
			for (unsigned i = 0; i < 16; i++) {
				uint32_t n = i % 4 ? octets : MANY - octets;
				uint8_t *data = arena_place(&a, i, n, at_end);
				uint8_t *states = arena_place(&a, 16 + i, LANES_HMAC_STATES, at_end);

				memcpy(data, noise + i, n);
				prepare(i, data, n);
				memcpy(states, samples[i].states, LANES_HMAC_STATES);
				jobs[i].states = states;
				assert_int_equal(mprotect(arena_cell(&a, i), ARENA_PAGE, PROT_READ), 0);
				assert_int_equal(mprotect(arena_cell(&a, 16 + i), ARENA_PAGE, PROT_READ), 0);
			}
			run_and_check(1);
			run_and_check(16);
			for (unsigned i = 0; i < 32; i++)
				assert_int_equal(
					mprotect(arena_cell(&a, i), ARENA_PAGE, PROT_READ | PROT_WRITE), 0);
		}
	}
	arena_close(&a);
}

/* A sanitizer keeps stacks of its own; without optimization all registers are kept on the stack. */
#if !MEMORY_SCAN_BLIND && defined(__OPTIMIZE__)
#define STACK_CAN_BE_LOOKED_AT
static bool on_stack_with_sha;
static unsigned on_stack_jobs;

static void *run_on_stack(void *unused)
{
	(void)unused;
	lanes_hmac_sha1(jobs, on_stack_jobs, on_stack_with_sha);
	return NULL;
}

/* How many words of a thread's stack are words of the key's states, once it has ended. */
static unsigned states_left(const uint32_t *stack, size_t words)
{
	unsigned found = 0;

	for (size_t i = 0; i < words; i++)
		for (int j = 0; j < 10; j++)
			found += stack[i] == samples[0].states[j];
	return found;
}

static void test_no_state_stays_on_the_stack(void **state)
{
	const size_t size = 256 * 1024;
	uint32_t *stack;

	(void)state;
	stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	assert_ptr_not_equal(stack, MAP_FAILED);
	for (int sha_ni = 0; sha_ni <= processor_has_sha(); sha_ni++) {
		for (unsigned n = 1; n <= 40; n++) {
			pthread_attr_t attr;
			pthread_t thread;

			for (unsigned i = 0; i < n; i++) {
				prepare(i, noise + i, i % 5 ? 172 : 300);
				jobs[i].states = (const uint8_t *)samples[0].states;
			}
			on_stack_jobs = n;
			on_stack_with_sha = sha_ni;
			assert_int_equal(pthread_attr_init(&attr), 0);
			assert_int_equal(pthread_attr_setstack(&attr, stack, size), 0);
			assert_int_equal(pthread_create(&thread, &attr, run_on_stack, NULL), 0);
			assert_int_equal(pthread_join(thread, NULL), 0);
			pthread_attr_destroy(&attr);
			assert_int_equal(states_left(stack, size / sizeof(*stack)), 0);
		}
	}
	munmap(stack, size);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_vectors),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_every_number_of_every_mixture),
		cmocka_unit_test(test_lengths_at_random),
		cmocka_unit_test(test_nothing_beside_a_packet_is_touched),
#ifdef STACK_CAN_BE_LOOKED_AT
		cmocka_unit_test(test_no_state_stays_on_the_stack),
#endif
	};

	if (!processor_has_lanes()) {
		puts("1..0 # SKIP this processor has no AVX-512 (F, BW, VL, DQ)");
		return 0;
	}
	return cmocka_run_group_tests_name("lanes sha1", tests, make_noise, NULL);
}
