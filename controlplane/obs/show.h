/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the "show" operations answer: plain structs in, JSON out, so that the shape of every answer is written
 * down once. Names are those of the YANG model's tree; counters are JSON integers. Members are only ever
 * added.
 *
 * show-calls   args {"state":S, "limit":N} (both optional)
 *   {"active":N, "total":N, "calls":[CALL...]}      calls that ended not long ago are listed too
 * show-call    args {"id":ID}
 *   CALL, its legs with "rx", "tx" and "verdicts" where the data plane knows them
 * show-stats
 *   {"version":S, "generation":N, "uptime":SECONDS,
 *    "calls":{"active":N,"total":N,"rejected":N,"counters":{NAME:N...}},
 *    "data-plane":{"connected":B, "port":S, "backend":S, "workers":N, "sessions":N, "legs":N,
 *       "rx":{"packets":N,"octets":N}, "tx":{...}, "to-kernel":N, "handover":N,
 *       "crypto":{"jobs":N,"batches":N,"overflow-jobs":N,"overflow-keys":N,"rescued":N,"failovers":N,"degraded":N},
 *       "verdicts":{NAME:N...}},
 *    "sip":{NAME:N...}}
 * show-trunks
 *   {"trunks":[{"name":S, "state":"up"|"drain"|"down", "realm":S, "srtp":"required"|"none",
 *      "active-calls":N, "total-calls":N, "rejected-calls":N, "last-rejection":S|null}]}
 *
 * CALL  {"id":S, "state":S, "from":S, "to":S, "ingress-trunk":S, "egress-trunk":S|null,
 *        "start-time":RFC3339, "duration":SECONDS, "end-reason":S|null, "legs":[LEG...]}
 * LEG   {"leg":"a"|"b", "trunk":S, "media":"srtp"|"rtp", "suite":S|"none", "keying":"sdes"|"none",
 *        "rtcp-mux":B, "local-address":S|null, "remote-address":S|null,
 *        "signalling":{"transport":"udp"|"tcp"|"tls","remote-address":S,"tls-version":S|null,"tls-cipher":S|null},
 *        "rx":{"packets":N,"octets":N,"rtcp-packets":N,"lost":N,"jitter":MS,"auth-failures":N,"replays":N,
 *              "age":MS|null},
 *        "tx":{"packets":N,"octets":N,"rtcp-packets":N,"clear-packets":N},
 *        "verdicts":{NAME:N...}}                    leg "a" is the one towards the caller
 *
 * "replays" counts packets seen already or behind the replay window; "clear-packets" must read 0 on an srtp
 * leg.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "controlplane/config/config.h"
#include "lib/msg/dp_msg.h"

struct show_signalling {
	enum config_transport transport;
	struct ip_port remote;
	const char *tls_version, *tls_cipher; /* NULL without TLS */
};

/* Everything is borrowed for the call. */
struct show_leg {
	enum dp_side side;
	const char *trunk;     /* NULL: none yet */
	bool secure;           /* what it was negotiated or is required to be */
	enum srtp_suite suite; /* of the newest key; SRTP_SUITE_NONE before there is one */
	bool rtcp_mux;
	struct ip_port local, remote; /* media; IP_NONE where not known */
	struct show_signalling signalling;
	const struct dp_stats_leg
		*stats; /* NULL: no "rx", "tx" and "verdicts"; its remote and suite go before ours */
};

struct show_call {
	const char *id;
	const char *state;   /* "setup", "ringing", "established", "ending", "ended", "refused" */
	struct str from, to; /* user@host or number, as far as known; not UTF-8 is escaped */
	const char *ingress_trunk, *egress_trunk; /* NULL: none yet */
	uint64_t start_ms;                        /* wall clock */
	uint64_t duration_ms;   /* since its answer, or of the call when it has ended; 0 before */
	const char *end_reason; /* NULL: goes on */
	const struct show_leg *legs;
	unsigned n_legs;
};

struct show_counter {
	const char *name;
	uint64_t value;
};

struct show_trunk {
	const struct config_trunk *trunk;
	uint64_t active, total, rejected;
	const char *last_rejection; /* status and reason; NULL: none yet */
};

struct show_stats {
	uint64_t generation, uptime_ms;
	uint64_t active, total, rejected;
	const struct dp_welcome *welcome;        /* NULL: the data plane is not connected */
	const struct dp_stats_global *dataplane; /* NULL: not known */
	const struct show_counter *calls; /* why calls were refused or ended */
	unsigned n_calls;
	const struct show_counter *sip;
	unsigned n_sip;
};

/* A new reference each; NULL without memory, which mgmt_reply() answers. */
json_t *show_call_json(const struct show_call *c);
json_t *show_trunk_json(const struct show_trunk *t);
json_t *show_stats_json(const struct show_stats *s);

/* The frames of the lists; the arrays' references are taken over. */
json_t *show_calls_json(uint64_t active, uint64_t total, json_t *calls);
json_t *show_trunks_json(json_t *trunks);
