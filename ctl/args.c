/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "lib/base/nearest.h"

const struct ctl_option_spec ctl_options[OPTIONS] = {
	[OPT_SOCKET] = {"--socket", VALUE_TEXT, .what = "a path", .names = NAMES_FILES},
	[OPT_JSON] = {"--json", VALUE_NONE},
	[OPT_HELP] = {"--help", VALUE_NONE},
	[OPT_VERSION] = {"--version", VALUE_NONE},
	[OPT_ALL] = {"--all", VALUE_NONE},
	[OPT_CALL] = {"--call", VALUE_TEXT, .what = "a call's id"},
	[OPT_CALLS] = {"--calls", VALUE_CHOICE, .choices = "keep end", .names = NAMES_CHOICES},
	[OPT_COMMENT] = {"--comment", VALUE_TEXT, .what = "a text"},
	[OPT_CONFIRM] = {"--confirm", VALUE_NUMBER, .optional = true, .min = 1, .max = 86400,
		.fallback = 600},
	[OPT_COUNT] = {"--count", VALUE_NUMBER, .min = 1, .max = 1e9},
	[OPT_DEFAULTS] = {"--defaults", VALUE_NONE},
	[OPT_FORMAT] = {"--format", VALUE_CHOICE, .choices = "json xml", .names = NAMES_CHOICES},
	[OPT_FROM] = {"--from", VALUE_TEXT, .what = "a day or time, such as 2026-10-01"},
	[OPT_FULL] = {"--full", VALUE_NONE},
	[OPT_INTERVAL] = {"--interval", VALUE_SECONDS, .min = 0.1, .max = 3600},
	[OPT_KEY] = {"--key", VALUE_TEXT, .what = "a file with a public key", .names = NAMES_FILES},
	[OPT_LIMIT] = {"--limit", VALUE_NUMBER, .min = 1, .max = 1e6},
	[OPT_OVERWRITE] = {"--overwrite", VALUE_NONE},
	[OPT_REASON] = {"--reason", VALUE_TEXT, .what = "a text"},
	[OPT_REPLACE] = {"--replace", VALUE_NONE},
	[OPT_ROUNDS] = {"--rounds", VALUE_NUMBER, .min = 1, .max = 999999},
	[OPT_SINCE] = {"--since", VALUE_TEXT, .what = "a time, such as 2026-11-20T13:00:00Z"},
	[OPT_SOURCE] = {"--source", VALUE_CHOICE, .choices = "running candidate startup",
		.names = NAMES_CHOICES},
	[OPT_STATE] = {"--state", VALUE_CHOICE, .choices = "setup ringing established ending ended refused",
		.names = NAMES_CHOICES},
	[OPT_SUITE] = {"--suite", VALUE_TEXT, .what = "a suite, such as AEAD_AES_256_GCM"},
	[OPT_TLS] = {"--tls", VALUE_TEXT, .what = "a version, such as TLSv1.3 or DTLSv1.2"},
	[OPT_TO] = {"--to", VALUE_TEXT, .what = "a day or time, such as 2026-12-31"},
	[OPT_TIMEOUT] = {"--timeout", VALUE_NUMBER, .min = 0, .max = 86400},
	[OPT_TRUNK] = {"--trunk", VALUE_TEXT, .what = "a trunk's name", .names = NAMES_TRUNKS},
	[OPT_WATCH] = {"--watch", VALUE_SECONDS, .optional = true, .min = 0.1, .max = 3600, .fallback = 1},
};

/* A plain decimal number; digits alone when whole. */
static bool read_number(const char *z, bool whole, double *out)
{
	char *end;

	if (!z || !*z || strspn(z, whole ? "0123456789" : "0123456789.") != strlen(z))
		return false;
	*out = strtod(z, &end);
	return *end == 0;
}

static bool is_choice(const char *choices, const char *z)
{
	size_t n = strlen(z);

	for (; *choices; choices += strcspn(choices, " "), choices += *choices == ' ')
		if (n && strcspn(choices, " ") == n && strncmp(choices, z, n) == 0)
			return true;
	return false;
}

struct words {
	int argc;
	char **argv;
	int at;
};

/* The value of an option, as --name=VALUE or in the next word; NULL when there is none. */
static const char *value_of(struct words *w, const struct ctl_option_spec *o)
{
	const char *word = w->argv[w->at];
	size_t n = strlen(o->name);

	if (word[n] == '=')
		return word + n + 1;
	if (w->at + 1 >= w->argc)
		return NULL;
	if (o->optional && strspn(w->argv[w->at + 1], "0123456789.") == 0)
		return NULL;
	return w->argv[++w->at];
}

static int read_value(
	const struct ctl_option_spec *o, const char *value, const char **text, double *number, struct err *e)
{
	if (!value && o->optional) {
		*number = o->fallback;
		return 0;
	}
	switch (o->value) {
	case VALUE_NONE:
		return 0;
	case VALUE_TEXT:
		if (!value || !*value)
			return err_set(e, EINVAL, "%s needs %s", o->name, o->what);
		*text = value;
		return 0;
	case VALUE_CHOICE:
		if (!value || !is_choice(o->choices, value))
			return err_set(e, EINVAL, "%s takes one of: %s", o->name, o->choices);
		*text = value;
		return 0;
	case VALUE_NUMBER:
		if (!read_number(value, true, number) || *number < o->min || *number > o->max)
			return err_set(
				e, EINVAL, "%s takes a number from %.0f to %.0f", o->name, o->min, o->max);
		return 0;
	case VALUE_SECONDS:
		if (!read_number(value, false, number) || *number < o->min || *number > o->max)
			return err_set(e, EINVAL, "%s takes %g to %g seconds, not '%s'", o->name, o->min,
				o->max, value ? value : "");
		return 0;
	}
	return 0;
}

static int unknown_option(struct str word, struct err *e)
{
	struct nearest near = nearest_to(word);

	for (unsigned i = 0; i < OPTIONS; i++)
		nearest_offer(&near, str_z(ctl_options[i].name));
	if (!near.name.n)
		return err_set(
			e, EINVAL, "there is no option '%.*s': --help shows which there are", STR_ARG(word));
	return err_set(e, EINVAL,
		"there is no option '%.*s': did you mean %.*s? --help shows which there are", STR_ARG(word),
		STR_ARG(near.name));
}

static int read_option(struct words *w, struct ctl_args *out, struct err *e)
{
	const char *word = w->argv[w->at];
	size_t n = strcspn(word, "=");

	if (strcmp(word, "-h") == 0) {
		out->given[OPT_HELP] = true;
		return 0;
	}
	for (unsigned i = 0; i < OPTIONS; i++) {
		const struct ctl_option_spec *o = &ctl_options[i];

		if (strlen(o->name) != n || strncmp(word, o->name, n) != 0)
			continue;
		if (o->value == VALUE_NONE && word[n] == '=')
			return err_set(e, EINVAL, "%s takes no value", o->name);
		out->given[i] = true;
		return read_value(
			o, o->value == VALUE_NONE ? NULL : value_of(w, o), &out->text[i], &out->number[i], e);
	}
	return unknown_option(str_sub(str_z(word), 0, n), e);
}

/* Which commands have the option: "'show calls' and 'drain'", for a message. */
static int misplaced(enum ctl_option i, struct err *e)
{
	char where[200] = "";
	size_t n = 0;

	for (const struct command *c = commands; c->name; c++) {
		if (!(c->options & (1u << i)))
			continue;
		int wrote = snprintf(where + n, sizeof where - n, "%s'%s'", n ? ", " : "", c->name);

		if (wrote < 0 || (size_t)wrote >= sizeof where - n)
			break;
		n += (size_t)wrote;
	}
	return err_set(e, EINVAL, "%s is for %s", ctl_options[i].name, where);
}

static int check_options(const struct ctl_args *a, struct err *e)
{
	for (unsigned i = OPT_VERSION + 1; i < OPTIONS; i++)
		if (a->given[i] && !(a->command->options & (1u << i)))
			return misplaced((enum ctl_option)i, e);
	if (a->given[OPT_ROUNDS] && (a->command->options & (1u << OPT_WATCH)) && !a->given[OPT_WATCH])
		return err_set(e, EINVAL, "--rounds is for --watch");
	if (a->given[OPT_LIMIT] && a->given[OPT_ALL])
		return err_set(e, EINVAL, "--limit and --all do not go together");
	return 0;
}

/* group: what the word follows, such as "show"; NULL: it is the first. */
static int unknown_word(const char *group, const char *word, struct err *e)
{
	struct nearest near = nearest_to(str_z(word));
	size_t skip = group ? strlen(group) + 1 : 0;
	char guess[64] = "";

	for (const struct command *c = commands; c->name; c++) {
		const char *name = c->name + skip;

		if (!group || (strncmp(c->name, group, skip - 1) == 0 && c->name[skip - 1] == ' '))
			nearest_offer(&near, (struct str){name, strcspn(name, " ")});
	}
	if (near.name.n)
		snprintf(guess, sizeof guess, "did you mean '%.*s'? ", STR_ARG(near.name));
	if (group)
		return err_set(e, EINVAL,
			"there is nothing called '%s' to %s: %s'srtpgwctl --help' lists what there is", word,
			group, guess);
	return err_set(e, EINVAL, "there is no command '%s': %s'srtpgwctl --help' lists them", word, guess);
}

/* all: the n words that are no options. Finds the command and leaves its own words in out. */
static int read_words(const char *const *all, unsigned n, struct ctl_args *out, struct err *e)
{
	unsigned used = 0;

	out->command = command_find(all, n, &used);
	if (out->given[OPT_HELP] || out->given[OPT_VERSION])
		return 0;
	if (n == 0)
		return err_set(e, EINVAL, "no command: 'srtpgwctl --help' lists them");
	if (!out->command && command_is_group(all[0])) {
		if (n > 1)
			return unknown_word(all[0], all[1], e);
		return err_set(e, EINVAL, "%s what? 'srtpgwctl --help' lists what there is", all[0]);
	}
	if (!out->command)
		return unknown_word(NULL, all[0], e);
	if (n - used > out->command->words_max)
		return err_set(e, EINVAL, "'%s' is too much", all[used + out->command->words_max]);
	out->words = all + used;
	out->n_words = n - used;
	if (out->n_words < out->command->words_min)
		return err_set(e, EINVAL, "%s", out->command->missing);
	return check_options(out, e);
}

int args_parse(int argc, char **argv, struct ctl_args *out, struct err *e)
{
	/* As many as there are: the files of an audit's archive are many. */
	const char *const *all = (const char *const *)argv + 1;
	struct words w = {argc, argv, 1};
	unsigned n = 0;
	bool options = true;
	int rc = 0;

	*out = (struct ctl_args){.socket = getenv("SRTPGW_SOCKET")};
	if (!out->socket || !*out->socket)
		out->socket = CTL_SOCKET;
	for (; w.at < argc && !rc; w.at++) {
		const char *word = argv[w.at];

		if (options && strcmp(word, "--") == 0)
			options = false;
		else if (options && word[0] == '-' && word[1])
			rc = read_option(&w, out, e);
		else
			argv[1 + n++] = argv[w.at]; /* what stood there was read before */
	}
	if (out->given[OPT_SOCKET] && out->text[OPT_SOCKET])
		out->socket = out->text[OPT_SOCKET];
	if (rc) {
		unsigned used;

		out->command = command_find(all, n, &used);
		return rc;
	}
	return read_words(all, n, out, e);
}
