/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/recovery/saved_binding.h"

#include <errno.h>

#include "controlplane/b2bua/recovery/saved_octets.h"
#include "controlplane/sip/uri.h"

#define Q_MAX 1000

/* What would not be read is not written: the registration is then not kept at all. */
static void put(struct wbuf *w, struct str s, size_t most)
{
	w->overflow |= s.n > most;
	put_text(w, s);
}

void saved_binding_write(const struct saved_binding *s, struct wbuf *w)
{
	wbuf_u8(w, SAVED_BINDING_VERSION);
	put(w, s->trunk, NAME_MAX_OCTETS);
	put(w, s->user, NAME_MAX_OCTETS);
	put(w, s->contact, NAME_MAX_OCTETS);
	put(w, s->instance, NAME_MAX_OCTETS);
	put(w, s->path, SIP_LINE_MAX);
	put(w, str_sub(s->agent, 0, NAME_MAX_OCTETS), NAME_MAX_OCTETS); /* for people */
	put(w, s->call_id, TEXT_MAX_OCTETS);
	wbuf_u32(w, s->reg_id);
	wbuf_u32(w, s->cseq);
	wbuf_u16(w, s->q);
	wbuf_u8(w, (uint8_t)s->transport);
	put_address(w, &s->remote);
	put_address(w, &s->local);
	put_u64(w, s->since_ms);
	put_u64(w, s->ends_ms);
}

/* Requests can be sent to it. */
static bool is_contact(struct str text)
{
	struct sip_uri uri;

	return sip_uri_parse(text, &uri) == 0 &&
	       (uri.scheme == SIP_SCHEME_SIP || uri.scheme == SIP_SCHEME_SIPS);
}

static bool is_place(const struct ip_port *a)
{
	return a->ip.family != IP_NONE && a->port;
}

int saved_binding_read(const void *data, size_t n, struct saved_binding *out)
{
	struct rbuf r = rbuf_make(data, n);

	*out = (struct saved_binding){0};
	if (rbuf_u8(&r) != SAVED_BINDING_VERSION)
		return -EPROTO;
	out->trunk = get_text(&r, NAME_MAX_OCTETS, false);
	out->user = get_text(&r, NAME_MAX_OCTETS, false);
	out->contact = get_text(&r, NAME_MAX_OCTETS, false);
	out->instance = get_text(&r, NAME_MAX_OCTETS, false);
	out->path = get_text(&r, SIP_LINE_MAX, false);
	out->agent = get_text(&r, NAME_MAX_OCTETS, false);
	out->call_id = get_text(&r, TEXT_MAX_OCTETS, false);
	out->reg_id = rbuf_u32(&r);
	out->cseq = rbuf_u32(&r);
	out->q = rbuf_u16(&r);
	out->transport = (enum sip_transport)get_small(&r, SIP_TRANSPORT_COUNT - 1);
	out->remote = get_address(&r);
	out->local = get_address(&r);
	out->since_ms = get_u64(&r);
	out->ends_ms = get_u64(&r);
	if (r.short_read || r.left || out->q > Q_MAX || !out->trunk.n || !out->user.n ||
		!is_contact(out->contact))
		return -EPROTO;
	return is_place(&out->remote) && is_place(&out->local) ? 0 : -EPROTO;
}
