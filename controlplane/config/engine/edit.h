/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit-config (RFC 6241 7.2, RFC 7950 7.5.8 to 7.9.4) on a tree. It knows no datastore and no rights: what
 * changed is found by comparing the trees afterwards.
 */
#pragma once

#include "controlplane/config/engine.h"

/* Text as an edit: nodes with their operations. Bounded before libyang sees it. *out may be NULL (empty). */
int edit_parse(struct ly_ctx *ctx, struct str text, enum engine_format format, struct lyd_node **out,
	struct engine_fault *f);
/* Text as a whole configuration: strict, without operations. Not validated. */
int edit_parse_config(struct ly_ctx *ctx, struct str text, enum engine_format format, struct lyd_node **out,
	struct engine_fault *f);
/* The XML of a subtree filter: names and text. names: schema_context_of_names(). */
int edit_parse_filter(struct ly_ctx *names, struct str text, struct lyd_node **out, struct engine_fault *f);

/*
 * Changes *data (which may be NULL) as edit says. On failure *data is half changed: work on a copy. With
 * ENGINE_REPLACE the whole of *data is replaced.
 */
int edit_apply(struct lyd_node **data, const struct lyd_node *edit, enum engine_default_operation op,
	struct engine_fault *f);

/* One leaf, leaf-list entry or list entry by its path, which was checked: as an edit that sets it, and
 * deleted. */
int edit_check_path(const char *path, struct engine_fault *f);
int edit_at(struct ly_ctx *ctx, const char *path, const char *value, struct lyd_node **out,
	struct engine_fault *f);
int edit_delete(struct ly_ctx *ctx, struct lyd_node **data, const char *path, struct engine_fault *f);
