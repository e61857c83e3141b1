/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to b2bua/: the keys of a leg's transports. Most legs have one transport; with video that is not bundled each
 * m-line has its own, with its own keys, and a leg is as old as the oldest of them.
 */
#pragma once

#include <stdint.h>

#include "controlplane/dtls/fingerprint.h"
#include "lib/srtp/suite.h"

struct leg;

/* A DTLS handshake that brought keys. */
struct leg_handshake {
	char version[16], cipher[48], group[32];
	struct dtls_fingerprint peer[DTLS_FINGERPRINTS_MAX]; /* of the peer's SDP: one is its certificate's */
	unsigned n_peer;
};

/* One transport's. */
struct leg_keyed {
	uint64_t keyed_ms;               /* wall clock: since when the key that we send with is agreed; 0: none was */
	uint64_t began_ms;               /* the same by the timers' clock, which nobody sets; below 0 by wrapping */
	uint32_t key_epoch;              /* of that key */
	uint32_t keys;                   /* that we have sent with */
	struct leg_handshake *handshake; /* the last that brought keys; NULL: none */
};

/* Transport i's; NULL: it has had none. Of transport 0 always something. */
struct leg_keyed *leg_keyed(const struct leg *l, unsigned i);
/* Of the transport that stands for the leg where one is asked for: leg.shown. */
const struct leg_keyed *leg_shown_keyed(const struct leg *l);
/* Where transport i's are kept from now on; NULL without memory. */
struct leg_keyed *leg_keyed_make(struct leg *l, unsigned i);
/* Suite of transport i as last agreed; SRTP_SUITE_NONE: it is plain, or has no keys yet. */
enum srtp_suite leg_suite_at(const struct leg *l, unsigned i);
/* Milliseconds that the oldest key in use has been sent with; 0 without one. */
uint64_t leg_key_age_ms(const struct leg *l);
/* Of a call of an earlier process, whose keyed_ms is known. */
void leg_key_restore_age(const struct leg *l, struct leg_keyed *k);
/* Bit i: transport i is in use and has keys. */
uint32_t leg_keyed_mask(const struct leg *l);
/* What is agreed now: leg.shown, leg.suite and leg.keyed_ms. */
void leg_view_keys(struct leg *l);
/* The same; the life of each key that we send with since begins, see rekey_began(). */
void leg_note_keys(struct leg *l);
/* Frees what is kept, once the call is forgotten. */
void leg_keys_forget(struct leg *l);
