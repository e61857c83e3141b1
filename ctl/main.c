/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/print.h"
#include "ctl/table.h"
#include "ctl/watch.h"

static const struct {
	const char *op;
	void (*print)(const json_t *data, FILE *to);
} questions[] = {
	[CTL_CALLS] = {"show-calls", print_calls},
	[CTL_CALL] = {"show-call", print_call},
	[CTL_STATS] = {"show-stats", print_stats},
	[CTL_TRUNKS] = {"show-trunks", print_trunks},
};

static json_t *arguments(const struct ctl_args *a)
{
	json_t *o = json_object();

	if (a->id)
		json_object_set_new(o, "id", json_string(a->id));
	if (a->state)
		json_object_set_new(o, "state", json_string(a->state));
	return o;
}

static enum ctl_exit show(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *data = NULL;
	enum ctl_exit code = client_ask(c, questions[a->what].op, arguments(a), &data, e);

	if (code != CTL_OK)
		return code;
	if (a->json) {
		json_dumpf(data, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		questions[a->what].print(data, stdout);
	}
	json_decref(data);
	return CTL_OK;
}

static void complain(const struct err *e)
{
	fputs("srtpgwctl: ", stderr);
	print_harmless(e->text, stderr);
	fputc('\n', stderr);
}

int main(int argc, char **argv)
{
	struct ctl_args args;
	struct client *c = NULL;
	struct err e = {0};

	if (args_parse(argc, argv, &args, &e)) {
		complain(&e);
		args_help(args.what, stderr);
		return CTL_USAGE;
	}
	if (args.help || args.version) {
		if (args.help)
			args_help(args.what, stdout);
		else
			puts("srtpgwctl " SRTPGW_VERSION);
		return CTL_OK;
	}
	enum ctl_exit code = client_open(args.socket, &c, &e);

	if (code == CTL_OK)
		code = args.watch_s ? watch_calls(c, &args, &e) : show(c, &args, &e);
	client_close(c);
	if (code != CTL_OK)
		complain(&e);
	return code;
}
