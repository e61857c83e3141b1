/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts DPDK's environment on any machine: hugepages where there are some or some can be made, ordinary
 * memory where not; nothing left on disk, no PCI scan, no telemetry socket, so that several instances stand
 * side by side. Once per process (a limit of DPDK's): eal_start() decides everything before it calls DPDK.
 * Where another process takes the hugepages in between, EAL_PAGES_AUTO executes the program again, with the
 * same arguments and process id, and that one takes ordinary memory: so call it early, before anything is
 * begun.
 *
 * Lcores: the main lcore is the thread that called eal_start() (the control thread of the data plane);
 * workers are lcores 1..n, to be launched with rte_eal_remote_launch(). Each is pinned to a CPU this process
 * may use; workers get the last ones, the main lcore the first, and they share when there are too few
 * (out.shared_cpu).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define EAL_WORKERS_MAX 64
#define EAL_MEMORY_DEFAULT_MB 512

enum eal_pages {
	EAL_PAGES_AUTO,  /* hugepages when enough are free or can be had, else ordinary pages */
	EAL_PAGES_HUGE,  /* hugepages, or fail */
	EAL_PAGES_SMALL, /* ordinary pages */
};

struct eal_conf {
	enum eal_pages pages;
	uint32_t memory_mb; /* for packets and tables; 0: EAL_MEMORY_DEFAULT_MB */
	uint32_t workers;   /* 1 to EAL_WORKERS_MAX; 0 for programs that run on the main lcore alone */
	const char *pci;    /* devices that DPDK may take, '+' between them; NULL or "": none */
	bool one_file;      /* hugepages as one file, which a virtio-user port shares with its vhost */
	bool verbose;       /* DPDK's own log at level info instead of warning */
};

/* What was chosen; for the log and for eal_stop(). */
struct eal {
	bool hugepages;
	bool shared_cpu; /* fewer CPUs than workers + 1: expect latency */
	uint32_t memory_mb;
	uint32_t workers;
	uint32_t pages_added; /* 2 MB pages that eal_start() asked the kernel for; given back by eal_stop() */
	char why[96];         /* the reason for ordinary pages, "" with hugepages */
	char run_dir[96]; /* DPDK's run-time directory of this process, removed by eal_stop(); "" for none */
};

/* -ENOMEM: no hugepages although asked for; -EIO: DPDK refused (its reason is on standard error); -EINVAL. */
int eal_start(const struct eal_conf *conf, struct eal *out, struct err *err);

/* After every port is closed and every worker has returned. Undoes what eal_start() changed on the machine.
 */
void eal_stop(struct eal *eal);
