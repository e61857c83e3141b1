/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card's bench: a simulated device behind the real driver, packets with guard octets around them, and the
 * model's answer for each. Programs here exit 0, or say which packet went wrong and exit 1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/fpga/device.h"
#include "dataplane/fpga/hw_sim.h"
#include "dataplane/fpga/ring.h"
#include "lib/srtp/kdf.h"
#include "srtpdev_regs.h"

#define CHECK(cond, ...)                                                                                     \
	do {                                                                                                 \
		if (!(cond)) {                                                                               \
			fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                      \
			fprintf(stderr, __VA_ARGS__);                                                        \
			fputc('\n', stderr);                                                                 \
			exit(1);                                                                             \
		}                                                                                            \
	} while (0)

#define ROOM 4096         /* octets around a packet, guards included; mapped memory ends behind them */
#define BENCH_BEFORE 2048 /* that are mapped in front of it, so that a page ends in its middle */

struct bench {
	struct fpga_device *dev;
	void *hw;
	uint64_t random;
};

/* A session as the device has it, and its keys as the model needs them. */
struct session {
	struct srtp_session_keys keys;
	struct fpga_context ctx;
};

/* One packet under way. */
struct packet {
	uint8_t *src, *dst; /* ROOM octets each; the packet begins at the offsets */
	uint64_t src_iova, dst_iova;
	size_t src_at, dst_at, len, aad;
	uint8_t op;
	bool in_place, forged;
	uint32_t index;
	uint8_t tag_octets;
	uint8_t before[ROOM]; /* dst as it was */
	uint8_t after[ROOM];  /* dst as it must be if all is well */
	struct session *session;
};

void bench_open(struct bench *b, const char *library, const struct sim_conf *conf);
void bench_close(struct bench *b);
uint32_t bench_below(struct bench *b, uint32_t n);
void bench_fill(struct bench *b, uint8_t *p, size_t n);

extern const enum srtp_suite bench_suites[6];
void bench_session(struct bench *b, struct session *s, enum srtp_suite suite);

void packet_alloc(struct bench *b, struct packet *p);
void packet_free(struct bench *b, struct packet *p);
/* A packet of len octets, aad of them header, for s: filled, protected by the model where op says unprotect.
 */
void packet_make(struct bench *b, struct packet *p, struct session *s, uint8_t op, size_t len, size_t aad);
/* The same with everything random: operation, lengths from short to 2,048, alignment, place, one in eight
 * forged. */
void packet_random(struct bench *b, struct packet *p, struct session *s);
void packet_desc(const struct packet *p, struct fpga_desc *d);
/* The completion and all ROOM octets of dst are as they must be: the result, or when forged, untouched. */
void packet_check(const struct packet *p, const struct fpga_cpl *c);

/* Pushes one descriptor and waits for its completion. */
struct fpga_cpl bench_one(struct bench *b, struct fpga_ring *r, const struct fpga_desc *d);
