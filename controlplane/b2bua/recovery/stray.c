/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 2xx to an INVITE that is nobody's: the called side has answered a call that went with the process before,
 * or with its own last moment. Whoever answers has a call of which no caller knows, and goes on answering: it
 * is acknowledged and ended, as RFC 3261 section 13.2.2.4 has it for one 2xx too many. Only for known peers
 * and for accounts by their names (after a crash none is registered yet, and an answer proves nothing), and
 * only to where it came from: anybody else could have requests sent to somebody else. And only so many a
 * second, of peers and of accounts each: over UDP anybody may say that he is one. Who answers in earnest does
 * so again until he is heard.
 */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "lib/base/log.h"

#define STRAYS_PER_S 50

/* RFC 3261 section 18.1.2: what is not of our sending answers nothing of ours. */
static bool is_to_us(const struct sip_msg *m, const struct sip_flow *from)
{
	char via[SIP_LINE_MAX];
	struct wbuf w = wbuf_make(via, sizeof via);
	bool v6 = str_chr(m->via.host, ':') >= 0;

	wbuf_fmt(&w, "%s%.*s%s:%u", v6 ? "[" : "", STR_ARG(m->via.host), v6 ? "]" : "", m->via.port);
	return !w.overflow && str_ieq(wbuf_view(&w), sip_listener_sent_by(from->listener));
}

static bool may_end(struct b2bua *b, bool peer)
{
	struct rate_bucket *bucket = &b->strays[peer];
	uint64_t now = timer_now_ms(b->wheel);

	if (!bucket->per_s)
		rate_begin(bucket, STRAYS_PER_S, now);
	return rate_take(bucket, now);
}

/* Its Contact may be another port of the same host's. */
static struct sip_flow way_to(struct b2bua *b, const struct sip_dialog *d, const struct sip_flow *from)
{
	struct sip_flow flow = invite_dialog_flow(b, d);

	return ip_equal(&flow.remote.ip, &from->remote.ip) ? flow : *from;
}

void stray_answered(struct b2bua *b, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_dialog *d;
	struct sip_flow flow;
	uint32_t rate;
	char peer[IP_PORT_TEXT_MAX];
	bool known = b2bua_knows(b, from, &rate);

	if (!m->from_tag.n || !is_to_us(m, from) || (!known && !ingress_of_account(b, m, from)) ||
		!may_end(b, known) || sip_dialog_of_answer(m, from, &d) < 0)
		return;
	log_warn("call", "a call that nobody knows any more was answered: it is ended",
		LS("sip_call_id", m->call_id), LZ("peer", ip_port_text(&from->remote, peer)));
	flow = way_to(b, d, from);
	fork_end(b, d, &flow, "the call that it answers is over, or went with a restart");
	sip_dialog_free(d);
}
