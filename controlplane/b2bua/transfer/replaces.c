/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/transfer/replaces.h"

#include <errno.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/transfer/pickup.h"
#include "lib/base/log.h"

int replaces_read(struct str value, struct replaces *out)
{
	struct str params = value, none;

	*out = (struct replaces){.call_id = str_trim(str_cut(&params, ';'))};
	out->early_only = sip_param(params, STR("early-only"), &none);
	if (!out->call_id.n || !sip_param(params, STR("to-tag"), &out->to_tag) || !out->to_tag.n ||
		!sip_param(params, STR("from-tag"), &out->from_tag) || !out->from_tag.n)
		return -EINVAL;
	return 0;
}

bool replaces_in_uri(struct str headers, char text[REPLACES_TEXT_MAX])
{
	while (headers.n) {
		struct str header = str_cut(&headers, '&');

		if (!str_ieq(str_cut(&header, '='), STR("Replaces")))
			continue;
		if (text) {
			int n = sip_unescape(header, text, REPLACES_TEXT_MAX - 1);

			text[n < 0 ? 0 : n] = '\0';
		}
		return true;
	}
	return false;
}

struct leg *replaces_find(struct b2bua *b, const struct replaces *r)
{
	struct sip_dialog *d = sip_dialogs_named(b->dialogs, r->call_id, r->to_tag, r->from_tag);
	struct leg *l = d ? d->user : NULL;

	/* While it rings every branch of a fork is as good as another; afterwards one alone stands for the
	 * party. */
	return l && (l->dialog == d || !l->established) ? l : NULL;
}

/* Why the leg is not replaced by a caller of this trunk, with the status; NULL: it is. */
static const char *hindered(const struct leg *l, const struct replaces *r, const struct config_trunk *t,
	bool sips, unsigned *status)
{
	const struct leg *stays;
	const char *why;

	*status = 481;
	if (!l)
		return "Replaces names no dialog of the gateway";
	*status = 403;
	if (t->replaces == CONFIG_REPLACES_SAME_TRUNK && strcmp(l->trunk->name, t->name) != 0)
		return "Replaces names a dialog of another trunk (the trunk's replaces policy is same-trunk)";
	*status = 603;
	if (l->call->state == CALL_ENDING || l->ended)
		return "Replaces names a dialog that has ended";
	*status = 481;
	if (!l->established && l->side == DP_SIDE_A)
		return "Replaces names a dialog that is not confirmed, and that the gateway did not begin";
	*status = 486;
	if (l->established && r->early_only)
		return "Replaces names a dialog that is confirmed already (early-only)";
	stays = leg_twin((struct leg *)l);
	if ((why = (l->established ? succession_hindered : pickup_hindered)(stays, status))) {
		/* Of another dialog than the INVITE's: nothing of its CSeq is in the way, and it may try
		 * again. */
		*status = *status == 491 ? 500 : *status;
		return why;
	}
	*status = 480;
	return sips && !sip_transport_secure(stays->flow.transport)
		       ? "a sips: URI was called, and the other side's signalling is not encrypted"
		       : NULL;
}

static void begin(struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m, const struct sip_flow *from,
	const struct config_trunk *t, struct leg *replaced)
{
	struct call *c = call_new(b);

	if (!c) {
		ingress_refuse(b, stx, t, &b->counters.refused_limit, 503, "no memory for another call");
		return;
	}
	c->sips = m->uri.scheme == SIP_SCHEME_SIPS;
	(replaced->established ? succession_borrow : pickup_borrow)(&c->legs[DP_SIDE_B], leg_twin(replaced));
	log_info("call", "a party is to be replaced", LZ("call", replaced->call->id), LZ("as", c->id),
		LZ("of", replaced->trunk->name), LZ("by", t->name), LS("sip_call_id", m->call_id));
	ingress_begin(c, stx, m, from, t);
}

void replaces_invite(struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m,
	const struct sip_flow *from, const struct config_trunk *t)
{
	struct sip_values it = sip_values(m, SIP_H_REPLACES);
	struct str value = STR(""), other;
	uint64_t *counter = &b->counters.refused_replaces, *over;
	struct replaces r;
	struct leg *l;
	unsigned status;
	const char *why;

	if (t->replaces == CONFIG_REPLACES_REFUSE) {
		ingress_refuse(b, stx, t, counter, 403,
			"this trunk may not replace parties of calls (its replaces policy)");
	} else if (!sip_values_next(&it, &value) || sip_values_next(&it, &other) ||
		   replaces_read(value, &r) < 0) {
		ingress_refuse(
			b, stx, t, counter, 400, "Replaces is one Call-ID with a to-tag and a from-tag");
	} else if ((why = hindered(
			    l = replaces_find(b, &r), &r, t, m->uri.scheme == SIP_SCHEME_SIPS, &status))) {
		ingress_refuse(b, stx, t, counter, status, why);
	} else if ((over = call_inadmissible(b, t, &why))) {
		ingress_refuse(b, stx, t, over, 503, why);
	} else {
		begin(b, stx, m, from, t, l);
	}
}
