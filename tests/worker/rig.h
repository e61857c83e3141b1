/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data plane without a machine: workers over rings, driven by hand with a clock of its own. Frames go in as
 * a peer would send them and come out as a peer would receive them: headers and checksums are built and
 * judged here by code of this file's own. Peers encrypt with lib/srtp/packet.h, which shares neither state
 * nor cipher code with the worker.
 *
 *      peer A (10.0.0.x / fd00::x) --- gateway 10.0.0.1 / fd00::1, ports 20000-29999 --- peer B
 *
 * Ports below RIG_PORTS_1 are worker 0's, the others worker 1's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/control/control.h"
#include "dataplane/worker_private.h"
#include "lib/srtp/packet.h"

#define RIG_WORKERS 2
#define RIG_RING 1024
#define RIG_MESSAGES 2048
#define RIG_SEALED 512
#define RIG_SESSIONS 64
#define RIG_PORTS_1 25000

struct rig {
	struct eal *eal;
	struct rte_mempool *pool;
	struct rte_ring *rx[RIG_WORKERS], *tx[RIG_WORKERS];
	struct port *port;
	struct neighbour *neighbour;
	struct leg_table *table;
	struct worker *w[RIG_WORKERS];
	struct control *control;
	uint64_t now, seq;
	bool refuse_out;                     /* messages are not taken */
	union dp_msg messages[RIG_MESSAGES]; /* what came out, in order */
	unsigned n_messages;
};

/* What a peer received. */
struct datagram {
	struct ip_port source, destination;
	uint8_t ttl, dscp;
	size_t n;
	uint8_t octets[2048];
};

/* Where all that leaves must be sent to: that of the rig's next hops, unless a test has others. */
extern uint8_t rig_next_hop[6];

void rig_lcores(uint32_t n); /* before the first rig_open(): threads besides the test's, for worker_run() */
int rig_open(void **state);  /* cmocka setup: *state is a struct rig, configured */
int rig_close(void **state); /* teardown; fails when frames have leaked */

struct ip_port rig_addr(const char *ip, uint16_t port);

/* Sends a command, runs until it is answered. The result. */
int rig_command(struct rig *r, union dp_msg *m);
/* Keys that the first worker's backend holds. */
uint32_t rig_slots_used(struct rig *r);
/* Does that backend keep keys in legs? Says so when it does not: not with every processor. */
bool rig_keys_in_legs(struct rig *r);
/* Worker w takes n steps of 1 ms. */
void rig_run(struct rig *r, unsigned steps);
/* The newest message of a type since the last rig_forget(), or NULL. */
const union dp_msg *rig_message(const struct rig *r, enum dp_type type);
unsigned rig_count(const struct rig *r, enum dp_type type);
void rig_forget(struct rig *r);

/* DP_CONFIGURE, whole, without addresses; and a range of ports for it. */
union dp_msg rig_configuration(void);
struct dp_address rig_range(const char *ip, uint16_t lower, uint16_t upper, uint8_t worker);

/* Defaults: muxed, one stream, both ways, replay window and SSRCs by default; change what a test is about. */
union dp_msg rig_leg(
	dp_session_id s, uint8_t leg, enum dp_security security, struct ip_port local, struct ip_port remote);
int rig_session(struct rig *r, dp_session_id s, uint32_t worker);
int rig_session_delete(struct rig *r, dp_session_id s);
/* Its legs' silence is reported after so many seconds. It must be worker 0's. */
void rig_media_timeout(struct rig *r, dp_session_id s, uint32_t a, uint32_t b); /* seconds, of each side */

/* The master key that a seed stands for. */
struct secret rig_master(enum srtp_suite suite, unsigned seed);
union dp_msg rig_key(
	dp_session_id s, uint8_t leg, enum dp_key_direction d, enum srtp_suite suite, unsigned seed);
/* Takes a key of side A away. */
void rig_key_retire(struct rig *r, dp_session_id s, enum dp_key_direction d, uint32_t epoch);
/* A peer's half: protects or unprotects with the same master key. */
struct srtp_context *rig_peer(enum srtp_suite suite, unsigned seed, enum srtp_direction d);
/* One that protects, for a peer that speaks as up to 128 SSRCs. */
struct srtp_context *rig_peer_of_many(enum srtp_suite suite, unsigned seed);

/* A datagram arrives at queue q. It is handled with the next rig_run(). */
void rig_send_at(
	struct rig *r, unsigned q, struct ip_port from, struct ip_port to, const void *octets, size_t n);
void rig_send(struct rig *r, struct ip_port from, struct ip_port to, const void *octets, size_t n);
/* A raw frame arrives. */
void rig_send_frame(struct rig *r, const void *frame, size_t n);
/* What left, in order; false: nothing. Fails the test on a wrong checksum or header. */
bool rig_receive(struct rig *r, struct datagram *d);
/* Takes all that left, judged as well; how many. */
unsigned rig_heard(struct rig *r);

/* An RTP packet with n octets of payload that depend on seq; its length. */
size_t rig_rtp(uint8_t *p, uint32_t ssrc, uint16_t seq, uint32_t ts, size_t n);
/* One with 40 octets of payload, 20 ms after the one before, protected; p takes RIG_SEALED octets. */
size_t rig_sealed(struct srtp_context *c, uint8_t *p, uint32_t ssrc, uint16_t seq);
/* A sender report and SDES of ssrc with one report block about `about`. */
size_t rig_sr(uint8_t *p, uint32_t ssrc, uint32_t about, uint32_t ext_seq);

struct leg *rig_leg_state(struct rig *r, dp_session_id s, uint8_t leg);
/* What the control plane is told of a leg; forgets what it was told before. */
const struct dp_stats_leg *rig_leg_stats(struct rig *r, dp_session_id s, uint8_t leg);
uint64_t rig_verdict(struct rig *r, dp_session_id s, uint8_t leg, enum dp_verdict v);
