/* SPDX-License-Identifier: Apache-2.0 */
/* A recovery directory for a test, and a journal in it. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/state/journal.h"
#include "tests/support/cmocka_std.h"

static inline void folder_make(char folder[40])
{
	strcpy(folder, "/tmp/srtpgw-journal-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(rmdir(folder), 0); /* the journal makes its directory itself */
}

/* What is in it, and it. */
static inline void folder_remove(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	char path[300];

	while (d && (entry = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(path), 0);
	}
	if (d)
		closedir(d);
	rmdir(folder);
}

static inline struct journal *folder_open(const char *folder)
{
	struct journal *j = NULL;
	struct err e = {0};

	if (journal_open(folder, &j, &e) < 0)
		fail_msg("%s", e.text);
	return j;
}

static inline void folder_put(struct journal *j, uint64_t key, const char *text)
{
	assert_int_equal(journal_put(j, key, text, strlen(text)), 0);
}
