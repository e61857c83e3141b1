/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/recovery/saved_setup.h"

#include <errno.h>

#include "controlplane/b2bua/recovery/saved_octets.h"

/* What would not be read is not written. */
static void put(struct wbuf *w, struct str s, size_t most)
{
	w->overflow |= s.n > most;
	put_text(w, s);
}

static void put_way(struct wbuf *w, const struct saved_way *way)
{
	put(w, way->listener, NAME_MAX_OCTETS);
	wbuf_u8(w, way->transport);
	put_address(w, &way->remote);
	put(w, way->tls_name, NAME_MAX_OCTETS);
	put(w, way->tls_sni, NAME_MAX_OCTETS);
}

static void get_way(struct rbuf *r, struct saved_way *way)
{
	way->listener = get_text(r, NAME_MAX_OCTETS, false);
	way->transport = get_small(r, SIP_TRANSPORT_COUNT - 1);
	way->remote = get_address(r);
	way->tls_name = get_text(r, NAME_MAX_OCTETS, false);
	way->tls_sni = get_text(r, NAME_MAX_OCTETS, false);
}

static void put_invite(struct wbuf *w, const struct saved_invite *i)
{
	put(w, i->head, SIP_HEAD_MAX);
	if (i->head.n)
		put_way(w, &i->way);
}

static void get_invite(struct rbuf *r, struct saved_invite *i)
{
	i->head = get_text(r, SIP_HEAD_MAX, true);
	if (i->head.n)
		get_way(r, &i->way);
}

void saved_setup_write(const struct saved_setup *s, struct wbuf *w)
{
	wbuf_u8(w, SAVED_SETUP_VERSION);
	put(w, s->from, NAME_MAX_OCTETS);
	put(w, s->to, NAME_MAX_OCTETS);
	put_u64(w, s->began_ms);
	for (unsigned side = 0; side < 2; side++) {
		put(w, s->trunk[side], NAME_MAX_OCTETS);
		put(w, s->tls[side], NAME_MAX_OCTETS);
		put(w, s->peer_name[side], NAME_MAX_OCTETS);
		put(w, s->peer_fingerprint[side], NAME_MAX_OCTETS);
	}
	put(w, s->tag, NAME_MAX_OCTETS);
	put_invite(w, &s->in);
	wbuf_u8(w, (uint8_t)s->n_out);
	for (uint32_t i = 0; i < s->n_out; i++)
		put_invite(w, &s->out[i]);
}

int saved_setup_read(const void *data, size_t n, struct saved_setup *out)
{
	struct rbuf r = rbuf_make(data, n);

	*out = (struct saved_setup){0};
	if (rbuf_u8(&r) != SAVED_SETUP_VERSION)
		return -EPROTO;
	out->from = get_text(&r, NAME_MAX_OCTETS, false);
	out->to = get_text(&r, NAME_MAX_OCTETS, false);
	out->began_ms = get_u64(&r);
	for (unsigned side = 0; side < 2; side++) {
		out->trunk[side] = get_text(&r, NAME_MAX_OCTETS, false);
		out->tls[side] = get_text(&r, NAME_MAX_OCTETS, false);
		out->peer_name[side] = get_text(&r, NAME_MAX_OCTETS, false);
		out->peer_fingerprint[side] = get_text(&r, NAME_MAX_OCTETS, false);
	}
	out->tag = get_text(&r, NAME_MAX_OCTETS, false);
	get_invite(&r, &out->in);
	out->n_out = get_small(&r, SAVED_INVITES_MAX);
	for (uint32_t i = 0; i < out->n_out; i++)
		get_invite(&r, &out->out[i]);
	return r.short_read || r.left ? -EPROTO : 0;
}
