/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INFO and MESSAGE: requests that mean nothing to the gateway and pass from one side to the other, in a call
 * (RFC 6086, application/dtmf-relay and the like) or, a MESSAGE (RFC 3428), by route without one: at the next
 * peer when one cannot be reached or answers 503, or what its trunk takes for one. A relay is two
 * transactions and lives until both are gone, whatever becomes of the call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/message.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/route/passing.h"
#include "controlplane/b2bua/route/refusal.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#define UDP_MESSAGE_MAX 1300 /* octets of a MESSAGE over UDP, RFC 3428 section 8 */
#define VIA_ROOM 150         /* of them that the Via will take */

struct relay {
	struct b2bua *b;
	struct b2bua_generation *generation; /* a reference */
	const struct config_trunk *from, *to;
	struct sip_stx *stx; /* NULL: gone */
	struct sip_ctx *ctx;
	struct route_hunt *hunt;  /* NULL in a call; owned */
	char tag[SIP_TOKEN_TEXT]; /* of our answer to a request without a dialog */
	bool over;                /* who asked was answered, or will not be */
};

static bool next_target(struct relay *r);

static void note_over(struct relay *r)
{
	r->b->n_relays -= !r->over;
	r->over = true;
}

static void let_go(struct relay *r)
{
	if (r->stx || r->ctx)
		return;
	generation_unref(r->generation);
	route_hunt_free(&r->hunt);
	free(r);
}

static void stx_gone(void *user, struct sip_stx *stx)
{
	struct relay *r = user;

	(void)stx;
	note_over(r);
	r->stx = NULL;
	let_go(r);
}

static const struct sip_stx_ops stx_ops = {.gone = stx_gone};

static struct relay *relay_new(struct b2bua *b, struct b2bua_generation *g, const struct config_trunk *from,
	const struct config_trunk *to, struct sip_stx *stx)
{
	struct relay *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	*r = (struct relay){.b = b, .generation = generation_ref(g), .from = from, .to = to, .stx = stx};
	b->n_relays++;
	sip_token_make(r->tag);
	sip_stx_set_user(stx, &stx_ops, r);
	return r;
}

static void note_refusal(struct b2bua *b, const struct sip_msg *m, const struct config_trunk *t,
	unsigned status, const char *why)
{
	b->counters.messages_refused++;
	log_info("call", "a request was not passed on", LS("method", m->method_name), LU("status", status),
		LZ("reason", why), LZ("trunk", t ? t->name : "none"), LS("sip_call_id", m->call_id));
}

static void refuse(struct b2bua *b, struct sip_stx *stx, const struct config_trunk *t, unsigned status,
	const char *why, struct str tag)
{
	note_refusal(b, sip_stx_request(stx), t, status, why);
	reply_refuse(stx, status, NULL, why, tag);
}

/* The other side cannot be asked. */
static void refuse_for(struct b2bua *b, struct sip_stx *stx, const struct config_trunk *t, unsigned status,
	const char *why, struct str tag)
{
	note_refusal(b, sip_stx_request(stx), t, status, why);
	reply_refuse_for(stx, status, why, tag);
}

/* What describes the body goes with it. */
static void copy_body_headers(struct sip_builder *b, const struct sip_msg *m)
{
	static const enum sip_hdr_id ids[] = {SIP_H_CONTENT_DISPOSITION, SIP_H_CONTENT_ENCODING,
		SIP_H_CONTENT_LANGUAGE, SIP_H_MIME_VERSION, SIP_H_INFO_PACKAGE};

	for (unsigned i = 0; i < sizeof ids / sizeof *ids; i++)
		sip_build_copy(b, m, ids[i]);
}

/* Why a body may not pass; NULL: it may. A session description would show the side that it comes from. */
static const char *body_refused(struct b2bua *b, const struct sip_msg *m, unsigned *status)
{
	*status = 513;
	if (m->body.n > b->now->config->limits.max_message_octets)
		return "the body is larger than limits/max-message-octets";
	*status = 415;
	if (message_describes(m))
		return "a session description does not pass in this request";
	return NULL;
}

/* A final response of a party of the trunk's is the answer. */
static void pass_response(struct relay *r, const struct config_trunk *from, const struct sip_msg *m)
{
	const struct sip_flow *flow = sip_stx_flow(r->stx);
	unsigned status = reply_status(m->status);
	char buf[CALL_MESSAGE_MAX], ip[IP_TEXT_MAX], phrase[CALL_PHRASE_MAX];
	struct sip_builder b;
	struct passage p;
	bool describes = message_describes(m);

	note_over(r);
	str_copy(phrase, sizeof phrase, str_sub(m->reason, 0, sizeof phrase - 1));
	passage_make(&p, from, r->from, flow->listener, ip_text(&flow->remote.ip, ip), m);
	sip_build_response(&b, buf, sizeof buf, sip_stx_request(r->stx), status,
		status == m->status ? phrase : NULL, str_z(r->tag));
	header_set_build(&p.set, &b);
	passage_count(r->b, &p);
	if (status == m->status)
		sip_build_copy(&b, m, SIP_H_RETRY_AFTER);
	if (!describes)
		copy_body_headers(&b, m);
	if (sip_build_end(&b, m->content_type, describes ? STR("") : m->body) < 0 ||
		sip_stx_respond(r->stx, &b) < 0)
		sip_stx_reply(r->stx, status, NULL, str_z(r->tag));
	mem_wipe(buf, sizeof buf);
}

/* What became of it at this target is known. True: another one has it now. */
static bool elsewhere(struct relay *r, const struct refusal *f, bool too_late)
{
	const struct route_target *at = r->hunt ? &r->hunt->tried[r->hunt->n_tried - 1] : NULL;
	char said[32];

	if (!at)
		return false;
	route_note_failure(r->generation, at, f);
	if (!r->stx || too_late || r->b->closing)
		return false;
	snprintf(said, sizeof said, "it answered %u", f->m ? f->m->status : 0);
	log_info("call", "a request is tried at the next peer", LZ("method", "MESSAGE"),
		LZ("trunk", at->trunk->name), LZ("peer", route_target_name(at)),
		LZ("reason", f->m ? said : f->reason), LS("sip_call_id", sip_stx_request(r->stx)->call_id));
	refusal_keep(&r->hunt->best, f);
	return next_target(r);
}

/* Of all that were asked. */
static const struct refusal *best_with(const struct relay *r, const struct refusal *now)
{
	return refusal_best(r->hunt ? r->hunt->best : NULL, now);
}

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct relay *r = user;
	const struct refusal now = {.trunk = r->to, .m = m}, *best = &now;

	(void)from;
	if (m->status < 200)
		return;
	if (route_hunts(r->to, m->status) && elsewhere(r, &now, false)) {
		sip_ctx_detach(ctx);
		return;
	}
	if (m->status >= 300)
		best = best_with(r, &now);
	if (r->stx)
		pass_response(r, best->m ? best->trunk : now.trunk, best->m ? best->m : m);
}

static void failed(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	struct relay *r = user;
	const struct refusal now = {.trunk = r->to, .reason = reason, .status = 503}, *best;

	/* RFC 4320 section 4.2: a 408 that is late does more harm than none. */
	if (elsewhere(r, &now, error == SIP_TX_TIMEOUT)) {
		sip_ctx_detach(ctx);
		return;
	}
	if (!r->stx || error == SIP_TX_TIMEOUT) {
		note_over(r);
		return;
	}
	best = best_with(r, &now);
	if (best->m) {
		pass_response(r, best->trunk, best->m);
		return;
	}
	note_over(r);
	refuse_for(r->b, r->stx, r->to, 503,
		r->from->realm->trusted ? reason : "the other side could not be reached", str_z(r->tag));
}

static void ctx_gone(void *user, struct sip_ctx *ctx)
{
	struct relay *r = user;

	(void)ctx;
	r->ctx = NULL;
	let_go(r);
}

static const struct sip_ctx_ops ctx_ops = {.response = response, .failed = failed, .gone = ctx_gone};

/* The headers and the body behind the request's own; then it is sent. 0 or a negative errno value. */
static int send_on(struct relay *r, struct sip_builder *b, const struct sip_flow *flow,
	const struct passage *p, struct leg *out)
{
	const struct sip_msg *m = p->cause;
	int err;

	header_set_build(&p->set, b);
	passage_count(r->b, p);
	copy_body_headers(b, m);
	if (out)
		auth_put(out, b);
	err = sip_build_end(b, m->content_type, m->body);
	if (!err && m->method == SIP_MESSAGE && flow->transport == SIP_UDP &&
		b->w.len + VIA_ROOM > UDP_MESSAGE_MAX)
		err = -EMSGSIZE;
	if (!err)
		err = sip_ctx_send(r->b->txl, b, flow, &ctx_ops, r, &r->ctx);
	if (!err && out)
		auth_follow(out, r->ctx);
	else if (!err)
		auth_follow_alone(r->generation, r->to, r->ctx);
	return err;
}

static void answer_unsent(struct relay *r, int err)
{
	if (err < 0)
		note_over(r);
	if (err == -EMSGSIZE)
		refuse(r->b, r->stx, r->from, 513, "it is too large for the way to the other side",
			str_z(r->tag));
	else if (err < 0)
		refuse_for(r->b, r->stx, r->to, 503, "the other side could not be reached", str_z(r->tag));
	else
		r->b->counters.messages_passed++;
}

void relay_in_call(struct leg *in, struct sip_stx *stx, const struct sip_msg *m)
{
	struct leg *out = leg_twin(in);
	struct b2bua *b = in->call->b;
	struct str tag = str_z(in->local_tag);
	char buf[CALL_MESSAGE_MAX], ip[IP_TEXT_MAX];
	struct sip_builder request;
	struct sip_flow flow;
	struct relay *r;
	struct passage p;
	unsigned status;
	const char *why = body_refused(b, m, &status);

	if (sip_msg_hdr(m, SIP_H_REQUIRE) && reply_unsupported(stx, m, tag))
		return;
	if (why) {
		refuse(b, stx, in->trunk, status, why, tag);
		return;
	}
	if (in->call->state == CALL_ENDING || !out->dialog) {
		refuse(b, stx, in->trunk, 481, "the other side of the call is not there", tag);
		return;
	}
	if (b->leaving == LEAVING_NOW) {
		refuse(b, stx, in->trunk, 500, b2bua_ends(b), tag);
		return;
	}
	r = relay_new(b, in->call->generation, in->trunk, out->trunk, stx);
	if (!r) {
		refuse(b, stx, in->trunk, 500, "no memory", tag);
		return;
	}
	flow = invite_dialog_flow(b, out->dialog);
	passage_make(&p, in->trunk, out->trunk, flow.listener,
		out->peer ? out->peer->host : ip_text(&flow.remote.ip, ip), m);
	out->dialog->max_forwards = m->max_forwards - 1u;
	sip_dialog_build(out->dialog, &request, buf, sizeof buf, m->method);
	if (m->method == SIP_INFO)
		reply_contact(&request, out);
	answer_unsent(r, send_on(r, &request, &flow, &p, out));
	mem_wipe(buf, sizeof buf);
}

/* A MESSAGE of its own to this target. */
static int send_message(struct relay *r, const struct route_target *to, const struct sip_msg *m)
{
	char buf[CALL_MESSAGE_MAX], called[CALL_PARTY_MAX], caller[CALL_PARTY_MAX];
	char uris[3][CALL_URI_MAX], ip[IP_TEXT_MAX], tag[SIP_TOKEN_TEXT], call_id[LOOP_CALL_ID_TEXT];
	struct wbuf uri = wbuf_make(uris[0], CALL_URI_MAX), receiver = wbuf_make(uris[1], CALL_URI_MAX),
		    from = wbuf_make(uris[2], CALL_URI_MAX);
	struct sip_builder b;
	struct sip_flow flow;
	struct passage p;
	int err;

	(void)route_flow(r->b, r->generation, to, &flow); /* it is there: the target was found with it */
	passing_party(r->from, &m->uri, called);
	passing_party(r->from, &m->from.uri, caller);
	passage_make(&p, r->from, r->to, flow.listener, to->peer ? to->peer->host : ip_text(&to->remote.ip, ip), m);
	p.sips = r->hunt->sips;
	if (to->peer)
		passage_uri(&p, to->peer, str_z(called), &uri);
	else
		wbuf_z(&uri, users_binding(r->b, to->binding)->contact);
	passage_to(&p, str_z(called), &receiver);
	identity_from(&p.ends, p.done.privacy, str_z(caller), &m->from, &from);
	loop_call_id(&r->b->loop_key, str_z(called), call_id);
	sip_build_request(&b, buf, sizeof buf, STR("MESSAGE"), wbuf_view(&uri));
	b.w.overflow |= uri.overflow || receiver.overflow || from.overflow;
	sip_build_hdr_u32(&b, SIP_H_MAX_FORWARDS, m->max_forwards - 1u);
	sip_build_addr(&b, SIP_H_FROM, wbuf_view(&from), sip_token_make(tag));
	sip_build_addr(&b, SIP_H_TO, wbuf_view(&receiver), STR(""));
	sip_build_hdr(&b, SIP_H_CALL_ID, str_z(call_id));
	sip_build_cseq(&b, 1, STR("MESSAGE"));
	sip_build_copy(&b, m, SIP_H_EXPIRES);
	err = send_on(r, &b, &flow, &p, NULL);
	mem_wipe(buf, sizeof buf);
	return err;
}

/* One after the other, until it is sent. */
static bool next_target(struct relay *r)
{
	const struct sip_msg *m = sip_stx_request(r->stx);
	const struct route_target *to;
	const struct config_trunk *was = r->to;
	struct err why = {0};
	int err;

	while (route_next(r->b, r->generation, r->hunt, &to, &why) == ROUTE_FOUND) {
		r->b->counters.failovers++;
		r->to = to->trunk;
		err = send_message(r, to, m);
		if (err == 0)
			return true;
		if (err != -EMSGSIZE)
			route_note_failure(r->generation, to,
				&(struct refusal){.trunk = to->trunk, .reason = strerror(-err)});
	}
	r->to = was; /* whose answer passes */
	return false;
}

/* To the first target, or those behind it. */
static void send_first(struct relay *r, const struct route_target *to, const struct sip_msg *m)
{
	int err = send_message(r, to, m);
	const struct refusal now = {.trunk = to->trunk, .reason = strerror(-err), .status = 503};

	if (err < 0 && err != -EMSGSIZE && elsewhere(r, &now, false))
		err = 0;
	answer_unsent(r, err);
}

/* A check that the request does not pass: the status, with why. 0: it passes. */
static unsigned message_refused(struct b2bua *b, const struct config_trunk *t, const struct sip_msg *m,
	const struct sip_flow *from, struct str called, const char **why)
{
	unsigned status;

	if ((b->closing || b->leaving == LEAVING_NOW) && (*why = b2bua_ends(b)))
		return 503;
	if ((*why = trunk_closed(b, t)))
		return 503;
	if (!b->now->config->limits.max_message_octets && (*why = "MESSAGE is not passed on here"))
		return 405;
	if (m->has_max_forwards && m->max_forwards == 0 && (*why = "Max-Forwards is used up"))
		return 483;
	if (m->uri.scheme == SIP_SCHEME_OTHER && (*why = "only sip, sips and tel URIs are known here"))
		return 416;
	if (m->uri.scheme == SIP_SCHEME_SIPS && !sip_transport_secure(from->transport) &&
		(*why = "a sips: URI is written to over TLS only, and this came without"))
		return 480;
	if (!m->uri.user.n && (*why = "the Request-URI names nobody"))
		return 484;
	if (!m->from_tag.n && (*why = "From has no tag"))
		return 400;
	if (loop_is_ours(&b->loop_key, m->call_id, called) &&
		(*why = "a message of this gateway came back to it"))
		return 482;
	if (passing_cannot(t, m) && (*why = "Privacy insists (critical) on what is not known here"))
		return 500;
	return (*why = body_refused(b, m, &status)) ? status : 0;
}

void relay_message(struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from)
{
	const struct config_trunk *t = ingress_identify(b, m, from);
	const struct route_target *to = NULL;
	struct route_hunt hunt = {.message = true, .sips = m->uri.scheme == SIP_SCHEME_SIPS};
	struct err nowhere = {0};
	char tag[SIP_TOKEN_TEXT], called[CALL_PARTY_MAX];
	enum auth_result result;
	enum route_result found;
	struct relay *r;
	unsigned status;
	const char *why;

	sip_token_make(tag);
	if (!t) {
		refuse(b, stx, NULL, 403, "no trunk is configured for this source", str_z(tag));
		return;
	}
	if ((result = auth_admit(b, stx, m, t)) != AUTH_ADMITTED) {
		if (result == AUTH_WRONG)
			refuse(b, stx, t, 403, "the user name or password is wrong", str_z(tag));
		return;
	}
	if (sip_msg_hdr(m, SIP_H_REQUIRE) && reply_unsupported(stx, m, str_z(tag)))
		return;
	passing_party(t, &m->uri, called);
	str_copy(hunt.called, sizeof hunt.called, str_z(called));
	status = message_refused(b, t, m, from, str_z(called), &why);
	if (!status && !(hunt.route = config_find_route(b->now->config, t, m->uri.host, str_z(called)))) {
		status = 404;
		why = "no route leads to this number";
	}
	if (status) {
		refuse(b, stx, t, status, why, str_z(tag));
		return;
	}
	if ((found = route_next(b, b->now, &hunt, &to, &nowhere)) != ROUTE_FOUND) {
		refuse_for(b, stx, t, route_status(found),
			t->realm->trusted ? nowhere.text : "the called side could not be reached",
			str_z(tag));
		return;
	}
	r = relay_new(b, b->now, t, to->trunk, stx);
	if (r && (r->hunt = malloc(sizeof hunt)) != NULL) {
		*r->hunt = hunt;
		send_first(r, &r->hunt->tried[0], m);
	} else {
		if (r)
			note_over(r);
		refuse(b, stx, t, 500, "no memory", str_z(tag));
	}
}
