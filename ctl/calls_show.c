/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/calls_show.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/calls.h"
#include "ctl/print.h"
#include "ctl/show.h"
#include "ctl/value.h"

/* What the table has of a call: fifty thousand of them in full would take half a gigabyte. */
static json_t *brief(const json_t *call)
{
	static const char *const members[] = {"id", "state", "from", "to", "ingress-trunk", "egress-trunk",
		"start-time", "duration", "end-reason"};
	static const char *const of_leg[] = {"side", "media", "suite"};
	json_t *out = json_object(), *legs = json_array();
	const json_t *leg;
	size_t i;

	for (size_t m = 0; m < sizeof members / sizeof members[0]; m++)
		json_object_set(out, members[m], json_object_get(call, members[m]));
	json_array_foreach(json_object_get(call, "leg"), i, leg)
	{
		json_t *part = json_object();

		for (size_t m = 0; m < sizeof of_leg / sizeof of_leg[0]; m++)
			json_object_set(part, of_leg[m], json_object_get(leg, of_leg[m]));
		json_array_append_new(legs, part);
	}
	json_object_set_new(out, "leg", legs);
	return out;
}

static enum ctl_exit keep(void *arg, const json_t *call, struct err *e)
{
	(void)e;
	json_array_append_new(arg, brief(call));
	return CTL_OK;
}

static const char *text(const json_t *call, const char *name)
{
	const char *z = json_string_value(json_object_get(call, name));

	return z ? z : "";
}

/* The oldest first: by when they began, then by their ids, which count. */
static int by_age(const void *x, const void *y)
{
	const json_t *a = *(json_t *const *)x, *b = *(json_t *const *)y;
	int order = strcmp(text(a, "start-time"), text(b, "start-time"));

	return order ? order : strcmp(text(a, "id"), text(b, "id"));
}

/* A new list: the newest of the calls, limit of them (0: all), the newest last. */
static json_t *newest(const json_t *calls, unsigned limit)
{
	size_t n = json_array_size(calls), first = limit && n > limit ? n - limit : 0;
	const json_t **sorted = calloc(n + 1, sizeof *sorted);
	json_t *out = json_array();

	for (size_t i = 0; sorted && i < n; i++)
		sorted[i] = json_array_get(calls, i);
	if (sorted)
		qsort(sorted, n, sizeof *sorted, by_age);
	for (size_t i = first; sorted && i < n; i++)
		json_array_append(out, (json_t *)sorted[i]);
	free(sorted);
	return out;
}

/* Numbers of all calls, for the last line; out gets what is known. */
static void add_totals(struct client *c, json_t *out)
{
	static const char *const members[] = {"active", "total"};

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		char xpath[64];
		json_t *data = NULL;
		struct err e;

		snprintf(xpath, sizeof xpath, "/srtp-gateway:calls/%s", members[i]);
		if (show_get(c, xpath, 0, &data, &e) == CTL_OK)
			json_object_set(out, members[i],
				(json_t *)value_at(data, "srtp-gateway:calls", members[i], NULL));
		json_decref(data);
	}
}

static enum ctl_exit show_table(struct client *c, const struct calls_filter *f, struct err *e)
{
	json_t *found = json_array();
	enum ctl_exit code = calls_each(c, f, keep, found, e);

	if (code == CTL_OK) {
		json_t *shown = json_object();

		json_object_set_new(shown, "call", newest(found, f->limit));
		add_totals(c, shown);
		print_calls(shown, stdout);
		if (f->limit && json_array_size(found) >= f->limit)
			printf("the newest %u: --limit N or --all shows more\n", f->limit);
		json_decref(shown);
	}
	json_decref(found);
	return code;
}

#define STREAM_HEAD "{\"srtp-gateway:calls\": {\"call\": [\n"

struct stream {
	unsigned n, limit;
};

/* One call after the other: a program may read fifty thousand without either side holding them all. */
static enum ctl_exit put(void *arg, const json_t *call, struct err *e)
{
	struct stream *s = arg;

	(void)e;
	if (s->limit && s->n >= s->limit)
		return CTL_OK;
	fputs(s->n++ ? ",\n" : STREAM_HEAD, stdout);
	json_dumpf(call, stdout, JSON_COMPACT);
	return CTL_OK;
}

static enum ctl_exit show_json(struct client *c, const struct calls_filter *f, struct err *e)
{
	struct stream s = {.limit = f->limit};

	enum ctl_exit code = calls_each(c, f, put, &s, e);

	if (code == CTL_OK)
		printf("%s\n]}}\n", s.n ? "" : STREAM_HEAD);
	return code;
}

enum ctl_exit calls_show(struct client *c, const struct ctl_args *a, struct err *e)
{
	struct calls_filter f = {.state = a->text[OPT_STATE], .trunk = a->text[OPT_TRUNK]};

	if (!a->given[OPT_ALL])
		f.limit = a->given[OPT_LIMIT] ? (unsigned)a->number[OPT_LIMIT] : CALLS_SHOW_NEWEST;
	return args_json(a) ? show_json(c, &f, e) : show_table(c, &f, e);
}
