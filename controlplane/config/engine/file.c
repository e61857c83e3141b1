/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/engine/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "lib/base/log.h"

static int write_all(int fd, struct str text)
{
	while (text.n) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text = str_sub(text, (size_t)n, text.n);
	}
	return fsync(fd) == 0 ? 0 : -errno;
}

/* The rename is lasting when the folder is; the text is safe either way. */
static void sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd = -1;

	if (str_copy(copy, sizeof copy, str_z(path)) == 0)
		fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		log_warn("config",
			"the folder could not be synced: a power cut now may bring back the file before",
			LZ("file", path), LZ("reason", strerror(errno)));
	if (fd >= 0)
		close(fd);
}

static int keep_owner(int fd, const struct stat *old)
{
	if (fchmod(fd, old->st_mode & 07777) != 0)
		return -errno;
	/* Only root can give files away; who writes its own file need not. */
	if ((old->st_uid != geteuid() || old->st_gid != getegid()) &&
		fchown(fd, old->st_uid, old->st_gid) != 0)
		log_debug(
			"config", "the file's owner changes to who writes it", LZ("reason", strerror(errno)));
	return 0;
}

int file_replace(const char *path, struct str text, unsigned mode, struct err *e)
{
	char temporary[PATH_MAX], target[PATH_MAX];
	struct stat old;
	int fd, rc;

	/* A link's target is replaced, not the link. */
	if (!realpath(path, target) && str_copy(target, sizeof target, str_z(path)) < 0)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long", path);
	if (snprintf(temporary, sizeof temporary, "%s.tmp", target) >= (int)sizeof temporary)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long", path);
	/* What a power cut left behind is nobody's. */
	if (unlink(temporary) != 0 && errno != ENOENT)
		return err_set(e, errno, "%s: cannot be removed: %s", temporary, strerror(errno));
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_set(e, errno,
			"%s: cannot be made: %s: let the control plane's account write its folder", temporary,
			strerror(errno));
	rc = stat(target, &old) == 0 ? keep_owner(fd, &old) : fchmod(fd, mode) == 0 ? 0 : -errno;
	if (!rc)
		rc = write_all(fd, text);
	if (close(fd) != 0 && !rc)
		rc = -errno;
	if (!rc && rename(temporary, target) != 0)
		rc = -errno;
	if (rc) {
		unlink(temporary);
		return err_set(e, -rc, "%s: cannot be written: %s", path, strerror(-rc));
	}
	sync_folder(target);
	return 0;
}

struct file_digest file_digest(struct str text)
{
	struct file_digest d;

	SHA256((const unsigned char *)text.p, text.n, d.octets);
	return d;
}

int file_read(const char *path, size_t max, char **out, size_t *n, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	struct stat st;
	char *text = NULL;

	if (fd < 0)
		return err_set(e, errno, "%s: cannot be opened: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = err_set(e, EINVAL, "%s: this is not a file", path);
	else if ((uint64_t)st.st_size > max)
		rc = err_set(e, E2BIG, "%s: larger than %zu octets", path, max);
	else if (!(text = malloc((size_t)st.st_size + 1)))
		rc = err_set(e, ENOMEM, "%s: no memory to read it", path);
	for (*n = 0; !rc && *n < (size_t)st.st_size;) {
		ssize_t got = read(fd, text + *n, (size_t)st.st_size - *n);

		if (got < 0 && errno != EINTR)
			rc = err_set(e, errno, "%s: cannot be read: %s", path, strerror(errno));
		else if (got == 0)
			break;
		else if (got > 0)
			*n += (size_t)got;
	}
	close(fd);
	if (rc) {
		free(text);
		return rc;
	}
	text[*n] = 0;
	*out = text;
	return 0;
}
