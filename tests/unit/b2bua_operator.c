/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of the bench: its state, and counters. */
#include <libyang/libyang.h>

#include "controlplane/obs/gather.h"
#include "tests/unit/b2bua_bench.h"

struct question {
	bool answered, left;
	json_t *data;
};

static bool is_number(const char *z)
{
	z += *z == '-';
	return *z && strlen(z) < 19 && strspn(z, "0123456789") == strlen(z);
}

static const char *without_prefix(const char *z)
{
	static const char prefix[] = "srtp-gateway:";

	return strncmp(z, prefix, strlen(prefix)) == 0 ? z + strlen(prefix) : z;
}

/* Leaves that name a call: text, though in one second of nine all of its digits are decimal ones. */
static bool names_call(const char *leaf)
{
	return strcmp(leaf, "id") == 0 || strcmp(leaf, "successor") == 0 || strcmp(leaf, "predecessor") == 0 ||
	       strcmp(leaf, "call") == 0;
}

/* Takes v over. name: of the member that it is. */
static json_t *plain(json_t *v, const char *name)
{
	const char *key, *z = json_string_value(v);
	json_t *out = NULL, *part;
	size_t i;

	if (json_is_object(v)) {
		out = json_object();
		json_object_foreach(v, key, part) json_object_set_new(
			out, without_prefix(key), plain(json_incref(part), without_prefix(key)));
	} else if (json_is_array(v)) {
		out = json_array();
		json_array_foreach(v, i, part) json_array_append_new(out, plain(json_incref(part), name));
	} else if (z && !names_call(name)) {
		out = is_number(z) ? json_integer(atoll(z)) : json_string(without_prefix(z));
	} else {
		return v;
	}
	json_decref(v);
	return out;
}

static void answered(void *arg, struct gather_answer *a)
{
	struct question *q = arg;
	char *text = NULL;

	q->answered = true;
	if (q->left) {
		free(q);
	} else if (a->tag) {
		q->data = json_pack("{s:s,s:s}", "tag", a->tag, "message", a->message);
	} else {
		assert_int_equal(lyd_print_mem(&text, a->tree, LYD_JSON, LYD_PRINT_WITHSIBLINGS), 0);
		q->data = plain(json_loads(text, 0, NULL), "");
		free(text);
	}
	lyd_free_all(a->tree);
}

static struct question *put_question(const char *xpath, unsigned limit, bool leave)
{
	struct question *question = calloc(1, sizeof *question);
	struct query q;

	assert_non_null(question);
	question->left = leave;
	query_make(gather_context(bench.gather), xpath, NULL, &q);
	q.limit = limit;
	assert_int_equal(gather_ask(bench.gather, &q, answered, question), 0);
	return question;
}

void look_and_leave(const char *xpath)
{
	put_question(xpath, 0, true);
	settle();
}

json_t *look(const char *xpath, unsigned limit)
{
	struct question *q = put_question(xpath, limit, false);

	for (unsigned i = 0; i < 2000 && !q->answered; i++)
		settle();
	if (!q->answered)
		fail_msg("no answer about %s", xpath);
	json_t *data = q->data;

	free(q);
	return data;
}

uint64_t counter(const char *name)
{
	const struct b2bua_counters *c = b2bua_counters(bench.b2bua);

#define LOOK(field, help)                                                                                    \
	if (strcmp(name, #field) == 0)                                                                       \
		return c->field;
	B2BUA_COUNTERS(LOOK)
#undef LOOK
	fail_msg("no counter %s", name);
	return 0;
}

const char *last_reason(void)
{
	static char reason[512];
	json_t *data = look("/srtp-gateway:calls", 100);
	json_t *calls = json_object_get(json_object_get(data, "calls"), "call");
	const char *text = json_string_value(
		json_object_get(json_array_get(calls, json_array_size(calls) - 1), "end-reason"));

	snprintf(reason, sizeof reason, "%s", text ? text : "");
	json_decref(data);
	return reason;
}

void expect_no_calls(void)
{
	assert_int_equal(b2bua_call_count(bench.b2bua), 0);
	assert_int_equal(bench.live, 0);
}
