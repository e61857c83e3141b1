/* SPDX-License-Identifier: Apache-2.0 */
/* Making struct engine_fault. */
#pragma once

#include "controlplane/config/engine.h"

/* Fills f and returns -1. type "application"; path may be NULL. */
int fault_set(struct engine_fault *f, const char *tag, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same, about the protocol rather than the configuration. */
int fault_protocol(struct engine_fault *f, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The element that the fault is about, for its error-info. */
void fault_blame(struct engine_fault *f, const char *element);
int fault_memory(struct engine_fault *f);
/* "PATH: reason", as struct err has it. */
int fault_from_err(struct engine_fault *f, const char *tag, const struct err *e);
/* What libyang complained of last; tree (NULL is allowed) is what it was looking at. */
int fault_from_libyang(struct engine_fault *f, const struct ly_ctx *ctx, const struct lyd_node *tree);
/* Puts the node's instance path into f; returns -1. */
int fault_at(struct engine_fault *f, const struct lyd_node *node);
