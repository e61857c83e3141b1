/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show.h"

#include "ctl/print.h"
#include "ctl/watch.h"

static enum ctl_exit show(struct client *c, const struct ctl_args *a, const char *op, json_t *args,
	void (*print)(const json_t *data, FILE *to), struct err *e)
{
	json_t *data = NULL;
	enum ctl_exit code = client_ask(c, op, args, &data, e);

	if (code != CTL_OK)
		return code;
	if (args_json(a))
		print_json(data, stdout);
	else
		print(data, stdout);
	json_decref(data);
	return CTL_OK;
}

enum ctl_exit show_calls(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *args = json_object();

	if (a->given[OPT_WATCH]) {
		json_decref(args);
		return watch_calls(c, a, e);
	}
	if (a->text[OPT_STATE])
		json_object_set_new(args, "state", json_string(a->text[OPT_STATE]));
	return show(c, a, "show-calls", args, print_calls, e);
}

enum ctl_exit show_call(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, "show-call", json_pack("{s:s}", "id", a->words[0]), print_call, e);
}

enum ctl_exit show_stats(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, "show-stats", NULL, print_stats, e);
}

enum ctl_exit show_trunks(struct client *c, const struct ctl_args *a, struct err *e)
{
	return show(c, a, "show-trunks", NULL, print_trunks, e);
}
