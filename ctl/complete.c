/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complete.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/calls.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/path.h"
#include "ctl/value.h"

/* A command line that is being typed. */
struct typing {
	const char *last;                   /* what the cursor is at the end of */
	const char *all[2 + CTL_NAMES_MAX]; /* words before it that are no options: the first of them */
	unsigned n;
	const struct ctl_option_spec *wanted; /* the option whose value the last word is; NULL: none */
	const char *socket;
	FILE *to;
};

static const struct ctl_option_spec *option_named(const char *word)
{
	for (unsigned i = 0; i < OPTIONS; i++)
		if (strcmp(ctl_options[i].name, word) == 0)
			return &ctl_options[i];
	return NULL;
}

static struct typing understand(const char *const *words, unsigned n, FILE *to)
{
	struct typing t = {.last = n ? words[n - 1] : "", .socket = getenv("SRTPGW_SOCKET"), .to = to};

	if (!t.socket || !*t.socket)
		t.socket = CTL_SOCKET;
	for (unsigned i = 0; i + 1 < n; i++) {
		const struct ctl_option_spec *o = option_named(words[i]);

		t.wanted = NULL;
		if (!o && words[i][0] != '-' && t.n < sizeof t.all / sizeof t.all[0])
			t.all[t.n++] = words[i];
		if (strncmp(words[i], "--socket=", 9) == 0)
			t.socket = words[i] + 9;
		if (!o || o->value == VALUE_NONE || o->optional)
			continue;
		if (i + 2 == n)
			t.wanted = o;
		else if (o == &ctl_options[OPT_SOCKET])
			t.socket = words[i + 1];
		i++;
	}
	return t;
}

static void offer(void *arg, const char *candidate)
{
	const struct typing *t = arg;

	if (strncmp(candidate, t->last, strlen(t->last)) == 0 && !strchr(candidate, '\n'))
		fprintf(t->to, "%s\n", candidate);
}

static void offer_words(struct typing *t, const char *words)
{
	char word[64];

	for (size_t n; *words; words += n, words += *words == ' ') {
		n = strcspn(words, " ");
		snprintf(word, sizeof word, "%.*s", (int)n, words);
		offer(t, word);
	}
}

/* NULL: nobody answers, and nothing is said about it. */
static struct client *connected(const struct typing *t)
{
	struct client *c = NULL;
	struct err e;

	if (client_open(t->socket, &c, &e) != CTL_OK)
		return NULL;
	client_patience(c, COMPLETE_TIMEOUT_S);
	return c;
}

/* Every entry of this name at any depth of the answer: its key. */
static void each_key(const json_t *o, const char *list, const char *key, path_each_fn each, void *arg)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(value_find(o, list), i, entry)
	{
		char buf[32];

		each(arg, value_text(json_object_get(entry, key), buf));
	}
}

/* path_keys_fn: the keys of a list in the candidate, or else the running configuration. */
static void keys_of(void *ctx, const char *list, const char *key, path_each_fn each, void *arg)
{
	const struct typing *t = ctx;
	struct client *c = connected(t);
	const char *name = strrchr(list, '/') + 1;
	json_t *data = NULL;
	struct err e;

	if (c && client_ask(c, "get-config", json_pack("{s:s,s:s}", "source", "candidate", "xpath", list),
			 &data, &e) == CTL_OK)
		each_key(data, name, key, each, arg);
	json_decref(data);
	client_close(c);
}

static enum ctl_exit offer_call(void *arg, const json_t *call, struct err *e)
{
	(void)e;
	char buf[32];

	offer(arg, value_text(json_object_get(call, "id"), buf));
	return CTL_OK;
}

static void offer_calls(struct typing *t)
{
	const struct calls_filter filter = {.limit = COMPLETE_CALLS_MAX};
	struct client *c = connected(t);
	struct err e;

	if (c)
		calls_each(c, &filter, offer_call, t, &e);
	client_close(c);
}

static void offer_commits(struct typing *t, bool stores)
{
	struct client *c = connected(t);
	json_t *data = NULL;
	const json_t *commit;
	struct err e;
	size_t i;

	if (stores)
		offer_words(t, "running candidate startup");
	if (c && client_ask(c, "history", NULL, &data, &e) == CTL_OK) {
		json_array_foreach(json_object_get(data, "commits"), i, commit)
		{
			char buf[32];

			offer(t, value_text(json_object_get(commit, "commit"), buf));
		}
	}
	json_decref(data);
	client_close(c);
}

static void offer_keys(struct typing *t, const char *list)
{
	const struct schema_node *n = path_node(list);
	char path[PATH_MAX_OCTETS];
	struct err e;

	if (n && path_expand(list, path, &e) == 0)
		keys_of(t, path, n->keys, offer, t);
}

/* What a leaf may be: words, or the names of what it refers to. */
static void offer_values(struct typing *t, const char *path)
{
	const struct schema_node *n = path_node(path);

	if (!n)
		return;
	if (n->values[0] == '@')
		offer_keys(t, n->values + 1);
	else
		offer_words(t, n->values);
}

static void offer_names(struct typing *t, enum ctl_names names, const char *choices, const char *path)
{
	switch (names) {
	case NAMES_NONE:
		break;
	case NAMES_CALLS:
		offer_calls(t);
		break;
	case NAMES_TRUNKS:
		offer_keys(t, "trunks/trunk");
		break;
	case NAMES_PATHS:
		path_complete(t->last, keys_of, t, t->to);
		break;
	case NAMES_FILES:
		fputs(":files\n", t->to);
		break;
	case NAMES_NOTIFICATIONS:
		offer_words(t, schema_notifications);
		break;
	case NAMES_COMMITS:
		offer_commits(t, false);
		break;
	case NAMES_STORES:
		offer_commits(t, true);
		break;
	case NAMES_VALUES:
		offer_values(t, path);
		break;
	case NAMES_CHOICES:
		offer_words(t, choices);
		break;
	}
}

static void offer_options(struct typing *t, const struct command *c)
{
	for (unsigned i = 0; i < OPTIONS; i++)
		if (i <= OPT_VERSION || (c && c->options & (1u << i)))
			offer(t, ctl_options[i].name);
}

/* The first words of all commands, or the second ones of a group; each once: they stand together. */
static void offer_commands(struct typing *t)
{
	char word[32], before[32] = "";

	for (const struct command *c = commands; c->name; c++) {
		const char *space = strchr(c->name, ' ');
		size_t n = space ? (size_t)(space - c->name) : strlen(c->name);

		if (t->n == 1 && !(space && strlen(t->all[0]) == n && strncmp(c->name, t->all[0], n) == 0))
			continue;
		if (t->n == 1)
			snprintf(word, sizeof word, "%s", space + 1);
		else
			snprintf(word, sizeof word, "%.*s", (int)n, c->name);
		if (strcmp(word, before) != 0)
			offer(t, word);
		strcpy(before, word);
	}
}

void complete_words(const char *const *words, unsigned n, FILE *to)
{
	struct typing t = understand(words, n, to);
	unsigned used = 0;
	const struct command *c = command_find(t.all, t.n, &used);
	unsigned at = t.n - used;

	if (t.wanted)
		offer_names(&t, t.wanted->names, t.wanted->choices, NULL);
	else if (t.last[0] == '-')
		offer_options(&t, c);
	else if (!c && t.n < 2)
		offer_commands(&t);
	else if (c && at < c->words_max)
		offer_names(&t, c->names[at < CTL_NAMES_MAX ? at : CTL_NAMES_MAX - 1], NULL, t.all[used]);
}
