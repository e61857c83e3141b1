/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hugepages that are there when the program looks and gone when DPDK takes them. What the kernel says of its
 * hugepages is the test's, in a mount namespace: other programs' hugepages neither help nor disturb, and
 * theirs are not touched.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>

#include "dataplane/port/eal.h"
#include "tests/support/cmocka_std.h"

#define NODES "/sys/devices/system/node"
#define HUGEPAGES "/sys/kernel/mm/hugepages"
#define HUGE_2M HUGEPAGES "/hugepages-2048kB/"
#define OTHERS 2 /* pages that other programs have, from before to after */

static int number_set(const char *path, long value)
{
	FILE *f = fopen(path, "we");

	if (f == NULL)
		return -errno;
	fprintf(f, "%ld\n", value);
	return fclose(f) == 0 ? 0 : -errno;
}

static long number_get(const char *path)
{
	FILE *f = fopen(path, "re");
	long value = -1;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &value), 1);
	fclose(f);
	return value;
}

/* 0, or a negative errno value where this process may have no mount namespace. */
static int hugepages_fake(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", HUGEPAGES, "tmpfs", 0, NULL) < 0 || mkdir(HUGE_2M, 0755) < 0)
		return -errno;
	/* DPDK asks each NUMA node first, where the kernel has any. */
	if (mount("tmpfs", NODES, "tmpfs", 0, NULL) < 0 && errno != ENOENT)
		return -errno;
	number_set(HUGE_2M "free_hugepages", 0);
	number_set(HUGE_2M "resv_hugepages", 0);
	return number_set(HUGE_2M "nr_hugepages", OTHERS);
}

/* What the program asks for it gets, and still none is free: all that DPDK can find out. */
int __real_rte_eal_init(int argc, char **argv);
int __wrap_rte_eal_init(int argc, char **argv);
int __wrap_rte_eal_init(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--no-huge") == 0)
			return __real_rte_eal_init(argc, argv);
	printf("%ld pages when DPDK starts\n", number_get(HUGE_2M "nr_hugepages"));
	fflush(stdout);
	return __real_rte_eal_init(argc, argv);
}

/* The pages that the kernel is said to have can be reserved. Whether mmap() is mmap64() is the C library's
 * choice. */
#define MMAP_WRAP(name)                                                                                      \
	void *__real_##name(void *at, size_t octets, int prot, int flags, int fd, off_t from);               \
	void *__wrap_##name(void *at, size_t octets, int prot, int flags, int fd, off_t from);               \
	void *__wrap_##name(void *at, size_t octets, int prot, int flags, int fd, off_t from)                \
	{                                                                                                    \
		return __real_##name(at, octets, prot, flags & ~MAP_HUGETLB, fd, from);                      \
	}
MMAP_WRAP(mmap)
MMAP_WRAP(mmap64)

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

/* The kernel was asked for the 16 that 32 MB are and the 16 to spare, and has what it had. */
static void assert_asked_and_given_back(void)
{
	assert_int_equal(times("34 pages when DPDK starts"), 1);
	assert_int_equal(number_get(HUGE_2M "nr_hugepages"), OTHERS);
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
	assert_asked_and_given_back();
}

/* Asked for hugepages: fails and says why. */
static void test_huge(void **state)
{
	(void)state;
	assert_int_equal(run(EAL_PAGES_HUGE), 1);
	assert_int_equal(times("begin"), 1);
	assert_int_equal(times("failed: DPDK does not start on hugepages (they were free a moment ago)"), 1);
	assert_asked_and_given_back();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_huge),
	};

	if (argc == 4 && strcmp(argv[1], "start") == 0)
		return child(argv);
	if (hugepages_fake() < 0) {
		puts("1..0 # SKIP this user may have no mount namespace");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
