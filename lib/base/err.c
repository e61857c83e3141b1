/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/err.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	if (e) {
		va_list ap;

		va_start(ap, fmt);
		vsnprintf(e->text, sizeof e->text, fmt, ap);
		va_end(ap);
	}
	return code > 0 ? -code : code;
}

void err_prefix(struct err *e, const char *fmt, ...)
{
	char head[ERR_TEXT_MAX];
	va_list ap;
	size_t n;

	if (!e)
		return;
	va_start(ap, fmt);
	vsnprintf(head, sizeof head, fmt, ap);
	va_end(ap);
	n = strlen(head);
	if (n + 3 > sizeof e->text)
		return;
	size_t old = strlen(e->text);
	size_t room = sizeof e->text - n - 3;

	if (old > room)
		old = room;
	memmove(e->text + n + 2, e->text, old);
	e->text[n + 2 + old] = '\0';
	memcpy(e->text, head, n);
	memcpy(e->text + n, ": ", 2);
}

const char *err_bind_reason(int code)
{
	switch (code) {
	case EADDRINUSE:
		return "Address already in use: 'ss -lntup' shows by what";
	case EADDRNOTAVAIL:
		return "no interface of this machine has this address";
	case EACCES:
		return "Permission denied: a port below 1024 needs root, or CAP_NET_BIND_SERVICE";
	default:
		return strerror(code);
	}
}

const char *err_connect_reason(int code, const char *path)
{
	struct stat st;

	if (code == EPROTOTYPE)
		return "is a socket of another kind: the data plane's is not the management socket";
	if (code == ENOTDIR)
		return "is no path: a part of it is not a folder";
	if (code == ECONNREFUSED && stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return S_ISDIR(st.st_mode) ? "is a folder, not a socket" : "is not a socket";
	return NULL;
}

const char *err_read_reason(int code, struct err *room)
{
	const struct passwd *me;
	int as_it_was = errno;

	if (code == ENOENT) {
		err_set(room, code, "%s: put it there, or name where it is", strerror(code));
		return room->text;
	}
	if (code != EACCES)
		return strerror(code);
	/* Who calls this may ask errno once more in the same line, and getpwuid() leaves its own there. */
	me = getpwuid(geteuid());
	errno = as_it_was;
	if (!me)
		return strerror(code);
	err_set(room, code,
		"%s: user '%s', which this program runs as, has to be able to read it ('namei -l' shows from "
		"where on it may not)",
		strerror(code), me->pw_name);
	return room->text;
}
