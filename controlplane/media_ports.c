/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/media_ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "controlplane/media/dp_client.h"
#include "controlplane/media/port_alloc.h"
#include "lib/base/log.h"

_Static_assert(CONFIG_NAP_AS_STARTED == DP_NAP_AS_STARTED && CONFIG_NAP_NEVER == DP_NAP_NEVER,
	"what the configuration says is what the data plane is told");

#define TRIALS_PER_SECOND 10
#define RANGES_MAX 4096 /* addresses and ranges, divided among the workers: what the data plane takes */

struct media_ports {
	struct port_alloc *alloc;
	struct dp_client *client; /* borrowed; NULL before the first commit */
	uint64_t generation;      /* that the data plane was told of */
	char **names;             /* of media interfaces, by group; they only grow */
	unsigned n_names;
	unsigned workers;
	uint32_t nap_us;     /* of the data plane's workers */
	struct event *sweep; /* a range has drained */
};

struct media_ports_plan {
	struct media_ports *m;
	struct dp_client *client;
	uint64_t generation;
	uint32_t nap_us;
	unsigned *groups;
	struct port_plan *ports;
	struct dp_address *told;
};

/* What the data plane has to hold; out has room for n. */
static uint32_t list_shares(const struct port_share *shares, size_t n, struct dp_address *out)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (!shares[i].draining || shares[i].in_use)
			out[count++] = (struct dp_address){
				.ip = shares[i].ip,
				.port_lower = shares[i].lower,
				.port_upper = shares[i].upper,
				.worker = (uint8_t)shares[i].worker,
			};
	return count;
}

/* Takes over addresses. */
static void tell(struct media_ports *m, struct dp_address *addresses)
{
	size_t n;
	const struct port_share *shares = port_alloc_shares(m->alloc, &n);
	struct dp_client_media media = {
		.generation = m->generation,
		.addresses = addresses,
		.n_addresses = list_shares(shares, n, addresses),
		.trial_per_second = TRIALS_PER_SECOND,
		.nap_us = m->nap_us,
	};

	dp_client_reconfigure(m->client, &media);
}

/* Without memory the data plane keeps some ports too many until the next change. */
static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct media_ports *m = arg;
	struct dp_address *addresses;
	size_t n;

	(void)fd, (void)what;
	port_alloc_shares(m->alloc, &n);
	addresses = m->client ? calloc(n + 1, sizeof *addresses) : NULL;
	if (!addresses)
		return;
	log_info("media", "a removed range of media ports has drained");
	tell(m, addresses);
}

/* From the loop: the call that gave the port back has commands of its own to send first. */
static void on_drained(void *arg)
{
	struct media_ports *m = arg;

	event_active(m->sweep, EV_TIMEOUT, 0);
}

int media_ports_open(
	struct media_ports **out, struct event_base *base, const struct config *c, struct err *e)
{
	struct media_ports *m = calloc(1, sizeof *m);

	if (!m)
		return err_set(e, ENOMEM, "out of memory");
	m->workers = c->dataplane.workers;
	m->sweep = event_new(base, -1, 0, on_sweep, m);
	if (!m->sweep || port_alloc_new_empty(m->workers, &m->alloc) < 0) {
		media_ports_free(m);
		return err_set(e, ENOMEM, "out of memory");
	}
	port_alloc_on_drained(m->alloc, on_drained, m);
	*out = m;
	return 0;
}

void media_ports_free(struct media_ports *m)
{
	if (!m)
		return;
	if (m->sweep)
		event_free(m->sweep);
	port_alloc_free(m->alloc);
	for (unsigned i = 0; i < m->n_names; i++)
		free(m->names[i]);
	free(m->names);
	free(m);
}

struct port_alloc *media_ports_alloc(struct media_ports *m)
{
	return m->alloc;
}

static int group_of(struct media_ports *m, const char *name, unsigned *out)
{
	char **names;
	unsigned i = 0;

	while (i < m->n_names && strcmp(m->names[i], name) != 0)
		i++;
	*out = i;
	if (i < m->n_names)
		return 0;
	names = realloc(m->names, (i + 1) * sizeof *names);
	if (!names)
		return -ENOMEM;
	m->names = names;
	names[i] = strdup(name);
	if (!names[i])
		return -ENOMEM;
	m->n_names++;
	return 0;
}

static int note_groups(struct media_ports_plan *o, const struct config *c)
{
	o->groups = calloc(c->n_interfaces + 1, sizeof *o->groups);
	if (!o->groups)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_interfaces; i++)
		if (group_of(o->m, c->interfaces[i].name, &o->groups[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* Every range of every media interface, as the port allocator wants them. */
static struct port_range *media_ranges(const struct config *c, const unsigned *groups, size_t *n)
{
	struct port_range *ranges;
	size_t count = 0;

	for (uint32_t i = 0; i < c->n_interfaces; i++)
		for (uint32_t a = 0; a < c->interfaces[i].n_addresses; a++)
			count += c->interfaces[i].addresses[a].n_ranges;
	ranges = calloc(count + 1, sizeof *ranges);
	*n = 0;
	for (uint32_t i = 0; ranges && i < c->n_interfaces; i++)
		for (uint32_t a = 0; a < c->interfaces[i].n_addresses; a++) {
			const struct config_media_address *m = &c->interfaces[i].addresses[a];

			for (uint32_t r = 0; r < m->n_ranges; r++)
				ranges[(*n)++] = (struct port_range){
					.group = groups[i],
					.ip = m->ip,
					.advertised = m->advertised,
					.lower = m->ranges[r].lower,
					.upper = m->ranges[r].upper,
				};
		}
	return ranges;
}

static int plan_ports(struct media_ports_plan *o, const struct config *c, struct err *e)
{
	size_t n;
	struct port_range *ranges = media_ranges(c, o->groups, &n);
	int rc = ranges ? port_alloc_prepare(o->m->alloc, ranges, n, &o->ports, e)
			: err_set(e, ENOMEM, "out of memory");

	free(ranges);
	if (rc < 0)
		return rc;
	port_plan_shares(o->ports, &n);
	if (n > RANGES_MAX)
		return err_set(e, E2BIG,
			"%zu ranges of ports, divided among the workers and with those that calls still have: "
			"at most %u",
			n, RANGES_MAX);
	o->told = calloc(n + 1, sizeof *o->told);
	return o->told ? 0 : err_set(e, ENOMEM, "out of memory");
}

int media_ports_prepare(struct media_ports *m, struct dp_client *client, const struct config *c, bool same,
	struct media_ports_plan **out, struct err *e)
{
	struct media_ports_plan *o = calloc(1, sizeof *o);
	int rc;

	if (!o)
		return err_set(e, ENOMEM, "out of memory");
	o->m = m;
	o->client = client;
	o->generation = c->generation;
	o->nap_us = c->dataplane.nap_us;
	rc = note_groups(o, c) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
	if (rc == 0 && !same)
		rc = plan_ports(o, c, e);
	if (rc < 0) {
		err_prefix(e, "/srtp-gateway:gateway/media");
		media_ports_abandon(o);
		return rc;
	}
	*out = o;
	return 0;
}

const unsigned *media_ports_groups(const struct media_ports_plan *plan)
{
	return plan->groups;
}

void media_ports_commit(struct media_ports_plan *o)
{
	struct media_ports *m = o->m;

	if (o->ports) {
		m->client = o->client;
		m->generation = o->generation;
		m->nap_us = o->nap_us;
		port_alloc_commit(o->ports);
		tell(m, o->told);
	}
	free(o->groups);
	free(o);
}

void media_ports_abandon(struct media_ports_plan *o)
{
	if (!o)
		return;
	port_alloc_abandon(o->ports);
	free(o->told);
	free(o->groups);
	free(o);
}
