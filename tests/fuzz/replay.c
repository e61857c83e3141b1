/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without libFuzzer: every file of a corpus folder, then a fixed number of random mutations of
 * each (fixed seed, so that a failure repeats). What a crash needs is printed before the target is called.
 *
 * usage: replay_NAME CORPUS_DIR [MUTATIONS_PER_FILE]
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t rng_state = 0x9e3779b97f4a7c15u;

static uint32_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (uint32_t)(rng_state >> 32);
}

static size_t mutate(uint8_t *d, size_t n)
{
	for (unsigned edits = 1 + rng() % 8; edits && n; edits--) {
		size_t at = rng() % n;

		switch (rng() % 5) {
		case 0:
			d[at] ^= (uint8_t)(1u << rng() % 8);
			break;
		case 1:
			d[at] = (uint8_t)rng();
			break;
		case 2: /* delete a run */
		{
			size_t run = 1 + rng() % 16;

			if (run > n - at)
				run = n - at;
			memmove(d + at, d + at + run, n - at - run);
			n -= run;
			break;
		}
		case 3: /* repeat a run */
		{
			size_t run = 1 + rng() % 32;

			if (run > n - at)
				run = n - at;
			if (n + run > INPUT_MAX)
				break;
			memmove(d + at + run, d + at, n - at);
			n += run;
			break;
		}
		case 4:
			n = at;
			break;
		}
	}
	return n;
}

/* The target gets a heap block of exactly the input's size, so that ASan sees a read past its end. */
static void run(const uint8_t *d, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);

	if (!exact)
		abort();
	memcpy(exact, d, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

int main(int argc, char **argv)
{
	static uint8_t seed[INPUT_MAX], work[INPUT_MAX];
	unsigned files = 0, mutations = argc > 2 ? (unsigned)atoi(argv[2]) : 2000;
	struct dirent **list;

	if (argc < 2) {
		fprintf(stderr, "usage: %s CORPUS_DIR [MUTATIONS_PER_FILE]\n", argv[0]);
		return 2;
	}
	int count = scandir(argv[1], &list, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof path, "%s/%s", argv[1], list[i]->d_name);
		FILE *f = list[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");

		free(list[i]);
		if (!f)
			continue;
		size_t n = fread(seed, 1, sizeof seed, f);

		fclose(f);
		files++;
		fprintf(stderr, "%s: %zu octets\n", path, n);
		run(seed, n);
		for (unsigned m = 0; m < mutations; m++) {
			memcpy(work, seed, n);
			run(work, mutate(work, n));
		}
	}
	if (count >= 0)
		free(list);
	if (!files) {
		fprintf(stderr, "no corpus in %s\n", argv[1]);
		return 1;
	}
	return 0;
}
