/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generator and checker of media: N calls, each with keys, addresses and numbers of its own, from the
 * caller's leg in to the leg out. It builds frames as the callers' peers send them, spoils some where it is
 * asked to, and takes the frames that the gateway sends: every one is authenticated, decrypted and compared
 * octet by octet with what that call must hear. It knows what must come out: what was lost on the way in
 * leaves a gap of its size in the numbers, what was overtaken comes once, what was repeated or forged never.
 * It knows the gateway only by its messages and its frames.
 *
 * Single-threaded; mbufs are the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "lib/base/err.h"
#include "lib/base/secret.h"
#include "lib/msg/dp_msg.h"

#define GEN_SESSIONS_MAX 100000
#define GEN_PAYLOAD_MIN 12 /* octets: the call's number, the packet's, and its place among all */
#define GEN_PAYLOAD_MAX 1400
#define GEN_PENDING (1u << 20) /* packets that may be on their way at once */
#define GEN_DEPTH_MAX 32

/* Where a call's ends are, by side: 0 where its media comes from. Both ends of a leg are of one family. */
struct gen_flow {
	struct ip_port gateway[2], peer[2];
	struct secret
		key; /* master key and salt that the gateway sends with on side 1; len 0: the generator's */
};

enum gen_media {
	GEN_G711,  /* 20 ms of 160 octets (or conf.payload), 50 a second */
	GEN_G729,  /* 20 ms of 20 octets */
	GEN_VIDEO, /* 25 pictures a second in bursts of 3 to 8 packets, now and then 20, up to 1,200 octets */
	GEN_MIX,   /* of ten calls one of video, one of G.729, the others of G.711 */
};

/* "g711", "g729", "video", "mix"; -EINVAL for others. */
int gen_media_parse(const char *name, enum gen_media *out);

/* What is done to packets before the gateway gets them, in percent of them (0 to 90). */
struct gen_impair {
	double loss;    /* never sent */
	double reorder; /* overtaken by 1 to `depth` packets of the call and side, of their kind */
	double replay;  /* behind them an earlier such packet comes again, unchanged */
	double forge; /* before them comes a copy: with a bad tag to a secure leg, from a stranger to a plain
			 one */
	uint32_t depth; /* 0: 4; at most GEN_DEPTH_MAX */
};

struct gen_conf {
	const struct gen_flow *flows; /* of each session, the caller's; NULL: the generator's own addresses */
	uint32_t sessions;
	enum gen_media media;
	uint16_t payload; /* octets of G.711's RTP payload; 0: 160 */
	uint32_t rtcp;    /* each call's sender and listener report at every N-th of its turns; 0: never */
	enum srtp_suite in, out; /* SRTP_SUITE_NONE: that leg is plain */
	uint32_t worker; /* that owns the sessions: their addresses and ids are apart from other workers' */
	bool ipv6[2];    /* by side: the generator's own addresses are of IPv6 */
	struct gen_impair impair;      /* of RTP */
	struct gen_impair impair_rtcp; /* of reports, both sides' */
	uint64_t seed;                 /* which packets: the same of the same */
	uint8_t gateway_mac[2][6];     /* by side */
};

struct gen_stats {
	uint64_t sent;      /* RTP that the gateway is to relay */
	uint64_t good;      /* came back, once, with the right content and numbers */
	uint64_t bad_frame; /* not a sound frame of IP and UDP from the right port to the right one */
	uint64_t bad_auth;  /* did not authenticate (a clear packet on a secure leg is one, too) */
	uint64_t bad_rtp;   /* sequence number, SSRC or timestamp are not this packet's */
	uint64_t bad_content;
	uint64_t twice;     /* came out again, or were never sent */
	uint64_t overtaken; /* came behind one that was sent later */
	/* done to them */
	uint64_t lost, reordered, replayed, forged;
	/* reports: of both directions */
	uint64_t rtcp_sent, rtcp_good, rtcp_bad;
	uint64_t rtcp_again; /* came out a second time: on a plain leg nobody can tell a repeated report */
	uint64_t rtcp_lost, rtcp_reordered;
	uint64_t rtcp_replayed[2], rtcp_forged[2]; /* by the side that they were sent to */
	uint64_t octets;                           /* of RTP that was sent, from its header to its tag */
};

struct gen; /* opaque */

int gen_open(const struct gen_conf *conf, struct gen **out, struct err *err); /* -EINVAL, -ENOMEM, -EIO */
void gen_close(struct gen *g); /* wipes every key; NULL is ignored */

/*
 * Programs the gateway: configuration, sessions, legs, keys. command() gets each message and returns the
 * gateway's answer to it; the first failure ends it. conf.worker owns the
 * sessions; generators of several workers have as many each and program in the order of their workers.
 */
int gen_program(struct gen *g, int (*command)(void *user, union dp_msg *m), void *user, struct err *err);
/* Takes the sessions away again. */
int gen_withdraw(struct gen *g, int (*command)(void *user, union dp_msg *m), void *user, struct err *err);

/* The next packets that are built are those after the first `packets` turns of each call. 0 or -EIO. */
int gen_skip(struct gen *g, uint32_t packets);

/*
 * Fills n empty mbufs with the next frames, one call's turn after the other's in a shuffled order; mbuf->port
 * is the side that sends it. 0 or -EIO.
 */
int gen_build(struct gen *g, struct rte_mbuf **frames, unsigned n);

/* What is left at the end: packets that others were to overtake. How many of n mbufs it filled; 0: all is
 * out. */
unsigned gen_drain(struct gen *g, struct rte_mbuf **frames, unsigned n);

/*
 * Judges a frame that the gateway sent; the mbuf's content is decrypted in place. Which frame it was when it
 * was sent, counted from 0 over all that gen_build() and gen_drain() gave; -1: none, it was wrong, or a
 * report.
 */
int64_t gen_verify(struct gen *g, struct rte_mbuf *frame);

uint32_t gen_calls(const struct gen *g);

/* Reports that were sent a second time to a plain leg: they must come out a second time. */
uint64_t gen_reports_again(const struct gen *g);

/* Frames that must come back of what was sent so far. */
uint64_t gen_wanted(const struct gen *g);

const struct gen_stats *gen_stats(const struct gen *g);

/*
 * Is all as it must be: every packet came back, none twice, none that was forged or repeated, and did the
 * gateway count what was done to them, and nothing else, between two looks at its counters (NULL: nobody can
 * look)? tolerance: parts of one of the packets that a transport may lose. -EBADMSG: err is the one line that
 * says what is not.
 */
int gen_judge(const struct gen *g, const struct dp_stats_global *before, const struct dp_stats_global *after,
	double tolerance, struct err *err);
