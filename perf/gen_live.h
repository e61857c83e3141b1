/* SPDX-License-Identifier: Apache-2.0 */
/*
 * srtpgw-gen over sockets: one side of many calls through a gateway that runs elsewhere. Whoever does the
 * signalling says on stdin where each call's media goes and which keys the SDP brought; every packet that
 * comes is authenticated, decrypted and compared with what the same call sends on the other side. Needs no
 * DPDK.
 */
#pragma once

#include <stdint.h>

#include "lib/base/netaddr.h"
#include "lib/srtp/packet.h"

#define LIVE_CALLS_MAX 4096
#define LIVE_PAYLOAD 160
#define LIVE_PACKET_MAX 512
#define LIVE_HELD 64 /* packets that no key opens yet: they may be faster than the answer with the key */
#define LIVE_SEEN 65536

struct live_held {
	uint16_t n; /* octets; 0: free */
	uint8_t packet[LIVE_PACKET_MAX];
};

/* What became of what a call's socket heard. */
struct live_stats {
	uint64_t sent, good;
	uint64_t copies;      /* the same packet again */
	uint64_t foreign;     /* opened, and not what this call's other side sends */
	uint64_t clear;       /* readable, where a key is set */
	uint64_t unopened;    /* no key opened them, and none will */
	uint64_t first, last; /* numbers of the other side's packets */
};

/* One side of a call. */
struct live_end {
	uint32_t call;
	int fd; /* -1: there is no such call */
	bool sending;
	struct ip_port remote;
	struct srtp_context *tx, *rx[2]; /* rx: the newest first; NULL: none */
	bool plain; /* RTP in the clear was agreed; else what comes before its key waits for it */
	uint16_t seq;
	uint32_t ts, ssrc;
	struct live_stats stats;
	struct live_held held[LIVE_HELD];
	unsigned next_held;
	uint8_t seen[LIVE_SEEN / 8];
};

/* side: 0 or 1; the other process has the other. */
int live_end_open(struct live_end *e, uint32_t call, const struct ip_port *local);
void live_end_close(struct live_end *e); /* wipes its keys */
/* The newest key of a direction; hex is the master key and salt. -EINVAL, -ENOMEM. */
int live_end_key(struct live_end *e, unsigned side, bool tx, const char *suite, const char *hex);
void live_end_send(struct live_end *e, unsigned side);
void live_end_hear(struct live_end *e, unsigned side); /* all that is there */
/* What is held has no hope any more. */
struct live_stats live_end_stats(const struct live_end *e);

/* Serves stdin until it ends. rate: packets a second and call. An exit code. */
int live_run(unsigned side, unsigned rate);
