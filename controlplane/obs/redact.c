/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/redact.h"

#include <ctype.h>
#include <string.h>

#define HIDDEN "***"

static bool is_end(char c)
{
	return c == '\r' || c == '\n';
}

static bool is_any(char c, const char *set)
{
	return c && strchr(set, c);
}

/* Headers whose value is a credential. */
static const struct str credentials[] = {
	{"authorization", 13},
	{"proxy-authorization", 19},
	{"authentication-info", 19},
	{"proxy-authentication-info", 25},
};

/* Parameters of a=crypto that are no keys (RFC 4568 section 6.3). */
static const struct str session_params[] = {
	{"KDR=", 4},
	{"UNENCRYPTED_SRTP", 16},
	{"UNENCRYPTED_SRTCP", 17},
	{"UNAUTHENTICATED_SRTP", 20},
	{"FEC_ORDER=", 10},
	{"WSH=", 4},
};

/* SDP lines of which nothing but the beginning is kept. */
static const struct str secret_lines[] = {
	{"k=", 2},
	{"a=key-mgmt:", 11},
	{"a=ice-pwd:", 10},
};

static size_t find(struct str s, struct str what)
{
	for (size_t i = 0; i + what.n <= s.n; i++)
		if (str_istarts((struct str){s.p + i, s.n - i}, what))
			return i;
	return s.n;
}

/* One parameter of a=crypto: a key (with what follows it when that is a lifetime or an MKI) or a word. */
static void crypto_word(struct str word, struct wbuf *to)
{
	struct str inline_ = STR("inline:");

	if (str_istarts(word, inline_)) {
		ptrdiff_t bar = str_chr(word, '|');
		struct str rest = bar < 0 ? STR("") : str_sub(word, (size_t)bar, word.n);

		wbuf_str(to, inline_);
		wbuf_z(to, HIDDEN);
		for (size_t i = 0; i < rest.n; i++)
			if (!isdigit((unsigned char)rest.p[i]) && !is_any(rest.p[i], "|^:"))
				return;
		wbuf_str(to, rest);
		return;
	}
	for (size_t i = 0; i < sizeof session_params / sizeof session_params[0]; i++) {
		struct str p = session_params[i];

		/* "KDR=" and a number; nothing else that is spelled this way is let through. */
		if (!str_starts(word, p))
			continue;
		if (p.p[p.n - 1] == '=' ? word.n <= p.n + 8 : word.n == p.n) {
			wbuf_str(to, word);
			return;
		}
	}
	wbuf_z(to, HIDDEN);
}

/* "a=crypto:TAG SUITE KEYS [PARAMS]": the first two words as they are, the others as crypto_word(). */
static void crypto_line(struct str line, struct wbuf *to)
{
	unsigned words = 0;

	while (line.n) {
		size_t n = 0;

		while (n < line.n && !is_any(line.p[n], " \t;"))
			n++;
		struct str word = {line.p, n};

		if (words < 2 && find(word, STR("inline:")) == n)
			wbuf_str(to, word);
		else if (n)
			crypto_word(word, to);
		words += n > 0;
		if (n < line.n)
			wbuf_bytes(to, line.p + n++, 1);
		line = str_sub(line, n, line.n);
	}
}

static bool ends_with(struct str s, struct str end)
{
	return s.n >= end.n && str_istarts(str_sub(s, s.n - end.n, end.n), end);
}

/* Octets [begin, end) of a line. */
struct span {
	size_t begin, end;
};

/* The password of "sip:user:password@"; at: behind the scheme's colon. Empty when there is none. */
static struct span uri_password(struct str line, size_t at)
{
	size_t colon = 0, n = at;

	for (; n < line.n && !is_any(line.p[n], "@<>\" \t"); n++)
		if (line.p[n] == ':' && !colon)
			colon = n;
	if (n == line.n || line.p[n] != '@' || !colon)
		return (struct span){0};
	return (struct span){colon + 1, n};
}

/* What must not be kept of the text behind a colon; at: behind it. */
static struct span secret_behind(struct str line, size_t at)
{
	struct str before = str_sub(line, 0, at - 1);
	size_t n = at;

	if (ends_with(before, STR("sip")) || ends_with(before, STR("sips")))
		return uri_password(line, at);
	if (!ends_with(before, STR("inline")))
		return (struct span){0};
	while (n < line.n && !is_any(line.p[n], " \t"))
		n++;
	return (struct span){at, n};
}

/* Any other line: keys that stand where none should, and passwords in URIs. Both stand behind a colon. */
static void plain_line(struct str line, struct wbuf *to)
{
	size_t done = 0, from = 0;
	const char *colon;

	while (from < line.n && (colon = memchr(line.p + from, ':', line.n - from)) != NULL) {
		from = (size_t)(colon - line.p) + 1;
		struct span secret = secret_behind(line, from);

		if (secret.begin == secret.end)
			continue;
		wbuf_str(to, str_sub(line, done, secret.begin - done));
		wbuf_z(to, HIDDEN);
		done = from = secret.end;
	}
	wbuf_str(to, str_sub(line, done, line.n));
}

static bool credential_line(struct str line, struct wbuf *to)
{
	ptrdiff_t colon = str_chr(line, ':');
	struct str name = colon < 0 ? STR("") : str_trim(str_sub(line, 0, (size_t)colon));

	for (size_t i = 0; i < sizeof credentials / sizeof credentials[0]; i++) {
		if (!str_ieq(name, credentials[i]))
			continue;
		struct str value = str_trim(str_sub(line, (size_t)colon + 1, line.n));
		struct str scheme = str_cut(&value, ' ');

		wbuf_str(to, name);
		wbuf_z(to, ": ");
		if (str_ieq(scheme, STR("Digest")) || str_ieq(scheme, STR("Basic"))) {
			wbuf_str(to, scheme);
			wbuf_z(to, " ");
		}
		wbuf_z(to, HIDDEN);
		return true;
	}
	return false;
}

/* True: a line that begins with a space goes on with this secret. */
static bool redact_line(struct str line, bool secret_before, struct wbuf *to)
{
	if (secret_before && (line.p[0] == ' ' || line.p[0] == '\t')) {
		wbuf_z(to, " " HIDDEN);
		return true;
	}
	line = str_trim(line);
	for (size_t i = 0; i < sizeof secret_lines / sizeof secret_lines[0]; i++) {
		if (str_istarts(line, secret_lines[i])) {
			wbuf_str(to, secret_lines[i]);
			wbuf_z(to, HIDDEN);
			return true;
		}
	}
	if (credential_line(line, to))
		return true;
	if (str_istarts(line, STR("a=crypto:"))) {
		wbuf_str(to, str_sub(line, 0, 9));
		crypto_line(str_sub(line, 9, line.n), to);
		return true;
	}
	plain_line(line, to);
	return false;
}

static void redact_lines(struct str s, struct wbuf *to)
{
	bool secret = false;

	while (s.n) {
		size_t n = 0;

		while (n < s.n && !is_end(s.p[n]))
			n++;
		if (n)
			secret = redact_line((struct str){s.p, n}, secret, to);
		if (n < s.n)
			wbuf_bytes(to, s.p + n++, 1);
		s = str_sub(s, n, s.n);
	}
}

/* Octets up to and with the empty line. */
static size_t head_of(struct str s)
{
	const char *crlf = s.n ? memmem(s.p, s.n, "\r\n\r\n", 4) : NULL;
	const char *lf = s.n ? memmem(s.p, s.n, "\n\n", 2) : NULL;

	if (crlf && (!lf || crlf < lf))
		return (size_t)(crlf - s.p) + 4;
	return lf ? (size_t)(lf - s.p) + 2 : s.n;
}

/* The value of a header in the head, trimmed; empty when there is none. compact 0: it has no short name. */
static struct str value_of(struct str head, struct str name, char compact)
{
	while (head.n) {
		struct str line = str_cut(&head, '\n');
		ptrdiff_t colon = str_chr(line, ':');
		struct str left = colon < 0 ? STR("") : str_trim(str_sub(line, 0, (size_t)colon));

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (str_ieq(left, name) ||
			(left.n == 1 && compact && tolower((unsigned char)left.p[0]) == compact))
			return str_trim(str_sub(line, (size_t)colon + 1, line.n));
	}
	return STR("");
}

static bool is_plain_sdp(struct str head)
{
	struct str type = value_of(head, STR("Content-Type"), 'c');

	return str_ieq(str_trim(str_cut(&type, ';')), STR("application/sdp")) &&
	       value_of(head, STR("Content-Encoding"), 'e').n == 0;
}

void redact_sip(struct str message, struct wbuf *to)
{
	size_t n = head_of(message);
	struct str head = str_sub(message, 0, n), body = str_sub(message, n, message.n);

	redact_lines(head, to);
	if (is_plain_sdp(head))
		redact_lines(body, to);
	else if (body.n)
		wbuf_fmt(to, "[%zu octets that are not SDP]\r\n", body.n);
}
