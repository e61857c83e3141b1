/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/recovery/saved_call.h"

#include <errno.h>
#include <string.h>

#include "controlplane/b2bua/recovery/saved_octets.h"

/* Versions that are written. */
enum { STANDS = 4, ENDED = 5, SUCCEEDS = 6 };

enum {
	MEDIA_USED = 1,
	MEDIA_MUX = 2,
	MEDIA_PORTED = 4,
	MEDIA_ICE = 8,
	MEDIA_LIMITED = 16,
	MEDIA_SWAPPED = 32,
	MEDIA_BUNDLED = 64, /* it is on another transport than its own */
	MEDIA_NAMED = 128,  /* what is sent has its MID */
};

static void put_media(struct wbuf *w, const struct saved_media *m, unsigned i)
{
	wbuf_u8(w, (uint8_t)((m->used ? MEDIA_USED : 0) | (m->mux ? MEDIA_MUX : 0) |
			     (m->ported ? MEDIA_PORTED : 0) | (m->ice ? MEDIA_ICE : 0) | (m->swapped ? MEDIA_SWAPPED : 0) |
			     (m->extensions || m->feedback ? MEDIA_LIMITED : 0) |
			     (m->transport != i ? MEDIA_BUNDLED : 0) | (m->mid_sent ? MEDIA_NAMED : 0)));
	if (m->transport != i)
		wbuf_u8(w, m->transport);
	wbuf_u8(w, m->kind);
	wbuf_u8(w, m->proto);
	wbuf_u8(w, m->direction);
	wbuf_u32(w, m->clock_hz);
	if (m->extensions || m->feedback) {
		wbuf_u16(w, m->extensions);
		wbuf_u8(w, m->feedback);
	}
	if (m->mid_sent)
		wbuf_u8(w, m->mid_sent);
	put_address(w, &m->remote);
	put_address(w, &m->remote_rtcp);
	if (m->ported)
		put_address(w, &m->local);
	if (m->ice)
		put_address(w, &m->selected);
	wbuf_u8(w, m->suite);
	if (m->suite == SRTP_SUITE_NONE)
		return;
	wbuf_u32(w, m->rx_epoch);
	wbuf_u32(w, m->tx_epoch);
	wbuf_u8(w, m->mki_len);
	wbuf_bytes(w, m->mki, m->mki_len);
}

static void get_media(struct rbuf *r, struct saved_media *m, unsigned i)
{
	uint8_t flags = rbuf_u8(r);
	const uint8_t *mki;

	m->used = flags & MEDIA_USED;
	m->mux = flags & MEDIA_MUX;
	m->ported = flags & MEDIA_PORTED;
	m->ice = flags & MEDIA_ICE;
	m->swapped = flags & MEDIA_SWAPPED;
	m->transport = flags & MEDIA_BUNDLED ? get_small(r, SDP_MEDIA_MAX - 1) : (uint8_t)i;
	m->kind = get_small(r, SDP_OTHER_KIND);
	m->proto = get_small(r, SDP_PROTO_COUNT - 1);
	m->direction = get_small(r, SDP_SENDRECV);
	m->clock_hz = rbuf_u32(r);
	if (flags & MEDIA_LIMITED) {
		m->extensions = rbuf_u16(r);
		m->feedback = rbuf_u8(r);
	}
	if (flags & MEDIA_NAMED)
		m->mid_sent = get_small(r, DP_MID_EXT_SENT_MAX);
	m->remote = get_address(r);
	m->remote_rtcp = get_address(r);
	if (m->ported)
		m->local = get_address(r);
	if (m->ice)
		m->selected = get_address(r);
	m->suite = get_small(r, SRTP_SUITE_COUNT - 1);
	if (m->suite == SRTP_SUITE_NONE)
		return;
	m->rx_epoch = rbuf_u32(r);
	m->tx_epoch = rbuf_u32(r);
	m->mki_len = get_small(r, DP_MKI_MAX);
	mki = rbuf_bytes(r, m->mki_len);
	if (mki)
		memcpy(m->mki, mki, m->mki_len);
}

enum { DIALOG_UAC = 1, DIALOG_SECURE = 2, DIALOG_REMOTE_SEQ = 4, DIALOG_BEHIND_NAT = 8 };

static void put_dialog(struct wbuf *w, const struct sip_dialog *d)
{
	wbuf_u8(w, (uint8_t)((d->uac ? DIALOG_UAC : 0) | (d->secure ? DIALOG_SECURE : 0) |
			     (d->has_remote_seq ? DIALOG_REMOTE_SEQ : 0) |
			     (d->behind_nat ? DIALOG_BEHIND_NAT : 0)));
	for (const struct str *s = (struct str[]){d->call_id, d->local_tag, d->remote_tag, d->local_uri,
		     d->remote_uri, d->remote_target, {NULL, SIZE_MAX}};
		s->n != SIZE_MAX; s++)
		put_text(w, *s);
	wbuf_u8(w, (uint8_t)d->route_count);
	for (unsigned i = 0; i < d->route_count; i++)
		put_text(w, d->routes[i]);
	wbuf_u32(w, d->local_seq);
	wbuf_u32(w, d->remote_seq);
	wbuf_u32(w, d->invite_seq);
}

static void get_dialog(struct rbuf *r, struct sip_dialog *d, struct str routes[SIP_ROUTES_MAX])
{
	uint8_t flags = get_small(r, DIALOG_UAC | DIALOG_SECURE | DIALOG_REMOTE_SEQ | DIALOG_BEHIND_NAT);

	d->state = SIP_DIALOG_CONFIRMED;
	d->uac = flags & DIALOG_UAC;
	d->secure = flags & DIALOG_SECURE;
	d->has_remote_seq = flags & DIALOG_REMOTE_SEQ;
	d->behind_nat = flags & DIALOG_BEHIND_NAT;
	for (struct str **s = (struct str *[]){&d->call_id, &d->local_tag, &d->remote_tag, &d->local_uri,
		     &d->remote_uri, &d->remote_target, NULL};
		*s; s++)
		**s = get_text(r, TEXT_MAX_OCTETS, false);
	d->route_count = get_small(r, SIP_ROUTES_MAX);
	for (unsigned i = 0; i < d->route_count; i++)
		routes[i] = get_text(r, TEXT_MAX_OCTETS, false);
	d->routes = routes;
	d->local_seq = rbuf_u32(r);
	d->remote_seq = rbuf_u32(r);
	d->invite_seq = rbuf_u32(r);
}

enum { TIMER_OURS = 1, TIMER_UPDATES = 2 };

enum { RENEWAL_DUE = 1, RENEWAL_BARRED = 2, RENEWAL_TRIED = 4, RENEWAL_FLAGS = 7 };

static void put_renewal(struct wbuf *w, const struct saved_renewal *r)
{
	wbuf_u8(w, (uint8_t)((r->due ? RENEWAL_DUE : 0) | (r->barred ? RENEWAL_BARRED : 0) |
			     (r->tried ? RENEWAL_TRIED : 0)));
	wbuf_u8(w, r->result);
	wbuf_u8(w, r->cause);
	wbuf_u32(w, r->failed);
	wbuf_u32(w, r->strangers);
}

static void get_renewal(struct rbuf *r, struct saved_renewal *out)
{
	uint8_t flags = get_small(r, RENEWAL_FLAGS);

	out->due = flags & RENEWAL_DUE;
	out->barred = flags & RENEWAL_BARRED;
	out->tried = flags & RENEWAL_TRIED;
	out->result = get_small(r, REKEY_RESULTS - 1);
	out->cause = get_small(r, REKEY_CAUSES - 1);
	out->failed = rbuf_u32(r);
	out->strangers = rbuf_u32(r);
}

static void put_handshake(struct wbuf *w, const struct saved_handshake *h)
{
	put_text(w, h->version);
	put_text(w, h->cipher);
	put_text(w, h->group);
	wbuf_u8(w, (uint8_t)h->n_peer);
	for (uint32_t i = 0; i < h->n_peer; i++) {
		wbuf_u8(w, h->peer[i].hash);
		wbuf_u8(w, h->peer[i].len);
		wbuf_bytes(w, h->peer[i].octets, h->peer[i].len);
	}
}

static void get_handshake(struct rbuf *r, struct saved_handshake *h)
{
	const uint8_t *octets;

	h->version = get_text(r, NAME_MAX_OCTETS, false);
	h->cipher = get_text(r, NAME_MAX_OCTETS, false);
	h->group = get_text(r, NAME_MAX_OCTETS, false);
	h->n_peer = get_small(r, DTLS_FINGERPRINTS_MAX);
	for (uint32_t i = 0; i < h->n_peer; i++) {
		h->peer[i].hash = get_small(r, DTLS_SHA512);
		h->peer[i].len = get_small(r, DTLS_FINGERPRINT_OCTETS);
		octets = rbuf_bytes(r, h->peer[i].len);
		if (!h->peer[i].hash || !octets)
			r->short_read = true;
		else
			memcpy(h->peer[i].octets, octets, h->peer[i].len);
	}
}

static void put_past(struct wbuf *w, const struct saved_past *p)
{
	put_text(w, p->peer_name);
	put_text(w, p->peer_fingerprint);
	put_handshake(w, &p->handshake);
	for (unsigned i = 0; i < OA_DOWNGRADES; i++)
		wbuf_u32(w, p->downgrades[i]);
}

static void get_past(struct rbuf *r, struct saved_past *p)
{
	p->peer_name = get_text(r, NAME_MAX_OCTETS, false);
	p->peer_fingerprint = get_text(r, NAME_MAX_OCTETS, false);
	get_handshake(r, &p->handshake);
	for (unsigned i = 0; i < OA_DOWNGRADES; i++)
		p->downgrades[i] = rbuf_u32(r);
}

static void put_epoch(struct wbuf *w, const struct key_epoch *e)
{
	wbuf_u32(w, e->number);
	wbuf_u8(w, e->cause);
	wbuf_u8(w, e->transport);
	put_u64(w, e->start_ms);
	wbuf_u8(w, (uint8_t)e->suite);
	put_u64(w, e->before.rx_packets);
	put_u64(w, e->before.rx_octets);
	put_u64(w, e->before.tx_packets);
	put_u64(w, e->before.tx_octets);
}

static void get_epoch(struct rbuf *r, struct key_epoch *e, uint8_t version)
{
	e->number = rbuf_u32(r);
	e->cause = get_small(r, KEY_CAUSES - 1);
	e->transport = version < 3 ? 0 : get_small(r, SDP_MEDIA_MAX - 1);
	e->start_ms = get_u64(r);
	e->suite = (enum srtp_suite)get_small(r, SRTP_SUITE_COUNT - 1);
	e->before.rx_packets = get_u64(r);
	e->before.rx_octets = get_u64(r);
	e->before.tx_packets = get_u64(r);
	e->before.tx_octets = get_u64(r);
}

static void put_more(struct wbuf *w, const struct saved_leg *l)
{
	wbuf_u8(w, (uint8_t)l->n_more);
	for (uint32_t i = 0; i < l->n_more; i++) {
		wbuf_u8(w, l->more[i].transport);
		wbuf_u32(w, l->more[i].keys);
		put_u64(w, l->more[i].keyed_ms);
		put_handshake(w, &l->more[i].handshake);
	}
}

static void get_more(struct rbuf *r, struct saved_leg *l)
{
	l->n_more = get_small(r, SDP_MEDIA_MAX - 1);
	for (uint32_t i = 0; i < l->n_more; i++) {
		l->more[i].transport = get_small(r, SDP_MEDIA_MAX - 1);
		l->more[i].keys = rbuf_u32(r);
		l->more[i].keyed_ms = get_u64(r);
		get_handshake(r, &l->more[i].handshake);
		if (!l->more[i].transport)
			r->short_read = true;
	}
}

/* Of m-lines whose peer was elsewhere when it got the keys in force: few. */
static void put_before(struct wbuf *w, const struct saved_leg *l)
{
	uint8_t n = 0;

	for (uint32_t i = 0; i < l->n_media; i++)
		n += l->media[i].before.ip.family != IP_NONE;
	wbuf_u8(w, n);
	for (uint32_t i = 0; i < l->n_media; i++) {
		if (l->media[i].before.ip.family == IP_NONE)
			continue;
		wbuf_u8(w, (uint8_t)i);
		put_address(w, &l->media[i].before);
		put_address(w, &l->media[i].before_rtcp);
	}
}

static void get_before(struct rbuf *r, struct saved_leg *l)
{
	uint8_t n = get_small(r, SDP_MEDIA_MAX);

	for (uint8_t k = 0; k < n; k++) {
		uint8_t i = get_small(r, SDP_MEDIA_MAX - 1);

		if (i >= l->n_media) {
			r->short_read = true;
			return;
		}
		l->media[i].before = get_address(r);
		l->media[i].before_rtcp = get_address(r);
	}
}

static void put_leg(struct wbuf *w, const struct saved_leg *l)
{
	put_text(w, l->trunk);
	put_text(w, l->listener);
	put_dialog(w, &l->dialog);
	wbuf_u8(w, l->transport);
	put_address(w, &l->remote);
	put_text(w, l->tls_name);
	put_text(w, l->tls_sni);
	put_text(w, l->tls);
	wbuf_u32(w, l->interval_s);
	wbuf_u32(w, l->min_s);
	wbuf_u8(w, (uint8_t)((l->ours ? TIMER_OURS : 0) | (l->peer_updates ? TIMER_UPDATES : 0)));
	put_u64(w, l->due_ms);
	put_text(w, l->sess_id);
	put_text(w, l->sent);
	put_u64(w, l->version);
	put_u64(w, l->sent_version);
	wbuf_u32(w, l->next_epoch);
	wbuf_u32(w, l->burnt_epoch);
	wbuf_u32(w, l->key_epoch);
	wbuf_u32(w, l->keys);
	put_u64(w, l->keyed_ms);
	wbuf_u8(w, (uint8_t)l->n_media);
	for (uint32_t i = 0; i < l->n_media; i++)
		put_media(w, &l->media[i], i);
	put_renewal(w, &l->renewal);
	put_past(w, &l->past);
	wbuf_u8(w, (uint8_t)l->n_epochs);
	for (uint32_t i = 0; i < l->n_epochs; i++)
		put_epoch(w, &l->epochs[i]);
	put_more(w, l);
	wbuf_u32(w, l->agreed_seq);
	put_before(w, l);
}

static void get_leg(struct rbuf *r, struct saved_leg *l, uint8_t version)
{
	uint8_t flags;

	l->trunk = get_text(r, NAME_MAX_OCTETS, false);
	l->listener = get_text(r, NAME_MAX_OCTETS, false);
	get_dialog(r, &l->dialog, l->routes);
	l->transport = get_small(r, SIP_TRANSPORT_COUNT - 1);
	l->remote = get_address(r);
	l->tls_name = get_text(r, NAME_MAX_OCTETS, false);
	l->tls_sni = get_text(r, NAME_MAX_OCTETS, false);
	l->tls = get_text(r, NAME_MAX_OCTETS, false);
	l->interval_s = rbuf_u32(r);
	l->min_s = rbuf_u32(r);
	flags = get_small(r, TIMER_OURS | TIMER_UPDATES);
	l->ours = flags & TIMER_OURS;
	l->peer_updates = flags & TIMER_UPDATES;
	l->due_ms = get_u64(r);
	l->sess_id = get_text(r, NAME_MAX_OCTETS, false);
	l->sent = get_text(r, OA_BODY_MAX - 1, true);
	l->version = get_u64(r);
	l->sent_version = get_u64(r);
	l->next_epoch = rbuf_u32(r);
	l->burnt_epoch = rbuf_u32(r);
	l->key_epoch = rbuf_u32(r);
	l->keys = rbuf_u32(r);
	l->keyed_ms = get_u64(r);
	l->n_media = get_small(r, SDP_MEDIA_MAX);
	for (uint32_t i = 0; i < l->n_media; i++)
		get_media(r, &l->media[i], i);
	if (version < 2)
		return;
	get_renewal(r, &l->renewal);
	get_past(r, &l->past);
	l->n_epochs = get_small(r, KEY_EPOCHS_MAX);
	for (uint32_t i = 0; i < l->n_epochs; i++)
		get_epoch(r, &l->epochs[i], version);
	if (version < 3)
		return;
	get_more(r, l);
	if (version < 4)
		return;
	l->agreed_seq = rbuf_u32(r);
	get_before(r, l);
}

void saved_call_write(const struct saved_call *c, struct wbuf *w)
{
	uint8_t version = c->record.n                                  ? ENDED
			  : c->predecessor[0].n || c->predecessor[1].n ? SUCCEEDS
								       : STANDS;

	wbuf_u8(w, version);
	if (version == ENDED) {
		put_text(w, c->record);
		return;
	}
	put_text(w, c->id);
	put_text(w, c->from);
	put_text(w, c->to);
	wbuf_u8(w, c->max_forwards);
	put_u64(w, c->began_ms);
	put_u64(w, c->answered_ms);
	put_u64(w, c->plane);
	put_u64(w, c->session);
	wbuf_u32(w, c->worker);
	put_leg(w, &c->legs[0]);
	put_leg(w, &c->legs[1]);
	for (unsigned i = 0; version == SUCCEEDS && i < 2; i++)
		put_text(w, c->predecessor[i]);
}

int saved_call_read(const void *data, size_t n, struct saved_call *out)
{
	struct rbuf r = rbuf_make(data, n);
	uint8_t version = rbuf_u8(&r);

	memset(out, 0, sizeof *out);
	if (version == ENDED) {
		out->record = get_text(&r, UINT16_MAX, false);
		return r.short_read || r.left || !out->record.n ? -EPROTO : 0;
	}
	if (version < 1 || version > SUCCEEDS)
		return -EPROTO;
	out->id = get_text(&r, NAME_MAX_OCTETS, false);
	out->from = get_text(&r, NAME_MAX_OCTETS, false);
	out->to = get_text(&r, NAME_MAX_OCTETS, false);
	out->max_forwards = rbuf_u8(&r);
	out->began_ms = get_u64(&r);
	out->answered_ms = get_u64(&r);
	out->plane = get_u64(&r);
	out->session = get_u64(&r);
	out->worker = rbuf_u32(&r);
	get_leg(&r, &out->legs[0], version);
	get_leg(&r, &out->legs[1], version);
	for (unsigned i = 0; version == SUCCEEDS && i < 2; i++)
		out->predecessor[i] = get_text(&r, NAME_MAX_OCTETS, false);
	return r.short_read || r.left ? -EPROTO : 0;
}
