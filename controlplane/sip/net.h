/* SPDX-License-Identifier: Apache-2.0 */
/* What the transport's files share. Private to this folder. */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include "controlplane/sip/frame.h"
#include "controlplane/sip/rate.h"
#include "controlplane/sip/transport.h"
#include "controlplane/sip/ws.h"
#include "controlplane/sip/ws_upgrade.h"

#define NET_BUCKETS 4096   /* of each table; a power of two */
#define NET_LOG_LINES 10   /* per second about what strangers send */
#define NET_READ_MAX 65536 /* octets per read, and the largest datagram */

enum conn_state {
	CONN_CONNECTING, /* TCP connect under way */
	CONN_HANDSHAKE,  /* TLS handshake under way */
	CONN_UP,
	CONN_BROKEN, /* to be closed from the loop; takes nothing more */
	CONN_DEAD,   /* closed; memory goes when nobody is inside */
};

/* A piece of a message that waits to be written. Wiped when freed. */
struct send_chunk {
	struct send_chunk *next;
	size_t len, done;
	char text[];
};

/* Accepted connections whose handshake goes on with what they sent. */
struct handshake_queue {
	struct sip_conn *head, **tail;
};

struct sip_conn {
	struct sip_net *net;
	uint64_t id;
	struct sip_conn *next_id, *next_remote;
	struct sip_conn *next_all, **prev_all;
	enum conn_state state;
	enum sip_transport transport;
	struct sip_listener *listener;
	struct ip_port remote, local;
	bool accepted;
	bool half_open;     /* accepted, no whole message yet; counted in net->half_open */
	bool close_flushed; /* close when the send queue is empty */
	bool last_crlf;     /* the last thing received was CRLF */
	unsigned busy;      /* callers inside; memory is kept until 0 */
	int fd;
	struct ssl_st *ssl;
	struct tls_ctx *tls; /* of an opened connection: part of what makes it reusable */
	char *tls_name, *tls_sni;
	struct tls_info *info;
	struct event ev_read, ev_write, ev_timer, ev_rate;
	struct handshake_queue *waits_in; /* NULL: in none */
	struct sip_conn *next_handshake, **prev_handshake;
	bool paused;         /* over its message rate, or others have their turn: read again by ev_rate */
	uint64_t active_ms;  /* last octet either way */
	struct ws *ws;       /* SIP_WSS: once it was upgraded */
	uint64_t web_ms;     /* ws: since when */
	bool admitted;       /* ws: somebody has proved on it who it is */
	uint64_t heard_ms;   /* ws: last octet received */
	bool pinged;         /* ws: since then */
	uint64_t message_ms; /* when the message that is incomplete began, 0 for none */
	uint64_t closing_ms; /* close_flushed: since when */
	char *rx;            /* an incomplete message */
	size_t rx_len, rx_cap;
	struct sip_framer framer;
	struct send_chunk *tx_head, **tx_tail;
	size_t tx_octets;
	struct sip_waiter *waiters;
	bool broke_up; /* CONN_BROKEN: it had been up */
	struct err reason_text;
};

struct sip_listener {
	struct sip_listener *next; /* in net->listeners, while it serves anybody */
	struct sip_net *net;
	unsigned refs;  /* of the memory: net->listeners, connections, kept flows, other owners */
	unsigned flows; /* kept ones */
	bool retired;
	enum sip_transport transport;
	struct ip_port local;
	char sent_by[SIP_SENT_BY_MAX];
	struct tls_ctx *tls;
	struct ws_policy web; /* SIP_WSS */
	uint32_t register_within_s; /* SIP_WSS: see sip_listener_set_register_within() */
	void *realm;
	int fd; /* -1: closed */
	struct event ev, ev_resume;
	/* SIP_UDP: those of others than peers wait in a socket of their own (udp.c). */
	int fd_strangers; /* -1: there is none; fd has all */
	struct event ev_strangers, ev_steer;
	struct sip_prefix *peers; /* as sip_listener_set_peers() was told */
	size_t n_peers;
	uint32_t drops, drops_strangers; /* as the kernel counted when it was asked last */
	bool one_queue_said;             /* the log has the reason */
};

/* Accepted connections of one address. */
struct source {
	struct source *next;
	struct ip_addr ip;
	unsigned count;
};

struct net_rates {
	struct sip_rate_conf conf;
	struct rate_table *peers, *strangers; /* NULL: nothing is limited */
	struct rate_bucket strangers_udp;
};

struct sip_net {
	struct event_base *base;
	struct sip_net_conf conf;
	struct sip_counters *counters;
	sip_net_message_fn on_message;
	void *user;
	struct sip_listener *listeners;
	struct sip_conn *all;
	unsigned conn_count, half_open;
	unsigned conn_peak; /* most since memory was given back */
	struct event ev_trim, ev_handshakes;
	struct handshake_queue handshakes[2]; /* of peers, of others */
	uint64_t next_id;
	uint64_t log_second; /* the second that log_lines counts in */
	unsigned log_lines, log_dropped;
	struct net_rates rates;
	struct sip_conn *by_id[NET_BUCKETS];
	struct sip_conn *by_remote[NET_BUCKETS]; /* opened by us */
	struct source *sources[NET_BUCKETS];
	struct sip_msg msg;    /* the one being handled */
	char rx[NET_READ_MAX]; /* where reads land; a message that is whole is parsed here */
};

/* False when strangers made enough lines this second; *dropped: how many were left out before this one. */
bool net_may_log(struct sip_net *net, unsigned *dropped);

uint32_t net_hash(const void *p, size_t n, uint32_t seed);

/* message.c's way in: parses, answers what is malformed, hands on what is good. False: framing cannot go on.
 */
bool net_deliver(struct sip_net *net, char *p, size_t n, bool datagram, struct sip_flow *from);

/* rate_net.c */
/* Whom an address counts for: an IPv6 peer has a whole /64 to choose addresses from. */
struct ip_addr net_source_of(const struct ip_addr *ip);
/* False: the datagram is one too many. of_strangers: it waited in their queue. */
bool net_rate_datagram(struct sip_net *net, const struct sip_flow *from, bool of_strangers);
/* A message came by a connection; then, how long to wait before more is read, 0: not at all. */
void net_rate_charge(struct sip_net *net, const struct sip_flow *from);
uint32_t net_rate_wait_ms(struct sip_net *net, const struct sip_flow *from);
/* Is it one that a trunk is identified by? False also where nobody was told to ask. */
bool net_rate_is_peer(struct sip_net *net, struct sip_listener *l, const struct ip_port *remote);
/* We send it a request: it may answer. */
void net_rate_expect(struct sip_net *net, const struct sip_flow *to);
/* Sources that are peers for a while whatever the configuration says; how many. */
size_t net_rate_known(const struct sip_net *net, struct sip_prefix *out, size_t room);
void net_rate_close(struct sip_net *net);

/* conn.c */
struct sip_conn *conn_find(const struct sip_net *net, uint64_t id);
struct sip_conn *conn_find_remote(const struct sip_net *net, const struct sip_flow *flow);
void conn_accept(struct sip_listener *l, int fd, const struct ip_port *remote);
int conn_open(struct sip_net *net, const struct sip_flow *flow, struct sip_conn **out);
void conn_close(struct sip_conn *c, const char *reason);
/* Closes from the loop, so that a sender does not find itself inside other owners' callbacks. */
void conn_break(struct sip_conn *c, const char *reason);
/* As conn_break(), but what waits to be written is written first. */
void conn_finish(struct sip_conn *c, const char *reason);
/* An accepted connection sent something whole: it is no half-open one any more. */
void conn_heard_of(struct sip_conn *c);
void conn_leave(struct sip_conn *c);
void conn_up(struct sip_conn *c);
/* The net is new: event_assign() of what conn.c has there. */
void conn_open_net(struct sip_net *net);
/* A TLS session on the connection, by that profile. */
int conn_begin_handshake(struct sip_conn *c, struct tls_ctx *ctx, struct err *e);
void conn_connected(struct sip_conn *c);
uint64_t conn_now_ms(void);
void conn_arm_timer(struct sip_conn *c);

/* conn_io.c */
void conn_on_read(evutil_socket_t fd, short what, void *arg);
/* Something came, and it is this connection's turn. */
void conn_go_on(struct sip_conn *c);
void conn_on_rate(evutil_socket_t fd, short what, void *arg);
void conn_on_write(evutil_socket_t fd, short what, void *arg);
int conn_write(struct sip_conn *c, struct str text);
void conn_drop_queue(struct sip_conn *c);
/* A message is whole; p is written to. False: the connection takes no more. */
bool conn_take_message(struct sip_conn *c, char *p, size_t n);

/* conn_web.c */
/* As conn_write(), for one SIP message: in a frame where the connection is a WebSocket. */
int conn_send(struct sip_conn *c, struct str text);
/* When the connection is to be closed, or pinged, if nothing comes; UINT64_MAX: never. */
uint64_t conn_web_deadline(const struct sip_conn *c);
/* That time has come. */
void conn_web_due(struct sip_conn *c);
/* Takes what came by a SIP_WSS connection. The octets left over, or -1 when the connection is done with. */
ptrdiff_t conn_take_web(struct sip_conn *c, char *p, size_t n);

/* handshake.c */
void handshake_open(struct sip_net *net);
void handshake_close(struct sip_net *net);
/* Something came for it: it is read when it is its turn. */
void handshake_wait(struct sip_conn *c);
void handshake_forget(struct sip_conn *c);
/* As far as it goes: conn_up(), conn_close(), or more has to come. */
void handshake_step(struct sip_conn *c);

/* udp.c */
/* Bound to that address, or to a free port of it; -1 with errno. */
int udp_socket(const struct ip_port *local);
void udp_on_datagrams(evutil_socket_t fd, short what, void *arg);
/* The kernel is told anew, a moment later, who is a peer. */
void udp_steer_soon(struct sip_listener *l);
/* Back to one socket for all; does nothing when there is one. */
void udp_join(struct sip_listener *l);
int udp_send(struct sip_listener *l, const struct ip_port *to, struct str text);
