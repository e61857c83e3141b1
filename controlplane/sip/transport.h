/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries SIP messages over UDP, TCP, TLS and WebSocket over TLS (RFC 3261 section 18, RFC 3581, RFC 5626
 * keep-alives, RFC 7118). One datagram is one message, and so is one WebSocket message; streams are framed
 * by Content-Length. Everything runs in the thread of the event
 * loop.
 *
 * Buffers that held messages are wiped when they are done with: bodies may carry SDES keys. libevent only
 * watches descriptors here, so that no message passes through memory of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/sip/counters.h"
#include "controlplane/sip/message.h"
#include "controlplane/sip/steer.h"
#include "controlplane/sip/tls.h"
#include "lib/base/err.h"
#include "lib/base/netaddr.h"

struct event_base;
struct sip_net;
struct sip_listener;

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS, SIP_WSS, SIP_TRANSPORT_COUNT };

/* "UDP", "TCP", "TLS", "WSS" as in a Via. */
struct str sip_transport_name(enum sip_transport t);
/* Without case; -EINVAL. */
int sip_transport_by_name(struct str name, enum sip_transport *out);
static inline bool sip_transport_reliable(enum sip_transport t)
{
	return t != SIP_UDP;
}
/* Can nobody on the way read it? */
static inline bool sip_transport_secure(enum sip_transport t)
{
	return t == SIP_TLS || t == SIP_WSS;
}

/*
 * Where a message came from, or where one is to go. By value; holds no reference: tls, tls_name and tls_sni
 * are the caller's (NULL in the flow of a received message: only its connection is known). Who stores one
 * beyond the turn of the loop keeps it with sip_flow_keep().
 */
struct sip_flow {
	enum sip_transport transport;
	struct ip_port remote;
	struct sip_listener *listener; /* whose address, Via and realm apply; never NULL */
	uint64_t conn;                 /* this connection if it is still up; 0: any to remote, or a new one */
	struct tls_ctx *tls;           /* client profile for a new TLS connection; NULL: only existing ones */
	const char *tls_name;          /* name that the peer's certificate must carry; NULL: any */
	const char *tls_sni;           /* server name to ask for; NULL: tls_name where that is a DNS name */
};

/*
 * A copy that is stored: what it names lives until sip_flow_drop(), which empties it, and a listener that was
 * retired goes on serving it. -ENOMEM: nothing is kept, and the copy is empty.
 */
int sip_flow_keep(struct sip_flow *flow);
void sip_flow_drop(struct sip_flow *flow); /* an empty one is ignored */

#define SIP_SENT_BY_MAX 272 /* a host name, a port */

struct sip_listen_conf {
	enum sip_transport transport;
	struct ip_port local;    /* port 0: chosen by the system (see sip_listener_local) */
	struct str sent_by_host; /* in Via and Contact; empty: local's address, which must then be one */
	struct tls_ctx *tls;     /* server profile, SIP_TLS and SIP_WSS only; referenced */
	void *realm;             /* the caller's, opaque */
};

struct sip_net_conf {
	unsigned connections_max; /* all together, an eighth of them for peers alone; 0: 20000 */
	unsigned per_source_max;  /* accepted per IPv4 address or IPv6 /64; 0: 200 */
	unsigned half_open_max;   /* accepted that have not sent a first message yet, but of peers
				     (sip_rate_conf)   there may be more; 0: 2000 */
	unsigned connect_ms;      /* TCP and TLS together; 0: 5000 */
	unsigned handshake_ms;    /* accepted to first whole message; 0: 10000 */
	unsigned message_ms; /* first to last octet of one message, or of what is sent before it is closed; 0:
				10000 */
	unsigned idle_ms;         /* nothing sent or received; 0: 600000 */
	unsigned ping_ms; /* nothing received on a WebSocket: it is asked, and closed after as long again; 0: 30000 */
	size_t send_queue_max;    /* octets per connection; 0: 1 MB */
};

/*
 * m and the text under it are gone after the return: keep sip_msg_clone(). m->source is set. `from` can be
 * used as it is to answer on the same way.
 */
typedef void (*sip_net_message_fn)(void *user, const struct sip_msg *m, const struct sip_flow *from);

int sip_net_new(struct event_base *base, const struct sip_net_conf *conf, struct sip_counters *counters,
	sip_net_message_fn on_message, void *user, struct sip_net **out);
/* Closes everything; waiters are not called. */
void sip_net_free(struct sip_net *net);

/*
 * e names the address and the reason. The listener serves until sip_net_unlisten() or sip_net_free(), or,
 * when it is retired, until its last kept flow is dropped; its memory stays for those who hold a reference. A
 * stream socket that another listener of this net has on the same address (as TCP instead of TLS) is taken
 * over: both accept until the other one is retired.
 */
int sip_net_listen(
	struct sip_net *net, const struct sip_listen_conf *conf, struct sip_listener **out, struct err *e);
/* Stops accepting and closes what was accepted. Nothing can be sent from it afterwards. */
void sip_net_unlisten(struct sip_listener *l);
/*
 * Accepts no connections from now on; flows that are kept go on, over UDP too, and when the last of them is
 * dropped its connections are closed and it is gone. Its realm is NULL from now on.
 */
void sip_listener_retire(struct sip_listener *l);
/* The one that serves or served this address, retired or not; NULL. */
struct sip_listener *sip_net_find_listener(
	const struct sip_net *net, enum sip_transport t, const struct ip_port *local);
bool sip_listener_retired(const struct sip_listener *l);
/* References keep the memory, not the service. NULL is allowed. */
struct sip_listener *sip_listener_ref(struct sip_listener *l);
void sip_listener_unref(struct sip_listener *l);
/* New handshakes use another profile. */
void sip_listener_set_tls(struct sip_listener *l, struct tls_ctx *tls);
void sip_listener_set_realm(struct sip_listener *l, void *realm);
/*
 * Of a SIP_WSS listener: pages that may connect (ws_upgrade.h). Borrowed until it is set anew or the listener
 * is retired. None at first: no page may.
 */
void sip_listener_set_origins(struct sip_listener *l, const char *const *origins, size_t n);
/*
 * Of a SIP_UDP listener: what comes from these, from who has proved who he is (sip_net_know()) and from whom we
 * send requests to waits in a queue of its own, so that a flood of datagrams from anybody else loses none of
 * it. Copied. Until this was called there is one queue for all. -ENOMEM: as before.
 */
int sip_listener_set_peers(struct sip_listener *l, const struct sip_prefix *peers, size_t n);
/*
 * Of a SIP_WSS listener: a WebSocket on which nobody has been admitted (sip_net_admit()) in that time is closed. 0, as at
 * first: none is. Holds for those that are open too, from their next message on at the latest.
 */
void sip_listener_set_register_within(struct sip_listener *l, uint32_t seconds);
/* What peers are told from now on; empty: the local address. */
void sip_listener_set_host(struct sip_listener *l, struct str host);
/* As sip_net_conf.connections_max; connections that are there stay. */
void sip_net_set_connections_max(struct sip_net *net, unsigned max);

/*
 * Message rates per source address (an IPv6 peer's is its /64). Datagrams over the rate are dropped without
 * an answer; a connection over it is not read from until it is below again, so that TCP slows the sender
 * down.
 *
 * peer: is the source one of ours, by address or by what its connection proved? Then *per_s is set to what it
 * may send when that is not conf.peer_per_s. Asked once a second for each source that sends. Without this
 * call nothing is limited.
 */
struct sip_rate_conf {
	uint32_t peer_per_s;          /* one address of a peer; UINT32_MAX: no limit */
	uint32_t stranger_per_s;      /* one address of anybody else */
	uint32_t strangers_udp_per_s; /* datagrams of all of those together, whose addresses may be made up */
	bool (*peer)(void *user, const struct sip_flow *from, uint32_t *per_s);
	void *user;
};
int sip_net_set_rates(struct sip_net *net, const struct sip_rate_conf *conf); /* -ENOMEM, -EIO */
/* The source has proved who it is (by a password): a peer for the next hour, and admitted. */
void sip_net_know(struct sip_net *net, const struct sip_flow *from);
/* Whoever speaks by this connection is welcome: a WebSocket may stay open. */
void sip_net_admit(struct sip_net *net, const struct sip_flow *from);

enum sip_transport sip_listener_transport(const struct sip_listener *l);
const struct ip_port *sip_listener_local(const struct sip_listener *l);
/* "host:port" for Via and Contact; an IPv6 address in brackets. */
struct str sip_listener_sent_by(const struct sip_listener *l);
/* The same without the port. */
struct str sip_listener_host(const struct sip_listener *l);
void *sip_listener_realm(const struct sip_listener *l);

/*
 * Told once when the connection that carried its message is lost; not told when the owner detaches first.
 * Until then silence does not end the connection. Embedded in the owner, zeroed before use.
 */
struct sip_waiter {
	struct sip_waiter *next, **prev; /* prev NULL: detached */
	/* reason is for the operator. connected: the connection had been up. */
	void (*lost)(struct sip_waiter *w, const char *reason, bool connected);
};
void sip_waiter_detach(struct sip_waiter *w);
/* Attaches without sending anything. -ENOTCONN: the connection is gone. */
int sip_net_watch(const struct sip_net *net, uint64_t conn, struct sip_waiter *w);

/*
 * Sends text, which is copied if it has to wait. flow->conn is set to the connection used (0 for UDP). waiter
 * may be NULL; it is attached to the connection, replacing what it was attached to.
 *
 * -ENOBUFS the send queue is full; -EMSGSIZE too large for UDP; -ENOTCONN no connection and none may be
 * opened (no profile, or limits); others from the system.
 */
int sip_net_send(struct sip_net *net, struct sip_flow *flow, struct str text, struct sip_waiter *waiter);

/*
 * Where a response to a request that came by `from` goes when that connection is gone, or over UDP: RFC 3261
 * section 18.2.2 and RFC 3581. maddr is not followed: it would let a stranger aim our answers.
 */
void sip_net_response_flow(const struct sip_msg *request, struct sip_flow *from);

/* What goes by it is still wanted: it is not closed for silence, from now on for as long again. */
void sip_net_hold(const struct sip_net *net, uint64_t conn);
/* Closes it when what waits to be sent has gone; one that is gone already is ignored. */
void sip_net_close(struct sip_net *net, uint64_t conn, const char *reason);

/* What is known of a connection; NULL when it is gone. Valid until control returns to the loop. */
struct sip_conn_info {
	enum sip_transport transport;
	struct ip_port remote, local;
	bool accepted;              /* by us, else opened by us */
	const struct tls_info *tls; /* NULL without TLS */
};
int sip_net_conn_info(const struct sip_net *net, uint64_t conn, struct sip_conn_info *out);
unsigned sip_net_conn_count(const struct sip_net *net);

/*
 * flow->remote (and transport, when the URI or sips: names one) from a URI whose host is an IP literal.
 * -EHOSTUNREACH when it is a name, -EPROTONOSUPPORT for an unknown transport; flow is then as before.
 */
int sip_flow_from_uri(const struct sip_uri *uri, struct sip_flow *flow);
