/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of the planes' socket: messages of dp_msg.h, each one packet of a non-blocking Unix SOCK_SEQPACKET
 * socket, with a bounded queue in front for what the socket does not take at once. Order is kept.
 * Single-threaded; the owner polls framing_fd() for reading and, while framing_wants_write(), for writing.
 *
 * Key material: a DP_KEY_ADD is wiped in the sender's memory when framing_send() returns, whatever it
 * returns, and in the queue when it has left it. The receiver wipes what it received (dp_msg_wipe()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/msg/dp_msg.h"

#define FRAMING_SNDBUF (4u << 20)   /* octets asked for; the kernel's default takes 167 small messages */
#define FRAMING_QUEUE_DEFAULT 16384 /* messages */

struct framing; /* opaque */

/* Takes over a connected socket: closes it in framing_close(). queue_max: messages, 0: the default. -ENOMEM.
 */
int framing_open(int fd, uint32_t queue_max, struct framing **out);
void framing_close(struct framing *f); /* wipes and drops what is queued; NULL is ignored */

int framing_fd(const struct framing *f);

/*
 * Sends or queues one message. -ENOBUFS: the queue is full, nothing was queued (to be reported, never retried
 * in a loop); -EPIPE, -ECONNRESET: the peer is gone; -EINVAL: no type of the contract; -ENOMEM.
 */
int framing_send(struct framing *f, union dp_msg *m);

/* Sends what is queued. 0: all is sent; -EAGAIN: the socket is full, wait for it to be writable; -EPIPE. */
int framing_flush(struct framing *f);

bool framing_wants_write(const struct framing *f);
uint32_t framing_queued(const struct framing *f); /* messages */
uint32_t framing_room(const struct framing *f);   /* messages that can be queued still */

/*
 * Receives one message that passed dp_msg_check(). 1: *m holds it; 0: nothing there now; -EPROTO: something
 * else came (why names it; the connection goes on); -ECONNRESET: the peer closed.
 */
int framing_recv(struct framing *f, union dp_msg *m, const char **why);

/*
 * A listening socket at path, in place of a stale one, for this process's user alone (mode 0600), or for the
 * users of a group, too (0660). NULL: no group. The caller closes it and removes the path. -EADDRINUSE:
 * somebody listens there; -ENOENT: no such group; -ENAMETOOLONG; other errno values. err says which.
 */
int framing_listen(const char *path, const char *group, int *fd, struct err *err);

/* One waiting connection. -EAGAIN: none. peer: who connected (SO_PEERCRED). */
int framing_accept(int listener, int *fd, uid_t *peer);

/* Connects to path, non-blocking afterwards. -ENOENT, -ECONNREFUSED, -EACCES; err says what to do. */
int framing_connect(const char *path, int *fd, struct err *err);
