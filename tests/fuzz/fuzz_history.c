/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits that an earlier process left beside the configuration, or anybody else: each is the one that its
 * file's name says, new ones get numbers of their own, and what is written is read again as it was. NUL
 * octets part the files.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/config/engine/history.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define FILES_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
	if (!holds)
		abort();
}

static void put(const char *folder, uint64_t commit, struct str text)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof path, "%s/%010" PRIu64 ".commit", folder, commit);
	f = fopen(path, "w");
	expect(f && fwrite(text.p, 1, text.n, f) == text.n && fclose(f) == 0);
}

static void same(const char *a, const char *b)
{
	expect((a && b) ? strcmp(a, b) == 0 : a == b);
}

/* Every commit is there, under its own number. */
static void look(const struct history *h)
{
	char when[CLOCK_TEXT_MAX];

	expect(h->n <= ENGINE_HISTORY);
	for (unsigned i = 0; i < h->n; i++) {
		const struct history_entry *entry = &h->entries[i];
		char *text = NULL;
		struct err e = {0};

		expect(entry->commit <= h->last && (!i || entry->commit > h->entries[i - 1].commit));
		expect(history_find(h, entry->commit) == entry);
		expect(history_text(h, entry->commit, &text, &e) == 0 && text);
		expect(strlen(clock_text(entry->time_ms, when)) < CLOCK_TEXT_MAX);
		free(text);
	}
}

static void reopen(struct history *h, const char *config)
{
	struct history before = *h;

	expect(history_open(h, config) == 0);
	expect(h->n == before.n && h->last == before.last);
	for (unsigned i = 0; i < h->n; i++) {
		const struct history_entry *a = &before.entries[i], *b = &h->entries[i];

		expect(a->commit == b->commit && a->time_ms == b->time_ms && a->confirmed == b->confirmed);
		same(a->user, b->user);
		same(a->door, b->door);
		same(a->comment, b->comment);
	}
	history_close(&before);
}

static void remove_all(const char *folder, uint64_t last)
{
	char path[96];

	for (uint64_t i = 1; i <= last; i++) {
		snprintf(path, sizeof path, "%s/%010" PRIu64 ".commit", folder, i);
		unlink(path);
	}
	expect(rmdir(folder) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct history_entry waits = {.time_ms = 1, .user = (char *)"root", .door = (char *)"cli"};
	char parent[] = "/tmp/srtpgw-fuzz-XXXXXX", config[32], folder[40];
	struct str rest = {(const char *)data, size};
	struct history h;
	uint64_t made, n = 0;

	log_setup(LOG_ERROR, LOG_TEXT);
	expect(mkdtemp(parent) != NULL);
	snprintf(config, sizeof config, "%s/c", parent);
	snprintf(folder, sizeof folder, "%s.d", config);
	expect(mkdir(folder, 0700) == 0);
	while (rest.n && n < FILES_MAX)
		put(folder, ++n, str_cut(&rest, '\0'));
	expect(history_open(&h, config) == 0);
	expect(h.last == n);
	look(&h);
	made = history_add(&h, &waits, NULL);
	expect(made == n + 1 && !h.broken);
	for (unsigned i = 0; i < h.n; i++)
		history_confirm(&h, h.entries[i].commit);
	look(&h);
	reopen(&h, config);
	expect(history_find(&h, made)->confirmed);
	history_close(&h);
	remove_all(folder, made);
	expect(rmdir(parent) == 0);
	return 0;
}
