/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/action.h"

#include <errno.h>
#include <string.h>

#include "ctl/calls.h"
#include "ctl/print.h"
#include "ctl/value.h"
#include "lib/base/plural.h"

#define ACTION_TIMEOUT_S 60

/* Takes over data. *output is the caller's. */
static enum ctl_exit act(struct client *c, json_t *data, json_t **output, struct err *e)
{
	client_patience(c, ACTION_TIMEOUT_S);
	return client_ask(c, "action", json_pack("{s:o,s:s}", "data", data, "format", "json"), output, e);
}

/* What is said of a number: of one, and of any other. */
struct said {
	const char *one, *many;
};

/* Asks and prints the output: as JSON, or one of its numbers with what it counts. Takes over data. */
static enum ctl_exit act_and_say(struct client *c, const struct ctl_args *a, json_t *data, const char *member,
	struct said what, struct err *e)
{
	json_t *output = NULL;
	enum ctl_exit code = act(c, data, &output, e);

	if (code == CTL_OK && args_json(a))
		print_json(output, stdout);
	else if (code == CTL_OK && member && value_find(output, member))
		printf("%.0f %s\n", value_number(value_find(output, member)),
			value_number(value_find(output, member)) == 1 ? what.one : what.many);
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
	return act_and_say(c, a, rpc("drain", a), "remaining-calls",
		(struct said){"call remains", "calls remain"}, e);
}

enum ctl_exit action_resume(struct client *c, const struct ctl_args *a, struct err *e)
{
	return act_and_say(c, a, rpc("resume", a), NULL, (struct said){NULL, NULL}, e);
}

enum ctl_exit action_terminate(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *input = json_object();

	if (a->text[OPT_REASON])
		json_object_set_new(input, "reason", json_string(a->text[OPT_REASON]));
	return act_and_say(c, a, of_call(a->words[0], "terminate", input), NULL,
		(struct said){NULL, NULL}, e);
}

enum ctl_exit action_disconnect(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *data = json_pack("{s:{s:{s:[{s:s,s:{}}]}}}", "srtp-gateway:gateway", "users", "user", "name",
		a->words[0], "disconnect");

	return act_and_say(c, a, data, "registrations",
		(struct said){"registration ended", "registrations ended"}, e);
}

enum ctl_exit action_rotate_audit(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *output = NULL;
	enum ctl_exit code = act(c, rpc("audit-rotate", a), &output, e);
	const json_t *file = value_find(output, "file");
	char number[32];

	if (code == CTL_OK && args_json(a)) {
		print_json(output, stdout);
	} else if (code == CTL_OK && file) {
		print_harmless(json_string_value(file), stdout);
		printf(" ends with record %s\n", value_text(value_find(output, "last-record"), number));
	} else if (code == CTL_OK) {
		puts("there is no record to close the file for");
	}
	json_decref(output);
	return code;
}

struct rekeying {
	struct client *c;
	unsigned calls, legs; /* that renew keys */
	unsigned without, gone; /* calls that have none to renew, and that could not */
};

static enum ctl_exit rekey_one(void *arg, const json_t *call, struct err *e)
{
	struct rekeying *r = arg;
	const char *id = json_string_value(json_object_get(call, "id"));
	json_t *output = NULL;
	enum ctl_exit code = act(r->c, of_call(id ? id : "", "rekey", json_object()), &output, e);

	/* A call may end between the list and the request. */
	unsigned legs = code == CTL_OK ? (unsigned)value_number(value_find(output, "legs")) : 0;

	r->gone += code == CTL_REFUSED;
	r->without += code == CTL_OK && !legs;
	r->calls += legs > 0;
	r->legs += legs;
	json_decref(output);
	return code == CTL_REFUSED ? CTL_OK : code;
}

static void say_rekeying(const struct rekeying *r)
{
	printf("%u side%s of %u call%s %s keys", r->legs, plural(r->legs), r->calls, plural(r->calls),
		r->legs == 1 ? "renews its" : "renew their");
	if (r->without)
		printf("; %u call%s no keys that can be renewed", r->without, r->without == 1 ? " has" : "s have");
	if (r->gone)
		printf("; %u call%s could not", r->gone, plural(r->gone));
	putchar('\n');
}

/* The model renews one call's keys, or all: a trunk's are its calls'. */
static enum ctl_exit rekey_trunk(struct client *c, const struct ctl_args *a, struct err *e)
{
	struct rekeying r = {.c = c};
	struct calls_filter filter = {.trunk = a->text[OPT_TRUNK], .state = "established"};
	enum ctl_exit code = calls_each(c, &filter, rekey_one, &r, e);

	/* None at all: that is no matter of calls that ended meanwhile. e has the last one's reason. */
	if (code == CTL_OK && r.gone && !r.calls && !r.without)
		return CTL_REFUSED;
	if (code == CTL_OK && args_json(a))
		printf("{\"calls\": %u, \"legs\": %u, \"without-keys\": %u, \"refused\": %u}\n", r.calls, r.legs, r.without,
			r.gone);
	else if (code == CTL_OK)
		say_rekeying(&r);
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
		return act_and_say(c, a, rpc("rekey-all", a), "calls",
			(struct said){"call renews its keys", "calls renew their keys"}, e);
	return act_and_say(
		c, a, of_call(a->words[0], "rekey", json_object()), "legs",
		(struct said){"side renews its keys", "sides renew their keys"}, e);
}

/* "configuration reloaded, commit 12; certificates changed: outside, inside" */
static void say_reloaded(const json_t *output)
{
	const json_t *commit = value_find(output, "commit"), *profile;
	const char *between = ": ";
	size_t i;

	if (commit)
		printf("configuration reloaded, commit %.0f; certificates ", value_number(commit));
	else
		fputs("configuration unchanged; certificates ", stdout);
	fputs(value_find(output, "tls-profile") ? "changed" : "unchanged", stdout);
	json_array_foreach(value_find(output, "tls-profile"), i, profile)
	{
		fputs(between, stdout);
		print_harmless(json_is_string(profile) ? json_string_value(profile) : "?", stdout);
		between = ", ";
	}
	putchar('\n');
}

enum ctl_exit action_reload(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *output = NULL;
	enum ctl_exit code = act(c, rpc("reload", a), &output, e);

	if (code == CTL_OK && args_json(a))
		print_json(output, stdout);
	else if (code == CTL_OK)
		say_reloaded(output);
	json_decref(output);
	return code;
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
