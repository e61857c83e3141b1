/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/schema.h"
#include "ctl/table.h"
#include "ctl/value.h"

#define DEPTH_MAX 16

static const char *without_module(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static void print_leaf(const char *name, const json_t *v, FILE *to)
{
	char buf[32];
	const char *text = value_text(v, buf);
	bool quoted = !*text || strpbrk(text, " \t\"") != NULL;

	fputc(' ', to);
	print_harmless(without_module(name), to);
	fputs(quoted ? "=\"" : "=", to);
	print_harmless(text, to);
	fputs(quoted ? "\"" : "", to);
}

/* Leaves in the order in which they came; containers and lists are gone into. */
static void print_leaves(const char *name, const json_t *v, unsigned depth, FILE *to)
{
	const char *key;
	json_t *member;
	size_t i;

	if (depth == 0)
		return;
	if (json_is_object(v)) {
		json_object_foreach((json_t *)v, key, member) print_leaves(key, member, depth - 1, to);
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, member) print_leaves(name, member, depth - 1, to);
	} else {
		print_leaf(name, v, to);
	}
}

void monitor_print(const json_t *notification, FILE *to)
{
	const char *time = json_string_value(json_object_get(notification, "event-time")), *name;
	json_t *content;

	print_harmless(time ? time : "-", to);
	json_object_foreach(json_object_get(notification, "data"), name, content)
	{
		fputc(' ', to);
		print_harmless(without_module(name), to);
		print_leaves(name, content, DEPTH_MAX, to);
	}
	fputc('\n', to);
}

static void show(const json_t *notification, const struct ctl_args *a)
{
	char *line = args_json(a) ? json_dumps(notification, JSON_COMPACT) : NULL;

	if (args_json(a))
		puts(line ? line : "{}");
	else
		monitor_print(notification, stdout);
	fflush(stdout);
	free(line);
}

/* A name of a notification, or an XPath, as an XPath. */
static enum ctl_exit make_filter(const char *word, char *xpath, size_t cap, struct err *e)
{
	size_t n = strlen(word);

	if (strchr(word, '/')) {
		snprintf(xpath, cap, "%s", word);
		return CTL_OK;
	}
	for (const char *z = schema_notifications; *z; z += strcspn(z, " "), z += *z == ' ') {
		if (strcspn(z, " ") == n && strncmp(z, word, n) == 0) {
			snprintf(xpath, cap, "/srtp-gateway:%s", word);
			return CTL_OK;
		}
	}
	err_set(e, EINVAL, "there is no notification '%.40s'; there are: %s", word, schema_notifications);
	return CTL_USAGE;
}

enum ctl_exit monitor_follow(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *args = json_pack("{s:s}", "stream", "NETCONF");
	char xpath[512];
	double left = a->number[OPT_COUNT];

	if (a->n_words && make_filter(a->words[0], xpath, sizeof xpath, e) != CTL_OK) {
		json_decref(args);
		return CTL_USAGE;
	}
	if (a->n_words)
		json_object_set_new(args, "xpath", json_string(xpath));
	if (a->text[OPT_SINCE])
		json_object_set_new(args, "start-time", json_string(a->text[OPT_SINCE]));
	enum ctl_exit code = client_ask(c, "subscribe", args, NULL, e);

	if (code == CTL_OK && !client_patience(c, 0))
		err_set(e, errno, "the connection cannot be waited on");
	while (code == CTL_OK) {
		json_t *notification = NULL;

		code = client_next(c, &notification, e);
		if (code != CTL_OK)
			break;
		show(notification, a);
		json_decref(notification);
		if (ferror(stdout) || (left > 0 && --left < 1))
			return CTL_OK;
	}
	return code;
}
