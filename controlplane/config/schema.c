/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/explain.h"
#include "controlplane/config/locate.h"
#include "lib/base/buf.h"

/*
 * The features that this build has. Nodes of srtp-gateway's others are refused. libyang 2 contains
 * ietf-inet-types and ietf-yang-types, so the models need no file at run time.
 */
static const char *gateway_features[] = {"audit", "browser-users", "digest-auth", "dtls-srtp", "dtls-1.3",
	"rekey", NULL};
static const char *netconf_features[] = {
	"writable-running",
	"candidate",
	"confirmed-commit",
	"rollback-on-error",
	"validate",
	"startup",
	"xpath",
	NULL,
};
static const char *no_features[] = {NULL};

static const char **features_of(const char *module)
{
	return strcmp(module, "srtp-gateway") == 0   ? gateway_features
	       : strcmp(module, "ietf-netconf") == 0 ? netconf_features
						     : no_features;
}

const struct schema_module *schema_module(const char *name)
{
	for (unsigned i = 0; i < schema_modules_n; i++)
		if (strcmp(schema_modules[i].name, name) == 0)
			return &schema_modules[i];
	return NULL;
}

static int add_module(struct ly_ctx *ctx, const struct schema_module *m, struct err *e)
{
	struct ly_in *in = NULL;
	int rc = 0;

	if (ly_in_new_memory(m->text, &in) != LY_SUCCESS)
		return err_set(e, ENOMEM, "no memory for the YANG models");
	if (lys_parse(ctx, in, LYS_IN_YANG, features_of(m->name), NULL) != LY_SUCCESS) {
		const char *msg = ly_errmsg(ctx), *path = ly_errpath(ctx);

		rc = err_set(e, EINVAL, "%s.yang: %s (%s)", m->name, msg ? msg : "unknown error",
			path ? path : "no path");
	}
	ly_in_free(in, 0);
	return rc;
}

int schema_context_of_names(struct ly_ctx **out, struct err *e)
{
	/* Messages are fetched from the context, not printed. */
	ly_log_options(LY_LOSTORE_LAST);
	if (ly_ctx_new(NULL, LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIRS, out) != LY_SUCCESS)
		return err_set(e, ENOMEM, "libyang cannot be started");
	return 0;
}

int schema_context(struct ly_ctx **out, struct err *e)
{
	struct ly_ctx *ctx = NULL;
	int rc = schema_context_of_names(&ctx, e);

	if (rc)
		return rc;
	for (unsigned i = 0; i < schema_modules_n && !rc; i++)
		rc = add_module(ctx, &schema_modules[i], e);
	if (rc)
		ly_ctx_destroy(ctx);
	else
		*out = ctx;
	return rc;
}

/* The text between label" and " in what libyang calls a path: `Data location "/a/b", line number 3.` */
static struct str quoted_after(const char *text, const char *label)
{
	const char *p = text ? strcasestr(text, label) : NULL;

	if (!p)
		return (struct str){0};
	p += strlen(label);
	const char *end = strstr(p, "\",");

	if (!end)
		end = strstr(p, "\".");
	return (struct str){p, end ? (size_t)(end - p) : strlen(p)};
}

/*
 * A missing node is reported by its schema path, without saying which list entry lacks it: the first entry
 * that does is looked up in the tree. Writes its data path, or leaves w empty.
 */
static void find_entry_without(const struct lyd_node *tree, struct str schema_path, struct wbuf *w)
{
	ptrdiff_t slash = (ptrdiff_t)schema_path.n - 1;
	char xpath[512];
	struct ly_set *found = NULL;

	while (slash > 0 && schema_path.p[slash] != '/')
		slash--;
	if (!tree || slash <= 0)
		return;
	snprintf(xpath, sizeof xpath, "%.*s[not(%.*s)]", (int)slash, schema_path.p,
		STR_ARG(str_sub(schema_path, (size_t)slash + 1, schema_path.n)));
	if (lyd_find_xpath(tree, xpath, &found) == LY_SUCCESS && found->count) {
		char *path = lyd_path(found->dnodes[0], LYD_PATH_STD, NULL, 0);

		wbuf_z(w, path ? path : "");
		free(path);
	}
	ly_set_free(found, NULL);
}

unsigned schema_explain(
	const struct ly_ctx *ctx, const struct lyd_node *tree, struct wbuf *path, struct wbuf *reason)
{
	char msg[512], where[512];

	/* Copies: the context keeps only its last message, and what follows may cause others. */
	snprintf(msg, sizeof msg, "%s", ly_errmsg(ctx) ? ly_errmsg(ctx) : "not valid");
	snprintf(where, sizeof where, "%s", ly_errpath(ctx) ? ly_errpath(ctx) : "");
	struct str at = quoted_after(where, "data location \"");
	const char *line_text = strcasestr(where, "line number ");

	if (!at.n) {
		at = quoted_after(where, "schema location \"");
		find_entry_without(tree, at, path);
	}
	if (!path->len)
		wbuf_str(path, at);
	if (strncmp(msg, "Node \"", 6) == 0)
		wbuf_fmt(path, "/%.*s", STR_ARG(explain_quoted(msg)));
	explain_reason(ctx, msg, at, reason);
	return line_text ? (unsigned)strtoul(line_text + strlen("line number "), NULL, 10) : 0;
}

static int describe(const struct ly_ctx *ctx, const struct lyd_node *tree, const char *text, const char *name,
	struct err *e)
{
	char shown[320], reason[400];
	struct wbuf p = wbuf_make(shown, sizeof shown), r = wbuf_make(reason, sizeof reason);
	unsigned parsed = schema_explain(ctx, tree, &p, &r);
	bool exact;
	/* The parser counts lines to the token behind a value; an exact path leads to the value itself. */
	unsigned line = locate_line(str_z(text), wbuf_view(&p), &exact);

	if (!exact && parsed)
		line = parsed;
	return err_set(e, EINVAL, "%s:%u: %.*s%s%.*s", name, line, STR_ARG(wbuf_view(&p)), p.len ? ": " : "",
		STR_ARG(wbuf_view(&r)));
}

int schema_parse(struct ly_ctx *ctx, const char *text, const char *name, struct lyd_node **out, struct err *e)
{
	struct lyd_node *tree = NULL;
	LY_ERR rc = lyd_parse_data_mem(
		ctx, text, LYD_JSON, LYD_PARSE_ONLY | LYD_PARSE_STRICT | LYD_PARSE_NO_STATE, 0, &tree);

	/* In two steps, so that there is a whole tree to describe a failed validation by. */
	if (rc == LY_SUCCESS)
		rc = lyd_validate_all(&tree, ctx, LYD_VALIDATE_NO_STATE, NULL);
	if (rc == LY_SUCCESS) {
		*out = tree;
		return 0;
	}
	int result = rc == LY_EMEM ? err_set(e, ENOMEM, "%s: no memory to read it", name)
				   : describe(ctx, tree, text, name, e);

	lyd_free_all(tree);
	return result;
}
