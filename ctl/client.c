/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/table.h"
#include "lib/base/str.h"

struct client {
	int fd;
	const char *socket;
	char *text;    /* what was read */
	size_t n, cap; /* octets in it, and its size */
	size_t line;   /* octets of its first line, with the newline; 0: it is not there yet */
};

static enum ctl_exit unreachable(struct err *e, const char *socket, const char *why)
{
	err_set(e, EIO, "%s: %s", socket, why);
	return CTL_UNREACHABLE;
}

/* Where the gateway was looked for there is something else. */
static enum ctl_exit misplaced(struct err *e, const char *socket, const char *what)
{
	err_set(e, EIO, "%s: %s: --socket takes the control plane's management/socket", socket, what);
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
	struct client *c;

	if (str_copy(sa.sun_path, sizeof sa.sun_path, str_z(socket_path)))
		return unreachable(e, socket_path, "longer than the path of a socket may be");
	c = calloc(1, sizeof *c);
	if (!c)
		return unreachable(e, socket_path, "out of memory");
	c->socket = socket_path;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || !client_patience(c, CLIENT_TIMEOUT_S) ||
		connect(c->fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
		int why = errno;
		const char *other = err_connect_reason(why, socket_path);

		client_close(c);
		return other ? misplaced(e, socket_path, other) : unreachable(e, socket_path, why_not(why));
	}
	*out = c;
	return CTL_OK;
}

bool client_patience(struct client *c, unsigned seconds)
{
	const struct timeval limit = {.tv_sec = seconds};

	return setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
	       setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
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

/* Until a whole line stands at the front of c->text; what came behind it stays for the next one. */
static enum ctl_exit read_line(struct client *c, struct err *e)
{
	size_t seen = 0;

	if (c->line)
		memmove(c->text, c->text + c->line, c->n - c->line);
	c->n -= c->line;
	c->line = 0;
	for (;;) {
		const char *end = c->n > seen ? memchr(c->text + seen, '\n', c->n - seen) : NULL;

		if (end) {
			c->line = (size_t)(end - c->text) + 1;
			return CTL_OK;
		}
		seen = c->n;
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
	}
}

/* Errors that say "not now" or "not you" rather than "not this" (RFC 6241 appendix A). */
static enum ctl_exit code_of(const char *tag)
{
	static const char *const not_now[] = {"in-use", "lock-denied", "resource-denied", "access-denied",
		"rollback-failed", "operation-not-supported"};

	for (size_t i = 0; tag && i < sizeof not_now / sizeof not_now[0]; i++)
		if (strcmp(tag, not_now[i]) == 0)
			return CTL_FAILED;
	return CTL_REFUSED;
}

static enum ctl_exit refused(const json_t *error, struct err *e)
{
	const char *path = json_string_value(json_object_get(error, "path"));
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *tag = json_string_value(json_object_get(error, "tag"));
	const json_t *holder = json_object_get(json_object_get(error, "info"), "session-id");

	err_set(e, EINVAL, "%s%s%s", path ? path : "", path && *path ? ": " : "",
		message ? message
		: tag   ? tag
			: "refused without a reason");
	if (json_is_integer(holder)) {
		size_t n = strlen(e->text);

		snprintf(e->text + n, sizeof e->text - n, " (session %lld: 'srtpgwctl show sessions')",
			(long long)json_integer_value(holder));
	}
	return code_of(tag);
}

static void warn(const json_t *warnings)
{
	const json_t *warning;
	size_t i;

	json_array_foreach (warnings, i, warning) {
		fputs("srtpgwctl: warning: ", stderr);
		print_harmless(json_is_string(warning) ? json_string_value(warning) : "?", stderr);
		fputc('\n', stderr);
	}
}

/* Takes the answer apart: data, or the gateway's refusal. */
static enum ctl_exit read_answer(struct client *c, json_t *root, json_t **data, struct err *e)
{
	json_t *answer = json_object_get(root, "data"), *error = json_object_get(root, "error");

	if (json_is_object(error))
		return refused(error, e);
	if (!json_is_true(json_object_get(root, "ok")))
		return unreachable(e, c->socket, "what answers there is not a gateway");
	warn(json_object_get(root, "warnings"));
	if (data)
		*data = answer ? json_incref(answer) : json_object();
	return CTL_OK;
}

static enum ctl_exit send_request(struct client *c, const char *op, json_t *args, struct err *e)
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
	return code;
}

/* The next line as JSON; NULL: it is not. */
static json_t *line_json(struct client *c)
{
	return json_loadb(c->text, c->line, 0, NULL);
}

enum ctl_exit client_ask(struct client *c, const char *op, json_t *args, json_t **data, struct err *e)
{
	enum ctl_exit code = send_request(c, op, args, e);

	for (bool answered = false; code == CTL_OK && !answered;) {
		code = read_line(c, e);
		if (code != CTL_OK)
			break;
		json_t *root = line_json(c);

		/* Notifications come in between: who asks does not follow them. */
		answered = !json_object_get(root, "notification");
		if (answered)
			code = read_answer(c, root, data, e);
		json_decref(root);
	}
	return code;
}

enum ctl_exit client_next(struct client *c, json_t **notification, struct err *e)
{
	for (;;) {
		enum ctl_exit code = read_line(c, e);

		if (code != CTL_OK)
			return code;
		json_t *root = line_json(c), *found = json_object_get(root, "notification");

		if (!json_is_object(root))
			code = unreachable(e, c->socket, "what answers there is not a gateway");
		*notification = found ? json_incref(found) : NULL;
		json_decref(root);
		if (found || code != CTL_OK)
			return code;
	}
}

enum ctl_exit client_wait_for_end(struct client *c, struct err *e)
{
	char dropped[4096];

	for (;;) {
		ssize_t got = recv(c->fd, dropped, sizeof dropped, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return unreachable(e, c->socket, "the gateway goes on: its log says why");
		if (got <= 0)
			return CTL_OK;
	}
}

enum ctl_exit client_hello(struct client *c, struct err *e)
{
	enum ctl_exit code = client_ask(c, "hello", json_pack("{s:s}", "client", "cli"), NULL, e);

	/* Whoever may not be greeted is told so when it asks for something. */
	return code == CTL_UNREACHABLE ? code : CTL_OK;
}
