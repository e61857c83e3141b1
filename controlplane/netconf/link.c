/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_OCTETS 65536

static int no_gateway(struct err *e, const char *socket, int code)
{
	const char *other = err_connect_reason(code, socket);

	if (other)
		return err_set(e, code, "%s: %s: --socket takes the control plane's management/socket",
			socket, other);
	switch (code) {
	case ENOENT:
	case ECONNREFUSED:
		return err_set(e, code,
			"no gateway is running at %s (srtpgw-controlplane; --socket names another place)",
			socket);
	case EACCES:
	case EPERM:
		return err_set(e, code,
			"this account may not connect to %s: root and the members of the group "
			"management/group may",
			socket);
	case EAGAIN:
		return err_set(e, code, "%s: the gateway takes no more sessions at the moment", socket);
	default:
		return err_set(e, code, "%s: %s", socket, strerror(code));
	}
}

int link_open(struct link *l, const char *path, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	*l = (struct link){.fd = -1, .in.max = LINK_LINE_MAX};
	if (str_copy(sa.sun_path, sizeof sa.sun_path, str_z(path)))
		return no_gateway(e, path, ENAMETOOLONG);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		return no_gateway(e, path, errno);
	return 0;
}

void link_close(struct link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	text_free(&l->out);
	text_free(&l->in);
}

int link_ask(struct link *l, const char *op, json_t *args)
{
	/* The engine takes long lines only of some operations, and looks for the name at their front. */
	json_t *request = json_pack("{s:s,s:o*}", "op", op, "args", args);
	char *line = request ? json_dumps(request, JSON_COMPACT) : NULL;
	int rc = line ? 0 : -ENOMEM;

	json_decref(request);
	if (line && strlen(line) >= LINK_REQUEST_MAX) {
		rc = -E2BIG;
	} else if (line) {
		text_z(&l->out, line);
		text_z(&l->out, "\n");
		rc = l->out.failed ? -ENOMEM : 0;
	}
	free(line);
	return rc;
}

short link_events(const struct link *l)
{
	return l->sent < l->out.n ? POLLIN | POLLOUT : POLLIN;
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static int send_some(struct link *l, struct err *e)
{
	ssize_t n = send(l->fd, l->out.p + l->sent, l->out.n - l->sent, MSG_NOSIGNAL);

	if (n < 0)
		return again() ? 0 : err_set(e, errno, "the gateway ended the session");
	l->sent += (size_t)n;
	if (l->sent == l->out.n) {
		text_reset(&l->out);
		l->sent = 0;
	}
	return 0;
}

static int read_some(struct link *l, struct err *e)
{
	char octets[READ_OCTETS];
	ssize_t n = recv(l->fd, octets, sizeof octets, 0);

	if (n < 0 && again())
		return 0;
	if (n <= 0)
		return err_set(e, ECONNRESET, "the gateway ended the session");
	text_str(&l->in, (struct str){octets, (size_t)n});
	return l->in.failed ? err_set(e, E2BIG, "the gateway's answer is longer than is taken") : 0;
}

int link_work(struct link *l, short revents, struct err *e)
{
	/* What the engine said before it closed is read first; only then is the end of file. */
	if (revents & (POLLIN | POLLHUP | POLLERR))
		return read_some(l, e);
	return revents & POLLOUT ? send_some(l, e) : 0;
}

json_t *link_next(struct link *l, struct err *e)
{
	char *end = l->in.n > l->scanned ? memchr(l->in.p + l->scanned, '\n', l->in.n - l->scanned) : NULL;

	if (!end) {
		l->scanned = l->in.n;
		return NULL;
	}
	size_t n = (size_t)(end - l->in.p) + 1;
	json_t *line = json_loadb(l->in.p, n, JSON_ALLOW_NUL, NULL);

	text_drop(&l->in, n);
	l->scanned = 0;
	if (!line)
		err_set(e, EPROTO, "what answers at the management socket is not a gateway");
	return line;
}
