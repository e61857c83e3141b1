/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/client.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What was sent is dropped from the queue at this many octets, or when it is all: not at every write. */
#define DROP_OCTETS ((size_t)1 << 20)

void client_open(struct client *c, int in, int out)
{
	c->in = in;
	c->out = out;
	c->in_flags = fcntl(in, F_GETFL);
	c->out_flags = fcntl(out, F_GETFL);
	fcntl(in, F_SETFL, c->in_flags | O_NONBLOCK);
	fcntl(out, F_SETFL, c->out_flags | O_NONBLOCK);
}

void client_close(struct client *c)
{
	fcntl(c->in, F_SETFL, c->in_flags);
	fcntl(c->out, F_SETFL, c->out_flags);
	framing_free(&c->framing);
	text_free(&c->queue);
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

void client_read(struct client *c)
{
	ssize_t n = read(c->in, c->octets, sizeof c->octets);

	if (n > 0)
		c->input = (struct str){c->octets, (size_t)n};
	else if (n == 0 || !again())
		c->ended = true;
}

enum framing_event client_take(struct client *c)
{
	return c->input.n ? framing_take(&c->framing, &c->input) : FRAMING_MORE;
}

int client_put(struct client *c, struct str message)
{
	if (!c->gone)
		framing_put(&c->queue, message, c->framing.chunked);
	return c->queue.failed ? -ENOMEM : 0;
}

size_t client_unsent(const struct client *c)
{
	return c->queue.n - c->sent;
}

int client_write(struct client *c)
{
	ssize_t n = write(c->out, c->queue.p + c->sent, client_unsent(c));

	if (n < 0 && !again())
		client_forget(c);
	if (n <= 0)
		return -1;
	c->sent += (size_t)n;
	if (client_unsent(c) == 0 || c->sent >= DROP_OCTETS) {
		text_drop(&c->queue, c->sent);
		c->sent = 0;
	}
	return 0;
}

void client_forget(struct client *c)
{
	c->gone = true;
	text_reset(&c->queue);
	c->sent = 0;
}
