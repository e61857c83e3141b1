/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/restart.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "ctl/print.h"
#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/value.h"

#define TIMEOUT_S 2 /* the model's default */
#define END_S 30    /* the rest of its end: BYEs, what is to be written */
#define BEGIN_S 60  /* until the next one answers: calls by the ten thousand are taken over first */
#define LOOKS_A_S 10

static enum ctl_exit ask(struct client *c, const struct ctl_args *a, json_t **output, struct err *e)
{
	json_t *input = json_object();

	if (a->text[OPT_CALLS])
		json_object_set_new(input, "calls", json_string(a->text[OPT_CALLS]));
	if (a->given[OPT_TIMEOUT])
		json_object_set_new(input, "timeout", json_integer((json_int_t)a->number[OPT_TIMEOUT]));
	return client_ask(c, "action",
		json_pack("{s:{s:o},s:s}", "data", "srtp-gateway:restart", input, "format", "json"), output,
		e);
}

/* The next process answers when it has taken over all that there is. */
static enum ctl_exit meet(const char *socket, struct client **next, struct err *e)
{
	static const struct timespec pause = {.tv_nsec = 1000000000 / LOOKS_A_S};
	enum ctl_exit code = CTL_UNREACHABLE;

	for (unsigned i = 0; i < BEGIN_S * LOOKS_A_S && code == CTL_UNREACHABLE; i++) {
		if (i)
			nanosleep(&pause, NULL);
		code = client_open(socket, next, e);
		if (code != CTL_OK)
			continue;
		code = client_hello(*next, e);
		if (code == CTL_OK)
			break;
		client_close(*next);
		*next = NULL;
	}
	if (code == CTL_UNREACHABLE)
		err_set(e, EIO,
			"%s: the gateway ended in good order, and nothing has answered here for %u s since: its log says "
			"why",
			socket, BEGIN_S);
	return code;
}

/* Another socket was committed: the next command needs it, too. */
static void say_where(const char *socket)
{
	fputs("managed at ", stdout);
	print_harmless(socket, stdout);
	puts(" from now on (--socket)");
}

/* "version 0.2.0 is running: 120 calls taken over"; an account that may not read it is told no more. */
static void say(struct client *next)
{
	json_t *data = NULL;
	struct err e;
	const json_t *statistics, *version, *taken;

	if (show_get(next, "/srtp-gateway:statistics", 0, &data, &e) != CTL_OK) {
		puts("started again");
		return;
	}
	statistics = json_object_get(data, "srtp-gateway:statistics");
	version = value_find(statistics, "version");
	taken = value_find(statistics, "recovered");
	fputs("version ", stdout);
	print_harmless(json_is_string(version) ? json_string_value(version) : "?", stdout);
	printf(" is running: %.0f %s taken over\n", value_number(taken),
		value_number(taken) == 1 ? "call" : "calls");
	json_decref(data);
}

enum ctl_exit restart_gateway(struct client *c, const struct ctl_args *a, struct err *e)
{
	unsigned timeout_s = a->given[OPT_TIMEOUT] ? (unsigned)a->number[OPT_TIMEOUT] : TIMEOUT_S;
	struct client *next = NULL;
	json_t *output = NULL;
	enum ctl_exit code = ask(c, a, &output, e);
	const char *elsewhere = json_string_value(json_object_get(output, "srtp-gateway:socket"));

	if (code == CTL_OK && client_patience(c, timeout_s + END_S))
		code = client_wait_for_end(c, e);
	if (code == CTL_OK)
		code = meet(elsewhere ? elsewhere : a->socket, &next, e);
	if (code == CTL_OK && args_json(a))
		print_json(output, stdout);
	else if (code == CTL_OK)
		say(next);
	if (code == CTL_OK && elsewhere && !args_json(a))
		say_where(elsewhere);
	client_close(next);
	json_decref(output);
	return code;
}
