/* SPDX-License-Identifier: Apache-2.0 */
/* The management operation get: what is configured and how it is (docs/management.md). */
#pragma once

struct engine;
struct gather;
struct mgmt;
struct ops_state;

/* The engine's own state is added to g. All outlive m. -EEXIST, -ENOMEM. */
int ops_state_register(struct mgmt *m, struct engine *e, struct gather *g, struct ops_state **out);
void ops_state_free(
	struct ops_state *o); /* behind mgmt_close() and the end of every question; NULL is allowed */
