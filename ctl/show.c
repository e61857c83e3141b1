/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show.h"

#include <errno.h>
#include <string.h>

#include "ctl/calls_show.h"
#include "ctl/print.h"
#include "ctl/watch.h"

/* The member below the top-level one, or the top-level one itself (below NULL). */
static const json_t *part(const json_t *data, const char *top, const char *below)
{
	const json_t *o = json_object_get(data, top);

	return below ? json_object_get(o, below) : o;
}

/* Prints what was asked for: as it came, or the part of it that print is made for. */
static void print(const struct ctl_args *a, const json_t *data, const json_t *shown,
	void (*print_it)(const json_t *data, FILE *to))
{
	if (args_json(a))
		print_json(data, stdout);
	else
		print_it(shown, stdout);
}

enum ctl_exit show_get(struct client *c, const char *xpath, unsigned limit, json_t **data, struct err *e)
{
	json_t *args = json_pack("{s:s,s:s}", "xpath", xpath, "with-defaults", "report-all");

	if (limit)
		json_object_set_new(args, "limit", json_integer(limit));
	return client_ask(c, "get", args, data, e);
}

enum ctl_exit show_calls_xpath(const struct ctl_args *a, char *xpath, size_t cap, struct err *e)
{
	const char *state = a->text[OPT_STATE];

	if (state && strchr(state, '\'')) {
		err_set(e, EINVAL, "there is no state %s", state);
		return CTL_USAGE;
	}
	if (state)
		snprintf(xpath, cap, "/srtp-gateway:calls/call[state='%s']", state);
	else
		snprintf(xpath, cap, "/srtp-gateway:calls");
	return CTL_OK;
}

enum ctl_exit show_calls(struct client *c, const struct ctl_args *a, struct err *e)
{
	char xpath[256];
	json_t *data = NULL;
	enum ctl_exit code;

	if (a->given[OPT_WATCH] && (a->given[OPT_TRUNK] || a->given[OPT_LIMIT] || a->given[OPT_ALL])) {
		err_set(e, EINVAL, "--watch shows the newest calls: it goes with --state only");
		return CTL_USAGE;
	}
	if (a->given[OPT_WATCH])
		return watch_calls(c, a, e);
	if (a->given[OPT_STATE] || a->given[OPT_TRUNK] || a->given[OPT_LIMIT] || a->given[OPT_ALL])
		return calls_show(c, a, e);
	code = show_calls_xpath(a, xpath, sizeof xpath, e);
	if (code == CTL_OK)
		code = show_get(c, xpath, CALLS_SHOW_NEWEST, &data, e);
	if (code != CTL_OK)
		return code;
	print(a, data, part(data, "srtp-gateway:calls", NULL), print_calls);
	json_decref(data);
	return CTL_OK;
}

enum ctl_exit show_call(struct client *c, const struct ctl_args *a, struct err *e)
{
	char xpath[256];
	json_t *data = NULL;
	const json_t *call;
	enum ctl_exit code;

	if (strchr(a->words[0], '\'')) {
		err_set(e, EINVAL, "%s is no call's id", a->words[0]);
		return CTL_USAGE;
	}
	snprintf(xpath, sizeof xpath, "/srtp-gateway:calls/call[id='%s']", a->words[0]);
	code = show_get(c, xpath, 0, &data, e);
	if (code != CTL_OK)
		return code;
	call = json_array_get(part(data, "srtp-gateway:calls", "call"), 0);
	if (call) {
		print(a, data, call, print_call);
	} else {
		err_set(e, ENOENT, "%s: there is no such call, or it ended long ago", xpath);
		code = CTL_REFUSED;
	}
	json_decref(data);
	return code;
}

static enum ctl_exit show(struct client *c, const struct ctl_args *a, const char *xpath, const char *top,
	const char *below, void (*print_it)(const json_t *data, FILE *to), struct err *e)
{
	json_t *data = NULL;
	enum ctl_exit code = show_get(c, xpath, 0, &data, e);

	if (code != CTL_OK)
		return code;
	print(a, data, part(data, top, below), print_it);
	json_decref(data);
	return CTL_OK;
}

enum ctl_exit show_stats(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, "/srtp-gateway:statistics", "srtp-gateway:statistics", NULL, print_stats, e);
}

enum ctl_exit show_trunks(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, "/srtp-gateway:gateway/trunks/trunk", "srtp-gateway:gateway", "trunks",
		print_trunks, e);
}
