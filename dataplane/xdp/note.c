/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/xdp/note.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int path_of(const char *prefix, const char *interface, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s.%s.xdp", prefix, interface) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

uint32_t xdp_note_read(const char *prefix, const char *interface)
{
	char path[PATH_MAX], text[16];
	struct stat st;
	ssize_t n = 0;
	int fd;

	if (!prefix || path_of(prefix, interface, path) < 0)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return 0;
	/* Others may have files in that folder: theirs would have us take off what is not ours. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022) &&
		st.st_nlink == 1)
		n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return (uint32_t)strtoul(text, NULL, 10);
}

int xdp_note_write(const char *prefix, const char *interface, uint32_t id)
{
	char path[PATH_MAX], text[16];
	int fd, n, rc;

	rc = prefix ? path_of(prefix, interface, path) : 0;
	if (!prefix || rc < 0)
		return rc;
	/* Never into what somebody else has put there. */
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	if (id == 0)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	n = snprintf(text, sizeof(text), "%" PRIu32 "\n", id);
	rc = write(fd, text, (size_t)n) == n ? 0 : -EIO;
	close(fd);
	return rc;
}
