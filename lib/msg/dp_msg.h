/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between the planes: fixed-size, versioned, plain-old-data messages by value over one Unix
 * SOCK_SEQPACKET socket, one message a packet. The data plane listens, the control plane connects; a new
 * connection replaces the old one (the control plane came back) and changes no session.
 *
 * Who owns what. The control plane owns ids and desired state and sends the whole of it: a command is
 * idempotent and complete, never a delta. The data plane owns ROCs, replay windows and the keys in use. A
 * session id may be used again only after DP_DELETED. Every command is answered by one DP_ACK with its seq.
 *
 * Words. A session is one call's media. A leg is one transport on one side of it: a local address and port
 * (two ports where RTCP is not muxed), one remote, one set of keys. A stream is one m-line's media: it runs
 * between one leg of side A and one leg of side B, which both list its id; several streams share a leg only
 * under BUNDLE (RFC 9143).
 *
 * Integers are in host byte order (the socket never leaves the machine); addresses in network byte order. Padding
 * is explicit and zero. Receivers check version, length and every enum: dp_msg_check().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/netaddr.h"
#include "lib/srtp/suite.h"

#define DP_MSG_VERSION 11

#define DP_LEGS_MAX 16     /* per session, both sides together */
#define DP_STREAMS_MAX 8   /* per leg */
#define DP_SELECTORS_MAX 16 /* SSRCs that name a stream under BUNDLE */
#define DP_PAYLOAD_TYPES 128
#define DP_KEY_SLOTS 3     /* receive keys per leg: previous, current, next */
#define DP_MKI_MAX 16      /* octets; SDES lines with a longer MKI are refused at negotiation */
#define DP_ADDRESSES_MAX 32 /* per DP_CONFIGURE page */
#define DP_LIST_MAX 64     /* sessions per DP_LIST_PAGE */
#define DP_NAP_US_MAX 1000
#define DP_NAP_AS_STARTED 0u /* as the data plane's command line says */
#define DP_NAP_NEVER UINT32_MAX /* workers never sleep */
#define DP_PUNT_MAX 1600   /* octets of a punted datagram */
#define DP_PORTS_MAX 8      /* network interfaces of a data plane */
#define DP_INTERFACE_MAX 16 /* octets of one's name, with its end */
#define DP_ICE_UFRAG_MAX 32 /* octets of what we make; RFC 8839 allows 256 */
#define DP_ICE_PWD_MAX 64

enum dp_type {
	DP_TYPE_NONE = 0,
	/* commands, control plane to data plane */
	DP_HELLO,       /* first on a connection: who speaks, which version */
	DP_CONFIGURE,   /* media addresses, port ranges, timeouts; in pages, applied with the last */
	DP_SESSION_ADD,
	DP_LEG_UPDATE,  /* adds a leg or changes all of it but its keys */
	DP_KEY_ADD,
	DP_KEY_RETIRE,
	DP_SESSION_DEL,
	DP_LIST,        /* answered by DP_LIST_PAGEs, then the ACK */
	DP_STATS,       /* answered by DP_STATS_GLOBAL and DP_STATS_PORTs, or by DP_STATS_LEGs, then the ACK */
	DP_PUNT_TX,     /* sends a datagram from a leg (DTLS) */
	DP_LEG_ICE,     /* credentials that a leg answers connectivity checks with */
	/* events, data plane to control plane */
	DP_WELCOME = 64, /* answers DP_HELLO: what there is */
	DP_ACK,
	DP_DELETED,
	DP_KEY_SOFT_LIMIT,
	DP_INDEX_CHECKPOINT,
	DP_MEDIA_TIMEOUT,
	DP_REMOTE_CHANGED,
	DP_PUNT_RX,
	DP_LIST_PAGE,
	DP_STATS_GLOBAL,
	DP_STATS_LEG,
	DP_ALARM,
	DP_CONSENT_LOST,
	DP_LEG_ATTACKED,
	DP_STATS_PORT,
};

/* First in every message. */
struct dp_header {
	uint16_t version; /* DP_MSG_VERSION */
	uint16_t type;    /* enum dp_type */
	uint32_t length;  /* octets, this header included: the type's size */
	uint64_t seq;     /* commands: the control plane's number; answers repeat it; other events 0 */
};

/* A session's id: index below DP_WELCOME.sessions_max in the low 32 bits, generation in the high 32. */
typedef uint64_t dp_session_id;

struct dp_hello {
	struct dp_header h;
	uint64_t instance; /* random per control-plane start: tells a reconnect from a restart */
};

struct dp_welcome {
	struct dp_header h;
	uint64_t instance;     /* random per data-plane start: a new one means that every session is gone */
	uint32_t workers;
	uint32_t sessions_max;
	uint32_t sessions;     /* in use now */
	uint32_t suites;       /* bitmap 1 << enum srtp_suite of what the backend does */
	char port[32];         /* the kind of port in use, such as "af_xdp" */
	char backend[16];      /* the crypto backend in use */
};

/* One media address with the UDP ports that are media there. Ranges of one address may repeat, never overlap. */
struct dp_address {
	struct ip_addr ip;
	uint16_t port_lower;
	uint16_t port_upper; /* inclusive */
	uint8_t worker;      /* that owns these ports */
	uint8_t dscp;        /* default for legs here, 0 to 63 */
	uint16_t pad;
};

struct dp_configure {
	struct dp_header h;
	uint64_t generation;         /* of the configuration, echoed in logs */
	uint16_t page, pages;        /* page counts from 0; the last one applies all */
	uint32_t n_addresses;
	uint32_t trial_per_second;   /* trial authentications to unknown sources per second and leg (10) */
	uint32_t media_timeout_s;    /* without a packet on a leg until DP_MEDIA_TIMEOUT; 0: never */
	uint32_t nap_us;             /* the longest nap of a worker while packets come: 1 to DP_NAP_US_MAX; DP_NAP_AS_STARTED, DP_NAP_NEVER */
	uint32_t pad;
	struct dp_address addresses[DP_ADDRESSES_MAX];
};

struct dp_session_add {
	struct dp_header h;
	dp_session_id session;
	uint32_t worker;
	uint32_t media_timeout_s[2]; /* of each enum dp_side; 0: as configured */
	uint32_t pad;
};

enum dp_side { DP_SIDE_A, DP_SIDE_B }; /* A: the leg towards the caller */

enum dp_security {
	DP_SECURITY_PLAIN, /* RTP/AVP(F): a leg inside a trusted realm */
	DP_SECURITY_SRTP,  /* sends nothing and accepts nothing without a key */
};

/* As seen from the gateway on that leg. */
enum dp_direction { DP_INACTIVE = 0, DP_RECV = 1, DP_SEND = 2, DP_SENDRECV = 3 };

enum dp_learn {
	DP_LEARN_NEVER,  /* the remote is as signalled */
	DP_LEARN_ONCE,   /* plain: the first packet from the signalled IP sets the port, then holds (same IP only) */
	DP_LEARN_ANY,    /* plain behind NAT: the first packet sets IP and port, then holds */
	DP_LEARN_AUTHENTIC, /* secure: a packet that authenticates moves the remote */
};

enum dp_leg_flags {
	DP_LEG_RTCP_MUX = 1 << 0,     /* RTP and RTCP on one port (RFC 5761) */
	DP_LEG_PUNT_DTLS = 1 << 1,    /* DTLS datagrams go to the control plane */
	DP_LEG_PUNT_STUN = 1 << 2,
	DP_LEG_SRTCP_CLEAR = 1 << 3,  /* SRTCP authenticated, not encrypted (E=0); never set by default */
	DP_LEG_KEYS_PENDING = 1 << 4, /* an offer is outstanding: hold packets no key opens (10, 200 ms) */
};

#define DP_EXTENSIONS_LIMITED 1u
#define DP_MID_EXT_SENT_MAX 14 /* ids above want the two-byte form of RFC 8285, in which nothing is sent */

/* How one stream is found on a leg and which way it may flow. A leg's only stream has all that comes. */
struct dp_stream {
	uint8_t id;         /* pairs with the stream of the same id on the other side */
	uint8_t direction;  /* enum dp_direction */
	uint8_t mid_ext_id; /* header extension that carries the MID, 0 for none */
	uint8_t mid_len;
	uint8_t feedback; /* enum rtcp_feedback of lib/srtp/rtcp_feedback.h: what of it leaves by this leg; 0: anything */
	uint8_t n_ssrcs;
	/*
	 * Header extensions that leave by this leg: bit 1 << id (1 to 15) each; without DP_EXTENSIONS_LIMITED all do.
	 * With mid_ext_id (1 to 14) among them the data plane writes that one itself: see dp_stream_sends_mid().
	 */
	uint16_t extensions;
	char mid[16];
	uint8_t payload_types[DP_PAYLOAD_TYPES / 8]; /* type t: bit t % 8 of octet t / 8 */
	uint32_t ssrcs[DP_SELECTORS_MAX];
	uint32_t clock_hz; /* of the media's RTP clock, for jitter; 0: 8000 */
};

/*
 * Does what leaves by this leg name its m-line? Only where several are on the leg, and in packets that have room for it
 * on their way.
 */
static inline bool dp_stream_sends_mid(const struct dp_stream *s)
{
	return s->mid_len && s->mid_ext_id && s->mid_ext_id <= DP_MID_EXT_SENT_MAX &&
	       s->extensions & DP_EXTENSIONS_LIMITED && s->extensions >> s->mid_ext_id & 1;
}

struct dp_leg_update {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg;      /* below DP_LEGS_MAX; the control plane's number */
	uint8_t side;     /* enum dp_side */
	uint8_t security; /* enum dp_security */
	uint8_t suite;    /* enum srtp_suite that was negotiated; SRTP_SUITE_NONE on a plain leg or before keys */
	uint8_t learn;    /* enum dp_learn */
	uint8_t dscp;     /* 0 to 63 */
	uint8_t n_streams;
	uint8_t pad;
	uint16_t flags;   /* enum dp_leg_flags */
	uint16_t replay_window; /* packets, 64 to 32768, a multiple of 64; 0: 1024 */
	uint32_t ssrc_max;      /* SSRCs that may have state at once per direction; 0: 8 */
	struct ip_port local;       /* RTP; inside a configured range */
	/* RTCP; with RTCP_MUX another port on which everything is heard as well, so that a peer can be
	 * told of a fresh one while packets for the one before are on their way; family IP_NONE: none */
	struct ip_port local_rtcp;
	struct ip_port remote;      /* RTP; family IP_NONE: not known yet, nothing is sent */
	struct ip_port remote_rtcp;
	struct dp_stream streams[DP_STREAMS_MAX];
};

enum dp_key_direction { DP_KEY_RX, DP_KEY_TX };

enum dp_key_role {
	DP_KEY_CURRENT, /* rx: current becomes previous. tx: used from the next packet on */
	/*
	 * rx: becomes current when it first opens a packet, or another key is added; said again after that
	 * one, it is the next one again. tx: not allowed
	 */
	DP_KEY_NEXT,
};

/* A master key. Sender and receiver wipe the message's memory as soon as it is sent or read. */
struct dp_key_add {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg;
	uint8_t direction; /* enum dp_key_direction */
	uint8_t role;      /* enum dp_key_role */
	uint8_t suite;     /* enum srtp_suite, not NONE */
	uint32_t epoch;    /* the control plane's number for this key, unique per leg and direction; rises with
	                      each transmit key, so that none can come back and begin its indexes again */
	uint8_t mki_len;   /* octets, 0: no MKI on the wire */
	uint8_t master_len; /* octets of key and salt together */
	uint8_t fresh_index; /* 1: streams restart at ROC 0 with empty windows (a new key as RFC 3711 and 4568
	                        expect); 0: ROC goes on (the same transport, SDES re-key of a peer that keeps it) */
	uint8_t pad;
	uint32_t pad2;
	uint64_t soft_packets; /* DP_KEY_SOFT_LIMIT at this many packets; 0: at the suite's limit less a margin */
	uint64_t soft_octets;  /* 0: no limit */
	uint64_t hard_packets; /* the key's end, where that is before its suite's: its lifetime; 0: the suite's */
	uint8_t mki[DP_MKI_MAX];
	uint8_t master[48]; /* key, then salt; SRTP_MASTER_MAX rounded up */
};

struct dp_key_retire {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg;
	uint8_t direction;
	uint16_t pad;
	uint32_t epoch;
};

/* The fragment and the password that a peer names and signs its checks with: ours. */
struct dp_ice_credentials {
	uint8_t ufrag_len; /* octets, 0: none; else 4 at least */
	uint8_t pwd_len;   /* octets, 22 at least */
	uint8_t pad[2];
	char ufrag[DP_ICE_UFRAG_MAX];
	char pwd[DP_ICE_PWD_MAX];
};

/*
 * A leg's ICE as a lite agent has it (RFC 8445): connectivity checks that prove these credentials are answered,
 * and only from where one came is anything else heard. What the peer nominates is the leg's remote
 * (DP_REMOTE_CHANGED), whatever DP_LEG_UPDATE says later; until then the first address that was checked. A
 * DP_PUNT_TX goes there too. Wiped by sender and receiver like a key.
 */
struct dp_leg_ice {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg;
	uint8_t pad[3];
	uint32_t consent_s; /* without a check until DP_CONSENT_LOST, and again as long; 0: never */
	/*
	 * dp_ice_peer() of who has answered, where the newest credentials were offered: several may have had
	 * them, and check, whose nominations do not count then. 0: any peer's do.
	 */
	uint64_t peer;
	/* The newest, then those before an ICE restart, whose checks are answered on. No newest: ICE ends. */
	struct dp_ice_credentials credentials[2];
};

/* A peer of several by its own fragment, which its description and its checks have: FNV-1a, never 0. */
static inline uint64_t dp_ice_peer(const char *ufrag, size_t n)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)ufrag[i]) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

struct dp_session_del {
	struct dp_header h;
	dp_session_id session;
};

struct dp_list {
	struct dp_header h;
	uint32_t cursor; /* 0 first, then what the last page said */
	uint32_t pad;
};

struct dp_list_page {
	struct dp_header h;
	uint32_t next_cursor; /* 0: that was all */
	uint32_t n;
	dp_session_id sessions[DP_LIST_MAX];
};

enum dp_stats_scope { DP_STATS_SCOPE_GLOBAL, DP_STATS_SCOPE_SESSION };

struct dp_stats {
	struct dp_header h;
	uint32_t scope; /* enum dp_stats_scope; GLOBAL: DP_STATS_GLOBAL, then one DP_STATS_PORT for each interface */
	uint32_t pad;
	dp_session_id session; /* with scope SESSION: one DP_STATS_LEG for each of its legs */
};

/*
 * Why a packet was relayed or not: one verdict and one counter each. Names: dp_verdict_name(). Append only.
 */
enum dp_verdict {
	DP_V_RELAYED,
	DP_V_NO_LEG,          /* no leg at that address and port */
	DP_V_MALFORMED,       /* not RTP or RTCP by RFC 7983 and RFC 3550 */
	DP_V_WRONG_SOURCE,    /* plain: not from the remote */
	DP_V_TRIAL_LIMIT,     /* secure: unknown source, no trial left */
	DP_V_AUTH_FAIL,
	DP_V_REPLAY,          /* seen already */
	DP_V_TOO_OLD,         /* behind the replay window */
	DP_V_NO_KEY,          /* secure leg without a receive key (and not held) */
	DP_V_CLEAR_REFUSED,   /* secure leg asked to send without a key: must stay 0 */
	DP_V_DIRECTION,       /* the leg or its twin does not send or receive now */
	DP_V_NO_REMOTE,       /* the twin's remote is not known yet */
	DP_V_NO_STREAM,       /* BUNDLE: no MID, SSRC or payload type matched; or the stream has no twin */
	DP_V_SSRC_LIMIT,      /* too many SSRCs on the leg */
	DP_V_DUPLICATE_OUT,   /* this (key, SSRC, index) was sent already */
	DP_V_KEY_EXPIRED,     /* hard limit of the key reached */
	DP_V_NEIGHBOUR,       /* next hop not resolved in time */
	DP_V_TOO_LONG,        /* would not fit the wire after protection */
	DP_V_HELD_EXPIRED,    /* held for a key that did not come in time */
	DP_V_PUNTED,
	DP_V_PUNT_FULL,
	DP_V_BACKEND_FAULT,
	DP_V_BACKEND_FULL,    /* crypto queue full */
	DP_V_TX_FULL,         /* port queue full */
	DP_V_HANDOVER_FULL,
	DP_V_FEEDBACK,        /* RTCP of nothing but feedback that the other side did not negotiate */
	DP_V_ICE,             /* a connectivity check that was answered, or a keepalive of ICE */
	DP_V_ICE_REFUSED,     /* a check with good credentials that was answered with an error (420, 487) */
	DP_V_ICE_UNAUTHENTIC, /* STUN without good credentials: not answered */
	DP_V_ICE_LIMIT,       /* more checks in a second than a peer needs: not answered */
	DP_V_POLICED,         /* secure: so much of the leg did not authenticate that there is a budget, and it is spent */
	DP_V_COUNT,
};
#define DP_VERDICTS_MAX 40 /* room in the messages */

const char *dp_verdict_name(enum dp_verdict v); /* such as "auth_fail"; "unknown" outside the enum */

/*
 * The pairs of a media address and a remote address whose next hop the data plane keeps, a second or so ago.
 * In use: there was something to send within 10 s. All 0 where every next hop was given at the start.
 */
struct dp_next_hops {
	uint32_t resolved;   /* in use, and its link-layer address is known */
	uint32_t unresolved; /* in use, and it does not answer (ARP, ND), or not yet */
	uint32_t no_route;   /* in use, and no route leads there by an interface of the data plane */
	uint32_t idle;       /* the rest: of calls that are over, or silent */
	uint32_t capacity;   /* room for so many pairs, in use or idle */
	uint32_t pad;
	uint64_t evicted; /* pairs in use that gave way to others: more are in use than there is room for */
};

struct dp_stats_global {
	struct dp_header h;
	uint64_t rx_packets, rx_octets, tx_packets, tx_octets; /* media, IP payload of UDP */
	uint64_t to_kernel;        /* packets that were not media (exception path) */
	uint64_t handover;         /* packets that arrived at another worker than their own */
	uint64_t roc_resyncs;      /* streams whose first packet has another rollover counter than expected */
	uint64_t crypto_jobs, crypto_batches;
	uint64_t busy_cycles, idle_cycles;   /* of the workers; idle: asleep, or looking for packets in vain */
	uint64_t sleeps, sleep_cycles;       /* how often they slept; cycles: of the idle ones, asleep */
	uint32_t sessions, legs;
	uint64_t verdicts[DP_VERDICTS_MAX];
	/* A crypto device with software to fall back on; 0 without one. */
	uint64_t crypto_overflow_jobs; /* done by the software */
	uint64_t crypto_rescued;       /* of them: the device had them, and failed */
	uint64_t crypto_failovers;     /* how often a device went out of use */
	uint32_t crypto_overflow_keys; /* in use now that no device holds */
	uint32_t crypto_degraded;      /* workers whose device is out of use now */
	uint32_t legs_guarded;         /* legs that have a budget for authentications now (DP_V_POLICED) */
	uint32_t pad;
	uint64_t overlaps_cut;         /* replaced keys that gave their slot to a new one before their time */
	struct dp_next_hops next_hops;
};

/* A network interface since the data plane's start. Counters are of frames; drivers that do not know one say 0. */
struct dp_stats_port {
	struct dp_header h;
	char interface[DP_INTERFACE_MAX];
	uint8_t link_up;
	uint8_t pad[3];
	uint32_t link_mbit_s;       /* 0: not known */
	uint64_t link_losses;       /* how often the link went; one that was not there at the start counts */
	uint64_t rx_packets, rx_octets, tx_packets, tx_octets;
	uint64_t rx_missed;         /* dropped by NIC or kernel before a worker saw them: workers were too slow */
	uint64_t rx_errors;
	uint64_t rx_no_buffer;      /* there was no memory to receive into */
	uint64_t tx_errors;
};

enum dp_ice_state {
	DP_ICE_NONE,
	DP_ICE_WAITING,   /* no check has come */
	DP_ICE_CHECKED,   /* the peer checks, and has nominated nothing */
	DP_ICE_NOMINATED, /* the remote is the peer's choice */
	DP_ICE_LOST,      /* no check came for so long that DP_CONSENT_LOST was reported */
};

struct dp_stats_leg {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg, side, security;
	uint8_t suite;              /* of the newest key in use */
	uint32_t rx_epoch, tx_epoch;
	uint8_t ice;                /* enum dp_ice_state */
	uint8_t ice_pairs;          /* addresses of the peer that a check came from */
	uint8_t pad[2];
	struct ip_port remote;      /* in use now */
	/* The leg's ports, RTP's (that in use, where ICE has a choice) first; family IP_NONE: there is one
	 * only. */
	struct ip_port local[2];
	uint64_t rx_packets, rx_octets; /* accepted: authenticated where secure. octets of RTP, tag excluded */
	uint64_t tx_packets, tx_octets; /* sent from this leg to its peer */
	uint64_t rx_rtcp, tx_rtcp;
	int64_t rx_lost;            /* expected less received, RFC 3550 A.3, all SSRCs */
	uint32_t rx_jitter_us;      /* RFC 3550 6.4.1, of the newest SSRC, microseconds */
	uint32_t rx_ssrc;           /* newest SSRC heard */
	uint64_t rx_age_ms;         /* since the last accepted packet; UINT64_MAX: none yet */
	uint64_t ice_age_ms;        /* since the last check; UINT64_MAX: none yet */
	uint64_t clear_out;         /* packets that left a secure leg unencrypted: must stay 0 */
	uint64_t verdicts[DP_VERDICTS_MAX]; /* of packets that arrived at this leg */
};

struct dp_ack {
	struct dp_header h;
	int32_t result; /* 0 or a negative errno value */
	uint32_t of_type;
	dp_session_id session; /* where the command named one */
	char reason[96];       /* one line, "" with result 0 */
};

struct dp_deleted {
	struct dp_header h;
	dp_session_id session;
};

/*
 * What raised the limit. A key reports each of its limits once; of two that a leg's direction reaches at once
 * only the newer may be reported.
 */
enum dp_limit { DP_LIMIT_PACKETS, DP_LIMIT_OCTETS, DP_LIMIT_AUTH_FAILURES, DP_LIMIT_RTCP_PACKETS };

struct dp_key_soft_limit {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg, direction, limit, pad;
	uint32_t epoch;
	uint64_t packets, octets;
};

/* The sender's highest ROC, so that a restarted data plane never repeats an index under the same key. */
struct dp_index_checkpoint {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg, pad[3];
	uint32_t ssrc;
	uint32_t roc;
	uint32_t srtcp_index;
};

struct dp_media_timeout {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg, pad[7];
};

struct dp_remote_changed {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg, pad[7];
	struct ip_port remote;
};

/* ICE: no check came for dp_leg_ice.consent_s. */
struct dp_consent_lost {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg, pad[3];
	uint32_t silent_ms; /* since anything authentic or a keepalive came from the peer, or consent_s was first said */
};

/* Forged packets come by this leg from where its peer is: said when it begins, and while it lasts each 10 s. */
struct dp_leg_attacked {
	struct dp_header h;
	dp_session_id session;
	uint8_t leg, pad[7];
	uint64_t failures; /* packets that did not authenticate, since this was said last */
	uint64_t policed;  /* packets that were dropped without a try, likewise */
};

/* Both ways: a datagram that the control plane handles (DTLS). remote: its source, or where it goes. */
struct dp_punt {
	struct dp_header h;
	dp_session_id session;
	uint64_t peer; /* RX: dp_ice_peer() of whose checks came from there; 0: not known. TX: 0 */
	uint8_t leg, pad[3];
	uint32_t n;
	struct ip_port remote;
	uint8_t octets[DP_PUNT_MAX];
};

/* Something that a person should know of, and when it is over. The newest state of each is reported. */
enum dp_alarm_kind {
	DP_ALARM_CRYPTO_DEVICE, /* the worker's crypto device hangs or faults; software does its work */
	DP_ALARM_LINK,          /* the interface has no link: nothing is sent or heard there */
};
#define DP_ALARM_KINDS 2

struct dp_alarm {
	struct dp_header h;
	uint32_t worker; /* of CRYPTO_DEVICE; else 0 */
	uint8_t kind;   /* enum dp_alarm_kind */
	uint8_t raised; /* 1: it began, 0: it is over */
	uint8_t pad[2];
	uint64_t times; /* how often it was raised since the start */
	char interface[DP_INTERFACE_MAX]; /* of LINK; else "" */
};

/* Any message, for receiving. */
union dp_msg {
	struct dp_header h;
	struct dp_hello hello;
	struct dp_welcome welcome;
	struct dp_configure configure;
	struct dp_session_add session_add;
	struct dp_leg_update leg_update;
	struct dp_key_add key_add;
	struct dp_key_retire key_retire;
	struct dp_session_del session_del;
	struct dp_list list;
	struct dp_list_page list_page;
	struct dp_stats stats;
	struct dp_stats_global stats_global;
	struct dp_stats_leg stats_leg;
	struct dp_stats_port stats_port;
	struct dp_ack ack;
	struct dp_deleted deleted;
	struct dp_key_soft_limit key_soft_limit;
	struct dp_index_checkpoint index_checkpoint;
	struct dp_media_timeout media_timeout;
	struct dp_remote_changed remote_changed;
	struct dp_punt punt;
	struct dp_alarm alarm;
	struct dp_leg_ice leg_ice;
	struct dp_consent_lost consent_lost;
	struct dp_leg_attacked leg_attacked;
};

/* Name and size of a type; size 0 and "unknown" outside the enum. */
const char *dp_type_name(enum dp_type type);
size_t dp_type_size(enum dp_type type);

/*
 * Is this a message that a receiver may act on? Checks n against the header and the type's size, the version,
 * every enum, count, length and boolean. 0, or -EPROTO with a static reason in *why.
 */
int dp_msg_check(const void *data, size_t n, const char **why);

/* Of a message that was refused: who sent it speaks another version of this contract. */
bool dp_header_is_foreign(const struct dp_header *h);

/* Zeroes m (as much as the type needs) and fills its header. */
void dp_msg_init(union dp_msg *m, enum dp_type type, uint64_t seq);

/* Overwrites a message that may hold key material (DP_KEY_ADD, DP_LEG_ICE); leaves others alone. */
void dp_msg_wipe(union dp_msg *m);
