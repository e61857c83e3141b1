/* SPDX-License-Identifier: Apache-2.0 */
/* The names that an audit's files have one after the other. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/audit/audit_private.h"

void audit_path_of(const char *file, unsigned n, char out[AUDIT_PATH_MAX])
{
	if (n)
		snprintf(out, AUDIT_PATH_MAX, "%s.%u", file, n);
	else
		snprintf(out, AUDIT_PATH_MAX, "%s", file);
}

int audit_open_locked(const char *path, int flags, uint64_t *size)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0640);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOTSUP;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

static bool move(const char *file, unsigned from, unsigned to)
{
	char old[AUDIT_PATH_MAX], new[AUDIT_PATH_MAX];

	audit_path_of(file, from, old);
	audit_path_of(file, to, new);
	return rename(old, new) == 0;
}

bool audit_make_way(const char *file, unsigned max_files)
{
	char path[AUDIT_PATH_MAX];
	unsigned n = 1;

	if (!max_files)
		return true; /* what takes its place removes it */
	for (; n < max_files; n++) {
		audit_path_of(file, n, path);
		if (access(path, F_OK) < 0)
			break;
	}
	for (; n > 0; n--)
		if (!move(file, n - 1, n))
			return false;
	return true;
}
