/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory as the kernel counts it: what this process has resident and in hugepages with all sessions
 * programmed, DPDK's reservation for as many among it. Nothing here but the data plane needs memory worth
 * mentioning.
 */
#include <errno.h>
#include <stdio.h>

#include "perf/scale.h"
#include "perf/scale_session.h"

#define OCTETS_MAX 1.5e9

/* In octets: resident in ordinary and transparent huge pages, and in hugetlbfs's. */
struct memory {
	double all, large;
};

static struct memory memory_now(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	struct memory m = {0};
	char line[256];
	unsigned long kb;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Rss: %lu kB", &kb) == 1)
			m.all += (double)kb * 1024;
		else if (sscanf(line, "Private_Hugetlb: %lu kB", &kb) == 1 ||
			 sscanf(line, "Shared_Hugetlb: %lu kB", &kb) == 1) {
			m.all += (double)kb * 1024;
			m.large += (double)kb * 1024;
		} else if (sscanf(line, "AnonHugePages: %lu kB", &kb) == 1)
			m.large += (double)kb * 1024;
	}
	if (f)
		fclose(f);
	return m;
}

static int program(struct room *r, enum srtp_suite suite, struct err *err)
{
	union dp_msg m;
	int rc;

	dp_msg_init(&m, DP_CONFIGURE, 0);
	m.configure.pages = 1;
	m.configure.trial_per_second = 10;
	for (uint32_t i = 0; i < SCALE_ADDRESSES; i++)
		m.configure.addresses[m.configure.n_addresses++] = scale_address(i);
	rc = room_command(r, &m);
	for (uint32_t i = 0; i < SCALE_SESSIONS && rc >= 0; i++) {
		const struct scale_session s = {i, UINT64_C(1) << 32 | i, suite};

		for (unsigned k = 0; rc >= 0 && scale_session_message(&s, k, &m); k++)
			rc = room_command(r, &m);
		if (rc < 0)
			err_set(err, -rc, "session %u of %u is refused: %s", i + 1, SCALE_SESSIONS,
				r->ack_reason);
	}
	return rc;
}

static int measure(struct figures *figures, const char *name, enum srtp_suite suite, struct err *err)
{
	struct room room;
	struct memory before, after;
	char figure[64];
	int rc = room_open(&room, SCALE_SESSIONS, err);

	if (rc < 0)
		return rc;
	before = memory_now();
	rc = program(&room, suite, err);
	after = memory_now();
	room_close(&room);
	if (rc < 0)
		return rc;
	if (after.all == 0)
		return err_set(err, EIO, "/proc/self/smaps_rollup does not say what memory is in use");
	snprintf(figure, sizeof(figure), "memory.%s.100k.octets", name);
	scale_sample(figures, figure, "octets", after.all, FIGURE_AT_MOST, OCTETS_MAX);
	snprintf(figure, sizeof(figure), "memory.%s.100k.octets_per_session", name);
	scale_sample(
		figures, figure, "octets", (after.all - before.all) / SCALE_SESSIONS, FIGURE_NO_TARGET, 0);
	snprintf(figure, sizeof(figure), "memory.%s.100k.reserved", name);
	scale_sample(figures, figure, "octets", before.all, FIGURE_NO_TARGET, 0);
	snprintf(figure, sizeof(figure), "memory.%s.100k.large_pages", name);
	scale_sample(figures, figure, "%", 100 * after.large / after.all, FIGURE_NO_TARGET, 0);
	return 0;
}

int scale_memory(struct figures *figures, struct err *err)
{
	int rc = measure(figures, "gcm128", SRTP_AEAD_AES_128_GCM, err);

	return rc < 0 ? rc : measure(figures, "cm128", SRTP_AES_CM_128_HMAC_SHA1_80, err);
}
