/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/mgmt_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/file_group.h"

#define BACKLOG 64

static int fill_address(const char *path, struct sockaddr_un *sa, struct err *e)
{
	size_t n = strlen(path);

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (n >= sizeof sa->sun_path)
		return err_set(e, ENAMETOOLONG, "%s: longer than the path of a socket may be (%zu octets)",
			path, sizeof sa->sun_path - 1);
	memcpy(sa->sun_path, path, n + 1);
	return 0;
}

/* Removes a socket file that nobody listens on; -EADDRINUSE when somebody does, or it is not a socket. */
static int clear_stale(const struct sockaddr_un *sa, struct err *e)
{
	struct stat st;
	int fd, why;

	if (lstat(sa->sun_path, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, EADDRINUSE, "%s: is there already and is not a socket", sa->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "%s: %s", sa->sun_path, strerror(errno));
	why = connect(fd, (const struct sockaddr *)sa, sizeof *sa) == 0 ? 0 : errno;
	close(fd);
	if (why == EPROTOTYPE)
		return err_set(e, EADDRINUSE,
			"%s: another program answers there, as the data plane: name another place",
			sa->sun_path);
	if (why != ECONNREFUSED)
		return err_set(e, EADDRINUSE, "%s: another control plane answers there", sa->sun_path);
	unlink(sa->sun_path);
	return 0;
}

static int give_to_group(const char *path, const char *group, struct err *e)
{
	struct err why = {0};
	int rc = file_group_give(path, group, &why);

	return rc < 0 ? err_set(e, -rc, "/srtp-gateway:gateway/management/group: %s", why.text) : 0;
}

int mgmt_socket_listen(const char *path, const char *group, struct err *e)
{
	struct sockaddr_un sa;
	int rc = fill_address(path, &sa, e), fd;

	if (!rc)
		rc = clear_stale(&sa, e);
	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "%s: %s", path, strerror(errno));
	/* On Linux the file takes the socket's mode: nobody else can connect between bind() and chmod(). */
	if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
		rc = err_set(e, errno, "%s: cannot be made: %s", path, strerror(errno));
		close(fd);
		return rc;
	}
	if (group)
		rc = give_to_group(path, group, e);
	if (!rc && listen(fd, BACKLOG) != 0)
		rc = err_set(e, errno, "%s: %s", path, strerror(errno));
	if (rc) {
		unlink(path);
		close(fd);
		return rc;
	}
	return fd;
}
