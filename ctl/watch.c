/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/print.h"
#include "ctl/refresh.h"
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

static void print_line(const json_t *calls)
{
	char *line = json_dumps(calls, JSON_COMPACT);

	puts(line ? line : "[]");
	free(line);
}

static void show(const struct refresh *r, const json_t *calls, size_t hidden)
{
	char now[CLOCK_TEXT_MAX], *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (!to)
		return;
	fprintf(to, "%s\n", clock_text(clock_wall_ms(), now));
	print_legs(calls, to);
	if (hidden)
		fprintf(to, "and %zu older calls\n", hidden);
	fclose(to);
	refresh_show(r, text);
	free(text);
}

enum ctl_exit watch_calls(struct client *c, const struct ctl_args *args, struct err *e)
{
	struct refresh r;
	enum ctl_exit code;

	refresh_begin(&r);
	for (unsigned round = 1;; round++) {
		json_t *calls;
		size_t hidden;

		code = fetch(c, args, &calls, &hidden, e);
		if (code != CTL_OK)
			break;
		if (args_json(args))
			print_line(calls);
		else
			show(&r, calls, hidden);
		json_decref(calls);
		if (round == args->number[OPT_ROUNDS] || refresh_pause(&r, args->number[OPT_WATCH]))
			break;
	}
	refresh_end(&r);
	return code;
}
