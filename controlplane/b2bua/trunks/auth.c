/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digest authentication of trunks. Towards them: challenges to requests of a leg are answered with the
 * trunk's user name and password, and once asked, the leg's later requests carry credentials from the start.
 * From them: a request of no dialog is challenged where the trunk's configuration says so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/trunks/auth.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define LINES_MAX 4096

/*
 * What a leg's peer asked for; it outlives the leg while requests of it are on the way. Or what was asked of
 * one request that is of no leg.
 */
struct leg_auth {
	unsigned refs;   /* the leg, and each transaction */
	struct leg *leg; /* NULL: it is gone, or there never was one */
	struct b2bua_generation *generation;
	const struct config_trunk *trunk;
	struct digest_client client;
	char *invite; /* credentials of its last INVITE: those of the ACK */
};

static void auth_unref(struct leg_auth *a)
{
	if (--a->refs)
		return;
	digest_client_free(&a->client);
	generation_unref(a->generation);
	free(a->invite);
	free(a);
}

static struct digest_account account_of(const struct leg_auth *a)
{
	return (struct digest_account){
		.username = a->trunk->auth.username,
		.password = a->generation->passwords[a->trunk->index].ours,
	};
}

static void keep_invite(struct leg_auth *a, struct str lines)
{
	free(a->invite);
	a->invite = str_dup(lines);
}

/* The number after the last that was used where the request belongs. */
static void next_seq(struct leg_auth *a, const struct sip_msg *request, uint32_t *cseq)
{
	struct leg *l = a->leg;

	if (!l)
		return;
	/* The dialog's tag may be a null one. */
	if (l->dialog && str_eq(l->dialog->remote_tag, request->to_tag)) {
		*cseq = sip_dialog_next_seq(l->dialog, request->method);
	} else if (!request->to_tag.n && request->method == SIP_INVITE) {
		*cseq = ++l->invite_cseq;
		checkpoint_touch(l->call); /* it is another transaction from now on */
	}
}

static void note_refused(const struct leg_auth *a, const struct sip_msg *response, int why)
{
	struct b2bua *b = a->generation->trunks[a->trunk->index]->b;

	b->counters.auth_refused++;
	log_warn("call",
		why == -EACCES ? "the trunk refuses our user name and password: correct auth/username or the "
				 "password file"
			       : "the trunk asks for credentials of a kind that is not known here",
		LZ("trunk", a->trunk->name), LU("status", response->status),
		LS("sip_call_id", response->call_id));
}

static bool challenged(void *user, const struct sip_challenged *c, struct wbuf *lines, uint32_t *cseq)
{
	struct leg_auth *a = user;
	struct digest_account account;
	int rc = digest_client_challenged(&a->client, c->response, c->tries > 0);

	if (rc == 0) {
		account = account_of(a);
		rc = digest_client_answer(
			&a->client, &account, c->request->method_name, c->request->uri.text, lines);
		secret_wipe(&account.password);
	}
	if (rc < 0) {
		note_refused(a, c->response, rc);
		return false;
	}
	if (c->request->method == SIP_INVITE)
		keep_invite(a, wbuf_view(lines));
	next_seq(a, c->request, cseq);
	return true;
}

static void released(void *user)
{
	auth_unref(user);
}

static const struct sip_answerer answerer = {.challenged = challenged, .gone = released};

/* NULL: the trunk has no user name of ours, or there is no memory. */
static struct leg_auth *auth_new(struct b2bua_generation *g, const struct config_trunk *t, struct leg *l)
{
	struct leg_auth *a = t->auth.username && g ? calloc(1, sizeof *a) : NULL;

	if (!a)
		return NULL;
	a->refs = 1;
	a->leg = l;
	a->generation = generation_ref(g);
	a->trunk = t;
	return a;
}

static struct leg_auth *auth_of(struct leg *l)
{

	if (l->auth && l->auth->trunk != l->trunk)
		auth_forget(l); /* the call goes on at another one */
	if (!l->auth)
		l->auth = auth_new(l->call->generation, l->trunk, l);
	return l->auth;
}

void auth_follow(struct leg *l, struct sip_ctx *ctx)
{
	struct leg_auth *a = auth_of(l);

	if (!a)
		return;
	a->refs++;
	sip_ctx_set_answerer(ctx, &answerer, a);
}

void auth_follow_alone(struct b2bua_generation *g, const struct config_trunk *t, struct sip_ctx *ctx)
{
	struct leg_auth *a = auth_new(g, t, NULL);

	if (a)
		sip_ctx_set_answerer(ctx, &answerer, a);
}

void auth_put(struct leg *l, struct sip_builder *r)
{
	char text[LINES_MAX];
	struct wbuf lines = wbuf_make(text, sizeof text);
	struct str line = str_sub(sip_built(r), 0, r->line_end), method = str_cut(&line, ' ');
	struct digest_account account;

	if (!l->auth || l->auth->trunk != l->trunk)
		return;
	account = account_of(l->auth);
	if (r->method == SIP_ACK && l->auth->invite)
		wbuf_z(&lines, l->auth->invite); /* RFC 3261 section 13.2.2.4 */
	else if (r->method != SIP_ACK)
		digest_client_answer(&l->auth->client, &account, method, str_cut(&line, ' '), &lines);
	secret_wipe(&account.password);
	if (lines.overflow)
		return;
	if (r->method == SIP_INVITE)
		keep_invite(l->auth, wbuf_view(&lines));
	wbuf_str(&r->w, wbuf_view(&lines));
}

void auth_forget(struct leg *l)
{
	if (!l->auth)
		return;
	l->auth->leg = NULL;
	auth_unref(l->auth);
	l->auth = NULL;
}

/* ---- those who call us ---- */

struct str auth_username(const struct sip_msg *m)
{
	struct digest_credentials c;

	for (uint8_t i = m->first[SIP_H_AUTHORIZATION]; i != SIP_HDR_NONE; i = m->hdrs[i].next)
		if (digest_credentials_parse(m->hdrs[i].value, &c) == 0)
			return c.username;
	return STR("");
}

static const enum digest_algorithm algorithms[CONFIG_DIGESTS] = {
	[CONFIG_DIGEST_MD5] = DIGEST_MD5,
	[CONFIG_DIGEST_SHA_256] = DIGEST_SHA_256,
	[CONFIG_DIGEST_SHA_512_256] = DIGEST_SHA_512_256,
};

enum digest_algorithm auth_algorithm(enum config_digest d)
{
	return algorithms[d];
}

static uint64_t now_ms(void)
{
	return clock_mono_ns() / NS_PER_MS;
}

enum digest_verdict auth_check(struct b2bua *b, const struct sip_msg *m, const struct digest_credentials *c,
	const struct digest_wanted *wanted)
{
	return digest_server_check(b->digest, c, m->method_name, wanted, now_ms());
}

static void challenge(struct b2bua *b, struct sip_stx *stx, const struct auth_question *q, bool stale)
{
	char buf[CALL_HEAD_MAX], value[1024], tag[SIP_TOKEN_TEXT];
	struct sip_builder r;

	sip_build_response(&r, buf, sizeof buf, sip_stx_request(stx), 401, NULL, sip_token_make(tag));
	for (uint32_t i = 0; i < q->n_algorithms; i++) {
		struct wbuf w = wbuf_make(value, sizeof value);

		digest_server_challenge(
			b->digest, str_z(q->realm), algorithms[q->algorithms[i]], stale, now_ms(), &w);
		sip_build_hdr(&r, SIP_H_WWW_AUTHENTICATE, wbuf_view(&w));
	}
	if (sip_build_end(&r, STR(""), STR("")) < 0 || sip_stx_respond(stx, &r) < 0)
		sip_stx_reply(stx, 500, NULL, str_z(tag));
}

enum auth_result auth_refuse(struct b2bua *b, struct sip_stx *stx, const struct auth_question *q,
	enum digest_verdict verdict, bool any)
{
	if (any && verdict == DIGEST_WRONG)
		return AUTH_WRONG;
	/* Who has shown nothing yet, or what is used up, is asked: only who knows the password can answer. */
	b->counters.auth_challenged++;
	b->counters.auth_replayed += verdict == DIGEST_REPLAYED;
	challenge(b, stx, q, any);
	return AUTH_CHALLENGED;
}

/* The verdict on the best of the request's credentials; WRONG when it has none. */
static enum digest_verdict check(
	struct b2bua *b, const struct config_trunk *t, const struct sip_msg *m, bool *any)
{
	const struct config_peer_auth *p = &t->peer_auth;
	struct digest_wanted wanted = {
		.username = str_z(p->username),
		.realm = str_z(p->realm),
		.password = &b->now->passwords[t->index].theirs,
		.lifetime_ms = p->nonce_lifetime_s * 1000,
	};
	enum digest_verdict verdict = DIGEST_WRONG;

	*any = false;
	for (uint32_t i = 0; i < p->n_algorithms; i++)
		wanted.algorithms |= 1u << algorithms[p->algorithms[i]];
	for (uint8_t i = m->first[SIP_H_AUTHORIZATION]; i != SIP_HDR_NONE; i = m->hdrs[i].next) {
		struct digest_credentials c;

		if (digest_credentials_parse(m->hdrs[i].value, &c) < 0 || !str_eq(c.realm, wanted.realm))
			continue;
		*any = true;
		verdict = auth_check(b, m, &c, &wanted);
		if (verdict != DIGEST_WRONG)
			break;
	}
	return verdict;
}

enum auth_result auth_admit(
	struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct config_trunk *t)
{
	const struct config_peer_auth *p = &t->peer_auth;
	const struct config_user *user;
	enum digest_verdict verdict;
	bool any;

	if (t->registrar.realm)
		return user_admit(b, stx, m, t, &user);
	if (!p->username) {
		sip_net_admit(b->net, sip_stx_flow(stx));
		return AUTH_ADMITTED;
	}
	verdict = check(b, t, m, &any);
	if (verdict == DIGEST_RIGHT) {
		sip_net_know(b->net, sip_stx_flow(stx));
		return AUTH_ADMITTED;
	}
	return auth_refuse(
		b, stx, &(struct auth_question){p->realm, p->algorithms, p->n_algorithms}, verdict, any);
}
