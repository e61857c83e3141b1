/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/manage/state_engine.h"

#include <libyang/libyang.h>

#include "controlplane/config/engine.h"
#include "controlplane/obs/gather.h"

#define SESSIONS_SHOWN 128

static void write_sessions(const struct engine *e, struct lyd_node *management, struct state_tree *t)
{
	const struct engine_session *sessions[SESSIONS_SHOWN];
	unsigned n = engine_sessions(e, sessions, SESSIONS_SHOWN);

	for (unsigned i = 0; i < n; i++) {
		char id[16];
		struct lyd_node *s;

		snprintf(id, sizeof id, "%u", engine_session_id(sessions[i]));
		s = state_entry(t, management, "session", id);
		state_text(t, s, "user", engine_session_user(sessions[i]));
		state_text(t, s, "door", engine_session_door(sessions[i]));
		if (*engine_session_host(sessions[i]))
			state_text(t, s, "source-host", engine_session_host(sessions[i]));
		state_time(t, s, "login-time", engine_session_since(sessions[i]));
	}
}

static void write_commits(const struct engine *e, struct lyd_node *management, struct state_tree *t)
{
	struct engine_history h[ENGINE_HISTORY];
	unsigned n = engine_history(e, h);

	for (unsigned i = 0; i < n; i++) {
		char number[24];
		struct lyd_node *c;

		snprintf(number, sizeof number, "%llu", (unsigned long long)h[i].commit);
		c = state_entry(t, management, "commit", number);
		state_time(t, c, "time", h[i].time_ms);
		state_text(t, c, "user", h[i].user);
		state_text(t, c, "door", h[i].door);
		state_text(t, c, "comment", h[i].comment);
		state_bool(t, c, "confirmed", h[i].confirmed);
	}
}

static void write_all(void *ctx, const struct query *q, struct state_tree *t)
{
	const struct engine *e = ctx;
	struct lyd_node *management;

	if (q->parts & QUERY_MANAGEMENT) {
		management = state_in(t, state_in(t, state_top(t, "gateway"), "management"), "state");
		write_sessions(e, management, t);
		write_commits(e, management, t);
	}
}

int state_engine_register(struct gather *g, struct engine *e)
{
	static const struct gather_source source = {.write = write_all};

	return gather_add(g, &source, e);
}
