/* SPDX-License-Identifier: Apache-2.0 */
/* Media addresses and port ranges: staged page by page, checked as a whole, then told to the table and the
 * ports. */
#include <errno.h>
#include <string.h>

#include "dataplane/control/control_private.h"
#include "dataplane/control/ephemeral.h"
#include "dataplane/control/media_here.h"
#include "dataplane/idle.h"
#include "lib/base/log.h"

static int stage(struct control *c, const struct dp_configure *page, struct err *err)
{
	if (page->page == 0) {
		c->n_staged = 0;
		c->page = 0;
		c->pages = page->pages;
	}
	if (page->pages != c->pages || page->page != c->page)
		return err_set(err, EINVAL, "page %u of %u does not follow", page->page, page->pages);
	if (c->n_staged + page->n_addresses > CONTROL_ADDRESSES_MAX)
		return err_set(err, E2BIG, "more than %u media ranges", CONTROL_ADDRESSES_MAX);
	memcpy(c->staged + c->n_staged, page->addresses, page->n_addresses * sizeof *page->addresses);
	c->n_staged += page->n_addresses;
	c->page++;
	return 0;
}

static int check(const struct control *c, struct err *err)
{
	char text[IP_TEXT_MAX];

	for (uint32_t i = 0; i < c->n_staged; i++) {
		const struct dp_address *a = &c->staged[i];

		if (a->worker >= c->conf.n_workers)
			return err_set(
				err, EINVAL, "%s: there is no worker %u", ip_text(&a->ip, text), a->worker);
		for (uint32_t j = 0; j < i; j++) {
			const struct dp_address *b = &c->staged[j];

			if (ip_equal(&a->ip, &b->ip) && a->port_lower <= b->port_upper &&
				b->port_lower <= a->port_upper)
				return err_set(err, EINVAL, "%s: ports %u-%u and %u-%u overlap",
					ip_text(&a->ip, text), a->port_lower, a->port_upper, b->port_lower,
					b->port_upper);
		}
	}
	return 0;
}

static int tell_ports(struct control *c, const struct dp_address *addresses, uint32_t n, struct err *err)
{
	int rc = 0;

	for (uint16_t i = 0; i < c->conf.n_ports && rc == 0; i++)
		rc = port_set_media(c->conf.ports[i], addresses, n, err);
	return rc;
}

static int apply(struct control *c, struct err *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < c->n_staged && rc == 0; i++)
		rc = leg_table_add_address(c->conf.table, &c->staged[i].ip);
	if (rc < 0)
		return err_set(err, -rc, "no room for another media address");
	rc = tell_ports(c, c->staged, c->n_staged, err);
	if (rc < 0) {
		/* What was in force goes on. */
		tell_ports(c, c->addresses, c->n_addresses, NULL);
		return rc;
	}
	for (uint32_t i = 0; i < c->n_staged; i++)
		c->ranges[i] = (struct leg_range){
			c->staged[i].ip, c->staged[i].port_lower, c->staged[i].port_upper};
	leg_table_set_media(c->conf.table, c->ranges, c->n_staged);
	memcpy(c->addresses, c->staged, c->n_staged * sizeof *c->staged);
	c->n_addresses = c->n_staged;
	return 0;
}

static void let_nap(struct control *c, uint32_t nap_us)
{
	bool changed = false;

	for (uint32_t i = 0; i < c->conf.n_workers; i++)
		changed |= idle_set(worker_mailbox(c->conf.workers[i])->worker, nap_us);
	if (!changed)
		return;
	if (nap_us == DP_NAP_NEVER)
		log_info("control", "workers never sleep from now on, as configured");
	else if (nap_us == DP_NAP_AS_STARTED)
		log_info("control", "workers sleep as the command line says again");
	else
		log_info("control", "workers have another longest nap, as configured",
			LU("microseconds", nap_us));
}

/* Ports over rings, of tests and benches, have no kernel beside them. */
static bool shares_addresses(const struct control *c)
{
	for (uint16_t i = 0; i < c->conf.n_ports; i++)
		if (c->conf.ports[i]->ifindex != 0)
			return true;
	return false;
}

int control_configure(struct control *c, const struct dp_configure *page, struct err *err)
{
	int rc = stage(c, page, err);

	if (rc == 0 && c->page < c->pages)
		return 0;
	if (rc == 0)
		rc = check(c, err);
	if (rc == 0)
		rc = apply(c, err);
	c->pages = 0;
	if (rc == 0) {
		let_nap(c, page->nap_us);
		log_info("control", "media addresses configured", LU("generation", page->generation),
			LU("ranges", c->n_addresses));
		if (shares_addresses(c)) {
			ephemeral_warn(c->addresses, c->n_addresses);
			media_here_warn(c->conf.ports, c->conf.n_ports, c->addresses, c->n_addresses);
		}
	}
	return rc;
}

const struct dp_address *control_range(const struct control *c, const struct ip_port *local)
{
	for (uint32_t i = 0; i < c->n_addresses; i++) {
		const struct dp_address *a = &c->addresses[i];

		if (local->port >= a->port_lower && local->port <= a->port_upper &&
			ip_equal(&a->ip, &local->ip))
			return a;
	}
	return NULL;
}
