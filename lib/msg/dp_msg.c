/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/msg/dp_msg.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/secret.h"

#define ROW(t, member) [t] = {#t, sizeof(((union dp_msg *)0)->member)}

static const struct {
	const char *name;
	size_t size;
} types[] = {
	ROW(DP_HELLO, hello),
	ROW(DP_CONFIGURE, configure),
	ROW(DP_SESSION_ADD, session_add),
	ROW(DP_LEG_UPDATE, leg_update),
	ROW(DP_KEY_ADD, key_add),
	ROW(DP_KEY_RETIRE, key_retire),
	ROW(DP_SESSION_DEL, session_del),
	ROW(DP_LIST, list),
	ROW(DP_STATS, stats),
	ROW(DP_PUNT_TX, punt),
	ROW(DP_WELCOME, welcome),
	ROW(DP_ACK, ack),
	ROW(DP_DELETED, deleted),
	ROW(DP_KEY_SOFT_LIMIT, key_soft_limit),
	ROW(DP_INDEX_CHECKPOINT, index_checkpoint),
	ROW(DP_MEDIA_TIMEOUT, media_timeout),
	ROW(DP_REMOTE_CHANGED, remote_changed),
	ROW(DP_PUNT_RX, punt),
	ROW(DP_LIST_PAGE, list_page),
	ROW(DP_STATS_GLOBAL, stats_global),
	ROW(DP_STATS_LEG, stats_leg),
	ROW(DP_ALARM, alarm),
	ROW(DP_LEG_ICE, leg_ice),
	ROW(DP_CONSENT_LOST, consent_lost),
	ROW(DP_LEG_ATTACKED, leg_attacked),
	ROW(DP_STATS_PORT, stats_port),
};

#define TYPES (sizeof types / sizeof *types)

static const char *const verdicts[DP_V_COUNT] = {
	[DP_V_RELAYED] = "relayed",
	[DP_V_NO_LEG] = "no_leg",
	[DP_V_MALFORMED] = "malformed",
	[DP_V_WRONG_SOURCE] = "wrong_source",
	[DP_V_TRIAL_LIMIT] = "trial_limit",
	[DP_V_AUTH_FAIL] = "auth_fail",
	[DP_V_REPLAY] = "replay",
	[DP_V_TOO_OLD] = "too_old",
	[DP_V_NO_KEY] = "no_key",
	[DP_V_CLEAR_REFUSED] = "clear_refused",
	[DP_V_DIRECTION] = "direction",
	[DP_V_NO_REMOTE] = "no_remote",
	[DP_V_NO_STREAM] = "no_stream",
	[DP_V_SSRC_LIMIT] = "ssrc_limit",
	[DP_V_DUPLICATE_OUT] = "duplicate_out",
	[DP_V_KEY_EXPIRED] = "key_expired",
	[DP_V_NEIGHBOUR] = "neighbour",
	[DP_V_TOO_LONG] = "too_long",
	[DP_V_HELD_EXPIRED] = "held_expired",
	[DP_V_PUNTED] = "punted",
	[DP_V_PUNT_FULL] = "punt_full",
	[DP_V_BACKEND_FAULT] = "backend_fault",
	[DP_V_BACKEND_FULL] = "backend_full",
	[DP_V_TX_FULL] = "tx_full",
	[DP_V_HANDOVER_FULL] = "handover_full",
	[DP_V_FEEDBACK] = "feedback",
	[DP_V_ICE] = "ice",
	[DP_V_ICE_REFUSED] = "ice_refused",
	[DP_V_ICE_UNAUTHENTIC] = "ice_unauthentic",
	[DP_V_ICE_LIMIT] = "ice_limit",
	[DP_V_POLICED] = "policed",
};

_Static_assert(DP_V_COUNT <= DP_VERDICTS_MAX, "a verdict has no room in the messages");

const char *dp_type_name(enum dp_type type)
{
	return (unsigned)type < TYPES && types[type].name ? types[type].name : "unknown";
}

size_t dp_type_size(enum dp_type type)
{
	return (unsigned)type < TYPES ? types[type].size : 0;
}

const char *dp_verdict_name(enum dp_verdict v)
{
	return (unsigned)v < DP_V_COUNT ? verdicts[v] : "unknown";
}

void dp_msg_init(union dp_msg *m, enum dp_type type, uint64_t seq)
{
	size_t n = dp_type_size(type);

	memset(m, 0, n ? n : sizeof m->h);
	m->h.version = DP_MSG_VERSION;
	m->h.type = (uint16_t)type;
	m->h.length = (uint32_t)n;
	m->h.seq = seq;
}

void dp_msg_wipe(union dp_msg *m)
{
	if (m->h.type == DP_KEY_ADD)
		mem_wipe(m, sizeof m->key_add);
	else if (m->h.type == DP_LEG_ICE)
		mem_wipe(m, sizeof m->leg_ice);
}

/* The checks below return what is wrong with a message, NULL when nothing is. */

/* Of IPv4 what an address does not fill is zero: sums and comparisons go over all of it. */
static bool ip_ok(const struct ip_addr *ip, bool may_be_none)
{
	static const uint8_t zero[sizeof ip->octets - 4];

	if (ip->family == IP_V4)
		return memcmp(ip->octets + 4, zero, sizeof zero) == 0;
	return ip->family == IP_V6 || (may_be_none && ip->family == IP_NONE);
}

static bool text_ends(const char *s, size_t cap)
{
	return memchr(s, 0, cap) != NULL;
}

static const char *configure_wrong(const struct dp_configure *c)
{
	if (c->pages == 0 || c->page >= c->pages)
		return "page outside pages";
	if (c->n_addresses > DP_ADDRESSES_MAX)
		return "too many addresses on a page";
	if (c->nap_us > DP_NAP_US_MAX && c->nap_us != DP_NAP_NEVER)
		return "nap too long";
	for (uint32_t i = 0; i < c->n_addresses; i++) {
		const struct dp_address *a = &c->addresses[i];

		if (!ip_ok(&a->ip, false) || ip_is_unspecified(&a->ip))
			return "media address is no address";
		if (a->port_lower == 0 || a->port_lower > a->port_upper)
			return "port range is empty";
		if (a->dscp > 63)
			return "DSCP above 63";
	}
	return NULL;
}

static const char *stream_wrong(const struct dp_stream *s)
{
	if (s->direction > DP_SENDRECV)
		return "unknown direction";
	if (s->mid_len > sizeof s->mid)
		return "MID too long";
	if (s->n_ssrcs > DP_SELECTORS_MAX)
		return "too many stream selectors";
	return NULL;
}

#define LEG_FLAGS_KNOWN                                                                                      \
	(DP_LEG_RTCP_MUX | DP_LEG_PUNT_DTLS | DP_LEG_PUNT_STUN | DP_LEG_SRTCP_CLEAR | DP_LEG_KEYS_PENDING)

static const char *leg_addresses_wrong(const struct dp_leg_update *l)
{
	bool mux = l->flags & DP_LEG_RTCP_MUX;

	if (!ip_ok(&l->local.ip, false) || ip_is_unspecified(&l->local.ip) || l->local.port == 0)
		return "local address is no address";
	if (!ip_ok(&l->remote.ip, true) || (l->remote.ip.family != IP_NONE && l->remote.port == 0))
		return "remote address is no address";
	if (l->remote.ip.family != IP_NONE && l->remote.ip.family != l->local.ip.family)
		return "remote of another address family than local";
	if (!ip_ok(&l->local_rtcp.ip, true) ||
		(l->local_rtcp.ip.family != IP_NONE && l->local_rtcp.port == 0))
		return "local RTCP address is no address";
	if (mux)
		return NULL;
	if (!ip_ok(&l->remote_rtcp.ip, true) ||
		(l->remote_rtcp.ip.family != IP_NONE && l->remote_rtcp.port == 0))
		return "remote RTCP address is no address";
	if (l->local_rtcp.ip.family != IP_NONE && ip_port_equal(&l->local, &l->local_rtcp))
		return "RTP and RTCP on one port without RTCP_MUX";
	if (l->remote_rtcp.ip.family != IP_NONE && l->remote_rtcp.ip.family != l->local_rtcp.ip.family)
		return "remote RTCP of another address family than local";
	return NULL;
}

static const char *leg_wrong(const struct dp_leg_update *l)
{
	const char *why;

	if (l->leg >= DP_LEGS_MAX)
		return "leg number too high";
	if (l->side > DP_SIDE_B)
		return "unknown side";
	if (l->security > DP_SECURITY_SRTP)
		return "unknown security";
	if (l->suite >= SRTP_SUITE_COUNT)
		return "unknown suite";
	if (l->security == DP_SECURITY_PLAIN && l->suite != SRTP_SUITE_NONE)
		return "a plain leg with a suite";
	if (l->learn > DP_LEARN_AUTHENTIC)
		return "unknown learn mode";
	if (l->security == DP_SECURITY_PLAIN ? l->learn == DP_LEARN_AUTHENTIC
					     : l->learn == DP_LEARN_ONCE || l->learn == DP_LEARN_ANY)
		return "learn mode does not fit the leg's security";
	if (l->dscp > 63)
		return "DSCP above 63";
	if (l->n_streams == 0 || l->n_streams > DP_STREAMS_MAX)
		return "no stream or too many";
	if (l->flags & ~LEG_FLAGS_KNOWN)
		return "unknown flag";
	if (l->replay_window != 0 &&
		(l->replay_window < 64 || l->replay_window > 32768 || l->replay_window % 64 != 0))
		return "replay window is no multiple of 64 from 64 to 32768";
	for (unsigned i = 0; i < l->n_streams; i++) {
		why = stream_wrong(&l->streams[i]);
		if (why)
			return why;
		for (unsigned j = 0; j < i; j++)
			if (l->streams[j].id == l->streams[i].id)
				return "two streams with one id";
	}
	return leg_addresses_wrong(l);
}

static const char *key_wrong(const struct dp_key_add *k)
{
	const struct srtp_suite_info *s;

	if (k->leg >= DP_LEGS_MAX)
		return "leg number too high";
	if (k->direction > DP_KEY_TX)
		return "unknown key direction";
	if (k->role > DP_KEY_NEXT)
		return "unknown key role";
	if (k->direction == DP_KEY_TX && k->role != DP_KEY_CURRENT)
		return "a transmit key is current or nothing";
	if (k->suite == SRTP_SUITE_NONE || k->suite >= SRTP_SUITE_COUNT)
		return "unknown suite";
	s = srtp_suite_info(k->suite);
	if (k->master_len != srtp_suite_master_len(s) || k->master_len > sizeof k->master)
		return "master key length does not fit the suite";
	if (k->mki_len > DP_MKI_MAX)
		return "MKI too long";
	if (k->fresh_index > 1)
		return "fresh_index is no boolean";
	return NULL;
}

static const char *retire_wrong(const struct dp_key_retire *k)
{
	if (k->leg >= DP_LEGS_MAX)
		return "leg number too high";
	return k->direction > DP_KEY_TX ? "unknown key direction" : NULL;
}

/* Lengths of RFC 8839 section 5.4. */
static const char *credentials_wrong(const struct dp_ice_credentials *c)
{
	if (c->ufrag_len == 0)
		return c->pwd_len ? "an ICE password without a fragment" : NULL;
	if (c->ufrag_len < 4 || c->ufrag_len > DP_ICE_UFRAG_MAX)
		return "ICE fragment too short or too long";
	return c->pwd_len < 22 || c->pwd_len > DP_ICE_PWD_MAX ? "ICE password too short or too long" : NULL;
}

static const char *ice_wrong(const struct dp_leg_ice *i)
{
	const char *why = credentials_wrong(&i->credentials[0]);

	if (i->leg >= DP_LEGS_MAX)
		return "leg number too high";
	if (!why)
		why = credentials_wrong(&i->credentials[1]);
	if (!why && i->credentials[1].ufrag_len && !i->credentials[0].ufrag_len)
		why = "previous ICE credentials without newer ones";
	return why;
}

static const char *punt_wrong(const struct dp_punt *p)
{
	if (p->leg >= DP_LEGS_MAX)
		return "leg number too high";
	if (p->n == 0 || p->n > DP_PUNT_MAX)
		return "datagram empty or too long";
	return ip_ok(&p->remote.ip, false) && p->remote.port ? NULL : "remote address is no address";
}

static const char *leg_number_wrong(unsigned leg)
{
	return leg >= DP_LEGS_MAX ? "leg number too high" : NULL;
}

static const char *stats_leg_wrong(const struct dp_stats_leg *s)
{
	if (s->leg >= DP_LEGS_MAX || s->side > DP_SIDE_B || s->security > DP_SECURITY_SRTP ||
		s->suite >= SRTP_SUITE_COUNT || s->ice > DP_ICE_LOST)
		return "leg outside its enums";
	if (!ip_ok(&s->local[0].ip, true) || !ip_ok(&s->local[1].ip, true))
		return "local address is no address";
	return ip_ok(&s->remote.ip, true) ? NULL : "remote address is no address";
}

static const char *interface_wrong(const char name[DP_INTERFACE_MAX])
{
	if (!text_ends(name, DP_INTERFACE_MAX))
		return "text without an end";
	return name[0] ? NULL : "no interface is named";
}

static const char *stats_port_wrong(const struct dp_stats_port *s)
{
	return s->link_up > 1 ? "link_up is no boolean" : interface_wrong(s->interface);
}

static const char *alarm_wrong(const struct dp_alarm *a)
{
	if (a->kind >= DP_ALARM_KINDS || a->raised > 1)
		return "unknown alarm";
	return a->kind == DP_ALARM_LINK ? interface_wrong(a->interface) : NULL;
}

static const char *soft_limit_wrong(const struct dp_key_soft_limit *k)
{
	if (k->leg >= DP_LEGS_MAX || k->direction > DP_KEY_TX || k->limit > DP_LIMIT_RTCP_PACKETS)
		return "limit outside its enums";
	return NULL;
}

static const char *remote_changed_wrong(const struct dp_remote_changed *r)
{
	if (r->leg >= DP_LEGS_MAX)
		return "leg number too high";
	return ip_ok(&r->remote.ip, false) ? NULL : "remote address is no address";
}

static const char *body_wrong(const union dp_msg *m)
{
	switch ((enum dp_type)m->h.type) {
	case DP_CONFIGURE:
		return configure_wrong(&m->configure);
	case DP_LEG_UPDATE:
		return leg_wrong(&m->leg_update);
	case DP_KEY_ADD:
		return key_wrong(&m->key_add);
	case DP_KEY_RETIRE:
		return retire_wrong(&m->key_retire);
	case DP_LEG_ICE:
		return ice_wrong(&m->leg_ice);
	case DP_CONSENT_LOST:
		return leg_number_wrong(m->consent_lost.leg);
	case DP_LEG_ATTACKED:
		return leg_number_wrong(m->leg_attacked.leg);
	case DP_STATS:
		return m->stats.scope > DP_STATS_SCOPE_SESSION ? "unknown scope" : NULL;
	case DP_PUNT_TX:
	case DP_PUNT_RX:
		return punt_wrong(&m->punt);
	case DP_WELCOME:
		if (!text_ends(m->welcome.port, sizeof m->welcome.port) ||
			!text_ends(m->welcome.backend, sizeof m->welcome.backend))
			return "text without an end";
		return NULL;
	case DP_ACK:
		if (m->ack.result > 0)
			return "positive result";
		return text_ends(m->ack.reason, sizeof m->ack.reason) ? NULL : "text without an end";
	case DP_LIST_PAGE:
		return m->list_page.n > DP_LIST_MAX ? "too many sessions on a page" : NULL;
	case DP_STATS_LEG:
		return stats_leg_wrong(&m->stats_leg);
	case DP_ALARM:
		return alarm_wrong(&m->alarm);
	case DP_STATS_PORT:
		return stats_port_wrong(&m->stats_port);
	case DP_KEY_SOFT_LIMIT:
		return soft_limit_wrong(&m->key_soft_limit);
	case DP_INDEX_CHECKPOINT:
		return leg_number_wrong(m->index_checkpoint.leg);
	case DP_MEDIA_TIMEOUT:
		return leg_number_wrong(m->media_timeout.leg);
	case DP_REMOTE_CHANGED:
		return remote_changed_wrong(&m->remote_changed);
	case DP_HELLO:
	case DP_SESSION_ADD:
	case DP_SESSION_DEL:
	case DP_LIST:
	case DP_DELETED:
	case DP_STATS_GLOBAL:
	case DP_TYPE_NONE:
		break;
	}
	return NULL;
}

bool dp_header_is_foreign(const struct dp_header *h)
{
	/* 0: shorter than a header. */
	return h->version != 0 && h->version != DP_MSG_VERSION;
}

int dp_msg_check(const void *data, size_t n, const char **why)
{
	const union dp_msg *m = data;
	size_t size;

	*why = NULL;
	if (n < sizeof m->h) {
		*why = "shorter than a header";
		return -EPROTO;
	}
	if (m->h.version != DP_MSG_VERSION) {
		*why = "another version of the message contract";
		return -EPROTO;
	}
	size = dp_type_size((enum dp_type)m->h.type);
	if (size == 0)
		*why = "unknown type";
	else if (n != size || m->h.length != size)
		*why = "length does not fit the type";
	else
		*why = body_wrong(m);
	return *why ? -EPROTO : 0;
}
