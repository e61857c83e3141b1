/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ctl_double.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 48

char output[1 << 18], errors[1 << 16], requests[1 << 16];
static char folder[64], path[96], file[96];

static const char *answer_to(const struct line *script, const char *request)
{
	for (; script->asks; script++) {
		if (strstr(request, script->asks))
			return script->answer;
	}
	return "{\"error\":{\"path\":\"\",\"message\":\"not in the script\"}}\n";
}

/* Answers a client until it goes, or until the script has an answer without its newline. Requests are kept in
 * log. */
static void serve(int fd, const struct line *script, int log)
{
	static char request[1 << 20];
	size_t n = 0;
	ssize_t got;

	while ((got = recv(fd, request + n, sizeof request - 1 - n, 0)) > 0) {
		n += (size_t)got;
		request[n] = 0;
		if (request[n - 1] != '\n')
			continue;
		const char *answer = answer_to(script, request);
		size_t length = strlen(answer);

		if (write(log, request, n) < 0 || send(fd, answer, length, MSG_NOSIGNAL) < 0)
			break;
		if (length == 0 || answer[length - 1] != '\n')
			break;
		n = 0;
	}
	close(fd);
}

/* One client after the other, until it is killed. */
static void be_gateway(int listener, const struct line *script, int log)
{
	int fd;

	alarm(60);
	while ((fd = accept(listener, NULL, NULL)) >= 0)
		serve(fd, script, log);
	_exit(0);
}

static void slurp(int fd, char *into, size_t cap)
{
	size_t n = 0;
	ssize_t got;

	lseek(fd, 0, SEEK_SET);
	while (n < cap - 1 && (got = read(fd, into + n, cap - 1 - n)) > 0)
		n += (size_t)got;
	into[n] = 0;
	close(fd);
}

/* Cuts words in place; '...' is one word. */
static int split(char *words, char **argv, int argc)
{
	for (char *p = words; *p;) {
		p += strspn(p, " ");
		if (!*p)
			break;
		assert_true(argc < WORDS_MAX - 1);
		if (*p == '\'') {
			argv[argc++] = ++p;
			p += strcspn(p, "'");
		} else {
			argv[argc++] = p;
			p += strcspn(p, " ");
		}
		if (*p)
			*p++ = 0;
	}
	return argc;
}

static int listen_at(const char *where)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sa.sun_path, where);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(listener, 4), 0);
	return listener;
}

static int temporary(void)
{
	char name[] = "/tmp/srtpgw-ctl-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	return fd;
}

int run_with_input(const struct line *script, const char *words, const char *input)
{
	char line[4096], *argv[WORDS_MAX] = {(char *)SRTPGW_CTL};
	int status, listener = -1, in = temporary(), out = temporary(), err = temporary(), log = temporary();
	pid_t gateway = 0, ctl;

	snprintf(line, sizeof line, "%s", words);
	argv[split(line, argv, 1)] = NULL;
	setenv("SRTPGW_SOCKET", path, 1);
	assert_int_equal(write(in, input, strlen(input)), (ssize_t)strlen(input));
	lseek(in, 0, SEEK_SET);
	if (script) {
		listener = listen_at(path);
		gateway = fork();
		if (gateway == 0)
			be_gateway(listener, script, log);
	}
	ctl = fork();
	if (ctl == 0) {
		dup2(in, 0);
		dup2(out, 1);
		dup2(err, 2);
		execv(argv[0], argv);
		_exit(127);
	}
	assert_int_equal(waitpid(ctl, &status, 0), ctl);
	if (gateway) {
		kill(gateway, SIGKILL);
		waitpid(gateway, NULL, 0);
		close(listener);
		unlink(path);
	}
	close(in);
	slurp(out, output, sizeof output);
	slurp(err, errors, sizeof errors);
	slurp(log, requests, sizeof requests);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int run(const struct line *script, const char *words)
{
	return run_with_input(script, words, "");
}

const char *file_with(const char *content)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(content, f);
	fclose(f);
	return file;
}

static void expect(const char *where, const char *in, const char *text)
{
	if (!strstr(in, text))
		fail_msg("not in the %s: %s\n%s", where, text, in);
}

void expect_output(const char *text)
{
	expect("output", output, text);
}

void expect_errors(const char *text)
{
	expect("errors", errors, text);
}

void expect_request(const char *text)
{
	expect("requests", requests, text);
}

int double_setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/srtpgw-ctl-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/ctl.sock", folder);
	snprintf(file, sizeof file, "%s/file", folder);
	return 0;
}

int double_teardown(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(folder);
}
