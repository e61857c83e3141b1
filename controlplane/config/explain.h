/* SPDX-License-Identifier: Apache-2.0 */
/* libyang's complaints are for those who write models; an operator hears what to write instead. */
#pragma once

#include "lib/base/str.h"

struct ly_ctx;
struct lysc_node;
struct wbuf;

/* The first word in double quotes of libyang's message, or nothing. */
struct str explain_quoted(const char *msg);

/*
 * Writes that below parent (NULL: at the top) nothing is called name, and what was meant if there is a name
 * in the configuration that is near.
 */
void explain_unknown(const struct lysc_node *parent, struct str name, struct wbuf *w);

/*
 * Writes what libyang's message says, in an operator's words. path: the data path of the node that it is
 * about; what the model says of this node (choices, range, the beginning of its description) is told where it
 * helps.
 */
void explain_reason(const struct ly_ctx *ctx, const char *msg, struct str path, struct wbuf *w);
