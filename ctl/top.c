/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/top.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/print.h"
#include "ctl/refresh.h"
#include "ctl/value.h"
#include "lib/base/clock.h"

/* One refresh: what was asked, and when. */
struct view {
	json_t *statistics, *trunks, *calls; /* whole answers, as the operation get gives them */
	uint64_t at_ns;                      /* monotonic */
};

static void view_free(struct view *v)
{
	json_decref(v->statistics);
	json_decref(v->trunks);
	json_decref(v->calls);
	*v = (struct view){0};
}

static enum ctl_exit get(struct client *c, const char *xpath, unsigned limit, json_t **out, struct err *e)
{
	json_t *args = json_pack("{s:s,s:s}", "xpath", xpath, "with-defaults", "report-all");

	if (limit)
		json_object_set_new(args, "limit", json_integer(limit));
	return client_ask(c, "get", args, out, e);
}

static enum ctl_exit fetch(struct client *c, unsigned calls, struct view *v, struct err *e)
{
	enum ctl_exit code = get(c, "/srtp-gateway:statistics", 0, &v->statistics, e);

	v->at_ns = clock_mono_ns();
	if (code == CTL_OK)
		code = get(c, "/srtp-gateway:gateway/trunks/trunk", 0, &v->trunks, e);
	if (code == CTL_OK)
		code = get(c, "/srtp-gateway:calls", calls, &v->calls, e);
	return code;
}

/* Numbers of one place in this refresh and the one before. */
struct pair {
	const json_t *now, *before;
	double seconds; /* between them; 0: there was none before */
};

static struct pair at(const struct pair *p, const char *name)
{
	return (struct pair){json_object_get(p->now, name), json_object_get(p->before, name), p->seconds};
}

/* How fast a counter grows; 0 when it is not known or began again. */
static double rate(const struct pair *in, const char *name)
{
	struct pair p = at(in, name);
	double grown = value_number(p.now) - value_number(p.before);

	return p.seconds > 0 && p.before && grown > 0 ? grown / p.seconds : 0;
}

static double number(const struct pair *in, const char *name)
{
	return value_number(json_object_get(in->now, name));
}

/* "6150 packets/s 9.84 Mbit/s" */
static void print_direction(const char *name, const struct pair *plane, FILE *to)
{
	struct pair p = at(plane, name);

	fprintf(to, "  %s %.0f packets/s, %.2f Mbit/s", name, rate(&p, "packets"),
		rate(&p, "octets") * 8 / 1e6);
}

static void print_text(const char *label, const json_t *v, FILE *to)
{
	char buf[32];

	fprintf(to, "%s", label);
	print_harmless(v ? value_text(v, buf) : "-", to);
}

static void print_plane(const struct pair *all, FILE *to)
{
	struct pair plane = at(all, "data-plane"), verdicts = at(&plane, "verdicts"),
		    crypto = at(&plane, "crypto");

	if (!json_is_true(json_object_get(plane.now, "connected"))) {
		fputs("media  the data plane is not connected\n", to);
		return;
	}
	print_text("media  ", json_object_get(plane.now, "port"), to);
	print_text(", ", json_object_get(plane.now, "backend"), to);
	fprintf(to, ", %.0f sessions", number(&plane, "sessions"));
	print_direction("rx", &plane, to);
	print_direction("tx", &plane, to);
	fprintf(to,
		"\n       not authentic %.0f/s, replayed %.0f/s, crypto jobs %.0f/s, workers without their "
		"card %.0f\n",
		rate(&verdicts, "auth-fail"), rate(&verdicts, "replay") + rate(&verdicts, "too-old"),
		rate(&crypto, "jobs"), number(&crypto, "degraded"));
}

static void print_head(const struct pair *all, FILE *to)
{
	struct pair calls = at(all, "calls"), sip = at(all, "sip");
	char now[CLOCK_TEXT_MAX];

	print_text("srtpgw ", json_object_get(all->now, "version"), to);
	fprintf(to, "  up %.0f s  %s\n", number(all, "uptime"), clock_text(clock_wall_ms(), now));
	fprintf(to,
		"calls  %.0f now, %.1f/s new, %.1f/s refused  SIP rx %.0f/s, tx %.0f/s, repeated %.0f/s\n",
		number(&calls, "active"), rate(&calls, "total"), rate(&calls, "rejected"),
		rate(&sip, "rx-messages"), rate(&sip, "tx-messages"), rate(&sip, "tx-retransmissions"));
	print_plane(all, to);
}

/* The entry of this name in the list before. */
static const json_t *same(const json_t *list, const json_t *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		if (json_equal(json_object_get(entry, "name"), name))
			return entry;
	}
	return NULL;
}

static void print_trunks_now(const struct view *v, const struct view *before, double seconds, FILE *to)
{
	const json_t *list = value_at(v->trunks, "srtp-gateway:gateway", "trunks", "trunk", NULL);
	const json_t *old = value_at(before->trunks, "srtp-gateway:gateway", "trunks", "trunk", NULL), *trunk;
	struct table *t = table_new("TRUNK STATE >CALLS >NEW/S >REFUSED/S >REFUSED LAST-REJECTION");
	size_t i;

	json_array_foreach(list, i, trunk)
	{
		const json_t *name = json_object_get(trunk, "name");
		struct pair state = {
			json_object_get(trunk, "state"), json_object_get(same(old, name), "state"), seconds};

		value_cell(t, name);
		value_cell(t, json_object_get(state.now, "oper-state"));
		value_cell(t, json_object_get(state.now, "active-calls"));
		table_fixed(t, rate(&state, "total-calls"), 1);
		table_fixed(t, rate(&state, "rejected-calls"), 1);
		value_cell(t, json_object_get(state.now, "rejected-calls"));
		value_cell(t, json_object_get(state.now, "last-rejection"));
	}
	table_print(t, to);
}

static void draw(const struct view *v, const struct view *before, FILE *to)
{
	double seconds = before->at_ns ? (double)(v->at_ns - before->at_ns) / 1e9 : 0;
	struct pair all = {json_object_get(v->statistics, "srtp-gateway:statistics"),
		json_object_get(before->statistics, "srtp-gateway:statistics"), seconds};

	print_head(&all, to);
	fputc('\n', to);
	print_trunks_now(v, before, seconds, to);
	fputc('\n', to);
	print_legs(value_at(v->calls, "srtp-gateway:calls", "call", NULL), to);
}

static void show(const struct refresh *r, const struct view *v, const struct view *before)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (!to)
		return;
	draw(v, before, to);
	fclose(to);
	refresh_show(r, text);
	free(text);
}

/* Everything of one refresh on one line. */
static void print_line(const struct view *v, FILE *to)
{
	json_t *all = json_object();

	json_object_update(all, v->statistics);
	json_object_update(all, v->trunks);
	json_object_update(all, v->calls);
	json_dumpf(all, to, JSON_COMPACT);
	fputc('\n', to);
	json_decref(all);
}

/* Calls, of two lines each, that fit below the rest. */
static unsigned calls_that_fit(const struct refresh *r, const struct view *before)
{
	size_t trunks =
		json_array_size(value_at(before->trunks, "srtp-gateway:gateway", "trunks", "trunk", NULL));
	unsigned lines = refresh_lines(r);

	if (!lines)
		return TOP_CALLS;
	return lines > trunks + 12 ? (lines - (unsigned)trunks - 8) / 2 : 2;
}

enum ctl_exit top_watch(struct client *c, const struct ctl_args *a, struct err *e)
{
	double seconds = a->given[OPT_INTERVAL] ? a->number[OPT_INTERVAL] : 1;
	struct view now = {0}, before = {0};
	struct refresh r;
	enum ctl_exit code;

	refresh_begin(&r);
	for (unsigned round = 1;; round++) {
		code = fetch(c, calls_that_fit(&r, &before), &now, e);
		if (code != CTL_OK)
			break;
		if (args_json(a))
			print_line(&now, stdout);
		else
			show(&r, &now, &before);
		view_free(&before);
		before = now;
		now = (struct view){0};
		if (round == a->number[OPT_ROUNDS] || refresh_pause(&r, seconds))
			break;
	}
	refresh_end(&r);
	view_free(&now);
	view_free(&before);
	return code;
}
