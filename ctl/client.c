/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/str.h"

struct client {
	int fd;
	const char *socket;
	char *text; /* of the answer that is being read */
	size_t n, cap;
};

static enum ctl_exit unreachable(struct err *e, const char *socket, const char *why)
{
	err_set(e, EIO, "%s: %s", socket, why);
	return CTL_UNREACHABLE;
}

static const char *why_not(int code)
{
	switch (code) {
	case ENOENT:
	case ECONNREFUSED:
		return "no gateway is running there (srtpgw-controlplane; --socket names another place)";
	case EACCES:
	case EPERM:
		return "you may not connect: root and the members of the configured management group may";
	case EAGAIN:
		return "the gateway does not answer";
	default:
		return strerror(code);
	}
}

enum ctl_exit client_open(const char *socket_path, struct client **out, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const struct timeval limit = {.tv_sec = CLIENT_TIMEOUT_S};
	struct client *c;

	if (str_copy(sa.sun_path, sizeof sa.sun_path, str_z(socket_path)))
		return unreachable(e, socket_path, "longer than the path of a socket may be");
	c = calloc(1, sizeof *c);
	if (!c)
		return unreachable(e, socket_path, "out of memory");
	c->socket = socket_path;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
		setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
		connect(c->fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
		unreachable(e, socket_path, why_not(errno));
		client_close(c);
		return CTL_UNREACHABLE;
	}
	*out = c;
	return CTL_OK;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->text);
	free(c);
}

static enum ctl_exit send_all(struct client *c, const char *p, size_t n, struct err *e)
{
	while (n) {
		ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return unreachable(e, c->socket, why_not(errno));
		p += sent;
		n -= (size_t)sent;
	}
	return CTL_OK;
}

static bool grow(struct client *c)
{
	size_t cap = c->cap ? c->cap * 2 : 65536;
	char *text = cap <= CLIENT_ANSWER_MAX ? realloc(c->text, cap) : NULL;

	if (!text)
		return false;
	c->text = text;
	c->cap = cap;
	return true;
}

/* One line into c->text; a gateway sends nothing that was not asked for, so nothing stands behind it. */
static enum ctl_exit read_line(struct client *c, struct err *e)
{
	c->n = 0;
	do {
		if (c->n == c->cap && !grow(c))
			return unreachable(e, c->socket, "the answer is too long");
		ssize_t got = recv(c->fd, c->text + c->n, c->cap - c->n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return unreachable(e, c->socket, why_not(errno));
		if (got == 0)
			return unreachable(e, c->socket, "the gateway closed the connection");
		c->n += (size_t)got;
	} while (c->n == 0 || c->text[c->n - 1] != '\n');
	return CTL_OK;
}

/* Takes the answer apart: data, or the gateway's refusal. */
static enum ctl_exit read_answer(struct client *c, json_t **data, struct err *e)
{
	json_t *root = json_loadb(c->text, c->n, 0, NULL);
	json_t *answer = json_object_get(root, "data"), *error = json_object_get(root, "error");
	enum ctl_exit code = CTL_OK;

	if (json_is_true(json_object_get(root, "ok")) && answer) {
		*data = json_incref(answer);
	} else if (json_is_object(error)) {
		const char *path = json_string_value(json_object_get(error, "path"));
		const char *message = json_string_value(json_object_get(error, "message"));

		err_set(e, EINVAL, "%s%s%s", path ? path : "", path && *path ? ": " : "",
			message ? message : "refused without a reason");
		code = CTL_REFUSED;
	} else {
		code = unreachable(e, c->socket, "what answers there is not a gateway");
	}
	json_decref(root);
	return code;
}

enum ctl_exit client_ask(struct client *c, const char *op, json_t *args, json_t **data, struct err *e)
{
	json_t *request = json_pack("{s:s,s:o}", "op", op, "args", args ? args : json_object());
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	enum ctl_exit code = text ? CTL_OK : unreachable(e, c->socket, "out of memory");

	json_decref(request);
	if (code == CTL_OK)
		code = send_all(c, text, strlen(text), e);
	if (code == CTL_OK)
		code = send_all(c, "\n", 1, e);
	free(text);
	if (code == CTL_OK)
		code = read_line(c, e);
	return code == CTL_OK ? read_answer(c, data, e) : code;
}
