/* SPDX-License-Identifier: Apache-2.0 */
/* What the SIP stack did, refused and dropped. Written by the loop thread only. */
#pragma once

#include <stdint.h>

#define SIP_COUNTERS(X)                                                                                      \
	X(rx_messages, "messages received and parsed")                                                       \
	X(tx_messages, "messages sent")                                                                      \
	X(rx_keepalives, "keep-alive pings answered or ignored")                                             \
	X(rx_malformed_answered, "malformed requests answered")                                              \
	X(rx_malformed_dropped, "malformed messages dropped")                                                \
	X(rx_too_large, "messages over the size limits")                                                     \
	X(rx_rate_dropped, "datagrams of peers over their message rate")                                     \
	X(rx_rate_dropped_unknown, "datagrams of strangers over the rate of one or of all together")         \
	X(rx_queue_dropped, "datagrams that found the queue of peers full")                                  \
	X(rx_queue_dropped_unknown, "datagrams of strangers that found their queue full")                    \
	X(rx_rate_paused, "times a connection over its message rate was not read from for a while")          \
	X(rx_stray_responses, "responses that match no transaction")                                         \
	X(rx_stray_acks, "ACKs that match nothing")                                                          \
	X(rx_stray_cancels, "CANCELs that match no transaction, answered 481")                               \
	X(rx_retransmissions, "retransmitted requests absorbed")                                             \
	X(rx_merged, "merged requests (same call by two ways), answered 482")                                \
	X(tx_retransmissions, "messages retransmitted")                                                      \
	X(tx_failed, "messages that could not be sent")                                                      \
	X(tx_queue_full, "messages refused because the connection's send queue is full")                     \
	X(tx_too_large_for_udp, "UDP messages over 1300 octets (RFC 3261 section 18.1.1)")                   \
	X(conn_accepted, "connections accepted")                                                             \
	X(conn_opened, "outgoing connections established")                                                   \
	X(conn_failed, "outgoing connections that failed")                                                   \
	X(conn_refused_limit, "connections refused by the total limit")                                      \
	X(conn_refused_source, "connections refused by the limit per source")                                \
	X(conn_refused_half_open, "connections refused by the half-open limit")                              \
	X(conn_idle_closed, "connections closed for idleness")                                               \
	X(conn_slow_closed, "connections closed because a message or handshake took too long")               \
	X(conn_garbage_closed, "connections closed because framing was lost")                                \
	X(web_opened, "WebSockets opened")                                                                    \
	X(web_unregistered_closed, "WebSockets closed because nobody registered on them in time")            \
	X(web_refused, "HTTP requests on a WebSocket listener that were refused")                            \
	X(web_refused_origin, "of them: of a page whose Origin is not allowed (403)")                        \
	X(web_silent_closed, "WebSockets closed because a ping was not answered")                            \
	X(tls_handshakes, "TLS handshakes completed")                                                        \
	X(tls_failures, "TLS handshakes failed")                                                             \
	X(tls_downgrades, "of them: no TLS version or cipher that is allowed here")                          \
	X(transactions_timed_out, "client transactions without an answer")                                   \
	X(transactions_no_ack, "INVITE answers without an ACK")                                              \
	X(transactions_refused, "requests refused with 503 by the transaction limit")

/* What TLS handshakes agreed on. */
enum sip_tls_version { SIP_TLS_1_2, SIP_TLS_1_3, SIP_TLS_VERSIONS };
enum sip_tls_group { SIP_TLS_X25519MLKEM768, SIP_TLS_X25519, SIP_TLS_P256, SIP_TLS_P384, SIP_TLS_OTHER_GROUP, SIP_TLS_GROUPS };

struct sip_counters {
#define SIP_COUNTER_FIELD(name, help) uint64_t name;
	SIP_COUNTERS(SIP_COUNTER_FIELD)
#undef SIP_COUNTER_FIELD
	/* Behind the list, whose fields are read as an array. */
	uint64_t tls_agreed[SIP_TLS_VERSIONS][SIP_TLS_GROUPS];
};
