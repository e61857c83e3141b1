/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/media/call_media.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int call_media_open(struct call_media *m, void *user)
{
	int rc = dp_client_session_open(m->client, user, &m->session);

	if (rc < 0)
		return rc;
	m->worker = port_alloc_worker(m->ports);
	m->open = true;
	return 0;
}

static int set_local(struct oa_leg *leg, unsigned i, const struct port_lease *l, struct err *e)
{
	const struct oa_local local = {.rtp = l->rtp, .rtcp = l->rtcp, .advertised = l->advertised};
	int rc = oa_set_local(leg, i, &local);

	return rc < 0 ? err_set(e, -rc, "out of memory") : 0;
}

/* Transport i's, which stays where it is until it is asked for that of a higher one. */
static struct port_lease *lease_at(struct call_media *m, unsigned side, unsigned i)
{
	struct call_media_ports *more;

	if (i >= m->n_ports) {
		more = realloc(m->ports_of, (i + 1) * sizeof *more);
		if (!more)
			return NULL;
		memset(more + m->n_ports, 0, (i + 1 - m->n_ports) * sizeof *more);
		m->ports_of = more;
		m->n_ports = i + 1;
	}
	return &m->ports_of[i].side[side];
}

static int lease(struct call_media *m, unsigned side, unsigned i, struct err *e)
{
	struct port_lease *l = lease_at(m, side, i);
	const struct call_media_side *s = &m->side[side];
	const struct oa_media *om = oa_media_at(s->leg, i);
	bool said = om && om->remote.ip.family != IP_NONE;
	enum ip_family family = said ? (enum ip_family)om->remote.ip.family : s->family;
	int rc;

	if (!l)
		return err_set(e, ENOMEM, "out of memory");
	rc = port_alloc_get(m->ports, s->groups, s->n_groups, family, m->worker, PORT_PAIR, l);
	if (rc == -EAFNOSUPPORT && !said)
		rc = port_alloc_get(m->ports, s->groups, s->n_groups, IP_NONE, m->worker, PORT_PAIR, l);
	if (rc == -ENOSPC)
		return err_set(e, ENOSPC, "no media port is free at worker %u", m->worker);
	if (rc < 0)
		return err_set(e, -rc, "the realm has no media address of the peer's address family");
	return set_local(s->leg, i, l, e);
}

int call_media_ports(struct call_media *m, struct err *e)
{
	struct oa_leg *a = m->side[DP_SIDE_A].leg, *b = m->side[DP_SIDE_B].leg;
	const struct oa_leg *from = a->state == OA_OFFER_RECEIVED ? a : b;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < oa_media_count(from) && i < SDP_MEDIA_MAX; i++)
		for (unsigned s = 0; rc == 0 && s < 2; s++)
			if (oa_wants_local(m->side[s].leg, from, i))
				rc = lease(m, s, i, e);
	return rc;
}

/* A command lost with the connection is sent again when it is back; what was refused ends the call. */
static void done(void *arg, int result, const char *reason)
{
	struct call_media *m = arg;

	m->pending--;
	if (result == -ECANCELED)
		return;
	if (result == -ENOTCONN)
		m->unsure = true;
	if (result < 0 && result != -ENOTCONN && m->failed)
		m->failed(m->failed_arg, result, reason);
	else if (!m->pending && m->settled)
		m->settled(m->settled_arg);
}

/* A receive key that was announced, until it is known whether the data plane had room for it. */
struct call_media_next {
	struct call_media *media;
	struct call_media_next *after;
	uint32_t epoch;
	uint8_t leg;
	bool fresh;
};

static int put(void *arg, union dp_msg *msg);

static void forget_next(struct call_media_next *n)
{
	struct call_media_next **at = &n->media->nexts;

	while (*at != n)
		at = &(*at)->after;
	*at = n->after;
	free(n);
}

static void next_done(void *arg, int result, const char *reason)
{
	const struct call_media_next n = *(const struct call_media_next *)arg;
	struct call_media *m = n.media;
	int rc = 0;

	forget_next(arg);
	if (result == -ENOSPC && m->programmed) {
		rc = program_defer_next(&m->programmed, n.leg, n.epoch, n.fresh, put, m);
		if (m->deferred)
			m->deferred(m->settled_arg, n.leg);
		result = rc;
	}
	done(m, result, rc < 0 ? "out of memory" : reason);
}

static int put_next(struct call_media *m, union dp_msg *msg)
{
	struct call_media_next *n = malloc(sizeof *n);
	int rc;

	if (!n)
		return -ENOMEM;
	*n = (struct call_media_next){.media = m,
		.after = m->nexts,
		.epoch = msg->key_add.epoch,
		.leg = msg->key_add.leg,
		.fresh = msg->key_add.fresh_index};
	rc = dp_client_send(m->client, msg, next_done, n);
	if (rc < 0)
		free(n);
	else
		m->nexts = n;
	return rc;
}

static int put(void *arg, union dp_msg *msg)
{
	struct call_media *m = arg;
	bool next = msg->h.type == DP_KEY_ADD && msg->key_add.role == DP_KEY_NEXT;
	int rc = next ? put_next(m, msg) : dp_client_send(m->client, msg, done, m);

	m->pending += rc == 0;
	return rc;
}

static struct program_side side_of(const struct call_media *m, unsigned s)
{
	return (struct program_side){
		.leg = m->side[s].leg,
		.learn = m->side[s].learn,
		.dscp = m->side[s].dscp,
		.replay_window = m->side[s].replay_window,
		.keep_roc = m->side[s].keep_roc,
		.key_packets = m->side[s].key_packets,
		.key_octets = m->side[s].key_octets,
		.media_timeout_s = m->side[s].media_timeout_s,
	};
}

static struct program_call program_of(const struct call_media *m)
{
	return (struct program_call){
		.session = m->session,
		.worker = m->worker,
		.a = side_of(m, DP_SIDE_A),
		.b = side_of(m, DP_SIDE_B),
	};
}

static int claim(struct call_media *m, const struct ip_port *rtp, unsigned side, unsigned i, struct err *e)
{
	struct port_lease *l;
	char text[IP_PORT_TEXT_MAX];
	int rc;

	if (rtp->ip.family == IP_NONE)
		return 0;
	l = lease_at(m, side, i);
	if (!l)
		return err_set(e, ENOMEM, "out of memory");
	rc = port_alloc_claim(m->ports, rtp, m->worker, l);
	if (rc < 0)
		return err_set(e, -rc, "media port %s is %s", ip_port_text(rtp, text),
			rc == -EBUSY ? "in use" : "not configured any more, or another worker's");
	return set_local(m->side[side].leg, i, l, e);
}

int call_media_restore(struct call_media *m, void *user, dp_session_id session, uint32_t worker,
	const struct ip_port rtp[2][SDP_MEDIA_MAX], struct err *e)
{
	int rc;

	m->worker = worker;
	for (unsigned s = 0; s < 2; s++)
		for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
			if ((rc = claim(m, &rtp[s][i], s, i, e)) < 0)
				return rc;
	rc = dp_client_session_restore(m->client, session, user);
	if (rc < 0)
		return err_set(e, -rc, "its media session is another call's");
	m->session = session;
	m->open = m->added = true;
	const struct program_call call = program_of(m);

	if (program_make(&call, &m->programmed) < 0)
		return err_set(e, ENOMEM, "out of memory");
	m->programmed = program_pack(m->programmed);
	return 0;
}

/* From what was programmed (or, with all, from nothing) to what is wanted now. */
static int program(struct call_media *m, bool all, dp_client_done failed, void *arg)
{
	const struct program_call call = program_of(m);
	const struct program_leg *legs;
	struct program *now;
	int rc;

	m->failed = failed;
	m->failed_arg = arg;
	rc = program_make(&call, &now);
	if (rc < 0)
		return rc;
	if (!program_legs(now, &legs)) {
		program_free(now);
		return 0;
	}
	rc = program_diff(all ? NULL : m->programmed, now, put, m);
	if (rc == -EAGAIN && m->programmed) {
		m->unsure = true;
		rc = 0;
	}
	if (rc < 0) {
		program_free(now);
		return rc;
	}
	program_free(m->programmed);
	m->programmed = program_pack(now);
	m->added = true;
	return 0;
}

int call_media_program(struct call_media *m, dp_client_done failed, void *arg)
{
	return m->open ? program(m, false, failed, arg) : -EINVAL;
}

int call_media_lost(struct call_media *m, dp_client_done failed, void *arg)
{
	if (!m->programmed)
		return 0;
	for (unsigned s = 0; s < 2; s++)
		oa_burn_keys(m->side[s].leg);
	m->unsure = false;
	return program(m, true, failed, arg);
}

int call_media_found(struct call_media *m, dp_client_done failed, void *arg)
{
	if (!m->programmed || !m->unsure)
		return 0;
	m->unsure = false;
	return program(m, true, failed, arg);
}

void call_media_close(struct call_media *m)
{
	if (m->open)
		dp_client_session_close(m->client, m->session);
	m->open = m->added = false;
	while (m->nexts)
		forget_next(m->nexts);
	program_free(m->programmed);
	m->programmed = NULL;
	for (unsigned s = 0; s < 2; s++)
		for (unsigned i = 0; i < m->n_ports; i++)
			port_alloc_put(m->ports, &m->ports_of[i].side[s]);
	free(m->ports_of);
	m->ports_of = NULL;
	m->n_ports = 0;
}
