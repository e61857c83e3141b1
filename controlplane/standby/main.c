/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the active machine on a second one: a stream between the two, with OpenSSH beneath it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "controlplane/b2bua/recovery/saved_binding.h"
#include "controlplane/b2bua/recovery/saved_call.h"
#include "controlplane/standby/receive.h"
#include "controlplane/standby/send.h"
#include "controlplane/standby/status.h"
#include "controlplane/standby/status_metrics.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

#define DEFAULT_RECOVERY "/run/srtpgw/calls"
#define SILENCE_S 5
#define SILENCE_S_MAX 3600

enum { EXIT_DONE, EXIT_NOT_IN_STEP, EXIT_USAGE, EXIT_STREAM, EXIT_DIRECTORY };

static const char usage[] =
	"usage: srtpgw-standby send|receive|status [--recovery DIR] [--silence SECONDS]\n"
	"\n"
	"Keeps the calls and registrations of an active gateway on a second machine, which can take them over:\n"
	"\n"
	"  ssh srtpgw@active srtpgw-standby send | srtpgw-standby receive\n"
	"\n"
	"  send                on the active machine: what there is, and what changes, on standard output\n"
	"  receive             on the standby: what send says, from standard input into a journal\n"
	"  status              on the standby: is it in step?\n"
	"  --recovery DIR      recovery/directory of the configuration (" DEFAULT_RECOVERY ")\n"
	"  --silence SECONDS   receive: how long nothing may come (5)\n"
	"  --prometheus        status: as metrics, for the textfile collector of node_exporter\n"
	"  --help, --version\n"
	"\n"
	"Exit codes: 0 ended by SIGTERM, or in step (--prometheus: or not), 1 not in step, 2 usage,\n"
	"3 the stream ended or is not right, 4 the directory cannot be used.\n";

/* Calls of all versions are taken over, registrations of one. */
static const struct stream_versions records = {
	.oldest = {[STREAM_CALLS] = 1, [STREAM_REGISTRATIONS] = SAVED_BINDING_VERSION},
	.newest = {[STREAM_CALLS] = SAVED_CALL_VERSION, [STREAM_REGISTRATIONS] = SAVED_BINDING_VERSION},
};

struct options {
	const char *verb, *recovery;
	unsigned silence_s;
	bool prometheus;
};

static int wrong_usage(const char *what, const char *word)
{
	fprintf(stderr, "srtpgw-standby: %s %s (--help shows how)\n", what, word);
	return EXIT_USAGE;
}

/* -1: go on; else an exit code. */
static int read_options(char **argv, struct options *o)
{
	uint64_t seconds;

	for (; *argv; argv++) {
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0) {
			fputs(usage, stdout);
			return EXIT_DONE;
		}
		if (strcmp(*argv, "--version") == 0) {
			puts("srtpgw-standby " SRTPGW_VERSION);
			return EXIT_DONE;
		}
		if (strcmp(*argv, "--recovery") == 0 && argv[1] && *argv[1]) {
			o->recovery = *++argv;
		} else if (strcmp(*argv, "--silence") == 0 && argv[1]) {
			if (str_to_u64(str_z(*++argv), SILENCE_S_MAX, &seconds) || seconds < 2)
				return wrong_usage("--silence is 2 to 3600 seconds, not", *argv);
			o->silence_s = (unsigned)seconds;
		} else if (strcmp(*argv, "--prometheus") == 0) {
			o->prometheus = true;
		} else if (**argv != '-' && !o->verb) {
			o->verb = *argv;
		} else {
			return wrong_usage("unknown option, or one without its value:", *argv);
		}
	}
	if (!o->verb)
		return wrong_usage("it needs", "send, receive or status");
	return o->prometheus && strcmp(o->verb, "status") != 0
		       ? wrong_usage("--prometheus is for status, not", o->verb)
		       : -1;
}

static int told_to_end(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int failed(int rc, const struct err *e)
{
	if (rc == 0)
		return EXIT_DONE;
	fprintf(stderr, "srtpgw-standby: %s\n", e->text);
	return rc == -EPIPE || rc == -ETIMEDOUT || rc == -EPROTO || rc == -EPROTONOSUPPORT ? EXIT_STREAM
											   : EXIT_DIRECTORY;
}

static int run_send(const struct options *o)
{
	const struct send_conf conf = {
		.recovery = o->recovery, .out = STDOUT_FILENO, .term = told_to_end(), .records = &records};
	struct err e = {0};

	if (isatty(STDOUT_FILENO))
		return wrong_usage("send is for a pipe:", "its output is not for people");
	return failed(standby_send(&conf, &e), &e);
}

static int run_receive(const struct options *o)
{
	const struct receive_conf conf = {.recovery = o->recovery,
		.in = STDIN_FILENO,
		.term = told_to_end(),
		.records = &records,
		.silence_s = o->silence_s};
	struct err e = {0};

	return failed(standby_receive(&conf, &e), &e);
}

static int run_status(const struct options *o)
{
	static const char *const says[] = {[STANDBY_WAITING] = "waits for the active machine's calls",
		[STANDBY_COPYING] = "copies the active machine's calls",
		[STANDBY_IN_STEP] = "in step",
		[STANDBY_REFUSED] = "nobody receives here: the active machine was refused"};
	struct standby_status s;
	char since[CLOCK_TEXT_MAX], heard[CLOCK_TEXT_MAX];
	int rc = status_read(o->recovery, &s);

	if (o->prometheus && (rc == 0 || rc == -ESRCH)) {
		status_metrics(rc == 0 ? &s : NULL, stdout);
		return EXIT_DONE;
	}
	if (rc == -ESRCH) {
		printf("%s: nobody receives here\n", o->recovery);
		return EXIT_NOT_IN_STEP;
	}
	if (rc < 0) {
		fprintf(stderr, "srtpgw-standby: %s: %s\n", o->recovery, strerror(-rc));
		return EXIT_DIRECTORY;
	}
	if (s.state == STANDBY_REFUSED) {
		printf("%s at %s: %s\n", says[s.state], clock_text(s.since_ms, since), s.reason);
		return EXIT_NOT_IN_STEP;
	}
	printf("%s since %s: %llu calls and %llu registrations copied, %llu changes since, last heard %s\n",
		says[s.state], clock_text(s.since_ms, since), (unsigned long long)s.calls,
		(unsigned long long)s.registrations, (unsigned long long)s.changes,
		s.heard_ms ? clock_text(s.heard_ms, heard) : "never");
	return s.state == STANDBY_IN_STEP ? EXIT_DONE : EXIT_NOT_IN_STEP;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct options *o);
	} verbs[] = {{"send", run_send}, {"receive", run_receive}, {"status", run_status}};
	struct options o = {.recovery = DEFAULT_RECOVERY, .silence_s = SILENCE_S};
	int code = argc ? read_options(argv + 1, &o) : EXIT_USAGE;

	for (unsigned i = 0; code < 0 && i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(o.verb, verbs[i].name) == 0)
			return verbs[i].run(&o);
	return code < 0 ? wrong_usage("there is no verb", o.verb) : code;
}
