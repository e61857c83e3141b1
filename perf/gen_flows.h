/* SPDX-License-Identifier: Apache-2.0 */
/*
 * srtpgw-gen for a gateway that runs elsewhere: calls whose ends a file names, set up in a running data
 * plane, their packets written as a capture for other programs to send, and a capture of what came out
 * judged. Needs no DPDK.
 */
#pragma once

#include "perf/gen.h"

/*
 * Calls of a file, one a line: gateway and peer of the leg in, gateway and peer of the leg out, each as
 * ADDRESS:PORT or [ADDRESS]:PORT (IPv6), and, where it is not the generator's, the master key and salt in
 * hexadecimal that the gateway sends with. *flows is the caller's, for flows_free(). -EINVAL names the line,
 * -ENOMEM, errno values of the file.
 */
int flows_read(const char *path, struct gen_flow **flows, uint32_t *n, struct err *err);
void flows_free(struct gen_flow *flows, uint32_t n); /* wipes the keys */

/*
 * Stands in for the control plane at the data plane's socket: sets up every call and leaves; the calls go on.
 * The calls are on DP_ADDRESSES_MAX addresses of the gateway at most, ports 10000 to 59999.
 */
int flows_program(struct gen *g, const char *socket, struct err *err);

/* Writes the next `packets` as a pcap file. */
int flows_write(struct gen *g, const char *path, uint64_t packets, struct err *err);

/* Judges each UDP frame of a pcap file to a call's peer (gen_verify()); others are passed over. */
int flows_check(struct gen *g, const char *path, struct err *err);
