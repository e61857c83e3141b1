/* SPDX-License-Identifier: Apache-2.0 */
/* Captures: of what others are to send, and of what a gateway did. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/gen_flows.h"
#include "perf/gen_frame.h"
#include "perf/pcap.h"

#define INTERVAL_NS UINT64_C(20000000) /* of one call's packets */

/* A frame without DPDK behind it: gen_build() and gen_verify() need no more of one. */
static void frame_init(struct rte_mbuf *m, uint8_t *octets)
{
	memset(m, 0, sizeof(*m));
	m->buf_addr = octets;
	m->buf_len = PCAP_FRAME_MAX;
	m->nb_segs = 1;
}

int flows_write(struct gen *g, const char *path, uint64_t packets, struct err *err)
{
	uint8_t octets[PCAP_FRAME_MAX];
	struct rte_mbuf frame, *m = &frame;
	struct pcap *out;
	int rc = pcap_open(path, &out, err), closed;

	if (rc < 0)
		return rc;
	for (uint64_t i = 0; i < packets && rc >= 0; i++) {
		frame_init(m, octets);
		rc = gen_build(g, &m, 1);
		if (rc >= 0)
			pcap_add(out, i * INTERVAL_NS / gen_calls(g), octets, m->data_len);
	}
	closed = pcap_close(out, err);
	return rc < 0 ? err_set(err, -rc, "a packet cannot be made: %s", strerror(-rc)) : closed;
}

static int packets_check(struct gen *g, FILE *in)
{
	uint8_t octets[PCAP_FRAME_MAX];
	struct pcap_frame_header h;
	struct rte_mbuf frame;

	while (fread(&h, sizeof(h), 1, in) == 1) {
		if (h.kept > sizeof(octets) || fread(octets, 1, h.kept, in) != h.kept)
			return -EINVAL;
		frame_init(&frame, octets);
		frame.data_len = (uint16_t)h.kept;
		frame.pkt_len = h.kept;
		if (frame_headers_len(octets, h.kept))
			gen_verify(g, &frame);
	}
	return 0;
}

int flows_check(struct gen *g, const char *path, struct err *err)
{
	FILE *in = fopen(path, "r");
	struct pcap_file_header h;
	int rc;

	if (!in)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if (fread(&h, sizeof(h), 1, in) != 1 || (h.magic != PCAP_US && h.magic != PCAP_NS) ||
		h.link != PCAP_ETHERNET)
		rc = err_set(
			err, EINVAL, "%s: no pcap file of this machine's byte order and of Ethernet", path);
	else if ((rc = packets_check(g, in)) < 0)
		err_set(err, -rc, "%s: cut off, or a frame of more than %d octets", path, PCAP_FRAME_MAX);
	fclose(in);
	return rc;
}
