/* SPDX-License-Identifier: Apache-2.0 */
/* The engine behind the management socket: sessions that are connections, errors, large requests, lines
 * pushed. */
#include "tests/unit/engine_bench.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <libyang/libyang.h>

#include "controlplane/manage/ops_config.h"
#include "controlplane/manage/ops_notify.h"
#include "controlplane/manage/ops_state.h"
#include "controlplane/obs/gather.h"
#include "controlplane/obs/mgmt.h"
#include "controlplane/obs/notify.h"

#define PATIENCE_TURNS 2000

struct room {
	struct engine_bench *b;
	struct mgmt *m;
	struct ops_config *ops;
	struct ops_state *state_ops;
	struct ops_notify *notify_ops;
	struct gather *gather;
	struct notify *bus;
	char path[96];
	struct mgmt_client *watcher; /* who asked "watch" last */
	unsigned watchers_gone;
};

static void gone(void *data)
{
	struct room *r = data;

	r->watchers_gone++;
	r->watcher = NULL;
}

static void watch(struct mgmt_request *rq, const json_t *args, void *ctx)
{
	struct room *r = ctx;

	(void)args;
	r->watcher = mgmt_request_client(rq);
	assert_int_equal(mgmt_client_attach(r->watcher, gone, r), 0);
	assert_ptr_equal(mgmt_client_attached(r->watcher, gone), r);
	assert_ptr_equal(mgmt_client_with(r->m, gone, r), r->watcher);
	mgmt_reply(rq, json_object());
}

static int setup(void **state)
{
	struct room *r = calloc(1, sizeof *r);
	struct err e = {0};

	assert_non_null(r);
	r->b = bench_new(NULL);
	snprintf(r->path, sizeof r->path, "%s/s", r->b->folder);
	assert_int_equal(mgmt_open(&r->m, r->b->base, r->path, NULL, &e), 0);
	assert_int_equal(ops_config_register(r->m, r->b->engine, &r->ops), 0);
	r->gather = gather_new(engine_context(r->b->engine));
	assert_non_null(r->gather);
	assert_int_equal(ops_state_register(r->m, r->b->engine, r->gather, &r->state_ops), 0);
	r->bus = notify_new();
	assert_int_equal(
		ops_notify_register(r->m, r->b->base, r->b->engine, r->bus, r->gather, &r->notify_ops), 0);
	assert_int_equal(mgmt_register(r->m, "watch", watch, r), 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct room *r = *state;

	mgmt_close(r->m);
	ops_config_free(r->ops);
	ops_state_free(r->state_ops);
	gather_free(r->gather);
	ops_notify_free(r->notify_ops);
	notify_free(r->bus);
	bench_free(r->b);
	free(r);
	return 0;
}

static int join(struct room *r)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", r->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

static void say(struct room *r, int fd, const char *text)
{
	size_t n = strlen(text);

	for (unsigned turn = 0; n; turn++) {
		ssize_t sent = send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0)
			bench_turn(r->b);
		else
			n -= (size_t)sent, text += sent;
		assert_true(turn < 100000);
	}
}

/* The next line; NULL at the end of the stream. */
static json_t *hear(struct room *r, int fd)
{
	size_t n = 0, cap = 1 << 16;
	char *line = malloc(cap);
	json_t *root;

	assert_non_null(line);
	for (unsigned turn = 0; turn < PATIENCE_TURNS;) {
		ssize_t got = recv(fd, line + n, 1, MSG_DONTWAIT);

		if (got < 0) {
			bench_turn(r->b);
			turn++;
			continue;
		}
		if (got == 0 || line[n] == '\n')
			break;
		if (++n == cap)
			assert_non_null(line = realloc(line, cap *= 2));
	}
	root = n ? json_loadb(line, n, 0, NULL) : NULL;
	free(line);
	return root;
}

/* Asks; the answer is borrowed until the next. NULL: the connection ended. */
static const json_t *ask(struct room *r, int fd, const char *request)
{
	static json_t *answer;

	json_decref(answer);
	say(r, fd, request);
	say(r, fd, "\n");
	answer = hear(r, fd);
	return answer;
}

static const char *error_tag(const json_t *answer)
{
	return json_string_value(json_object_get(json_object_get(answer, "error"), "tag"));
}

static const json_t *data(const json_t *answer)
{
	const json_t *d = json_object_get(answer, "data");

	if (!d)
		fail_msg("%s", json_dumps(answer, JSON_ENCODE_ANY));
	return d;
}

#define SET_CALLS(n)                                                                                         \
	"{\"op\":\"set\",\"args\":{\"path\":\"/srtp-gateway:gateway/trunks/trunk[name='a']/"                 \
	"max-calls\",\"value\":" n "}}"

static void a_session_edits_and_commits(void **state)
{
	struct room *r = *state;
	int fd = join(r);
	const json_t *d;

	d = data(ask(
		r, fd, "{\"op\":\"hello\",\"args\":{\"client\":\"netconf\",\"source-host\":\"192.0.2.1\"}}"));
	assert_true(json_integer_value(json_object_get(d, "session-id")) > 0);
	assert_true(json_array_size(json_object_get(d, "modules")) > 5);
	data(ask(r, fd, SET_CALLS("42")));
	d = data(ask(r, fd, "{\"op\":\"diff\"}"));
	assert_int_equal(json_array_size(json_object_get(d, "changes")), 1);
	d = json_array_get(json_object_get(d, "changes"), 0);
	assert_string_equal(json_string_value(json_object_get(d, "old")), "10");
	assert_string_equal(json_string_value(json_object_get(d, "new")), "42");
	d = data(ask(r, fd, "{\"op\":\"commit\",\"args\":{\"comment\":\"why\"}}"));
	assert_int_equal(json_integer_value(json_object_get(d, "commit")), 2);
	d = data(ask(r, fd, "{\"op\":\"history\"}"));
	d = json_array_get(json_object_get(d, "commits"), 0);
	assert_string_equal(json_string_value(json_object_get(d, "door")), "netconf");
	assert_string_equal(json_string_value(json_object_get(d, "comment")), "why");
	d = data(ask(r, fd, "{\"op\":\"diff\",\"args\":{\"from\":1,\"to\":\"running\"}}"));
	assert_int_equal(json_array_size(json_object_get(d, "changes")), 1);
	d = data(ask(r, fd, "{\"op\":\"rollback\",\"args\":{\"commit\":1}}"));
	assert_int_equal(json_integer_value(json_object_get(d, "commit")), 3);
	assert_int_equal(config_trunk_named(r->b->runs, "a")->max_calls, 10);
	d = data(ask(r, fd,
		"{\"op\":\"get-config\",\"args\":{\"format\":\"xml\",\"xpath\":"
		"\"/srtp-gateway:gateway/trunks/trunk[name='a']/max-calls\"}}"));
	assert_non_null(strstr(json_string_value(d), "<max-calls>10</max-calls>"));
	close(fd);
}

static bool said(const json_t *warnings, const char *text)
{
	const json_t *line;
	size_t i;

	json_array_foreach (warnings, i, line) {
		if (strstr(json_string_value(line), text))
			return true;
	}
	return false;
}

/* What is accepted and waits for the next start is said, by its path, in the answer; nothing else is. */
static void a_commit_says_what_waits_for_a_start(void **state)
{
	struct room *r = *state;
	int fd = join(r);
	const json_t *warnings;

	data(ask(r, fd,
		"{\"op\":\"set\",\"args\":{\"path\":\"/srtp-gateway:gateway/limits/max-calls\",\"value\":\"77\"}}"));
	assert_null(json_object_get(ask(r, fd, "{\"op\":\"commit\"}"), "warnings"));
	data(ask(r, fd,
		"{\"op\":\"set\",\"args\":{\"path\":\"/srtp-gateway:gateway/dataplane/workers\",\"value\":\"3\"}}"));
	warnings = json_object_get(ask(r, fd, "{\"op\":\"commit\"}"), "warnings");
	assert_int_equal(json_array_size(warnings), 1);
	assert_string_equal(json_string_value(json_array_get(warnings, 0)),
		"/srtp-gateway:gateway/dataplane/workers takes effect at the next start");
	close(fd);
}

/* What is no mistake and would still not work is said before it is committed; what is in force already is
 * not. */
static void a_validation_says_what_a_start_would(void **state)
{
	struct room *r = *state;
	int fd = join(r);
	const json_t *answer, *warnings;

	data(ask(r, fd,
		"{\"op\":\"set\",\"args\":{\"path\":\"/srtp-gateway:gateway/media/interface[name='in']/device\","
		"\"value\":\"no-such-if0\"}}"));
	data(ask(r, fd,
		"{\"op\":\"set\",\"args\":{\"path\":\"/srtp-gateway:gateway/dataplane/workers\",\"value\":\"3\"}}"));
	answer = ask(r, fd, "{\"op\":\"validate\"}");
	assert_true(json_is_true(json_object_get(answer, "ok")));
	warnings = json_object_get(answer, "warnings");
	assert_true(said(warnings, "/srtp-gateway:gateway/dataplane/workers takes effect at the next start"));
	assert_true(
		said(warnings, "/srtp-gateway:gateway/media/interface[name='in']/device: there is no network "
			       "interface 'no-such-if0'"));
	assert_false(said(warnings, "management/socket"));
	/* Also of what runs, and of a whole file. */
	data(ask(r, fd, "{\"op\":\"commit\"}"));
	warnings = json_object_get(
		ask(r, fd, "{\"op\":\"validate\",\"args\":{\"source\":\"running\"}}"), "warnings");
	assert_true(said(warnings, "'no-such-if0'"));
	assert_false(said(warnings, "next start"));
	close(fd);
}

static void mistakes_have_their_tags(void **state)
{
	static const struct {
		const char *request, *tag;
	} rows[] = {
		{"{\"op\":\"get-config\",\"args\":{\"source\":\"other\"}}", "invalid-value"},
		{"{\"op\":\"get-config\",\"args\":{\"with-defaults\":\"some\"}}", "invalid-value"},
		{"{\"op\":\"get-config\",\"args\":{\"xpath\":1}}", "invalid-value"},
		{"{\"op\":\"edit-config\",\"args\":{}}", "invalid-value"},
		{"{\"op\":\"edit-config\",\"args\":{\"format\":\"xml\",\"config\":{}}}", "invalid-value"},
		{"{\"op\":\"edit-config\",\"args\":{\"target\":\"startup\",\"config\":{}}}", "invalid-value"},
		{"{\"op\":\"edit-config\",\"args\":{\"config\":{\"a:b\":1}}}", "unknown-namespace"},
		{"{\"op\":\"set\",\"args\":{}}", "invalid-value"},
		{"{\"op\":\"lock\",\"args\":{}}", "invalid-value"},
		{"{\"op\":\"unlock\",\"args\":{\"target\":\"running\"}}", "operation-failed"},
		{"{\"op\":\"kill-session\",\"args\":{\"session-id\":-1}}", "invalid-value"},
		{"{\"op\":\"rollback\",\"args\":{\"commit\":77}}", "data-missing"},
		{"{\"op\":\"commit\",\"args\":{\"confirm-timeout\":\"soon\"}}", "invalid-value"},
		{"{\"op\":\"commit\",\"args\":{\"persist-id\":\"x\"}}", "invalid-value"},
		{"{\"op\":\"cancel-commit\"}", "operation-failed"},
		{"{\"op\":\"copy-config\",\"args\":{\"target\":\"running\"}}", "invalid-value"},
		{"{\"op\":\"delete-config\",\"args\":{\"target\":\"candidate\"}}", "invalid-value"},
		{"{\"op\":\"diff\",\"args\":{\"from\":99}}", "data-missing"},
		{"{\"op\":\"nothing\"}", "operation-not-supported"},
		{"{\"op\":", "malformed-message"},
	};
	struct room *r = *state;
	int fd = join(r);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *tag = error_tag(ask(r, fd, rows[i].request));

		if (!tag || strcmp(tag, rows[i].tag) != 0)
			fail_msg("%s: %s", rows[i].request, tag ? tag : "not refused");
	}
	close(fd);
}

#define EDIT(more) "{\"op\":\"edit-config\",\"args\":{\"format\":\"xml\",\"config\":\"" more "\"}}"
#define GATEWAY(more)                                                                                        \
	EDIT("<gateway xmlns='urn:srtpgw:yang:srtp-gateway' xmlns:y='urn:ietf:params:xml:ns:yang:1'>" more   \
	     "</gateway>")
#define SUITE(attributes)                                                                                    \
	GATEWAY("<crypto-profiles><crypto-profile><name>p</name><suite " attributes                          \
		">AEAD_AES_256_GCM</suite>"                                                                  \
		"</crypto-profile></crypto-profiles>")
#define WHOLE(more) "{\"op\":\"validate\",\"args\":{\"config\":{\"srtp-gateway:gateway\":{" more "}}}}"

/* What RFC 6241, appendix A, wants of some tags besides: programs read it, not the message. */
static void what_a_mistake_is_about_has_its_name(void **state)
{
	static const struct {
		const char *request, *tag, *info;
	} rows[] = {
		{GATEWAY("<limits><rings>1</rings></limits>"), "unknown-element",
			"{\"bad-element\":\"rings\"}"},
		{WHOLE("\"limits\":{\"rings\":1}"), "unknown-element", "{\"bad-element\":\"rings\"}"},
		{GATEWAY("<rings xmlns='urn:x'/>"), "unknown-namespace",
			"{\"bad-element\":\"rings\",\"bad-namespace\":\"urn:x\"}"},
		{GATEWAY("<trunks><trunk><realm>core</realm></trunk></trunks>"), "missing-element",
			"{\"bad-element\":\"name\"}"},
		{WHOLE("\"trunks\":{\"trunk\":[{\"name\":\"c\"}]}"), "missing-element",
			"{\"bad-element\":\"realm\"}"},
		{GATEWAY("<limits y:insert='first'/>"), "bad-attribute",
			"{\"bad-attribute\":\"insert\",\"bad-element\":\"limits\"}"},
		{SUITE("y:insert='before'"), "missing-attribute",
			"{\"bad-attribute\":\"value\",\"bad-element\":\"suite\"}"},
		{SUITE("y:insert='before' y:value='AES_256_CM_HMAC_SHA1_32'"), "bad-attribute",
			"{\"bad-attribute\":\"value\",\"bad-element\":\"suite\"}"},
	};
	struct room *r = *state;
	int fd = join(r);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const json_t *answer = ask(r, fd, rows[i].request);
		char *info = json_dumps(json_object_get(json_object_get(answer, "error"), "info"),
			JSON_COMPACT | JSON_SORT_KEYS);
		const char *tag = error_tag(answer);

		if (!tag || strcmp(tag, rows[i].tag) != 0 || !info || strcmp(info, rows[i].info) != 0)
			fail_msg("%s: %s %s", rows[i].request, tag ? tag : "not refused",
				info ? info : "without info");
		free(info);
	}
	close(fd);
}

/* Each of RFC 6241's is taken; what is done is all or nothing (7.2). */
static void every_error_option_is_taken(void **state)
{
	static const char *const options[] = {"stop-on-error", "continue-on-error", "rollback-on-error"};
	struct room *r = *state;
	int fd = join(r);
	char request[256];

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		snprintf(request, sizeof request,
			"{\"op\":\"edit-config\",\"args\":{\"error-option\":\"%s\",\"config\":"
			"{\"srtp-gateway:gateway\":{\"limits\":{\"max-calls\":3}}}}}",
			options[i]);
		data(ask(r, fd, request));
	}
	close(fd);
}

static void a_number_that_is_too_large_is_told_how_large_it_may_be(void **state)
{
	struct room *r = *state;
	int fd = join(r);
	const json_t *answer =
		ask(r, fd, "{\"op\":\"commit\",\"args\":{\"confirmed\":true,\"confirm-timeout\":604801}}");

	assert_string_equal(json_string_value(json_object_get(json_object_get(answer, "error"), "message")),
		"'confirm-timeout': it is a whole number from 1 to 604800");
	close(fd);
}

static void a_connection_s_end_is_its_session_s(void **state)
{
	struct room *r = *state;
	int first = join(r), second = join(r);
	const json_t *answer;

	data(ask(r, first, "{\"op\":\"lock\",\"args\":{\"target\":\"candidate\"}}"));
	answer = ask(r, second, "{\"op\":\"lock\",\"args\":{\"target\":\"candidate\"}}");
	assert_string_equal(error_tag(answer), "lock-denied");
	assert_true(json_integer_value(json_object_get(
			    json_object_get(json_object_get(answer, "error"), "info"), "session-id")) > 0);
	data(ask(r, first, SET_CALLS("42")));
	data(ask(r, first, "{\"op\":\"commit\",\"args\":{\"confirmed\":true,\"confirm-timeout\":3600}}"));
	assert_int_equal(config_trunk_named(r->b->runs, "a")->max_calls, 42);
	close(first);
	bench_until(r->b, config_trunk_named(r->b->runs, "a")->max_calls == 10);
	data(ask(r, second, "{\"op\":\"lock\",\"args\":{\"target\":\"candidate\"}}"));
	close(second);
}

static void a_killed_session_loses_its_connection(void **state)
{
	struct room *r = *state;
	int first = join(r), second = join(r);
	char kill[96];
	json_int_t id;

	id = json_integer_value(json_object_get(data(ask(r, first, "{\"op\":\"hello\"}")), "session-id"));
	data(ask(r, first, "{\"op\":\"lock\",\"args\":{\"target\":\"running\"}}"));
	snprintf(
		kill, sizeof kill, "{\"op\":\"kill-session\",\"args\":{\"session-id\":%lld}}", (long long)id);
	data(ask(r, second, kill));
	assert_null(hear(r, first));
	data(ask(r, second, "{\"op\":\"lock\",\"args\":{\"target\":\"running\"}}"));
	assert_string_equal(error_tag(ask(r, second, kill)), "invalid-value");
	close(first);
	close(second);
}

/* The members in two orders, with so many trunks. */
static char *large_edit(bool op_first, unsigned trunks)
{
	size_t cap = (size_t)trunks * 64 + 1024, n = 0;
	char *text = malloc(cap);

	assert_non_null(text);
	n += (size_t)snprintf(text + n, cap - n,
		"{%s\"args\":{\"config\":{\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[",
		op_first ? "\"op\":\"edit-config\"," : "");
	for (unsigned i = 0; i < trunks; i++)
		n += (size_t)snprintf(
			text + n, cap - n, "%s{\"name\":\"t%u\",\"realm\":\"core\"}", i ? "," : "", i);
	snprintf(text + n, cap - n, "]}}}}%s}", op_first ? "" : ",\"op\":\"edit-config\"");
	return text;
}

static void large_edits_are_taken_and_others_not(void **state)
{
	struct room *r = *state;
	char *large = large_edit(true, 5000), *late = large_edit(false, 5000);
	int fd = join(r);

	assert_true(strlen(large) > 2 * MGMT_REQUEST_MAX);
	data(ask(r, fd, large));
	data(ask(r, fd, "{\"op\":\"discard-changes\"}"));
	/* Few octets each, a hundred times that in memory. */
	char *many = calloc(1, 400000);

	assert_non_null(many);
	strcpy(many, "{\"op\":\"edit-config\",\"args\":[");
	memset(many + strlen(many), ',', 300000);
	memcpy(many + 300000, "]}", 3);
	assert_string_equal(error_tag(ask(r, fd, many)), "too-big");
	free(many);
	/* The bound is that of small requests again. */
	assert_string_equal(error_tag(ask(r, fd, late)), "too-big");
	assert_null(hear(r, fd));
	close(fd);
	free(large);
	free(late);
}

static void lines_are_pushed_until_nobody_reads_them(void **state)
{
	struct room *r = *state;
	int fd = join(r), rc = 0;
	static char text[65536];
	json_t *line;

	data(ask(r, fd, "{\"op\":\"watch\"}"));
	assert_int_equal(mgmt_client_push(r->watcher, json_pack("{s:i}", "n", 1)), 0);
	line = hear(r, fd);
	assert_int_equal(json_integer_value(json_object_get(line, "n")), 1);
	json_decref(line);
	memset(text, 'x', sizeof text - 1);
	for (unsigned i = 0; i < 1000 && !rc; i++)
		rc = mgmt_client_push(r->watcher, json_pack("{s:s}", "text", text));
	assert_int_equal(rc, -ENOBUFS);
	close(fd);
	bench_until(r->b, r->watchers_gone == 1);
	/* One that the server ends. */
	fd = join(r);
	data(ask(r, fd, "{\"op\":\"watch\"}"));
	mgmt_client_close(r->watcher);
	assert_int_equal(r->watchers_gone, 2);
	assert_null(hear(r, fd));
	close(fd);
}

/* A member of the arguments whose text is `piece` n times, with this around it. */
static char *asks_for(const char *member, const char *before, const char *piece, unsigned n, const char *after)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	fprintf(f, "{\"op\":\"get\",\"args\":{\"%s\":\"%s", member, before);
	while (n--)
		fputs(piece, f);
	fprintf(f, "%s\"}}", after);
	fclose(f);
	return text;
}

/* What libyang would take minutes for, and its recursion with every level, does not come to it. */
static void filters_have_bounds(void **state)
{
	static const struct {
		const char *member, *before, *piece, *after, *tag;
		unsigned n;
	} rows[] = {
		{"xpath", "//*", "|//*", "", "too-big", 15000},
		{"xpath", "//*", "[.//*", "", "too-big", 300},
		{"xpath", "1 ", "mod 0", "", "operation-not-supported", 1},
		{"subtree", "<gateway xmlns='urn:srtpgw:yang:srtp-gateway'>", "<a>", "", "too-big", 100},
		{"subtree", "", "<!DOCTYPE x>", "", "malformed-message", 1},
		{"xpath", "/srtp-gateway:gateway", "/limits", "", NULL, 1},
		{"subtree", "<gateway xmlns='urn:srtpgw:yang:srtp-gateway'>", "<limits/>", "</gateway>", NULL, 1},
	};
	struct room *r = *state;
	int fd = join(r);

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *request = asks_for(rows[i].member, rows[i].before, rows[i].piece, rows[i].n, rows[i].after);
		const json_t *answer = ask(r, fd, request);

		if (rows[i].tag)
			assert_string_equal(error_tag(answer), rows[i].tag);
		else
			data(answer);
		free(request);
	}
	close(fd);
}

static void note_edits(void *ctx, uint64_t wall_ms, const struct lyd_node *node)
{
	const struct lyd_node *edit;
	char *text = ctx;

	(void)wall_ms;
	if (strcmp(LYD_NAME(node), "netconf-config-change") != 0)
		return;
	LY_LIST_FOR(lyd_child(node), edit)
	{
		if (strcmp(LYD_NAME(edit), "edit") == 0)
			snprintf(text + strlen(text), 1024 - strlen(text), "%s %s;",
				lyd_get_value(lyd_child(edit)), lyd_get_value(lyd_child(edit)->next));
	}
}

/* No instance-identifier holds both kinds of quotes: the other changes are told by their own names. */
static void a_change_that_has_no_name_hides_no_other(void **state)
{
	static const char change[] =
		"{\"op\":\"edit-config\",\"args\":{\"target\":\"running\",\"config\":{"
		"\"ietf-netconf-acm:nacm\":{\"groups\":{\"group\":[{\"name\":\"a'\\\"b\"}]}},"
		"\"srtp-gateway:gateway\":{\"trunks\":{\"trunk\":[{\"name\":\"a\",\"max-calls\":11}]}}}}}";
	struct room *r = *state;
	char told[1024] = "";
	struct notify_listener l = {.hear = note_edits, .ctx = told};
	int fd = join(r);

	notify_listen(r->bus, &l);
	data(ask(r, fd, change));
	notify_leave(&l);
	if (!strstr(told, "/ietf-netconf-acm:nacm merge;") ||
		!strstr(told, "/srtp-gateway:gateway/trunks/trunk[name='a']/max-calls replace;"))
		fail_msg("told: %s", told);
	close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_session_edits_and_commits),
		TEST(a_commit_says_what_waits_for_a_start),
		TEST(a_validation_says_what_a_start_would),
		TEST(mistakes_have_their_tags),
		TEST(what_a_mistake_is_about_has_its_name),
		TEST(every_error_option_is_taken),
		TEST(a_number_that_is_too_large_is_told_how_large_it_may_be),
		TEST(a_connection_s_end_is_its_session_s),
		TEST(a_killed_session_loses_its_connection),
		TEST(filters_have_bounds),
		TEST(large_edits_are_taken_and_others_not),
		TEST(lines_are_pushed_until_nobody_reads_them),
		TEST(a_change_that_has_no_name_hides_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
