/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control plane's end of the planes' socket. Owns the connection (made again with back-off whenever it is
 * lost), session ids, the configuration that the data plane was given, and every outstanding command. Runs on
 * the loop's thread; all callbacks come from the loop, never from inside a call of this interface.
 *
 * After a connect: DP_HELLO, configuration, DP_LIST. Sessions that the data plane holds and nobody here knows
 * are deleted after a grace period, and their ports are nobody else's until then. When the data plane is the
 * same as before (its instance number), everything else stands; when it is a new one, every session of ours
 * is gone and reported lost. Then, and only then, the client is ready.
 */
#pragma once

#include <event2/event.h>

#include "controlplane/media/port_alloc.h"
#include "lib/base/err.h"
#include "lib/msg/dp_msg.h"

struct dp_client; /* opaque */

/* Every member may be NULL. user: what dp_client_session_open() was given. */
struct dp_client_events {
	/* Ready: sessions may be opened. welcome lives during the call. */
	void (*ready)(void *ctx, const struct dp_welcome *welcome);
	void (*down)(void *ctx, const char *why);
	/* The data plane restarted and lost this session; program it again under the same id. */
	void (*session_lost)(void *ctx, dp_session_id id, void *user);
	/* The connection was lost and is back, the session is there; what was being sent then may not have
	 * arrived. */
	void (*session_found)(void *ctx, dp_session_id id, void *user);
	void (*media_timeout)(void *ctx, dp_session_id id, void *user, unsigned leg);
	void (*key_soft_limit)(void *ctx, dp_session_id id, void *user, const struct dp_key_soft_limit *e);
	void (*remote_changed)(
		void *ctx, dp_session_id id, void *user, unsigned leg, const struct ip_port *to);
	void (*index_checkpoint)(
		void *ctx, dp_session_id id, void *user, const struct dp_index_checkpoint *e);
	void (*consent_lost)(void *ctx, dp_session_id id, void *user, const struct dp_consent_lost *e);
	void (*leg_attacked)(void *ctx, dp_session_id id, void *user, const struct dp_leg_attacked *e);
	/* Of the data plane itself, not of a session. */
	void (*alarm)(void *ctx, const struct dp_alarm *a);
	void (*punt_rx)(void *ctx, dp_session_id id, void *user, const struct dp_punt *e);
};

struct dp_client_conf {
	const char *path; /* of the socket; copied */
	const struct dp_client_events *events;
	void *ctx;
	unsigned ack_timeout_ms; /* without an ACK of any command, and a sixth of what one may take; 0: 5000 */
	unsigned backoff_min_ms; /* 0: 50 */
	unsigned backoff_max_ms; /* 0: 100: a restart is not to be waited for */
	unsigned queue_max;      /* commands waiting for their ACK; 0: 65536 */
	unsigned orphan_ms;      /* grace of sessions that nobody knows; 0: none */
	/* Where the ports of such sessions are held; borrowed. NULL: they are not asked for. When its ranges
	 * change dp_client_reconfigure() follows before anything is leased: they are held in new ones, too.
	 */
	struct port_alloc *ports;
};

/* What the data plane is told at every connect. */
struct dp_client_media {
	uint64_t generation;
	const struct dp_address *addresses;
	uint32_t n_addresses;
	uint32_t trial_per_second, media_timeout_s;
	uint32_t nap_us; /* as in dp_configure */
};

/* Connects when the loop runs. -ENOMEM, -EINVAL. */
int dp_client_new(
	struct event_base *base, const struct dp_client_conf *conf, struct dp_client **out, struct err *e);
/* Closes; callbacks of commands that are outstanding are called with -ECANCELED, keys are wiped. NULL is
 * ignored. */
void dp_client_free(struct dp_client *c);

/* Closes the connection. The data plane is told nothing more, and keeps what it has: dp_client_free()
 * follows. */
void dp_client_leave(struct dp_client *c);

/* Remembered and sent at every connect; at once when connected. addresses is copied: -ENOMEM. */
int dp_client_configure(struct dp_client *c, const struct dp_client_media *media);
/*
 * The same with addresses from malloc(), which it takes over: cannot fail. A data plane that refuses what it is
 * told while it carries calls is complained of in the log, and goes on with what it had.
 */
void dp_client_reconfigure(struct dp_client *c, const struct dp_client_media *media);

bool dp_client_ready(const struct dp_client *c);
/* What the data plane said of itself; NULL while not ready. */
const struct dp_welcome *dp_client_welcome(const struct dp_client *c);

/*
 * More commands wait for their answers than DP_CLIENT_BACKLOG, or than an eighth of the queue: no session is opened now,
 * so that the commands of those that there are pass. Whoever has many sessions to program waits for false.
 */
#define DP_CLIENT_BACKLOG 8192
bool dp_client_behind(const struct dp_client *c);

/* A new id that no session has, here or there. -EAGAIN: not ready; -EBUSY: behind; -ENOSPC: the data plane is full. */
int dp_client_session_open(struct dp_client *c, void *user, dp_session_id *out);
/*
 * A session of an earlier process of ours, before the first connect: its id is the call's again. Then
 * session_found() or session_lost() says whether the data plane has it. Errors as of session_ids_restore().
 */
int dp_client_session_restore(struct dp_client *c, dp_session_id id, void *user);
/*
 * The call is over: the data plane deletes the session, and the id is used again only after it said so. No
 * events of it are reported from now on.
 */
void dp_client_session_close(struct dp_client *c, dp_session_id id);

/* result: 0 or a negative errno value; -ETIMEDOUT: no ACK; -ENOTCONN: the connection was lost; -ECANCELED. */
typedef void (*dp_client_done)(void *arg, int result, const char *reason);

/*
 * Sends one command (the header's seq is filled in here) and calls done (may be NULL) once with its result. m
 * is wiped when it carries a key. -EAGAIN: not ready; -ENOBUFS: too many commands are waiting. A failure is
 * returned, done is then not called; nor is it after dp_client_session_close() of the command's session.
 */
int dp_client_send(struct dp_client *c, union dp_msg *m, dp_client_done done, void *arg);

/* One leg's statistics each, then done, always once: whoever asks may hold what the call does not. The struct
 * lives during the call. */
int dp_client_stats_session(struct dp_client *c, dp_session_id id,
	void (*leg)(void *arg, const struct dp_stats_leg *s), dp_client_done done, void *arg);
/* The whole data plane's, then each of its interfaces'; NULL: not wanted. */
int dp_client_stats_global(struct dp_client *c, void (*global)(void *arg, const struct dp_stats_global *s),
	void (*port)(void *arg, const struct dp_stats_port *s), dp_client_done done, void *arg);

struct dp_client_counters {
	uint64_t connects, disconnects, commands, acks, nacks, timeouts, queue_full;
	uint64_t malformed; /* messages of the data plane that failed dp_msg_check() */
	uint64_t stray;     /* events and answers that matched nothing of ours */
	uint64_t orphans;   /* sessions found at the data plane that nobody knew */
	uint32_t sessions, closing, outstanding;
};
void dp_client_counters(const struct dp_client *c, struct dp_client_counters *out);
