/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hugepages that are there when the program looks and gone when DPDK takes them: for a moment, this program's
 * children really take every free one just before DPDK does.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>

#include "dataplane/eal.h"
#include "tests/support/cmocka_std.h"

#define HUGE_2M ((size_t)2 << 20)
#define PAGES_MAX 65536

int __real_rte_eal_init(int argc, char **argv);
int __wrap_rte_eal_init(int argc, char **argv);

static void *taken[PAGES_MAX];

int __wrap_rte_eal_init(int argc, char **argv)
{
	unsigned n = 0;
	int rc;

	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--no-huge") == 0)
			return __real_rte_eal_init(argc, argv);
	for (; n < PAGES_MAX; n++) {
		taken[n] = mmap(NULL, HUGE_2M, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (21 << MAP_HUGE_SHIFT) | MAP_POPULATE, -1,
			0);
		if (taken[n] == MAP_FAILED)
			break;
	}
	rc = __real_rte_eal_init(argc, argv);
	while (n > 0)
		munmap(taken[--n], HUGE_2M);
	return rc;
}

/* argv: "start" PAGES WORD. One line for each time that the program begins, one for what became of it. */
static int child(char **argv)
{
	struct eal_conf conf = {.pages = (enum eal_pages)atoi(argv[2]), .memory_mb = 32};
	struct err err = {""};
	struct eal eal;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof cpus, &cpus);
	printf("begin '%s' %d\n", argv[3], CPU_COUNT(&cpus));
	fflush(stdout);
	if (eal_start(&conf, &eal, &err) < 0) {
		printf("failed: %s\n", err.text);
		return 1;
	}
	printf("started %s: %s, again in the environment: %d\n", eal.hugepages ? "huge" : "small", eal.why,
		getenv("SRTPGW_HUGEPAGES_TAKEN") != NULL);
	eal_stop(&eal);
	return 0;
}

static char out[8192];

static int run(enum eal_pages pages)
{
	char command[4200], self[4096] = "";
	FILE *f;
	size_t n;

	assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	snprintf(command, sizeof command, "'%s' start %d 'two  words' 2>&1", self, pages);
	f = popen(command, "r");
	assert_non_null(f);
	n = fread(out, 1, sizeof out - 1, f);
	out[n] = 0;
	return WEXITSTATUS(pclose(f));
}

static unsigned times(const char *what)
{
	unsigned n = 0;

	for (const char *at = out; (at = strstr(at, what)); at++)
		n++;
	return n;
}

/* By itself: begins again, once, as it was called, and works. */
static void test_auto(void **state)
{
	char begin[64];
	cpu_set_t cpus;

	(void)state;
	assert_int_equal(run(EAL_PAGES_AUTO), 0);
	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof cpus, &cpus);
	snprintf(begin, sizeof begin, "begin 'two  words' %d\n", CPU_COUNT(&cpus));
	assert_int_equal(times(begin), 2);
	assert_int_equal(times("another process took the hugepages: starting again with ordinary pages"), 1);
	assert_int_equal(
		times("started small: another process took the hugepages, again in the environment: 0"), 1);
}

/* Asked for hugepages: fails and says why. */
static void test_huge(void **state)
{
	(void)state;
	assert_int_equal(run(EAL_PAGES_HUGE), 1);
	assert_int_equal(times("begin"), 1);
	assert_int_equal(times("failed: DPDK does not start on hugepages (they were free a moment ago)"), 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_huge),
	};

	if (argc == 4 && strcmp(argv[1], "start") == 0)
		return child(argv);
	if (geteuid() != 0 || access("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", W_OK) != 0) {
		puts("1..0 # SKIP this machine has no hugepages to give, or not to this user");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
