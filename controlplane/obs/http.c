/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/http.h"

#include <string.h>

static enum http_result wrong(unsigned *status, unsigned why)
{
	*status = why;
	return HTTP_WRONG;
}

static bool is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	return s.n > 0;
}

enum http_result http_read(struct str head, struct str *path, unsigned *status)
{
	struct str line = str_sub(head, 0, HTTP_HEAD_MAX), method, target;

	if (!memmem(line.p, line.n, "\r\n\r\n", 4))
		return head.n >= HTTP_HEAD_MAX ? wrong(status, 431) : HTTP_MORE;
	line = str_cut(&line, '\r');
	method = str_cut(&line, ' ');
	target = str_cut(&line, ' ');
	if (!is_printable(method) || !is_printable(target) || *target.p != '/')
		return wrong(status, 400);
	if (!str_starts(line, STR("HTTP/1.")) || line.n != 8)
		return wrong(status, 505);
	if (!str_eq(method, STR("GET")))
		return wrong(status, 405);
	*path = str_cut(&target, '?');
	return HTTP_READY;
}
