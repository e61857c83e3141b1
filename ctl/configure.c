/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/configure.h"

#include <errno.h>
#include <string.h>

#include "ctl/config_text.h"
#include "ctl/path.h"
#include "ctl/print.h"
#include "ctl/value.h"

/* Changes may acquire ports, certificates and names. */
#define CHANGE_TIMEOUT_S 120

/* For a change: asks, and says nothing when all is well but what a program wants to read. */
static enum ctl_exit change(
	struct client *c, const struct ctl_args *a, const char *op, json_t *args, struct err *e)
{
	json_t *data = NULL;

	client_patience(c, CHANGE_TIMEOUT_S);
	enum ctl_exit code = client_ask(c, op, args, &data, e);

	if (code == CTL_OK && args_json(a))
		print_json(data, stdout);
	json_decref(data);
	return code;
}

static enum ctl_exit expand(const char *text, char path[PATH_MAX_OCTETS], struct err *e)
{
	return path_expand(text, path, e) ? CTL_USAGE : CTL_OK;
}

/* Prints a configuration as it came: JSON in lines, XML as it is. */
static void print_config(const json_t *data, FILE *to)
{
	if (json_is_string(data))
		fprintf(to, "%s\n", json_string_value(data));
	else
		print_json(data, to);
}

static bool empty(const json_t *data)
{
	return json_is_string(data) ? json_string_length(data) == 0 : json_object_size(data) == 0;
}

/*
 * Nothing is there: it may be so, with what nobody has set. But a name that the model does not have and an entry that
 * is not in its list are mistakes.
 */
static enum ctl_exit explain_empty(
	struct client *c, const char *source, const char *text, char path[PATH_MAX_OCTETS], struct err *e)
{
	char *entry_end = strrchr(path, ']');
	json_t *data = NULL;
	enum ctl_exit code = CTL_OK;

	if (!path_node(text)) {
		err_set(e, ENOENT, "there is no '%s': 'srtpgwctl show config' shows what there is", text);
		return CTL_REFUSED;
	}
	if (entry_end && entry_end[1]) {
		entry_end[1] = 0;
		code = client_ask(c, "get-config", json_pack("{s:s,s:s}", "source", source, "xpath", path), &data, e);
	}
	if (code == CTL_OK && entry_end && (!data || empty(data))) {
		err_set(e, ENOENT, "there is no %s in %s", path_short(path), source);
		code = CTL_REFUSED;
	}
	json_decref(data);
	return code;
}

enum ctl_exit configure_show(struct client *c, const struct ctl_args *a, struct err *e)
{
	const char *source = a->text[OPT_SOURCE] ? a->text[OPT_SOURCE] : "running";
	json_t *args = json_pack("{s:s}", "source", source), *data = NULL;
	char path[PATH_MAX_OCTETS];

	if (a->n_words && expand(a->words[0], path, e) != CTL_OK) {
		json_decref(args);
		return CTL_USAGE;
	}
	if (a->n_words)
		json_object_set_new(args, "xpath", json_string(path));
	if (a->given[OPT_DEFAULTS])
		json_object_set_new(args, "with-defaults", json_string("report-all"));
	if (a->text[OPT_FORMAT])
		json_object_set_new(args, "format", json_string(a->text[OPT_FORMAT]));
	enum ctl_exit code = client_ask(c, "get-config", args, &data, e);

	if (code == CTL_OK && a->n_words && empty(data))
		code = explain_empty(c, source, a->words[0], path, e);
	if (code == CTL_OK)
		print_config(data, stdout);
	json_decref(data);
	return code;
}

enum ctl_exit configure_edit(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *args = json_pack("{s:s,s:s}", "target", "candidate", "default-operation",
		a->given[OPT_REPLACE] ? "replace" : "merge");
	enum ctl_exit code = config_text_read(a->words[0], args, e);

	if (code != CTL_OK) {
		json_decref(args);
		return code;
	}
	return change(c, a, "edit-config", args, e);
}

/* value NULL: delete. */
static enum ctl_exit set_value(struct client *c, const struct ctl_args *a, const char *value, struct err *e)
{
	char path[PATH_MAX_OCTETS];
	enum ctl_exit code = expand(a->words[0], path, e);

	if (code != CTL_OK)
		return code;
	return change(c, a, "set",
		value ? json_pack("{s:s,s:s}", "path", path, "value", value)
		      : json_pack("{s:s}", "path", path),
		e);
}

enum ctl_exit configure_set(struct client *c, const struct ctl_args *a, struct err *e)
{
	/* An entry of a list has no value: its keys are all there is to it. */
	return set_value(c, a, a->n_words > 1 ? a->words[1] : "", e);
}

enum ctl_exit configure_delete(struct client *c, const struct ctl_args *a, struct err *e)
{
	return set_value(c, a, NULL, e);
}

enum ctl_exit configure_validate(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *args = json_object();

	if (a->n_words) {
		enum ctl_exit code = config_text_read(a->words[0], args, e);

		if (code != CTL_OK) {
			json_decref(args);
			return code;
		}
	} else {
		json_object_set_new(args, "source", json_string("candidate"));
	}
	return change(c, a, "validate", args, e);
}

enum ctl_exit configure_discard(struct client *c, const struct ctl_args *a, struct err *e)
{
	return change(c, a, "discard-changes", NULL, e);
}
