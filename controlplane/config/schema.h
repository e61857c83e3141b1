/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that speaks to libyang's parser: the compiled model, and text made into a validated tree. */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

struct lyd_node;
struct ly_ctx;

/* srtp-gateway.yang, NUL-terminated; made at build time. */
extern const char schema_yang[];
extern const unsigned int schema_yang_octets;

/* A context with srtp-gateway in it, ly_ctx_destroy() it. -ENOMEM, -EINVAL (the model itself does not
 * compile). */
int schema_context(struct ly_ctx **out, struct err *e);

/*
 * JSON text (RFC 7951, NUL-terminated, no comments) made into a validated tree with its defaults filled in,
 * lyd_free_all() it. -EINVAL with "NAME:LINE: PATH: reason" in e.
 */
int schema_parse(
	struct ly_ctx *ctx, const char *text, const char *name, struct lyd_node **out, struct err *e);
