/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket where the control plane connects, and the main thread's loop. One control plane at a time: while
 * one is connected another is refused with -EBUSY, and it replaces its own connection alone (the same
 * instance in DP_HELLO). A connection that says nothing disturbs nobody. A peer is root, of this process's
 * user, or of the group that the socket is given to.
 */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataplane/control/control.h"
#include "lib/base/err.h"

struct server;

struct server_conf {
	const char *path;
	const char *group; /* whose users may connect, besides root and our own; NULL: none */
	uint32_t n_workers;
	struct worker *const *workers;
	/* Everything control_open() needs but `out` and `user`. */
	struct control_conf control;
};

/* Listens. err says what is in the way. */
int server_open(const struct server_conf *conf, struct server **out, struct err *err);

/*
 * Serves until SIGTERM or SIGINT, which the caller has blocked: 0. Otherwise the process is to end and to be
 * started again: -EIO, a worker's crypto backend failed, and every session's keys are lost; -ENODEV, an
 * interface went and came back, and its port is none of the new one's.
 */
int server_run(struct server *s, struct err *err);

/* Closes the connection, removes the socket's path. The workers have stopped. NULL is ignored. */
void server_close(struct server *s);
