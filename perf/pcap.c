/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

struct pcap {
	FILE *out;
	char path[256];
	int error;
};

static void put(struct pcap *p, const void *octets, size_t n)
{
	if (!p->error && fwrite(octets, n, 1, p->out) != 1)
		p->error = errno ? errno : EIO;
}

int pcap_open(const char *path, struct pcap **out, struct err *err)
{
	const struct pcap_file_header h = {PCAP_NS, 2, 4, 0, 0, PCAP_FRAME_MAX, PCAP_ETHERNET};
	struct pcap *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(err, ENOMEM, "no memory");
	p->out = fopen(path, "w");
	if (!p->out) {
		free(p);
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	}
	snprintf(p->path, sizeof(p->path), "%s", path);
	put(p, &h, sizeof(h));
	*out = p;
	return 0;
}

void pcap_add(struct pcap *p, uint64_t ns, const void *octets, size_t n)
{
	struct pcap_frame_header h = {
		(uint32_t)(ns / NS_PER_S), (uint32_t)(ns % NS_PER_S), (uint32_t)n, (uint32_t)n};

	if (!p)
		return;
	put(p, &h, sizeof(h));
	put(p, octets, n);
}

int pcap_close(struct pcap *p, struct err *err)
{
	int rc;

	if (!p)
		return 0;
	if (fclose(p->out) && !p->error)
		p->error = errno;
	rc = p->error ? err_set(err, p->error, "%s: %s", p->path, strerror(p->error)) : 0;
	free(p);
	return rc;
}
