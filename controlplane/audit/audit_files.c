/* SPDX-License-Identifier: Apache-2.0 */
/* The names that an audit's files have one after the other. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

int audit_sync_folder(const char *path)
{
	char folder[AUDIT_PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, rc;

	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

static bool move(const char *file, unsigned from, unsigned to)
{
	char old[AUDIT_PATH_MAX], new[AUDIT_PATH_MAX];

	audit_path_of(file, from, old);
	audit_path_of(file, to, new);
	return rename(old, new) == 0;
}

/* A second name, so that FILE is never absent: who is killed between two steps finds it at the next start. A
 * file system without links has the gap. */
static bool close_file(const char *file)
{
	char closed[AUDIT_PATH_MAX];

	audit_path_of(file, 1, closed);
	unlink(closed); /* there is one when no other is kept */
	return link(file, closed) == 0 || rename(file, closed) == 0;
}

/* FILE becomes FILE.1, and those behind it go up by one as far as the first number that nobody has; the
 * oldest goes. */
static bool make_way(const char *file, unsigned max_files)
{
	char path[AUDIT_PATH_MAX];
	unsigned n = 1;

	for (; n < max_files; n++) {
		audit_path_of(file, n, path);
		if (access(path, F_OK) < 0)
			break;
	}
	for (; n > 1; n--)
		if (!move(file, n - 1, n))
			return false;
	return close_file(file);
}

/* FILE is not closed after all. Of two names for one file rename(2) leaves both. */
static void open_file_again(const char *file)
{
	char closed[AUDIT_PATH_MAX];

	audit_path_of(file, 1, closed);
	if (rename(closed, file) == 0)
		unlink(closed);
}

bool audit_replace(const char *file, const char *next, unsigned max_files)
{
	if (max_files && !make_way(file, max_files))
		return false;
	if (rename(next, file) == 0) {
		audit_sync_folder(file); /* too late to go back */
		return true;
	}

	int why = errno;

	if (max_files)
		open_file_again(file);
	errno = why;
	return false;
}

void audit_undo_replace(const char *file, int fd)
{
	char closed[AUDIT_PATH_MAX];
	struct stat mine, there;

	audit_path_of(file, 1, closed);
	if (fstat(fd, &mine) == 0 && stat(closed, &there) == 0 && mine.st_dev == there.st_dev &&
		mine.st_ino == there.st_ino)
		unlink(closed);
}
