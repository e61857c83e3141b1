/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/config/password.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int take_line(const char *text, size_t n, struct secret *out)
{
	size_t len = 0;

	while (len < n && text[len] != '\n' && text[len] != '\r')
		len++;
	if (!len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return -EINVAL;
	return secret_set(out, text, len);
}

int config_password_read(const char *path, struct secret *out, bool *others)
{
	char text[SECRET_MAX + 3];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
	size_t n = 0;
	ssize_t got = 0;
	struct stat st;

	secret_wipe(out);
	*others = false;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	while (n < sizeof text && (got = read(fd, text + n, sizeof text - n)) > 0)
		n += (size_t)got;
	rc = got < 0 ? -errno : take_line(text, n, out);
	*others = st.st_mode & (S_IRGRP | S_IROTH);
	close(fd);
	mem_wipe(text, sizeof text);
	return rc;
}
