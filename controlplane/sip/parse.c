/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser: start line, header lines, the fields that every message must have. It goes on after a mistake,
 * so that a request can be answered with what was wrong; the first mistake is the one reported.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "controlplane/sip/chars.h"
#include "controlplane/sip/message.h"

struct parse {
	struct sip_msg *m;
	char *p, *end; /* what is left of the head and the body */
	struct sip_reject *why;
};

static void wrong(struct parse *ps, unsigned status, const char *reason)
{
	if (ps->why->status)
		return;
	ps->why->status = (uint16_t)status;
	ps->why->reason = reason;
}

/*
 * The line at ps->p without its CRLF, ps->p left behind it. A fold is overwritten with spaces in place. False
 * when no CRLF is there.
 */
static bool take_line(struct parse *ps, bool unfold, struct str *line)
{
	char *from = ps->p;

	for (char *at = from;;) {
		char *lf = memchr(at, '\n', (size_t)(ps->end - at));

		if (!lf)
			return false;
		ps->p = lf + 1;
		bool crlf = lf > from && lf[-1] == '\r';

		if (!crlf)
			wrong(ps, 400, "Line Not Ended by CRLF");
		char *text_end = crlf ? lf - 1 : lf;

		if (memchr(at, '\r', (size_t)(text_end - at)))
			wrong(ps, 400, "Stray CR in Header");
		*line = (struct str){from, (size_t)(text_end - from)};
		if (!unfold || !line->n || ps->p == ps->end || (*ps->p != ' ' && *ps->p != '\t'))
			return true;
		memset(text_end, ' ', (size_t)(ps->p - text_end));
		at = ps->p;
	}
}

static void parse_version(struct parse *ps, struct str version)
{
	if (str_ieq(version, STR("SIP/2.0")))
		return;
	if (str_istarts(version, STR("SIP/")))
		wrong(ps, 505, "Version Not Supported");
	else
		wrong(ps, 400, "Malformed Request Line");
}

static void parse_status_line(struct parse *ps, struct str line)
{
	struct str version = str_cut(&line, ' ');
	struct str code = str_cut(&line, ' ');
	uint64_t n = 0;

	parse_version(ps, version);
	if (code.n != 3 || str_to_u64(code, 699, &n) < 0 || n < 100)
		wrong(ps, 400, "Malformed Status Line");
	ps->m->status = (uint16_t)n;
	ps->m->reason = line;
}

static void parse_request_line(struct parse *ps, struct str line)
{
	struct sip_msg *m = ps->m;
	struct str method = str_cut(&line, ' ');
	ptrdiff_t sp = -1;

	for (size_t i = line.n; i > 0 && sp < 0; i--)
		if (line.p[i - 1] == ' ')
			sp = (ptrdiff_t)i - 1;
	if (sp < 0 || !sip_is_token(method)) {
		wrong(ps, 400, "Malformed Request Line");
		return;
	}
	struct str version = str_sub(line, (size_t)sp + 1, line.n);

	m->request = str_istarts(version, STR("SIP/")) || str_istarts(str_trim(line), STR("sip"));
	m->method_name = method;
	m->method = sip_method_by_name(method);
	parse_version(ps, version);
	switch (sip_uri_parse(str_sub(line, 0, (size_t)sp), &m->uri)) {
	case 0:
		/* RFC 3261 section 19.1.1, table 1. */
		if (m->uri.headers.n)
			wrong(ps, 400, "Headers in the Request-URI");
		break;
	case -EPROTONOSUPPORT:
		wrong(ps, 416, "Unsupported URI Scheme");
		break;
	default:
		wrong(ps, 400, "Malformed Request-URI");
	}
}

static bool add_header(struct parse *ps, struct str line)
{
	struct sip_msg *m = ps->m;
	ptrdiff_t colon = str_chr(line, ':');

	if (line.n > SIP_LINE_MAX) {
		wrong(ps, 513, "Header Field Too Large");
		return true;
	}
	struct str name = str_trim(str_sub(line, 0, colon < 0 ? 0 : (size_t)colon));

	if (!sip_is_token(name) || name.p != line.p) {
		wrong(ps, 400, "Malformed Header Field Name");
		return true;
	}
	if (m->hdr_count == SIP_HEADERS_MAX) {
		wrong(ps, 513, "Too Many Header Fields");
		return false;
	}
	uint8_t at = m->hdr_count++;
	enum sip_hdr_id id = sip_hdr_by_name(name);

	m->hdrs[at] = (struct sip_hdr){.id = (uint8_t)id,
		.next = SIP_HDR_NONE,
		.name = name,
		.value = str_trim(str_sub(line, (size_t)colon + 1, line.n))};
	if (m->first[id] == SIP_HDR_NONE)
		m->first[id] = at;
	else
		m->hdrs[m->last[id]].next = at;
	m->last[id] = at;
	return true;
}

static void parse_head(struct parse *ps)
{
	struct str line;

	/* RFC 3261 section 7.5: empty lines before the start line are ignored. */
	while (ps->end - ps->p >= 2 && ps->p[0] == '\r' && ps->p[1] == '\n')
		ps->p += 2;
	char *head = ps->p;

	if (!take_line(ps, false, &line)) {
		wrong(ps, 400, "Header Section Not Ended");
		return;
	}
	/* "SIP/" cannot begin a method: '/' is no token character. */
	if (str_istarts(line, STR("SIP/")))
		parse_status_line(ps, line);
	else
		parse_request_line(ps, line);
	for (;;) {
		if (!take_line(ps, true, &line)) {
			wrong(ps, 400, "Header Section Not Ended");
			return;
		}
		if (!line.n)
			break;
		if (!add_header(ps, line))
			return;
	}
	if (ps->p - head > SIP_HEAD_MAX)
		wrong(ps, 513, "Message Header Too Large");
}

int sip_via_parse(struct str text, struct sip_via *out)
{
	struct sip_via v = {.text = text};
	struct str rest = text, name = str_trim(str_cut(&rest, '/'));
	struct str version = str_trim(str_cut(&rest, '/'));
	struct str value;

	/* Another version is answered, with 505: whoever calls this looks at it. */
	if (!str_ieq(name, STR("SIP")) || !sip_is_token(version))
		return -EINVAL;
	v.version = version;
	rest = str_trim(rest);
	size_t i = 0;

	while (i < rest.n && ch_is(rest.p[i], CH_TOKEN))
		i++;
	v.transport = str_sub(rest, 0, i);
	if (!i || i == rest.n || (rest.p[i] != ' ' && rest.p[i] != '\t'))
		return -EINVAL;
	rest = str_trim(str_sub(rest, i, rest.n));
	struct str sent_by = str_cut(&rest, ';');

	v.params = str_trim(rest);
	if (!sip_params_ok(v.params))
		return -EINVAL;
	/* "host : port" may have white space around the colon (RFC 3261 section 25.1, sent-by). */
	sent_by = str_trim(sent_by);
	ptrdiff_t colon = -1;

	for (size_t k = 0; k < sent_by.n; k++)
		if (sent_by.p[k] == ' ' || sent_by.p[k] == '\t')
			for (colon = 0; colon < (ptrdiff_t)sent_by.n && sent_by.p[colon] != ':';)
				colon++;
	if (colon >= 0) {
		struct str tail = sent_by, head = str_trim(str_cut(&tail, ':'));
		uint64_t port;

		if (str_to_u64(str_trim(tail), 65535, &port) < 0 || !port ||
			sip_via_hostport(head, &v.host, &v.port) < 0)
			return -EINVAL;
		v.port = (uint16_t)port;
	} else if (sip_via_hostport(sent_by, &v.host, &v.port) < 0) {
		return -EINVAL;
	}
	if (sip_param(v.params, STR("branch"), &value))
		v.branch = value;
	v.rport = sip_param(v.params, STR("rport"), &value);
	v.cookie = str_istarts(v.branch, STR(SIP_COOKIE)) && v.branch.n > sizeof SIP_COOKIE - 1;
	*out = v;
	return 0;
}

/* ";;": RFC 4475 section 3.1.2.1. One ';' too many at the end is in the field. */
static bool has_empty_param(struct str params)
{
	while (params.n)
		if (!str_trim(str_cut(&params, ';')).n)
			return true;
	return false;
}

static void parse_via(struct parse *ps)
{
	struct sip_values it = sip_values(ps->m, SIP_H_VIA);
	struct str top;

	if (!sip_values_next(&it, &top))
		wrong(ps, 400, "Missing Via");
	else if (sip_via_parse(top, &ps->m->via) < 0)
		wrong(ps, 400, "Malformed Via");
	else if (!str_eq(ps->m->via.version, STR("2.0")))
		wrong(ps, 400, "Malformed Via");
	else if (has_empty_param(ps->m->via.params))
		wrong(ps, 400, "Empty Parameter in Via");
}

static void parse_party(struct parse *ps, enum sip_hdr_id id, struct sip_addr *addr, struct str *tag)
{
	bool from = id == SIP_H_FROM;
	const struct sip_hdr *h = sip_msg_hdr(ps->m, id);

	if (!h) {
		wrong(ps, 400, from ? "Missing From" : "Missing To");
		return;
	}
	if (sip_addr_parse(h->value, addr) == -EINVAL || addr->star ||
		(sip_param(addr->params, STR("tag"), tag) && !sip_is_token(*tag)))
		wrong(ps, 400, from ? "Malformed From" : "Malformed To");
}

static void parse_call_id(struct parse *ps)
{
	struct str v = sip_msg_value(ps->m, SIP_H_CALL_ID);

	ps->m->call_id = v;
	if (!sip_msg_hdr(ps->m, SIP_H_CALL_ID))
		wrong(ps, 400, "Missing Call-ID");
	else if (!v.n)
		wrong(ps, 400, "Empty Call-ID");
	for (size_t i = 0; i < v.n; i++)
		if ((uint8_t)v.p[i] <= ' ' || v.p[i] == 0x7f)
			wrong(ps, 400, "Malformed Call-ID");
}

static void parse_cseq(struct parse *ps)
{
	struct sip_msg *m = ps->m;
	struct str v = sip_msg_value(m, SIP_H_CSEQ);
	uint64_t n = 0;
	size_t digits = 0;

	if (!sip_msg_hdr(m, SIP_H_CSEQ)) {
		wrong(ps, 400, "Missing CSeq");
		return;
	}
	while (digits < v.n && ch_is(v.p[digits], CH_DIGIT))
		digits++;
	struct str method = str_trim(str_sub(v, digits, v.n));

	/* Below 2^31: RFC 3261 section 8.1.1.5. */
	if (str_to_u64(str_sub(v, 0, digits), INT32_MAX, &n) < 0 || !sip_is_token(method) ||
		(v.p[digits] != ' ' && v.p[digits] != '\t')) {
		wrong(ps, 400, "Malformed CSeq");
		return;
	}
	m->cseq = (uint32_t)n;
	if (!m->request) {
		m->method_name = method;
		m->method = sip_method_by_name(method);
	} else if (!str_eq(method, m->method_name)) {
		wrong(ps, 400, "CSeq Method Does Not Match");
	}
}

static void parse_max_forwards(struct parse *ps)
{
	const struct sip_hdr *h = sip_msg_hdr(ps->m, SIP_H_MAX_FORWARDS);
	uint64_t n = 70;

	if (h && str_to_u64(h->value, 255, &n) < 0)
		wrong(ps, 400, "Malformed Max-Forwards");
	ps->m->has_max_forwards = h;
	ps->m->max_forwards = (uint8_t)n;
}

static void parse_body(struct parse *ps, bool datagram)
{
	struct sip_msg *m = ps->m;
	size_t there = (size_t)(ps->end - ps->p);
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_H_CONTENT_LENGTH);
	uint64_t n = there;

	if (!h && !datagram)
		wrong(ps, 400, "Missing Content-Length");
	if (h && str_to_u64(h->value, UINT32_MAX, &n) < 0) {
		wrong(ps, 400, "Malformed Content-Length");
		n = 0;
	}
	if (n > there) {
		wrong(ps, 400, "Body Shorter Than Content-Length");
		n = there;
	} else if (n < there && !datagram) {
		wrong(ps, 400, "Body Longer Than Content-Length");
	}
	if (n > SIP_BODY_MAX)
		wrong(ps, 513, "Message Body Too Large");
	m->content_type = sip_msg_value(m, SIP_H_CONTENT_TYPE);
	m->body = (struct str){ps->p, (size_t)n};
}

/* Fields of which a second one makes the message ambiguous. */
static void check_single(struct parse *ps)
{
	static const struct {
		enum sip_hdr_id id;
		const char *reason;
	} single[] = {
		{SIP_H_FROM, "More Than One From"},
		{SIP_H_TO, "More Than One To"},
		{SIP_H_CALL_ID, "More Than One Call-ID"},
		{SIP_H_CSEQ, "More Than One CSeq"},
		{SIP_H_MAX_FORWARDS, "More Than One Max-Forwards"},
		{SIP_H_CONTENT_LENGTH, "More Than One Content-Length"},
		{SIP_H_CONTENT_TYPE, "More Than One Content-Type"},
	};

	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
		if (ps->m->first[single[i].id] != ps->m->last[single[i].id])
			wrong(ps, 400, single[i].reason);
}

static bool answerable(const struct sip_msg *m)
{
	return m->request && m->method != SIP_ACK && m->via.host.n;
}

int sip_msg_parse(struct sip_msg *m, char *buf, size_t n, bool datagram, struct sip_reject *why)
{
	struct parse ps = {m, buf, buf + n, why};

	memset(m, 0, offsetof(struct sip_msg, first));
	memset(m->first, SIP_HDR_NONE, sizeof m->first + sizeof m->last);
	m->hdr_count = 0;
	m->text = (struct str){buf, n};
	*why = (struct sip_reject){0};

	parse_head(&ps);
	check_single(&ps);
	parse_via(&ps);
	parse_party(&ps, SIP_H_FROM, &m->from, &m->from_tag);
	parse_party(&ps, SIP_H_TO, &m->to, &m->to_tag);
	parse_call_id(&ps);
	parse_cseq(&ps);
	parse_max_forwards(&ps);
	parse_body(&ps, datagram);
	if (!why->status)
		return 0;
	why->answerable = answerable(m);
	return -EBADMSG;
}
