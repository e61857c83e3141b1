/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One m-line's DTLS association: dtls.h with the question of who may talk to it. Without ICE nothing but the
 * signalled address, and where policy allows it any other, says where a peer is; so until a client has returned a
 * cookie nothing is believed, every new first ClientHello may begin anew, and the signalled address goes before
 * any other. Once established, only the peer's own datagrams reach the library.
 *
 * Used by one thread at a time, no sockets or timers of its own: pool.h drives it.
 */
#pragma once

#include "controlplane/dtls/dtls.h"

struct dtls_association_conf {
	struct dtls_conf dtls; /* remote: as signalled. output is not used */
	bool any_port;         /* a client may come from another port of the signalled address */
	bool any_ip;           /* ... or from anywhere (behind NAT) */
	void (*output)(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n);
	void *arg;
};

struct dtls_association; /* opaque */

/* conf is copied, but for what dtls.suites points to, which stays the caller's and must outlive it. Errors as of
 * dtls_new(). */
int dtls_association_new(const struct dtls_backend *backend, const struct dtls_association_conf *conf,
	struct dtls_association **out, struct err *e);
void dtls_association_input(
	struct dtls_association *a, const struct ip_port *from, const uint8_t *octets, size_t n);
uint64_t dtls_association_deadline(struct dtls_association *a); /* as dtls_deadline() */
void dtls_association_tick(struct dtls_association *a);
/* Borrowed. A failure at the hands of somebody at another address than the signalled one is none. */
const struct dtls_result *dtls_association_result(const struct dtls_association *a);
void dtls_association_forget_keys(struct dtls_association *a);
/* The peer's address in use; IP_NONE: nobody has shown up. */
const struct ip_port *dtls_association_peer(const struct dtls_association *a);
/* What became of the last attempt that failed without ending the association; "" when there was none. */
const char *dtls_association_complaint(const struct dtls_association *a);
/* Datagrams that were dropped: not from whom they must be. */
uint64_t dtls_association_strays(const struct dtls_association *a);
void dtls_association_close(struct dtls_association *a); /* NULL is ignored */
