/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/msg/framing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/secret.h"

/* A message that waits for the socket; as long as its type needs. */
struct waiting {
	STAILQ_ENTRY(waiting) next;
	size_t n;
	uint8_t octets[];
};

struct framing {
	int fd;
	uint32_t queued, queue_max;
	STAILQ_HEAD(, waiting) queue;
};

int framing_open(int fd, uint32_t queue_max, struct framing **out)
{
	struct framing *f = calloc(1, sizeof *f);
	int size = FRAMING_SNDBUF;

	if (!f)
		return -ENOMEM;
	/* FORCE needs CAP_NET_ADMIN; without it the kernel gives what net.core.wmem_max allows. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	f->fd = fd;
	f->queue_max = queue_max ? queue_max : FRAMING_QUEUE_DEFAULT;
	STAILQ_INIT(&f->queue);
	*out = f;
	return 0;
}

static void drop_first(struct framing *f)
{
	struct waiting *w = STAILQ_FIRST(&f->queue);

	STAILQ_REMOVE_HEAD(&f->queue, next);
	f->queued--;
	mem_wipe(w->octets, w->n);
	free(w);
}

void framing_close(struct framing *f)
{
	if (!f)
		return;
	while (f->queued)
		drop_first(f);
	close(f->fd);
	free(f);
}

int framing_fd(const struct framing *f)
{
	return f->fd;
}

bool framing_wants_write(const struct framing *f)
{
	return f->queued != 0;
}

uint32_t framing_queued(const struct framing *f)
{
	return f->queued;
}

uint32_t framing_room(const struct framing *f)
{
	return f->queue_max - f->queued;
}

/* 0, -EAGAIN, or that the peer is gone. */
static int put(int fd, const void *octets, size_t n)
{
	ssize_t sent;

	do
		sent = send(fd, octets, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 0;
	return errno == EWOULDBLOCK || errno == ENOBUFS ? -EAGAIN : -errno;
}

static int enqueue(struct framing *f, const union dp_msg *m, size_t n)
{
	struct waiting *w;

	if (f->queued >= f->queue_max)
		return -ENOBUFS;
	w = malloc(sizeof *w + n);
	if (!w)
		return -ENOMEM;
	w->n = n;
	memcpy(w->octets, m, n);
	STAILQ_INSERT_TAIL(&f->queue, w, next);
	f->queued++;
	return 0;
}

int framing_send(struct framing *f, union dp_msg *m)
{
	size_t n = dp_type_size((enum dp_type)m->h.type);
	int rc = -EINVAL;

	if (n) {
		rc = f->queued ? framing_flush(f) : 0;
		if (rc == 0)
			rc = put(f->fd, m, n);
		if (rc == -EAGAIN)
			rc = enqueue(f, m, n);
	}
	dp_msg_wipe(m);
	return rc;
}

int framing_flush(struct framing *f)
{
	while (f->queued) {
		struct waiting *w = STAILQ_FIRST(&f->queue);
		int rc = put(f->fd, w->octets, w->n);

		if (rc < 0)
			return rc;
		drop_first(f);
	}
	return 0;
}

int framing_recv(struct framing *f, union dp_msg *m, const char **why)
{
	struct iovec part = {.iov_base = m, .iov_len = sizeof *m};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;
	int rc;

	*why = NULL;
	do
		n = recvmsg(f->fd, &message, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK ? 0 : -ECONNRESET;
	if (n == 0)
		return -ECONNRESET;
	/* A refusal names type and number: they are the peer's, or nothing. */
	if ((size_t)n < sizeof m->h)
		memset(&m->h, 0, sizeof m->h);
	if (message.msg_flags & MSG_TRUNC) {
		*why = "longer than any message";
		rc = -EPROTO;
	} else {
		rc = dp_msg_check(m, (size_t)n, why);
	}
	/* What was refused may hold a key all the same. */
	if (rc < 0)
		mem_wipe((uint8_t *)m + sizeof m->h, sizeof *m - sizeof m->h);
	return rc < 0 ? rc : 1;
}
