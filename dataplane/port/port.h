/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports: where media enters and leaves the data plane. One struct port is one DPDK ethdev with one queue per
 * worker, over a kernel interface (AF_XDP, AF_PACKET) or without one: a DPDK device that this process has for
 * itself, and ring and null for tests and benches. The
 * gateway may stand with one interface for both sides or with several: keep them in one table and give
 * each its place there (conf.index); neighbour.h names ports by that place.
 *
 * What arrives. AF_XDP: this project's XDP program lifts only UDP to the media addresses and ports given to
 * port_set_media() and leaves all else to the kernel. AF_PACKET: every frame arrives, as a copy; the kernel
 * handles its own and is kept (nftables) from answering media. In both cases whatever is no media of ours
 * is to be freed by the worker and counted, nothing more: the kernel has it.
 *
 * Received UDP checksums are unverified (veth and virtual NICs hand over unfinished ones), see checksum.h,
 * but where a device has verified one and says so in the frame. Sent frames must carry complete checksums,
 * but at a port with tx_checksums, which completes those that its flags ask for.
 *
 * Threads: open, set_media, keep, stats, close from the main thread. port_rx() and port_tx(): queue q belongs
 * to worker q alone. Nothing else of a port changes between open and close.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <net/if.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "lib/base/err.h"
#include "lib/msg/dp_msg.h"

#define PORTS_MAX DP_PORTS_MAX
#define PORT_BURST 32                 /* frames per port_rx() call that the ports are tuned for */
#define PORT_DESCRIPTORS 2048         /* default per queue and direction */
#define PORT_MEDIA_MAX 4096           /* address-and-range entries of port_set_media() */
#define PORT_MEDIA_ADDRESSES_MAX 1024 /* different addresses among them */

enum port_kind { PORT_AUTO, PORT_AF_XDP, PORT_AF_PACKET, PORT_RING, PORT_NULL, PORT_DEVICE };

/* "auto", "af_xdp", "af_packet", "ring", "null", "device"; -EINVAL for others. */
int port_kind_parse(const char *name, enum port_kind *out);
const char *port_kind_name(enum port_kind kind);

struct port_conf {
	enum port_kind kind; /* AUTO: AF_XDP, else AF_PACKET */
	/* kernel interface; device: its arguments, as DPDK's --vdev or --allow has them,
	 * "net_memif0,role=server" or "0000:3b:00.0" (which eal_start() must have been given); ring, null:
	 * any name of up to 15 letters and digits */
	const char *interface;
	uint16_t index;           /* place in the caller's table, below PORTS_MAX */
	uint16_t queues;          /* one per worker; 0: 1 */
	uint16_t descriptors;     /* a power of two; 0: PORT_DESCRIPTORS */
	struct rte_mempool *pool; /* for received frames, from port_pool_create(); shared by all ports */
	const char
		*notes; /* AF_XDP: prefix of the files of xdp/note.h, good until port_close(); NULL: none */
	bool zero_copy; /* AF_XDP: let the driver try zero-copy; false: copy mode, which works everywhere */
	/* PORT_RING: frames arrive from rx_rings[q] and leave by tx_rings[q]; the caller owns the rings. */
	struct rte_ring **rx_rings, **tx_rings;
	struct rte_ether_addr mac; /* PORT_RING, PORT_NULL; zero: one is made up from index */
};

struct port_private;

/* Read-only for everyone but port.c. */
struct port {
	uint16_t id;    /* DPDK's number of the ethdev */
	uint16_t index; /* as given in conf */
	uint16_t queues;
	uint16_t mtu;        /* octets of IP packet */
	enum port_kind kind; /* what it became, never PORT_AUTO */
	bool tx_checksums;   /* the device makes those of IPv4 headers and UDP; else nobody does */
	int ifindex;         /* kernel's number; 0 without interface */
	struct rte_ether_addr mac;
	char interface[IF_NAMESIZE];
	char report[256]; /* how and why, for one log line: "af_xdp, copy mode, 1 queue", or why not af_xdp */
	struct port_private *private;
};

struct port_stats {
	uint64_t rx_packets, rx_octets, tx_packets, tx_octets; /* frames */
	uint64_t rx_missed; /* dropped by kernel or NIC: a worker was too slow */
	uint64_t rx_errors, rx_no_mbuf, tx_errors;
	uint64_t to_kernel; /* AF_XDP: frames left to the kernel */
	uint64_t fragments; /* AF_XDP: among them, IPv4 or IPv6 fragments to media addresses */
	bool link_up;
};

/*
 * Mempool of n frames (data room RTE_MBUF_DEFAULT_BUF_SIZE: 128 headroom, 1518 of frame, the rest is
 * tailroom for tags). An AF_XDP port keeps about 3 * descriptors of them, and takes only a pool that is one stretch of
 * memory, as it is unless memory is short, or devices see physical addresses. -ENOMEM.
 */
int port_pool_create(uint32_t n, struct rte_mempool **out, struct err *err);

/*
 * Opens and starts a port; it then receives nothing until port_set_media(). Removes what a killed
 * predecessor left on the interface (XDP program, nftables table). -EBUSY: another live instance or a
 * foreign XDP program has the interface; -ENODEV: no such interface; -EPERM, -ENOMEM, -EINVAL, -EIO; err
 * always says which and what to do. *out is written on success only; the port is freed by port_close().
 */
int port_open(const struct port_conf *conf, struct port **out, struct err *err);

/*
 * Media addresses and port ranges, the whole list, replacing the one before without a gap for those in both.
 * Give every port the whole list. n = 0: nothing is media. -E2BIG, -EIO; on failure the list before holds
 * (AF_XDP: or a part of the new one). Ports without interface ignore it.
 */
int port_set_media(struct port *port, const struct dp_address *addresses, uint32_t n, struct err *err);

int port_stats(const struct port *port, struct port_stats *out);

struct port_link {
	bool up;
	uint32_t mbit_s; /* 0: not known */
	const char *why; /* not up, and neither the cable nor its other end is to blame; NULL otherwise */
	bool replaced;   /* not up, and will never be again: another interface, which can be opened, has its
			    name */
};

/*
 * Is there a link? Of a kernel interface, what the kernel says of it: DPDK's drivers for AF_XDP and AF_PACKET call
 * theirs up as long as they run. An interface that is gone has none.
 */
struct port_link port_link(const struct port *port);

/* To be called now and then: what others took off the port's interface is put back, where nobody else has its
 * place. */
void port_keep(struct port *port);

/* What becomes readable when queue q has a packet: the port's, valid until port_close(). -1: the port has no such
 * descriptor. */
int port_fd(const struct port *port, uint16_t q);

/* Stops, frees, and takes the XDP program and the nftables table off. NULL is ignored. */
void port_close(struct port *port);

/* Up to n frames of queue q into frames; they are the caller's. */
static inline uint16_t port_rx(const struct port *port, uint16_t q, struct rte_mbuf **frames, uint16_t n)
{
	return rte_eth_rx_burst(port->id, q, frames, n);
}

/* Hands frames over; the first k (returned) are the port's, the rest stay the caller's to send again or free.
 */
static inline uint16_t port_tx(const struct port *port, uint16_t q, struct rte_mbuf **frames, uint16_t n)
{
	return rte_eth_tx_burst(port->id, q, frames, n);
}
