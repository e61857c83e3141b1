/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/engine/history.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <libyang/libyang.h>

#include "controlplane/config/engine/file.h"
#include "lib/base/log.h"

#define SUFFIX ".commit"

static void clear(struct history_entry *entry)
{
	free(entry->user);
	free(entry->door);
	free(entry->comment);
	*entry = (struct history_entry){0};
}

static void path_of(const struct history *h, uint64_t commit, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%010" PRIu64 SUFFIX, h->folder, commit);
}

static char *copy(const char *z)
{
	return z ? strdup(z) : NULL;
}

/* The first line of the file that this commit is in: another one's content is none, under whatever number. */
static int read_header(struct str line, uint64_t number, struct history_entry *out)
{
	json_t *root = json_loadb(line.p, line.n, 0, NULL);
	const char *user = json_string_value(json_object_get(root, "user"));
	const char *door = json_string_value(json_object_get(root, "door"));
	json_int_t commit = json_integer_value(json_object_get(root, "commit"));
	int rc = -EINVAL;

	if (user && door && commit > 0 && (uint64_t)commit == number) {
		*out = (struct history_entry){
			.commit = number,
			.time_ms = (uint64_t)json_integer_value(json_object_get(root, "time")),
			.user = strdup(user),
			.door = strdup(door),
			.comment = copy(json_string_value(json_object_get(root, "comment"))),
			.confirmed = json_is_true(json_object_get(root, "confirmed")),
		};
		rc = out->user && out->door ? 0 : -ENOMEM;
	}
	json_decref(root);
	if (rc == -ENOMEM)
		clear(out);
	return rc;
}

static void forget_oldest(struct history *h)
{
	char path[PATH_MAX];

	path_of(h, h->entries[0].commit, path);
	unlink(path);
	clear(&h->entries[0]);
	memmove(h->entries, h->entries + 1, (--h->n) * sizeof h->entries[0]);
}

static void read_entry(struct history *h, uint64_t commit)
{
	char path[PATH_MAX], *text = NULL;
	struct err e = {0};
	size_t n = 0;
	int rc;

	path_of(h, commit, path);
	h->last = commit;
	rc = file_read(path, CONFIG_TEXT_MAX, &text, &n, &e);
	if (!rc) {
		struct str rest = {text, n};

		if (h->n == ENGINE_HISTORY)
			forget_oldest(h);
		rc = read_header(str_cut(&rest, '\n'), commit, &h->entries[h->n]);
		h->n += rc == 0;
	}
	if (rc)
		log_warn("config", "a commit of the history cannot be read", LZ("file", path));
	free(text);
}

static int is_commit(const struct dirent *d)
{
	size_t digits = strspn(d->d_name, "0123456789");

	return digits == 10 && strcmp(d->d_name + digits, SUFFIX) == 0;
}

int history_open(struct history *h, const char *config_path)
{
	struct dirent **found = NULL;
	int n;

	*h = (struct history){0};
	if (asprintf(&h->folder, "%s.d", config_path) < 0) {
		h->folder = NULL;
		return -ENOMEM;
	}
	n = scandir(h->folder, &found, is_commit, alphasort);
	for (int i = 0; i < n; i++) {
		read_entry(h, strtoull(found[i]->d_name, NULL, 10));
		free(found[i]);
	}
	free(found);
	return 0;
}

void history_close(struct history *h)
{
	while (h->n)
		clear(&h->entries[--h->n]);
	free(h->folder);
	*h = (struct history){0};
}

static int store(struct history *h, const struct history_entry *entry, const char *config, struct err *e)
{
	json_t *header = json_pack("{s:I,s:I,s:s,s:s,s:s*,s:b}", "commit", (json_int_t)entry->commit, "time",
		(json_int_t)entry->time_ms, "user", entry->user, "door", entry->door, "comment",
		entry->comment, "confirmed", entry->confirmed);
	char *line = header ? json_dumps(header, JSON_COMPACT) : NULL, *text = NULL, path[PATH_MAX];
	int n = line ? asprintf(&text, "%s\n%s", line, config) : -1, rc;

	json_decref(header);
	free(line);
	if (n < 0)
		return err_set(e, ENOMEM, "out of memory");
	path_of(h, entry->commit, path);
	if (mkdir(h->folder, 0700) != 0 && errno != EEXIST)
		rc = err_set(e, errno, "%s: cannot be made: %s", h->folder, strerror(errno));
	else
		rc = file_replace(path, (struct str){text, (size_t)n}, 0600, e);
	free(text);
	return rc;
}

static void complain(struct history *h, const struct err *e)
{
	if (!h->broken)
		log_error("config", "the history of commits cannot be stored", LZ("reason", e->text));
	h->broken = true;
}

uint64_t history_add(struct history *h, const struct history_entry *entry, const struct lyd_node *tree)
{
	struct history_entry kept = {
		.commit = ++h->last,
		.time_ms = entry->time_ms,
		.user = copy(entry->user),
		.door = copy(entry->door),
		.comment = copy(entry->comment),
		.confirmed = entry->confirmed,
	};
	struct err e = {0};
	char *config = NULL;

	if (!kept.user || !kept.door ||
		lyd_print_mem(&config, tree, LYD_JSON, LYD_PRINT_WITHSIBLINGS) != LY_SUCCESS) {
		err_set(&e, ENOMEM, "out of memory");
		complain(h, &e);
		clear(&kept);
		free(config);
		return h->last;
	}
	if (store(h, &kept, config ? config : "{}", &e) < 0)
		complain(h, &e);
	else
		h->broken = false;
	free(config);
	if (h->n == ENGINE_HISTORY)
		forget_oldest(h);
	h->entries[h->n++] = kept;
	return h->last;
}

static struct history_entry *find(const struct history *h, uint64_t commit)
{
	for (unsigned i = 0; i < h->n; i++)
		if (h->entries[i].commit == commit)
			return (struct history_entry *)&h->entries[i];
	return NULL;
}

const struct history_entry *history_find(const struct history *h, uint64_t commit)
{
	return find(h, commit);
}

int history_text(const struct history *h, uint64_t commit, char **out, struct err *e)
{
	char path[PATH_MAX], *text = NULL;
	size_t n = 0;
	int rc;

	path_of(h, commit, path);
	rc = file_read(path, CONFIG_TEXT_MAX, &text, &n, e);
	if (rc)
		return rc;
	struct str rest = {text, n};

	str_cut(&rest, '\n');
	*out = str_dup(rest);
	free(text);
	return *out ? 0 : err_set(e, ENOMEM, "out of memory");
}

static void confirm(struct history *h, struct history_entry *entry)
{
	struct err e = {0};
	char *config = NULL;

	entry->confirmed = true;
	if (history_text(h, entry->commit, &config, &e) < 0 || store(h, entry, config, &e) < 0)
		complain(h, &e);
	free(config);
}

void history_confirm(struct history *h, uint64_t commit)
{
	const struct history_entry *last = find(h, commit);

	/* Those before it that waited, too: what undoes one is a commit of its own, and stands in between. */
	for (unsigned i = last ? (unsigned)(last - h->entries) + 1 : 0; i && !h->entries[i - 1].confirmed;
		i--)
		confirm(h, &h->entries[i - 1]);
}
