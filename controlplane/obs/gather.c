/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/gather.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <libyang/libyang.h>

struct source {
	STAILQ_ENTRY(source) next;
	const struct gather_source *source;
	void *ctx;
};

struct gather {
	const struct ly_ctx *ctx;
	STAILQ_HEAD(, source) sources;
};

struct gather_run {
	struct gather *g;
	struct query q;
	unsigned waiting;
	void (*done)(void *arg, struct gather_answer *a);
	void *arg;
	const char *tag;
	char path[256], message[384];
};

struct gather *gather_new(const struct ly_ctx *ctx)
{
	struct gather *g = calloc(1, sizeof *g);

	if (g) {
		g->ctx = ctx;
		STAILQ_INIT(&g->sources);
	}
	return g;
}

void gather_free(struct gather *g)
{
	while (g && !STAILQ_EMPTY(&g->sources)) {
		struct source *s = STAILQ_FIRST(&g->sources);

		STAILQ_REMOVE_HEAD(&g->sources, next);
		free(s);
	}
	free(g);
}

const struct ly_ctx *gather_context(const struct gather *g)
{
	return g->ctx;
}

int gather_add(struct gather *g, const struct gather_source *source, void *ctx)
{
	struct source *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->source = source;
	s->ctx = ctx;
	STAILQ_INSERT_TAIL(&g->sources, s, next);
	return 0;
}

static void answer(struct gather_run *run)
{
	struct state_tree t = {.ctx = run->g->ctx};
	struct gather_answer a = {0};
	struct source *s;

	STAILQ_FOREACH (s, &run->g->sources, next) {
		if (!run->tag)
			s->source->write(s->ctx, &run->q, &t);
	}
	if (t.failed)
		gather_refuse(run, "operation-failed", "", "the state cannot be told: %s (out of memory?)",
			t.failed);
	if (run->tag) {
		lyd_free_all(t.first);
		a = (struct gather_answer){.tag = run->tag, .path = run->path, .message = run->message};
	} else {
		a.tree = t.first;
	}
	run->done(run->arg, &a);
	free(run);
}

void gather_wait(struct gather_run *run)
{
	run->waiting++;
}

void gather_done(struct gather_run *run)
{
	if (--run->waiting == 0)
		answer(run);
}

void gather_refuse(struct gather_run *run, const char *tag, const char *path, const char *fmt, ...)
{
	va_list ap;

	if (run->tag)
		return;
	run->tag = tag;
	snprintf(run->path, sizeof run->path, "%s", path);
	va_start(ap, fmt);
	vsnprintf(run->message, sizeof run->message, fmt, ap);
	va_end(ap);
}

int gather_ask(
	struct gather *g, const struct query *q, void (*done)(void *arg, struct gather_answer *a), void *arg)
{
	struct gather_run *run = calloc(1, sizeof *run);
	struct source *s;

	if (!run)
		return -ENOMEM;
	*run = (struct gather_run){.g = g, .q = *q, .waiting = 1, .done = done, .arg = arg};
	STAILQ_FOREACH (s, &g->sources, next) {
		if (s->source->fetch && !run->tag)
			s->source->fetch(s->ctx, &run->q, run);
	}
	gather_done(run);
	return 0;
}
