/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: keys that are renewed during a call. A leg's keys are due by the age of the oldest, because the
 * data plane reports a limit of one of them, or because an operator says so; reinvite.c then offers new ones for all of
 * its transports, on that leg alone. Who
 * refuses them is asked again a few times, then its trunk's rekey-policy decides.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/sip/timer.h"
#include "lib/msg/dp_msg.h"

struct b2bua;
struct call;
struct leg;
struct sip_msg;

enum rekey_cause {
	REKEY_INTERVAL,
	REKEY_PACKETS,
	REKEY_OCTETS,
	REKEY_RTCP_PACKETS,
	REKEY_AUTH_FAILURES,
	REKEY_OPERATOR,
	REKEY_DATA_PLANE,
	REKEY_CAUSES,
	/* Of keys that we did not ask for. */
	KEY_OF_SETUP = REKEY_CAUSES,
	KEY_OF_PEER,
	KEY_CAUSES
};

enum rekey_result {
	REKEY_RENEWED,
	REKEY_ONE_WAY,  /* the peer goes on with its own key */
	REKEY_REFUSED,  /* once */
	REKEY_GIVEN_UP, /* as often as the policy says */
	REKEY_RESULTS
};

/* As in the model; of the KEY_ ones as in the audit. */
const char *rekey_cause_name(enum rekey_cause c);
const char *rekey_result_name(enum rekey_result r);

/* What the data plane had counted of a leg. */
struct key_traffic {
	uint64_t rx_packets, rx_octets, tx_packets, tx_octets;
};

/* One key's time on a transport of a leg, for the audit. */
struct key_epoch {
	uint32_t number;    /* 1: the transport's first key */
	uint8_t cause;      /* enum rekey_cause */
	uint8_t transport;
	bool counting;      /* the data plane was asked what it counted until now; not kept outside */
	uint64_t start_ms;  /* wall clock */
	enum srtp_suite suite;
	struct key_traffic before;
};

#define KEY_EPOCHS_MAX 32 /* of a leg that are remembered: the newest */

struct leg_rekey {
	bool due;
	bool offered; /* the offer that is out brings new keys */
	uint16_t stale; /* bit i: transport i's key is to be renewed, and was not yet */
	enum rekey_cause cause;
	bool barred; /* an offer was taken without a handshake: the peer is not asked again */
	bool tried;  /* result is of the last renewal; false: there was none */
	enum rekey_result result;
	unsigned refusals; /* in a row */
	uint32_t epochs_before; /* the highest number of a key before the offer */
	uint32_t failed;   /* renewals that were refused, or whose handshake failed, whoever asked for them */
	uint32_t strangers; /* of these: with a certificate that is not the one that signalling names */
	struct timer timer;
	enum rekey_cause timer_cause;
	struct key_epoch *epochs; /* NULL: none */
	uint8_t n_epochs, epochs_room;
};

/* What the data plane has counted of a leg's transport, as far as it said. */
struct key_traffic rekey_traffic(const struct leg *l, unsigned transport);

/* Does a transport of the leg have keys, and the leg a peer that takes others? */
bool rekey_possible(const struct leg *l);
/* Renews the leg's keys now, or as soon as nothing is in the way. False: it cannot be done. */
bool rekey_want(struct leg *l, enum rekey_cause cause);
/* The data plane reports a limit. */
void rekey_limit(struct leg *l, const struct dp_key_soft_limit *e);

/* What reinvite.c tells: an offer goes out; its answer holds (with DTLS once more when the keys are there); it was
 * refused, which may end the call. */
void rekey_offered(struct leg *l);
void rekey_answered(struct leg *l);
void rekey_refused(struct leg *l, const struct sip_msg *m);
void rekey_unsent(struct leg *l, const char *why); /* as if it was refused: there is no way to the peer now */
/*
 * The offer was taken, whoever made it, but the handshake for its keys failed: likewise. stranger: who shook hands
 * has another certificate than signalling says, which is nothing that the peer did.
 */
void rekey_failed(struct leg *l, const char *why, bool stranger);
/* We send with another key on transport i from now on, whoever offered it: its life begins. */
void rekey_began(struct leg *l, unsigned i);

struct saved_leg;
/* What outlives the process, but for the keys' ages. */
void rekey_save(const struct leg *l, struct saved_leg *s);
void rekey_restore(struct leg *l, const struct saved_leg *s);
void rekey_stop(struct leg *l);
void rekey_forget(struct leg *l);
