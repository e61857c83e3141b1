/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "ctl/configure.h"
#include "ctl/print.h"
#include "ctl/table.h"
#include "ctl/value.h"
#include "lib/base/str.h"

/* A commit opens listeners, reads certificates and looks up names. */
#define COMMIT_TIMEOUT_S 120

/* Says what became of it: "commit 12", or what has to follow. */
static void print_result(const json_t *data, bool waits, FILE *to)
{
	const json_t *number = json_object_get(data, "commit");
	const char *by = json_string_value(json_object_get(data, "confirm-by"));

	if (!json_is_integer(number))
		fputs("nothing changed\n", to);
	else
		fprintf(to, "commit %lld\n", (long long)json_integer_value(number));
	if (!waits)
		return;
	fputs(json_is_integer(number)
			? "'srtpgwctl confirm' keeps it; without that it is rolled back"
			: "no other commit is taken all the same before 'srtpgwctl confirm' or 'cancel'; "
			  "without them it ends",
		to);
	if (by) {
		fputs(" at ", to);
		print_harmless(by, to);
	}
	fputc('\n', to);
}

static enum ctl_exit commit(
	struct client *c, const struct ctl_args *a, const char *op, json_t *args, bool waits, struct err *e)
{
	json_t *data = NULL;

	client_patience(c, COMMIT_TIMEOUT_S);
	enum ctl_exit code = client_ask(c, op, args, &data, e);

	if (code == CTL_OK && args_json(a))
		print_json(data, stdout);
	else if (code == CTL_OK)
		print_result(data, waits, stdout);
	json_decref(data);
	return code;
}

static json_t *with_options(json_t *args, const struct ctl_args *a)
{
	if (a->given[OPT_OVERWRITE])
		json_object_set_new(args, "overwrite", json_true());
	if (a->text[OPT_COMMENT])
		json_object_set_new(args, "comment", json_string(a->text[OPT_COMMENT]));
	return args;
}

enum ctl_exit commit_commit(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *args = with_options(json_object(), a);

	if (a->given[OPT_CONFIRM]) {
		json_object_set_new(args, "confirmed", json_true());
		json_object_set_new(
			args, "confirm-timeout", json_integer((json_int_t)a->number[OPT_CONFIRM]));
		json_object_set_new(args, "persist", json_string(CONFIGURE_PERSIST));
	}
	enum ctl_exit code = commit(c, a, "commit", args, a->given[OPT_CONFIRM], e);

	if (code == CTL_FAILED && strstr(e->text, "persist-id")) {
		size_t n = strlen(e->text);

		snprintf(e->text + n, sizeof e->text - n,
			": 'srtpgwctl confirm' keeps it, 'srtpgwctl cancel' undoes it");
	}
	return code;
}

/* What others put into the candidate meanwhile stays there. */
enum ctl_exit commit_confirm(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *data = NULL;
	enum ctl_exit code = client_ask(c, "commit",
		with_options(json_pack("{s:s,s:b}", "persist-id", CONFIGURE_PERSIST, "confirm-only", 1), a), &data,
		e);

	if (code == CTL_OK && args_json(a))
		print_json(data, stdout);
	else if (code == CTL_OK)
		puts("confirmed");
	json_decref(data);
	return code;
}

enum ctl_exit commit_cancel(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *data = NULL;
	enum ctl_exit code =
		client_ask(c, "cancel-commit", json_pack("{s:s}", "persist-id", CONFIGURE_PERSIST), &data, e);

	if (code == CTL_OK && args_json(a))
		print_json(data, stdout);
	else if (code == CTL_OK)
		puts("rolled back");
	json_decref(data);
	return code;
}

/* words[0]: the number of a commit. */
enum ctl_exit commit_rollback(struct client *c, const struct ctl_args *a, struct err *e)
{
	const char *number = a->words[0];
	uint64_t n;

	if (str_to_u64(str_z(number), INT64_MAX, &n) < 0) {
		err_set(e, EINVAL, "'%s' is not the number of a commit: 'srtpgwctl show history' lists them",
			number);
		return CTL_USAGE;
	}
	return commit(
		c, a, "rollback", with_options(json_pack("{s:I}", "commit", (json_int_t)n), a), false, e);
}

static void print_history(const json_t *data, FILE *to)
{
	struct table *t = table_new(">COMMIT TIME USER DOOR STATE COMMENT");
	const json_t *row;
	bool decided = false; /* something was committed since: what had not been confirmed then was undone */
	size_t i;

	json_array_foreach(json_object_get(data, "commits"), i, row)
	{
		bool unconfirmed = json_is_false(json_object_get(row, "confirmed"));

		value_cell(t, json_object_get(row, "commit"));
		value_cell(t, json_object_get(row, "time"));
		value_cell(t, json_object_get(row, "user"));
		value_cell(t, json_object_get(row, "door"));
		table_text(t, !unconfirmed ? "kept" : decided ? "undone" : "waits");
		value_cell(t, json_object_get(row, "comment"));
		decided |= !unconfirmed;
	}
	table_print(t, to);
}

enum ctl_exit commit_history(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *data = NULL;
	enum ctl_exit code = client_ask(c, "history", NULL, &data, e);

	if (code == CTL_OK && args_json(a))
		print_json(data, stdout);
	else if (code == CTL_OK)
		print_history(data, stdout);
	json_decref(data);
	return code;
}
