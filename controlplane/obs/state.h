/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to know of calls, trunks and counters: plain structs in, nodes of srtp-gateway.yang out. The
 * model says what each node means; it is the one place where the shape is written down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/config/config.h"
#include "controlplane/obs/state_tree.h"
#include "controlplane/sdp/sdp.h"
#include "lib/msg/dp_msg.h"

struct state_signalling {
	enum config_transport transport;
	struct ip_port remote;
	const char *tls_version, *tls_cipher, *tls_group; /* NULL without TLS */
	bool behind_nat;
};

/* A DTLS handshake that brought keys. */
struct state_dtls {
	const char *version, *cipher, *group; /* version NULL: none was done */
	bool authenticated;                   /* the fingerprint came over encrypted signalling */
};

/* One of several places where media of a side goes. */
struct state_transport {
	unsigned number; /* from 1 */
	const char *media[SDP_MEDIA_MAX]; /* "audio", "video" */
	unsigned n_media;
	struct ip_port local, remote;     /* IP_NONE where not known */
	struct state_dtls dtls;
	const struct dp_stats_leg *stats; /* NULL: none yet; its remote goes before ours */
};

/* Everything is borrowed for the call. */
struct state_leg {
	enum dp_side side;
	const char *trunk;     /* NULL: none yet */
	bool secure;           /* what it was negotiated or is required to be */
	enum srtp_suite suite; /* of the newest key; SRTP_SUITE_NONE before there is one */
	uint64_t key_age_ms;   /* with a suite */
	uint32_t key_epoch;    /* with a suite: how many keys we have sent with */
	const char *renewal;   /* "renewed", "one-way", "refused", "given-up": the last one; NULL: none yet */
	const char *keying;    /* "sdes", "dtls"; NULL: none */
	struct state_dtls dtls;
	bool rtcp_mux;
	struct ip_port local, remote; /* media; IP_NONE where not known */
	struct state_signalling signalling;
	const struct dp_stats_leg
		*stats; /* NULL: no "rx", "tx" and "verdicts"; its remote and suite go before ours */
	unsigned n_transports; /* 0: there is one m-line, of which all is said already */
	struct state_transport transports[SDP_MEDIA_MAX];
};

struct state_call {
	const char *id;
	const char *state;   /* "setup", "ringing", "established", "ending", "ended", "refused" */
	struct str from, to; /* user@host or number, as far as known; not UTF-8 is escaped */
	const char *ingress_trunk, *egress_trunk; /* NULL: none yet */
	const char *predecessor[2], *successor;   /* ids of calls; NULL or empty: none */
	uint64_t start_ms;                        /* wall clock */
	uint64_t duration_ms;   /* since its answer, or of the call when it has ended; 0 before */
	const char *end_reason; /* NULL: goes on */
	const struct state_leg *legs;
	unsigned n_legs;
};

struct state_peer_target {
	struct ip_port remote;
	uint16_t priority, weight;
	const char *state;  /* "up", "resting", "down" */
	uint32_t rest_s;    /* 0: it does not rest */
	const char *reason; /* NULL: none */
};

#define STATE_PEER_TARGETS_MAX 64
struct state_peer {
	const char *name;
	const char *state;  /* as above, or "no-address" */
	const char *reason; /* NULL: none */
	unsigned n_targets;
	struct state_peer_target targets[STATE_PEER_TARGETS_MAX];
};

struct state_trunk {
	const char *name;
	const char *oper_state; /* "up", "draining", "down" */
	uint64_t active, total, answered, rejected;
	const char *registration; /* "trying", "registered", "failed"; NULL: it does not register */
	uint64_t registration_left_s, registration_failures;
	const char *registration_why;                      /* NULL: nothing went wrong */
	const char *last_rejection;                        /* status and reason; NULL: none yet */
	uint64_t responses_sent[6], responses_received[6]; /* by class, from 1xx on */
};

struct state_counter {
	const char *name; /* as in C: the model has hyphens for its underscores */
	uint64_t value;
};

/* Renewals of keys for one cause. */
struct state_rekey {
	const char *cause;
	struct state_counter results[4];
};

struct state_statistics {
	uint64_t generation, start_ms, uptime_ms;
	uint64_t active, total, rejected;
	const struct state_counter *calls; /* why calls were refused or ended */
	unsigned n_calls;
	const struct state_rekey *rekeys;
	unsigned n_rekeys;
	const struct state_counter *sip;
	unsigned n_sip;
};

struct state_plane {
	const struct dp_welcome *welcome;      /* NULL: the data plane is not connected */
	const struct dp_stats_global *counted; /* NULL: not known */
	const struct state_counter *control;   /* the socket between the planes */
	unsigned n_control;
	const struct dp_alarm *alarms;
	unsigned n_alarms;
	const struct dp_stats_port *ports; /* with counted */
	unsigned n_ports;
};

/* parent: /calls; /gateway/trunks; /statistics. */
void state_call(struct state_tree *t, struct lyd_node *parent, const struct state_call *c);
/* The trunk's "state", which its peers go into. */
/* Where an account is registered. */
struct state_registration {
	uint64_t id;
	const char *contact, *instance, *agent; /* NULL: not said */
	enum config_transport transport;
	struct ip_port remote;
	bool reachable;
	uint32_t expires_s;
	uint64_t since_ms;
};
void state_registration(
	struct state_tree *t, struct lyd_node *users, const char *user, const struct state_registration *all, unsigned n);

struct lyd_node *state_trunk(struct state_tree *t, struct lyd_node *parent, const struct state_trunk *s);
void state_peer(struct state_tree *t, struct lyd_node *state, const struct state_peer *p);
void state_statistics(struct state_tree *t, struct lyd_node *parent, const struct state_statistics *s);
/* "up", "down" */
const char *state_link(const struct dp_stats_port *s);
void state_plane(struct state_tree *t, struct lyd_node *parent, const struct state_plane *p);
