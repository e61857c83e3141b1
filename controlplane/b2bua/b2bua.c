/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/b2bua.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/sip/digest_server.h"
#include "lib/base/clock.h"

int b2bua_new(struct b2bua **out)
{
	struct b2bua *b = calloc(1, sizeof *b);

	if (!b)
		return -ENOMEM;
	TAILQ_INIT(&b->calls);
	TAILQ_INIT(&b->dead);
	TAILQ_INIT(&b->lost);
	TAILQ_INIT(&b->unsure);
	TAILQ_INIT(&b->checkpoint.changed);
	TAILQ_INIT(&b->checkpoint.copied);
	TAILQ_INIT(&b->checkpoint.ended);
	TAILQ_INIT(&b->checkpoint.users_changed);
	TAILQ_INIT(&b->checkpoint.users_copied);
	TAILQ_INIT(&b->trunk_states);
	TAILQ_INIT(&b->registrations);
	TAILQ_INIT(&b->byes);
	users_init(b);
	b->began_ms = clock_wall_ms();
	metrics_init(b);
	b->dialogs = sip_dialogs_new();
	b->texts = texts_new();
	if (!b->dialogs || !b->texts || digest_server_new(&b->digest) < 0 || hash_key_make(&b->loop_key) < 0) {
		b2bua_free(b);
		return -ENOMEM;
	}
	/* Ids of one run rarely meet those of the last in logs; they say nothing and protect nothing. */
	b->next_id = (uint32_t)(clock_wall_ms() / 1000) << 8;
	*out = b;
	return 0;
}

void b2bua_close(struct b2bua *b)
{
	if (!b)
		return;
	/* What it has of calls that go on is not to be deleted. */
	if (b->leaving)
		dp_client_leave(b->client);
	operate_forget(b);
	if (b->audit)
		timer_cancel(b->wheel, &b->audit_timer);
	registration_forget(b);
	bye_forget(b);
	call_table_clear_ended(b);
	checkpoint_close(b);
	users_forget(b);
	call_table_clear(b);
}

void b2bua_free(struct b2bua *b)
{
	if (!b)
		return;
	call_table_free(b);
	if (b->dialogs)
		sip_dialogs_free(b->dialogs);
	texts_free(b->texts);
	digest_server_free(b->digest);
	generation_unref(b->now);
	dtls_identity_unref(b->identity);
	free(b);
}

void b2bua_attach(struct b2bua *b, const struct b2bua_layers *layers)
{
	b->dns = layers->dns;
	b->net = layers->net;
	b->txl = layers->txl;
	b->wheel = layers->wheel;
	b->sip_counters = layers->sip_counters;
	b->client = layers->client;
	b->ports = layers->ports;
	b->dtls = layers->dtls;
	b->notify = layers->notify;
	b->trace = layers->trace;
}

void b2bua_shutdown(struct b2bua *b)
{
	b->closing = true;
	b->leaving = LEAVING_NOT;
	registration_shutdown(b);
	for (struct call *c = call_first(b); c; c = call_after(c)) {
		c->end.retry_after = 2;
		call_release(c, NULL, 503, "the gateway is shutting down");
	}
}

unsigned b2bua_call_count(const struct b2bua *b)
{
	return b->n_calls;
}

const struct b2bua_counters *b2bua_counters(const struct b2bua *b)
{
	return &b->counters;
}

/* It is not where it was: on another connection, or at another port of its NAT. */
static bool has_moved(
	struct b2bua *b, const struct sip_dialog *d, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_conn_info info;

	if (d->behind_nat)
		return m->via.rport && !ip_port_equal(&from->remote, &d->flow.remote);
	return from->conn && from->conn != d->flow.conn &&
	       !(d->flow.conn && sip_net_conn_info(b->net, d->flow.conn, &info) == 0);
}

/*
 * A peer whose connection is gone, as after a restart of ours, may have made another, and NAT may have
 * forgotten it: what we ask in the dialog goes to where it is now, if it is of the same trunk.
 */
static void follow(struct b2bua *b, struct leg *l, const struct sip_msg *m, const struct sip_flow *from)
{
	const struct config_trunk *t;

	if (!l->dialog || !has_moved(b, l->dialog, m, from))
		return;
	t = ingress_identify(b, m, from);
	if (!t || strcmp(t->name, l->trunk->name) != 0)
		return;
	l->dialog->flow.conn = from->conn;
	if (l->dialog->behind_nat)
		l->dialog->flow.remote = from->remote;
}

/* A request in a dialog of ours: it must be of the leg's own trunk in every respect that its dialog was. */
static void in_dialog(struct b2bua *b, struct sip_dialog *d, struct sip_stx *stx, const struct sip_msg *m)
{
	struct leg *l = d->user;
	struct str tag = str_z(l->local_tag);
	unsigned refuse;

	if (d != l->dialog) {
		fork_request(l, d, stx, m);
		return;
	}
	refuse = sip_dialog_request(d, m);
	if (refuse) {
		reply_refuse(stx, refuse, NULL, "CSeq is out of order", tag);
		return;
	}
	if (m->has_max_forwards && m->max_forwards == 0 &&
		(m->method == SIP_INVITE || m->method == SIP_INFO || m->method == SIP_MESSAGE)) {
		b->counters.refused_loop++;
		reply_refuse(stx, 483, NULL, "Max-Forwards is used up", tag);
		return;
	}
	switch (m->method) {
	case SIP_INFO:
	case SIP_MESSAGE:
		relay_in_call(l, stx, m);
		break;
	case SIP_BYE:
		release_in_bye(l, stx);
		break;
	case SIP_INVITE:
		if (l->call->state == CALL_ENDING)
			reply_refuse(stx, 481, NULL, "the call is ending", tag);
		else
			exchange_reinvite(l, stx, m);
		break;
	case SIP_PRACK:
		reliable_prack(l, stx, m);
		break;
	case SIP_UPDATE:
		if (l->call->state == CALL_ENDING)
			reply_refuse(stx, 481, NULL, "the call is ending", tag);
		else
			update_received(l, stx, m);
		break;
	case SIP_REFER:
		refer_received(l, stx, m);
		break;
	case SIP_NOTIFY:
		refer_notified(l, stx, m);
		break;
	case SIP_OPTIONS:
		reply_options(b, stx);
		break;
	default:
		reply_refuse(stx, m->method == SIP_METHOD_OTHER ? 501 : 405, NULL,
			"this method is not supported in a call", tag);
	}
}

static void request(void *user, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from)
{
	struct b2bua *b = user;
	char tag[SIP_TOKEN_TEXT];

	if (m->to_tag.n) {
		struct sip_dialog *d = sip_dialogs_find(b->dialogs, m);

		if (!d)
			reply_refuse(stx, 481, NULL, "no such dialog here", STR(""));
		else if (d->flow.listener != from->listener)
			reply_refuse(stx, 481, NULL, "no such dialog on this listener", STR(""));
		else {
			sip_net_admit(b->net, from);
			follow(b, d->user, m, from);
			in_dialog(b, d, stx, m);
		}
		return;
	}
	switch (m->method) {
	case SIP_INVITE:
		ingress_invite(b, stx, m, from);
		break;
	case SIP_OPTIONS:
		reply_options(b, stx);
		break;
	case SIP_MESSAGE:
		relay_message(b, stx, m, from);
		break;
	case SIP_REGISTER:
		registrar_register(b, stx, m, from);
		break;
	case SIP_BYE:
	case SIP_INFO:
	case SIP_PRACK:
	case SIP_UPDATE:
	case SIP_NOTIFY:
		reply_refuse(stx, 481, NULL, "the request names no dialog", sip_token_make(tag));
		break;
	default:
		reply_refuse(stx, m->method == SIP_METHOD_OTHER ? 501 : 405, NULL,
			"this method is not supported", sip_token_make(tag));
	}
}

static void ack(void *user, const struct sip_msg *m, const struct sip_flow *from)
{
	struct b2bua *b = user;
	struct sip_dialog *d = sip_dialogs_find(b->dialogs, m);

	if (d && d->flow.listener == from->listener)
		exchange_acked(d->user, m);
	else
		sip_txl_stray_ack(b->txl);
}

static void answer(void *user, const struct sip_msg *m, const struct sip_flow *from)
{
	struct b2bua *b = user;
	struct sip_dialog *d = sip_dialogs_named(b->dialogs, m->call_id, m->from_tag, m->to_tag);

	if (!d)
		stray_answered(b, m, from);
	else if (d->flow.listener == from->listener)
		revive_answered(d->user, m);
}

static void late(void *user, const struct sip_msg *m, const struct sip_flow *flow)
{
	fork_late(user, m, flow, NULL);
}

const struct sip_tu b2bua_tu = {.request = request, .ack = ack, .answer = answer, .late = late};
