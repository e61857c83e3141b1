/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/event.h"

#include "dataplane/ice_lite.h"
#include "dataplane/worker_private.h"

void event_mark(struct worker *w, struct leg *leg, enum leg_event event)
{
	leg->far->events |= (uint8_t)event;
	if (leg->far->queued)
		return;
	leg->far->queued = true;
	STAILQ_INSERT_TAIL(&w->events, leg, far->next_event);
}

void event_forget(struct worker *w, struct leg *leg)
{
	if (leg->far->queued)
		STAILQ_REMOVE(&w->events, leg, leg, far->next_event);
	leg->far->queued = false;
	leg->far->events = 0;
}

static void limit_fill(union dp_msg *m, const struct leg *leg, const struct leg_limit *l, bool tx)
{
	dp_msg_init(m, DP_KEY_SOFT_LIMIT, 0);
	m->key_soft_limit.session = leg->far->session->id;
	m->key_soft_limit.leg = leg->number;
	m->key_soft_limit.direction = tx ? DP_KEY_TX : DP_KEY_RX;
	m->key_soft_limit.limit = l->limit;
	m->key_soft_limit.epoch = l->epoch;
	m->key_soft_limit.packets = l->packets;
	m->key_soft_limit.octets = l->octets;
}

static void event_fill(union dp_msg *m, struct leg *leg, enum leg_event event)
{
	switch (event) {
	case LEG_EVENT_TIMEOUT:
		dp_msg_init(m, DP_MEDIA_TIMEOUT, 0);
		m->media_timeout.session = leg->far->session->id;
		m->media_timeout.leg = leg->number;
		break;
	case LEG_EVENT_REMOTE:
		dp_msg_init(m, DP_REMOTE_CHANGED, 0);
		m->remote_changed.session = leg->far->session->id;
		m->remote_changed.leg = leg->number;
		m->remote_changed.remote = leg_rtp(leg)->remote;
		break;
	case LEG_EVENT_CHECKPOINT:
		dp_msg_init(m, DP_INDEX_CHECKPOINT, 0);
		m->index_checkpoint.session = leg->far->session->id;
		m->index_checkpoint.leg = leg->number;
		m->index_checkpoint.ssrc = leg->far->checkpoint_ssrc;
		m->index_checkpoint.roc = leg->far->checkpoint_roc;
		m->index_checkpoint.srtcp_index = leg->far->renumber.srtcp_next;
		break;
	case LEG_EVENT_LIMIT_RX:
		limit_fill(m, leg, &leg->far->limit_rx, false);
		break;
	case LEG_EVENT_LIMIT_TX:
		limit_fill(m, leg, &leg->far->limit_tx, true);
		break;
	case LEG_EVENT_ATTACK:
		dp_msg_init(m, DP_LEG_ATTACKED, 0);
		m->leg_attacked.session = leg->far->session->id;
		m->leg_attacked.leg = leg->number;
		m->leg_attacked.failures = leg->far->guard.failed;
		m->leg_attacked.policed = leg->far->guard.policed;
		leg->far->guard.failed = leg->far->guard.policed = 0;
		break;
	case LEG_EVENT_CONSENT:
		dp_msg_init(m, DP_CONSENT_LOST, 0);
		m->consent_lost.session = leg->far->session->id;
		m->consent_lost.leg = leg->number;
		m->consent_lost.silent_ms = leg->far->ice->silent_ms;
		break;
	}
}

void event_flush(struct worker *w)
{
	struct leg *leg;

	while ((leg = STAILQ_FIRST(&w->events))) {
		while (leg->far->events) {
			enum leg_event event = (enum leg_event)(leg->far->events & -leg->far->events);
			union dp_msg *m = mailbox_event(&w->mailbox);

			if (!m)
				return;
			event_fill(m, leg, event);
			mailbox_event_send(&w->mailbox, m);
			w->reported = true;
			leg->far->events &= (uint8_t)~event;
		}
		STAILQ_REMOVE_HEAD(&w->events, far->next_event);
		leg->far->queued = false;
	}
}
