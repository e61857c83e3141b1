/* SPDX-License-Identifier: Apache-2.0 */
/* ICE in offers and answers: whether an m-line does it, with which credentials, and when they are new. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sdp/oa_private.h"

/* Transport t as it holds, or NULL. */
static const struct oa_media *held(const struct oa_leg *leg, unsigned t)
{
	return t < leg->n_media && leg->media[t].open ? &leg->media[t] : NULL;
}

int oa_ice_offered(const struct oa_leg *leg, struct oa_exchange *x, unsigned t, struct err *e)
{
	const struct oa_media *holds = held(leg, t);
	struct oa_media *om = &x->media[t];
	struct ice_said said;
	int rc;

	if (!leg->policy.ice)
		return 0;
	rc = ice_read(x->remote, &x->remote->media[x->tag[t]], &said, e);
	if (rc < 0)
		return rc;
	om->ice = said.there;
	om->ice_mismatch = said.mismatch;
	om->ice_trickle = said.trickle;
	memcpy(om->ice_peer, said.digest, sizeof om->ice_peer);
	/* RFC 8839 section 4.4.1.1.1: a peer that restarts has other credentials, and wants others of ours. */
	if (om->ice && holds && holds->ice && memcmp(holds->ice_peer, om->ice_peer, sizeof om->ice_peer))
		x->ice_restart = true;
	return 0;
}

int oa_ice_answered(struct oa_exchange *x, unsigned t, unsigned i, struct err *e)
{
	struct oa_media *om = &x->media[t];
	struct ice_said said;
	int rc;

	om->ice = false;
	if (!x->offered[t].ice)
		return 0;
	rc = ice_read(x->remote, &x->remote->media[i], &said, e);
	if (rc < 0)
		return rc;
	om->ice = said.there;
	memcpy(om->ice_peer, said.digest, sizeof om->ice_peer);
	om->ice_answered = said.there ? said.peer : 0;
	return 0;
}

bool oa_ice_offers(const struct oa_leg *leg, unsigned t)
{
	const struct oa_media *holds = held(leg, t);

	/* Who did without so far is not asked again. */
	return leg->policy.ice && (!holds || holds->ice);
}

/* An association that is not the one in force has credentials of its own (RFC 8842 section 6). */
static bool associates_anew(const struct oa_leg *leg, const struct oa_exchange *x, unsigned i)
{
	const struct agreement *now = x->media[i].keys, *before = oa_keys_before(leg, i);

	return x->ours && now && before && now->method->media_path &&
	       !(now->method->repeats(now, before));
}

int oa_ice_choose(const struct oa_leg *leg, struct oa_exchange *x)
{
	bool any = false, fresh = !oa_ice_ours(leg)->ufrag[0] || x->ice_restart;

	for (unsigned i = 0; i < x->n_media; i++) {
		any |= x->media[i].open && x->media[i].ice;
		fresh |= x->media[i].open && x->media[i].ice && associates_anew(leg, x, i);
	}
	ice_credentials_wipe(&x->ice);
	if (!any)
		return 0;
	if (fresh)
		return ice_credentials_make(&x->ice);
	x->ice = *oa_ice_ours(leg);
	return 0;
}

bool oa_ice_changed(const struct oa_leg *leg, const struct oa_exchange *x)
{
	return x->ice.ufrag[0] && !ice_credentials_same(&x->ice, oa_ice_ours(leg));
}

int oa_ice_commit(struct oa_leg *leg, const struct oa_exchange *x)
{
	if (!oa_ice_changed(leg, x))
		return 0;
	if (!leg->ice && !(leg->ice = calloc(1, sizeof *leg->ice)))
		return -ENOMEM;
	leg->ice->before = leg->ice->now;
	leg->ice->now = x->ice;
	return 0;
}

static const struct ice_credentials none;

const struct ice_credentials *oa_ice_ours(const struct oa_leg *leg)
{
	return leg->ice ? &leg->ice->now : &none;
}

static bool any_ice(const struct oa_exchange *x)
{
	for (unsigned i = 0; i < x->n_media; i++)
		if (x->media[i].open && x->media[i].ice)
			return true;
	return false;
}

void oa_ice_put_session(struct wbuf *w, const struct oa_exchange *x)
{
	if (any_ice(x))
		wbuf_z(w, "a=ice-lite\r\na=ice-options:ice2\r\n");
}

static bool muxed_before(const struct oa_leg *leg, unsigned t)
{
	return t < leg->n_media && leg->media[t].open && leg->media[t].mux;
}

void oa_ice_put_media(struct wbuf *w, const struct oa_leg *leg, const struct oa_exchange *x, unsigned t)
{
	const struct oa_media *om = &x->media[t];
	const struct oa_local *l = oa_local_of(leg, t);

	if (om->open && om->ice_mismatch && !x->ours)
		wbuf_z(w, "a=ice-mismatch\r\n");
	if (!om->open || !om->ice)
		return;
	const struct ice_lines lines = {
		.credentials = &x->ice,
		.ip = l->advertised.family == IP_NONE ? &l->rtp.ip : &l->advertised,
		.rtp = oa_rtp_port(leg, om, t).port,
		/* Who is offered mux may not take it, unless it has. */
		.rtcp = om->mux && (!x->ours || muxed_before(leg, t)) ? 0 : oa_rtcp_port(leg, om, t).port,
		.end = om->ice_trickle,
	};

	ice_print(&lines, w);
}

bool oa_ice_now(const struct oa_leg *leg, unsigned i, const struct ice_credentials **newest,
	const struct ice_credentials **before)
{
	const struct oa_exchange *x = leg->pending;
	const struct oa_media *now = oa_media_now(leg, i);
	bool told = x && (x->ours || x->answered) && oa_ice_changed(leg, x);
	bool offered = oa_check_expected(leg, i);

	*newest = told ? &x->ice : oa_ice_ours(leg);
	*before = told ? oa_ice_ours(leg) : leg->ice ? &leg->ice->before : &none;
	return offered || (now && now->open && now->ice);
}

uint64_t oa_ice_peer(const struct oa_leg *leg, unsigned i)
{
	const struct oa_exchange *x = leg->pending;
	const struct oa_media *now = oa_media_now(leg, i);

	if (x && x->ours && !x->answered && oa_ice_changed(leg, x))
		return 0;
	return now && now->open && now->ice ? now->ice_answered : 0;
}

bool oa_check_expected(const struct oa_leg *leg, unsigned i)
{
	const struct oa_exchange *x = leg->pending;

	return x && x->ours && !x->answered && i < x->n_media && x->media[i].open && x->media[i].ice;
}

int oa_ice_selected(struct oa_leg *leg, unsigned i, const struct ip_port *remote)
{
	struct oa_place *p;

	if (i >= SDP_MEDIA_MAX)
		return -EINVAL;
	p = oa_place_at(leg, i);
	if (!p)
		return -ENOMEM;
	p->selected = *remote;
	return 0;
}

const struct ip_port *oa_selected(const struct oa_leg *leg, unsigned i)
{
	static const struct ip_port nowhere;

	return i < leg->n_places ? &leg->places[i].selected : &nowhere;
}
