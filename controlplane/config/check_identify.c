/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trunks that cannot be told apart: a request could be one's as well as the other's, and the order of the configuration
 * would decide. find.c looks for a trunk; here two of them meet that share an entry of each kind that they have.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controlplane/config/snapshot.h"

/* One entry of the kind that tells most of a trunk. */
struct entry {
	const struct config_trunk *trunk;
	char kind; /* 'c'ertificate name, 's'ource, 'l'istener */
	const char *given;             /* by the configuration; NULL: of a source */
	char source[IP_TEXT_MAX + 4]; /* such as 192.0.2.0/24 */
};

static const char *name_of(const struct entry *x)
{
	return x->given ? x->given : x->source;
}

static uint32_t entries_of(const struct config_identify *id)
{
	if (id->n_certificate_names)
		return id->n_certificate_names;
	return id->n_sources ? id->n_sources : id->n_listeners;
}

static void entry_fill(struct entry *to, const struct config_trunk *t, uint32_t i)
{
	const struct config_identify *id = &t->identify;
	char ip[IP_TEXT_MAX];

	to->trunk = t;
	to->kind = id->n_certificate_names ? 'c' : id->n_sources ? 's' : 'l';
	if (to->kind == 's')
		snprintf(to->source, sizeof to->source, "%s/%u", ip_text(&id->sources[i].ip, ip), id->sources[i].bits);
	else
		to->given = to->kind == 'c' ? id->certificate_names[i] : id->listeners[i]->name;
}

/* Those that may collide side by side, and among them in the configuration's order. */
static int compare(const struct entry *x, const struct entry *y)
{
	int d = strcmp(x->trunk->realm->name, y->trunk->realm->name);

	if (d == 0)
		d = x->kind - y->kind;
	if (d)
		return d;
	return x->kind == 'l' ? strcmp(name_of(x), name_of(y)) : strcasecmp(name_of(x), name_of(y));
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = compare(x, y);

	return d ? d : x->trunk->index < y->trunk->index ? -1 : x->trunk->index > y->trunk->index;
}

static bool share_listener(const struct config_identify *a, const struct config_identify *b)
{
	for (uint32_t i = 0; i < a->n_listeners; i++)
		for (uint32_t k = 0; k < b->n_listeners; k++)
			if (a->listeners[i] == b->listeners[k])
				return true;
	return !a->n_listeners && !b->n_listeners;
}

static bool share_source(const struct config_identify *a, const struct config_identify *b)
{
	for (uint32_t i = 0; i < a->n_sources; i++)
		for (uint32_t k = 0; k < b->n_sources; k++)
			if (a->sources[i].bits == b->sources[k].bits &&
				ip_equal(&a->sources[i].ip, &b->sources[k].ip))
				return true;
	return !a->n_sources && !b->n_sources;
}

static bool share_server_name(const struct config_identify *a, const struct config_identify *b)
{
	for (uint32_t i = 0; i < a->n_server_names; i++)
		for (uint32_t k = 0; k < b->n_server_names; k++)
			if (strcasecmp(a->server_names[i], b->server_names[k]) == 0)
				return true;
	return !a->n_server_names && !b->n_server_names;
}

/* An account of its own tells a trunk's requests from those of others. */
static bool same_user(const struct config_trunk *a, const struct config_trunk *b)
{
	const char *x = a->peer_auth.username, *y = b->peer_auth.username;

	return x && y ? strcmp(x, y) == 0 : x == y;
}

/* They share the entry that they were found by. */
static bool collide(const struct config_trunk *a, const struct config_trunk *b)
{
	return a != b && same_user(a, b) && share_listener(&a->identify, &b->identify) &&
	       share_source(&a->identify, &b->identify) && share_server_name(&a->identify, &b->identify);
}

static int refuse(const struct entry *first, const struct entry *second, struct err *e)
{
	static const char *const kinds[] = {['c'] = "certificate-name", ['s'] = "source-address", ['l'] = "listener"};

	return err_set(e, EINVAL,
		"/srtp-gateway:gateway/trunks/trunk[name='%s']/identify/%s: '%s' names the trunk '%s' too, and nothing tells "
		"their calls apart: give one of them a listener, certificate-name, server-name or source-address of its own, "
		"or no identify at all when it is only called",
		second->trunk->name, kinds[(unsigned char)second->kind], name_of(second), first->trunk->name);
}

int config_check_identify(const struct config *c, struct err *e)
{
	struct entry *entries;
	uint32_t n = 0, room = 0;
	int rc = 0;

	for (uint32_t i = 0; i < c->n_trunks; i++)
		room += entries_of(&c->trunks[i].identify);
	entries = calloc(room + 1, sizeof *entries);
	if (!entries)
		return err_set(e, ENOMEM, "no memory for the configuration");
	for (uint32_t i = 0; i < c->n_trunks; i++)
		for (uint32_t k = 0; k < entries_of(&c->trunks[i].identify); k++)
			entry_fill(&entries[n++], &c->trunks[i], k);
	qsort(entries, n, sizeof *entries, compare_entries);
	for (uint32_t i = 0; i < n && !rc; i++)
		for (uint32_t k = i + 1; k < n && !rc && compare(&entries[i], &entries[k]) == 0; k++)
			if (collide(entries[i].trunk, entries[k].trunk))
				rc = refuse(&entries[i], &entries[k], e);
	free(entries);
	return rc;
}
