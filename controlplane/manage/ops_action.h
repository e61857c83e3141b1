/* SPDX-License-Identifier: Apache-2.0 */
/* The management operation action: the model's rpcs and actions (RFC 7950, sections 7.14 and 7.15). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define ACTION_PATH_MAX 4096
#define ACTION_SOCKET_MAX 108 /* as sun_path */

struct engine;
struct mgmt;
struct ops_action;

/* What goes on when the process begins again. */
struct action_restarted {
	unsigned calls;
	char socket[ACTION_SOCKET_MAX]; /* where the next one is managed, when that is elsewhere; else "" */
};

/* Who does it. Negative errno values: -ENOENT: there is no such call or trunk. */
struct action_target {
	int (*terminate)(void *ctx, const char *call, const char *reason); /* reason NULL: none given */
	int (*drain)(
		void *ctx, const char *trunk, uint32_t timeout_s, unsigned *remaining); /* trunk NULL: all */
	int (*resume)(void *ctx, const char *trunk,
		const char **still); /* *still: why it takes no calls all the same */
	/* *legs: on how many sides. -EAGAIN: the call is not answered yet. */
	int (*rekey)(void *ctx, const char *call, unsigned *legs);
	unsigned (*rekey_all)(void *ctx); /* how many calls */
	/* *registrations: how many there were. -ENOENT: there is no such user. */
	int (*disconnect)(void *ctx, const char *user, unsigned *registrations);
	/* Closes the file of the audit: where it is, and the number of its last record. -ENODATA: nothing is
	 * in it; -ENOENT: no audit is kept. */
	int (*rotate_audit)(void *ctx, char file[ACTION_PATH_MAX], uint64_t *last, struct err *e);
	/* The process begins again, with its calls or without. -EBUSY: not now; e says why. */
	int (*restart)(void *ctx, bool keep, uint32_t timeout_s, struct action_restarted *out, struct err *e);
	int (*reload_certificates)(void *ctx, struct err *e);
	/* changed(arg, name) for every profile whose certificate is another one since they were read last. */
	void (*renewed)(void *ctx, void (*changed)(void *arg, const char *profile), void *arg);
};

/* All outlive m. -EEXIST, -ENOMEM. */
int ops_action_register(struct mgmt *m, struct engine *e, const struct action_target *target, void *ctx,
	struct ops_action **out);
void ops_action_free(struct ops_action *o); /* behind mgmt_close(); NULL is allowed */
