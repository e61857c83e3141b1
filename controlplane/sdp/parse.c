/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "controlplane/sdp/sdp.h"

struct parser {
	struct sdp *s;
	struct sdp_media *m; /* the m-line that lines belong to now; NULL: the session */
	struct err *e;
	unsigned line;
	unsigned seen;       /* session-level letters that came, 1 << (letter - 'a') */
	unsigned media_seen; /* the same of the present m-line */
	enum sdp_direction session_direction;
	bool direction_set; /* at the present level */
};

#define BIT(letter) (1u << ((letter) - 'a'))

#define fail(p, code, fmt, ...) err_set((p)->e, code, "line %u: " fmt, (p)->line __VA_OPT__(, ) __VA_ARGS__)

/* RFC 8866 section 9, token-char. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= 0x20 || c >= 0x7f || memchr("\"(),/:;<=>?@[\\]", c, 15))
			return false;
	}
	return s.n > 0;
}

static bool is_digits(struct str s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0 && s.n <= max;
}

static int parse_family(struct parser *p, struct str net, struct str type, enum ip_family *out)
{
	if (!str_eq(net, STR("IN")))
		return fail(p, EINVAL, "the network type is not IN");
	if (str_eq(type, STR("IP4")))
		*out = IP_V4;
	else if (str_eq(type, STR("IP6")))
		*out = IP_V6;
	else
		return fail(p, EINVAL, "the address type is neither IP4 nor IP6");
	return 0;
}

/* "IN IP4 192.0.2.1" */
static int parse_address(struct parser *p, struct str v, struct ip_addr *out)
{
	struct str net = str_cut(&v, ' '), type = str_cut(&v, ' ');
	enum ip_family family = IP_NONE;
	int rc = parse_family(p, net, type, &family);

	if (rc < 0)
		return rc;
	v = str_trim(v);
	if (str_chr(v, '/') >= 0)
		return fail(p, EINVAL, "a multicast or layered address is not relayed");
	if (ip_parse(v, out) < 0)
		return fail(p, EINVAL, "'%.*s' is not an IP address", STR_ARG(str_sub(v, 0, 64)));
	if (out->family != family)
		return fail(p, EINVAL, "the address is not of the type that is named before it");
	return 0;
}

static int parse_version(struct parser *p, struct str v)
{
	return str_eq(v, STR("0")) ? 0 : fail(p, EINVAL, "the version is not 0");
}

static int parse_origin(struct parser *p, struct str v)
{
	struct sdp_origin *o = &p->s->origin;

	o->username = str_cut(&v, ' ');
	o->sess_id = str_cut(&v, ' ');
	o->sess_version = str_cut(&v, ' ');
	struct str net = str_cut(&v, ' '), type = str_cut(&v, ' ');

	o->address = str_trim(v);
	if (!o->username.n || !o->address.n || str_chr(o->address, ' ') >= 0)
		return fail(p, EINVAL, "o= does not have six fields");
	if (!is_digits(o->sess_id, 32) || !is_digits(o->sess_version, 32))
		return fail(p, EINVAL, "session id and version in o= are not numbers of up to 32 digits");
	return parse_family(p, net, type, &o->family);
}

static int parse_connection(struct parser *p, struct str v)
{
	return parse_address(p, v, p->m ? &p->m->connection : &p->s->connection);
}

static int parse_bandwidth(struct parser *p, struct str v)
{
	uint16_t *n = p->m ? &p->m->n_bandwidth : &p->s->n_bandwidth;
	struct str *lines = p->m ? p->m->bandwidth : p->s->bandwidth;
	struct str value = v, type = str_cut(&value, ':');

	if (!is_token(type) || !is_digits(value, 12))
		return fail(p, EINVAL, "b= is not TYPE:NUMBER");
	if (*n == SDP_BANDWIDTH_MAX)
		return fail(p, E2BIG, "more than %d b= lines at one level", SDP_BANDWIDTH_MAX);
	lines[(*n)++] = v;
	return 0;
}

static int parse_time(struct parser *p, struct str v)
{
	struct str stop = v, start = str_cut(&stop, ' ');

	if (!is_digits(start, 20) || !is_digits(stop, 20))
		return fail(p, EINVAL, "t= is not two numbers");
	if (!p->s->time.n)
		p->s->time = v;
	return 0;
}

static enum sdp_proto proto_by_name(struct str name)
{
	for (unsigned i = SDP_RTP_AVP; i < SDP_PROTO_COUNT; i++)
		if (str_eq(name, str_z(sdp_proto_info((enum sdp_proto)i)->name)))
			return (enum sdp_proto)i;
	return SDP_PROTO_OTHER;
}

/* Each format a token; of RTP, a payload type. */
static int check_formats(struct parser *p, const struct sdp_media *m)
{
	struct str rest = m->formats;
	unsigned n = 0;
	uint64_t v;

	do {
		struct str f = str_cut(&rest, ' ');

		if (!f.n)
			return fail(
				p, EINVAL, "the formats of the m-line are not separated by single spaces");
		if (sdp_proto_info(m->proto)->rtp && str_to_u64(f, 127, &v) < 0)
			return fail(
				p, EINVAL, "'%.*s' is not an RTP payload type", STR_ARG(str_sub(f, 0, 32)));
		if (++n > SDP_FORMATS_MAX)
			return fail(p, E2BIG, "more than %d formats in one m-line", SDP_FORMATS_MAX);
	} while (rest.n);
	return 0;
}

static int end_media(struct parser *p)
{
	struct sdp_media *m = p->m;

	if (!m)
		return 0;
	if (!p->direction_set)
		m->direction = p->session_direction;
	if (m->connection.family == IP_NONE)
		m->connection = p->s->connection;
	if (m->port && m->connection.family == IP_NONE) {
		p->line = m->line;
		return fail(p, EINVAL, "the m-line has no c=, and neither has the session");
	}
	return 0;
}

static int parse_media(struct parser *p, struct str v)
{
	struct sdp *s = p->s;
	int rc = end_media(p);
	uint64_t port, count = 1;

	if (rc < 0)
		return rc;
	if (s->n_media == SDP_MEDIA_MAX)
		return fail(p, E2BIG, "more than %d m-lines", SDP_MEDIA_MAX);
	struct sdp_media *m = &s->media[s->n_media];

	*m = (struct sdp_media){.line = (uint16_t)p->line, .first_attr = s->n_attrs};
	m->kind_text = str_cut(&v, ' ');
	struct str ports = str_cut(&v, ' '), first = str_cut(&ports, '/');

	m->proto_text = str_cut(&v, ' ');
	m->formats = str_trim(v);
	if (!is_token(m->kind_text) || !m->proto_text.n || !m->formats.n)
		return fail(p, EINVAL, "the m-line is not MEDIA PORT PROTOCOL FORMATS");
	if (str_to_u64(first, 65535, &port) < 0 || (ports.n && str_to_u64(ports, 65535, &count) < 0))
		return fail(p, EINVAL, "the port of the m-line is not a number up to 65535");
	m->port = (uint16_t)port;
	m->kind = str_eq(m->kind_text, STR("audio"))   ? SDP_AUDIO
		  : str_eq(m->kind_text, STR("video")) ? SDP_VIDEO
						       : SDP_OTHER_KIND;
	m->proto = proto_by_name(m->proto_text);
	if (port && count != 1)
		return fail(p, EINVAL, "an m-line of %u ports is not relayed", (unsigned)count);
	rc = check_formats(p, m);
	if (rc < 0)
		return rc;
	s->n_media++;
	p->m = m;
	p->media_seen = 0;
	p->direction_set = false;
	return 0;
}

/* a=rtcp:PORT [IN IP4 ADDRESS], RFC 3605 */
static int parse_rtcp(struct parser *p, struct str v)
{
	struct str port = str_cut(&v, ' ');
	uint64_t n;

	if (str_to_u64(port, 65535, &n) < 0)
		return fail(p, EINVAL, "a=rtcp does not begin with a port");
	p->m->rtcp_port = (uint16_t)n;
	return v.n ? parse_address(p, v, &p->m->rtcp_ip) : 0;
}

static int decode_attr(struct parser *p, const struct sdp_attr *a)
{
	for (int d = SDP_INACTIVE; d <= SDP_SENDRECV; d++) {
		if (a->has_value || !str_eq(a->name, str_z(sdp_direction_name((enum sdp_direction)d))))
			continue;
		if (p->direction_set)
			return fail(p, EINVAL, "a second direction at the same level");
		p->direction_set = true;
		if (p->m)
			p->m->direction = (enum sdp_direction)d;
		else
			p->session_direction = (enum sdp_direction)d;
	}
	if (!p->m)
		return 0;
	if (str_eq(a->name, STR("rtcp-mux")))
		p->m->rtcp_mux = true;
	else if (str_eq(a->name, STR("rtcp-mux-only")))
		p->m->rtcp_mux = p->m->rtcp_mux_only = true;
	else if (str_eq(a->name, STR("rtcp")))
		return parse_rtcp(p, a->value);
	return 0;
}

static int parse_attr(struct parser *p, struct str v)
{
	struct sdp *s = p->s;

	if (s->n_attrs == SDP_ATTRS_MAX)
		return fail(p, E2BIG, "more than %d a= lines", SDP_ATTRS_MAX);
	struct sdp_attr *a = &s->attrs[s->n_attrs];

	a->has_value = str_chr(v, ':') >= 0;
	a->name = str_cut(&v, ':');
	a->value = v;
	a->line = (uint16_t)p->line;
	if (!is_token(a->name))
		return fail(p, EINVAL, "a= without the name of an attribute");
	s->n_attrs++;
	if (p->m)
		p->m->n_attrs++;
	else
		s->n_session_attrs++;
	return decode_attr(p, a);
}

static int skip(struct parser *p, struct str v)
{
	(void)p;
	(void)v;
	return 0;
}

/* Which lines there are, where, and how often (RFC 8866 section 5). */
static const struct line_type {
	char letter;
	bool session, media, once;
	int (*parse)(struct parser *p, struct str v);
} line_types[] = {
	{'a', true, true, false, parse_attr},
	{'b', true, true, false, parse_bandwidth},
	{'c', true, true, true, parse_connection},
	{'e', true, false, false, skip},
	{'i', true, true, true, skip},
	{'k', true, true, true, skip},
	{'m', true, true, false, parse_media},
	{'o', true, false, true, parse_origin},
	{'p', true, false, false, skip},
	{'r', true, false, false, skip},
	{'s', true, false, true, skip},
	{'t', true, false, false, parse_time},
	{'u', true, false, true, skip},
	{'v', true, false, true, parse_version},
	{'z', true, false, true, skip},
};

static int check_place(struct parser *p, const struct line_type *t)
{
	unsigned *seen = p->m ? &p->media_seen : &p->seen;
	static const char first[] = {'v', 'o', 's'};

	if (p->m ? !t->media : !t->session)
		return fail(p, EINVAL, "%c= may not stand %s", t->letter, p->m ? "under an m-line" : "here");
	if (t->once && *seen & BIT(t->letter))
		return fail(p, EINVAL, "a second %c= at the same level", t->letter);
	if (p->line <= sizeof first && t->letter != first[p->line - 1])
		return fail(p, EINVAL, "%c= is expected here", first[p->line - 1]);
	if (t->letter == 'm' && !(p->seen & BIT('t')))
		return fail(p, EINVAL, "an m-line before the session's t=");
	*seen |= BIT(t->letter);
	return 0;
}

static int parse_line(struct parser *p, struct str line)
{
	if (line.n > SDP_LINE_MAX)
		return fail(p, E2BIG, "more than %d octets", SDP_LINE_MAX);
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t')
			return fail(p, EINVAL, "a control character");
	if (line.n < 2 || line.p[1] != '=')
		return fail(p, EINVAL, "not a letter and '='");
	for (unsigned i = 0; i < sizeof line_types / sizeof line_types[0]; i++) {
		const struct line_type *t = &line_types[i];

		if (t->letter != line.p[0])
			continue;
		int rc = check_place(p, t);

		return rc < 0 ? rc : t->parse(p, str_sub(line, 2, line.n));
	}
	return fail(p, EINVAL, "there is no such line in a session description");
}

static bool only_line_ends(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	return true;
}

int sdp_parse(struct str text, struct sdp *out, struct err *e)
{
	struct parser p = {.s = out, .e = e, .session_direction = SDP_SENDRECV};
	int rc;

	if (text.n > SDP_TEXT_MAX)
		return err_set(e, E2BIG, "a session description of more than %d octets", SDP_TEXT_MAX);
	/* The arrays count what is valid in them; 20 kB need not be cleared for a description of ten lines.
	 */
	memset(out, 0, offsetof(struct sdp, media));
	while (!only_line_ends(text)) {
		struct str line = str_cut(&text, '\n');

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		p.line++;
		rc = parse_line(&p, line);
		if (rc < 0)
			return rc;
	}
	rc = end_media(&p);
	if (rc < 0)
		return rc;
	if (!(p.seen & BIT('t')))
		return err_set(e, EINVAL, "after line %u: the session's %s= is missing", p.line,
			p.seen & BIT('s')   ? "t"
			: p.seen & BIT('o') ? "s"
			: p.seen & BIT('v') ? "o"
					    : "v");
	return 0;
}
