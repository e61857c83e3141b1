/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data plane for tests of the control plane: takes commands over a real SEQPACKET socket in the test's own
 * loop, keeps a list of sessions and no media, and can be told to misbehave. Zero it, fill in what is marked,
 * then fake_plane_listen(). Owned by the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "lib/msg/dp_msg.h"
#include "lib/msg/framing.h"

#define FAKE_PLANE_SESSIONS 1024
#define FAKE_PLANE_LATE 64

struct fake_plane {
	struct event_base *base; /* fill in */
	char path[128];          /* fill in: of the socket */
	uint64_t instance;       /* fill in; another one after a restart */
	uint32_t sessions_max;   /* fill in */
	unsigned page;           /* fill in: sessions in one answer to DP_LIST */
	/* Fill in or leave NULL. */
	void (*saw)(const union dp_msg *c);    /* every message, whatever becomes of it */
	int (*command)(const union dp_msg *c); /* what is carried out; returns its result */
	/* Statistics to send before the ACK. */
	void (*stats)(const union dp_msg *c);

	/* Behaviour */
	bool mute; /* commands are read, and neither carried out nor answered */
	bool keep; /* sessions are not deleted: no DP_DELETED */
	bool slow; /* what is said of sessions is carried out, and acknowledged by fake_plane_acknowledge() */
	int refuse_type; /* this command is answered refuse_result; 0: none */
	int refuse_result;
	const char *refuse_reason;

	/* To be looked at */
	dp_session_id has[FAKE_PLANE_SESSIONS]; /* live sessions */
	unsigned n;
	unsigned seen;     /* connections and commands so far */
	struct framing *f; /* NULL: nobody is connected */

	int listener;
	struct event *accepting, *reading;
	union dp_msg late[FAKE_PLANE_LATE];
	unsigned n_late;
};

void fake_plane_listen(struct fake_plane *p);
/* Nobody can connect any more; who is connected stays. */
void fake_plane_deaf(struct fake_plane *p);
void fake_plane_hang_up(struct fake_plane *p);
/* Both, at a test's end or in the middle of it. */
void fake_plane_close(struct fake_plane *p);

bool fake_plane_has(const struct fake_plane *p, dp_session_id id);
/* The session is gone, and DP_DELETED says so. */
void fake_plane_drop(struct fake_plane *p, dp_session_id id);
/* An event or an answer; lost when nobody is connected. */
void fake_plane_say(struct fake_plane *p, union dp_msg *m);
/* Sends the ACKs that are late. */
void fake_plane_acknowledge(struct fake_plane *p);
