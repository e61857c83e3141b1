/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/srtp_tx.h"

#include <string.h>

#include "dataplane/crypto_run.h"
#include "dataplane/srtcp.h"
#include "dataplane/worker_private.h"
#include "lib/srtp/be.h"
#include "lib/srtp/index.h"

static ASIDE int rtcp_prepare(struct worker *w, struct packet *p)
{
	struct leg_key *k = &p->to->tx;
	int verdict = srtcp_tx_prepare(p);

	if (verdict == PACKET_ON)
		leg_key_used_rtcp(w, packet_out(p), k);
	return verdict;
}

static inline int rtp_prepare(struct worker *w, struct packet *p)
{
	struct leaving *l = &p->to->leaving;

	if (unlikely(l->credit == 0))
		return DP_V_KEY_EXPIRED;
	p->job.pkt = p->data;
	p->job.len = p->len;
	p->job.aad_len = p->rtp.len;
	p->job.index = srtp_index_roc(p->index);
	p->job.op = CRYPTO_RTP_PROTECT;
	p->job.tag = p->data + p->len + (unlikely(l->mki_len) ? p->to->tx.rtp.tag : 0);
	p->job.tag_len = l->tag_len;
	leg_tx_count(p);
	if (unlikely(--l->credit == 0))
		leg_tx_settle(w, packet_out(p));
	return PACKET_ON;
}

int srtp_tx_prepare(struct worker *w, struct packet *p)
{
	const struct leaving *l = &p->to->leaving;
	bool rtcp = p->kind == PACKET_RTCP;
	int verdict;

	if (!l->secure) {
		if (likely(!rtcp))
			leg_tx_count(p);
		return PACKET_ON;
	}
	if (l->suite == SRTP_SUITE_NONE)
		return DP_V_CLEAR_REFUSED;
	verdict = unlikely(rtcp) ? rtcp_prepare(w, p) : rtp_prepare(w, p);
	if (verdict != PACKET_ON)
		return verdict;
	p->job.slot = l->key;
	p->sealed = true;
	crypto_begin(w, &p->job, (enum srtp_suite)l->suite);
	return PACKET_ON;
}

/* Of one with an index or an MKI. */
static ASIDE void trailer_write(struct packet *p)
{
	const struct leg_key *k = &p->to->tx;
	bool rtcp = p->kind == PACKET_RTCP;
	struct srtp_layout rtcp_layout;
	const struct srtp_layout *l = leg_key_layout(k, rtcp, &rtcp_layout);
	uint8_t *at = p->data + p->len;

	memcpy(at + l->mki, k->more->mki, k->mki_len);
	if (rtcp)
		be32_put(at + l->index, p->job.index);
	p->len += l->total;
}

int srtp_tx_trailer(struct worker *w, struct packet *p)
{
	(void)w;
	if (!p->sealed)
		return PACKET_ON;
	if (p->job.status != CRYPTO_OK)
		return DP_V_BACKEND_FAULT;
	if (unlikely(p->kind == PACKET_RTCP || p->to->leaving.mki_len)) {
		trailer_write(p);
		return PACKET_ON;
	}
	p->len += p->job.tag_len;
	return PACKET_ON;
}

/* is_sealed() of one with an index or an MKI. */
static ASIDE bool is_sealed_any(const struct packet *p)
{
	const struct crypto_job *job = &p->job;
	bool rtcp = job->op == CRYPTO_RTCP_PROTECT;
	struct srtp_layout rtcp_layout;
	const struct srtp_layout *l = leg_key_layout(&p->to->tx, rtcp, &rtcp_layout);

	return (rtcp || job->op == CRYPTO_RTP_PROTECT) && job->status == CRYPTO_OK && l->tag_len &&
	       job->tag_len == l->tag_len && job->pkt == p->data && job->len + l->total == p->len &&
	       job->tag == p->data + job->len + l->tag;
}

/* Is the whole packet what the leg's key has sealed, and its tag where it belongs? */
static inline bool is_sealed(const struct packet *p)
{
	const struct leaving *l = &p->to->leaving;
	const struct crypto_job *job = &p->job;

	if (unlikely(!p->sealed || l->suite == SRTP_SUITE_NONE || job->slot != l->key))
		return false;
	/* Neighbours, and compared at once. */
	if (unlikely(l->mki_len || !(job->op == CRYPTO_RTP_PROTECT && job->status == CRYPTO_OK)))
		return is_sealed_any(p);
	return likely(l->tag_len && job->tag_len == l->tag_len && job->pkt == p->data &&
		      job->len + l->tag_len == p->len && job->tag == p->data + job->len);
}

int srtp_tx_verify(struct worker *w, struct packet *p)
{
	(void)w;
	if (!p->to->leaving.secure || likely(is_sealed(p)))
		return PACKET_ON;
	count(&packet_out(p)->far->clear_out, 1);
	return DP_V_CLEAR_REFUSED;
}
