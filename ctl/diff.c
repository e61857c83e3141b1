/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/configure.h"
#include "ctl/path.h"
#include "ctl/print.h"
#include "ctl/table.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

/* A value as one word of a command line would be. */
static void print_value(const json_t *value, FILE *to)
{
	char *number = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *z = json_is_string(value) ? json_string_value(value) : number;
	bool quoted = z && (!*z || strpbrk(z, " \t'\"\\"));

	fputs(quoted ? " '" : " ", to);
	print_harmless(z ? z : "", to);
	fputs(quoted ? "'" : "", to);
	free(number);
}

static void print_line(char sign, const char *colour, const char *path, const json_t *value, FILE *to)
{
	fprintf(to, "%s%c ", colour, sign);
	print_harmless(path_short(path), to);
	/* The path of a leaf-list's entry has its value. */
	if (value && !json_is_null(value) && !strstr(path, "[.="))
		print_value(value, to);
	fprintf(to, "%s\n", *colour ? PLAIN : "");
}

void diff_print(const json_t *changes, bool colour, FILE *to)
{
	const json_t *change;
	size_t i;

	json_array_foreach(changes, i, change)
	{
		const char *operation = json_string_value(json_object_get(change, "operation"));
		const char *path = json_string_value(json_object_get(change, "path"));
		const json_t *old = json_object_get(change, "old"), *new = json_object_get(change, "new");

		if (!operation || !path)
			continue;
		if (strcmp(operation, "delete") == 0 || strcmp(operation, "replace") == 0)
			print_line('-', colour ? RED : "", path, old, to);
		if (strcmp(operation, "create") == 0 || strcmp(operation, "replace") == 0)
			print_line('+', colour ? GREEN : "", path, new, to);
		if (strcmp(operation, "move") == 0)
			print_line('~', colour ? YELLOW : "", path, new, to);
	}
}

/* A datastore's name, or the number of a commit; NULL: neither. */
static json_t *source_of(const char *word)
{
	static const char *const stores[] = {"running", "candidate", "startup"};
	size_t digits = strspn(word, "0123456789");

	for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++)
		if (strcmp(word, stores[i]) == 0)
			return json_string(word);
	return digits && digits < 18 && !word[digits] ? json_integer(atoll(word)) : NULL;
}

enum ctl_exit diff_show(struct client *c, const struct ctl_args *a, struct err *e)
{
	static const char *const names[] = {"from", "to"};
	json_t *args = json_object(), *data = NULL;

	for (unsigned i = 0; i < a->n_words; i++) {
		json_t *source = source_of(a->words[i]);

		if (!source) {
			json_decref(args);
			err_set(e, EINVAL,
				"'%s' is neither running, candidate, startup nor the number of a commit",
				a->words[i]);
			return CTL_USAGE;
		}
		json_object_set_new(args, names[i], source);
	}
	enum ctl_exit code = client_ask(c, "diff", args, &data, e);

	if (code == CTL_OK && args_json(a))
		print_json(data, stdout);
	else if (code == CTL_OK && json_array_size(json_object_get(data, "changes")) == 0)
		puts("no differences");
	else if (code == CTL_OK)
		diff_print(json_object_get(data, "changes"), isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
			stdout);
	json_decref(data);
	return code;
}
