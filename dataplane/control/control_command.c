/* SPDX-License-Identifier: Apache-2.0 */
/* The control plane's commands: checked against the directory, sent to their worker, answered when it has
 * done them. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/control/control_private.h"
#include "dataplane/ice_lite.h"
#include "dataplane/session/session.h"
#include "lib/base/log.h"
#include "lib/srtp/kdf.h"

static void answer(struct control *c, const union dp_msg *m, int result, const char *reason)
{
	dp_session_id session = 0;

	if ((m->h.type >= DP_SESSION_ADD && m->h.type <= DP_SESSION_DEL) || m->h.type == DP_LEG_ICE)
		session = m->session_add.session; /* first behind the header in each of them */
	control_ack(c, c->connection,
		&(struct control_answer){.seq = m->h.seq,
			.type = m->h.type,
			.result = result,
			.session = session,
			.reason = reason});
}
_Static_assert(offsetof(struct dp_session_add, session) == offsetof(struct dp_leg_update, session) &&
		       offsetof(struct dp_session_add, session) == offsetof(struct dp_key_add, session) &&
		       offsetof(struct dp_session_add, session) == offsetof(struct dp_key_retire, session) &&
		       offsetof(struct dp_session_add, session) == offsetof(struct dp_leg_ice, session) &&
		       offsetof(struct dp_session_add, session) == offsetof(struct dp_session_del, session),
	"a command's session follows its header");

void control_free_memory(struct command *command)
{
	for (unsigned i = 0; i < sizeof command->memory / sizeof *command->memory; i++) {
		free(command->memory[i]);
		command->memory[i] = NULL;
	}
}

/* Zeroed lines of memory, or NULL: n is 0, or there is none. */
static void *memory_make(size_t n)
{
	size_t lines = (n + 63) / 64 * 64;
	void *p = n ? aligned_alloc(64, lines) : NULL;

	return p ? memset(p, 0, lines) : NULL;
}

/* A command object for a worker, or NULL after a refusal: the queue is full. */
static struct command *take(struct control *c, uint32_t worker, const union dp_msg *m, dp_session_id session)
{
	struct command *command = mailbox_take(worker_mailbox(c->conf.workers[worker]));

	if (!command) {
		answer(c, m, -ENOBUFS, "the worker's command queue is full");
		return NULL;
	}
	command->type = m->h.type;
	command->seq = m->h.seq;
	command->connection = c->connection;
	command->session = session;
	return command;
}

static void dispatch(struct control *c, uint32_t worker, struct command *command)
{
	/* Cannot be full: the ring has room for every command there is. */
	mailbox_send(worker_mailbox(c->conf.workers[worker]), command);
}

static void hello(struct control *c, const union dp_msg *m)
{
	union dp_msg w;
	struct dp_welcome *o = &w.welcome;

	dp_msg_init(&w, DP_WELCOME, m->h.seq);
	memcpy(&o->instance, c->instance.octets, sizeof o->instance);
	o->workers = c->conf.n_workers;
	o->sessions_max = c->conf.sessions;
	o->sessions = c->directory.used;
	o->suites = c->conf.backend->suites;
	snprintf(o->port, sizeof o->port, "%s",
		c->conf.n_ports ? port_kind_name(c->conf.ports[0]->kind) : "none");
	snprintf(o->backend, sizeof o->backend, "%s", c->conf.backend->name);
	control_emit(c, &w);
	answer(c, m, 0, NULL);
}

static void configure(struct control *c, const union dp_msg *m)
{
	struct err err = {""};
	int rc = control_configure(c, &m->configure, &err);

	answer(c, m, rc, err.text);
	for (uint32_t i = 0; rc == 0 && i < c->conf.n_workers; i++) {
		struct command *command = mailbox_take(worker_mailbox(c->conf.workers[i]));

		if (!command) {
			log_error("control", "a worker's queue is full: it keeps the timeouts it had",
				LU("worker", i));
			continue;
		}
		command->type = DP_CONFIGURE;
		command->connection = c->connection - 1; /* answered already */
		command->configure.trial_per_second = m->configure.trial_per_second;
		command->configure.media_timeout_s = m->configure.media_timeout_s;
		dispatch(c, i, command);
	}
}

static void session_new(struct control *c, const union dp_msg *m)
{
	const struct dp_session_add *a = &m->session_add;
	struct directory_entry *e = directory_place(&c->directory, a->session);
	struct command *command;

	if (!e) {
		answer(c, m, -EINVAL, "session id outside the table");
		return;
	}
	if (a->worker >= c->conf.n_workers) {
		answer(c, m, -EINVAL, "no such worker");
		return;
	}
	if (e->state == DIRECTORY_DELETING || (e->state == DIRECTORY_LIVE && e->id != a->session)) {
		answer(c, m, -EEXIST, "the id's place is in use until DP_DELETED");
		return;
	}
	if (e->state == DIRECTORY_LIVE && e->worker != a->worker) {
		answer(c, m, -EINVAL, "a session stays at its worker");
		return;
	}
	command = take(c, a->worker, m, a->session);
	if (!command)
		return;
	if (e->state == DIRECTORY_FREE) {
		*e = (struct directory_entry){
			.id = a->session, .state = DIRECTORY_LIVE, .worker = (uint8_t)a->worker};
		c->directory.used++;
	}
	command->session_add = *a;
	dispatch(c, a->worker, command);
}

/* Is the port in a range of the session's worker? NULL, or what is wrong. */
static const char *local_wrong(
	const struct control *c, const struct directory_entry *e, const struct ip_port *local)
{
	const struct dp_address *range = control_range(c, local);

	if (!range)
		return "local port is in no configured range";
	return range->worker == e->worker ? NULL : "local port belongs to another worker than the session";
}

static void leg_update(struct control *c, const union dp_msg *m, struct directory_entry *e)
{
	const struct dp_leg_update *u = &m->leg_update;
	const char *why = local_wrong(c, e, &u->local);
	struct command *command;

	if (!why && u->local_rtcp.ip.family != IP_NONE)
		why = local_wrong(c, e, &u->local_rtcp);
	if (why) {
		answer(c, m, -EINVAL, why);
		return;
	}
	command = take(c, e->worker, m, e->id);
	if (!command)
		return;
	command->leg_update = *u;
	if (u->dscp == 0)
		command->leg_update.dscp = control_range(c, &u->local)->dscp;
	/* What the leg has already, the worker sends back. */
	if (!(e->legs >> u->leg & 1))
		command->memory[0] = memory_make(leg_memory_wanted(u));
	dispatch(c, e->worker, command);
}

static void key_add(struct control *c, union dp_msg *m, struct directory_entry *e)
{
	struct dp_key_add *k = &m->key_add;
	SECRET_AUTO struct secret master = {0};
	struct command *command;
	int rc;

	if (!(c->conf.backend->suites >> k->suite & 1)) {
		answer(c, m, -ENOTSUP, "the crypto backend does not do this suite");
		return;
	}
	command = take(c, e->worker, m, e->id);
	if (!command)
		return;
	rc = secret_set(&master, k->master, k->master_len);
	if (rc == 0)
		rc = srtp_kdf((enum srtp_suite)k->suite, &master, &command->key_add.keys);
	mem_wipe(k->master, sizeof k->master);
	if (rc < 0) {
		mailbox_put(worker_mailbox(c->conf.workers[e->worker]), command);
		answer(c, m, rc, "keys cannot be derived");
		return;
	}
	command->key_add.conf = *k;
	dispatch(c, e->worker, command);
}

static void session_command(struct control *c, union dp_msg *m)
{
	struct directory_entry *e = directory_find(&c->directory, m->session_add.session);
	struct command *command;

	if (!e) {
		answer(c, m, -ENOENT, "no such session");
		return;
	}
	if (m->h.type == DP_LEG_UPDATE) {
		leg_update(c, m, e);
		return;
	}
	if (m->h.type == DP_KEY_ADD) {
		key_add(c, m, e);
		return;
	}
	command = take(c, e->worker, m, e->id);
	if (!command)
		return;
	if (m->h.type == DP_KEY_RETIRE) {
		command->key_retire = m->key_retire;
	} else if (m->h.type == DP_LEG_ICE) {
		command->leg_ice = m->leg_ice;
		command->memory[0] = memory_make(sizeof(struct leg_ice));
	} else {
		e->state = DIRECTORY_DELETING;
	}
	dispatch(c, e->worker, command);
}

static void list(struct control *c, const union dp_msg *m)
{
	union dp_msg page;

	dp_msg_init(&page, DP_LIST_PAGE, m->h.seq);
	page.list_page.n = directory_list(&c->directory, m->list.cursor, page.list_page.sessions, DP_LIST_MAX,
		&page.list_page.next_cursor);
	control_emit(c, &page);
	answer(c, m, 0, NULL);
}

static void stats(struct control *c, const union dp_msg *m)
{
	struct directory_entry *e;
	struct command *command;
	union dp_msg o;

	if (m->stats.scope == DP_STATS_SCOPE_GLOBAL) {
		dp_msg_init(&o, DP_STATS_GLOBAL, m->h.seq);
		control_sum(c, &o.stats_global);
		neighbour_stats(c->conf.neighbour, &o.stats_global.next_hops);
		control_emit(c, &o);
		control_port_stats(c, m->h.seq);
		answer(c, m, 0, NULL);
		return;
	}
	e = directory_find(&c->directory, m->stats.session);
	if (!e) {
		answer(c, m, -ENOENT, "no such session");
		return;
	}
	command = take(c, e->worker, m, e->id);
	if (command)
		dispatch(c, e->worker, command);
}

static void punt_tx(struct control *c, const union dp_msg *m)
{
	struct directory_entry *e = directory_find(&c->directory, m->punt.session);
	struct command *command;

	if (!e) {
		answer(c, m, -ENOENT, "no such session");
		return;
	}
	command = take(c, e->worker, m, e->id);
	if (!command)
		return;
	command->punt = m->punt;
	dispatch(c, e->worker, command);
}

void control_handle(struct control *c, union dp_msg *m)
{
	switch ((enum dp_type)m->h.type) {
	case DP_HELLO:
		hello(c, m);
		break;
	case DP_CONFIGURE:
		configure(c, m);
		break;
	case DP_SESSION_ADD:
		session_new(c, m);
		break;
	case DP_LEG_UPDATE:
	case DP_KEY_ADD:
	case DP_KEY_RETIRE:
	case DP_LEG_ICE:
	case DP_SESSION_DEL:
		session_command(c, m);
		break;
	case DP_LIST:
		list(c, m);
		break;
	case DP_STATS:
		stats(c, m);
		break;
	case DP_PUNT_TX:
		punt_tx(c, m);
		break;
	default:
		answer(c, m, -ENOTSUP, "no command");
		break;
	}
	dp_msg_wipe(m);
}

/* A session is gone from its worker: the id may be used again. */
static void deleted(struct control *c, const struct command *command)
{
	struct directory_entry *e = directory_place(&c->directory, command->session);
	union dp_msg m;

	*e = (struct directory_entry){.state = DIRECTORY_FREE};
	c->directory.used--;
	dp_msg_init(&m, DP_DELETED, 0);
	m.deleted.session = command->session;
	control_emit(c, &m);
}

void control_done(struct control *c, struct mailbox *m, struct command *command)
{
	struct directory_entry *e = directory_place(&c->directory, command->session);

	if (command->type == DP_LEG_UPDATE && command->result == 0 && e && e->id == command->session)
		e->legs |= (uint16_t)(1u << command->leg_update.leg);
	control_free_memory(command);
	/* The session's next leg: the same command goes round once more. */
	if (command->type == DP_STATS && command->result == 0 && command->leg < DP_LEGS_MAX &&
		command->connection == c->connection) {
		control_emit(c, &command->reply);
		command->leg++;
		mailbox_send(m, command);
		return;
	}
	control_ack(c, command->connection,
		&(struct control_answer){.seq = command->seq,
			.type = command->type,
			.result = command->result,
			.session = command->session,
			.reason = command->reason});
	if (command->type == DP_SESSION_DEL && e)
		deleted(c, command);
	mailbox_put(m, command);
}
