/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/standby/status.h"
#include "lib/base/clock.h"

#define NAME "standby"
#define TEXT 160 /* octets of the file: always as many, so that one write replaces it */

static const char *const states[] = {[STANDBY_WAITING] = "waiting",
	[STANDBY_COPYING] = "copying",
	[STANDBY_IN_STEP] = "in-step",
	[STANDBY_REFUSED] = "refused"};

struct status_file {
	int fd;
};

static int open_in(const char *directory, int flags)
{
	int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, rc;

	if (folder < 0)
		return -errno;
	fd = openat(folder, NAME, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = fd < 0 ? -errno : fd;
	close(folder);
	return rc;
}

int status_new(const char *directory, struct status_file **out)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct status_file *f;
	int rc, fd = open_in(directory, O_RDWR | O_CREAT);

	if (fd < 0)
		return fd;
	f = fcntl(fd, F_OFD_SETLK, &lock) < 0 ? NULL : malloc(sizeof *f);
	if (!f) {
		rc = -errno;
		close(fd);
		return rc;
	}
	f->fd = fd;
	*out = f;
	return 0;
}

void status_free(struct status_file *f)
{
	if (!f)
		return;
	close(f->fd);
	free(f);
}

void status_write(struct status_file *f, const struct standby_status *s)
{
	char text[TEXT + 1];
	int n = snprintf(text, sizeof text, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
		states[s->state], s->since_ms, s->heard_ms, s->calls, s->changes, s->registrations);

	memset(text + n, ' ', TEXT - (size_t)n);
	text[TEXT - 1] = '\n';
	(void)!pwrite(f->fd, text, TEXT, 0); /* for people alone */
}

void status_refused(const char *directory, const char *reason)
{
	struct standby_status s = {.state = STANDBY_REFUSED, .since_ms = clock_wall_ms()};
	struct status_file *f;

	mkdir(directory, 0700);
	if (status_new(directory, &f) < 0)
		return;
	status_write(f, &s);
	snprintf(s.reason, sizeof s.reason, "%s\n", reason);
	if (ftruncate(f->fd, TEXT) == 0)
		(void)!pwrite(f->fd, s.reason, strlen(s.reason), TEXT);
	status_free(f);
}

static bool locked(int fd)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool status_received(const char *directory)
{
	int fd = open_in(directory, O_RDONLY);
	bool yes = fd >= 0 && locked(fd);

	if (fd >= 0)
		close(fd);
	return yes;
}

int status_read(const char *directory, struct standby_status *s)
{
	char text[TEXT + 1] = "", word[16];
	int rc = 0, fd = open_in(directory, O_RDONLY);

	if (fd < 0)
		return fd == -ENOENT ? -ESRCH : fd;
	*s = (struct standby_status){0}; /* an older receiver does not count registrations */
	if (pread(fd, text, TEXT, 0) != TEXT ||
		sscanf(text, "%15s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, word,
			&s->since_ms, &s->heard_ms, &s->calls, &s->changes, &s->registrations) < 5)
		rc = -EPROTO;
	if (rc == 0 && strcmp(word, states[STANDBY_REFUSED]) == 0 &&
		pread(fd, s->reason, sizeof s->reason - 1, TEXT) > 0)
		s->reason[strcspn(s->reason, "\n")] = '\0';
	else if (!locked(fd))
		rc = -ESRCH;
	close(fd);
	for (unsigned i = 0; rc == 0; i++) {
		if (i == sizeof states / sizeof *states)
			return -EPROTO;
		if (strcmp(word, states[i]) == 0) {
			s->state = (enum standby_state)i;
			break;
		}
	}
	return rc;
}
