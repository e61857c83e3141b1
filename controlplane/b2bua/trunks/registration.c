/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/trunks/registration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/trunks/registration_way.h"
#include "lib/base/log.h"

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define RETRY_FIRST_S 5
#define RETRY_MAX_S 300
/* Whatever more is granted or demanded: a week is long enough to go without a word, and fits the timers. */
#define EXPIRES_MAX (7u * 86400)
#define URI_MAX 600
#define ROUTES_MAX 1024
#define LINES_MAX 4096

struct registration {
	TAILQ_ENTRY(registration) entry; /* in b2bua.registrations, until it ends */
	struct b2bua *b;
	unsigned refs; /* the list, and its transaction */
	struct b2bua_generation *generation;
	const struct config_trunk *trunk; /* of generation */
	char user[SIP_TOKEN_TEXT];        /* of our Contact: by it the trunk's calls are known */
	char call_id[SIP_TOKEN_TEXT], tag[SIP_TOKEN_TEXT];
	uint32_t cseq;
	struct registration_way way;
	struct sip_ctx *ctx; /* NULL: nothing is under way */
	struct digest_client client;
	struct timer timer; /* the next REGISTER */
	struct timer end;   /* runs while it is registered */
	enum registration_state state;
	bool ending;
	uint32_t ask_s, expires_s, retry_s;
	uint64_t failures;
	char why[CALL_REASON_MAX];
	char routes[ROUTES_MAX];
};

static const char *const state_names[] = {
	[REGISTRATION_TRYING] = "trying",
	[REGISTRATION_REGISTERED] = "registered",
	[REGISTRATION_FAILED] = "failed",
};

const char *registration_state_name(enum registration_state s)
{
	return state_names[s];
}

static void release(struct registration *r)
{
	if (--r->refs)
		return;
	digest_client_free(&r->client);
	generation_unref(r->generation);
	free(r);
}

static void tell(struct registration *r, enum registration_state state, const char *why)
{
	struct notice n;

	if (why)
		snprintf(r->why, sizeof r->why, "%s", why);
	if (r->state == state || r->ending)
		return;
	r->state = state;
	if (state == REGISTRATION_REGISTERED)
		log_info("trunk", "registered", LZ("trunk", r->trunk->name), LU("expires", r->expires_s));
	else
		log_warn("trunk", "not registered: its calls do not come to us", LZ("trunk", r->trunk->name),
			LZ("reason", r->why));
	n = notify_begin(r->b->notify, "trunk-registration-change");
	state_text(&n.tree, n.node, "trunk", r->trunk->name);
	state_text(&n.tree, n.node, "registration-state", state_names[state]);
	state_text(&n.tree, n.node, "reason", state == REGISTRATION_FAILED ? r->why : NULL);
	notify_end(r->b->notify, &n);
}

static void send_now(struct registration *r);

static void due(struct timer *t)
{
	send_now(owner_of(t, struct registration, timer));
}

static void expired(struct timer *t)
{
	struct registration *r = owner_of(t, struct registration, end);

	tell(r, REGISTRATION_FAILED, r->why[0] ? NULL : "it expired");
}

/* Nothing could be asked, or what was asked failed (turned_down()). */
static void fail(struct registration *r, uint32_t retry_s, const char *why)
{
	if (r->ending)
		return;
	r->failures++;
	r->b->counters.registration_failed++;
	r->retry_s = !r->retry_s                    ? RETRY_FIRST_S
		     : r->retry_s < RETRY_MAX_S / 2 ? r->retry_s * 2
						    : RETRY_MAX_S;
	if (retry_s < r->retry_s)
		retry_s = r->retry_s;
	/* Until it expires the registrar still sends us the calls. */
	if (timer_running(&r->end)) {
		snprintf(r->why, sizeof r->why, "%s", why);
		log_warn("trunk", "a registration was not refreshed", LZ("trunk", r->trunk->name),
			LZ("reason", why), LU("retry_s", retry_s));
	} else {
		tell(r, REGISTRATION_FAILED, why);
	}
	timer_set(r->b->wheel, &r->timer, retry_s * 1000, due);
}

static void turned_down(struct registration *r, uint32_t retry_s, const char *why)
{
	if (r->ending)
		return;
	registration_refused(&r->way, r->generation, r->trunk);
	fail(r, retry_s, why);
}

/* False: no number. One that no 32 bits have is the greatest that they have. */
static bool seconds_of(struct str text, uint32_t *out)
{
	uint64_t seconds;
	int rc = str_to_u64(text, UINT32_MAX, &seconds);

	*out = rc == 0 ? (uint32_t)seconds : UINT32_MAX;
	return rc == 0 || rc == -ERANGE;
}

/* What it says of our Contact, or of all. */
static uint32_t granted(const struct registration *r, const struct sip_msg *m)
{
	struct sip_values it = sip_values(m, SIP_H_CONTACT);
	struct sip_addr a;
	struct str value;
	uint32_t seconds;

	while (sip_values_next(&it, &value)) {
		if (sip_addr_parse(value, &a) < 0 || a.star || !str_eq(a.uri.user, str_z(r->user)))
			continue;
		if (sip_param(a.params, STR("expires"), &value) &&
			seconds_of(value, &seconds))
			return seconds;
	}
	if (seconds_of(sip_msg_value(m, SIP_H_EXPIRES), &seconds))
		return seconds;
	return r->ask_s;
}

static void keep_routes(struct registration *r, const struct sip_msg *m)
{
	struct sip_values it = sip_values(m, SIP_H_SERVICE_ROUTE);
	struct wbuf w = wbuf_make(r->routes, sizeof r->routes - 1);
	struct str value;
	struct sip_addr a;

	while (sip_values_next(&it, &value))
		if (sip_addr_parse(value, &a) == 0 && !a.star) {
			wbuf_z(&w, w.len ? ", " : "");
			wbuf_str(&w, value);
		}
	r->routes[w.overflow ? 0 : w.len] = '\0';
}

/* Again when three quarters of the time are over: the rest is for what goes wrong. */
static void registered(struct registration *r, const struct sip_msg *m)
{
	uint32_t seconds = granted(r, m);

	if (r->ending)
		return;
	if (!seconds) {
		turned_down(r, 0, "the registrar granted no usable time");
		return;
	}
	if (seconds > EXPIRES_MAX)
		seconds = EXPIRES_MAX;
	r->expires_s = seconds;
	r->retry_s = 0;
	registration_granted(&r->way, r->generation, r->trunk);
	r->why[0] = '\0';
	keep_routes(r, m);
	timer_set(r->b->wheel, &r->end, seconds * 1000, expired);
	timer_set(r->b->wheel, &r->timer, seconds * 750, due);
	tell(r, REGISTRATION_REGISTERED, NULL);
}

/* RFC 3261 sections 10.2.8 and 21.4.17: it wants fewer refreshes. Where that cannot be, its next answer
 * will hardly be another: it is asked seldom. */
static void ask_for_more(struct registration *r, const struct sip_msg *m)
{
	char why[CALL_REASON_MAX] = "the registrar answered 423 and not what it demands (Min-Expires)";
	uint32_t seconds;
	bool said = seconds_of(sip_msg_value(m, SIP_H_MIN_EXPIRES), &seconds);

	if (r->ending)
		return;
	if (said && seconds > r->ask_s && seconds <= EXPIRES_MAX) {
		log_info("trunk", "the registrar demands longer registrations, and gets them",
			LZ("trunk", r->trunk->name), LU("asked", r->ask_s), LU("min_expires", seconds));
		r->ask_s = seconds;
		timer_set(r->b->wheel, &r->timer, 0, due);
		return;
	}
	if (said && seconds > EXPIRES_MAX)
		snprintf(why, sizeof why, "the registrar demands registrations of %s%u s at least; %u s is the most",
			seconds == UINT32_MAX ? "more than " : "", seconds, EXPIRES_MAX);
	else if (said)
		snprintf(why, sizeof why, "the registrar answered 423 to %u s, and demands no more than %u s",
			r->ask_s, seconds);
	turned_down(r, RETRY_MAX_S, why);
}

static void let_go(struct registration *r)
{
	sip_ctx_detach(r->ctx);
	r->ctx = NULL;
}

static void response(void *user, struct sip_ctx *ctx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct registration *r = user;
	char why[CALL_REASON_MAX];

	(void)ctx, (void)from;
	if (m->status < 200)
		return;
	let_go(r);
	if (m->status < 300) {
		registered(r, m);
	} else if (m->status == 423) {
		ask_for_more(r, m);
	} else {
		bool credentials = m->status == 401 || m->status == 403 || m->status == 407;

		snprintf(why, sizeof why, "the registrar answered %u %.*s", m->status,
			STR_ARG(str_sub(m->reason, 0, 100)));
		turned_down(r,
			credentials ? RETRY_MAX_S : registration_heed(&r->way, r->generation, r->trunk, m),
			why);
	}
}

static void failed(void *user, struct sip_ctx *ctx, enum sip_tx_error error, const char *reason)
{
	struct registration *r = user;
	char why[CALL_REASON_MAX];

	(void)ctx, (void)error;
	r->ctx = NULL;
	snprintf(why, sizeof why, "the registrar: %s", reason);
	turned_down(r, 0, why);
}

static const struct sip_ctx_ops ops = {.response = response, .failed = failed};

static int answer(struct registration *r, struct str method, struct str uri, struct wbuf *lines)
{
	struct digest_account account = {
		.username = r->trunk->auth.username,
		.password = r->generation->passwords[r->trunk->index].ours,
	};
	int rc = digest_client_answer(&r->client, &account, method, uri, lines);

	secret_wipe(&account.password);
	return rc;
}

static bool challenged(void *user, const struct sip_challenged *c, struct wbuf *lines, uint32_t *cseq)
{
	struct registration *r = user;

	*cseq = ++r->cseq;
	return r->trunk->auth.username &&
	       digest_client_challenged(&r->client, c->response, c->tries > 0) == 0 &&
	       answer(r, c->request->method_name, c->request->uri.text, lines) == 0;
}

static void gone(void *user)
{
	release(user);
}

static const struct sip_answerer answerer = {.challenged = challenged, .gone = gone};

/* RFC 3261 section 10.2: the Request-URI is the domain, without a user. */
static struct str registrar_uri(const struct config_trunk *t, char uri[URI_MAX])
{
	const char *host = t->registration.registrar;
	struct wbuf w = wbuf_make(uri, URI_MAX);
	struct sip_uri aor;

	if (host && strchr(host, ':'))
		wbuf_fmt(&w, "sip:[%s]", host);
	else if (host)
		wbuf_fmt(&w, "sip:%s", host);
	else if (sip_uri_parse(str_z(t->registration.aor), &aor) == 0)
		wbuf_fmt(&w, aor.host_v6 ? "sip:[%.*s]" : "sip:%.*s", STR_ARG(aor.host));
	return wbuf_view(&w);
}

static int send_register(struct registration *r, uint32_t expires_s, struct err *e)
{
	char buf[CALL_HEAD_MAX], uri_text[URI_MAX], address[URI_MAX], text[LINES_MAX];
	struct wbuf lines = wbuf_make(text, sizeof text);
	struct str uri = registrar_uri(r->trunk, uri_text), sent_by;
	struct sip_builder m;
	struct sip_flow flow;
	int err = registration_aim(&r->way, r->generation, r->trunk, expires_s == 0, &flow, e);

	if (err < 0)
		return err;
	registration_asked(&r->way, &flow);
	sent_by = sip_listener_sent_by(flow.listener);
	snprintf(address, sizeof address, "<%s>", r->trunk->registration.aor);
	sip_build_request(&m, buf, sizeof buf, STR("REGISTER"), uri);
	sip_build_hdr_u32(&m, SIP_H_MAX_FORWARDS, 70);
	sip_build_addr(&m, SIP_H_FROM, str_z(address), str_z(r->tag));
	sip_build_addr(&m, SIP_H_TO, str_z(address), STR(""));
	sip_build_hdr(&m, SIP_H_CALL_ID, str_z(r->call_id));
	sip_build_cseq(&m, ++r->cseq, STR("REGISTER"));
	sip_build_hdr_fmt(&m, SIP_H_CONTACT, "<sip:%s@%.*s;transport=%s>", r->user, STR_ARG(sent_by),
		config_transport_name(r->trunk->peers[0].transport));
	sip_build_hdr_u32(&m, SIP_H_EXPIRES, expires_s);
	sip_build_hdr(&m, SIP_H_SUPPORTED, STR("path"));
	if (r->trunk->auth.username && answer(r, STR("REGISTER"), uri, &lines) == 0)
		wbuf_str(&m.w, wbuf_view(&lines));
	err = sip_build_end(&m, STR(""), STR(""));
	if (!err)
		err = sip_ctx_send(r->b->txl, &m, &flow, &ops, r, &r->ctx);
	if (err < 0) {
		registration_refused(&r->way, r->generation, r->trunk);
		return err_set(e, err, "the registrar: %s", strerror(-err));
	}
	r->refs++;
	sip_ctx_set_answerer(r->ctx, &answerer, r);
	return 0;
}

static void send_now(struct registration *r)
{
	struct err e = {0};

	if (r->ctx)
		return; /* its end sets the timer */
	if (send_register(r, r->ask_s, &e) < 0)
		fail(r, 0, e.text);
}

/* Off the list; the registrar is told where it knows of us. */
static void end(struct registration *r, bool say)
{
	struct err e = {0};

	timer_cancel(r->b->wheel, &r->timer);
	TAILQ_REMOVE(&r->b->registrations, r, entry);
	r->ending = true;
	if (r->ctx)
		let_go(r);
	if (say && timer_running(&r->end) && send_register(r, 0, &e) == 0)
		let_go(r);
	timer_cancel(r->b->wheel, &r->end);
	release(r);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Is what it registers, and where, what the trunk's new configuration says? */
static bool goes_on(const struct registration *r, const struct config_trunk *t)
{
	const struct config_registration *a = &r->trunk->registration, *b = &t->registration;
	const struct config_peer *p = r->trunk->peers, *q = t->peers;

	return b->aor && t->admin != CONFIG_ADMIN_DOWN && same_text(a->aor, b->aor) &&
	       same_text(a->registrar, b->registrar) && a->expires_s == b->expires_s && t->n_peers &&
	       same_text(p->host, q->host) && p->port == q->port && p->transport == q->transport &&
	       same_text(r->trunk->auth.username, t->auth.username) &&
	       same_text(r->trunk->realm->name, t->realm->name);
}

static struct registration *find(const struct b2bua *b, const char *trunk)
{
	struct registration *r;

	TAILQ_FOREACH (r, &b->registrations, entry)
		if (strcmp(r->trunk->name, trunk) == 0)
			return r;
	return NULL;
}

static void move(struct registration *r, const struct config_trunk *t)
{
	struct b2bua_generation *before = r->generation;

	r->generation = generation_ref(r->b->now);
	r->trunk = t;
	generation_unref(before);
	/* A password may be another one now. */
	if (r->state == REGISTRATION_FAILED && !r->ctx)
		timer_set(r->b->wheel, &r->timer, 0, due);
}

static void begin(struct b2bua *b, const struct config_trunk *t)
{
	struct registration *r = calloc(1, sizeof *r);

	if (!r) {
		log_error("trunk", "no memory to register", LZ("trunk", t->name));
		return;
	}
	r->b = b;
	r->refs = 1;
	r->generation = generation_ref(b->now);
	r->trunk = t;
	r->ask_s = t->registration.expires_s;
	sip_token_make(r->user);
	sip_token_make(r->call_id);
	sip_token_make(r->tag);
	TAILQ_INSERT_TAIL(&b->registrations, r, entry);
	timer_set(b->wheel, &r->timer, 0, due); /* from the loop */
}

void registration_commit(struct b2bua *b)
{
	const struct config *c = b->now->config;
	struct registration *r, *next;

	for (r = TAILQ_FIRST(&b->registrations); r; r = next) {
		const struct config_trunk *t = config_trunk_named(c, r->trunk->name);

		next = TAILQ_NEXT(r, entry);
		if (t && goes_on(r, t))
			move(r, t);
		else
			end(r, true);
	}
	for (uint32_t i = 0; i < c->n_trunks; i++)
		if (c->trunks[i].registration.aor && c->trunks[i].admin != CONFIG_ADMIN_DOWN &&
			!find(b, c->trunks[i].name))
			begin(b, &c->trunks[i]);
}

void registration_shutdown(struct b2bua *b)
{
	while (!TAILQ_EMPTY(&b->registrations))
		end(TAILQ_FIRST(&b->registrations), true);
}

void registration_forget(struct b2bua *b)
{
	while (!TAILQ_EMPTY(&b->registrations))
		end(TAILQ_FIRST(&b->registrations), false);
}

bool registration_look(const struct b2bua *b, const char *trunk, struct registration_info *out)
{
	const struct registration *r = find(b, trunk);

	if (!r)
		return false;
	*out = (struct registration_info){
		.state = r->state,
		.expires_s = r->expires_s,
		.left_s = timer_left_ms(b->wheel, &r->end) / 1000,
		.failures = r->failures,
		.why = r->why[0] ? r->why : NULL,
	};
	return true;
}

const struct config_trunk *registration_of(
	const struct b2bua *b, const struct sip_msg *m, const struct sip_flow *from)
{
	const struct registration *r;

	TAILQ_FOREACH (r, &b->registrations, entry)
		if (registration_came_by(&r->way, from) && str_eq(m->uri.user, str_z(r->user)))
			return config_trunk_named(b->now->config, r->trunk->name);
	return NULL;
}

const struct config_trunk *registration_at(const struct b2bua *b, const struct sip_flow *from)
{
	const struct registration *r;

	TAILQ_FOREACH (r, &b->registrations, entry)
		if (registration_came_from(&r->way, from))
			return config_trunk_named(b->now->config, r->trunk->name);
	return NULL;
}

void registration_routes(const struct b2bua *b, const char *trunk, struct sip_builder *m)
{
	const struct registration *r = find(b, trunk);

	if (r && r->routes[0] && timer_running(&r->end))
		sip_build_hdr(m, SIP_H_ROUTE, str_z(r->routes));
}
