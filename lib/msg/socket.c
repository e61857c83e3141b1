/* SPDX-License-Identifier: Apache-2.0 */
/* The planes' socket by its path: listening, accepting, connecting. See framing.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/file_group.h"
#include "lib/msg/framing.h"

static int address_of(const char *path, struct sockaddr_un *sun, struct err *err)
{
	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof sun->sun_path)
		return err_set(err, ENAMETOOLONG, "socket path '%s' is longer than %zu octets", path,
			sizeof sun->sun_path - 1);
	memcpy(sun->sun_path, path, strlen(path) + 1);
	return 0;
}

static int socket_new(int *fd, struct err *err)
{
	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return *fd < 0 ? err_set(err, errno, "no socket: %s", strerror(errno)) : 0;
}

/* A path left behind by a killed process may be replaced; one that somebody answers at may not. */
static int remove_stale(const char *path, const struct sockaddr_un *sun, struct err *err)
{
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, EEXIST, "'%s' exists and is no socket", path);
	rc = socket_new(&fd, err);
	if (rc < 0)
		return rc;
	rc = connect(fd, (const struct sockaddr *)sun, sizeof *sun);
	/* A full backlog also means that somebody is there, and so does a socket of another kind: the control
	 * plane's. */
	if (rc == 0 || errno == EAGAIN || errno == EPROTOTYPE)
		rc = err_set(err, EADDRINUSE, "another process listens at '%s'", path);
	else
		rc = unlink(path) < 0 ? err_set(err, errno, "cannot replace '%s': %s", path, strerror(errno))
				      : 0;
	close(fd);
	return rc;
}

int framing_listen(const char *path, const char *group, int *out, struct err *err)
{
	struct sockaddr_un sun;
	mode_t mask;
	int fd = -1, rc;

	rc = address_of(path, &sun, err);
	if (rc == 0)
		rc = remove_stale(path, &sun, err);
	if (rc == 0)
		rc = socket_new(&fd, err);
	if (rc < 0)
		return rc;
	mask = umask(0177);
	rc = bind(fd, (const struct sockaddr *)&sun, sizeof sun);
	umask(mask);
	if (rc < 0)
		rc = err_set(err, errno, "cannot listen at '%s': %s", path, strerror(errno));
	else if (group && (rc = file_group_give(path, group, err)) < 0)
		unlink(path);
	else if (listen(fd, 8) < 0)
		rc = err_set(err, errno, "cannot listen at '%s': %s", path, strerror(errno));
	if (rc < 0)
		close(fd);
	else
		*out = fd;
	return rc;
}

int framing_accept(int listener, int *out, uid_t *peer)
{
	struct ucred cred;
	socklen_t n = sizeof cred;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED ? -EAGAIN : -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0) {
		close(fd);
		return -EAGAIN;
	}
	*out = fd;
	*peer = cred.uid;
	return 0;
}

int framing_connect(const char *path, int *out, struct err *err)
{
	struct sockaddr_un sun;
	int fd = -1, rc;

	rc = address_of(path, &sun, err);
	if (rc == 0)
		rc = socket_new(&fd, err);
	if (rc < 0)
		return rc;
	if (connect(fd, (const struct sockaddr *)&sun, sizeof sun) < 0) {
		int why = errno;
		const char *other = err_connect_reason(why, path);

		rc = err_set(err, why, "no data plane at '%s': %s", path, other ? other : strerror(why));
		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}
