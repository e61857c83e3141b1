/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of dp_client.h share: connection (dp_client.c), handshake (dp_sync.c), sessions without a
 * call (dp_orphans.c), commands (dp_commands.c). */
#pragma once

#include "controlplane/media/dp_client.h"
#include "controlplane/media/session_ids.h"
#include "lib/msg/framing.h"

enum dp_stage {
	DP_DOWN,     /* not connected; a timer runs */
	DP_GREETING, /* DP_HELLO is out */
	DP_SETTING,  /* DP_CONFIGURE is out */
	DP_LISTING,  /* DP_LIST is out */
	DP_READY,
};

/* An outstanding command. */
struct dp_command {
	uint64_t seq; /* 0: this place is free */
	uint64_t sent_ns;
	dp_session_id session; /* 0: none */
	bool deletes;          /* it is the session's DP_SESSION_DEL */
	dp_client_done done;
	void *arg;
	/* Statistics: who is told of each answer before the ACK. */
	void (*leg)(void *arg, const struct dp_stats_leg *s);
	void (*global)(void *arg, const struct dp_stats_global *s);
	void (*port)(void *arg, const struct dp_stats_port *s);
};

struct dp_client {
	struct event_base *base;
	struct dp_client_events events;
	void *ctx;
	char *path;
	unsigned ack_timeout_ms, backoff_min_ms, backoff_max_ms, backoff_ms;

	enum dp_stage stage;
	struct framing *framing; /* NULL while down */
	struct event *readable, *writable, *timer;
	bool failed; /* the connection broke inside a call: taken down from the loop */
	const char *why_down;

	struct dp_welcome welcome;
	bool welcomed; /* on this connection */
	bool refused;  /* its greeting was: said once, until one is taken */
	unsigned orphan_ms;
	struct event *orphan_timer; /* pending while there are orphans in their grace period */
	uint64_t own_instance;      /* ours */

	uint64_t seq;  /* of the last command */
	uint64_t tail; /* no command before this one is outstanding */
	uint64_t acked_ns; /* when the last ACK came: of a data plane that is slow, not gone */
	/*
	 * [seq & queue_mask]: a small ring that is used again and again, and grows when its next place is taken. One
	 * of the largest size from the start would be gone through from end to end: 72 octets of memory touched for
	 * the first time, and out of any cache, with each of the first 65,536 commands.
	 */
	struct dp_command *commands;
	uint32_t n_outstanding, queue_mask, queue_max;

	uint64_t generation; /* configuration */
	struct dp_address *addresses;
	uint32_t n_addresses, trial_per_second, media_timeout_s, nap_us;
	bool configured;
	uint16_t pages_unanswered;

	uint32_t next_cursor;     /* of the listing, behind its last page; 0: that was the last */
	uint32_t n_asked;         /* sessions of that page whose ports are asked for */
	bool page_read;           /* it waits for them */
	struct port_alloc *ports; /* borrowed; NULL: there are none to be held */

	struct session_ids ids;
	struct dp_client_counters counters;
};

/*
 * Until when a command is waited for. A data plane that answers others has it in its queue still: the time counts from
 * the last ACK. One command has six times as long at most: its answer was lost.
 */
static inline uint64_t dp_deadline(uint64_t sent_ns, uint64_t acked_ns, uint64_t timeout_ns)
{
	uint64_t heard = (acked_ns > sent_ns ? acked_ns : sent_ns) + timeout_ns, last = sent_ns + 6 * timeout_ns;

	return heard < last ? heard : last;
}

/* Commands. submit: any stage but DOWN; m's header is completed, a key wiped. */
int dp_submit(struct dp_client *c, union dp_msg *m, const struct dp_command *what);
void dp_acked(struct dp_client *c, const struct dp_ack *a);
struct dp_command *dp_outstanding(struct dp_client *c, uint64_t seq);
void dp_expire(struct dp_client *c, uint64_t now_ns); /* those whose time is up */
void dp_cancel_all(struct dp_client *c, int result, const char *why);
void dp_arm_timer(struct dp_client *c);                /* for the next deadline, while connected */
void dp_delete(struct dp_client *c, dp_session_id id); /* DP_SESSION_DEL of a closing session */

/* The handshake. */
void dp_greet(struct dp_client *c);
int dp_send_configuration(struct dp_client *c);
void dp_list_page(struct dp_client *c, const struct dp_list_page *p);
/* With the next page, or to its end; unless there is something to wait for. */
void dp_list_on(struct dp_client *c);
void dp_deleted(struct dp_client *c, dp_session_id id);

/* Sessions that were found there and are nobody's. */
void dp_orphan_found(struct dp_client *c, dp_session_id id);
void dp_orphan_again(struct dp_client *c, struct session_place *p); /* one that was found before */
bool dp_orphan_in_grace(const struct dp_client *c, const struct session_place *p);
void dp_orphans_end(evutil_socket_t fd, short what, void *client); /* their grace period is over */
void dp_orphans_hold(struct dp_client *c); /* the ranges of ports may be others */
void dp_orphans_free(struct dp_client *c);

/* The data plane has the session no more: its place is free, as are an orphan's ports. False: it was not
 * closing. */
bool dp_place_free(struct dp_client *c, dp_session_id id);

/* Marks the connection as broken; the loop takes it down and connects again. why: static. */
void dp_fail(struct dp_client *c, const char *why);
