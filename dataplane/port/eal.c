/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port/eal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "lib/base/log.h"

#define HUGE_DIR "/sys/kernel/mm/hugepages/hugepages-"
#define HUGE_2M HUGE_DIR "2048kB/"
#define HUGE_1G HUGE_DIR "1048576kB/"
#define PCI_MAX 16
#define ARGS_MAX (17 + 2 * PCI_MAX)
#define AGAIN "SRTPGW_HUGEPAGES_TAKEN" /* in the environment of the second start */
#define DESCRIPTORS 1024               /* that DPDK may have opened in the first */
#define SPARE_PAGES 16 /* 2 MB pages over what was asked for: EAL rounds each allocation up to pages */

static int64_t number_read(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? strtoll(text, NULL, 10) : -1;
}

static int number_write(const char *path, int64_t value)
{
	char text[32];
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int n = snprintf(text, sizeof(text), "%lld\n", (long long)value);
	int rc = write(fd, text, (size_t)n) == n ? 0 : -errno;
	close(fd);
	return rc;
}

/* A count of free pages says nothing about other programs' reservations and cgroup limits: try. */
static bool pages_reservable(size_t octets)
{
	void *p = mmap(NULL, octets, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (21 << MAP_HUGE_SHIFT), -1, 0);

	if (p == MAP_FAILED)
		return false;
	munmap(p, octets);
	return true;
}

/* Are there hugepages for memory_mb? Asks the kernel for more when there are too few. */
static bool pages_secure(struct eal *eal)
{
	int64_t want = eal->memory_mb / 2 + SPARE_PAGES;
	int64_t gigs = number_read(HUGE_1G "free_hugepages");
	int64_t free2m = number_read(HUGE_2M "free_hugepages");
	int64_t total = number_read(HUGE_2M "nr_hugepages");

	if (gigs > 0 && gigs * 1024 >= eal->memory_mb)
		return true;
	if (free2m < 0 || total < 0) {
		snprintf(eal->why, sizeof(eal->why), "the kernel has no 2 MB hugepages");
		return false;
	}
	if (free2m < want) {
		int rc = number_write(HUGE_2M "nr_hugepages", total + want - free2m);
		int64_t now = number_read(HUGE_2M "nr_hugepages");

		eal->pages_added = now > total ? (uint32_t)(now - total) : 0;
		if (rc < 0 || free2m + eal->pages_added < want) {
			snprintf(eal->why, sizeof(eal->why), "%lld of %lld hugepages are free%s%s",
				(long long)(free2m + eal->pages_added), (long long)want,
				rc < 0 ? "; cannot ask for more: " : "", rc < 0 ? strerror(-rc) : "");
			return false;
		}
	}
	if (!pages_reservable((size_t)want << 21)) {
		snprintf(eal->why, sizeof(eal->why), "the kernel refuses to reserve hugepages");
		return false;
	}
	return true;
}

static void pages_give_back(struct eal *eal)
{
	int64_t now = number_read(HUGE_2M "nr_hugepages");

	/* Pages still mapped become surplus pages, which the kernel frees when this process ends. */
	if (eal->pages_added != 0 && now >= 0)
		(void)number_write(
			HUGE_2M "nr_hugepages", now > eal->pages_added ? now - eal->pages_added : 0);
	eal->pages_added = 0;
}

/* "0@4,1@5,2@6": lcores to the CPUs that this process may use. */
static int lcores_compose(struct eal *eal, char *text, size_t cap, struct err *err)
{
	cpu_set_t set;
	uint16_t cpus[CPU_SETSIZE];
	uint32_t n = 0;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return err_set(err, errno, "sched_getaffinity: %s", strerror(errno));
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = (uint16_t)cpu;
	eal->shared_cpu = n < eal->workers + 1;

	int len = snprintf(text, cap, "0@%u", cpus[0]);
	for (uint32_t w = 0; w < eal->workers; w++) {
		uint32_t at = eal->shared_cpu ? (w + 1) % n : n - eal->workers + w;

		len += snprintf(text + len, cap - (size_t)len, ",%u@%u", w + 1, cpus[at]);
	}
	return 0;
}

/* DPDK makes it even for a process that shares nothing; nobody reads it after us. */
static void run_dir_remove(const char *path)
{
	DIR *dir = path[0] != '\0' ? opendir(path) : NULL;

	if (dir == NULL)
		return;
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
	(void)rmdir(path);
}

/* The directories of instances that were killed: theirs is the process id in the name, and it is gone. */
static void run_dirs_of_the_dead_remove(const char *mine)
{
	char parent[sizeof(((struct eal *)0)->run_dir)], path[sizeof(parent) + 32];
	char *slash;
	DIR *dir;
	int pid;

	snprintf(parent, sizeof(parent), "%s", mine);
	slash = strrchr(parent, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	dir = opendir(parent);
	if (dir == NULL)
		return;
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		if (sscanf(e->d_name, "srtpgw-%d", &pid) != 1 || pid <= 0 || kill(pid, 0) == 0 ||
			errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/srtpgw-%d", parent, pid);
		run_dir_remove(path);
	}
	closedir(dir);
}

/* "-a ADDRESS" for each, or no PCI at all. devices: a copy that is cut up and outlives rte_eal_init(). */
static int pci_args(char *devices, char **argv)
{
	int n = 0;

	for (char *save, *a = strtok_r(devices, "+", &save); a && n < 2 * PCI_MAX;
		a = strtok_r(NULL, "+", &save)) {
		argv[n++] = "-a";
		argv[n++] = a;
	}
	if (n == 0)
		argv[n++] = "--no-pci";
	return n;
}

static int eal_init(struct eal *eal, const struct eal_conf *conf, const char *lcores, struct err *err)
{
	char memory[16], prefix[32], devices[512] = "";
	bool verbose = conf->verbose;
	/* EAL's own warnings are about hugepage sizes that nobody asked for; what matters is said in `why`.
	 */
	char *argv[ARGS_MAX + 1] = {"srtpgw", "--no-telemetry", "--lcores", (char *)lcores, "-m", memory,
		"--file-prefix", prefix, verbose ? "--log-level=info" : "--log-level=warning",
		verbose ? "--log-level=lib.eal:info" : "--log-level=lib.eal:error"};
	int argc = 10;

	snprintf(memory, sizeof(memory), "%u", eal->memory_mb);
	snprintf(prefix, sizeof(prefix), "srtpgw-%d", (int)getpid());
	if (eal->hugepages) {
		argv[argc++] = "--in-memory";
		if (conf->one_file)
			argv[argc++] = "--single-file-segments";
	} else {
		/* --in-memory is refused together with --no-huge; this leaves no file either. */
		argv[argc++] = "--no-huge";
		argv[argc++] = "--no-shconf";
	}
	if (conf->pci)
		snprintf(devices, sizeof(devices), "%s", conf->pci);
	/* A device reads and writes memory by the process's own addresses, but where no IOMMU translates
	 * them; EAL sees which it is by the drivers that devices are bound to. */
	if (devices[0] == '\0')
		argv[argc++] = "--iova-mode=va";
	argc += pci_args(devices, argv + argc);
	if (rte_eal_init(argc, argv) < 0)
		return err_set(err, EIO,
			"DPDK does not start%s: %s, with %u MB for --sessions and interfaces",
			eal->hugepages ? " on hugepages (they were free a moment ago)" : "",
			rte_strerror(rte_errno), eal->memory_mb);
	snprintf(eal->run_dir, sizeof(eal->run_dir), "%s", rte_eal_get_runtime_dir());
	run_dirs_of_the_dead_remove(eal->run_dir);
	return 0;
}

/* What a second start of the program must find as the first one did. */
struct before {
	cpu_set_t cpus;
	bool open[DESCRIPTORS];
};

static void before_note(struct before *b)
{
	CPU_ZERO(&b->cpus);
	(void)sched_getaffinity(0, sizeof(b->cpus), &b->cpus);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		b->open[fd] = fcntl(fd, F_GETFD) >= 0;
}

/* argv of this process, in memory that nobody frees: it is for execv(). NULL: /proc does not say. */
static char **arguments_read(void)
{
	size_t cap = 1 << 16, n;
	char *text = calloc(1, cap + 1), **argv = calloc(cap / 2, sizeof(*argv));
	FILE *f = fopen("/proc/self/cmdline", "re");
	int argc = 0;

	if (text == NULL || argv == NULL || f == NULL)
		return NULL;
	n = fread(text, 1, cap, f);
	fclose(f);
	for (size_t at = 0; at < n; at += strlen(text + at) + 1)
		argv[argc++] = text + at;
	return n != 0 && n < cap ? argv : NULL;
}

/*
 * Somebody else took the hugepages between our look and DPDK's. DPDK cannot be initialised twice in a
 * process, so the program begins again, with ordinary pages. Returns only when that cannot be.
 */
static void start_again(const struct before *b)
{
	char path[PATH_MAX] = "";
	char **argv = arguments_read();

	if (argv == NULL || readlink("/proc/self/exe", path, sizeof(path) - 1) <= 0 || access(path, X_OK) < 0)
		return;
	log_warn("eal", "another process took the hugepages: starting again with ordinary pages");
	(void)setenv(AGAIN, "1", 1);
	(void)sched_setaffinity(0, sizeof(b->cpus), &b->cpus);
	for (int fd = 3; fd < DESCRIPTORS; fd++)
		if (!b->open[fd])
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	execv(path, argv);
	(void)unsetenv(AGAIN);
}

/* Hugepages or not, and why not. */
static void pages_choose(struct eal *eal, enum eal_pages pages)
{
	if (pages == EAL_PAGES_SMALL)
		snprintf(eal->why, sizeof(eal->why), "configured");
	else if (pages == EAL_PAGES_AUTO && getenv(AGAIN) != NULL)
		snprintf(eal->why, sizeof(eal->why), "another process took the hugepages");
	else
		eal->hugepages = pages_secure(eal);
	(void)unsetenv(AGAIN);
	if (!eal->hugepages)
		pages_give_back(eal);
}

int eal_start(const struct eal_conf *conf, struct eal *out, struct err *err)
{
	struct before before;
	char lcores[16 * (EAL_WORKERS_MAX + 1)];
	struct eal eal = {
		.memory_mb = conf->memory_mb != 0 ? conf->memory_mb : EAL_MEMORY_DEFAULT_MB,
		.workers = conf->workers,
	};
	int rc;

	if (conf->workers > EAL_WORKERS_MAX)
		return err_set(err, EINVAL, "%u workers; at most %u", conf->workers, EAL_WORKERS_MAX);
	rc = lcores_compose(&eal, lcores, sizeof(lcores), err);
	if (rc < 0)
		return rc;
	before_note(&before);
	pages_choose(&eal, conf->pages);
	if (!eal.hugepages && conf->pages == EAL_PAGES_HUGE)
		return err_set(err, ENOMEM, "no hugepages for %u MB: %s", eal.memory_mb, eal.why);

	rc = eal_init(&eal, conf, lcores, err);
	if (rc < 0) {
		pages_give_back(&eal);
		if (eal.hugepages && conf->pages == EAL_PAGES_AUTO)
			start_again(&before);
		return rc;
	}
	log_info("eal", "started", LZ("pages", eal.hugepages ? "huge" : "small"), LZ("why", eal.why),
		LU("memory_mb", eal.memory_mb), LU("workers", eal.workers), LZ("lcores", lcores),
		LB("shared_cpu", eal.shared_cpu));
	*out = eal;
	return 0;
}

void eal_stop(struct eal *eal)
{
	rte_eal_cleanup();
	pages_give_back(eal);
	run_dir_remove(eal->run_dir);
}
