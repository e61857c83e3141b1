/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/calls.h"

#include <errno.h>
#include <string.h>

#include "ctl/value.h"

#define XPATH_MAX 512
#define ID_MAX 64

/* One way through the list. */
struct pass {
	const struct calls_filter *filter;
	const char *side;     /* the member that names the trunk; NULL: of any trunk */
	const char *not_from; /* calls that came from this trunk are left out: they were seen; NULL: none */
	calls_fn each;
	void *arg;
	unsigned left; /* of the limit; meaningless without one */
	bool found;    /* some call */
};

static enum ctl_exit make_xpath(const struct pass *p, char xpath[XPATH_MAX], struct err *e)
{
	const struct calls_filter *f = p->filter;
	char trunk[160] = "", state[40] = "";

	if ((p->side && !value_quote(f->trunk, trunk, sizeof trunk)) ||
		(f->state && !value_quote(f->state, state, sizeof state))) {
		err_set(e, EINVAL, "there is no trunk or state of this name");
		return CTL_USAGE;
	}
	snprintf(xpath, XPATH_MAX, "/srtp-gateway:calls/call%s%s%s%s%s%s%s", f->state ? "[state=" : "", state,
		f->state ? "]" : "", p->side ? "[" : "", p->side ? p->side : "", p->side ? "=" : "", trunk);
	if (p->side)
		strcat(xpath, "]");
	return CTL_OK;
}

/* The calls of a page, whose last one is the newest. */
static enum ctl_exit hand_on(struct pass *p, const json_t *calls, struct err *e)
{
	enum ctl_exit code = CTL_OK;

	for (size_t i = json_array_size(calls); i > 0 && code == CTL_OK; i--) {
		const json_t *call = json_array_get(calls, i - 1);
		const char *from = json_string_value(json_object_get(call, "ingress-trunk"));

		if (p->not_from && from && strcmp(from, p->not_from) == 0)
			continue;
		p->found = true;
		code = p->each(p->arg, call, e);
	}
	return code;
}

static enum ctl_exit go_through(struct client *c, struct pass *p, struct err *e)
{
	char xpath[XPATH_MAX], oldest[ID_MAX] = "";
	unsigned limit = p->filter->limit;
	enum ctl_exit code = make_xpath(p, xpath, e);

	for (bool more = true; more && code == CTL_OK;) {
		unsigned asked = limit && p->left < CALLS_PAGE ? p->left : CALLS_PAGE;
		json_t *args = json_pack("{s:s,s:i}", "xpath", xpath, "limit", (int)asked), *page = NULL;

		if (oldest[0])
			json_object_set_new(args, "after", json_string(oldest));
		code = client_ask(c, "get", args, &page, e);
		if (code != CTL_OK)
			break;
		const json_t *calls = value_at(page, "srtp-gateway:calls", "call", NULL);
		const char *id = json_string_value(json_object_get(json_array_get(calls, 0), "id"));

		p->left -= asked;
		more = json_array_size(calls) >= asked && id && strcmp(id, oldest) != 0 &&
		       (!limit || p->left);
		snprintf(oldest, sizeof oldest, "%s", id ? id : "");
		code = hand_on(p, calls, e);
		json_decref(page);
	}
	return code;
}

/* CTL_REFUSED: nothing is configured of this name. Who may not read it is told nothing of it. */
static enum ctl_exit trunk_known(struct client *c, const char *trunk, struct err *e)
{
	char quoted[160], xpath[XPATH_MAX];
	json_t *data = NULL;

	value_quote(trunk, quoted, sizeof quoted);
	snprintf(xpath, sizeof xpath, "/srtp-gateway:gateway/trunks/trunk[name=%s]/name", quoted);
	enum ctl_exit code = client_ask(
		c, "get-config", json_pack("{s:s,s:s}", "source", "running", "xpath", xpath), &data, e);

	if (code == CTL_OK && !value_find(data, "trunk")) {
		err_set(e, ENOENT, "there is no trunk '%s': 'srtpgwctl show trunks' lists them", trunk);
		code = CTL_REFUSED;
	}
	json_decref(data);
	return code == CTL_FAILED ? CTL_OK : code;
}

enum ctl_exit calls_each(
	struct client *c, const struct calls_filter *f, calls_fn each, void *arg, struct err *e)
{
	struct pass p = {.filter = f, .each = each, .arg = arg, .left = f->limit};

	if (!f->trunk)
		return go_through(c, &p, e);
	p.side = "ingress-trunk";
	enum ctl_exit code = go_through(c, &p, e);

	if (code != CTL_OK)
		return code;
	p.side = "egress-trunk";
	p.not_from = f->trunk;
	p.left = f->limit;
	code = go_through(c, &p, e);
	/* A trunk that was removed may have calls still; without any it may be a slip of the keyboard. */
	return code == CTL_OK && !p.found ? trunk_known(c, f->trunk, e) : code;
}
