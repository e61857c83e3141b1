/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/manage/state_netconf.h"

#include <stdio.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/manage/session.h"
#include "controlplane/netconf/capability.h"
#include "controlplane/obs/gather.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"

#define CAPABILITY_MAX 1024
#define SESSIONS_SHOWN 128

/* As <hello> has it (RFC 6020, section 5.6.4). */
static void write_module_capability(
	struct state_tree *t, struct lyd_node *capabilities, const struct lys_module *m)
{
	char uri[CAPABILITY_MAX];
	struct wbuf w = wbuf_make(uri, sizeof uri);
	struct lysp_feature *f = NULL;
	uint32_t i = 0;
	const char *before = "&features=";

	wbuf_fmt(&w, "%s?module=%s", m->ns, m->name);
	if (m->revision)
		wbuf_fmt(&w, "&revision=%s", m->revision);
	while ((f = lysp_feature_next(f, m->parsed, &i))) {
		if (!(f->flags & LYS_FENABLED))
			continue;
		wbuf_fmt(&w, "%s%s", before, f->name);
		before = ",";
	}
	if (!w.overflow)
		state_str(t, capabilities, "capability", wbuf_view(&w));
}

static void write_capabilities(const struct engine *e, struct lyd_node *netconf, struct state_tree *t)
{
	struct lyd_node *capabilities = state_in(t, netconf, "capabilities");
	const struct lys_module *m;
	uint32_t i = 0;

	for (const char *const *uri = capability_uris; *uri; uri++)
		state_text(t, capabilities, "capability", *uri);
	while ((m = ly_ctx_get_module_iter(engine_context(e), &i)))
		if (m->implemented)
			write_module_capability(t, capabilities, m);
}

/* What can be asked for with get-schema. */
static void write_schemas(const struct engine *e, struct lyd_node *netconf, struct state_tree *t)
{
	struct lyd_node *schemas = state_in(t, netconf, "schemas");
	const struct lys_module *m;
	uint32_t i = 0;

	while ((m = ly_ctx_get_module_iter(engine_context(e), &i))) {
		struct lyd_node *s = NULL;

		if (schemas &&
			lyd_new_list(schemas, NULL, "schema", 0, &s, m->name, m->revision ? m->revision : "",
				"ietf-netconf-monitoring:yang") != LY_SUCCESS)
			t->failed = "schema";
		state_text(t, s, "namespace", m->ns);
		state_text(t, s, "location", "NETCONF");
	}
}

static void write_datastores(const struct engine *e, struct lyd_node *netconf, struct state_tree *t)
{
	static const char *const names[] = {
		[ENGINE_RUNNING] = "running",
		[ENGINE_CANDIDATE] = "candidate",
		[ENGINE_STARTUP] = "startup",
	};
	struct lyd_node *stores = state_in(t, netconf, "datastores");

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		struct lyd_node *store = state_entry(t, stores, "datastore", names[i]), *lock;
		uint32_t holder = engine_lock_holder(e, (enum engine_store)i);

		if (!holder)
			continue;
		lock = state_in(t, state_in(t, store, "locks"), "global-lock");
		state_number(t, lock, "locked-by-session", holder);
		state_time(t, lock, "locked-time", engine_lock_since(e, (enum engine_store)i));
	}
}

static void write_session(const struct state_netconf *n, const struct engine_session *s,
	struct lyd_node *sessions, struct state_tree *t)
{
	const struct mgmt_counts *counts = manage_session_counts(s, n->mgmt);
	struct lyd_node *node;
	struct ip_addr ip;
	char id[16];

	snprintf(id, sizeof id, "%u", engine_session_id(s));
	node = state_entry(t, sessions, "session", id);
	state_text(t, node, "transport", "ietf-netconf-monitoring:netconf-ssh");
	state_text(t, node, "username", engine_session_user(s));
	/* The client's word: whoever starts srtpgw-netconf by hand can say anything. */
	if (ip_parse(str_z(engine_session_host(s)), &ip) == 0)
		state_text(t, node, "source-host", engine_session_host(s));
	state_time(t, node, "login-time", engine_session_since(s));
	if (!counts)
		return;
	state_number(t, node, "in-rpcs", counts->requests - 1); /* its hello was none */
	state_number(t, node, "out-rpc-errors", counts->errors);
	state_number(t, node, "out-notifications", counts->pushed);
}

static void write_sessions(const struct state_netconf *n, struct lyd_node *netconf, struct state_tree *t)
{
	const struct engine_session *found[SESSIONS_SHOWN];
	unsigned count = engine_sessions(n->engine, found, SESSIONS_SHOWN);
	struct lyd_node *sessions = state_in(t, netconf, "sessions");

	for (unsigned i = 0; i < count; i++)
		if (strcmp(engine_session_door(found[i]), "netconf") == 0)
			write_session(n, found[i], sessions, t);
}

static void write_all(void *ctx, const struct query *q, struct state_tree *t)
{
	const struct state_netconf *n = ctx;
	struct lyd_node *netconf;

	if (!(q->parts & QUERY_MONITORING))
		return;
	netconf = state_top_of(t, "ietf-netconf-monitoring", "netconf-state");
	write_capabilities(n->engine, netconf, t);
	write_datastores(n->engine, netconf, t);
	write_schemas(n->engine, netconf, t);
	write_sessions(n, netconf, t);
	state_time(t, state_in(t, netconf, "statistics"), "netconf-start-time", n->started_ms);
}

int state_netconf_register(
	struct gather *g, const struct engine *e, const struct mgmt *m, struct state_netconf *s)
{
	static const struct gather_source source = {.write = write_all};

	*s = (struct state_netconf){.engine = e, .mgmt = m, .started_ms = clock_wall_ms()};
	return gather_add(g, &source, s);
}
