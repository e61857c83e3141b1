/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/bye.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "lib/base/log.h"

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* To an account. The call is over: what it takes to send it once more is here. */
struct bye {
	TAILQ_ENTRY(bye) entry; /* in b2bua.byes */
	struct b2bua *b;
	struct sip_ctx *ctx; /* on its way; NULL: it waits */
	uint64_t conn;       /* that it went by last; 0: UDP */
	struct timer end;
	bool waited;
	uint64_t device;
	char call[CALL_ID_TEXT];
	/* In one block with it. */
	char *trunk, *user, *target, *text;
	size_t n;
	bool secure; /* its dialog is over an encrypted hop: so is this */
};

static void bye_free(struct bye *y)
{
	if (y->ctx)
		sip_ctx_detach(y->ctx);
	timer_cancel(y->b->wheel, &y->end);
	TAILQ_REMOVE(&y->b->byes, y, entry);
	y->b->n_byes--;
	free(y);
}

static void given_up(struct timer *t)
{
	struct bye *y = owner_of(t, struct bye, end);

	if (y->waited) {
		y->b->counters.byes_given_up++;
		log_info("call", "a BYE was not delivered: the user did not register again in time", LZ("call", y->call),
			LZ("user", y->user), LZ("trunk", y->trunk));
	}
	bye_free(y);
}

static void waits(struct bye *y, const char *why)
{
	if (y->waited)
		return;
	y->waited = true;
	y->b->counters.byes_kept++;
	log_info("call", "a BYE waits until the user registers again", LZ("call", y->call), LZ("user", y->user),
		LZ("trunk", y->trunk), LU("seconds", BYE_WAIT_MS / 1000), LZ("reason", why));
}

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct bye *y = user;

	(void)ctx;
	(void)from;
	if (m->status < 200)
		return;
	if (y->waited) {
		y->b->counters.byes_delivered++;
		log_info("call", "a BYE that waited was delivered", LZ("call", y->call), LZ("user", y->user),
			LZ("trunk", y->trunk), LU("status", m->status));
	}
	bye_free(y);
}

static void failed(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	struct bye *y = user;

	sip_ctx_detach(ctx);
	y->ctx = NULL;
	if (error == SIP_TX_TIMEOUT)
		given_up(&y->end);
	else
		waits(y, reason);
}

static const struct sip_ctx_ops ops = {.response = response, .failed = failed};

/* Sends it by the flow. False: it could not be sent. */
static bool go(struct bye *y, const struct sip_builder *request, const struct sip_flow *flow)
{
	if (sip_ctx_send(y->b->txl, request, flow, &ops, y, &y->ctx) < 0) {
		y->ctx = NULL;
		return false;
	}
	y->conn = sip_ctx_flow(y->ctx)->conn;
	return true;
}

static char *put(char **at, struct str s)
{
	char *p = *at;

	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	*at += s.n + 1;
	return p;
}

/* NULL: there are too many, no memory, or it is of no account. */
static struct bye *keep(struct leg *l, struct sip_dialog *d, struct str text)
{
	const struct config_user *u = users_party(d);
	struct b2bua *b = l->call->b;
	struct bye *y;
	char *at;

	if (!u || b->closing || b->n_byes >= BYES_MAX)
		return NULL;
	y = calloc(1, sizeof *y + strlen(u->trunk->name) + strlen(u->name) + d->remote_target.n + text.n + 4);
	if (!y)
		return NULL;
	at = (char *)(y + 1);
	y->b = b;
	y->trunk = put(&at, str_z(u->trunk->name));
	y->user = put(&at, str_z(u->name));
	y->target = put(&at, d->remote_target);
	y->text = put(&at, text);
	y->n = text.n;
	y->device = l->device;
	y->secure = sip_transport_secure(d->flow.transport);
	memcpy(y->call, l->call->id, sizeof y->call);
	TAILQ_INSERT_TAIL(&b->byes, y, entry);
	b->n_byes++;
	timer_set(b->wheel, &y->end, BYE_WAIT_MS, given_up);
	return y;
}

void bye_send(struct leg *l, struct sip_dialog *d, const struct sip_builder *request)
{
	struct b2bua *b = l->call->b;
	struct sip_flow flow = invite_dialog_flow(b, d);
	struct bye *y = keep(l, d, sip_built(request));
	struct sip_ctx *ctx;

	/* Nothing that could come back changes what becomes of the call. */
	if (y && !go(y, request, &flow)) {
		waits(y, "its connection is gone");
	} else if (y) {
		auth_follow(l, y->ctx);
	} else if (sip_ctx_send(b->txl, request, &flow, NULL, NULL, &ctx) == 0) {
		auth_follow(l, ctx);
	}
}

static bool is_for(const struct bye *y, const struct user_binding *u)
{
	if ((y->ctx && y->conn == u->flow.conn) || strcmp(y->user, u->user) != 0 || strcmp(y->trunk, u->trunk) != 0)
		return false;
	return users_place(u, y->secure, y->device, str_z(y->target));
}

/* The request as it was built. */
static struct sip_builder again(const struct bye *y)
{
	const char *end = memchr(y->text, '\n', y->n);
	struct sip_builder r = {.w = wbuf_make(y->text, y->n), .method = SIP_BYE};

	r.w.len = y->n;
	r.line_end = end ? (size_t)(end + 1 - y->text) : y->n;
	return r;
}

void bye_registered(const struct user_binding *u)
{
	struct bye *y, *next;

	for (y = TAILQ_FIRST(&u->b->byes); y; y = next) {
		struct sip_builder r;

		next = TAILQ_NEXT(y, entry);
		if (!is_for(y, u))
			continue;
		/* By the connection that was left behind nothing comes back, although it looks open. */
		if (y->ctx)
			sip_ctx_detach(y->ctx);
		y->ctx = NULL;
		waits(y, "the user came back by another connection");
		r = again(y);
		if (go(y, &r, &u->flow))
			log_info("call", "a BYE goes to where the user has registered again", LZ("call", y->call),
				LZ("user", y->user), LZ("trunk", y->trunk));
	}
}

void bye_forget(struct b2bua *b)
{
	while (!TAILQ_EMPTY(&b->byes))
		bye_free(TAILQ_FIRST(&b->byes));
}
