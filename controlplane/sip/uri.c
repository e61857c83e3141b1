/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/uri.h"

#include <errno.h>

#include "controlplane/sip/chars.h"
#include "lib/base/netaddr.h"

bool sip_is_token(struct str s)
{
	return s.n && ch_all(s, CH_TOKEN);
}

/* Characters of a class and well-formed %XX, nothing else. */
static bool escaped_ok(struct str s, unsigned classes)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%') {
			if (s.n - i < 3 || ch_hex(s.p[i + 1]) < 0 || ch_hex(s.p[i + 2]) < 0)
				return false;
			i += 2;
		} else if (!ch_is(s.p[i], classes)) {
			return false;
		}
	}
	return true;
}

static int parse_userinfo(struct str s, struct sip_uri *u)
{
	u->has_user = true;
	u->user = str_cut(&s, ':');
	u->password = s;
	if (!u->user.n || !escaped_ok(u->user, CH_USER) || !escaped_ok(u->password, CH_PASSWORD))
		return -EINVAL;
	return 0;
}

/* host [":" port], all of s. */
static int parse_hostport(struct str s, struct str *host, bool *v6, uint16_t *port)
{
	struct ip_addr ip;
	uint64_t n = 0;

	*v6 = s.n && s.p[0] == '[';
	if (*v6) {
		s = str_sub(s, 1, s.n);
		if (str_chr(s, ']') < 0)
			return -EINVAL;
		*host = str_cut(&s, ']');
		if (ip_parse(*host, &ip) < 0 || ip.family != IP_V6)
			return -EINVAL;
		if (s.n && s.p[0] != ':')
			return -EINVAL;
	} else {
		ptrdiff_t colon = str_chr(s, ':');

		*host = str_sub(s, 0, colon < 0 ? s.n : (size_t)colon);
		s = str_sub(s, host->n, s.n);
		if (!host->n || !ch_all(*host, CH_HOST))
			return -EINVAL;
	}
	*port = 0;
	if (!s.n)
		return 0;
	if (str_to_u64(str_sub(s, 1, s.n), 65535, &n) < 0 || !n)
		return -EINVAL;
	*port = (uint16_t)n;
	return 0;
}

static int parse_sip(struct str rest, struct sip_uri *u)
{
	ptrdiff_t at = str_chr(rest, '@');

	if (at >= 0) {
		if (parse_userinfo(str_cut(&rest, '@'), u) < 0)
			return -EINVAL;
	}
	ptrdiff_t q = str_chr(rest, '?');

	if (q >= 0) {
		u->headers = str_sub(rest, (size_t)q + 1, rest.n);
		rest.n = (size_t)q;
		if (!u->headers.n || !escaped_ok(u->headers, CH_HEADER))
			return -EINVAL;
	}
	ptrdiff_t semi = str_chr(rest, ';');

	if (semi >= 0) {
		u->params = str_sub(rest, (size_t)semi + 1, rest.n);
		rest.n = (size_t)semi;
		if (!u->params.n || !escaped_ok(u->params, CH_PARAM) || !sip_uri_params_ok(u->params))
			return -EINVAL;
	}
	return parse_hostport(rest, &u->host, &u->host_v6, &u->port);
}

static int parse_tel(struct str rest, struct sip_uri *u)
{
	u->user = str_cut(&rest, ';');
	u->params = rest;
	for (size_t i = 0; i < u->user.n; i++) {
		char c = u->user.p[i];

		if (ch_hex(c) < 0 && c != '*' && c != '#' && c != '-' && c != '.' && c != '(' && c != ')' &&
			!(c == '+' && i == 0))
			return -EINVAL;
	}
	return u->user.n && escaped_ok(u->params, CH_PARAM) && sip_uri_params_ok(u->params) ? 0 : -EINVAL;
}

static bool scheme_ok(struct str s)
{
	if (!s.n || !ch_is(s.p[0], CH_HOST) || ch_is(s.p[0], CH_DIGIT))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '_' || (!ch_is(s.p[i], CH_HOST) && s.p[i] != '+'))
			return false;
	return true;
}

int sip_uri_parse(struct str text, struct sip_uri *out)
{
	struct sip_uri u = {.text = text};
	struct str rest = text;

	if (str_chr(text, ':') < 0)
		return -EINVAL;
	struct str scheme = str_cut(&rest, ':');
	int rc;

	if (str_ieq(scheme, STR("sip")) || str_ieq(scheme, STR("sips"))) {
		u.scheme = scheme.n == 3 ? SIP_SCHEME_SIP : SIP_SCHEME_SIPS;
		rc = parse_sip(rest, &u);
	} else if (str_ieq(scheme, STR("tel"))) {
		u.scheme = SIP_SCHEME_TEL;
		rc = parse_tel(rest, &u);
	} else {
		rc = scheme_ok(scheme) && rest.n ? -EPROTONOSUPPORT : -EINVAL;
		for (size_t i = 0; i < rest.n; i++)
			if ((uint8_t)rest.p[i] <= ' ' || rest.p[i] == '<' || rest.p[i] == '>' ||
				rest.p[i] == 0x7f)
				rc = -EINVAL;
	}
	if (rc != -EINVAL)
		*out = u;
	return rc;
}

void sip_uri_print(struct wbuf *w, const struct sip_uri *u)
{
	static const char *const schemes[] = {"", "sip:", "sips:", "tel:"};

	if (u->scheme == SIP_SCHEME_OTHER) {
		wbuf_str(w, u->text);
		return;
	}
	wbuf_z(w, schemes[u->scheme]);
	wbuf_str(w, u->user);
	if (u->password.n) {
		wbuf_z(w, ":");
		wbuf_str(w, u->password);
	}
	if (u->scheme != SIP_SCHEME_TEL) {
		wbuf_z(w, u->has_user ? "@" : "");
		wbuf_z(w, u->host_v6 ? "[" : "");
		wbuf_str(w, u->host);
		wbuf_z(w, u->host_v6 ? "]" : "");
		if (u->port)
			wbuf_fmt(w, ":%u", u->port);
	}
	if (u->params.n) {
		wbuf_z(w, ";");
		wbuf_str(w, u->params);
	}
	if (u->headers.n) {
		wbuf_z(w, "?");
		wbuf_str(w, u->headers);
	}
}

struct str sip_uri_party(const struct sip_uri *u)
{
	struct str all = {u->user.p, u->user.n + 1 + u->params.n};

	/* A user that was put in place of the URI's own has none of its parameters. */
	if (u->scheme != SIP_SCHEME_TEL || !u->params.n || u->params.p != u->user.p + u->user.n + 1)
		return u->user;
	return escaped_ok(all, CH_USER) ? all : u->user;
}

struct str sip_uri_target(const struct sip_uri *u)
{
	struct str text = u->text;

	if (u->headers.n)
		text.n -= u->headers.n + 1;
	return text;
}

uint16_t sip_uri_port(const struct sip_uri *u)
{
	if (u->port)
		return u->port;
	return u->scheme == SIP_SCHEME_SIPS ? 5061 : 5060;
}

int sip_via_hostport(struct str s, struct str *host, uint16_t *port)
{
	bool v6;

	return parse_hostport(s, host, &v6, port);
}

bool sip_param_next(struct str *params, struct str *name, struct str *value)
{
	struct str one;

	do {
		if (!params->n)
			return false;
		size_t i = 0;
		bool quoted = false;

		for (; i < params->n && (quoted || params->p[i] != ';'); i++) {
			if (params->p[i] == '"')
				quoted = !quoted;
			else if (quoted && params->p[i] == '\\' && i + 1 < params->n)
				i++;
		}
		one = str_trim(str_sub(*params, 0, i));
		*params = str_sub(*params, i + 1, params->n);
	} while (!one.n);
	*name = str_trim(str_cut(&one, '='));
	*value = str_trim(one);
	return true;
}

bool sip_param(struct str params, struct str name, struct str *value)
{
	struct str n, v;

	while (sip_param_next(&params, &n, &v)) {
		if (str_ieq(n, name)) {
			*value = v;
			return true;
		}
	}
	return false;
}

int sip_unescape(struct str in, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (c == '%') {
			if (in.n - i < 3 || ch_hex(in.p[i + 1]) < 0 || ch_hex(in.p[i + 2]) < 0)
				return -EINVAL;
			c = (char)(ch_hex(in.p[i + 1]) << 4 | ch_hex(in.p[i + 2]));
			i += 2;
		}
		if (n == cap)
			return -ENOSPC;
		out[n++] = c;
	}
	return (int)n;
}

void sip_user_escape(struct wbuf *w, struct str user)
{
	for (size_t i = 0; i < user.n; i++) {
		if (ch_is(user.p[i], CH_USER))
			wbuf_u8(w, (uint8_t)user.p[i]);
		else
			wbuf_fmt(w, "%%%02X", (uint8_t)user.p[i]);
	}
}
