/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of srtp_peer, a test's media endpoint: packets, keys and what was heard. One thread owns it all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <srtp2/srtp.h>

#include "controlplane/dtls/association.h"

#define PEER_NAME_MAX 12 /* octets of a speaker's name in its packets */
#define RX_KEYS 6
#define SPEAKERS 4
#define WAITING 64    /* packets that no key opened and a later one may */
#define NUMBERS 65536 /* packets that a speaker may send in a test */

struct peer_key {
	srtp_t session;
	unsigned mki_len; /* octets on the wire, 0: none */
};

/* What was heard of one speaker. */
struct speaker {
	char name[PEER_NAME_MAX + 1];
	uint32_t packets, copies, first, last; /* numbers that its packets carried */
	uint32_t ssrc, ssrc_changes;
	uint64_t at_ms, gap_ms; /* last packet; longest silence between two */
	uint8_t seen[NUMBERS / 8];
};

struct waiting {
	uint64_t at_ms;
	size_t n; /* 0: free */
	uint8_t packet[2048];
};

/* The newest association that the media keys come from. */
struct peer_dtls {
	struct dtls_identity *identity; /* shown by the next one */
	const struct dtls_backend *backend;
	struct dtls_association *association; /* NULL: none yet */
	bool taken;                           /* its keys are in use */
	unsigned established;                 /* of all */
	char version[16], suite[32], tx[2 * SECRET_MAX + 1], rx[2 * SECRET_MAX + 1]; /* of the last; hexadecimal */
};

struct peer {
	char name[PEER_NAME_MAX + 1];
	int fd[2]; /* RTP, RTCP */
	struct sockaddr_storage remote[2];
	socklen_t remote_len;
	struct peer_key tx, rx[RX_KEYS]; /* rx: the newest first */
	unsigned n_rx;
	bool tx_secure, sending, quit;
	bool promised; /* no clear packet is taken, also before there is a key */
	bool twice;    /* each packet is sent so often */
	unsigned pace_ms;
	uint64_t next_ms;
	uint32_t ssrc, ts, number;
	uint16_t seq;
	uint64_t sent[2];
	struct speaker speakers[SPEAKERS];
	uint64_t heard_by_newest; /* packets that the newest key opened */
	uint64_t clear;           /* readable packets while a key is set, or promised */
	uint64_t refused;         /* no key opened them */
	struct waiting waiting[WAITING];
	unsigned n_waited;
	uint64_t corrupt; /* opened, and not what a speaker sends */
	uint64_t rtcp, rtcp_refused;
	uint32_t rtcp_ssrc, rtcp_about; /* the last report's sender, and whom it was about */
	char cname[64];
	struct peer_dtls dtls;
};

/* False when these are no suite, key and MKI. key, mki: hexadecimal; mki "": none. */
bool peer_key_open(struct peer_key *k, const char *suite, const char *key, const char *mki, bool send);

/* The next packet to send; octets, 0 when it could not be encrypted. */
size_t peer_make_rtp(struct peer *p, uint8_t out[2048]);
size_t peer_make_rtcp(struct peer *p, uint8_t out[2048]);

/* A datagram that arrived. */
void peer_hear(struct peer *p, const uint8_t *packet, size_t n, uint64_t now_ms);

/*
 * A key came: what waited for it is tried again. The first media under a new key may overtake the answer that
 * names it (RFC 3264 section 5.1), here as in the gateway.
 */
void peer_hear_again(struct peer *p, uint64_t now_ms);

/* srtp_peer_dtls.c. A new certificate's fingerprint, as in SDP; NULL: there is none. */
const char *peer_dtls_identity(struct peer *p);
/*
 * A new association with who has this fingerprint, on the way that media takes; until it has brought keys those from before
 * are in use. module: the file of a library for it; NULL: OpenSSL. NULL, or what is wrong.
 */
const char *peer_dtls_open(struct peer *p, bool client, const char *fingerprint, const char *module);
void peer_dtls_input(struct peer *p, const struct sockaddr_storage *from, const uint8_t *octets, size_t n);
void peer_dtls_tick(struct peer *p);
/* Until the next tick; -1: none is due. */
int peer_dtls_wait_ms(const struct peer *p);
/* Puts keys of our own making or a handshake's in use, as the commands do. */
const char *peer_take_key(struct peer *p, bool send, const char *suite, const char *key, const char *mki);

/* What was sent and heard, as one line of JSON. */
void peer_print(const struct peer *p, uint64_t now_ms);
