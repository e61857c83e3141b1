/* SPDX-License-Identifier: Apache-2.0 */
/* The pages for monitoring systems, /metrics and /healthz, where the configuration says. */
#pragma once

#include "controlplane/gateway.h"

struct web;

/* What serves a configuration: the server that runs, or a new one, or NULL. e: path and reason. */
int pages_prepare(struct gateway *g, const struct config *to, struct web **out, struct err *e);
/* From now on that one serves; another one is closed. */
void pages_commit(struct gateway *g, struct web *w);
/* Undoes pages_prepare(). */
void pages_abandon(struct gateway *g, struct web *w);
