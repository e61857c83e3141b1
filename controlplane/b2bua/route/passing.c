/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/route/passing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/route/number.h"
#include "controlplane/b2bua/route/reason.h"
#include "controlplane/b2bua/route/redirect.h"
#include "controlplane/sip/transport.h"

/* An IPv6 address stands in brackets. */
static void put_host(char *out, size_t cap, const char *host)
{
	bool v6 = strchr(host, ':') != NULL;

	snprintf(out, cap, "%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "");
}

/* diverted: the INVITE of this call, on its way to another target; else NULL. */
static void begin(struct passage *p, const struct config_trunk *from, const struct config_trunk *to,
	const struct sip_listener *l, const char *peer, const struct sip_msg *m, const struct call *diverted)
{
	str_copy(p->own_host, sizeof p->own_host, sip_listener_host(l));
	put_host(p->peer_host, sizeof p->peer_host, peer);
	p->ends = (struct identity_ends){&from->headers, &to->headers, str_z(p->own_host),
		str_z(p->peer_host), diverted && redirect_is_private(diverted->redirection)};
	p->to = to;
	p->cause = m;
	p->done = (struct identity_done){0};
	p->set.n = 0;
	p->set.full = false;
}

/* What the set begins with, through the rules of both and the identities between them. */
static void pass(struct passage *p, const struct config_trunk *from, const struct call *diverted)
{
	header_set_rules(&p->set, &from->headers, false);
	identity_apply(&p->set, &p->ends, p->set.request && p->cause ? &p->cause->from : NULL, &p->done);
	if (diverted)
		redirect_tell(&p->set, &p->ends, p->done.privacy, diverted->redirection,
			str_z(call_z(diverted->to)));
	header_set_rules(&p->set, &p->to->headers, true);
}

static void make(struct passage *p, const struct config_trunk *from, const struct config_trunk *to,
	const struct sip_listener *l, const char *peer, const struct sip_msg *m, const struct call *diverted)
{
	begin(p, from, to, l, peer, m, diverted);
	if (!m)
		return;
	header_set_from(&p->set, m);
	pass(p, from, diverted);
}

static void make_referrer(struct passage *p, const struct config_trunk *from, const struct config_trunk *to,
	const struct sip_listener *l, const char *peer, struct str value, const struct call *diverted)
{
	begin(p, from, to, l, peer, NULL, diverted);
	header_set_empty(&p->set, true);
	header_set_add(&p->set, SIP_H_REFERRED_BY, sip_hdr_name(SIP_H_REFERRED_BY), value);
	if (p->set.n)
		p->set.lines[0].passes = false; /* unless something below says otherwise */
	pass(p, from, diverted);
}

void passage_make(struct passage *p, const struct config_trunk *from, const struct config_trunk *to,
	const struct sip_listener *l, const char *peer, const struct sip_msg *m)
{
	make(p, from, to, l, peer, m, NULL);
}

void passage_referrer(struct passage *p, const struct config_trunk *from, const struct config_trunk *to,
	const struct sip_listener *l, const char *peer, struct str value)
{
	make_referrer(p, from, to, l, peer, value, NULL);
}

/* The host of the request's own URI, with the brackets that stand around it. */
static struct str asked_host(const struct passage *p)
{
	const struct sip_uri *u = p->cause ? &p->cause->uri : NULL;

	if (!u || !u->host.n)
		return p->ends.peer_host;
	return u->host_v6 ? (struct str){u->host.p - 1, u->host.n + 2} : u->host;
}

void passage_uri(const struct passage *p, const struct config_peer *peer, struct str number, struct wbuf *w)
{
	const struct config_host_part *part = &p->to->headers.request_uri;

	wbuf_z(w, p->sips ? "sips:" : "sip:");
	number_write(&p->to->headers.numbers, number, w);
	wbuf_z(w, "@");
	wbuf_str(w, identity_host(&p->ends, part, asked_host(p)));
	if (part->kind != CONFIG_HOST_PEER)
		return;
	if (peer->has_port ||
		peer->ip.family != IP_NONE) /* else SRV records say it, for who comes after, too */
		wbuf_fmt(w, ":%u", peer->port);
	wbuf_fmt(w, ";transport=%s", config_transport_name(peer->transport));
}

void passage_to(const struct passage *p, struct str number, struct wbuf *w)
{
	wbuf_z(w, p->sips ? "<sips:" : "<sip:");
	number_write(&p->to->headers.numbers, number, w);
	wbuf_z(w, "@");
	wbuf_str(w, identity_host(&p->ends, &p->to->headers.to, asked_host(p)));
	wbuf_z(w, ">");
}

void passage_of_invite(struct passage *p, struct leg *out)
{
	char ip[IP_TEXT_MAX];
	struct leg *in = leg_twin(out);
	const char *peer = out->peer ? out->peer->host : ip_text(&out->flow.remote.ip, ip);
	const struct sip_msg *m = in->stx ? sip_stx_request(in->stx) : NULL;
	const struct call *diverted = out->call->redirection && !out->dialog ? out->call : NULL;

	if (out->call->referrer && out->call->initial && out->side == DP_SIDE_B)
		make_referrer(p, out->call->referrer, out->trunk, out->flow.listener, peer,
			str_z(out->call->referred_by), diverted);
	else
		make(p, in->trunk, out->trunk, out->flow.listener, peer, m, diverted);
	p->sips = out->call->sips;
}

void passage_count(struct b2bua *b, const struct passage *p)
{
	b->counters.identities_dropped += p->done.dropped;
	b->counters.identities_hidden += p->done.hidden;
}

/* The exchange's cause (RFC 6432). That of SIP is the status, and ours to say. */
static void put_cause(struct sip_builder *b, const struct sip_msg *m, bool with_text)
{
	char text[CALL_REASON_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);

	reason_copy(&w, m, STR("SIP"), with_text);
	if (w.len && !w.overflow)
		sip_build_hdr(b, SIP_H_REASON, wbuf_view(&w));
}

void passing_keep(struct leg *in, const struct config_trunk *from, const struct sip_msg *m)
{
	struct call *c = in->call;
	char buf[2 * HEADER_SET_TEXT], ip[IP_TEXT_MAX];
	struct sip_builder b = {.w = wbuf_make(buf, sizeof buf)};
	struct passage p;

	passing_forget(c);
	passage_make(&p, from, in->trunk, in->flow.listener, ip_text(&in->flow.remote.ip, ip), m);
	header_set_build(&p.set, &b);
	passage_count(c->b, &p);
	if (m->status < 200 || m->status >= 300)
		put_cause(&b, m, in->trunk->realm->trusted);
	/* A response without them is better than none. */
	if (b.w.len && !b.w.overflow)
		c->passed = strndup(buf, b.w.len);
}

void passing_build(struct call *c, struct sip_builder *b)
{
	if (c->passed)
		wbuf_z(&b->w, c->passed);
	passing_forget(c);
}

void passing_forget(struct call *c)
{
	free(c->passed);
	c->passed = NULL;
}

bool passing_cannot(const struct config_trunk *from, const struct sip_msg *m)
{
	struct header_set s;

	if (!sip_msg_hdr(m, SIP_H_PRIVACY))
		return false;
	header_set_from(&s, m);
	header_set_rules(&s, &from->headers, false);
	return identity_cannot(identity_privacy(&s));
}

bool passing_early_media(const struct leg *out, const struct sip_msg *m)
{
	const struct config_headers *h = &out->trunk->headers;

	if (h->early_media != CONFIG_EARLY_MEDIA_AUTHORIZED)
		return h->early_media == CONFIG_EARLY_MEDIA_RELAY;
	return h->identity_trusted && (sip_msg_has_token(m, SIP_H_P_EARLY_MEDIA, STR("sendrecv")) ||
					      sip_msg_has_token(m, SIP_H_P_EARLY_MEDIA, STR("sendonly")));
}

void passing_party(const struct config_trunk *from, const struct sip_uri *uri, char out[CALL_PARTY_MAX])
{
	struct wbuf w = wbuf_make(out, CALL_PARTY_MAX - 1);

	number_read(&from->headers.numbers, sip_uri_party(uri), &w);
	if (w.overflow)
		str_copy(out, CALL_PARTY_MAX, str_sub(uri->user, 0, CALL_PARTY_MAX - 1));
	else
		out[w.len] = '\0';
}
