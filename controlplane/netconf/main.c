/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One NETCONF session on standard input and output, started by OpenSSH (`Subsystem netconf srtpgw-netconf`)
 * as the account that logged in. It holds no keys and no state; who may do what, the engine decides.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "controlplane/netconf/session.h"
#include "lib/base/str.h"

#define DEFAULT_SOCKET "/run/srtpgw/ctl.sock"
#define EXIT_USAGE 2
#define HELLO_S_MAX 3600

static const char usage[] =
	"usage: srtpgw-netconf [--socket PATH] [--hello-timeout SECONDS]\n"
	"\n"
	"Speaks NETCONF (RFC 6241, RFC 6242) on standard input and output, for OpenSSH:\n"
	"\n"
	"  Subsystem netconf /usr/bin/srtpgw-netconf\n"
	"\n"
	"  --socket PATH           the gateway's management socket ($SRTPGW_SOCKET, or " DEFAULT_SOCKET ")\n"
	"  --hello-timeout SECONDS how long the client's <hello> is waited for (60)\n"
	"  --help, --version\n"
	"\n"
	"Exit codes: 0 the session ended, 2 usage, 3 the client or the gateway refused, 4 no gateway.\n";

static int wrong_usage(const char *what, const char *word)
{
	fprintf(stderr, "srtpgw-netconf: %s %s (--help shows how)\n", what, word);
	return EXIT_USAGE;
}

/* -1: go on; else an exit code. */
static int read_options(char **argv, struct session_conf *conf)
{
	for (; *argv; argv++) {
		uint64_t seconds;

		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0) {
			fputs(usage, stdout);
			return 0;
		}
		if (strcmp(*argv, "--version") == 0) {
			puts("srtpgw-netconf " SRTPGW_VERSION);
			return 0;
		}
		if (strcmp(*argv, "--socket") == 0 && argv[1] && *argv[1]) {
			conf->socket = *++argv;
		} else if (strcmp(*argv, "--hello-timeout") == 0 && argv[1]) {
			if (str_to_u64(str_z(*++argv), HELLO_S_MAX, &seconds) || seconds == 0)
				return wrong_usage("--hello-timeout is 1 to 3600 seconds, not", *argv);
			conf->hello_s = (unsigned)seconds;
		} else {
			return wrong_usage("unknown option, or one without its value:", *argv);
		}
	}
	return -1;
}

/* SSH_CONNECTION: client address, client port, server address, server port. */
static const char *source_host(void)
{
	const char *connection = getenv("SSH_CONNECTION");
	struct str rest = str_z(connection);

	return connection ? str_dup(str_cut(&rest, ' ')) : NULL;
}

/* sshd throws away what a subsystem writes to standard error, so the system's log has it as well. */
static void complain(const char *why)
{
	fprintf(stderr, "srtpgw-netconf: %s\n", why);
	openlog("srtpgw-netconf", LOG_PID, LOG_DAEMON);
	syslog(LOG_WARNING, "%s", why);
	closelog();
}

int main(int argc, char **argv)
{
	struct session_conf conf = {
		.in = STDIN_FILENO, .out = STDOUT_FILENO, .socket = getenv("SRTPGW_SOCKET")};
	struct err e = {0};
	int code = argc ? read_options(argv + 1, &conf) : EXIT_USAGE;

	if (code >= 0)
		return code;
	if (!conf.socket || !*conf.socket)
		conf.socket = DEFAULT_SOCKET;
	conf.source_host = source_host();
	signal(SIGPIPE, SIG_IGN);
	code = session_run(&conf, &e);
	free((char *)conf.source_host);
	if (code != SESSION_DONE)
		complain(e.text);
	return code;
}
