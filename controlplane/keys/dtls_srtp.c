/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/keys/dtls_srtp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TLS_ID_RANDOM 16 /* octets, twice as many characters: 20 at least, RFC 8842 section 4 */

struct dtls_keying {
	struct agreement base; /* first */
	struct dtls_bond *bond;
	bool ours; /* it is our offer */
};

/* What one side's description says of DTLS. */
struct said {
	struct dtls_fingerprint fingerprints[DTLS_FINGERPRINTS_MAX];
	unsigned n;
	struct str setup, tls_id; /* empty: not there */
};

static struct dtls_keying *keying_of(struct agreement *a)
{
	return (struct dtls_keying *)a;
}

struct dtls_bond *agreement_dtls_bond(const struct agreement *a)
{
	return a && a->method == &agreement_dtls ? ((const struct dtls_keying *)a)->bond : NULL;
}

struct dtls_bond *dtls_bond_ref(struct dtls_bond *b)
{
	b->refs++;
	return b;
}

void dtls_bond_unref(struct dtls_bond *b)
{
	if (!b || --b->refs)
		return;
	dtls_identity_unref(b->identity);
	free(b);
}

static int name_bond(struct dtls_bond *b)
{
	SECRET_AUTO struct secret random = {0}; /* no secret, but from the same source */
	struct wbuf w = wbuf_make(b->tls_id, sizeof b->tls_id - 1);

	if (secret_random(&random, TLS_ID_RANDOM) < 0)
		return -EIO;
	for (unsigned i = 0; i < TLS_ID_RANDOM; i++)
		wbuf_fmt(&w, "%02x", random.octets[i]);
	b->tls_id[w.len] = '\0';
	return 0;
}

/* A later association shows a certificate that none before it did: peers without tls-id know it by that. */
static int new_bond(struct agreement *a, bool first, struct err *e)
{
	const struct dtls_terms *terms = a->policy.dtls;
	struct dtls_bond *b = calloc(1, sizeof *b);
	int rc = 0;

	if (!b)
		return err_set(e, ENOMEM, "out of memory");
	b->refs = 1;
	if (first || terms->configured)
		b->identity = dtls_identity_ref(terms->identity);
	else
		rc = dtls_identity_make(&b->identity, e);
	if (rc == 0 && name_bond(b) < 0)
		rc = err_set(e, EIO, "the system gives no random numbers");
	if (rc < 0) {
		dtls_bond_unref(b);
		return rc;
	}
	dtls_bond_unref(keying_of(a)->bond);
	keying_of(a)->bond = b;
	return 0;
}

/* The association in force goes on, with its keys. */
static void go_on(struct agreement *a, const struct agreement *before)
{
	dtls_bond_unref(keying_of(a)->bond);
	keying_of(a)->bond = dtls_bond_ref(agreement_dtls_bond(before));
	a->awaited = before->awaited;
	a->established = before->established;
	a->rx = before->rx;
	a->tx = before->tx;
}

/* A new association; what is in force, if anything is, serves until its keys come. */
static int begin(struct agreement *a, const struct agreement *before, struct err *e)
{
	int rc = new_bond(a, !agreement_dtls_bond(before), e);

	if (rc < 0)
		return rc;
	a->awaited = true;
	if (before && !a->policy.renew) {
		a->established = before->established;
		a->rx = before->rx;
		a->tx = before->tx;
	}
	return 0;
}

static int create(const struct keying_policy *policy, struct agreement **out)
{
	struct dtls_keying *k = calloc(1, sizeof *k);

	if (!k)
		return -ENOMEM;
	k->base.method = &agreement_dtls;
	k->base.policy = *policy;
	*out = &k->base;
	return 0;
}

static void destroy(struct agreement *a)
{
	dtls_bond_unref(keying_of(a)->bond);
	mem_wipe(a, sizeof(struct dtls_keying));
	free(a);
}

static int offer(struct agreement *a, const struct agreement *before, struct err *e)
{
	keying_of(a)->ours = true;
	if (!agreement_dtls_bond(before) || a->policy.renew || a->policy.again)
		return begin(a, before, e);
	go_on(a, before);
	return 0;
}

static struct str attribute(const struct sdp *s, const struct sdp_media *m, struct str name)
{
	const struct sdp_attr *a = sdp_attr_find(s, m, name);

	if (!a)
		a = sdp_attr_find(s, NULL, name);
	return a ? str_trim(a->value) : STR("");
}

/* -ENOKEY when a fingerprint is malformed, or there are more than are looked at. Those of weak hashes are left
 * out. */
static int read_fingerprints(
	const struct sdp *s, const struct sdp_media *m, struct said *out, unsigned *seen, struct err *e)
{
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);

	for (unsigned i = 0; i < n; i++) {
		struct dtls_fingerprint f;
		int rc;

		if (!str_eq(a[i].name, STR("fingerprint")))
			continue;
		++*seen;
		rc = dtls_fingerprint_parse(a[i].value, &f);
		if (rc == -EINVAL)
			return err_set(e, ENOKEY, "line %u: the a=fingerprint is malformed", a[i].line);
		if (rc == 0 && out->n == DTLS_FINGERPRINTS_MAX)
			return err_set(e, ENOKEY, "more than %d a=fingerprint lines", DTLS_FINGERPRINTS_MAX);
		if (rc == 0)
			out->fingerprints[out->n++] = f;
	}
	return 0;
}

static int read_said(const struct sdp *s, const struct sdp_media *m, struct said *out, struct err *e)
{
	unsigned seen = 0;
	int rc = read_fingerprints(s, m, out, &seen, e);

	/* The session's hold where the m-line has none of its own (RFC 8122 section 5). */
	if (rc == 0 && !seen)
		rc = read_fingerprints(s, NULL, out, &seen, e);
	if (rc < 0)
		return rc;
	if (!seen)
		return err_set(e, ENOKEY, "DTLS-SRTP without a=fingerprint");
	if (!out->n)
		return err_set(e, ENOKEY, "no a=fingerprint has a hash to be trusted: sha-256, sha-384 or sha-512");
	out->setup = attribute(s, m, STR("setup"));
	out->tls_id = attribute(s, m, STR("tls-id"));
	if (out->tls_id.n > DTLS_TLS_ID_MAX)
		return err_set(e, ENOKEY, "a tls-id of more than %d characters", DTLS_TLS_ID_MAX);
	return 0;
}

static bool same_fingerprints(const struct dtls_bond *b, const struct said *said)
{
	if (b->n_peer != said->n)
		return false;
	for (unsigned i = 0; i < said->n; i++)
		if (!dtls_fingerprint_equal(&b->peer[i], &said->fingerprints[i]))
			return false;
	return true;
}

/* Does the peer speak of this association? RFC 8842 section 3.1 */
static bool same_association(const struct dtls_bond *b, const struct said *said)
{
	return same_fingerprints(b, said) && str_eq(said->tls_id, str_z(b->peer_tls_id));
}

static void note_peer(struct dtls_bond *b, const struct said *said, enum dtls_role role)
{
	memcpy(b->peer, said->fingerprints, said->n * sizeof b->peer[0]);
	b->n_peer = said->n;
	str_copy(b->peer_tls_id, sizeof b->peer_tls_id, said->tls_id);
	b->role = role;
	b->role_known = true;
}

/* Our role by the peer's offer. RFC 5763 section 5: "active" is recommended where the choice is ours. */
static int role_by_offer(const struct dtls_terms *terms, struct str setup, enum dtls_role *out, struct err *e)
{
	if (str_ieq(setup, STR("actpass")))
		*out = terms->setup == DTLS_SETUP_PASSIVE ? DTLS_SERVER : DTLS_CLIENT;
	else if (!setup.n || str_ieq(setup, STR("active"))) /* absent: active (RFC 4145 section 4) */
		*out = DTLS_SERVER;
	else if (str_ieq(setup, STR("passive")))
		*out = DTLS_CLIENT;
	else
		return err_set(e, ENOKEY, "a=setup:%.*s begins no DTLS association", STR_ARG(str_sub(setup, 0, 20)));
	return 0;
}

/* May the role that we have go on, by the peer's later offer? */
static bool role_holds(const struct dtls_bond *b, struct str setup)
{
	if (str_ieq(setup, STR("actpass")) || str_ieq(setup, STR("holdconn")))
		return true;
	return str_ieq(setup, STR("passive")) ? b->role == DTLS_CLIENT : b->role == DTLS_SERVER;
}

static int offered(struct agreement *a, const struct agreement *before, const struct sdp *s,
	const struct sdp_media *m, struct err *e)
{
	const struct dtls_bond *held = agreement_dtls_bond(before);
	struct said said = {0};
	enum dtls_role role = DTLS_SERVER;
	int rc = read_said(s, m, &said, e);

	if (rc < 0)
		return rc;
	if (held && !a->policy.renew && same_association(held, &said) && role_holds(held, said.setup)) {
		go_on(a, before);
		return 0;
	}
	rc = role_by_offer(a->policy.dtls, said.setup, &role, e);
	if (rc == 0)
		rc = begin(a, before, e);
	if (rc == 0)
		note_peer(keying_of(a)->bond, &said, role);
	return rc;
}

static int answer(struct agreement *a, const struct agreement *before, struct err *e)
{
	(void)a;
	(void)before;
	(void)e;
	return 0; /* what our half is was settled by the offer */
}

/* What we wrote in our offer. */
static const char *our_setup(const struct agreement *a)
{
	static const char *const names[] = {
		[DTLS_SETUP_ACTPASS] = "actpass",
		[DTLS_SETUP_ACTIVE] = "active",
		[DTLS_SETUP_PASSIVE] = "passive",
	};

	return names[a->policy.dtls->setup];
}

/*
 * The role that we had before, where that can go on: some peers answer a later offer with actpass, as if they
 * offered. RFC 8842 section 5.1 has roles kept there. Keys that another process agreed on leave no role behind: then
 * whoever may wait does.
 */
static bool role_kept(const struct agreement *a, const struct agreement *before, enum dtls_role *out)
{
	const struct dtls_bond *held = agreement_dtls_bond(before);
	enum dtls_setup ours = a->policy.dtls->setup;

	if (!before || !(before->established || before->awaited))
		return false;
	if (held && held->role_known && ours == DTLS_SETUP_ACTPASS)
		*out = held->role;
	else
		*out = ours == DTLS_SETUP_ACTIVE ? DTLS_CLIENT : DTLS_SERVER;
	return true;
}

static int role_by_answer(const struct agreement *a, struct str setup, enum dtls_role *out, struct err *e)
{
	const char *ours = our_setup(a);
	bool active = str_ieq(setup, STR("active"));

	/* Absent: what RFC 4145 section 4 makes of our offer. */
	if (!setup.n)
		active = a->policy.dtls->setup == DTLS_SETUP_PASSIVE;
	else if (!active && !str_ieq(setup, STR("passive")))
		return err_set(e, ENOKEY, "the answer to a=setup:%s is a=setup:%.*s, where active or passive belongs",
			ours, STR_ARG(str_sub(setup, 0, 20)));
	if (active && a->policy.dtls->setup == DTLS_SETUP_ACTIVE)
		return err_set(e, ENOKEY, "both sides are a=setup:active: neither would wait for the other");
	if (!active && a->policy.dtls->setup == DTLS_SETUP_PASSIVE)
		return err_set(e, ENOKEY, "both sides are a=setup:passive: neither would begin the handshake");
	*out = active ? DTLS_SERVER : DTLS_CLIENT;
	return 0;
}

static int answered(struct agreement *a, const struct agreement *before, const struct sdp *s,
	const struct sdp_media *m, struct err *e)
{
	struct dtls_bond *b = keying_of(a)->bond, *mine;
	struct said said = {0};
	enum dtls_role role = DTLS_SERVER;
	int rc = read_said(s, m, &said, e);
	bool kept;

	if (rc == 0 && b->role_known && same_association(b, &said))
		return 0; /* the same once more, or the association in force */
	kept = rc == 0 && str_ieq(said.setup, STR("actpass")) && role_kept(a, before, &role);
	if (rc == 0 && !kept)
		rc = role_by_answer(a, said.setup, &role, e);
	if (rc == 0 && b->role_known) {
		/* Another branch's answer, or a new association by the peer's will: our half is as offered. */
		mine = dtls_bond_ref(b);
		rc = new_bond(a, true, e);
		b = keying_of(a)->bond;
		if (rc == 0) {
			dtls_identity_unref(b->identity);
			b->identity = dtls_identity_ref(mine->identity);
			memcpy(b->tls_id, mine->tls_id, sizeof b->tls_id);
			a->awaited = true;
		}
		dtls_bond_unref(mine);
	}
	if (rc < 0)
		return rc;
	note_peer(b, &said, role);
	b->role_kept = kept;
	return 0;
}

static void settled(struct agreement *a)
{
	(void)a;
}

/* The association itself went with the other process: the next offer or answer begins another. */
static void assume(struct agreement *a, const struct agreed_key *rx, const struct agreed_key *tx)
{
	a->rx = *rx;
	a->tx = *tx;
	a->established = true;
}

static bool repeats(const struct agreement *a, const struct agreement *before)
{
	return agreement_dtls_bond(before) && agreement_dtls_bond(a) == agreement_dtls_bond(before);
}

static void print(const struct agreement *a, struct wbuf *w)
{
	const struct dtls_keying *k = (const struct dtls_keying *)a;
	const struct dtls_bond *b = k->bond;
	struct dtls_fingerprint f;

	/* Without one a description is refused by the peer: there is nothing better to do. */
	if (dtls_identity_fingerprint(b->identity, a->policy.dtls->hash, &f) < 0)
		return;
	wbuf_z(w, "a=fingerprint:");
	dtls_fingerprint_print(w, &f);
	wbuf_fmt(w, "\r\na=setup:%s\r\n", k->ours ? our_setup(a) : b->role == DTLS_CLIENT ? "active" : "passive");
	/* RFC 8842 section 5.3: in an answer only to one who knows it. */
	if (k->ours || b->peer_tls_id[0])
		wbuf_fmt(w, "a=tls-id:%s\r\n", b->tls_id);
}

const struct agreement_method agreement_dtls = {
	.name = "dtls",
	.media_path = true,
	.create = create,
	.destroy = destroy,
	.offer = offer,
	.offered = offered,
	.answer = answer,
	.answered = answered,
	.settled = settled,
	.assume = assume,
	.repeats = repeats,
	.print = print,
};
