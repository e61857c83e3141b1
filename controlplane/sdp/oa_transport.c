/* SPDX-License-Identifier: Apache-2.0 */
/* Which transport each m-line is on, and which m-line describes it (RFC 9143). */
#include <errno.h>

#include "controlplane/sdp/extmap.h"
#include "controlplane/sdp/oa_private.h"

bool oa_offers_media(const struct sdp *s, unsigned i)
{
	/* RFC 9143 section 6: port 0 is no refusal of an m-line that comes on the transport of another. */
	return s->media[i].port || sdp_attr_find(s, &s->media[i], STR("bundle-only"));
}

/* May both m-lines of s have this format? It means the same then, and packets say by a MID which of them they are of. */
static bool shares(const struct sdp *s, unsigned i, unsigned k, struct str format, bool by_mid)
{
	const struct sdp_media *m = s->media;

	return !oa_has_format(&m[k], format) || (by_mid && oa_means_the_same(s, &m[i], s, &m[k], format));
}

/*
 * Why m-lines i and k cannot be on one transport; NULL: they can. What arrives there is told apart by the MID in packets,
 * or else by payload types (RFC 9143 section 9.2).
 */
static const char *not_told_apart(const struct sdp *s, unsigned i, unsigned k, bool by_mid)
{
	struct str formats = s->media[i].formats;
	unsigned n;
	const struct sdp_attr *a = sdp_attrs(s, &s->media[i], &n);
	struct extmap e;

	while (formats.n)
		if (!shares(s, i, k, str_cut(&formats, ' '), by_mid))
			return by_mid ? "a payload type means another codec there"
				      : "same payload types, and no header extension for MIDs";
	for (unsigned j = 0; j < n; j++)
		if (extmap_read(&a[j], &e) && extmap_clashes(s, &s->media[k], &e))
			return "another header extension has the same number there";
	return NULL;
}

bool oa_bundles(const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	const struct sdp_media *m = &x->remote->media[i];

	return oa_by_dtls(x->remote, m) && m->rtcp_mux && leg->policy.mux != OA_MUX_NEVER;
}

/* The m-line before i, used in x, whose transport the peer's offer has m-line i share; -1: none. */
static int companion(const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	struct str mids = oa_bundle_of(x, i);

	for (unsigned k = 0; mids.n && oa_bundles(leg, x, i) && k < i; k++)
		if (x->media[k].used && oa_is_among(mids, x, k) && oa_bundles(leg, x, k))
			return (int)k;
	return -1;
}

/* Is transport t of nobody, in x so far and in what holds? */
static bool is_free(const struct oa_leg *leg, const struct oa_media *media, unsigned n, unsigned t)
{
	if (t < leg->n_media && leg->media[t].open)
		return false;
	for (unsigned k = 0; k < n; k++)
		if (media[k].used && media[k].transport == t)
			return false;
	return true;
}

/*
 * A transport for m-line i alone: mostly that of its number. There is one: every transport that is in use already
 * belongs to an m-line that needs no other.
 */
static uint8_t another(const struct oa_leg *leg, const struct oa_media *media, unsigned n, unsigned i)
{
	unsigned t = i;

	while (!is_free(leg, media, n, t))
		t = (t + 1) % n;
	return (uint8_t)t;
}

static bool is_taken(const struct oa_exchange *x, unsigned t)
{
	for (unsigned k = 0; k < x->n_media; k++)
		if (x->media[k].used && x->media[k].transport == t)
			return true;
	return false;
}

/* Where m-line i goes on, or one of those that it is bundled with from now on: its transport; else another. */
static uint8_t own_transport(const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	struct str mids = oa_bundle_of(x, i);

	if (i < leg->n_media && leg->media[i].used && !is_taken(x, leg->media[i].transport))
		return leg->media[i].transport;
	for (unsigned k = 0; mids.n && oa_bundles(leg, x, i) && k < leg->n_media; k++)
		if (leg->media[k].used && oa_offers_media(x->remote, k) && oa_bundles(leg, x, k) &&
			oa_is_among(mids, x, k) && !is_taken(x, leg->media[k].transport))
			return leg->media[k].transport;
	return another(leg, x->media, x->n_media, i);
}

int oa_place_offered(const struct oa_leg *leg, struct oa_exchange *x, unsigned i, struct err *e)
{
	int with = companion(leg, x, i);

	if (with < 0 && !x->remote->media[i].port)
		return err_set(e, EPROTONOSUPPORT, "bundle-only, and no m-line that it could be bundled with is used");
	if (with < 0) {
		x->media[i].transport = own_transport(leg, x, i);
		return 0;
	}
	x->media[i].transport = x->media[with].transport;
	/* To take it out of the group would be allowed, but Chromium fails with its next offer then. */
	for (unsigned k = 0; k < i; k++) {
		const char *why = NULL;

		if (x->media[k].used && x->media[k].transport == x->media[i].transport)
			why = not_told_apart(x->remote, i, k, oa_mid_offered(x, i) && oa_mid_offered(x, k));
		if (why)
			return err_set(e, EPROTONOSUPPORT, "it cannot be told from m-line %u of its bundle: %s", k + 1, why);
	}
	return 1;
}

/* The used m-line on whose transport a new m-line i of our offer may come; -1: none. */
static int host(const struct oa_leg *to, const struct oa_exchange *got, const struct oa_media *plan, unsigned i)
{
	for (unsigned k = 0; to->policy.ice && k < got->n_media; k++) {
		bool fits = k != i && plan[k].used && oa_method_of(to, plan[k].transport)->media_path;

		for (unsigned j = 0; fits && j < got->n_media; j++)
			if (plan[j].used && plan[j].transport == plan[k].transport)
				fits = !not_told_apart(got->remote, i, j, oa_mid_to_offer(to, got->remote) && oa_mid_fits(to, j));
		if (fits)
			return (int)k;
	}
	return -1;
}

void oa_plan_transports(const struct oa_leg *to, const struct oa_exchange *got, struct oa_media *plan)
{
	for (unsigned i = 0; i < got->n_media; i++) {
		bool holds = i < to->n_media && to->media[i].used;

		plan[i].used = got->offered[i].used && holds;
		plan[i].transport = (uint8_t)(holds ? to->media[i].transport : i);
	}
	for (unsigned i = 0; i < got->n_media; i++) {
		int with;

		if (!got->offered[i].used || plan[i].used)
			continue;
		with = to->policy.security == OA_SECURITY_REQUIRED ? host(to, got, plan, i) : -1;
		plan[i].transport = with < 0 ? another(to, plan, got->n_media, i) : plan[with].transport;
		plan[i].used = true;
	}
	oa_open_transports(plan, got->n_media);
}

void oa_open_transports(struct oa_media *media, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		media[i].open = false;
	for (unsigned i = 0; i < n; i++)
		if (media[i].used && media[i].transport < n)
			media[media[i].transport].open = true;
}

int oa_first_on(const struct oa_exchange *x, unsigned t)
{
	for (unsigned i = 0; i < x->n_media; i++)
		if (x->media[i].used && x->media[i].transport == t)
			return (int)i;
	return -1;
}

bool oa_describes(const struct oa_exchange *x, unsigned i)
{
	return x->media[i].used && x->tag[x->media[i].transport] == i;
}

bool oa_bundle_only(const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	bool holds = i < leg->n_media && leg->media[i].used && leg->media[i].transport == x->media[i].transport;

	return x->ours && !holds && !oa_describes(x, i);
}

void oa_drop_unbundled(const struct oa_leg *leg, struct oa_exchange *x)
{
	for (unsigned i = 0; i < x->n_media; i++) {
		struct oa_media *om = &x->media[i];
		int first = oa_first_on(x, om->transport);

		if (!om->used)
			continue;
		om->used = first == (int)i ? !oa_bundle_only(leg, x, i)
					   : oa_is_among(oa_bundle_of(x, (unsigned)first), x, i);
		for (unsigned k = 0; k < i; k++)
			if (x->media[k].used && x->media[k].transport == om->transport && oa_mid_missing(x, i, k))
				om->used = false;
	}
}
