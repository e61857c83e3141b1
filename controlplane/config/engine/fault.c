/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/engine/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "controlplane/config/schema.h"
#include "lib/base/buf.h"

static void set(struct engine_fault *f, const char *type, const char *tag, const char *path)
{
	*f = (struct engine_fault){.type = type, .tag = tag};
	snprintf(f->path, sizeof f->path, "%s", path ? path : "");
}

int fault_set(struct engine_fault *f, const char *tag, const char *path, const char *fmt, ...)
{
	va_list ap;

	set(f, "application", tag, path);
	va_start(ap, fmt);
	vsnprintf(f->message, sizeof f->message, fmt, ap);
	va_end(ap);
	return -1;
}

int fault_protocol(struct engine_fault *f, const char *tag, const char *fmt, ...)
{
	va_list ap;

	set(f, "protocol", tag, NULL);
	va_start(ap, fmt);
	vsnprintf(f->message, sizeof f->message, fmt, ap);
	va_end(ap);
	return -1;
}

void fault_blame(struct engine_fault *f, const char *element)
{
	snprintf(f->bad_element, sizeof f->bad_element, "%s", element);
}

int fault_memory(struct engine_fault *f)
{
	return fault_set(f, "resource-denied", NULL, "out of memory");
}

/* The end of an instance path at the beginning of text: ": " outside of quotes. NULL: it begins with none. */
static const char *path_end(const char *text)
{
	char quote = 0;

	if (*text != '/' || !strchr(text, ':'))
		return NULL;
	for (const char *p = text; *p; p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '\'' || *p == '"')
			quote = *p;
		else if (p[0] == ':' && p[1] == ' ')
			return p;
		else if (*p == ' ')
			return NULL;
	}
	return NULL;
}

int fault_from_err(struct engine_fault *f, const char *tag, const struct err *e)
{
	const char *end = path_end(e->text);

	if (!end)
		return fault_set(f, tag, NULL, "%s", e->text);
	fault_set(f, tag, NULL, "%s", end + 2);
	snprintf(f->path, sizeof f->path, "%.*s", (int)(end - e->text), e->text);
	return -1;
}

/*
 * Which error-tag (and RFC 7950 section 15 error-app-tag) libyang's message is about. The first row whose
 * text begins the message.
 */
static const struct {
	const char *begins, *tag, *app_tag;
	bool names; /* the element is what it quotes first, else where it is */
} tags[] = {
	{"Invalid leafref value", "data-missing", "instance-required"},
	{"Mandatory node", "missing-element", NULL, true},
	{"Mandatory choice", "data-missing", "missing-choice"},
	{"Too few", "operation-failed", "too-few-elements"},
	{"Too many", "operation-failed", "too-many-elements"},
	{"Unique data leaf", "operation-failed", "data-not-unique"},
	{"Must condition", "operation-failed", "must-violation"},
	{"When condition", "unknown-element", NULL},
	{"Node \"", "unknown-element", NULL, true},
	{"Unknown element", "unknown-element", NULL, true},
	{"No module with namespace", "unknown-namespace", NULL},
	{"Unexpected data state node", "invalid-value", NULL},
	{"Unexpected data", "unknown-element", NULL},
	{"List instance is missing its key", "missing-element", NULL, true},
	{"Unknown (or not implemented) YANG module", "unknown-attribute", NULL},
	{"Annotation definition", "unknown-attribute", NULL},
	{"Invalid state", "invalid-value", NULL},
};

static void blame_quoted(struct engine_fault *f, const char *msg)
{
	const char *begin = strchr(msg, '"');
	size_t n = begin ? strcspn(begin + 1, "\"") : 0;

	if (n)
		snprintf(f->bad_element, sizeof f->bad_element, "%.*s", (int)n, begin + 1);
}

/* The last step of the path, without its module and its keys. */
static void blame_place(struct engine_fault *f)
{
	const char *step = f->path;
	unsigned depth = 0;

	for (const char *p = f->path; *p; p++) {
		depth += *p == '[';
		depth -= *p == ']' && depth;
		if (!depth && (*p == '/' || *p == ':'))
			step = p + 1;
	}
	snprintf(f->bad_element, sizeof f->bad_element, "%.*s", (int)strcspn(step, "["), step);
}

int fault_from_libyang(struct engine_fault *f, const struct ly_ctx *ctx, const struct lyd_node *tree)
{
	struct wbuf path, reason;
	const char *msg = ly_errmsg(ctx), *app_tag = ly_errapptag(ctx);
	LY_VECODE code = ly_vecode(ctx);

	if (ly_errcode(ctx) == LY_EMEM)
		return fault_memory(f);
	set(f, "application", "invalid-value", NULL);
	if (app_tag && strcmp(app_tag, "must-violation") == 0) {
		f->tag = "operation-failed";
		f->app_tag = "must-violation";
	}
	if (code == LYVE_SYNTAX_XML || code == LYVE_SYNTAX_JSON) {
		f->tag = "malformed-message";
		f->type = "rpc";
	}
	for (size_t i = 0; msg && i < sizeof tags / sizeof tags[0]; i++) {
		if (strncmp(msg, tags[i].begins, strlen(tags[i].begins)) != 0)
			continue;
		f->tag = tags[i].tag;
		f->app_tag = tags[i].app_tag;
		if (tags[i].names)
			blame_quoted(f, msg);
		break;
	}
	path = wbuf_make(f->path, sizeof f->path - 1);
	reason = wbuf_make(f->message, sizeof f->message - 1);
	schema_explain(ctx, tree, &path, &reason);
	f->path[path.len] = 0;
	f->message[reason.len] = 0;
	if (strcmp(f->tag, "unknown-element") == 0 && !*f->bad_element)
		blame_place(f);
	return -1;
}

int fault_at(struct engine_fault *f, const struct lyd_node *node)
{
	if (node && !lyd_path(node, LYD_PATH_STD, f->path, sizeof f->path))
		f->path[0] = 0;
	return -1;
}
