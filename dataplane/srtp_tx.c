/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/srtp_tx.h"

#include <string.h>

#include "dataplane/crypto_run.h"
#include "dataplane/srtcp.h"
#include "dataplane/worker_private.h"
#include "lib/srtp/be.h"
#include "lib/srtp/index.h"
#include "lib/srtp/tag.h"

static int rtp_prepare(struct packet *p)
{
	struct leg_key *k = &p->to->tx;

	if (leg_key_expired(k, false))
		return DP_V_KEY_EXPIRED;
	p->job.pkt = p->data;
	p->job.len = p->len;
	p->job.aad_len = p->rtp.len;
	p->job.index = srtp_index_roc(p->index);
	p->job.op = CRYPTO_RTP_PROTECT;
	p->job.tag_len = k->rtp.tag_len;
	return PACKET_ON;
}

int srtp_tx_prepare(struct worker *w, struct packet *p)
{
	struct leg_key *k = &p->to->tx;
	bool rtcp = p->kind == PACKET_RTCP;
	int verdict;

	if (!p->to->leaving.secure)
		return PACKET_ON;
	if (k->role != KEY_CURRENT)
		return DP_V_CLEAR_REFUSED;
	verdict = rtcp ? srtcp_tx_prepare(p) : rtp_prepare(p);
	if (verdict != PACKET_ON)
		return verdict;
	p->job.slot = k->slot;
	p->sealed = true;
	leg_key_used(w, packet_out(p), k, p->len, rtcp);
	crypto_begin(w, &p->job, k->suite);
	return PACKET_ON;
}

int srtp_tx_trailer(struct worker *w, struct packet *p)
{
	const struct leg_key *k = &p->to->tx;
	bool rtcp = p->kind == PACKET_RTCP;
	struct srtp_layout rtcp_layout;
	const struct srtp_layout *l;
	uint8_t *at = p->data + p->len;

	(void)w;
	if (!p->sealed)
		return PACKET_ON;
	if (p->job.status != CRYPTO_OK)
		return DP_V_BACKEND_FAULT;
	l = leg_key_layout(k, rtcp, &rtcp_layout);
	srtp_tag_copy(at + l->tag, p->job.tag, l->tag_len);
	if (unlikely(k->mki_len))
		memcpy(at + l->mki, k->more->mki, k->mki_len);
	if (unlikely(rtcp))
		be32_put(at + l->index, p->job.index);
	p->len += l->total;
	return PACKET_ON;
}

/* Does what lies behind the packet say that the leg's key has sealed it? */
static inline bool is_sealed(const struct packet *p)
{
	const struct leg_key *k = &p->to->tx;
	bool rtcp = p->job.op == CRYPTO_RTCP_PROTECT;
	struct srtp_layout rtcp_layout;
	const struct srtp_layout *l;

	if (p->job.status != CRYPTO_OK || k->role != KEY_CURRENT || p->job.slot != k->slot ||
		!(rtcp || p->job.op == CRYPTO_RTP_PROTECT))
		return false;
	l = leg_key_layout(k, rtcp, &rtcp_layout);
	return l->tag_len && p->job.tag_len == l->tag_len && p->len > l->total &&
	       srtp_tag_equal(p->data + p->len - l->total + l->tag, p->job.tag, l->tag_len);
}

int srtp_tx_verify(struct worker *w, struct packet *p)
{
	(void)w;
	if (!p->to->leaving.secure || likely(is_sealed(p)))
		return PACKET_ON;
	count(&packet_out(p)->far->clear_out, 1);
	return DP_V_CLEAR_REFUSED;
}
