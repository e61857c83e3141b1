/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ladder.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/print.h"
#include "ctl/table.h"

#define LANE 34  /* columns between two lines */
#define CLOCK 15 /* columns before the first */
#define LABEL_MAX (LANE - 8)
#define REASON_MAX 200

/* One message, as the ladder has it. */
struct rung {
	const char *time, *leg, *remote, *transport, *text;
	bool out;
	char label[LABEL_MAX + 1];
	char reason[REASON_MAX];
};

static const char *member(const json_t *o, const char *name)
{
	const char *z = json_string_value(json_object_get(o, name));

	return z ? z : "";
}

/* The value of a header, to its line's end; NULL when there is none. */
static const char *header(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strchr(text, '\n'); p && p[1] && p[1] != '\r' && p[1] != '\n';
		p = strchr(p + 1, '\n')) {
		if (strncasecmp(p + 1, name, n) == 0 && p[1 + n] == ':')
			return p + 2 + n + strspn(p + 2 + n, " \t");
	}
	return NULL;
}

/* Copies up to n octets that are printable ASCII; others become '?'. */
static size_t put_plain(char *to, size_t at, size_t cap, const char *from, size_t n)
{
	for (size_t i = 0; i < n && from[i] && at + 1 < cap; i++)
		to[at++] = isprint((unsigned char)from[i]) ? from[i] : '?';
	to[at] = 0;
	return at;
}

/* "INVITE", "180 Ringing (INVITE)"; with "SDP" when there is a body that is shown. */
static void make_label(struct rung *r)
{
	const char *body = strstr(r->text, "\r\n\r\n");
	bool sdp = body && strncmp(body + 4, "v=", 2) == 0;
	const char *cseq = header(r->text, "CSeq"), *method = cseq ? strchr(cseq, ' ') : NULL;
	size_t n = 0, room = sizeof r->label - (sdp ? 4 : 0);

	if (strncmp(r->text, "SIP/2.0 ", 8) == 0) {
		char of[16] = "";
		size_t tail = 0;

		if (method && strncmp(method + 1, "INVITE", 6) != 0) {
			size_t length = strcspn(method + 1, " \r\n");

			tail = (size_t)snprintf(
				of, sizeof of, " (%.*s)", length < 12 ? (int)length : 12, method + 1);
		}
		n = put_plain(r->label, n, room - tail, r->text + 8, strcspn(r->text + 8, "\r\n"));
		n = put_plain(r->label, n, room, of, tail);
	} else {
		n = put_plain(r->label, n, room, r->text, strcspn(r->text, " \r\n"));
	}
	if (n == 0)
		n = put_plain(r->label, n, room, "?", 1);
	if (sdp)
		put_plain(r->label, n, sizeof r->label, " SDP", 4);
}

/* What the sender said about it: text="..." of a Reason header (RFC 3326), or the text of a Warning. */
static void make_reason(struct rung *r)
{
	const char *reason = header(r->text, "Reason"), *quote = NULL;

	if (reason)
		quote = strstr(reason, "text=\"");
	if (quote && quote < reason + strcspn(reason, "\r\n"))
		quote += 6;
	else if ((quote = header(r->text, "Warning")) != NULL)
		quote = strchr(quote, '"') ? strchr(quote, '"') + 1 : NULL;
	if (quote)
		put_plain(r->reason, 0, sizeof r->reason, quote, strcspn(quote, "\"\r\n"));
}

static struct rung rung_of(const json_t *message)
{
	struct rung r = {
		.time = member(message, "time"),
		.leg = member(message, "leg"),
		.remote = member(message, "remote"),
		.transport = member(message, "transport"),
		.text = member(message, "text"),
		.out = strcmp(member(message, "direction"), "out") == 0,
	};

	make_label(&r);
	make_reason(&r);
	return r;
}

/* Fills a lane: "--- label -->" or "<-- label ---". */
static void print_arrow(const char *label, bool rightwards, FILE *to)
{
	int n = (int)strlen(label), dashes = LANE - 4 - n, left = dashes / 2;

	fputs(rightwards ? "-" : "<", to);
	for (int i = 0; i < left; i++)
		fputc('-', to);
	fprintf(to, " %s ", label);
	for (int i = 0; i < dashes - left; i++)
		fputc('-', to);
	fputs(rightwards ? ">" : "-", to);
}

static void print_space(int n, FILE *to)
{
	fprintf(to, "%*s", n, "");
}

/* 2026-11-20T13:00:00.125Z as 13:00:00.125. */
static void print_clock(const char *time, FILE *to)
{
	const char *t = strchr(time, 'T');
	char text[CLOCK + 1] = "";

	put_plain(text, 0, 13, t ? t + 1 : "", 12);
	fprintf(to, "%-*s", CLOCK, text);
}

static void print_indented(const char *text, FILE *to)
{
	while (*text) {
		size_t n = strcspn(text, "\r\n");
		char *line = strndup(text, n);

		if (!line)
			return;
		print_space(CLOCK + 4, to);
		print_harmless(line, to);
		fputc('\n', to);
		free(line);
		text += n;
		text += *text == '\r';
		text += *text == '\n';
	}
	fputc('\n', to);
}

static void print_rung(const struct rung *r, bool two_sided, bool full, FILE *to)
{
	bool right_lane = strcmp(r->leg, "b") == 0;

	print_clock(r->time, to);
	fputc('|', to);
	if (right_lane)
		print_space(LANE, to);
	else
		print_arrow(r->label, !r->out, to);
	fputc('|', to);
	if (right_lane)
		print_arrow(r->label, r->out, to);
	else if (two_sided)
		print_space(LANE, to);
	fputs(two_sided ? "|\n" : "\n", to);
	if (r->reason[0]) {
		print_space(CLOCK + 4, to);
		fprintf(to, "reason: %s\n", r->reason);
	}
	if (full)
		print_indented(r->text, to);
}

/* The first peer of a leg; leg NULL: of no leg that is known. */
static void print_peer(const json_t *messages, const char *leg, char *out, size_t cap)
{
	const json_t *message;
	size_t i;

	out[0] = 0;
	json_array_foreach(messages, i, message)
	{
		if (strcmp(member(message, "leg"), leg) == 0) {
			size_t n = put_plain(out, 0, cap, member(message, "remote"), cap);

			n = put_plain(out, n, cap, " ", 1);
			put_plain(out, n, cap, member(message, "transport"), cap);
			return;
		}
	}
}

static void print_head(const json_t *messages, bool two_sided, FILE *to)
{
	char a[LANE * 2], b[LANE * 2];

	print_peer(messages, "a", a, sizeof a);
	if (!a[0])
		print_peer(messages, "", a, sizeof a);
	print_peer(messages, "b", b, sizeof b);
	/* Each name begins at its line; the gateway's is in the middle. */
	fprintf(to, "%*s%-*s%-*s%s\n", CLOCK, "", LANE + 1, a, two_sided ? LANE + 1 : 0, "gateway",
		two_sided ? b : "");
}

void ladder_print(const json_t *data, bool full, FILE *to)
{
	const json_t *messages = json_object_get(data, "messages"), *message;
	bool two_sided = false;
	size_t i;

	json_array_foreach(messages, i, message) two_sided =
		two_sided || strcmp(member(message, "leg"), "b") == 0;
	print_head(messages, two_sided, to);
	json_array_foreach(messages, i, message)
	{
		struct rung r = rung_of(message);

		print_rung(&r, two_sided, full, to);
	}
}

enum ctl_exit ladder_trace(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *data = NULL;
	enum ctl_exit code = client_ask(c, "trace", json_pack("{s:s}", "call", a->words[0]), &data, e);

	if (code != CTL_OK)
		return code;
	if (args_json(a))
		print_json(data, stdout);
	else
		ladder_print(data, a->given[OPT_FULL], stdout);
	json_decref(data);
	return CTL_OK;
}
