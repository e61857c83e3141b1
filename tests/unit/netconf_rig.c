/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/netconf_rig.h"

#include "tests/support/cmocka_std.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 30000

static const struct rig_answer *find(const struct rig_answer *script, const char *request)
{
	char wanted[64];

	for (; script->op; script++) {
		snprintf(wanted, sizeof wanted, "\"op\":\"%s\"", script->op);
		if (strstr(request, wanted))
			return script;
	}
	return NULL;
}

static void say(int fd, const char *text)
{
	size_t n = strlen(text);

	while (n) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		text += sent;
		n -= (size_t)sent;
	}
}

static void be_engine(int listener, const struct rig_answer *script)
{
	int fd = accept(listener, NULL, NULL);
	FILE *f = fdopen(fd, "r");
	char *request = NULL;
	size_t cap = 0;

	while (f && getline(&request, &cap, f) > 0) {
		const struct rig_answer *a = find(script, request);
		const char *text = a ? a->answer : "{\"error\":{\"message\":\"not in the script\"}}\n";

		if (!text)
			continue;
		say(fd, text);
		if (!*text || text[strlen(text) - 1] != '\n')
			break;
	}
	_exit(0);
}

static void start_engine(struct rig *r, const struct rig_answer *script)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, r->socket);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(listener, 4), 0);
	r->engine = fork();
	if (r->engine == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_engine(listener, script);
	}
	close(listener);
}

static void be_session(struct rig *r, int in, int out, int err, const char *option, const char *value)
{
	char *argv[] = {
		(char *)SRTPGW_NETCONF, (char *)"--socket", r->socket, (char *)option, (char *)value, NULL};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	execv(argv[0], argv);
	_exit(127);
}

void rig_start(struct rig *r, const struct rig_answer *script, const char *option, const char *value)
{
	int in[2], out[2], err[2];

	*r = (struct rig){.folder = "/tmp/srtpgw-netconf-XXXXXX"};
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(r->folder));
	snprintf(r->socket, sizeof r->socket, "%s/ctl.sock", r->folder);
	if (script)
		start_engine(r, script);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
	r->session = fork();
	if (r->session == 0)
		be_session(r, in[0], out[1], err[1], option, value);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	r->to = in[1];
	r->from = out[0];
	r->errors = err[0];
}

void rig_open(struct rig *r, const struct rig_answer *script, bool chunked)
{
	rig_start(r, script, NULL, NULL);
	assert_non_null(strstr(rig_receive(r), "<session-id>42</session-id>"));
	rig_send(r, chunked ? RIG_HELLO_1_1 : RIG_HELLO_1_0);
	if (chunked)
		framing_use_chunks(&r->framing);
}

/* A session that has ended takes nothing: what it said before tells why. */
void rig_write(struct rig *r, struct str octets)
{
	while (octets.n) {
		ssize_t n = write(r->to, octets.p, octets.n);

		if (n <= 0)
			return;
		octets = str_sub(octets, (size_t)n, octets.n);
	}
}

void rig_send(struct rig *r, const char *message)
{
	struct text t = {0};

	framing_put(&t, str_z(message), r->framing.chunked);
	rig_write(r, text_view(&t));
	text_free(&t);
}

/* 0: the session closed its end. */
static size_t read_more(struct rig *r)
{
	struct pollfd p = {.fd = r->from, .events = POLLIN};

	if (poll(&p, 1, PATIENCE_MS) != 1)
		fail_msg("the session says nothing");
	ssize_t n = read(r->from, r->buffer, sizeof r->buffer);

	r->octets = (struct str){r->buffer, n > 0 ? (size_t)n : 0};
	return r->octets.n;
}

const char *rig_receive(struct rig *r)
{
	while (r->octets.n || read_more(r)) {
		enum framing_event event = framing_take(&r->framing, &r->octets);

		if (event == FRAMING_MESSAGE)
			return r->framing.message.p;
		assert_int_equal(event, FRAMING_MORE);
	}
	fail_msg("the session ended; a message was expected");
	return NULL;
}

void rig_ask(struct rig *r, const char *operation, const char *wanted)
{
	struct text t = {0};

	text_fmt(&t, "<rpc message-id=\"101\" " RIG_BASE ">%s</rpc>", operation);
	rig_send(r, t.p);
	text_free(&t);
	const char *reply = rig_receive(r);

	if (!strstr(reply, "message-id=\"101\"") || !strstr(reply, wanted))
		fail_msg("%s\nis not in\n%s", wanted, reply);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void rig_close_input(struct rig *r)
{
	close_fd(&r->to);
}

void rig_hang_up(struct rig *r)
{
	close_fd(&r->to);
	close_fd(&r->from);
}

static void read_errors(struct rig *r)
{
	size_t n = 0;
	ssize_t got;

	while (n < sizeof r->stderr_text - 1 &&
		(got = read(r->errors, r->stderr_text + n, sizeof r->stderr_text - 1 - n)) > 0)
		n += (size_t)got;
	r->stderr_text[n] = 0;
}

int rig_end(struct rig *r)
{
	int status;

	if (r->from >= 0 && (r->octets.n || read_more(r)))
		fail_msg("the session says more than was expected: %.*s", STR_ARG(r->octets));
	read_errors(r); /* to its end: that is the process's */
	assert_int_equal(waitpid(r->session, &status, 0), r->session);
	rig_hang_up(r);
	close_fd(&r->errors);
	if (r->engine) {
		kill(r->engine, SIGKILL);
		waitpid(r->engine, NULL, 0);
		unlink(r->socket);
	}
	rmdir(r->folder);
	framing_free(&r->framing);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}
