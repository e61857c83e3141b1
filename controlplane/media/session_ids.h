/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session ids: a place in the data plane's table and a generation. The place that was given back longest ago
 * is used first, always with a new generation, and never before the data plane said that its session is
 * deleted.
 */
#pragma once

#include <stdbool.h>

#include "lib/msg/dp_msg.h"

enum session_state {
	SESSION_FREE,
	SESSION_OPEN,    /* a call has it */
	SESSION_CLOSING, /* its call is over; the data plane has not said DP_DELETED yet */
};

struct session_place {
	uint32_t generation;
	uint32_t next; /* in the queue of free places */
	uint8_t state; /* enum session_state */
	bool queued;   /* in that queue */
	bool at_dp;    /* the last listing named it */
	bool orphan;   /* CLOSING: it was found at the data plane, and no call of ours ever had it */
	bool del_sent; /* CLOSING: DP_SESSION_DEL is out on this connection */
	void *user;    /* of the call; the client's own of an orphan */
};

struct session_ids {
	struct session_place *places;
	uint32_t n;          /* places there are */
	uint32_t usable;     /* the data plane's table now; places from here on are not given out */
	uint32_t head, tail; /* of the free places */
	uint32_t open, closing;
	uint32_t first_generation;
};

/* -EIO: no random numbers. */
int session_ids_init(struct session_ids *s);
void session_ids_free(struct session_ids *s);

/* The data plane has this many places (now). -ENOMEM. */
int session_ids_resize(struct session_ids *s, uint32_t usable);

/* -ENOSPC. */
int session_ids_open(struct session_ids *s, void *user, dp_session_id *out);

/*
 * A session of an earlier process: its place is OPEN under that very id. Before the first
 * session_ids_resize() too. -EEXIST: the place is in use; -EINVAL: no id; -ENOMEM.
 */
int session_ids_restore(struct session_ids *s, dp_session_id id, void *user);

/* The place that has exactly this id, in any state but FREE; NULL: none. */
struct session_place *session_ids_find(const struct session_ids *s, dp_session_id id);

/* OPEN to CLOSING. False: it was not open. */
bool session_ids_close(struct session_ids *s, dp_session_id id);
/* CLOSING to FREE: the id is the data plane's no more. False: it was not closing. */
bool session_ids_deleted(struct session_ids *s, dp_session_id id);
/* A session that was found at the data plane and is nobody's: its place is CLOSING. False: a call has that
 * place. */
bool session_ids_adopt(struct session_ids *s, dp_session_id id);
