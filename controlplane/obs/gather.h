/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects the state of the whole gateway from those who have it. Each source is asked twice: first to fetch
 * what takes time (the data plane's numbers), then, when all of that is there, to write its nodes.
 */
#pragma once

#include "controlplane/obs/query.h"
#include "controlplane/obs/state_tree.h"

struct gather;     /* opaque: who can be asked */
struct gather_run; /* opaque: one question */

struct gather_source {
	/*
	 * May call gather_wait() and, later, as often gather_done(); may refuse the question. NULL: nothing
	 * to fetch.
	 */
	void (*fetch)(void *ctx, const struct query *q, struct gather_run *run);
	void (*write)(void *ctx, const struct query *q, struct state_tree *t);
};

/* ctx: the YANG context that trees are of; borrowed. NULL without memory. */
struct gather *gather_new(const struct ly_ctx *ctx);
void gather_free(struct gather *g); /* no question is open any more; NULL is ignored */
const struct ly_ctx *gather_context(const struct gather *g);
/* In the order of the answer. source is kept by reference. -ENOMEM. */
int gather_add(struct gather *g, const struct gather_source *source, void *ctx);

void gather_wait(struct gather_run *run);
void gather_done(struct gather_run *run);
/* The question cannot be answered. tag: an error-tag of RFC 6241, static. The first refusal holds. */
void gather_refuse(struct gather_run *run, const char *tag, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

struct gather_answer {
	struct lyd_node *tree;  /* the receiver's; NULL when tag is set */
	const char *tag, *path; /* why not; NULL: well */
	const char *message;
};

/* done is called once, perhaps at once. q is copied. -ENOMEM: it is not. */
int gather_ask(
	struct gather *g, const struct query *q, void (*done)(void *arg, struct gather_answer *a), void *arg);
