/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations, one after the other, and what goes on from one to the next. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/trunks/health.h"
#include "controlplane/config/password.h"
#include "lib/base/log.h"

struct b2bua_generation *generation_ref(struct b2bua_generation *g)
{
	g->refs++;
	return g;
}

static void state_unref(struct trunk_state *s)
{
	if (!s || --s->refs)
		return;
	operate_forget_trunk(s);
	TAILQ_REMOVE(&s->b->trunk_states, s, entry);
	free((char *)s->name);
	free(s);
}

static void drop_peers(struct b2bua_generation *g, const struct config_trunk *t)
{
	struct peer_state **peers = g->peers[t->index];

	for (uint32_t i = 0; peers && i < t->n_peers; i++)
		peer_unref(peers[i]);
	free(peers);
}

void generation_unref(struct b2bua_generation *g)
{
	if (!g || --g->refs)
		return;
	const struct config *c = g->config;

	for (uint32_t i = 0; g->listeners && i < c->n_listeners; i++)
		sip_listener_unref(g->listeners[i]);
	for (uint32_t i = 0; g->client_tls && i < c->n_trunks; i++)
		tls_ctx_free(g->client_tls[i]);
	for (uint32_t i = 0; g->peers && i < c->n_trunks; i++)
		drop_peers(g, &c->trunks[i]);
	for (uint32_t i = 0; g->trunks && i < c->n_trunks; i++)
		state_unref(g->trunks[i]);
	for (uint32_t i = 0; g->groups && i < c->n_realms; i++)
		free(g->groups[i]);
	free(g->listeners);
	free(g->client_tls);
	free(g->trunks);
	free(g->peers);
	for (uint32_t i = 0; g->passwords && i < c->n_trunks; i++) {
		secret_wipe(&g->passwords[i].ours);
		secret_wipe(&g->passwords[i].theirs);
	}
	free(g->passwords);
	for (uint32_t i = 0; g->identities && i < c->n_dtls_policies; i++)
		dtls_identity_unref(g->identities[i]);
	free(g->identities);
	free(g->groups);
	config_unref((struct config *)c);
	free(g);
}

void b2bua_abandon(struct b2bua_generation *g)
{
	generation_unref(g);
}

static struct trunk_state *state_new(struct b2bua *b, const char *name)
{
	struct trunk_state *s = calloc(1, sizeof *s);

	if (!s || !(s->name = strdup(name))) {
		free(s);
		return NULL;
	}
	s->b = b;
	TAILQ_INIT(&s->peers);
	TAILQ_INSERT_TAIL(&b->trunk_states, s, entry);
	return s;
}

/* Of the generation before, or of one whose calls are still there, or a new one. NULL without memory. */
static struct trunk_state *state_of(struct b2bua *b, const char *name)
{
	const struct config_trunk *before = b->now ? config_trunk_named(b->now->config, name) : NULL;
	struct trunk_state *s;

	if (before)
		return b->now->trunks[before->index];
	TAILQ_FOREACH (s, &b->trunk_states, entry)
		if (strcmp(s->name, name) == 0)
			return s;
	return state_new(b, name);
}

static int note_peers(struct b2bua_generation *g, const struct config_trunk *t)
{
	struct peer_state **peers = calloc(t->n_peers + 1, sizeof *peers);

	g->peers[t->index] = peers;
	for (uint32_t i = 0; peers && i < t->n_peers; i++)
		if (!(peers[i] = peer_get(g->trunks[t->index], &t->peers[i])))
			return -ENOMEM;
	return peers ? 0 : -ENOMEM;
}

static int note_trunks(struct b2bua *b, struct b2bua_generation *g, const struct b2bua_conf *conf)
{
	const struct config *c = g->config;

	for (uint32_t i = 0; i < c->n_trunks; i++) {
		g->trunks[i] = state_of(b, c->trunks[i].name);
		if (!g->trunks[i])
			return -ENOMEM;
		g->trunks[i]->refs++;
		g->client_tls[i] = tls_ctx_ref(conf->client_tls[i]);
		if (note_peers(g, &c->trunks[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A realm's media interfaces as the port allocator counts them. */
static int note_groups(struct b2bua_generation *g, const unsigned *groups)
{
	const struct config *c = g->config;

	for (uint32_t i = 0; i < c->n_realms; i++) {
		const struct config_realm *r = &c->realms[i];

		g->groups[i] = calloc(r->n_interfaces, sizeof **g->groups);
		if (!g->groups[i])
			return -ENOMEM;
		for (uint32_t k = 0; k < r->n_interfaces; k++) {
			unsigned index = (unsigned)(r->interfaces[k] - c->interfaces);

			g->groups[i][k] = groups ? groups[index] : index;
		}
	}
	return 0;
}

/* The files were looked at before, with words for what is wrong. */
static int read_passwords(struct b2bua_generation *g)
{
	const struct config *c = g->config;
	bool others;
	int err = 0;

	for (uint32_t i = 0; i < c->n_trunks && err == 0; i++) {
		const char *ours = c->trunks[i].auth.password_file;
		const char *theirs = c->trunks[i].peer_auth.password_file;

		if (ours)
			err = config_password_read(ours, &g->passwords[i].ours, &others);
		if (err == 0 && theirs)
			err = config_password_read(theirs, &g->passwords[i].theirs, &others);
	}
	return err;
}

/* Certificates that operators give for DTLS. */
static int load_identities(struct b2bua_generation *g)
{
	const struct config *c = g->config;
	int err = 0;

	g->identities = calloc(c->n_dtls_policies + 1, sizeof *g->identities);
	if (!g->identities)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_dtls_policies && err == 0; i++) {
		const struct config_tls_profile *p = c->dtls_policies[i].tls;
		struct err e = {0};

		if (p)
			err = dtls_identity_load(p->certificate, p->private_key, &g->identities[i], &e);
		if (err < 0)
			log_error("dtls", "a certificate cannot be used",
				LZ("dtls_policy", c->dtls_policies[i].name), LZ("reason", e.text));
	}
	return err;
}

int b2bua_prepare(struct b2bua *b, const struct b2bua_conf *conf, struct b2bua_generation **out)
{
	const struct config *c = conf->config;
	struct b2bua_generation *g = calloc(1, sizeof *g);
	int err = 0;

	if (!g)
		return -ENOMEM;
	g->refs = 1;
	g->config = config_ref(c);
	g->listeners = calloc(c->n_listeners + 1, sizeof *g->listeners);
	g->client_tls = calloc(c->n_trunks + 1, sizeof *g->client_tls);
	g->trunks = calloc(c->n_trunks + 1, sizeof *g->trunks);
	g->peers = calloc(c->n_trunks + 1, sizeof *g->peers);
	g->groups = calloc(c->n_realms + 1, sizeof *g->groups);
	g->passwords = calloc(c->n_trunks + 1, sizeof *g->passwords);
	if (!g->listeners || !g->client_tls || !g->trunks || !g->peers || !g->groups || !g->passwords)
		err = -ENOMEM;
	if (!err)
		err = note_trunks(b, g, conf);
	if (!err)
		err = note_groups(g, conf->groups);
	if (!err)
		err = read_passwords(g);
	if (!err)
		err = load_identities(g);
	if (err < 0) {
		generation_unref(g);
		return err;
	}
	for (uint32_t i = 0; i < c->n_listeners; i++)
		g->listeners[i] = sip_listener_ref(conf->listeners[i]);
	*out = g;
	return 0;
}

/* A trunk that is taken down ends its calls: both sides hear why. */
static void end_calls_of_down(struct b2bua *b)
{
	for (struct call *c = call_first(b); c; c = call_after(c)) {
		for (unsigned side = 0; side < 2 && c->state != CALL_ENDING; side++) {
			const struct config_trunk *t = c->legs[side].trunk;

			t = t ? config_trunk_named(b->now->config, t->name) : NULL;
			if (!t || t->admin != CONFIG_ADMIN_DOWN)
				continue;
			call_tell_outside(c, "the trunk was taken out of service");
			call_release(c, NULL, 503, "trunk %s was taken down", t->name);
		}
	}
}

void b2bua_commit(struct b2bua *b, struct b2bua_generation *g)
{
	struct b2bua_generation *before = b->now;
	bool any_down = false;

	b->now = g;
	for (uint32_t i = 0; i < g->config->n_trunks; i++)
		any_down |= g->config->trunks[i].admin == CONFIG_ADMIN_DOWN && g->trunks[i]->active;
	if (any_down)
		end_calls_of_down(b);
	health_commit(b);
	trunk_tell_states(b, "a new configuration");
	registration_commit(b);
	users_commit(b);
	generation_unref(before);
}
