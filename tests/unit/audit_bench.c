/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/audit_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

char bench_folder[40], bench_file[64];

int bench_setup(void **state)
{
	(void)state;
	strcpy(bench_folder, "/tmp/srtpgw-audit-XXXXXX");
	assert_non_null(mkdtemp(bench_folder));
	snprintf(bench_file, sizeof bench_file, "%s/audit.jsonl", bench_folder);
	return 0;
}

int bench_teardown(void **state)
{
	static const char *const all[] = {"", ".1", ".2", ".3", ".next", ".old", ".key", ".pub"};
	char path[80];

	(void)state;
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		snprintf(path, sizeof path, "%s%s", bench_file, all[i]);
		unlink(path);
	}
	return rmdir(bench_folder);
}

struct audit *bench_open(uint64_t max_octets, uint32_t checkpoint)
{
	const struct audit_conf conf = {.file = bench_file,
		.max_octets = max_octets,
		.max_files = 2,
		.checkpoint_records = checkpoint,
		.checkpoint_s = 60};
	struct audit *a;
	struct err e = {0};

	if (audit_open(&conf, &a, &e) < 0)
		fail_msg("%s", e.text);
	return a;
}

void bench_say(struct audit *a, unsigned n)
{
	char text[80];

	snprintf(text, sizeof text, "\"type\":\"call\",\"call\":\"%u\"", n);
	audit_write(a, str_z(text), 1700000000000 + n);
}

char *bench_slurp(const char *suffix)
{
	char path[80];
	FILE *f;
	char *text = calloc(1, 1 << 20);
	size_t n;

	snprintf(path, sizeof path, "%s%s", bench_file, suffix);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	text[n] = 0;
	return text;
}

EVP_PKEY *bench_public_key(void)
{
	char path[80];
	FILE *f;
	EVP_PKEY *key;

	snprintf(path, sizeof path, "%s.pub", bench_file);
	f = fopen(path, "r");
	assert_non_null(f);
	key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
	fclose(f);
	assert_non_null(key);
	return key;
}

const char *bench_wrong(struct audit_verify *v, const char *text)
{
	static struct err e;
	struct str rest = str_z(text);

	while (rest.n) {
		struct str line = str_cut(&rest, '\n');

		if (audit_verify_line(v, line, &e) < 0)
			return e.text;
	}
	return NULL;
}
