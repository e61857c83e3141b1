/* SPDX-License-Identifier: Apache-2.0 */
/* A segment that an earlier process left, or anybody else: what is read of it is within it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/state/journal.h"

static void expect(int holds)
{
	if (!holds)
		abort();
}

static void look(void *arg, uint64_t key, const void *data, size_t n)
{
	unsigned *sum = arg;

	*sum += (unsigned)key;
	expect(n <= JOURNAL_DATA_MAX);
	for (size_t i = 0; i < n; i++)
		*sum += ((const uint8_t *)data)[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char folder[] = "/tmp/srtpgw-fuzz-XXXXXX", path[64];
	struct journal_found found;
	struct journal *j;
	struct err e = {0};
	unsigned sum = 0;

	expect(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/calls.00000001", folder);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	expect(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
	expect(journal_open(folder, &j, &e) == 0);
	expect(journal_read(j, look, &sum, &found) == 0);
	expect(found.segments + found.torn >= 1);
	journal_trim(j);
	expect(access(path, F_OK) < 0);
	journal_free(j);
	snprintf(path, sizeof path, "%s/calls.00000002", folder);
	unlink(path);
	snprintf(path, sizeof path, "%s/lock", folder);
	unlink(path);
	expect(rmdir(folder) == 0);
	return 0;
}
