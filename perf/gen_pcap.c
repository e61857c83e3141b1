/* SPDX-License-Identifier: Apache-2.0 */
/* Captures: of what is to be sent, and of what was. The format is that of libpcap's version 2.4. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/gen_flows.h"

#define MAGIC_US 0xa1b2c3d4u
#define MAGIC_NS 0xa1b23c4du
#define LINK_ETHERNET 1u
#define FRAME_ROOM 2048
#define INTERVAL_US 20000u /* of one call's packets */

struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, longest, link;
};

struct packet_header {
	uint32_t s, us, kept, octets;
};

/* A frame without DPDK behind it: gen_build() and gen_verify() need no more of one. */
static void frame_init(struct rte_mbuf *m, uint8_t *octets)
{
	memset(m, 0, sizeof(*m));
	m->buf_addr = octets;
	m->buf_len = FRAME_ROOM;
	m->nb_segs = 1;
}

static int packets_write(struct gen *g, FILE *out, uint64_t packets, uint32_t calls)
{
	uint8_t octets[FRAME_ROOM];
	struct rte_mbuf frame, *m = &frame;

	for (uint64_t i = 0; i < packets; i++) {
		uint64_t us = i * INTERVAL_US / calls;
		struct packet_header h = {.s = (uint32_t)(us / 1000000), .us = (uint32_t)(us % 1000000)};

		frame_init(m, octets);
		if (gen_build(g, &m, 1))
			return -EIO;
		h.kept = h.octets = m->data_len;
		if (fwrite(&h, sizeof(h), 1, out) != 1 || fwrite(octets, m->data_len, 1, out) != 1)
			return -errno;
	}
	return 0;
}

int flows_write(struct gen *g, const char *path, uint64_t packets, struct err *err)
{
	const struct file_header h = {MAGIC_US, 2, 4, 0, 0, FRAME_ROOM, LINK_ETHERNET};
	FILE *out = fopen(path, "w");
	int rc;

	if (!out)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	rc = fwrite(&h, sizeof(h), 1, out) == 1 ? packets_write(g, out, packets, gen_calls(g)) : -errno;
	if (fclose(out) && rc >= 0)
		rc = -errno;
	return rc < 0 ? err_set(err, -rc, "%s: %s", path, strerror(-rc)) : 0;
}

static bool is_udp(const uint8_t *f, size_t n)
{
	return n >= 42 && f[12] == 8 && f[13] == 0 && f[14] == 0x45 && f[23] == 17;
}

static int packets_check(struct gen *g, FILE *in)
{
	uint8_t octets[FRAME_ROOM];
	struct packet_header h;
	struct rte_mbuf frame;

	while (fread(&h, sizeof(h), 1, in) == 1) {
		if (h.kept > sizeof(octets) || fread(octets, 1, h.kept, in) != h.kept)
			return -EINVAL;
		frame_init(&frame, octets);
		frame.data_len = (uint16_t)h.kept;
		frame.pkt_len = h.kept;
		if (is_udp(octets, h.kept))
			gen_verify(g, &frame);
	}
	return 0;
}

int flows_check(struct gen *g, const char *path, struct err *err)
{
	FILE *in = fopen(path, "r");
	struct file_header h;
	int rc;

	if (!in)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if (fread(&h, sizeof(h), 1, in) != 1 || (h.magic != MAGIC_US && h.magic != MAGIC_NS) ||
		h.link != LINK_ETHERNET)
		rc = err_set(
			err, EINVAL, "%s: no pcap file of this machine's byte order and of Ethernet", path);
	else if ((rc = packets_check(g, in)) < 0)
		err_set(err, -rc, "%s: cut off, or a frame of more than %d octets", path, FRAME_ROOM);
	fclose(in);
	return rc;
}
