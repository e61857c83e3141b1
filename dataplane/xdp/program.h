/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The XDP program of this project as user space sees it: its object file, embedded in the executable, and the
 * maps of the instance that sits on an interface.
 *
 * DPDK's net_af_xdp loads and attaches the program itself, from a path, and keeps the object to itself; it
 * neither pins the maps nor tells their descriptors. Pinning by name would make every instance share one map
 * and survive the process. So: the interface names its program (netlink), the program lists its maps
 * (BPF_OBJ_GET_INFO_BY_FD) and of those the names decide. Their descriptors are found among this process's
 * own, which takes no privilege. That is exact for several interfaces and processes.
 *
 * An attached program outlives a killed process (it is attached by netlink, not by a link). It is known by
 * its name, or by its number, and taken off by the next one that opens the interface.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dataplane/xdp/media.h"
#include "lib/base/err.h"
#include "lib/msg/dp_msg.h"

extern const unsigned char xdp_media_object[];
extern const size_t xdp_media_object_size;

#define XDP_PATH_MAX 32

/* The object as a file: a sealed memfd and a path to it that is good in this process. Close *fd after use. */
int xdp_object_file(int *fd, char path[XDP_PATH_MAX], struct err *err);

/*
 * What libbpf and the kernel said last when they refused something, such as "veth: XDP expects number of rx
 * queues not less than peer tx queues": the only place where the reason is told. listen() before an attempt
 * (it also keeps libbpf from writing to standard error itself), said() after it: one line, "" for nothing.
 * From the main thread.
 */
void xdp_complaints_listen(void);
const char *xdp_complaints_said(void);

/* Descriptors of the maps of one attached (or, in tests, just loaded) program. */
struct xdp_maps {
	int media;
	int counters;
};

/* Of the program with descriptor prog_fd. -ENOENT: it is not ours. Close with xdp_maps_close(). */
int xdp_maps_of_program(int prog_fd, struct xdp_maps *out, struct err *err);
void xdp_maps_close(struct xdp_maps *maps);

/* The kernel's number of the program that sits on the interface; 0: none. No privilege is needed. */
uint32_t xdp_program_id(int ifindex);

/*
 * 1: a program of ours was taken off; 0: there was none; -EBUSY: there is one, and it is not ours. Without
 * CAP_SYS_ADMIN nobody says whose a program is that another process left: it is ours if it has the number
 * `known` (0: not known), else -EPERM.
 */
int xdp_detach(int ifindex, uint32_t known, struct err *err);

/* Descriptor of our program on the interface, for xdp_keep(). -ENOENT: none, or not ours. */
int xdp_program(int ifindex, struct err *err);
/* 0: that program is on the interface; 1: it had been taken off, and is back; -EBUSY: another one has its
 * place. */
int xdp_keep(int ifindex, int prog_fd);

/* How a program sits on the interface: "native", "generic", "offloaded" or "no". */
const char *xdp_mode(int ifindex);

/* Replaces the media addresses and ranges; an address in both lists never stops being media. */
int xdp_set_media(
	const struct xdp_maps *maps, const struct dp_address *addresses, uint32_t n, struct err *err);

/* Sums over all CPUs. */
int xdp_counters(const struct xdp_maps *maps, uint64_t out[XDP_COUNTERS]);
