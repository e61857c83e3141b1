/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that speaks to libyang's parser: the compiled model, and text made into a validated tree. */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

struct lyd_node;
struct ly_ctx;
struct wbuf;

/* The YANG modules of the program, embedded at build time; text is NUL-terminated. */
struct schema_module {
	const char *name, *text;
	unsigned int octets;
};
extern const struct schema_module schema_modules[];
extern const unsigned int schema_modules_n;
const struct schema_module *schema_module(const char *name); /* NULL: there is none */

/* A context with all of them in it, ly_ctx_destroy() it. -ENOMEM, -EINVAL (the model itself does not
 * compile). */
int schema_context(struct ly_ctx **out, struct err *e);
/* One without them, in which all that is parsed stays names and text: of filters, which may name what no data
 * has. -ENOMEM. */
int schema_context_of_names(struct ly_ctx **out, struct err *e);

/*
 * JSON text (RFC 7951, NUL-terminated, no comments) made into a validated tree with its defaults filled in,
 * lyd_free_all() it. -EINVAL with "NAME:LINE: PATH: reason" in e.
 */
int schema_parse(
	struct ly_ctx *ctx, const char *text, const char *name, struct lyd_node **out, struct err *e);

/*
 * What libyang complained of last, in an operator's words: the data path (as far as it can be told; tree,
 * which may be NULL, is searched for the entry that lacks a node) and the reason. The line of the text, 0
 * when it is not known.
 */
unsigned schema_explain(
	const struct ly_ctx *ctx, const struct lyd_node *tree, struct wbuf *path, struct wbuf *reason);
