/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/srtcp.h"

#include <string.h>

#include "dataplane/session/session.h"
#include "lib/srtp/index.h"
#include "lib/srtp/rtcp_hdr.h"

static bool refuse(struct packet *p, enum dp_verdict v)
{
	if (p->refused == DP_V_NO_KEY)
		p->refused = (int16_t)v;
	return false;
}

/* The index is on the wire: only the replay test depends on state. */
static bool index_new(struct packet *p, const struct leg_key *k)
{
	const struct source *s = leg_source_find(p->in, p->ssrc, k->era);

	if (!s) {
		const struct retired_source *r = leg_retired_find(p->in, p->ssrc, k->era);

		return !r || p->index >= r->rtcp_end || refuse(p, DP_V_TOO_OLD);
	}
	switch (srtp_replay_peek(leg_rtcp_window(p->in, s), p->index)) {
	case SRTP_REPLAY_SEEN:
		return refuse(p, DP_V_REPLAY);
	case SRTP_REPLAY_OLD:
		return refuse(p, DP_V_TOO_OLD);
	case SRTP_REPLAY_NEW:
		break;
	}
	return true;
}

bool srtcp_rx_try(struct packet *p, const struct leg_key *k, unsigned attempt)
{
	struct srtp_layout l = srtp_layout(k->more->info, k->mki_len, true);
	uint32_t word;
	uint16_t body;

	if (attempt > 0)
		return false;
	if (p->len < RTCP_HDR_LEN + l.total)
		return refuse(p, DP_V_MALFORMED);
	body = p->len - l.total;
	if (!leg_key_named(k, p->data + body + l.mki))
		return false;
	if (leg_key_expired(k, true))
		return refuse(p, DP_V_KEY_EXPIRED);
	word = be32_get(p->data + body + l.index);
	/* Clear SRTCP only where it was agreed on (RFC 4568 section 6.3.2). */
	if (!(word & SRTCP_E_FLAG) && !(p->in->flags & DP_LEG_SRTCP_CLEAR))
		return refuse(p, DP_V_MALFORMED);
	p->index = word & SRTCP_INDEX_MAX;
	if (!index_new(p, k))
		return false;
	p->job.pkt = p->data;
	p->job.len = body;
	p->job.aad_len = RTCP_HDR_LEN;
	p->job.slot = k->slot;
	p->job.index = word;
	p->job.op = CRYPTO_RTCP_UNPROTECT;
	p->job.tag = p->data + body + l.tag;
	p->job.tag_len = l.tag_len;
	return true;
}

int srtcp_tx_prepare(struct packet *p)
{
	struct leg *out = packet_out(p);
	struct srtp_layout layout;
	uint32_t index;

	if (leg_key_expired(&p->to->tx, true) || !srtcp_index_take(&out->far->renumber.srtcp_next, &index))
		return DP_V_KEY_EXPIRED;
	if (!(out->flags & DP_LEG_SRTCP_CLEAR))
		index |= SRTCP_E_FLAG;
	p->job.pkt = p->data;
	p->job.len = p->len;
	p->job.aad_len = RTCP_HDR_LEN;
	p->job.index = index;
	p->job.op = CRYPTO_RTCP_PROTECT;
	p->job.tag = p->data + p->len + leg_key_layout(&p->to->tx, true, &layout)->tag;
	p->job.tag_len = layout.tag_len;
	return PACKET_ON;
}
