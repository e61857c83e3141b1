/* SPDX-License-Identifier: Apache-2.0 */
/* The phones of the bench: what they say, and what they hear. */
#include <stdarg.h>

#include "tests/unit/b2bua_bench.h"
#include "tests/unit/b2bua_wire.h"

#define SDP_LIVE 10

static void deliver(struct phone *p, char *text)
{
	static struct sip_msg m;
	struct sip_reject why;
	struct sip_flow from = {
		.transport = wire.doors[p->listener].transport,
		.listener = &wire.doors[p->listener],
		.conn = p->conn,
	};

	ip_parse(str_z(p->ip), &from.remote.ip);
	from.remote.port = p->nat_port ? (uint16_t)p->nat_port : from.transport == SIP_TLS ? 5061 : 5060;
	if (bench.garble)
		text = bench.garble(text);
	if (sip_msg_parse(&m, text, strlen(text), true, &why) < 0) {
		if (!bench.garble)
			fail_msg("%s: %s", why.reason, text);
		free(text);
		return;
	}
	m.source = from.remote;
	sip_txl_receive(bench.txl, &m, &from);
	free(text);
	settle();
}

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&text, fmt, ap) >= 0);
	va_end(ap);
	return text;
}

static const char *transport_of(const struct phone *p)
{
	return wire.doors[p->listener].transport == SIP_TLS   ? "TLS"
	       : wire.doors[p->listener].transport == SIP_TCP ? "TCP"
							     : "UDP";
}

static const char *tagged(const char *tag)
{
	static char text[64];

	snprintf(text, sizeof text, tag[0] ? ";tag=%s" : "%s", tag);
	return text;
}

static void request(
	struct phone *p, const char *method, const char *uri, const char *headers, const char *body)
{
	bool follows = strcmp(method, "CANCEL") == 0 || strcmp(method, "ACK") == 0;
	unsigned cseq = follows ? p->invite_cseq : ++p->cseq;
	/* The ACK of a 2xx is a transaction of its own, the others are the INVITE's. */
	bool same =
		follows && (method[0] == 'C' || (p->heard && !p->heard->request && p->heard->status >= 300));

	if (!same)
		p->branch = ++wire.branches;
	if (strcmp(method, "INVITE") == 0) {
		p->invite_branch = p->branch;
		p->invite_cseq = cseq;
	}
	deliver(p,
		format("%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s%s;branch=z9hG4bK-%u\r\nMax-Forwards: 70\r\n"
		       "From: \"Al\" <sip:%s@phone.invalid>%s%s\r\nTo: <sip:%s@gw.invalid>%s\r\n"
		       "Call-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:%s@%s%s>\r\n%s%s"
		       "Content-Length: %zu\r\n\r\n%s",
			method, uri, transport_of(p), p->inner ? p->inner : p->ip, p->inner ? ";rport" : "",
			same ? p->invite_branch : p->branch, p->number, p->untagged ? "" : ";tag=",
			p->untagged ? "" : p->local_tag, p->number,
			method[0] == 'C' ? "" : tagged(p->remote_tag), p->call_id, cseq, method, p->number,
			p->inner ? p->inner : p->ip,
			wire.doors[p->listener].transport == SIP_TLS ? ":5061;transport=tls" : "", headers,
			*body && !strstr(headers, "Content-Type") ? "Content-Type: application/sdp\r\n" : "",
			strlen(body), body));
}

void dial(struct phone *p, const char *number, const char *headers, const char *body)
{
	unsigned n = ++wire.calls;

	snprintf(p->call_id, sizeof p->call_id, "call-%u@%s", n, p->ip);
	snprintf(p->local_tag, sizeof p->local_tag, "t%u", n);
	snprintf(p->target, sizeof p->target, "sip:%s%sgw.invalid", number, number[0] ? "@" : "");
	p->remote_tag[0] = '\0';
	p->cseq = 0;
	say(p, "INVITE", headers, body);
}

void say(struct phone *p, const char *method, const char *headers, const char *body)
{
	if (!p->call_id[0])
		snprintf(p->call_id, sizeof p->call_id, "call-%u@%s", ++wire.calls, p->ip);
	if (!p->local_tag[0])
		snprintf(p->local_tag, sizeof p->local_tag, "t%u", ++wire.calls);
	if (!p->target[0])
		snprintf(p->target, sizeof p->target, "sip:%s@gw.invalid", p->number);
	request(p, method, p->target, headers, body);
}

static void respond(struct phone *p, const struct sip_msg *r, const char *tag, const char *status,
	const char *headers, const char *body)
{
	struct str to = sip_msg_value(r, SIP_H_TO);
	char contact[200] = "";

	/* Or as the headers have it. */
	if (!strstr(headers, "Contact:"))
		snprintf(contact, sizeof contact, "Contact: <sip:%s@%s%s>\r\n", p->number, p->inner ? p->inner : p->ip,
			wire.doors[p->listener].transport == SIP_TLS ? ":5061;transport=tls" : "");
	deliver(p,
		format("SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s%s\r\nCall-ID: %.*s\r\n"
		       "CSeq: %u %.*s\r\n%s%s%sContent-Length: %zu\r\n\r\n%s",
			status, STR_ARG(r->via.text), STR_ARG(sip_msg_value(r, SIP_H_FROM)), STR_ARG(to),
			r->to_tag.n || strncmp(status, "100", 3) == 0 ? "" : tagged(tag), STR_ARG(r->call_id),
			r->cseq, STR_ARG(r->method_name), headers,
			*body && !strstr(headers, "Content-Type") ? "Content-Type: application/sdp\r\n" : "",
			contact, strlen(body), body));
}

void answer_as(struct phone *p, const char *tag, const char *status, const char *headers, const char *body)
{
	assert_non_null(p->invite);
	respond(p, p->invite, tag, status, headers, body);
}

void answer(struct phone *p, const char *status, const char *headers, const char *body)
{
	answer_as(p, p->untagged ? "" : p->local_tag, status, headers, body);
}

void reply_all(struct phone *p, const char *status, const char *headers, const char *body)
{
	assert_true(p->heard && p->heard->request);
	respond(p, p->heard, p->local_tag, status, headers, body);
}

void reply_with(struct phone *p, const char *status, const char *headers)
{
	reply_all(p, status, headers, "");
}

void reply_sdp(struct phone *p, const char *status, const char *body)
{
	reply_all(p, status, "", body);
}

void reply(struct phone *p, const char *status)
{
	reply_with(p, status, "");
}

static int next_for(const struct phone *p)
{
	struct ip_addr ip;

	ip_parse(str_z(p->ip), &ip);
	for (unsigned i = 0; i < wire.queued; i++)
		if (ip_equal(&wire.queue[i].flow.remote.ip, &ip))
			return (int)i;
	return -1;
}

/* What the phone keeps of what it heard: whom to answer, and its dialog. */
static void learn(struct phone *p, const struct sip_msg *m)
{
	struct sip_addr contact;

	if (m->request && m->method == SIP_INVITE) {
		sip_msg_free(p->invite);
		p->invite = sip_msg_clone(m);
		if (!m->to_tag.n) {
			snprintf(p->call_id, sizeof p->call_id, "%.*s", STR_ARG(m->call_id));
			snprintf(p->remote_tag, sizeof p->remote_tag, "%.*s", STR_ARG(m->from_tag));
			snprintf(p->local_tag, sizeof p->local_tag, "c%u", ++wire.calls);
			p->cseq = 0;
		}
	}
	if (!m->request && m->method == SIP_INVITE && m->status > 100 && m->to_tag.n)
		snprintf(p->remote_tag, sizeof p->remote_tag, "%.*s", STR_ARG(m->to_tag));
	if (m->method == SIP_INVITE && sip_addr_parse(sip_msg_value(m, SIP_H_CONTACT), &contact) == 0)
		snprintf(p->target, sizeof p->target, "%.*s", STR_ARG(contact.uri.text));
}

/* Takes the message off the wire. */
static const struct sip_msg *take_in(struct phone *p, int at)
{
	static struct sip_msg m;
	struct sip_reject why;
	char *text = wire.queue[at].text;

	p->flow = wire.queue[at].flow;
	strcpy(p->tls_name, wire.queue[at].tls_name);
	p->flow.tls_name = p->flow.tls_name ? p->tls_name : NULL;
	memmove(&wire.queue[at], &wire.queue[at + 1], (--wire.queued - (unsigned)at) * sizeof wire.queue[0]);
	/* What the gateway sends has to be what it would take itself. */
	if (sip_msg_parse(&m, text, strlen(text), false, &why) < 0)
		fail_msg("%s: %s", why.reason, text);
	learn(p, &m);
	sip_msg_free(p->heard);
	p->heard = sip_msg_clone(&m);
	free(text);
	return p->heard;
}

const struct sip_msg *hear_any(struct phone *p)
{
	int at = next_for(p);

	return at < 0 ? NULL : take_in(p, at);
}

const struct sip_msg *hear(struct phone *p, const char *what)
{
	int at = next_for(p);
	char start[40];

	if (at < 0)
		fail_msg("%s hears nothing, not %s", p->ip, what);
	snprintf(start, sizeof start, what[0] >= '1' && what[0] <= '6' ? "SIP/2.0 %s " : "%s ", what);
	if (strncmp(wire.queue[at].text, start, strlen(start)))
		fail_msg("%s hears, instead of %s: %s", p->ip, what, wire.queue[at].text);
	return take_in(p, at);
}

void hear_all(struct phone *p, const char *what)
{
	size_t n = strlen(what);

	hear(p, what);
	for (int at; (at = next_for(p)) >= 0 && strncmp(wire.queue[at].text, what, n) == 0;)
		hear(p, what);
}

void silence(struct phone *p)
{
	int at = p ? next_for(p) : (int)wire.queued - 1;

	if (at >= 0)
		fail_msg("nothing was to be heard, but: %s", wire.queue[at].text);
}

bool heard(const struct phone *p, const char *text)
{
	return memmem(p->heard->text.p, p->heard->text.n, text, strlen(text)) != NULL;
}

void expect_heard(const struct phone *p, const char *text)
{
	if (!heard(p, text))
		fail_msg("'%s' is missing in: %.*s", text, STR_ARG(p->heard->text));
}

void expect_not_heard(const struct phone *p, const char *text)
{
	if (heard(p, text))
		fail_msg("'%s' is in: %.*s", text, STR_ARG(p->heard->text));
}

void crypto_of(const struct phone *p, char out[120])
{
	const char *at = memmem(p->heard->text.p, p->heard->text.n, "a=crypto:", 9);

	assert_non_null(at);
	snprintf(out, 120, "%.*s", (int)strcspn(at, "\r"), at);
}

const char *number_of(const struct phone *p)
{
	return p == &alice ? "+3001" : p == &bob ? "+1001" : "+2001";
}

const char *sdp_as(const struct phone *p, unsigned n, unsigned version, const char *direction)
{
	static char texts[SDP_LIVE][1024];
	static unsigned next;
	char *text = texts[next++ % SDP_LIVE], key[64] = "", crypto[200] = "";
	bool gcm = p->suite && strstr(p->suite, "GCM");

	if (p->suite) {
		memset(key, 'a' + (int)(n % 26), gcm ? 58 : 40);
		if (gcm)
			strcat(key, "A=");
		snprintf(crypto, sizeof crypto, "a=crypto:1 %s inline:%s\r\n", p->suite, key);
	}
	snprintf(text, sizeof texts[0],
		"v=0\r\no=- 1 %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/%s 8 0\r\n"
		"a=rtpmap:8 PCMA/8000\r\n%sa=%s\r\n",
		version, p->ip, p->ip, 30000 + n, p->suite ? "SAVP" : "AVP", crypto, direction);
	return text;
}

const char *sdp(const struct phone *p, unsigned n)
{
	return sdp_as(p, n, n, "sendrecv");
}

void call_up(struct phone *from, struct phone *to)
{
	dial(from, number_of(to), "", sdp(from, 1));
	hear(to, "INVITE");
	answer(to, "180 Ringing", "", "");
	hear(from, "180");
	answer(to, "200 OK", "", sdp(to, 1));
	hear(to, "ACK");
	hear(from, "200");
	say(from, "ACK", "", "");
	silence(NULL);
}

void calls_up(struct phone *from, struct phone *to, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		from[i] = alice;
		to[i] = bob;
		dial(&from[i], "+1001", "", sdp(&alice, 1));
		hear(&to[i], "INVITE");
		answer(&to[i], "200 OK", "", sdp(&bob, 1));
		hear(&to[i], "ACK");
		hear(&from[i], "200");
		say(&from[i], "ACK", "", "");
	}
}

void hang_up(struct phone *by, struct phone *other)
{
	say(by, "BYE", "", "");
	hear(by, "200");
	hear(other, "BYE");
	reply(other, "200 OK");
	silence(NULL);
}
