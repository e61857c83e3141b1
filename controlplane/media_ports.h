/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration's media interfaces as the port allocator and the data plane know them. A media interface
 * keeps its group at the allocator by name, whatever its place in the configuration. The data plane is told of
 * ports that are wanted and of those that drain, and again when the last port of a removed range was given
 * back.
 */
#pragma once

#include "controlplane/config/config.h"
#include "lib/base/err.h"

struct dp_client;
struct event_base;
struct media_ports;      /* opaque */
struct media_ports_plan; /* opaque */
struct port_alloc;

/* As many workers as c says, for good; no ports before the first commit. -ENOMEM and others with e. */
int media_ports_open(
	struct media_ports **out, struct event_base *base, const struct config *c, struct err *e);
void media_ports_free(struct media_ports *m); /* NULL is ignored */
struct port_alloc *media_ports_alloc(struct media_ports *m); /* borrowed */

/*
 * Everything that another configuration needs; nothing changes before the commit, and then only the order of
 * interfaces when their ports, and what else the data plane is told, are the same as before (same). e: the
 * YANG path and the reason. client is the one that a commit tells.
 */
int media_ports_prepare(struct media_ports *m, struct dp_client *client, const struct config *c, bool same,
	struct media_ports_plan **out, struct err *e);
/* By index of the media interface: its group at the allocator. Lives as long as the plan. */
const unsigned *media_ports_groups(const struct media_ports_plan *plan);
void media_ports_commit(struct media_ports_plan *plan);
void media_ports_abandon(struct media_ports_plan *plan); /* NULL is ignored */
