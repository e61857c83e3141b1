/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/complete.h"
#include "ctl/table.h"

static void complain(const struct err *e)
{
	fputs("srtpgwctl: ", stderr);
	print_harmless(e->text, stderr);
	fputc('\n', stderr);
}

static enum ctl_exit run(const struct ctl_args *a, struct err *e)
{
	struct client *c = NULL;

	if (a->command->local)
		return a->command->run(NULL, a, e);
	enum ctl_exit code = client_open(a->socket, &c, e);

	if (code == CTL_OK)
		code = client_hello(c, e);
	if (code == CTL_OK)
		code = a->command->run(c, a, e);
	client_close(c);
	return code;
}

int main(int argc, char **argv)
{
	struct ctl_args args;
	struct err e = {0};

	if (argc > 2 && strcmp(argv[1], "complete") == 0 && strcmp(argv[2], "--") == 0) {
		complete_words((const char *const *)argv + 3, (unsigned)argc - 3, stdout);
		return CTL_OK;
	}
	if (args_parse(argc, argv, &args, &e)) {
		complain(&e);
		/* All commands, and below them what was wrong out of sight, are for who asks for them. */
		if (args.command)
			command_help(args.command, stderr);
		return CTL_USAGE;
	}
	if (args.given[OPT_VERSION]) {
		puts("srtpgwctl " SRTPGW_VERSION);
		return CTL_OK;
	}
	if (args.given[OPT_HELP]) {
		command_help(args.command, stdout);
		return CTL_OK;
	}
	enum ctl_exit code = run(&args, &e);

	if (code != CTL_OK)
		complain(&e);
	return code;
}
