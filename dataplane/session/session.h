/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions, legs, keys and sources: the state behind a packet. All of it belongs to one worker, which alone
 * reads and writes it; the main thread speaks to it by commands (mailbox.h).
 *
 * A leg's keys. rx holds up to three receive keys in three fixed places, told apart by their role; tx one. A
 * key occupies a slot of the crypto backend from its load until it is wiped. An era is an index space: a key
 * that came with fresh_index begins a new one, one without shares that of the key before it; ROC and replay
 * window of an SSRC belong to (SSRC, era).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>

#include "dataplane/batch.h"
#include "dataplane/dp_clock.h"
#include "dataplane/guard.h"
#include "dataplane/leaving.h"
#include "dataplane/nexthop/neighbour.h"
#include "dataplane/session/leg_memory.h"
#include "dataplane/srtp_layout.h"
#include "lib/msg/dp_msg.h"
#include "lib/srtp/renumber.h"
#include "lib/srtp/replay.h"

#define SSRC_MAX_DEFAULT 8
#define SSRC_MAX_LIMIT 64
#define REPLAY_WINDOW_DEFAULT 1024
#define RTCP_WINDOW 128 /* SRTCP indexes that may come late; reports are seconds apart */
#define RETIRED_MAX 64  /* SSRCs per leg that gave way to others under keys still in use */
#define RX_GONE_MAX 8
#define STREAM_NONE 0xff

struct worker;
struct command;
struct held;
struct leg_ice;

enum key_role { KEY_NONE, KEY_CURRENT, KEY_NEXT, KEY_PREVIOUS };

/* Of a key what RTP without MKI does not need. */
struct leg_key_more {
	uint64_t packets_max; /* hard; never above the suite's */
	/* of one that has credit: what its leg had sent or received of octets before, less what it sealed and
	 * was not sent; and the credit that it was given. leg_tx_settle(), leg_rx_settle() */
	uint64_t octets_before;
	uint32_t credit;
	uint64_t rtcp_packets, rtcp_packets_max;
	uint64_t until; /* ns: a PREVIOUS one is wiped then */
	const struct srtp_suite_info *info;
	uint8_t mki[DP_MKI_MAX];
	uint8_t salt[SRTP_SALT_MAX]; /* the session salt of RTP: as good as the master's name, and no secret
				      */
};

struct leg_key {
	uint8_t role;  /* enum key_role */
	uint8_t suite; /* enum srtp_suite */
	uint8_t mki_len;
	uint8_t reported; /* bit 1 << enum dp_limit: the event went out */
	uint32_t era;
	uint32_t slot; /* of the crypto backend */
	uint32_t epoch;
	struct srtp_layout rtp; /* of its packets */
	uint64_t packets, octets;
	uint64_t soft_packets, soft_octets; /* UINT64_MAX: none; packets: never above more->packets_max */
	struct leg_key_more *more;          /* the place's: keys come and go, it stays */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct leg_key) == 64, "a cache line");

/* One SSRC heard on a leg. On a secure leg it exists once a packet of it has authenticated. */
struct source {
	uint32_t ssrc;
	uint32_t era;
	bool used;
	bool rtp;         /* RTP was heard, not RTCP alone */
	uint8_t stream;   /* of the leg, or STREAM_NONE */
	uint32_t transit; /* RFC 3550 A.8: arrival - timestamp, in units of the clock */
	uint32_t jitter;  /* the same, times 16 */
	uint32_t clock_hz;
	uint32_t base;     /* first index counted, of it the lower half */
	uint32_t received; /* packets from there on */
	uint32_t octets;   /* of all its packets, since leg_far.rx_octets was added to */
	uint32_t heard_ms; /* worker.now_ms */
	/* Of RTP. On a plain leg its end alone: the highest index, estimated as on a secure one, + 1.
	 * SRTCP's: leg_rtcp_window(). */
	struct srtp_replay window;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct source) == 64, "a cache line");

/*
 * What stays of a secure source whose place another SSRC took: enough to accept no packet twice and to go on
 * with its index when it comes back.
 */
struct retired_source {
	uint32_t ssrc, era;
	uint64_t rtp_end;  /* highest index + 1; 0: none */
	uint64_t rtcp_end; /* the same of SRTCP */
};

/* A limit that a key has reached, and the key's state then: for the event. */
struct leg_limit {
	uint8_t limit; /* enum dp_limit */
	uint32_t epoch;
	uint64_t packets, octets;
};

/* What a leg spends in a second on packets that prove nothing yet. */
struct leg_budget {
	uint64_t at; /* ns: when the second began */
	/* [0]: from sources and SSRCs that may be anybody's; [1]: that were heard before. A stranger who
	 * knows neither cannot use the second up, so a peer that moves is heard all the same. */
	uint32_t trials[2]; /* authentications of packets from unknown addresses */
	uint32_t punts[2];  /* datagrams for the control plane */
};

/* One m-line's media on a leg: what every packet needs of it. */
struct stream {
	struct departure *to; /* of the leg on the other side that has the stream too, its twin; or NULL */
	uint32_t clock_hz;
	uint8_t twin_stream;
	uint8_t direction : 2;      /* enum dp_direction */
	bool relays : 1;            /* it receives and its twin sends */
	bool limits_extensions : 1; /* as stream_conf says: not every header extension leaves here */
	bool named : 1;             /* as stream_conf says: what leaves here carries the MID */
	bool names : 1;             /* its twin does so, under BUNDLE: a look at this leg alone */
	uint8_t feedback;           /* enum rtcp_feedback: what leaves by this leg */
};

/* Counters that few packets touch; those of RTP that is relayed lie with what it needs anyway. */
struct leg_counters {
	uint64_t auth_failures;         /* under the current key */
	uint64_t rx_packets, rx_octets; /* RTP: what its sources do not count any more. leg_rx_packets() */
	uint64_t tx_packets, tx_octets; /* RTP: what struct leaving does not count. leg_tx_packets() */
	uint64_t rx_rtcp;
	uint64_t verdicts[DP_VERDICTS_MAX]; /* but DP_V_RELAYED: leg_verdict() */
};

enum leg_event {
	LEG_EVENT_TIMEOUT = 1 << 0,
	LEG_EVENT_REMOTE = 1 << 1,
	LEG_EVENT_CHECKPOINT = 1 << 2,
	LEG_EVENT_LIMIT_RX = 1 << 3,
	LEG_EVENT_LIMIT_TX = 1 << 4,
	LEG_EVENT_CONSENT = 1 << 5,
	LEG_EVENT_ATTACK = 1 << 6,
};

/* Where packets to a remote go; one for RTP, one for RTCP on its own port. */
struct path {
	struct ip_port local, remote; /* remote.ip.family IP_NONE: not known */
	struct neighbour_ref hop;
};

/* Bits of leg.due: what is done once all packets of the batch are opened. */
enum leg_due {
	LEG_DUE_ROTATE = 1 << 0, /* NEXT has opened a packet: it becomes current */
	LEG_DUE_GROW = 1 << 1,   /* no room is left for another SSRC */
};

/* Bits of leg.learned. */
enum leg_path_bit { LEG_PATH_RTP = 1 << 0, LEG_PATH_RTCP = 1 << 1 };

/*
 * What few packets need of a leg. Behind it is the block with most of its SSRCs' memory (leg_memory.h).
 */
struct leg_far {
	struct leg_counters count;
	uint8_t side;
	uint8_t events;              /* enum leg_event: not reported yet */
	bool queued;                 /* in the worker's list of legs with events */
	struct path rtcp;            /* unused with RTCP_MUX */
	struct ip_port signalled[2]; /* remotes of rtp and rtcp as the control plane said them */
	struct ip_port also;         /* where rtp is heard besides its own port; family IP_NONE: nowhere */
	struct session *session;
	struct leg_ice *ice; /* NULL: never had any. From and back to the main thread */
	uint32_t replay_window;
	uint8_t ssrc_max, ssrc_limit; /* SSRCs that there is room for now, and that there may be */
	uint8_t streams_max;          /* that stream_conf has room for */
	uint8_t memory_of;            /* enum leg_memory_of: what sources and the rest are in */

	/* leg.heard_ms, as long as it is aside_ms, is not what RTP's path was heard last: media_ms is. */
	uint32_t aside_ms, media_ms;

	struct leg_guard guard;
	struct leg_budget budget;
	struct retired_source *retired; /* n_retired of at most RETIRED_MAX; NULL: none */
	uint32_t n_retired;

	TAILQ_HEAD(, held) hold; /* oldest first */
	STAILQ_ENTRY(leg) next_event;

	/* read when sources appear and by the control plane */
	uint32_t era;                  /* of the newest receive key */
	uint32_t tx_epoch_last;        /* a transmit key that was retired never comes back */
	uint32_t rx_gone[RX_GONE_MAX]; /* nor does a receive key: the last epochs that were wiped */
	uint32_t n_rx_gone;            /* ever; the next place is this, modulo */
	bool tx_any;
	struct leg_limit limit_rx, limit_tx;
	uint32_t checkpoint_ssrc, checkpoint_roc;
	uint32_t newest_ssrc;          /* heard last for the first time */
	int64_t lost_before;           /* packets lost by sources that are no longer held */
	struct dp_stream *stream_conf; /* n_streams of them */
	TAILQ_ENTRY(leg) overlap;      /* in worker.overlaps, as long as there is a PREVIOUS key */
	TAILQ_ENTRY(leg) half;         /* in worker.leg_halves, as long as only the leg beside is used */

	struct renumber renumber; /* what the leg sends */
	uint64_t tx_rtcp, clear_out;

	struct srtp_replay *rtcp_windows; /* of each source; leg_memory.h */
	struct leg_key_more rx_more[DP_KEY_SLOTS], tx_more;

	/* Those from the second on: leg_source(), leg_stream(), leg_rx(). */
	struct source *sources; /* ssrc_max - 1; leg_memory.h */
	struct stream streams[DP_STREAMS_MAX - 1];
	struct leg_key rx[DP_KEY_SLOTS - 1];
} __attribute__((aligned(64)));

/*
 * What RTP that leaves by a leg touches: on a secure leg the backend's key, too, over IPv6 the path. What is
 * known of the key is for all else.
 */
struct departure {
	struct leaving leaving;
	struct renumber_slot slot;          /* the first of its numbering slots */
	uint8_t tx_key[CRYPTO_NEAR_OCTETS]; /* the backend's, of slot leg_near_tx() */
	struct path path __attribute__((aligned(64)));
	uint8_t dscp;
	struct leg_key tx; /* its packets and octets: as of the last leg_tx_settle() */
};

/*
 * What a packet touches of a leg lies together, ordered by who touches it, a cache line (64 octets) at a
 * time: at tens of thousands of legs each line costs a packet a look into memory, each page another, and
 * lines side by side less than lines apart. The leg on the other side of a call most often has the place
 * beside: so what that one needs of RTP that arrives here and leaves there lies here. In order: on a secure
 * leg the key; then of every leg the source, and a line of what else there is of the leg; and of the leg
 * beside what struct departure says. What is known of the key is for packets with an MKI, and for re-keys.
 * The keys themselves lie there where the backend keeps them so (crypto_near). fetch.c brings these near;
 * what else there is may be far.
 */
struct leg {
	struct leg_key rx; /* the first of its receive keys: the current one but for every other re-key */
	uint8_t rx_key[CRYPTO_NEAR_OCTETS]; /* the backend's, of slot leg_near_rx() */
	struct source source;               /* the first of its sources */

	struct leg_far *far;
	struct stream stream; /* the first */
	/* leg_rtp(leg)->remote once more, without what fills it up: remote_changed() */
	uint8_t remote_octets[16];
	uint16_t remote_port;
	uint8_t remote_family;
	/* Of rx, while it is the current key and has no MKI: then leg_rx_is_near(). */
	uint8_t rx_era; /* the lowest octet */
	uint32_t rx_slot;
	uint16_t rx_credit;       /* packets that it may open before leg_rx_settle() looks at its limits */
	uint8_t rx_suite : 4;     /* NONE: not so now */
	uint8_t rx_tag_pairs : 4; /* octets of the tag, halved */
	uint8_t flags;            /* enum dp_leg_flags */
	uint32_t heard_ms;        /* worker.now_ms: last accepted packet, or when listening began */
	uint16_t relayed;         /* packets with verdict DP_V_RELAYED, the lowest bits: leg_verdict() */
	bool used : 1;
	bool attended : 1; /* leg_tick() is to look at its keys and its ICE */
	bool timed_out : 1;
	bool heard_any : 1;
	uint8_t due : 2;      /* enum leg_due */
	uint8_t learned : 2;  /* enum leg_path_bit: plain: that remote is settled and holds */
	uint8_t security : 1; /* enum dp_security */
	uint8_t learn : 2;    /* enum dp_learn */
	bool guarded : 1;     /* there is a budget for authentications: guard.h */
	bool seals : 1;       /* what it relays leaves a secure leg; of several streams the first's */
	uint8_t number : 4;
	uint8_t n_streams : 4;
	uint8_t held;        /* packets that wait for a key */
	uint8_t hops_held;   /* packets that wait for a next hop */
	uint8_t last_source; /* number of the last packet's: most likely the next one's */

	struct departure beside; /* of the leg beside: leg_departure() */
} __attribute__((aligned(64)));
#define LEG_LINES 11
_Static_assert(sizeof(struct leg) == LEG_LINES * 64 && offsetof(struct leg, rx_key) == 64 &&
		       offsetof(struct leg, far) == offsetof(struct leg, source) + 64 &&
		       offsetof(struct leg, beside) == offsetof(struct leg, far) + 64 &&
		       offsetof(struct departure, tx) == sizeof(struct departure) - 64,
	"lines are where they are said to be");
_Static_assert(DP_LEGS_MAX <= 16 && DP_STREAMS_MAX < 16 && SRTP_SUITE_COUNT <= 16 && DP_LEARN_AUTHENTIC < 4 &&
		       DP_LEG_KEYS_PENDING <= UINT8_MAX,
	"numbers have room");
_Static_assert(LEG_LINES % 2, "of two legs side by side the first is on 128 octets, the second is not");

/* The leg on the other place of the pair, in use or not: places are taken in pairs, from 128 octets on. */
static inline struct leg *leg_beside(const struct leg *leg)
{
	return (struct leg *)leg + 1 - 2 * ((uintptr_t)leg >> 6 & 1);
}

static inline struct departure *leg_departure(const struct leg *leg)
{
	return &leg_beside(leg)->beside;
}

static inline struct leg *departure_leg(const struct departure *d)
{
	return leg_beside((const struct leg *)((const uint8_t *)d - offsetof(struct leg, beside)));
}

/* NULL: there is none. */
static inline struct leg *stream_twin(const struct stream *s)
{
	return s->to ? departure_leg(s->to) : NULL;
}

static inline struct leg *packet_out(const struct packet *p)
{
	return departure_leg(p->to);
}

static inline struct leaving *leg_leaving(const struct leg *leg)
{
	return &leg_departure(leg)->leaving;
}

static inline struct leg_key *leg_tx(const struct leg *leg)
{
	return &leg_departure(leg)->tx;
}

static inline struct path *leg_rtp(const struct leg *leg)
{
	return &leg_departure(leg)->path;
}

/* A leg's sources, receive keys and streams by number; like strchr(), not to be written to when the leg is
 * not. */
static inline struct source *leg_source(const struct leg *leg, unsigned i)
{
	return likely(i == 0) ? (struct source *)&leg->source : &leg->far->sources[i - 1];
}

static inline struct srtp_replay *leg_rtcp_window(const struct leg *leg, const struct source *s)
{
	return &leg->far->rtcp_windows[s == &leg->source ? 0 : s - leg->far->sources + 1];
}

static inline struct leg_key *leg_rx(const struct leg *leg, unsigned i)
{
	return likely(i == 0) ? (struct leg_key *)&leg->rx : &leg->far->rx[i - 1];
}

/* The other way round. */
static inline uint8_t leg_source_number(const struct leg *leg, const struct source *s)
{
	return s == &leg->source ? 0 : (uint8_t)(s - leg->far->sources + 1);
}

static inline uint8_t leg_rx_number(const struct leg *leg, const struct leg_key *k)
{
	return k == &leg->rx ? 0 : (uint8_t)(k - leg->far->rx + 1);
}

static inline struct stream *leg_stream(const struct leg *leg, unsigned i)
{
	return likely(i == 0) ? (struct stream *)&leg->stream : &leg->far->streams[i - 1];
}

/* Of enum dp_direction: what any of its streams does. */
static inline unsigned leg_directions(const struct leg *leg)
{
	unsigned all = 0;

	for (unsigned i = 0; i < leg->n_streams; i++)
		all |= leg_stream(leg, i)->direction;
	return all;
}

struct session {
	dp_session_id id; /* 0: unused */
	uint32_t n_legs;
	uint32_t media_timeout_s[2]; /* of each side; 0: as configured */
	struct leg *legs[DP_LEGS_MAX];
};

/*
 * Commands, applied by the worker between iterations, when no crypto job is in flight. 0 or a negative errno
 * value; c->reason then holds one line. Each is idempotent.
 */
int session_add(struct worker *w, struct command *c);
int session_leg_update(struct worker *w, struct command *c);
int session_key_add(struct worker *w, struct command *c);
int session_key_retire(struct worker *w, struct command *c);
int session_del(struct worker *w, struct command *c);
int session_stats(struct worker *w, struct command *c);

/* NULL when there is none of that id. */
struct session *session_find(struct worker *w, dp_session_id id);

/* Packets that arrived on the leg and had this verdict. */
static inline uint64_t leg_verdict(const struct leg *leg, enum dp_verdict v)
{
	return leg->far->count.verdicts[v] + (v == DP_V_RELAYED ? leg->relayed : 0);
}

/* Another one. */
static inline void leg_verdict_count(struct leg *leg, enum dp_verdict v)
{
	if (likely(v == DP_V_RELAYED && ++leg->relayed))
		return;
	leg->far->count.verdicts[v] += v == DP_V_RELAYED ? UINT16_MAX + 1 : 1;
}

/* The path that a packet came by or leaves by. */
static inline struct path *leg_path(struct leg *leg, bool rtcp)
{
	return rtcp && !(leg->flags & DP_LEG_RTCP_MUX) ? &leg->far->rtcp : leg_rtp(leg);
}

static inline uint8_t leg_path_bit(const struct leg *leg, const struct path *path)
{
	return path == &leg->far->rtcp ? LEG_PATH_RTCP : LEG_PATH_RTP;
}

/* leg_rtp(leg)->remote is another one. */
static inline void remote_changed(struct leg *leg)
{
	const struct ip_port *remote = &leg_rtp(leg)->remote;

	leg->remote_family = remote->ip.family;
	leg->remote_port = remote->port;
	memcpy(leg->remote_octets, remote->ip.octets, sizeof leg->remote_octets);
}

/* For every packet: no call, no branch. */
static inline __attribute__((always_inline)) bool leg_remote_is(
	const struct leg *leg, const struct ip_port *a)
{
	uint64_t x[2], y[2];

	memcpy(x, leg->remote_octets, sizeof x);
	memcpy(y, a->ip.octets, sizeof y);
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (uint64_t)(leg->remote_port ^ a->port) |
		 (uint64_t)(leg->remote_family ^ a->ip.family));
}

/* Nanoseconds since a packet was accepted, in whole milliseconds. */
static inline uint64_t leg_silent_ns(const struct leg *leg, uint32_t now_ms)
{
	return (uint64_t)(now_ms - leg->heard_ms) * NS_PER_MS;
}

/* The leg begins to listen, or is heard by RTCP's own port: that is nothing of RTP's path. */
static inline void leg_heard_aside(struct leg *leg, uint32_t now_ms)
{
	if (leg->heard_ms != leg->far->aside_ms)
		leg->far->media_ms = leg->heard_ms;
	leg->heard_ms = leg->far->aside_ms = now_ms;
}

/* Since a packet by RTP's path was accepted. */
static inline uint32_t leg_media_silent_ms(const struct leg *leg, uint32_t now_ms)
{
	return now_ms - (leg->heard_ms == leg->far->aside_ms ? leg->far->media_ms : leg->heard_ms);
}

/* Packets by that path go there from now on. */
static inline void path_remote_set(struct leg *leg, struct path *path, const struct ip_port *remote)
{
	path->remote = *remote;
	path->hop = (struct neighbour_ref){0};
	remote_changed(leg);
	leaving_forget(leg_leaving(leg));
}

static inline bool leg_source_is(const struct source *s, uint32_t ssrc, uint32_t era)
{
	return s->ssrc == ssrc && s->era == era && s->used;
}

/* The source of (ssrc, era), or NULL. The last one's most times. */
struct source *leg_source_search(struct leg *leg, uint32_t ssrc, uint32_t era);
static inline struct source *leg_source_find(struct leg *leg, uint32_t ssrc, uint32_t era)
{
	struct source *s = leg_source(leg, leg->last_source);

	return likely(leg_source_is(s, ssrc, era)) ? s : leg_source_search(leg, ssrc, era);
}
/* One that is free now, or NULL: the one silent longest gives way when it is silent for a second; on a secure
 * leg as long as there is room to remember what it received. */
struct source *leg_source_new(struct worker *w, struct leg *leg, uint32_t ssrc, uint32_t era);

/* Has RTP of this SSRC been heard? */
bool leg_source_streams(const struct leg *leg, uint32_t ssrc);
/* What is remembered of a source that gave way, or NULL. */
const struct retired_source *leg_retired_find(const struct leg *leg, uint32_t ssrc, uint32_t era);
/* A new second: budgets are whole again. */
static inline void leg_budget_renew(struct leg_budget *b, uint64_t now)
{
	if (now - b->at >= NS_PER_S)
		*b = (struct leg_budget){.at = now};
}

/* Packets of s that were expected and did not come; negative with duplicates (RFC 3550 appendix A.3). */
int64_t source_lost(const struct source *s);
/* What s has counted is the leg's alone from now on. */
void source_settle(struct leg *leg, struct source *s);
/* RTP that arrived on the leg and was accepted. */
uint64_t leg_rx_packets(const struct leg *leg);
uint64_t leg_rx_octets(const struct leg *leg);

/* RTP that left by the leg. */
static inline uint64_t leg_tx_packets(const struct leg *leg)
{
	return leg->far->count.tx_packets + leg_leaving(leg)->packets;
}

static inline uint64_t leg_tx_octets(const struct leg *leg)
{
	return leg->far->count.tx_octets + leg_leaving(leg)->octets;
}

/* p, RTP, is on its way out: counted, until it turns out that it was not sent (leg_tx_undone()). */
static inline void leg_tx_count(struct packet *p)
{
	struct leaving *l = &p->to->leaving;

	p->departs = true;
	if (unlikely(__builtin_add_overflow(l->packets, 1, &l->packets)))
		packet_out(p)->far->count.tx_packets += UINT64_C(1) << 32;
	if (unlikely(__builtin_add_overflow(l->octets, p->clear_len, &l->octets)))
		packet_out(p)->far->count.tx_octets += UINT64_C(1) << 32;
}

/* A packet of so many octets that was counted. */
void leg_tx_undone(struct leg *leg, uint16_t octets);
/* A key's packets and octets are worked out, its limits looked at; new credit. Of the transmit key, and of rx
 * when leg_rx_is_near(). */
void leg_tx_settle(struct worker *w, struct leg *leg);
void leg_rx_settle(struct worker *w, struct leg *leg);

/* Is all that RTP needs to know of the current receive key in leg->rx_era and what follows it? */
static inline bool leg_rx_is_near(const struct leg *leg)
{
	return leg->rx_suite != SRTP_SUITE_NONE;
}

/* Stage: is the packet's source one to spend work on? Nothing of the leg but its trial counter changes. */
int session_admit(struct worker *w, struct packet *p);
/* The stream of an accepted packet, or STREAM_NONE. s may be NULL. */
uint8_t session_stream(const struct leg *leg, const struct packet *p, struct source *s);

/* leg_keys.c: a key's life. */
void leg_key_wipe(struct worker *w, struct leg_key *k);            /* no job in flight on it */
struct leg_key *leg_key_role(struct leg *leg, enum key_role role); /* or NULL */
/* All of a leg's keys; the leg goes away. */
void leg_keys_wipe(struct worker *w, struct leg *leg);
void leg_keys_rotate(struct worker *w, struct leg *leg); /* NEXT becomes current */
void leg_keys_tick(struct worker *w, struct leg *leg);   /* wipes a key that is not needed any more */
void leg_key_limit(struct worker *w, struct leg *leg, struct leg_key *k, enum dp_limit limit);
/* Counts a packet of k's, RTP of a key without credit; looks at its limits. */
void leg_key_used(struct worker *w, struct leg *leg, struct leg_key *k, uint16_t octets);
void leg_key_used_rtcp(struct worker *w, struct leg *leg, struct leg_key *k);
/*
 * Room between the soft and the hard limits, so that a new offer and its answer fit in between: at 2^31 SRTCP
 * packets and 2^48 SRTP packets a 1/16th is months.
 */
#define SOFT_MARGIN_SHIFT 4
/* Forgeries after which a key is to be renewed. */
static inline uint64_t leg_key_failures_soft(const struct leg_key *k)
{
	return k->more->info->auth_failures_max - (k->more->info->auth_failures_max >> SOFT_MARGIN_SHIFT);
}
/* Does a packet with this MKI mean k? Without MKIs every one does, and what else there is of k stays where it
 * is: even a comparison of no octets would fetch it. */
static inline bool leg_key_named(const struct leg_key *k, const uint8_t *mki)
{
	return k->mki_len == 0 || memcmp(mki, k->more->mki, k->mki_len) == 0;
}
/* What it puts behind a packet of SRTP or of SRTCP; that is made in *rtcp_layout. */
static inline const struct srtp_layout *leg_key_layout(
	const struct leg_key *k, bool rtcp, struct srtp_layout *rtcp_layout)
{
	if (likely(!rtcp))
		return &k->rtp;
	*rtcp_layout = srtp_layout(k->more->info, k->mki_len, true);
	return rtcp_layout;
}
static inline bool leg_key_expired(const struct leg_key *k, bool rtcp)
{
	if (unlikely(rtcp))
		return k->more->rtcp_packets >= k->more->rtcp_packets_max;
	return unlikely(k->packets >= k->soft_packets) && k->packets >= k->more->packets_max;
}
