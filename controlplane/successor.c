/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/successor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define CHECK_MS 10000
#define SAID_MAX 4096

extern char **environ;

void successor_find(struct successor *s, char **argv)
{
	ssize_t n = 0;

	s->argv = argv;
	/* As it was named, so that a link may lead to another version by now. */
	if (strchr(argv[0], '/') && strlen(argv[0]) < sizeof s->program && access(argv[0], X_OK) == 0)
		strcpy(s->program, argv[0]);
	else
		n = readlink("/proc/self/exe", s->program, sizeof s->program - 1);
	if (n)
		s->program[n > 0 ? n : 0] = '\0';
}

static int spawn(const struct successor *s, char **argv, int said, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none;
	int rc = posix_spawn_file_actions_init(&files);

	if (rc)
		return -rc;
	posix_spawnattr_init(&how);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, said, STDERR_FILENO);
	/* No lock of ours is to be another's. */
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	if (!rc)
		rc = posix_spawn(pid, s->program, &files, &how, argv, environ);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	return -rc;
}

/* What it says until it ends, the last octets of it. False: it did not end in time. */
static bool listen_to(int fd, char said[SAID_MAX])
{
	uint64_t until = clock_mono_ns() + CHECK_MS * NS_PER_MS;
	size_t n = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = clock_mono_ns();
		ssize_t got;
		int ready;

		said[n] = '\0';
		ready = now < until ? poll(&p, 1, (int)((until - now) / NS_PER_MS) + 1) : 0;
		if (ready == 0)
			return false;
		if (ready < 0)
			continue;
		if (n > SAID_MAX / 2) {
			n -= SAID_MAX / 4;
			memmove(said, said + SAID_MAX / 4, n);
		}
		got = read(fd, said + n, SAID_MAX / 4);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return true;
		n += (size_t)got;
	}
}

/* The reason is the last line, behind the program's name. */
static const char *last_line(char *said)
{
	static const char name[] = "srtpgw-controlplane: ";
	size_t n = strlen(said);
	const char *line;

	while (n && said[n - 1] == '\n')
		said[--n] = '\0';
	line = strrchr(said, '\n');
	line = line ? line + 1 : said;
	return strncmp(line, name, sizeof name - 1) == 0 ? line + sizeof name - 1 : line;
}

static int wait_for(const struct successor *s, pid_t pid, int fd, struct err *e)
{
	char said[SAID_MAX];
	bool ended = listen_to(fd, said);
	int status = 0;

	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!ended)
		return err_set(e, ETIMEDOUT, "%s --check does not end", s->program);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(
		e, EINVAL, "%s would not start: %s", s->program, said[0] ? last_line(said) : "it crashes");
}

int successor_check(const struct successor *s, struct err *e)
{
	static char check[] = "--check";
	size_t n = 0;
	char **argv;
	int pipes[2], rc;
	pid_t pid;

	if (!s->program[0])
		return err_set(e, ENOENT, "it is not known where this program's file is");
	while (s->argv[n])
		n++;
	argv = calloc(n + 2, sizeof *argv);
	if (!argv || pipe2(pipes, O_CLOEXEC) < 0) {
		free(argv);
		return err_set(e, ENOMEM, "no room for a check of %s", s->program);
	}
	memcpy(argv, s->argv, n * sizeof *argv);
	argv[n] = check;
	rc = spawn(s, argv, pipes[1], &pid);
	close(pipes[1]);
	free(argv);
	rc = rc < 0 ? err_set(e, -rc, "%s: %s", s->program, strerror(-rc)) : wait_for(s, pid, pipes[0], e);
	close(pipes[0]);
	return rc;
}

int successor_start(const struct successor *s)
{
	/* What was left open is not for it. */
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	execv(s->program, s->argv);
	return -errno;
}
