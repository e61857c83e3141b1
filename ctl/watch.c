/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/print.h"
#include "ctl/show.h"
#include "lib/base/clock.h"

/* The calls of one refresh, the newest; hidden: so many more there are. */
static enum ctl_exit fetch(
	struct client *c, const struct ctl_args *args, json_t **calls, size_t *hidden, struct err *e)
{
	char xpath[256];
	json_t *data = NULL;
	enum ctl_exit code = show_calls_xpath(args, xpath, sizeof xpath, e);

	if (code == CTL_OK)
		code = show_get(c, xpath, WATCH_CALLS_MAX, &data, e);
	if (code != CTL_OK)
		return code;
	const json_t *all = json_object_get(data, "srtp-gateway:calls");
	json_t *rows = json_object_get(all, "call");
	size_t active = (size_t)json_integer_value(json_object_get(all, "active"));

	*calls = rows ? json_incref(rows) : json_array();
	*hidden = active > json_array_size(rows) ? active - json_array_size(rows) : 0;
	json_decref(data);
	return CTL_OK;
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
