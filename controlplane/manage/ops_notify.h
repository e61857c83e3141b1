/* SPDX-License-Identifier: Apache-2.0 */
/* The management operation subscribe: the event stream NETCONF, with filter, replay and stop time (RFC 5277).
 */
#pragma once

struct engine;
struct event_base;
struct gather;
struct mgmt;
struct notify;
struct ops_notify;

/*
 * What the engine does is raised on the bus too. The stream's state is added to g. All outlive m;
 * subscriptions end with their clients. -EEXIST, -ENOMEM.
 */
int ops_notify_register(struct mgmt *m, struct event_base *base, struct engine *e, struct notify *bus,
	struct gather *g, struct ops_notify **out);
void ops_notify_free(struct ops_notify *o); /* behind mgmt_close(); NULL is allowed */
