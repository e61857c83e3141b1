/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "controlplane/keys/dtls_srtp.h"
#include "controlplane/sdp/oa_private.h"

static void free_wiped(char *text, size_t n)
{
	if (text)
		mem_wipe(text, n);
	free(text);
}

struct oa_exchange *oa_exchange_new(bool ours)
{
	struct oa_exchange *x = calloc(1, sizeof *x);

	if (x)
		x->ours = ours;
	return x;
}

void oa_exchange_free(struct oa_exchange *x)
{
	if (!x)
		return;
	for (unsigned i = 0; i < x->n_media; i++)
		agreement_destroy(x->media[i].keys);
	free_wiped(x->text, x->text_len);
	free(x->remote);
	free(x->sent);
	ice_credentials_wipe(&x->ice);
	free(x);
}

int oa_exchange_read(struct oa_exchange *x, struct str body, struct err *e)
{
	struct sdp *remote = malloc(sizeof *remote);
	char *text = malloc(body.n + 1);
	int rc;

	if (!remote || !text) {
		rc = err_set(e, ENOMEM, "out of memory");
		goto out;
	}
	memcpy(text, body.n ? body.p : "", body.n);
	rc = sdp_parse((struct str){text, body.n}, remote, e);
	if (rc < 0)
		goto out;
	free_wiped(x->text, x->text_len);
	free(x->remote);
	x->text = text;
	x->text_len = body.n;
	x->remote = remote;
	SHA256((const unsigned char *)text, body.n, x->digest);
	return 0;
out:
	free_wiped(text, body.n);
	free(remote);
	return rc;
}

int oa_refuse(struct oa_refusal *r, int code, int status, int warn_code, const char *fmt, ...)
{
	va_list ap;

	*r = (struct oa_refusal){.status = status, .warn_code = warn_code};
	va_start(ap, fmt);
	vsnprintf(r->reason.text, sizeof r->reason.text, fmt, ap);
	va_end(ap);
	for (char *c = r->reason.text; *c; c++)
		if (*c < 0x20 || *c > 0x7e || *c == '"' || *c == '\\')
			*c = '?';
	return -code;
}

int oa_leg_init(struct oa_leg *leg, const struct oa_policy *policy)
{
	struct secret id = {0};
	uint64_t n = 0;

	memset(leg, 0, sizeof *leg);
	leg->policy = *policy;
	if (secret_random(&id, sizeof n) < 0)
		return -EIO;
	memcpy(&n, id.octets, sizeof n);
	/* 62 bits: peers that keep it as a signed 64-bit number, or count it up, stay in range. */
	snprintf(leg->sess_id, sizeof leg->sess_id, "%llu", (unsigned long long)(n >> 2));
	return 0;
}

static void drop_media(struct oa_leg *leg)
{
	for (unsigned i = 0; i < leg->n_media; i++)
		agreement_destroy(leg->media[i].keys);
	free(leg->media);
	leg->media = NULL;
	leg->n_media = 0;
}

void oa_leg_close(struct oa_leg *leg)
{
	oa_rollback(leg);
	drop_media(leg);
	free(leg->sent);
	free(leg->places);
	if (leg->ice)
		mem_wipe(leg->ice, sizeof *leg->ice);
	free(leg->ice);
	mem_wipe(leg, sizeof *leg);
}

void oa_rollback(struct oa_leg *leg)
{
	oa_exchange_free(leg->pending);
	leg->pending = NULL;
	leg->state = OA_IDLE;
}

static void settle_keys(struct oa_leg *leg)
{
	for (unsigned i = 0; i < leg->n_media; i++) {
		struct oa_media *om = &leg->media[i];

		if (!om->keys)
			continue;
		if (om->open && (om->keys->established || om->keys->awaited)) {
			om->keys->method->settled(om->keys);
			leg->secured |= 1u << i;
		} else {
			agreement_destroy(om->keys);
			om->keys = NULL;
		}
	}
	for (unsigned i = 0; i < leg->n_media; i++)
		if (leg->media[i].used && leg->media[leg->media[i].transport].keys)
			leg->secured |= 1u << i;
}

/* Are the keys in force those of an earlier association than the one that was agreed on last? */
static bool keys_lag(const struct oa_media *m)
{
	const struct dtls_bond *b = agreement_dtls_bond(m->keys);

	return b && !b->done && m->keys->established && !m->ice;
}

/*
 * Where the peer of transport i was when it had the keys in force, if m is what holds next; IP_NONE: it is
 * there still. Over a hold by address it is kept: who is resumed may have begun another association somewhere
 * else.
 */
static void remote_before(const struct oa_leg *leg, unsigned i, const struct oa_media *m, struct ip_port *rtp,
	struct ip_port *rtcp)
{
	const struct oa_media *was = i < leg->n_media ? &leg->media[i] : NULL;

	*rtp = *rtcp = (struct ip_port){0};
	if (!was || was->ice || (!keys_lag(m) && m->remote.ip.family != IP_NONE))
		return;
	*rtp = was->before.ip.family != IP_NONE ? was->before : was->remote;
	*rtcp = was->before.ip.family != IP_NONE ? was->before_rtcp : was->remote_rtcp;
}

void oa_remote_now(const struct oa_leg *leg, unsigned i, struct ip_port *rtp, struct ip_port *rtcp)
{
	const struct oa_media *now = oa_media_now(leg, i);

	*rtp = *rtcp = (struct ip_port){0};
	if (!now)
		return;
	if (leg->pending && now == oa_media_at(leg, i)) {
		remote_before(leg, i, now, rtp, rtcp);
	} else {
		*rtp = now->before;
		*rtcp = now->before_rtcp;
	}
	if (rtp->ip.family != IP_NONE && now->remote.ip.family != IP_NONE)
		return;
	*rtp = now->remote;
	*rtcp = now->remote_rtcp;
}

int oa_commit(struct oa_leg *leg)
{
	struct oa_exchange *x = leg->pending;

	if (!x || !x->answered)
		return -EINVAL;
	struct oa_media *media = calloc(x->n_media, sizeof *media);

	if (!media || oa_ice_commit(leg, x) < 0) {
		free(media);
		return -ENOMEM;
	}
	memcpy(media, x->media, x->n_media * sizeof *media);
	for (unsigned i = 0; i < x->n_media; i++)
		remote_before(leg, i, &media[i], &media[i].before, &media[i].before_rtcp);
	drop_media(leg);
	leg->media = media;
	leg->n_media = x->n_media;
	settle_keys(leg);
	x->n_media = 0; /* its keys are the leg's now */
	free(leg->sent);
	leg->sent = x->sent;
	leg->sent_version = x->sent_version;
	x->sent = NULL;
	/* Only an offer can be repeated and answered with what answered it before. */
	memset(leg->received, 0, sizeof leg->received);
	if (!x->ours)
		memcpy(leg->received, x->digest, sizeof leg->received);
	oa_rollback(leg);
	return 0;
}

unsigned oa_media_count(const struct oa_leg *leg)
{
	return leg->pending ? leg->pending->n_media : leg->n_media;
}

const struct oa_media *oa_media_at(const struct oa_leg *leg, unsigned i)
{
	if (i >= oa_media_count(leg))
		return NULL;
	return leg->pending ? &leg->pending->media[i] : &leg->media[i];
}

const struct oa_media *oa_media_now(const struct oa_leg *leg, unsigned i)
{
	if (leg->pending && leg->pending->answered)
		return oa_media_at(leg, i);
	return i < leg->n_media ? &leg->media[i] : NULL;
}

const char *oa_why_not(const struct oa_leg *leg, unsigned i)
{
	return leg->pending && i < leg->pending->n_media ? leg->pending->why_not[i] : "";
}

static const struct agreed_key *established_tx(const struct agreement *a)
{
	return a && a->established && a->tx.suite != SRTP_SUITE_NONE ? &a->tx : NULL;
}

const struct agreed_key *oa_tx_now(const struct oa_leg *leg, unsigned i)
{
	const struct oa_exchange *x = leg->pending;
	const struct oa_media *now = oa_media_now(leg, i);
	const struct agreed_key *before = established_tx(oa_keys_before(leg, i));
	const struct agreed_key *agreed = now ? established_tx(now->keys) : NULL;

	if (!now || !now->open)
		return NULL;
	/* Keys of a handshake that came behind the answer are no longer sent with: the answer's may be in
	 * use. */
	if (!x || !x->answered || x->ours || !before || (agreed && before->epoch > agreed->epoch))
		before = agreed;
	return before && before->epoch > leg->burnt_epoch ? before : NULL;
}

void oa_burn_keys(struct oa_leg *leg)
{
	leg->burnt_epoch = leg->next_epoch;
}

bool oa_is_burnt(const struct oa_leg *leg, const struct agreement *a)
{
	return a && a->established && a->tx.epoch <= leg->burnt_epoch;
}

bool oa_is_known(const struct agreement *a)
{
	return !a || !a->established || a->tx.master.len;
}

bool oa_keys_burnt(const struct oa_leg *leg)
{
	for (unsigned i = 0; i < leg->n_media; i++)
		if (leg->media[i].open && oa_is_burnt(leg, leg->media[i].keys))
			return true;
	return false;
}

const struct agreed_key *oa_next_rx(const struct oa_leg *leg, unsigned i)
{
	const struct oa_exchange *x = leg->pending;

	if (!x || (x->ours && !x->early) || x->answered || i >= x->n_media || !x->media[i].open ||
		!x->media[i].keys)
		return NULL;
	return x->media[i].keys->rx.suite != SRTP_SUITE_NONE ? &x->media[i].keys->rx : NULL;
}

static bool awaits(const struct oa_exchange *x)
{
	for (unsigned i = 0; i < x->n_media; i++)
		if (x->media[i].open && x->media[i].keys && x->media[i].keys->awaited)
			return true;
	return false;
}

bool oa_keys_pending(const struct oa_leg *leg)
{
	const struct oa_exchange *x = leg->pending;

	for (unsigned i = 0; i < leg->n_media; i++)
		if (leg->media[i].open && leg->media[i].keys && leg->media[i].keys->awaited)
			return true;
	return x && leg->policy.security != OA_SECURITY_NONE && (x->ours || awaits(x));
}

bool oa_is_secure(const struct oa_leg *leg, unsigned i)
{
	const struct oa_media *now = oa_media_now(leg, i);

	return leg->policy.security == OA_SECURITY_REQUIRED || leg->secured >> i & 1 ||
	       (now && now->keys && now->keys->established);
}

struct dtls_bond *oa_bond_now(const struct oa_leg *leg, unsigned i)
{
	const struct oa_media *m = oa_media_now(leg, i);

	return m && m->open ? agreement_dtls_bond(m->keys) : NULL;
}

bool oa_handshake_expected(const struct oa_leg *leg, unsigned i)
{
	const struct oa_exchange *x = leg->pending;

	return x && x->ours && !x->answered && i < x->n_media && x->media[i].open &&
	       agreement_dtls_bond(x->media[i].keys);
}

static bool take_keys(struct agreement *a, const struct dtls_bond *bond, const struct agreed_key *rx,
	const struct agreed_key *tx)
{
	if (!bond || agreement_dtls_bond(a) != bond)
		return false;
	a->rx = *rx;
	a->tx = *tx;
	a->established = true;
	a->awaited = false;
	return true;
}

/*
 * What is in force serves until a new association has brought keys; so does what came only behind the offer
 * of that association. The data plane has it already and takes none from before it.
 */
static void serve_on(struct agreement *next, const struct agreement *now)
{
	if (!next || !next->method->media_path || !next->awaited || next->policy.renew)
		return;
	next->rx = now->rx;
	next->tx = now->tx;
	next->established = true;
}

bool oa_keys_arrived(struct oa_leg *leg, unsigned i, const struct dtls_bond *bond, const struct agreed_key *rx,
	const struct agreed_key *tx)
{
	struct agreement *next =
		leg->pending && i < leg->pending->n_media ? leg->pending->media[i].keys : NULL;
	struct agreed_key in = *rx, out = *tx;
	bool taken = false;

	in.moved = out.moved = true; /* a new key as RFC 5764 has it: indexes begin at 0 */
	in.epoch = ++leg->next_epoch;
	out.epoch = ++leg->next_epoch;
	if (i < leg->n_media && take_keys(leg->media[i].keys, bond, &in, &out)) {
		leg->media[i].before = leg->media[i].before_rtcp = (struct ip_port){0};
		taken = true;
	}
	if (take_keys(next, bond, &in, &out))
		taken = true;
	else if (taken)
		serve_on(next, leg->media[i].keys);
	agreed_key_wipe(&in);
	agreed_key_wipe(&out);
	return taken;
}

void oa_keys_failed(struct oa_leg *leg, unsigned i, const struct dtls_bond *bond)
{
	if (i < leg->n_media && agreement_dtls_bond(leg->media[i].keys) == bond)
		leg->media[i].keys->awaited = false;
	if (leg->pending && i < leg->pending->n_media && agreement_dtls_bond(leg->pending->media[i].keys) == bond)
		leg->pending->media[i].keys->awaited = false;
}

bool oa_wants_local(const struct oa_leg *leg, const struct oa_leg *from, unsigned i)
{
	struct oa_media plan[SDP_MEDIA_MAX];

	if (!from->pending || i >= from->pending->n_media || oa_local_of(leg, i)->set)
		return false;
	if (leg == from || leg->pending)
		return oa_media_at(leg, i) && oa_media_at(leg, i)->open;
	oa_plan_transports(leg, from->pending, plan);
	return plan[i].open;
}

struct oa_place *oa_place_at(struct oa_leg *leg, unsigned i)
{
	struct oa_place *more;

	if (i < leg->n_places)
		return &leg->places[i];
	more = realloc(leg->places, (i + 1) * sizeof *more);
	if (!more)
		return NULL;
	memset(more + leg->n_places, 0, (i + 1 - leg->n_places) * sizeof *more);
	leg->places = more;
	leg->n_places = i + 1;
	return &more[i];
}

int oa_set_local(struct oa_leg *leg, unsigned i, const struct oa_local *local)
{
	const struct oa_local set = *local; /* perhaps of this leg's, which may move */
	struct oa_place *p;

	if (i >= SDP_MEDIA_MAX)
		return -EINVAL;
	p = oa_place_at(leg, i);
	if (!p)
		return -ENOMEM;
	p->local = set;
	p->local.set = true;
	return 0;
}

const struct oa_local *oa_local_of(const struct oa_leg *leg, unsigned i)
{
	static const struct oa_local none;

	return i < leg->n_places ? &leg->places[i].local : &none;
}

struct ip_port oa_rtp_port(const struct oa_leg *leg, const struct oa_media *m, unsigned i)
{
	return m && m->swapped ? oa_local_of(leg, i)->rtcp : oa_local_of(leg, i)->rtp;
}

struct ip_port oa_rtcp_port(const struct oa_leg *leg, const struct oa_media *m, unsigned i)
{
	return m && m->swapped ? oa_local_of(leg, i)->rtp : oa_local_of(leg, i)->rtcp;
}

const struct agreement *oa_keys_before(const struct oa_leg *leg, unsigned i)
{
	return i < leg->n_media ? leg->media[i].keys : NULL;
}

static void number_key(struct oa_leg *leg, struct agreed_key *k, const struct agreed_key *before, bool moved)
{
	if (k->suite == SRTP_SUITE_NONE || k->epoch)
		return;
	k->moved = moved;
	k->epoch = before && before->epoch && agreed_key_equal(k, before) ? before->epoch : ++leg->next_epoch;
}

/* Is the peer at another transport address in x? Nowhere (held by address) is not another one. */
static bool moves(const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	const struct ip_port *now = &x->media[i].remote,
			     *before = i < leg->n_media ? &leg->media[i].remote : now;

	return now->ip.family != IP_NONE && before->ip.family != IP_NONE && !ip_port_equal(now, before);
}

void oa_number_keys(struct oa_leg *leg, struct oa_exchange *x)
{
	for (unsigned i = 0; i < x->n_media; i++) {
		struct agreement *a = x->media[i].keys;
		const struct agreement *before = oa_keys_before(leg, i);

		if (!a)
			continue;
		number_key(leg, &a->rx, before ? &before->rx : NULL, moves(leg, x, i));
		number_key(leg, &a->tx, before ? &before->tx : NULL, moves(leg, x, i));
	}
}
