/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/dialog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a dialog keeps for good, before it has memory of its own. */
struct identity {
	struct str call_id, local_tag, remote_tag, local_uri, remote_uri;
};

static struct str keep(char **at, struct str s)
{
	struct str copy = {*at, s.n};

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static int set_identity(struct sip_dialog *d, const struct identity *id)
{
	char *at = malloc(
		id->call_id.n + id->local_tag.n + id->remote_tag.n + id->local_uri.n + id->remote_uri.n + 1);

	if (!at)
		return -ENOMEM;
	d->text = at;
	d->call_id = keep(&at, id->call_id);
	d->local_tag = keep(&at, id->local_tag);
	d->remote_tag = keep(&at, id->remote_tag);
	d->local_uri = keep(&at, id->local_uri);
	d->remote_uri = keep(&at, id->remote_uri);
	return 0;
}

static int set_target(struct sip_dialog *d, struct str uri)
{
	char *at = malloc(uri.n ? uri.n : 1);

	if (!at)
		return -ENOMEM;
	free(d->target_text);
	d->target_text = at;
	d->remote_target = keep(&at, uri);
	return 0;
}

static int set_routes(struct sip_dialog *d, const struct str *routes, unsigned count)
{
	size_t n = count * sizeof *routes;
	struct str *kept = NULL;

	for (unsigned i = 0; i < count; i++)
		n += routes[i].n;
	if (count) {
		kept = malloc(n);
		if (!kept)
			return -ENOMEM;
		char *at = (char *)(kept + count);

		for (unsigned i = 0; i < count; i++)
			kept[i] = keep(&at, routes[i]);
	}
	free((void *)d->routes);
	d->routes = kept;
	d->route_count = count;
	return 0;
}

/* RFC 3261 section 12.1: a UAS takes Record-Route in order, a UAC in reverse. -EINVAL: a value that is no
 * route. */
static int routes_from(struct sip_dialog *d, const struct sip_msg *m, bool reverse)
{
	struct sip_values it = sip_values(m, SIP_H_RECORD_ROUTE);
	struct str routes[SIP_ROUTES_MAX], value;
	struct sip_addr addr;
	unsigned count = 0;

	while (sip_values_next(&it, &value)) {
		if (count == SIP_ROUTES_MAX)
			return -E2BIG;
		if (sip_addr_parse(value, &addr) < 0 || addr.star)
			return -EINVAL;
		routes[count++] = value;
	}
	for (unsigned i = 0; reverse && i < count / 2; i++) {
		struct str swap = routes[i];

		routes[i] = routes[count - 1 - i];
		routes[count - 1 - i] = swap;
	}
	return set_routes(d, routes, count);
}

int sip_dialog_refresh(struct sip_dialog *d, const struct sip_msg *m)
{
	struct sip_values it = sip_values(m, SIP_H_CONTACT);
	struct sip_addr addr;
	struct str value;

	if (!sip_values_next(&it, &value))
		return 0;
	if (sip_addr_parse(value, &addr) < 0 || addr.star || addr.uri.scheme == SIP_SCHEME_TEL)
		return -EINVAL;
	return set_target(d, sip_uri_target(&addr.uri));
}

/* The first target: this time there must be one. */
static int first_target(struct sip_dialog *d, const struct sip_msg *m)
{
	if (!sip_msg_value(m, SIP_H_CONTACT).n)
		return -EINVAL;
	return sip_dialog_refresh(d, m);
}

/* `"Name" <uri>` without parameters, in buf. */
static struct str party(struct wbuf *w, const struct sip_addr *a)
{
	size_t from = w->len;

	wbuf_str(w, a->display);
	wbuf_z(w, a->display.n ? " <" : "<");
	wbuf_str(w, a->uri.text);
	wbuf_z(w, ">");
	return (struct str){w->p + from, w->len - from};
}

/*
 * It wants answers to where they were asked (RFC 3581), is not where its Via says, and its Contact says the
 * same; and no proxy records its route: what it calls itself is of the other side of a NAT.
 */
static bool comes_through_nat(const struct sip_dialog *d, const struct sip_msg *request)
{
	struct ip_addr via, contact;
	struct sip_uri target;

	return d->flow.transport == SIP_UDP && request->via.rport && !d->route_count &&
	       ip_parse(request->via.host, &via) == 0 && !ip_equal(&via, &d->flow.remote.ip) &&
	       sip_uri_parse(d->remote_target, &target) == 0 && ip_parse(target.host, &contact) == 0 &&
	       ip_equal(&contact, &via);
}

int sip_dialog_new_uas(const struct sip_msg *request, struct str local_tag, const struct sip_flow *flow,
	struct sip_dialog **out)
{
	char buf[2 * SIP_LINE_MAX + 16];
	struct wbuf w = wbuf_make(buf, sizeof buf);
	struct sip_dialog *d;
	int rc;

	d = calloc(1, sizeof *d);
	if (!d)
		return -ENOMEM;
	struct identity id = {request->call_id, local_tag, request->from_tag, party(&w, &request->to),
		party(&w, &request->from)};

	d->flow = *flow;
	if (sip_flow_keep(&d->flow) < 0) {
		free(d);
		return -ENOMEM;
	}
	d->secure = request->uri.scheme == SIP_SCHEME_SIPS && sip_transport_secure(flow->transport);
	d->remote_seq = request->cseq;
	d->has_remote_seq = true;
	if (w.overflow)
		rc = -E2BIG;
	else if ((rc = set_identity(d, &id)) == 0 && (rc = first_target(d, request)) == 0)
		rc = routes_from(d, request, false);
	if (rc < 0) {
		sip_dialog_free(d);
		return rc;
	}
	d->behind_nat = comes_through_nat(d, request);
	*out = d;
	return 0;
}

/* Those of an answer. owed: its sender is to hear of us whatever they are. */
static int take_routes(struct sip_dialog *d, const struct sip_msg *response, bool owed)
{
	int rc = routes_from(d, response, true);

	d->no_way = owed && (rc == -EINVAL || rc == -E2BIG);
	return d->no_way ? 0 : rc;
}

int sip_dialog_new_uac(const struct sip_dialog_start *start, const struct sip_msg *response,
	const struct sip_flow *flow, struct sip_dialog **out)
{
	struct identity id = {
		start->call_id, start->local_tag, response->to_tag, start->local_uri, start->remote_uri};
	struct sip_dialog *d;
	int rc;

	/* RFC 3261 section 12.1.2: a tag that is missing is a null one. Before the answer it makes no dialog: nothing is owed. */
	if (response->status <= 100 || response->status >= 300 || (!response->to_tag.n && response->status < 200))
		return -EINVAL;
	d = calloc(1, sizeof *d);
	if (!d)
		return -ENOMEM;
	d->uac = true;
	d->flow = *flow;
	if (sip_flow_keep(&d->flow) < 0) {
		free(d);
		return -ENOMEM;
	}
	d->secure = start->secure;
	d->local_seq = d->invite_seq = start->cseq;
	if (response->status >= 200)
		d->state = SIP_DIALOG_CONFIRMED;
	rc = set_identity(d, &id);
	if (rc == 0)
		rc = first_target(d, response);
	bool owed = (response->status >= 200 || sip_msg_hdr(response, SIP_H_RSEQ)) && start->fallback.n;
	/*
	 * Whoever answers is owed an ACK, and a BYE one day (RFC 3261 section 13.2.2.4); who rings reliably
	 * is owed a PRACK, or gives the call up (RFC 3262 section 3).
	 */
	if (rc == -EINVAL && owed)
		rc = set_target(d, start->fallback);
	if (rc == 0)
		rc = take_routes(d, response, owed);
	if (rc < 0)
		sip_dialog_free(d);
	else
		*out = d;
	return rc;
}

/* Where it came from: for who answers without a Contact. */
static struct str origin(struct wbuf *w, const struct sip_flow *flow)
{
	char at[IP_PORT_TEXT_MAX];
	size_t from = w->len;

	wbuf_fmt(w, "sip:%s;transport=%.*s", ip_port_text(&flow->remote, at),
		STR_ARG(sip_transport_name(flow->transport)));
	return (struct str){w->p + from, w->len - from};
}

int sip_dialog_of_answer(const struct sip_msg *response, const struct sip_flow *flow, struct sip_dialog **out)
{
	char buf[2 * SIP_LINE_MAX + 16 + IP_PORT_TEXT_MAX + 32];
	struct wbuf w = wbuf_make(buf, sizeof buf);
	struct sip_dialog_start start = {
		.call_id = response->call_id,
		.local_tag = response->from_tag,
		.local_uri = party(&w, &response->from),
		.remote_uri = party(&w, &response->to),
		.cseq = response->cseq,
		.secure = response->to.uri.scheme == SIP_SCHEME_SIPS,
		.fallback = origin(&w, flow),
	};

	return w.overflow ? -E2BIG : sip_dialog_new_uac(&start, response, flow, out);
}

int sip_dialog_restore(const struct sip_dialog *saved, struct sip_dialog **out)
{
	struct sip_dialog *d = malloc(sizeof *d);
	struct identity id = {
		saved->call_id, saved->local_tag, saved->remote_tag, saved->local_uri, saved->remote_uri};
	int rc;

	if (!d)
		return -ENOMEM;
	*d = *saved;
	if (sip_flow_keep(&d->flow) < 0) {
		free(d);
		return -ENOMEM;
	}
	d->text = d->target_text = NULL;
	d->routes = NULL;
	d->route_count = 0;
	d->next = NULL;
	d->listed = false;
	d->user = NULL;
	d->flow.conn = 0;
	if ((rc = set_identity(d, &id)) == 0 && (rc = set_target(d, saved->remote_target)) == 0)
		rc = saved->route_count > SIP_ROUTES_MAX ? -E2BIG
							 : set_routes(d, saved->routes, saved->route_count);
	if (rc < 0)
		sip_dialog_free(d);
	else
		*out = d;
	return rc;
}

void sip_dialog_free(struct sip_dialog *d)
{
	if (!d)
		return;
	sip_flow_drop(&d->flow);
	free(d->text);
	free((void *)d->routes);
	free(d->target_text);
	free(d);
}

int sip_dialog_response(struct sip_dialog *d, const struct sip_msg *response)
{
	bool confirms = d->state == SIP_DIALOG_EARLY && response->status >= 200 && response->status < 300;
	int rc = 0;

	/* RFC 3261 section 13.2.2.4: the 2xx sets the route set anew, once. */
	if (confirms) {
		d->state = SIP_DIALOG_CONFIRMED;
		if (d->uac)
			rc = take_routes(d, response, d->no_way);
	}
	if (rc != -ENOMEM)
		rc = sip_dialog_refresh(d, response);
	return rc == -ENOMEM ? rc : 0;
}

void sip_dialog_confirm(struct sip_dialog *d)
{
	if (d->state == SIP_DIALOG_EARLY)
		d->state = SIP_DIALOG_CONFIRMED;
}

unsigned sip_dialog_request(struct sip_dialog *d, const struct sip_msg *request)
{
	if (request->method == SIP_ACK || request->method == SIP_CANCEL)
		return 0;
	/* A retransmission never gets here: an equal number is another request that reuses it. */
	if (d->has_remote_seq && request->cseq <= d->remote_seq)
		return 500;
	d->remote_seq = request->cseq;
	d->has_remote_seq = true;
	return 0;
}

/* A route that asks for RFC 3261's way of routing; one without ;lr is an RFC 2543 strict router. */
static bool is_loose(struct str route, struct sip_addr *addr)
{
	struct str value;

	return sip_addr_parse(route, addr) == 0 && sip_param(addr->uri.params, STR("lr"), &value);
}

uint32_t sip_dialog_next_seq(struct sip_dialog *d, enum sip_method method)
{
	if (method == SIP_ACK)
		return d->invite_seq;
	d->local_seq++;
	if (method == SIP_INVITE)
		d->invite_seq = d->local_seq;
	return d->local_seq;
}

void sip_dialog_build(
	struct sip_dialog *d, struct sip_builder *b, void *buf, size_t cap, enum sip_method method)
{
	struct sip_addr first = {0};
	bool strict = d->route_count && !is_loose(d->routes[0], &first);

	sip_build_request(b, buf, cap, sip_method_name(method), strict ? sip_uri_target(&first.uri) : d->remote_target);
	sip_build_hdr_u32(b, SIP_H_MAX_FORWARDS, d->max_forwards ? d->max_forwards : 70);
	d->max_forwards = 0;
	for (unsigned i = strict; i < d->route_count; i++)
		sip_build_hdr(b, SIP_H_ROUTE, d->routes[i]);
	/* RFC 3261 section 12.2.1.1: a strict router finds the target at the end. */
	if (strict) {
		wbuf_z(&b->w, "Route: <");
		wbuf_str(&b->w, d->remote_target);
		wbuf_z(&b->w, ">\r\n");
	}
	sip_build_addr(b, SIP_H_FROM, d->local_uri, d->local_tag);
	sip_build_addr(b, SIP_H_TO, d->remote_uri, d->remote_tag);
	sip_build_hdr(b, SIP_H_CALL_ID, d->call_id);
	sip_build_cseq(b, sip_dialog_next_seq(d, method), sip_method_name(method));
}

int sip_dialog_next_hop(const struct sip_dialog *d, struct sip_uri *out)
{
	struct sip_addr addr;

	if (!d->route_count)
		return sip_uri_parse(d->remote_target, out) < 0 ? -EINVAL : 0;
	if (sip_addr_parse(d->routes[0], &addr) < 0)
		return -EINVAL;
	*out = addr.uri;
	return 0;
}
