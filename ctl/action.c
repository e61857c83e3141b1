/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/action.h"

#include <errno.h>
#include <string.h>

#include "ctl/calls.h"
#include "ctl/print.h"
#include "ctl/value.h"

#define ACTION_TIMEOUT_S 60

/* Takes over data. *output is the caller's. */
static enum ctl_exit act(struct client *c, json_t *data, json_t **output, struct err *e)
{
	client_patience(c, ACTION_TIMEOUT_S);
	return client_ask(c, "action", json_pack("{s:o,s:s}", "data", data, "format", "json"), output, e);
}

/* Asks and prints the output: as JSON, or one of its numbers with what it counts. Takes over data. */
static enum ctl_exit act_and_say(struct client *c, const struct ctl_args *a, json_t *data, const char *member,
	const char *what, struct err *e)
{
	json_t *output = NULL;
	enum ctl_exit code = act(c, data, &output, e);

	if (code == CTL_OK && args_json(a))
		print_json(output, stdout);
	else if (code == CTL_OK && member && value_find(output, member))
		printf("%.0f %s\n", value_number(value_find(output, member)), what);
	json_decref(output);
	return code;
}

/* {"srtp-gateway:RPC":{...}} with the trunk where one is named. */
static json_t *rpc(const char *name, const struct ctl_args *a)
{
	json_t *data = json_object(), *input = json_object();
	char qualified[64];

	snprintf(qualified, sizeof qualified, "srtp-gateway:%s", name);
	if (a->text[OPT_TRUNK])
		json_object_set_new(input, "trunk", json_string(a->text[OPT_TRUNK]));
	if (a->given[OPT_TIMEOUT])
		json_object_set_new(input, "timeout", json_integer((json_int_t)a->number[OPT_TIMEOUT]));
	json_object_set_new(data, qualified, input);
	return data;
}

/* The action of one call. input: reference taken over. */
static json_t *of_call(const char *id, const char *action, json_t *input)
{
	return json_pack("{s:{s:[{s:s,s:o}]}}", "srtp-gateway:calls", "call", "id", id, action, input);
}

enum ctl_exit action_drain(struct client *c, const struct ctl_args *a, struct err *e)
{
	return act_and_say(c, a, rpc("drain", a), "remaining-calls", "calls remain", e);
}

enum ctl_exit action_resume(struct client *c, const struct ctl_args *a, struct err *e)
{
	return act_and_say(c, a, rpc("resume", a), NULL, NULL, e);
}

enum ctl_exit action_terminate(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *input = json_object();

	if (a->text[OPT_REASON])
		json_object_set_new(input, "reason", json_string(a->text[OPT_REASON]));
	return act_and_say(c, a, of_call(a->words[0], "terminate", input), NULL, NULL, e);
}

enum ctl_exit action_disconnect(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *data = json_pack("{s:{s:{s:[{s:s,s:{}}]}}}", "srtp-gateway:gateway", "users", "user", "name",
		a->words[0], "disconnect");

	return act_and_say(c, a, data, "registrations", "registrations ended", e);
}

struct rekeying {
	struct client *c;
	unsigned renewed, gone;
};

static enum ctl_exit rekey_one(void *arg, const json_t *call, struct err *e)
{
	struct rekeying *r = arg;
	const char *id = json_string_value(json_object_get(call, "id"));
	enum ctl_exit code = act(r->c, of_call(id ? id : "", "rekey", json_object()), NULL, e);

	/* A call may end between the list and the request. */
	if (code == CTL_REFUSED)
		r->gone++;
	else
		r->renewed++;
	return code == CTL_REFUSED ? CTL_OK : code;
}

/* The model renews one call's keys, or all: a trunk's are its calls'. */
static enum ctl_exit rekey_trunk(struct client *c, const struct ctl_args *a, struct err *e)
{
	struct rekeying r = {.c = c};
	struct calls_filter filter = {.trunk = a->text[OPT_TRUNK], .state = "established"};
	enum ctl_exit code = calls_each(c, &filter, rekey_one, &r, e);

	/* None at all: that is no matter of calls that ended meanwhile. e has the last one's reason. */
	if (code == CTL_OK && r.gone && !r.renewed)
		return CTL_REFUSED;
	if (code == CTL_OK && args_json(a))
		printf("{\"calls\": %u, \"refused\": %u}\n", r.renewed, r.gone);
	else if (code == CTL_OK && r.gone)
		printf("%u calls renew their keys, %u could not\n", r.renewed, r.gone);
	else if (code == CTL_OK)
		printf("%u calls renew their keys\n", r.renewed);
	return code;
}

enum ctl_exit action_rekey(struct client *c, const struct ctl_args *a, struct err *e)
{
	if (a->n_words + a->given[OPT_TRUNK] + a->given[OPT_ALL] != 1) {
		err_set(e, EINVAL, "whose keys? one of: a call's id, --trunk NAME, --all");
		return CTL_USAGE;
	}
	if (a->given[OPT_TRUNK])
		return rekey_trunk(c, a, e);
	if (a->given[OPT_ALL])
		return act_and_say(c, a, rpc("rekey-all", a), "calls", "calls renew their keys", e);
	return act_and_say(
		c, a, of_call(a->words[0], "rekey", json_object()), "legs", "sides renew their keys", e);
}

enum ctl_exit action_reload_certificates(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *output = NULL;
	const json_t *profile;
	size_t i;
	enum ctl_exit code = act(c, rpc("reload-certificates", a), &output, e);

	if (code == CTL_OK && args_json(a)) {
		print_json(output, stdout);
	} else if (code == CTL_OK) {
		json_array_foreach(value_find(output, "tls-profile"), i, profile)
		{
			fputs("another certificate: ", stdout);
			print_harmless(json_is_string(profile) ? json_string_value(profile) : "?", stdout);
			putchar('\n');
		}
	}
	json_decref(output);
	return code;
}
