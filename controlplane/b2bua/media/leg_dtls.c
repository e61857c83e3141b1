/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DTLS-SRTP on a leg: one association for each transport, from the answer that says who begins until the call ends.
 * What comes before is held. Keys that come go the way that all keys go (legs_program), and nothing is sent or
 * accepted without.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/media/legs.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/dtls/hello.h"
#include "controlplane/keys/dtls_srtp.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define IDENTITY_MS (24 * 3600 * UINT64_C(1000)) /* that a certificate of our making serves new calls */
#define HELD_MAX 4 /* datagrams before an answer: a ClientHello in two, and once more */

struct held {
	struct ip_port from;
	uint64_t sender; /* as in struct dp_punt */
	uint16_t n;
	uint8_t octets[DP_PUNT_MAX];
};

/* One transport's. */
struct line {
	struct leg *leg;
	struct dtls_bond *bond;       /* that channel is for; a reference */
	struct dtls_channel *channel; /* NULL: none yet */
	struct ip_port peer; /* as channel knows it. With ICE a name only: the data plane knows the way */
	struct held *held;            /* HELD_MAX; NULL: nothing came early */
	unsigned n_held;              /* that came; the newest HELD_MAX are there */
	bool parted;                  /* the peer has ended channel's association */
	struct timer parting;         /* since then */
};

struct leg_dtls {
	struct dtls_terms terms;
	struct line lines[SDP_MEDIA_MAX];
	bool told_role; /* see tell_role_kept */
	char refused[160]; /* why a handshake was, if none was finished; "": none */
};

/* The certificate for a new call: a new one every day, so that none is of use for long. */
static struct dtls_identity *identity_now(struct b2bua *b, struct err *e)
{
	struct dtls_identity *fresh;
	uint64_t now = clock_wall_ms();

	if (b->identity && now - b->identity_ms < IDENTITY_MS)
		return b->identity;
	if (dtls_identity_make(&fresh, e) < 0)
		return b->identity;
	dtls_identity_unref(b->identity);
	b->identity = fresh;
	b->identity_ms = now;
	return fresh;
}

static struct dtls_identity *configured(const struct leg *l)
{
	uint32_t i = l->trunk->dtls->index;

	return i == UINT32_MAX ? NULL : l->call->generation->identities[i];
}

int leg_dtls_open(struct leg *l, struct keying_policy *keying, struct err *e)
{
	static const enum dtls_setup setups[] = {
		[CONFIG_SETUP_PASSIVE] = DTLS_SETUP_PASSIVE,
		[CONFIG_SETUP_ACTIVE] = DTLS_SETUP_ACTIVE,
		[CONFIG_SETUP_ACTPASS] = DTLS_SETUP_ACTPASS,
	};
	static const enum dtls_hash hashes[] = {
		[CONFIG_SHA_256] = DTLS_SHA256,
		[CONFIG_SHA_384] = DTLS_SHA384,
		[CONFIG_SHA_512] = DTLS_SHA512,
	};
	const struct config_dtls_policy *p = l->trunk->dtls;
	struct dtls_identity *id = p ? configured(l) : NULL;
	struct leg_dtls *d;

	if (!p)
		return 0;
	if (!l->call->b->dtls)
		return err_set(e, ENOSYS, "there are no workers for DTLS handshakes");
	d = calloc(1, sizeof *d);
	if (!d)
		return err_set(e, ENOMEM, "out of memory");
	d->terms = (struct dtls_terms){
		.configured = id != NULL, .hash = hashes[p->hash], .setup = setups[p->setup]};
	if (!id)
		id = identity_now(l->call->b, e);
	if (!id) {
		free(d);
		return -EIO;
	}
	d->terms.identity = dtls_identity_ref(id);
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		d->lines[i].leg = l;
	leg_dtls_close(l);
	l->dtls = d;
	keying->dtls = &d->terms;
	return 0;
}

static void line_close(struct line *n)
{
	dtls_channel_close(n->channel);
	dtls_bond_unref(n->bond);
	n->channel = NULL;
	n->bond = NULL;
	n->parted = false;
	timer_cancel(n->leg->call->b->wheel, &n->parting);
}

void leg_dtls_close(struct leg *l)
{
	if (!l->dtls)
		return;
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
		line_close(&l->dtls->lines[i]);
		free(l->dtls->lines[i].held);
	}
	dtls_identity_unref(l->dtls->terms.identity);
	free(l->dtls);
	l->dtls = NULL;
}

static unsigned number_of(const struct line *n)
{
	return (unsigned)(n - n->leg->dtls->lines);
}

static void send_out(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	const struct line *line = arg;
	const struct leg *l = line->leg;
	union dp_msg m;

	if (n > DP_PUNT_MAX)
		return;
	dp_msg_init(&m, DP_PUNT_TX, 0);
	m.punt.session = l->call->media.session;
	m.punt.leg = (uint8_t)(2 * number_of(line) + l->side);
	m.punt.n = (uint32_t)n;
	m.punt.remote = *to;
	memcpy(m.punt.octets, octets, n);
	/* What is lost here is sent again like what is lost on the way. */
	dp_client_send(l->call->b->client, &m, NULL, NULL);
}

/* The keys from before go on, as far as the trunk's policy lets them. */
static void not_renewed(struct line *n, const struct dtls_result *r)
{
	struct leg *l = n->leg;
	struct call *c = l->call;
	char why[200];

	log_warn("dtls", "no new media keys: the handshake failed", LZ("call", c->id), LZ("trunk", l->trunk->name),
		LZ("failure", dtls_failure_name(r->failure)), LZ("reason", r->reason));
	snprintf(why, sizeof why, "DTLS %s", dtls_failure_name(r->failure));
	dtls_channel_close(n->channel);
	n->channel = NULL;
	n->bond->failed = true;
	oa_keys_failed(&l->oa, number_of(n), n->bond);
	c->waiting++;
	legs_program(c);
	rekey_failed(l, why, r->failure == DTLS_FAIL_FINGERPRINT);
	call_unwait(c);
}

static void failed(struct line *n, const struct dtls_result *r)
{
	struct leg *l = n->leg;
	struct call *c = l->call;

	c->b->handshakes.failed[r->failure]++;
	notice_dtls_failed(c->b, l, r);
	/* With keys in force a renewal failed: they are the authenticated peer's, whoever came now. */
	if (oa_tx_now(&l->oa, number_of(n))) {
		not_renewed(n, r);
		return;
	}
	l->rekey.strangers += r->failure == DTLS_FAIL_FINGERPRINT;
	c->b->counters.ended_dtls++;
	call_tell_outside(c, "media could not be secured: DTLS %s", dtls_failure_name(r->failure));
	call_release(c, NULL, 488, "trunk %s: DTLS handshake failed (%s): %s", l->trunk->name,
		dtls_failure_name(r->failure), r->reason);
}
/* Without memory it is not remembered; its keys hold all the same. */
static void note_handshake(struct line *n, const struct dtls_result *r, const struct dtls_bond *bond)
{
	struct leg_keyed *k = leg_keyed_make(n->leg, number_of(n));
	struct leg_handshake *h;

	if (!k || (!k->handshake && !(k->handshake = malloc(sizeof *h))))
		return;
	h = k->handshake;
	memcpy(h->version, r->version, sizeof r->version);
	memcpy(h->cipher, r->cipher, sizeof r->cipher);
	memcpy(h->group, r->group, sizeof r->group);
	memcpy(h->peer, bond->peer, sizeof bond->peer);
	h->n_peer = bond->n_peer;
}


static void established(struct line *n, const struct dtls_result *r, const struct ip_port *peer)
{
	struct leg *l = n->leg;
	struct call *c = l->call;
	struct agreed_key rx = {.suite = r->suite, .master = r->rx}, tx = {.suite = r->suite, .master = r->tx};
	char address[IP_PORT_TEXT_MAX];
	bool clear = !sip_transport_secure(l->flow.transport);

	note_handshake(n, r, n->bond);
	n->bond->done = true;
	l->dtls->refused[0] = '\0';
	c->b->handshakes.established++;
	c->b->handshakes.dtls13 += strcmp(r->version, "DTLSv1.3") == 0;
	c->b->handshakes.post_quantum += strstr(r->group, "MLKEM") != NULL;
	log_at(clear ? LOG_WARN : LOG_INFO, "dtls",
		clear ? "media keys agreed; the fingerprint was not authenticated: it came over clear signalling"
		      : "media keys agreed",
		LZ("call", c->id), LZ("trunk", l->trunk->name), LZ("version", r->version),
		LZ("cipher", r->cipher), LZ("group", r->group), LZ("suite", srtp_suite_info(r->suite)->name),
		LZ("peer", ip_port_text(peer, address)));
	oa_keys_arrived(&l->oa, number_of(n), n->bond, &rx, &tx);
	agreed_key_wipe(&rx);
	agreed_key_wipe(&tx);
	leg_note_keys(l);
	legs_program(c);
	if (c->state != CALL_ENDING)
		rekey_answered(l);
	checkpoint_touch(c);
}

static void done(void *arg, const struct dtls_result *r, const struct ip_port *peer)
{
	struct line *n = arg;

	if (n->leg->call->state == CALL_ENDING)
		return;
	if (r->state == DTLS_ESTABLISHED)
		established(n, r, peer);
	else
		failed(n, r);
}

/* The peer may give up over it before it is known that it was the peer. */
static void refused(void *arg, const char *why)
{
	struct leg *l = ((struct line *)arg)->leg;

	snprintf(l->dtls->refused, sizeof l->dtls->refused, "%s", why);
	log_warn("dtls", "a handshake was refused", LZ("call", l->call->id), LZ("trunk", l->trunk->name), LZ("reason", why));
}

const char *leg_dtls_refused(const struct leg *l)
{
	return l->dtls ? l->dtls->refused : "";
}

static void parting_over(struct timer *t)
{
	leg_parted(((struct line *)((char *)t - offsetof(struct line, parting)))->leg);
}

static void ask_later(struct line *n)
{
	timer_set(n->leg->call->b->wheel, &n->parting, LEG_PARTING_MS, parting_over);
}

void leg_dtls_ask_again(struct leg *l)
{
	for (unsigned i = 0; l->dtls && i < SDP_MEDIA_MAX; i++)
		if (l->dtls->lines[i].parted)
			ask_later(&l->dtls->lines[i]);
}

/*
 * Most that part hang up as well, sooner or later than this comes, or begin another association. Whoever does
 * neither is gone, such as a page that was closed.
 */
static void closed(void *arg)
{
	struct line *n = arg;
	struct leg *l = n->leg;

	log_info("dtls", "the peer ended its association", LZ("call", l->call->id),
		LZ("trunk", l->trunk->name));
	n->parted = true;
	ask_later(n);
}

bool leg_dtls_parted(const struct leg *l, unsigned i)
{
	return l->dtls && i < SDP_MEDIA_MAX && l->dtls->lines[i].parted;
}

static const struct dtls_events events = {
	.send = send_out, .refused = refused, .done = done, .closed = closed};

static bool by_ice(const struct line *n)
{
	const struct oa_media *m = oa_media_now(&n->leg->oa, number_of(n));

	return m && m->ice;
}

/* All addresses that the peer's checks came from are one peer, whichever it sends from. */
static const struct ip_port *source_of(const struct line *n, const struct ip_port *from)
{
	return by_ice(n) ? &n->peer : from;
}

/* Another that our offer rang at is heard on the same port: its handshake would spoil the peer's. */
static bool is_peers(const struct line *n, uint64_t sender)
{
	uint64_t peer = oa_ice_peer(&n->leg->oa, number_of(n));

	return !sender || !peer || sender == peer;
}

static void feed_held(struct line *n)
{
	unsigned first = n->n_held > HELD_MAX ? n->n_held - HELD_MAX : 0;

	for (unsigned i = first; i < n->n_held; i++) {
		const struct held *h = &n->held[i % HELD_MAX];

		if (is_peers(n, h->sender))
			dtls_channel_input(n->channel, source_of(n, &h->from), h->octets, h->n);
	}
	n->n_held = 0;
	free(n->held);
	n->held = NULL;
}

static void open_channel(struct line *n, const struct ip_port *remote)
{
	struct leg *l = n->leg;
	const struct config_trunk *t = l->trunk;
	const struct dtls_bond *b = n->bond;
	struct dtls_channel_conf conf = {
		.association = {.dtls = {.role = b->role,
					.identity = b->identity,
					.suites = t->crypto->suites,
					.n_suites = t->crypto->n_suites,
					.n_peer = b->n_peer,
					.remote = *remote,
					.reachable = by_ice(n),
					.min = t->dtls->min_version == CONFIG_TLS_1_3 ? DTLS_1_3 : DTLS_1_2,
					.max = t->dtls->max_version == CONFIG_TLS_1_3 ? DTLS_1_3 : DTLS_1_2,
					.post_quantum = (enum dtls_post_quantum)t->dtls->post_quantum},
			/* As a plain leg finds its remote: here whoever comes must have the certificate. */
			.any_port = t->realm->learning != CONFIG_LEARN_NEVER,
			.any_ip = t->realm->learning == CONFIG_LEARN_ANY},
		.events = &events,
		.arg = n,
		.timeout_ms = t->dtls->timeout_s * 1000,
	};

	memcpy(conf.association.dtls.peer, b->peer, b->n_peer * sizeof b->peer[0]);
	if (dtls_channel_open(l->call->b->dtls, &conf, &n->channel) < 0) {
		log_error("dtls", "no memory for an association", LZ("call", l->call->id));
		return;
	}
	n->peer = *remote;
	feed_held(n);
	if (l->call->state == CALL_UP)
		dtls_channel_expect(n->channel);
}

static void tell_role_kept(const struct line *n)
{
	struct leg *l = n->leg;

	if (!n->bond->role_kept || l->dtls->told_role)
		return;
	l->dtls->told_role = true;
	log_warn("dtls", "the answer says a=setup:actpass, where active or passive belongs: the role is kept",
		LZ("call", l->call->id), LZ("trunk", l->trunk->name),
		LZ("role", n->bond->role == DTLS_CLIENT ? "client" : "server"));
}

static void update_line(struct line *n)
{
	unsigned i = number_of(n);
	struct dtls_bond *bond = oa_bond_now(&n->leg->oa, i);
	const struct oa_media *m = oa_media_now(&n->leg->oa, i);
	const struct ip_port *remote;

	if (bond != n->bond) {
		line_close(n);
		n->bond = bond ? dtls_bond_ref(bond) : NULL;
	}
	if (!bond || n->channel || !bond->role_known || bond->done || bond->failed)
		return;
	tell_role_kept(n);
	remote = m->ice ? oa_selected(&n->leg->oa, i) : &m->remote;
	if (remote->ip.family != IP_NONE)
		open_channel(n, remote);
}

void leg_dtls_update(struct leg *l)
{
	if (!l->dtls || !l->call->media.open)
		return;
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		update_line(&l->dtls->lines[i]);
}

void leg_dtls_expect(struct leg *l)
{
	for (unsigned i = 0; l->dtls && i < SDP_MEDIA_MAX; i++)
		if (l->dtls->lines[i].channel)
			dtls_channel_expect(l->dtls->lines[i].channel);
}

/* For the answer that says what to do with it. */
static void hold(struct line *n, const struct dp_punt *p)
{
	struct held *h;

	if (!n->held)
		n->held = calloc(HELD_MAX, sizeof *n->held);
	if (!n->held)
		return;
	h = &n->held[n->n_held++ % HELD_MAX];
	h->from = p->remote;
	h->sender = p->peer;
	h->n = (uint16_t)p->n;
	memcpy(h->octets, p->octets, p->n);
	n->leg->call->b->handshakes.held++;
}

void leg_dtls_punted(struct leg *l, unsigned line, const struct dp_punt *p)
{
	struct line *n = l->dtls && line < SDP_MEDIA_MAX ? &l->dtls->lines[line] : NULL;
	struct dtls_hello hello;

	if (!n)
		return;
	/* The answer that says who begins the new association is on its way. */
	if (n->bond && oa_handshake_expected(&l->oa, line) && dtls_hello_peek(p->octets, p->n, &hello))
		hold(n, p);
	else if (!is_peers(n, p->peer))
		return;
	else if (n->channel)
		dtls_channel_input(n->channel, source_of(n, &p->remote), p->octets, p->n);
	else if (!n->bond || (by_ice(n) && !n->bond->done))
		hold(n, p);
}
