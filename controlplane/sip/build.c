/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

/* Text that must stay on its line. */
static void put_clean(struct sip_builder *b, struct str s)
{
	size_t at = b->w.len;

	wbuf_str(&b->w, s);
	for (; at < b->w.len; at++)
		if (b->w.p[at] == '\r' || b->w.p[at] == '\n' || b->w.p[at] == '\0')
			b->w.p[at] = ' ';
}

void sip_build_request(struct sip_builder *b, void *buf, size_t cap, struct str method, struct str uri)
{
	*b = (struct sip_builder){.w = wbuf_make(buf, cap), .method = sip_method_by_name(method)};
	put_clean(b, method);
	wbuf_str(&b->w, STR(" "));
	put_clean(b, uri);
	wbuf_str(&b->w, STR(" SIP/2.0\r\n"));
	b->line_end = b->w.len;
}

/* The topmost Via: RFC 3261 section 18.2.1 and RFC 3581 section 4. */
static void put_top_via(struct sip_builder *b, const struct sip_msg *r)
{
	struct str params = r->via.params, name, value, head = r->via.text;
	char ip[IP_TEXT_MAX];
	struct ip_addr sent_by;

	head = str_trim(str_cut(&head, ';'));
	put_clean(b, head);
	while (sip_param_next(&params, &name, &value)) {
		if (str_ieq(name, STR("received")) || str_ieq(name, STR("rport")))
			continue;
		wbuf_str(&b->w, STR(";"));
		put_clean(b, name);
		if (value.n) {
			wbuf_str(&b->w, STR("="));
			put_clean(b, value);
		}
	}
	bool differs = ip_parse(r->via.host, &sent_by) < 0 || !ip_equal(&sent_by, &r->source.ip);

	if (r->via.rport || differs)
		wbuf_fmt(&b->w, ";received=%s", ip_text(&r->source.ip, ip));
	if (r->via.rport)
		wbuf_fmt(&b->w, ";rport=%u", r->source.port);
}

static void put_vias(struct sip_builder *b, const struct sip_msg *r)
{
	const struct sip_hdr *h = sip_msg_hdr(r, SIP_H_VIA);
	struct str rest, top;

	if (r->source.ip.family == IP_NONE || !h) {
		sip_build_copy(b, r, SIP_H_VIA);
		return;
	}
	rest = h->value;
	wbuf_str(&b->w, STR("Via: "));
	sip_list_next(&rest, &top);
	put_top_via(b, r);
	rest = str_trim(rest);
	if (rest.n) {
		wbuf_str(&b->w, STR(", "));
		put_clean(b, rest);
	}
	wbuf_str(&b->w, STR("\r\n"));
	for (uint8_t at = h->next; at != SIP_HDR_NONE; at = r->hdrs[at].next)
		sip_build_hdr(b, SIP_H_VIA, r->hdrs[at].value);
}

/* A request that is refused for what it lacks may lack it. */
static void copy_first(struct sip_builder *b, const struct sip_msg *m, enum sip_hdr_id id)
{
	if (sip_msg_hdr(m, id))
		sip_build_hdr(b, id, sip_msg_value(m, id));
}

void sip_build_response(struct sip_builder *b, void *buf, size_t cap, const struct sip_msg *request,
	unsigned status, const char *reason, struct str to_tag)
{
	*b = (struct sip_builder){.w = wbuf_make(buf, cap), .status = (uint16_t)status};
	wbuf_fmt(&b->w, "SIP/2.0 %u ", status);
	put_clean(b, str_z(reason ? reason : sip_status_reason(status)));
	wbuf_str(&b->w, STR("\r\n"));
	b->line_end = b->w.len;
	put_vias(b, request);
	copy_first(b, request, SIP_H_FROM);
	if (sip_msg_hdr(request, SIP_H_TO))
		sip_build_addr(b, SIP_H_TO, sip_msg_value(request, SIP_H_TO),
			request->to_tag.n ? (struct str){0} : to_tag);
	copy_first(b, request, SIP_H_CALL_ID);
	copy_first(b, request, SIP_H_CSEQ);
	if (status == 100)
		sip_build_copy(b, request, SIP_H_TIMESTAMP);
	if (status > 100 && status < 300)
		sip_build_copy(b, request, SIP_H_RECORD_ROUTE);
}

void sip_build_hdr_named(struct sip_builder *b, struct str name, struct str value)
{
	put_clean(b, name);
	wbuf_str(&b->w, STR(": "));
	put_clean(b, value);
	wbuf_str(&b->w, STR("\r\n"));
}

void sip_build_hdr(struct sip_builder *b, enum sip_hdr_id id, struct str value)
{
	sip_build_hdr_named(b, sip_hdr_name(id), value);
}

void sip_build_hdr_u32(struct sip_builder *b, enum sip_hdr_id id, uint32_t value)
{
	char text[12];

	sip_build_hdr(b, id, (struct str){text, (size_t)snprintf(text, sizeof text, "%u", value)});
}

void sip_build_hdr_fmt(struct sip_builder *b, enum sip_hdr_id id, const char *fmt, ...)
{
	char text[SIP_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text)
		b->w.overflow = true;
	else
		sip_build_hdr(b, id, (struct str){text, (size_t)n});
}

void sip_build_cseq(struct sip_builder *b, uint32_t number, struct str method)
{
	wbuf_fmt(&b->w, "CSeq: %u ", number);
	put_clean(b, method);
	wbuf_str(&b->w, STR("\r\n"));
}

void sip_build_addr(struct sip_builder *b, enum sip_hdr_id id, struct str value, struct str tag)
{
	wbuf_str(&b->w, sip_hdr_name(id));
	wbuf_str(&b->w, STR(": "));
	put_clean(b, value);
	if (tag.n) {
		wbuf_str(&b->w, STR(";tag="));
		put_clean(b, tag);
	}
	wbuf_str(&b->w, STR("\r\n"));
}

void sip_build_copy(struct sip_builder *b, const struct sip_msg *from, enum sip_hdr_id id)
{
	const struct sip_hdr *h = sip_msg_hdr(from, id);

	while (h) {
		sip_build_hdr_named(b, id == SIP_H_OTHER ? h->name : sip_hdr_name(id), h->value);
		h = h->next == SIP_HDR_NONE ? NULL : &from->hdrs[h->next];
	}
}

int sip_build_end(struct sip_builder *b, struct str content_type, struct str body)
{
	if (body.n)
		sip_build_hdr(b, SIP_H_CONTENT_TYPE, content_type);
	wbuf_fmt(&b->w, "Content-Length: %zu\r\n\r\n", body.n);
	wbuf_str(&b->w, body);
	return b->w.overflow ? -EMSGSIZE : 0;
}

struct str sip_built(const struct sip_builder *b)
{
	return wbuf_view(&b->w);
}

struct str sip_token_make(char buf[SIP_TOKEN_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t raw[(SIP_TOKEN_TEXT - 1) / 2];

	/* Tags and branches that can be guessed let a stranger into a dialog: there is no fallback. */
	if (RAND_bytes(raw, sizeof raw) != 1)
		abort();
	for (size_t i = 0; i < sizeof raw; i++) {
		buf[2 * i] = hex[raw[i] >> 4];
		buf[2 * i + 1] = hex[raw[i] & 15];
	}
	buf[2 * sizeof raw] = '\0';
	return (struct str){buf, SIP_TOKEN_TEXT - 1};
}
