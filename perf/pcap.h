/* SPDX-License-Identifier: Apache-2.0 */
/* A capture of Ethernet frames that is written: libpcap's format 2.4 with nanoseconds. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define PCAP_US 0xa1b2c3d4u /* magic numbers, by what times are in */
#define PCAP_NS 0xa1b23c4du
#define PCAP_ETHERNET 1u
#define PCAP_FRAME_MAX 2048

struct pcap_file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, longest, link;
};

struct pcap_frame_header {
	uint32_t s, part, kept, octets;
};

struct pcap; /* opaque */

/* Makes the file or empties it. errno values of the file. */
int pcap_open(const char *path, struct pcap **out, struct err *err);
/* A frame that was on the wire at ns. What cannot be written is said by pcap_close(). NULL is ignored. */
void pcap_add(struct pcap *p, uint64_t ns, const void *octets, size_t n);
/* 0, or the first error there was. Frees it in any case. NULL is ignored. */
int pcap_close(struct pcap *p, struct err *err);
