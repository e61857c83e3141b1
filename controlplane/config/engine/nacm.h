/* SPDX-License-Identifier: Apache-2.0 */
/* Access control (RFC 8341): the rules of a configuration, and what they say about an account. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "controlplane/config/engine.h"

struct lysc_node;

/* Who is behind a session. */
struct nacm_account {
	uid_t uid;
	char *user;
	char **groups; /* of the system */
	unsigned n_groups;
	bool recovery; /* root or the account that we run as: RFC 8341 3.2.1, never refused */
};
/* -ENOMEM. An account without a name is called by its number. */
int nacm_account_make(struct nacm_account *a, uid_t uid);
void nacm_account_clear(struct nacm_account *a);

enum nacm_operation {
	NACM_CREATE = 1 << 0,
	NACM_READ = 1 << 1,
	NACM_UPDATE = 1 << 2,
	NACM_DELETE = 1 << 3,
	NACM_EXEC = 1 << 4,
};

enum nacm_kind { NACM_ANY, NACM_CALL, NACM_NOTIFICATION, NACM_DATA };

struct nacm_key; /* one predicate of a rule's path */

struct nacm_rule {
	const char *module; /* NULL: any */
	enum nacm_kind kind;
	const char *name;             /* of the rpc or notification; NULL: any */
	const struct lysc_node *path; /* NACM_DATA: the node; NULL: all of them */
	bool nowhere;                 /* a path that the models do not have: never matches */
	struct nacm_key *keys;
	unsigned n_keys;
	unsigned operations; /* bits of enum nacm_operation */
	bool permit;
};

struct nacm_list {
	const struct lyd_node *node; /* rule-list; its groups are read from it */
	struct nacm_rule *rules;
	unsigned n_rules;
};

/* The rules of one tree, into which they point. */
struct nacm {
	bool enabled, external_groups;
	bool read_default, write_default, exec_default; /* permit */
	const struct lyd_node *node;                    /* /nacm; NULL: not configured */
	struct nacm_list *lists;
	unsigned n_lists;
};
/* tree has its defaults. -ENOMEM. */
int nacm_read(struct nacm *n, const struct ly_ctx *ctx, const struct lyd_node *tree);
void nacm_clear(struct nacm *n);

/* Since the start (RFC 8341 3.5). */
struct nacm_counters {
	uint32_t operations, writes, notifications;
};

#define NACM_LISTS_MAX 256

/* The rule-lists that are an account's, found once for many questions. */
struct nacm_view {
	const struct nacm *rules;
	const char *user;
	bool all; /* nothing is refused */
	unsigned n_lists;
	const struct nacm_list *lists[NACM_LISTS_MAX];
};
void nacm_view(struct nacm_view *v, const struct nacm *n, const struct nacm_account *who);

bool nacm_may_call(
	const struct nacm_view *v, const char *module, const char *rpc, const struct lysc_node *schema);
bool nacm_may_notify(const struct nacm_view *v, const struct lyd_node *notification);
/* One node of the data; also an action in it, with NACM_EXEC. */
bool nacm_may(const struct nacm_view *v, const struct lyd_node *node, enum nacm_operation op);

/* What has this instance path, whether it is there or not; to read it, also what is above it. */
bool nacm_may_at(
	const struct nacm_view *v, const struct ly_ctx *ctx, const char *path, enum nacm_operation op);

/* Removes what may not be read. */
void nacm_prune(const struct nacm_view *v, struct lyd_node **tree);
/*
 * What an edit of data (NULL: empty) asks of nodes that may not be read, though it may make no difference
 * there. 0, or -1 with *f: access is denied, or what it names to stand beside is no more there than if it
 * were not.
 */
int nacm_may_ask(const struct nacm_view *v, const struct lyd_node *data, const struct lyd_node *edit,
	enum engine_default_operation op, struct engine_fault *f);
/* The first node of a difference (lyd_diff_siblings()) that may not be changed so; NULL: there is none. */
const struct lyd_node *nacm_find_denied(const struct nacm_view *v, const struct lyd_node *diff);
