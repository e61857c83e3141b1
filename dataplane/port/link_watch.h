/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether ports have a link: looked at each second and logged when it changes. A port whose cable is out
 * sends and hears nothing, and no packet tells. Main thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dp_clock.h"
#include "dataplane/port/port.h"

#define LINK_WATCH_NS NS_PER_S
/* In a row that see an interface replaced before it counts: one that has just come is still being set up. */
#define LINK_WATCH_LOOKS 3

/* Zeroed before the first look. */
struct link_watch {
	uint64_t next; /* the next look is due, ns */
	bool known[PORTS_MAX], up[PORTS_MAX];
	uint64_t losses[PORTS_MAX]; /* how often the link went, or was not there at first */
	const char *why[PORTS_MAX]; /* as was logged last; NULL: nothing */
	uint8_t seen[PORTS_MAX];    /* looks in a row that saw its interface replaced */
	const struct port *replaced; /* one whose interface went and came back as another, for which it is no
					port; or NULL */
};

/* How many ports' links have changed since the look before, or are known for the first time; they were
 * logged. now: ns. */
unsigned link_watch_look(struct link_watch *w, struct port *const *ports, uint16_t n, uint64_t now);
