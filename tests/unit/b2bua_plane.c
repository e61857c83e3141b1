/* SPDX-License-Identifier: Apache-2.0 */
/* The fake data plane as the B2BUA's bench has it: what each session was told. */
#include "tests/unit/b2bua_plane.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/b2bua_bench.h"

#define SESSIONS (sizeof bench.sessions / sizeof *bench.sessions)

static unsigned next;

static struct plane_session *find(dp_session_id id)
{
	for (unsigned i = 0; i < SESSIONS; i++)
		if (bench.sessions[i].live && bench.sessions[i].id == id)
			return &bench.sessions[i];
	return NULL;
}

struct plane_session *plane_last(void)
{
	return &bench.sessions[(next - 1) % SESSIONS];
}

static void add(const struct dp_session_add *a)
{
	struct plane_session *s;

	if (find(a->session))
		return;
	s = &bench.sessions[next++ % SESSIONS];
	assert_false(s->live);
	*s = (struct plane_session){.live = true, .id = a->session};
	memcpy(s->media_timeout_s, a->media_timeout_s, sizeof s->media_timeout_s);
	bench.live++;
}

static void note_key(struct plane_session *s, const struct dp_key_add *k)
{
	if (k->leg / 2 == 1) {
		struct plane_leg *v = &s->video[k->leg % 2];

		v->rx_keys += k->direction == DP_KEY_RX;
		v->tx_keys += k->direction == DP_KEY_TX;
		*(k->direction == DP_KEY_RX ? &v->rx : &v->tx) = *k;
		return;
	}
	for (unsigned side = 0; side < 2; side++) {
		if (k->leg != s->leg[side].leg)
			continue;
		s->rx_keys[side] += k->direction == DP_KEY_RX;
		s->tx_keys[side] += k->direction == DP_KEY_TX;
		*(k->direction == DP_KEY_RX ? &s->rx[side] : &s->tx[side]) = *k;
	}
}

static int command(const union dp_msg *c)
{
	struct plane_session *s = find(c->session_add.session); /* first behind the header in each */

	if (bench.no_room && c->h.type == DP_KEY_ADD && c->key_add.role == DP_KEY_NEXT)
		return -ENOSPC;
	if (c->h.type == DP_SESSION_ADD) {
		add(&c->session_add);
	} else if (c->h.type == DP_SESSION_DEL) {
		s->live = false;
		bench.live--;
	} else if (c->h.type == DP_LEG_UPDATE && c->leg_update.leg / 2 == 1) {
		s->video[c->leg_update.leg % 2].leg = c->leg_update;
	} else if (c->h.type == DP_LEG_UPDATE && c->leg_update.side < 2) {
		s->leg[c->leg_update.side] = c->leg_update;
	} else if (c->h.type == DP_KEY_ADD) {
		note_key(s, &c->key_add);
	} else if (c->h.type == DP_PUNT_TX && bench.punted) {
		bench.punted(&c->punt);
	}
	return 0;
}

static void stats(const union dp_msg *c)
{
	const struct plane_session *s = find(c->stats.session);
	union dp_msg m;

	if (c->stats.scope == DP_STATS_SCOPE_GLOBAL) {
		dp_msg_init(&m, DP_STATS_GLOBAL, c->h.seq);
		m.stats_global.rx_packets = 7;
		fake_plane_say(&bench.plane, &m);
		dp_msg_init(&m, DP_STATS_PORT, c->h.seq);
		strcpy(m.stats_port.interface, "e0");
		m.stats_port.link_up = !bench.link_lost;
		m.stats_port.rx_missed = 9;
		fake_plane_say(&bench.plane, &m);
		return;
	}
	for (unsigned leg = 0; leg < 4; leg++) {
		if (leg > 1 && (!s || s->video[leg % 2].leg.local.ip.family == IP_NONE))
			continue;
		dp_msg_init(&m, DP_STATS_LEG, c->h.seq);
		m.stats_leg.session = c->stats.session;
		m.stats_leg.leg = (uint8_t)leg;
		m.stats_leg.side = leg % 2;
		m.stats_leg.rx_packets = (leg < 2 ? 100 : 1000) + leg % 2;
		m.stats_leg.rx_age_ms = m.stats_leg.ice_age_ms = bench.unheard >> leg / 2 & 1 ? UINT64_MAX : 20;
		m.stats_leg.verdicts[DP_V_REPLAY] = leg < 2 ? 0 : 5;
		fake_plane_say(&bench.plane, &m);
	}
}

void plane_acknowledge(void)
{
	fake_plane_acknowledge(&bench.plane);
	settle();
}

int plane_open(struct event_base *base, const char *path)
{
	struct fake_plane *p = &bench.plane;

	next = 0;
	*p = (struct fake_plane){.base = base,
		.instance = 1,
		.sessions_max = 1000,
		.page = DP_LIST_MAX,
		.command = command,
		.stats = stats,
		.refuse_result = -ENOSPC,
		.refuse_reason = "the plane says no"};
	snprintf(p->path, sizeof p->path, "%s", path);
	fake_plane_listen(p);
	return 0;
}

void plane_away(void)
{
	fake_plane_close(&bench.plane);
	settle();
}

void plane_close(void)
{
	fake_plane_close(&bench.plane);
}

void plane_forget(void)
{
	bench.plane.instance++;
	bench.plane.n = 0;
	memset(bench.sessions, 0, sizeof bench.sessions);
	bench.live = 0;
}

void plane_restart(bool same)
{
	unsigned before = bench.plane.seen;

	if (bench.plane.accepting)
		plane_away();
	if (!same)
		plane_forget();
	fake_plane_listen(&bench.plane);
	while (bench.plane.seen < before + 4) /* connection, greeting, configuration, listing */
		event_base_loop(bench.plane.base, EVLOOP_ONCE);
	settle();
}

void plane_event_timeout(struct plane_session *s, enum dp_side side)
{
	union dp_msg m;

	dp_msg_init(&m, DP_MEDIA_TIMEOUT, 0);
	m.media_timeout.session = s->id;
	m.media_timeout.leg = s->leg[side].leg;
	fake_plane_say(&bench.plane, &m);
	settle();
}

void plane_event_consent(struct plane_session *s, enum dp_side side, uint32_t silent_ms)
{
	plane_event_consent_at(s, s->leg[side].leg, silent_ms);
}

void plane_event_consent_at(struct plane_session *s, unsigned leg, uint32_t silent_ms)
{
	union dp_msg m;

	dp_msg_init(&m, DP_CONSENT_LOST, 0);
	m.consent_lost.session = s->id;
	m.consent_lost.leg = (uint8_t)leg;
	m.consent_lost.silent_ms = silent_ms;
	fake_plane_say(&bench.plane, &m);
	settle();
}

void plane_event_attack(struct plane_session *s, enum dp_side side, uint64_t failures)
{
	union dp_msg m;

	dp_msg_init(&m, DP_LEG_ATTACKED, 0);
	m.leg_attacked.session = s->id;
	m.leg_attacked.leg = s->leg[side].leg;
	m.leg_attacked.failures = failures;
	fake_plane_say(&bench.plane, &m);
	settle();
}

void plane_event_limit(struct plane_session *s, enum dp_side side, enum dp_key_direction direction,
	enum dp_limit limit, uint32_t epoch)
{
	plane_event_limit_at(s, s->leg[side].leg, direction, limit, epoch);
}

void plane_event_limit_at(struct plane_session *s, unsigned leg, enum dp_key_direction direction, enum dp_limit limit,
	uint32_t epoch)
{
	union dp_msg m;

	dp_msg_init(&m, DP_KEY_SOFT_LIMIT, 0);
	m.key_soft_limit.session = s->id;
	m.key_soft_limit.leg = (uint8_t)leg;
	m.key_soft_limit.direction = (uint8_t)direction;
	m.key_soft_limit.limit = (uint8_t)limit;
	m.key_soft_limit.epoch = epoch;
	m.key_soft_limit.packets = 1000;
	fake_plane_say(&bench.plane, &m);
	settle();
}

void plane_punt(
	struct plane_session *s, enum dp_side side, const struct ip_port *from, const uint8_t *octets, size_t n)
{
	plane_punt_at(s, s->leg[side].leg, from, octets, n);
}

void plane_punt_at(struct plane_session *s, unsigned leg, const struct ip_port *from, const uint8_t *octets, size_t n)
{
	union dp_msg m;

	dp_msg_init(&m, DP_PUNT_RX, 0);
	m.punt.session = s->id;
	m.punt.leg = (uint8_t)leg;
	m.punt.remote = *from;
	m.punt.n = (uint32_t)n;
	memcpy(m.punt.octets, octets, n);
	fake_plane_say(&bench.plane, &m);
}

unsigned plane_seen(void)
{
	return bench.plane.seen;
}
