/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The B2BUA between phones made of text. Everything below it is real but the wire and the clock: the
 * transaction layer sends into queues, one for each phone, and a data plane in the same process acknowledges
 * over a Unix socket. A test reads like a trace:
 *
 *   say(&alice, "INVITE", "", sdp(&alice, 1));
 *   hear(&bob, "INVITE");
 *   answer(&bob, "180 Ringing", "", "");
 *   hear(&alice, "180");
 *
 * Trunks: carrier-a (TLS, GCM-256), carrier-b (TLS, CM_80, reinvite-keys own-leg), core (UDP, plain RTP), and
 * some that refuse.
 */
#pragma once

#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "controlplane/b2bua/b2bua.h"
#include "controlplane/sip/transport.h"
#include "lib/msg/dp_msg.h"
#include "tests/support/fake_plane.h"

enum listener_index { OUTSIDE_TLS, INSIDE_UDP, INSIDE_TCP };

/* A phone, or a carrier's SBC. One dialog at a time. */
struct phone {
	const char *ip;
	unsigned listener; /* of the gateway, that it talks to */
	const char *suite; /* NULL: plain RTP */
	const char *inner; /* what it calls itself behind NAT; NULL: there is none */
	bool untagged;     /* has no tag of its own, as in RFC 2543 */
	unsigned nat_port; /* that its NAT gave it; 0: the usual one */
	char call_id[80], local_tag[40], remote_tag[40];
	char number[64];  /* whom it calls, or its own when called */
	char target[200]; /* URI of the gateway's Contact */
	unsigned cseq;    /* of its last request */
	unsigned invite_cseq;
	unsigned branch, invite_branch;
	struct sip_msg *heard;  /* the last message; owned */
	struct sip_msg *invite; /* the last INVITE that it got, to be answered; owned */
	uint64_t conn;          /* its connection, see phone_connect() */
	struct sip_flow flow;   /* the way that the last message took; its tls_name is the one below */
	char tls_name[80];
};

extern struct phone alice, bob, carol; /* of core (plain), carrier-a, carrier-b */

struct plane_session {
	bool live;
	dp_session_id id;
	uint32_t media_timeout_s[2]; /* of each side */
	struct dp_leg_update leg[2]; /* the last of each side's first leg */
	unsigned rx_keys[2], tx_keys[2];
	struct dp_key_add tx[2], rx[2]; /* the newest */
	struct plane_leg {
		struct dp_leg_update leg;
		unsigned rx_keys, tx_keys;
		struct dp_key_add tx, rx;
	} video[2]; /* the same of each side's second leg */
};

/* What the test may look at and set. */
struct bench {
	char folder[40]; /* of its sockets */
	uint64_t now;
	struct b2bua *b2bua;
	struct gather *gather;
	struct notify *notify; /* what was raised is remembered there */
	struct config *config;
	struct sip_txl *txl;
	struct sip_counters sip_counters;
	struct dns_asker dns; /* set before the setup; needed for peers whose host is a name */
	/* the wire */
	int send_result;            /* < 0: nothing can be sent to refuse_ip */
	const char *refuse_ip;      /* NULL: to anybody */
	/* What becomes of a phone's message on its way: owned, as it was. What is no SIP then goes nowhere. */
	char *(*garble)(char *text);
	struct sip_waiter *waiters; /* of messages whose connection may still be lost, the newest first */
	/* the data plane */
	struct fake_plane plane;
	void (*punted)(const struct dp_punt *p); /* a datagram that a leg is to send; NULL: lost */
	struct plane_session sessions[1024];
	unsigned live;
	bool link_lost; /* of the interface e0 */
	unsigned unheard; /* bit i: nothing comes by transport i */
	bool no_room; /* the data plane has no slot for a key beside the one in use */
	struct audit *audit; /* of whoever is the control plane; NULL: none */
};
extern struct bench bench;

/* cmocka fixtures. limits: the JSON members of "limits". */
int bench_setup(void **state);
int bench_teardown(void **state);
int bench_setup_with(const char *limits);
int bench_setup_dtls(void **state); /* with a thread for handshakes */

/* Calls are kept in the folder from now on. */
void bench_keep_calls(void);
/* The control plane is killed when all that it knows is written, and started again; so is the data plane. */
void bench_crash(bool plane_too);
/*
 * What is written of the calls now is what the next control plane finds. Then, whenever that is, it is
 * killed, and the next starts: nothing that it did or wrote in between comes with it, but in the audit.
 */
void bench_freeze(void);
void bench_kill(void);
/* The last step of an end with calls that go on, of which neither phones nor data plane hear: the next one is
 * there. */
void bench_hand_over(void);
/* Another gateway and another data plane, as after the setup and the configuration's changes. */
void bench_renew(void);
/* Media ports that calls have. */
unsigned bench_ports_used(void);

/* Frees what it heard. The three phones are forgotten at the end, copies of them are a test's own. */
void phone_forget(struct phone *p);

/* Another configuration is committed: the first one with each text replaced, once. */
struct bench_edit {
	const char *was, *now;
};
void bench_change_all(const struct bench_edit *edits, unsigned n);
static inline void bench_change(const char *was, const char *now)
{
	bench_change_all(&(struct bench_edit){was, now}, 1);
}

/* The first configuration with this change is refused, and why is said. */
void bench_refuse(const char *was, const char *now, const char *why);

/* The phone has a TLS connection on which it showed a certificate for this name. */
void phone_connect(struct phone *p, const char *name);
void phone_disconnect(struct phone *p);
/* Has anybody needed that connection since phone_connect()? Else it is closed after a time. */
bool phone_connection_used(void);

/* A request in the phone's dialog, or a new INVITE/OPTIONS. headers: whole lines. ACK and CANCEL go with the
 * last INVITE. */
void say(struct phone *p, const char *method, const char *headers, const char *body);
/* As say(INVITE), to a number. */
void dial(struct phone *p, const char *number, const char *headers, const char *body);
/* Answers the last INVITE that the phone got: "180 Ringing". The To tag is the phone's. */
void answer(struct phone *p, const char *status, const char *headers, const char *body);
/* As another branch of a fork. */
void answer_as(struct phone *p, const char *tag, const char *status, const char *headers, const char *body);
/* Answers the last request that was heard, not an INVITE. */
void reply(struct phone *p, const char *status);
void reply_with(struct phone *p, const char *status, const char *headers);
void reply_sdp(struct phone *p, const char *status, const char *body);
void reply_all(struct phone *p, const char *status, const char *headers, const char *body);
/* The next message to the phone: a method, or a status as "486" (of any request). Fails when it is not. */
const struct sip_msg *hear(struct phone *p, const char *what);
/* The next message, whatever it is; NULL: there is none. */
const struct sip_msg *hear_any(struct phone *p);
/* Nothing is on the way to the phone, or to anybody (NULL). */
void silence(struct phone *p);
/* The same, however often it is repeated: over UDP until it is answered. */
void hear_all(struct phone *p, const char *what);
/* Whatever is on the way to anybody comes to nobody. */
void lose_all(void);
/* The connection of the newest message that waits for an answer is lost. */
void cut_connection(const char *why, bool connected);
/* Does the last message have this text? */
bool heard(const struct phone *p, const char *text);
void expect_heard(const struct phone *p, const char *text);
void expect_not_heard(const struct phone *p, const char *text);
/* The first a=crypto line of what the phone heard. */
void crypto_of(const struct phone *p, char out[120]);

/* A body of the phone: its port and keys follow from n, so that equal n give the same keys. Ten live at once.
 */
const char *sdp(const struct phone *p, unsigned n);
const char *sdp_as(const struct phone *p, unsigned n, unsigned version, const char *direction);

/* Time goes on, and everything happens that is due. */
void pass(unsigned ms);
void settle(void);
/* For what comes from threads. what: for whoever waits in vain. */
void run_until(bool (*done)(void), const char *what);
/* The call from dialling to the ACK. */
void call_up(struct phone *from, struct phone *to);
/* The same n times, without ringing: copies of alice, which the test forgets, call copies of bob. */
void calls_up(struct phone *from, struct phone *to, unsigned n);
void hang_up(struct phone *by, struct phone *other);
const char *number_of(const struct phone *p);

/* The data plane ends and comes back. same: with its sessions. */
void plane_restart(bool same);
void plane_away(void);
void plane_acknowledge(void);
void plane_event_timeout(struct plane_session *s, enum dp_side side);
void plane_event_attack(struct plane_session *s, enum dp_side side, uint64_t failures);
void plane_event_consent_at(struct plane_session *s, unsigned leg, uint32_t silent_ms);
void plane_event_consent(struct plane_session *s, enum dp_side side, uint32_t silent_ms);
void plane_event_limit_at(struct plane_session *s, unsigned leg, enum dp_key_direction direction, enum dp_limit limit,
	uint32_t epoch);
void plane_event_limit(struct plane_session *s, enum dp_side side, enum dp_key_direction direction,
	enum dp_limit limit, uint32_t epoch);
/* A datagram that came for this leg; for a side's first. */
void plane_punt_at(struct plane_session *s, unsigned leg, const struct ip_port *from, const uint8_t *octets, size_t n);
void plane_punt(struct plane_session *s, enum dp_side side, const struct ip_port *from, const uint8_t *octets,
	size_t n);
struct plane_session *plane_last(void);

/* The state of a place in the model, as an operator sees it: prefixes dropped, 64-bit numbers as numbers. A
 * new reference; of a refused question {"tag":...,"message":...}. limit 0: none. */
json_t *look(const char *xpath, unsigned limit);
/* Asks and does not wait for the answer. */
void look_and_leave(const char *xpath);
uint64_t counter(const char *name);
/* How the newest call ended: "486 ..." */
const char *last_reason(void);
/* Nothing is left but history. */
void expect_no_calls(void);

#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
