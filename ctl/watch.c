/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/print.h"
#include "lib/base/clock.h"

/*
 * The calls of one refresh, each in full. A call that goes between the list and the question is shown as the
 * list knew it.
 */
static enum ctl_exit fetch(
	struct client *c, const struct ctl_args *args, json_t **calls, size_t *hidden, struct err *e)
{
	json_t *list = NULL, *row;
	size_t i;
	enum ctl_exit code = client_ask(c, "show-calls",
		args->text[OPT_STATE] ? json_pack("{s:s}", "state", args->text[OPT_STATE]) : json_object(),
		&list, e);

	if (code != CTL_OK)
		return code;
	json_t *rows = json_object_get(list, "calls");

	*hidden = json_array_size(rows) > WATCH_CALLS_MAX ? json_array_size(rows) - WATCH_CALLS_MAX : 0;
	*calls = json_array();
	json_array_foreach(rows, i, row)
	{
		const char *id = json_string_value(json_object_get(row, "id"));
		json_t *call = NULL;

		if (i < *hidden || !id)
			continue;
		code = client_ask(c, "show-call", json_pack("{s:s}", "id", id), &call, e);
		if (code == CTL_UNREACHABLE)
			break;
		json_array_append_new(*calls, code == CTL_OK ? call : json_incref(row));
		code = CTL_OK;
	}
	json_decref(list);
	if (code != CTL_OK)
		json_decref(*calls);
	return code;
}

static void draw(const json_t *calls, size_t hidden, const struct ctl_args *args, bool terminal)
{
	char now[CLOCK_TEXT_MAX];

	if (args_json(args)) {
		char *line = json_dumps(calls, JSON_COMPACT);

		puts(line ? line : "[]");
		free(line);
	} else {
		if (terminal)
			fputs("\033[H\033[J", stdout); /* home, clear */
		printf("%s\n", clock_text(clock_wall_ms(), now));
		print_legs(calls, stdout);
		if (hidden)
			printf("and %zu older calls\n", hidden);
		if (!terminal)
			putchar('\n');
	}
	fflush(stdout);
}

/* Sleeps; true when a signal says that it is enough. */
static bool interrupted(const sigset_t *ending, double seconds)
{
	struct timespec t = {.tv_sec = (time_t)seconds};

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	return sigtimedwait(ending, NULL, &t) >= 0;
}

enum ctl_exit watch_calls(struct client *c, const struct ctl_args *args, struct err *e)
{
	bool terminal = isatty(STDOUT_FILENO);
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	for (unsigned round = 1;; round++) {
		json_t *calls;
		size_t hidden;
		enum ctl_exit code = fetch(c, args, &calls, &hidden, e);

		if (code != CTL_OK)
			return code;
		draw(calls, hidden, args, terminal);
		json_decref(calls);
		if (ferror(stdout) || round == args->number[OPT_ROUNDS] ||
			interrupted(&ending, args->number[OPT_WATCH]))
			return CTL_OK;
	}
}
