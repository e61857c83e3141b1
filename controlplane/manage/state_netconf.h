/* SPDX-License-Identifier: Apache-2.0 */
/* netconf-state (RFC 6022): capabilities, datastores and their locks, modules, NETCONF sessions and what they
 * did. */
#pragma once

#include <stdint.h>

struct engine;
struct gather;
struct mgmt;

/* Who is asked; the owner zeroes it and keeps it as long as g. */
struct state_netconf {
	const struct engine *engine;
	const struct mgmt *mgmt;
	uint64_t started_ms; /* wall clock */
};

/* Fills s. -ENOMEM. */
int state_netconf_register(
	struct gather *g, const struct engine *e, const struct mgmt *m, struct state_netconf *s);
