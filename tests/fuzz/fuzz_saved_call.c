/* SPDX-License-Identifier: Apache-2.0 */
/* A record of a call that an earlier process left: refused, or every count and text in it is within bounds,
 * and it says the same when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/recovery/saved_call.h"
#include "controlplane/b2bua/report/record.h"

static void expect(int holds)
{
	if (!holds)
		abort();
}

/* Of a call that has ended: what the audit is to have, in one line. */
static void ended(const struct saved_call *c, struct wbuf *w)
{
	static struct saved_call again;
	struct record_name name;

	for (size_t i = 0; i < c->record.n; i++)
		expect((uint8_t)c->record.p[i] >= ' ' || c->record.p[i] == '\t');
	if (record_name_saved(c->record, &name) == 0)
		expect(strlen(name.call) < sizeof name.call && strlen(name.began) < sizeof name.began);
	saved_call_write(c, w);
	expect(!w->overflow && saved_call_read(w->p, w->len, &again) == 0 && str_eq(c->record, again.record));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct saved_call c, again;
	static char text[SAVED_CALL_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);
	struct sip_dialog *d;

	if (saved_call_read(data, size, &c) < 0)
		return 0;
	if (c.record.n) {
		ended(&c, &w);
		return 0;
	}
	for (unsigned side = 0; side < 2; side++) {
		const struct saved_leg *l = &c.legs[side];

		expect(l->n_media <= SDP_MEDIA_MAX && l->dialog.route_count <= SIP_ROUTES_MAX);
		expect(l->transport < SIP_TRANSPORT_COUNT && l->sent.n < OA_BODY_MAX);
		expect(memchr(l->dialog.remote_target.p, '\n', l->dialog.remote_target.n) == NULL);
		for (unsigned i = 0; i < l->n_media; i++)
			expect(l->media[i].suite < SRTP_SUITE_COUNT && l->media[i].mki_len <= DP_MKI_MAX);
		expect(l->n_epochs <= KEY_EPOCHS_MAX && l->past.handshake.n_peer <= DTLS_FINGERPRINTS_MAX);
		for (unsigned i = 0; i < l->n_epochs; i++)
			expect(l->epochs[i].cause < KEY_CAUSES && l->epochs[i].suite < SRTP_SUITE_COUNT &&
				l->epochs[i].transport < SDP_MEDIA_MAX);
		expect(l->n_more < SDP_MEDIA_MAX);
		for (unsigned i = 0; i < l->n_more; i++)
			expect(l->more[i].transport && l->more[i].transport < SDP_MEDIA_MAX &&
				l->more[i].handshake.n_peer <= DTLS_FINGERPRINTS_MAX);
		expect(l->renewal.result < REKEY_RESULTS && l->renewal.cause < REKEY_CAUSES);
		for (unsigned i = 0; i < l->past.handshake.n_peer; i++)
			expect(l->past.handshake.peer[i].hash != 0 &&
				l->past.handshake.peer[i].len <= DTLS_FINGERPRINT_OCTETS);
		expect(sip_dialog_restore(&l->dialog, &d) == 0);
		sip_dialog_free(d);
	}
	saved_call_write(&c, &w);
	if (w.overflow)
		return 0;
	expect(saved_call_read(w.p, w.len, &again) == 0);
	expect(str_eq(c.id, again.id) && str_eq(c.legs[1].sent, again.legs[1].sent) &&
		str_eq(c.predecessor[0], again.predecessor[0]) &&
		str_eq(c.predecessor[1], again.predecessor[1]) && c.session == again.session &&
		c.legs[0].dialog.local_seq == again.legs[0].dialog.local_seq);
	return 0;
}
