/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/early.h"
#include "controlplane/b2bua/reply.h"
#include "controlplane/b2bua/route/passing.h"
#include "controlplane/sip/multipart.h"
#include "lib/base/secret.h"

#define ALLOW "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, MESSAGE"

const char *reply_allow(const struct leg *l)
{
	const struct config_trunk *twin = l->call->legs[!l->side].trunk;

	if (l->trunk->transfer != CONFIG_TRANSFER_REFUSE)
		return ALLOW ", REFER, NOTIFY";
	return twin && twin->transfer != CONFIG_TRANSFER_REFUSE ? ALLOW ", NOTIFY" : ALLOW;
}

#define RETRY_AFTER_MAX_S 86400 /* who wants more is asked again after a day */

/* Quoted-string content: a quote or a backslash in what we say would end it. */
static void put_quotable(struct wbuf *w, const char *text)
{
	for (const char *p = text; *p; p++)
		wbuf_u8(w, *p == '"' || *p == '\\' ? '\'' : (uint8_t)*p);
}

void reply_why(struct sip_builder *b, unsigned status, const char *why)
{
	char text[CALL_REASON_MAX + 64];
	struct wbuf w = wbuf_make(text, sizeof text);

	wbuf_z(&w, "399 srtpgw \"");
	put_quotable(&w, why);
	wbuf_z(&w, "\"");
	if (!w.overflow)
		sip_build_hdr(b, SIP_H_WARNING, wbuf_view(&w));
	w = wbuf_make(text, sizeof text);
	wbuf_fmt(&w, "SIP;cause=%u;text=\"", status);
	put_quotable(&w, why);
	wbuf_z(&w, "\"");
	if (!w.overflow)
		sip_build_hdr(b, SIP_H_REASON, wbuf_view(&w));
}

uint32_t call_random(uint32_t n)
{
	struct secret s = {0};
	uint32_t value;

	/* Without random numbers no call can be set up at all; these only keep peers from keeping step. */
	secret_random(&s, sizeof value);
	memcpy(&value, s.octets, sizeof value);
	return value % n;
}

/*
 * Who hears a 503 with Retry-After sends nothing at all meanwhile (RFC 3261 section 21.5.4), so it says that
 * the gateway takes no new calls, of anybody.
 */
static bool is_of_all_calls(unsigned status, const struct sip_msg *m)
{
	return status == 503 && !m->to_tag.n;
}

static void refuse(struct sip_stx *stx, unsigned status, const char *phrase, const char *why,
	struct str to_tag, bool own)
{
	const struct sip_msg *m = sip_stx_request(stx);
	char buf[CALL_HEAD_MAX];
	struct sip_builder b;

	sip_build_response(&b, buf, sizeof buf, m, status, phrase, to_tag);
	if (why && *why)
		reply_why(&b, status, why);
	if (status == 405 || status == 501)
		sip_build_hdr(&b, SIP_H_ALLOW, STR(ALLOW));
	if (status == 415 || status == 406)
		sip_build_hdr(&b, SIP_H_ACCEPT, STR("application/sdp"));
	if (status == 415)
		sip_build_hdr(&b, SIP_H_ACCEPT_ENCODING, STR("identity"));
	if (status == 422)
		sip_build_hdr_u32(&b, SIP_H_MIN_SE, SESSION_TIMER_MIN_S);
	if (own && status == 500)
		sip_build_hdr_u32(&b, SIP_H_RETRY_AFTER, call_random(11)); /* RFC 3261 section 14.2 */
	if (own && is_of_all_calls(status, m))
		sip_build_hdr_u32(&b, SIP_H_RETRY_AFTER, 2);
	if (sip_build_end(&b, STR(""), STR("")) < 0 || sip_stx_respond(stx, &b) < 0)
		sip_stx_reply(stx, status, phrase, to_tag);
}

void reply_refuse(
	struct sip_stx *stx, unsigned status, const char *phrase, const char *why, struct str to_tag)
{
	refuse(stx, status, phrase, why, to_tag, true);
}

void reply_refuse_for(struct sip_stx *stx, unsigned status, const char *why, struct str to_tag)
{
	refuse(stx, status, NULL, why, to_tag, false);
}

unsigned reply_status(unsigned status)
{
	if (status >= 300 && status < 400)
		return 502; /* a redirection would show the topology */
	if (status == 401 || status == 407)
		return 502; /* the challenge was for us */
	if (status == 503)
		return 500; /* RFC 3261 section 16.7, step 6 */
	return status;
}

bool reply_retry_after(const struct sip_msg *m, uint32_t *seconds)
{
	struct str value = sip_msg_value(m, SIP_H_RETRY_AFTER);
	uint64_t n;
	int rc;

	/* RFC 3261 section 20.33: seconds, perhaps a (comment), perhaps parameters. */
	value = str_cut(&value, ';');
	value = str_trim(str_cut(&value, '('));
	rc = str_to_u64(value, RETRY_AFTER_MAX_S, &n);
	*seconds = rc == 0 ? (uint32_t)n : rc == -ERANGE ? RETRY_AFTER_MAX_S : *seconds;
	return rc == 0 || rc == -ERANGE;
}

void reply_contact(struct sip_builder *b, const struct leg *l)
{
	struct str sent_by = sip_listener_sent_by(l->flow.listener);

	/* RFC 3261 section 8.1.1.8: what follows in the dialog goes over TLS too. */
	sip_build_hdr_fmt(b, SIP_H_CONTACT, "<sip%s:%s@%.*s;transport=%s>", l->call->sips ? "s" : "",
		l->call->id, STR_ARG(sent_by), reply_transport(l->listener));
	sip_build_hdr(b, SIP_H_ALLOW, str_z(reply_allow(l)));
	if (l->trunk->replaces != CONFIG_REPLACES_REFUSE)
		sip_build_hdr(b, SIP_H_SUPPORTED, STR("replaces"));
	if (l->trunk->transfer != CONFIG_TRANSFER_REFUSE)
		sip_build_hdr(b, SIP_H_SUPPORTED, STR("norefersub"));
}

int reply_invite(struct leg *in, unsigned status, const char *phrase, struct str sdp)
{
	char buf[CALL_MESSAGE_MAX];
	struct sip_builder b;
	int err;

	sip_build_response(
		&b, buf, sizeof buf, sip_stx_request(in->stx), status, phrase, str_z(in->local_tag));
	reply_contact(&b, in);
	passing_build(in->call, &b);
	if (status >= 200)
		session_timer_agree(in, &b);
	else if (reliable_wanted(in, sdp.n > 0))
		reliable_begin(in, &b, sdp.n > 0);
	err = sip_build_end(&b, sdp.n ? STR("application/sdp") : STR(""), sdp);
	if (!err)
		err = sip_stx_respond(in->stx, &b);
	/* A datagram that found the socket full is as good as lost on the way: it is sent again. */
	if (err == -ENOBUFS && !sip_transport_reliable(in->flow.transport))
		err = 0;
	mem_wipe(buf, sizeof buf);
	if (!err)
		responses_count(leg_trunk(in)->responses.sent, status);
	return err;
}

bool reply_unsupported(struct sip_stx *stx, const struct sip_msg *m, struct str to_tag)
{
	struct sip_values it = sip_values(m, SIP_H_REQUIRE);
	char buf[CALL_HEAD_MAX];
	struct sip_builder r;
	struct str value;
	bool any = false;

	sip_build_response(&r, buf, sizeof buf, m, 420, NULL, to_tag);
	while (sip_values_next(&it, &value)) {
		if (str_ieq(value, STR("timer")) || str_ieq(value, STR("100rel")) ||
			str_ieq(value, STR("replaces")) ||
			(m->method == SIP_REFER && str_ieq(value, STR("norefersub"))))
			continue;
		sip_build_hdr(&r, SIP_H_UNSUPPORTED, value);
		any = true;
	}
	if (any)
		reply_why(&r, 420, "the request requires an extension that is not known here");
	if (any && (sip_build_end(&r, STR(""), STR("")) < 0 || sip_stx_respond(stx, &r) < 0))
		sip_stx_reply(stx, 420, NULL, to_tag);
	return any;
}

void reply_options(struct b2bua *b, struct sip_stx *stx)
{
	char buf[CALL_HEAD_MAX], tag[SIP_TOKEN_TEXT];
	struct sip_builder r;
	const struct sip_msg *m = sip_stx_request(stx);

	if (sip_msg_hdr(m, SIP_H_REQUIRE) && reply_unsupported(stx, m, sip_token_make(tag)))
		return;
	sip_build_response(&r, buf, sizeof buf, m, b->closing ? 503 : 200, NULL, sip_token_make(tag));
	sip_build_hdr(&r, SIP_H_ALLOW, STR(ALLOW));
	sip_build_hdr(&r, SIP_H_ACCEPT, STR("application/sdp"));
	sip_build_hdr(&r, SIP_H_SUPPORTED, STR("timer, 100rel"));
	if (sip_build_end(&r, STR(""), STR("")) == 0)
		sip_stx_respond(stx, &r);
}

bool reply_takes_sdp(const struct sip_msg *m)
{
	struct sip_values it = sip_values(m, SIP_H_ACCEPT);
	struct str value;

	if (!sip_msg_hdr(m, SIP_H_ACCEPT))
		return true;
	while (sip_values_next(&it, &value)) {
		struct str type = sip_media_type(value);

		if (str_ieq(type, STR("application/sdp")) || str_ieq(type, STR("application/*")) ||
			str_ieq(type, STR("*/*")))
			return true;
	}
	return false;
}

static void note_tls(struct leg *l, const struct tls_info *t)
{
	char text[96];

	snprintf(text, sizeof text, "%s %s %s", t->version, t->cipher, t->group ? t->group : "");
	(void)call_hold(l->call, &l->tls, str_z(text));
	if (!t->has_certificate)
		return;
	(void)call_hold(l->call, &l->peer_name, str_sub(str_z(t->san_count ? t->sans[0] : t->subject), 0, 127));
	(void)call_hold(l->call, &l->peer_fingerprint, str_z(t->fingerprint));
}

void leg_note_remote(struct leg *l, const struct ip_port *remote)
{
	char text[IP_PORT_TEXT_MAX];

	(void)call_hold(l->call, &l->remote, str_z(ip_port_text(remote, text)));
}

void leg_note_flow(struct leg *l, const struct sip_flow *flow)
{
	struct sip_conn_info info;

	leg_note_remote(l, &flow->remote);
	if (sip_net_conn_info(l->call->b->net, flow->conn, &info) == 0 && info.tls)
		note_tls(l, info.tls);
}
