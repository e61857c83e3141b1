/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/multipart.h"

#include "controlplane/sip/uri.h"

struct str sip_media_type(struct str content_type)
{
	return str_trim(str_cut(&content_type, ';'));
}

/* The line at the front of *s, without its end; both CRLF and LF end one. */
static struct str take_line(struct str *s)
{
	struct str line = str_cut(s, '\n');

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* 1: a delimiter, 2: the last one, 0: another line. */
static int delimiter(struct str line, struct str boundary)
{
	if (line.n < boundary.n + 2 || line.p[0] != '-' || line.p[1] != '-' ||
		!str_starts(str_sub(line, 2, line.n), boundary))
		return 0;
	line = str_sub(line, 2 + boundary.n, line.n);
	if (str_starts(line, STR("--")))
		return 2;
	return str_trim(line).n == 0; /* padding is allowed, another boundary that begins with ours is none */
}

/* What is in front of the next delimiter, *rest left behind that. False: there is none. */
static bool take_to_delimiter(struct str *rest, struct str boundary, struct str *out, bool *last)
{
	const char *from = rest->p;

	while (rest->n) {
		const char *at = rest->p;
		int kind = delimiter(take_line(rest), boundary);

		if (!kind)
			continue;
		/* The line end in front of a delimiter belongs to it. */
		if (at > from && at[-1] == '\n')
			at--;
		if (at > from && at[-1] == '\r')
			at--;
		*out = (struct str){from, (size_t)(at - from)};
		*last = kind == 2;
		return true;
	}
	return false;
}

struct sip_parts sip_parts(struct str content_type, struct str body)
{
	struct sip_parts it = {.rest = body};
	struct str params = content_type, preamble;
	bool last;

	if (!str_istarts(str_trim(content_type), STR("multipart/")))
		return it;
	str_cut(&params, ';');
	if (!sip_param(params, STR("boundary"), &it.boundary))
		return it;
	if (it.boundary.n >= 2 && it.boundary.p[0] == '"')
		it.boundary = str_sub(it.boundary, 1, it.boundary.n - 2);
	if (it.boundary.n > SIP_BOUNDARY_MAX || !take_to_delimiter(&it.rest, it.boundary, &preamble, &last) ||
		last)
		it.boundary = STR("");
	return it;
}

static void take_header(struct str line, struct sip_part *out)
{
	struct str name = str_trim(str_cut(&line, ':'));

	if (str_ieq(name, STR("Content-Type")) || str_ieq(name, STR("c")))
		out->type = str_trim(line);
	else if (str_ieq(name, STR("Content-Disposition")))
		out->disposition = str_trim(line);
	else if (str_ieq(name, STR("Content-Encoding")) || str_ieq(name, STR("e")))
		out->encoding = str_trim(line);
}

bool sip_parts_next(struct sip_parts *it, struct sip_part *out)
{
	struct str part, line;
	bool last;

	if (!it->boundary.n || !take_to_delimiter(&it->rest, it->boundary, &part, &last))
		return false;
	*out = (struct sip_part){0};
	while (part.n && (line = take_line(&part)).n)
		take_header(line, out);
	out->body = part;
	if (last)
		it->boundary = STR("");
	return true;
}
