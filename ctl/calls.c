/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/calls.h"

#include <errno.h>
#include <string.h>

#include "ctl/value.h"

#define XPATH_MAX 512

static enum ctl_exit make_xpath(const struct calls_filter *f, char xpath[XPATH_MAX], struct err *e)
{
	char trunk[160] = "", state[40] = "";

	if ((f->trunk && !value_quote(f->trunk, trunk, sizeof trunk)) ||
		(f->state && !value_quote(f->state, state, sizeof state))) {
		err_set(e, EINVAL, "'%s' is not the name of a trunk", f->trunk ? f->trunk : f->state);
		return CTL_USAGE;
	}
	int n = snprintf(xpath, XPATH_MAX, "/srtp-gateway:calls/call");

	if (f->state)
		n += snprintf(xpath + n, (size_t)(XPATH_MAX - n), "[state=%s]", state);
	if (f->trunk)
		snprintf(xpath + n, (size_t)(XPATH_MAX - n), "[ingress-trunk=%s or egress-trunk=%s]", trunk,
			trunk);
	return CTL_OK;
}

/* Hands on one page; *after is the last call's id, "" when there can be no more. */
static enum ctl_exit hand_on(const json_t *page, unsigned asked, unsigned *left, calls_fn each, void *arg,
	char after[64], struct err *e)
{
	const json_t *calls = value_at(page, "srtp-gateway:calls", "call", NULL), *call;
	enum ctl_exit code = CTL_OK;
	size_t i;

	after[0] = 0;
	json_array_foreach(calls, i, call)
	{
		const char *id = json_string_value(json_object_get(call, "id"));

		if (*left && --*left == 0) {
			after[0] = 0;
			return each(arg, call, e);
		}
		code = each(arg, call, e);
		if (code != CTL_OK)
			break;
		snprintf(after, 64, "%s", id && json_array_size(calls) >= asked ? id : "");
	}
	return code;
}

enum ctl_exit calls_each(
	struct client *c, const struct calls_filter *f, calls_fn each, void *arg, struct err *e)
{
	unsigned left = f->limit, asked;
	char xpath[XPATH_MAX], after[64] = "";
	enum ctl_exit code = make_xpath(f, xpath, e);

	while (code == CTL_OK) {
		json_t *args = json_pack("{s:s}", "xpath", xpath), *page = NULL;

		asked = f->limit && left < CALLS_PAGE ? left : CALLS_PAGE;
		json_object_set_new(args, "limit", json_integer(asked));
		if (after[0])
			json_object_set_new(args, "after", json_string(after));
		code = client_ask(c, "get", args, &page, e);
		if (code == CTL_OK)
			code = hand_on(page, asked, &left, each, arg, after, e);
		json_decref(page);
		if (!after[0])
			break;
	}
	return code;
}
