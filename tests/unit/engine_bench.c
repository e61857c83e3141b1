/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/engine_bench.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <libyang/libyang.h>

#include "lib/base/err.h"

static const char config_begin[] =
	"// the laboratory\n{\"srtp-gateway:gateway\":{"
	"\"media\":{\"interface\":[{\"name\":\"in\",\"device\":\"lo\",\"address\":[{\"ip\":\"127.0.0.1\","
	"\"port-range\":[{\"lower\":20000,\"upper\":21999}]}]}]},"
	"\"realms\":{\"realm\":[{\"name\":\"core\",\"trusted\":true,\"media-interface\":[\"in\"]}]},"
	"\"crypto-profiles\":{\"crypto-profile\":[{\"name\":\"p\",\"suite\":[\"AEAD_AES_128_GCM\","
	"\"AES_CM_128_HMAC_SHA1_80\",\"AES_CM_128_HMAC_SHA1_32\"]},{\"name\":\"usual\"}]},"
	"\"sip\":{\"listener\":[{\"name\":\"udp\",\"transport\":\"udp\",\"address\":\"127.0.0.1\",\"port\":"
	"5060,"
	"\"realm\":\"core\"}]},"
	"\"trunks\":{\"trunk\":["
	"{\"name\":\"a\",\"realm\":\"core\",\"max-calls\":10,\"srtp\":{\"mode\":\"none\"},\"peer\":[{"
	"\"name\":\"p\","
	"\"host\":\"127.0.0.2\",\"transport\":\"udp\"}]},"
	"{\"name\":\"b\",\"realm\":\"core\",\"srtp\":{\"mode\":\"none\"}}]},"
	"\"routing\":{\"route\":[{\"name\":\"r\",\"prefix\":\"\",\"to-trunk\":[\"a\"]}]}}";

static int prepare(void *ctx, const struct config *from, const struct config *to, bool reread, void **plan,
	struct err *e)
{
	struct engine_bench *b = ctx;

	assert_ptr_equal(from, b->runs);
	if (b->refuse)
		return err_set(e, EBUSY, "%s", b->refuse);
	b->prepared++;
	b->reread = reread;
	*plan = config_ref(to);
	return 0;
}

static void commit(void *ctx, void *plan)
{
	struct engine_bench *b = ctx;

	config_unref(b->runs);
	b->runs = plan;
	b->committed++;
}

static void abandon(void *ctx, void *plan)
{
	struct engine_bench *b = ctx;

	config_unref(plan);
	b->abandoned++;
}

static const struct engine_target target = {.prepare = prepare, .commit = commit, .abandon = abandon};

static void on_committed(void *ctx, const struct engine_committed *c)
{
	struct engine_bench *b = ctx;

	(void)c;
	b->commits++;
}

static void on_confirm(void *ctx, const char *event, const char *user, uint32_t session, uint32_t left)
{
	struct engine_bench *b = ctx;

	(void)session, (void)left;
	str_copy(b->confirmer, sizeof b->confirmer, str_z(user));
	strncat(b->confirm, event, sizeof b->confirm - strlen(b->confirm) - 1);
	strncat(b->confirm, ",", sizeof b->confirm - strlen(b->confirm) - 1);
}

static void on_kill(void *ctx, struct engine_session *s)
{
	struct engine_bench *b = ctx;

	b->killed = s;
}

static const struct engine_events events = {
	.committed = on_committed, .confirm = on_confirm, .kill = on_kill};

int bench_start_fails(struct engine_bench *b, struct err *e)
{
	struct engine_conf conf = {.base = b->base, .path = b->path, .target = &target, .target_ctx = b};

	return engine_new(&conf, &b->engine, e);
}

void bench_start(struct engine_bench *b)
{
	struct err e = {0};

	if (bench_start_fails(b, &e))
		fail_msg("%s", e.text);
	assert_int_equal(engine_listen(b->engine, &events, b), 0);
	b->root = engine_session_open(b->engine, 0, "cli", "");
	assert_non_null(b->root);
}

struct engine_bench *bench_new(const char *nacm)
{
	struct engine_bench *b = calloc(1, sizeof *b);
	FILE *f;

	assert_non_null(b);
	strcpy(b->folder, "/tmp/srtpgw-engine-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->path, sizeof b->path, "%s/config.json", b->folder);
	f = fopen(b->path, "w");
	assert_non_null(f);
	fputs(config_begin, f);
	if (nacm)
		fprintf(f, ",\"ietf-netconf-acm:nacm\":%s", nacm);
	fputs("}\n", f);
	fclose(f);
	b->base = event_base_new();
	assert_non_null(b->base);
	bench_start(b);
	return b;
}

void bench_crash(struct engine_bench *b)
{
	engine_stop(b->engine);
	engine_session_close(b->root);
	engine_free(b->engine);
	config_unref(b->runs);
	b->runs = NULL;
	b->engine = NULL;
}

void bench_free(struct engine_bench *b)
{
	char command[128];

	if (b->engine)
		bench_crash(b);
	event_base_free(b->base);
	snprintf(command, sizeof command, "rm -r '%s'", b->folder);
	assert_int_equal(system(command), 0);
	free(b);
}

int bench_setup(void **state)
{
	*state = bench_new(NULL);
	return 0;
}

int bench_teardown(void **state)
{
	bench_free(*state);
	return 0;
}

char *bench_file(const struct engine_bench *b)
{
	FILE *f = fopen(b->path, "r");
	char *text = calloc(1, 65536);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

bool bench_file_has(const struct engine_bench *b, const char *words)
{
	char *text = bench_file(b);
	bool has = strstr(text, words);

	free(text);
	return has;
}

void bench_write_file(const struct engine_bench *b, const char *text)
{
	FILE *f = fopen(b->path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

int bench_edit(struct engine_bench *b, struct engine_session *s, const char *json)
{
	return engine_edit(
		s, ENGINE_CANDIDATE, ENGINE_MERGE, ENGINE_SET, str_z(json), ENGINE_JSON, &b->fault);
}

int bench_set(struct engine_bench *b, struct engine_session *s, const char *path, const char *value)
{
	return engine_set(s, path, value, &b->fault);
}

int bench_commit_as(struct engine_bench *b, struct engine_session *s, const struct engine_commit *how)
{
	uint64_t made;

	return engine_commit(s, how, &made, &b->fault);
}

int bench_commit(struct engine_bench *b, struct engine_session *s)
{
	return bench_commit_as(b, s, &(struct engine_commit){0});
}

const char *bench_get(
	struct engine_bench *b, struct engine_session *s, enum engine_store store, const char *xpath)
{
	static char ring[4][8192];
	static unsigned at;
	char *text = NULL;

	if (engine_get_config(s, store, &(struct engine_query){.xpath = xpath}, &text, &b->fault))
		return b->fault.tag;
	at = (at + 1) % 4;
	snprintf(ring[at], sizeof ring[at], "%s", text);
	free(text);
	return ring[at];
}

const struct config_trunk *bench_trunk(const struct engine_bench *b, const char *name)
{
	return config_trunk_named(b->runs, name);
}

const char *bench_running(const struct engine_bench *b, const char *path)
{
	struct lyd_node *found = NULL;

	if (lyd_find_path(engine_tree(b->engine, ENGINE_RUNNING), path, 0, &found) != LY_SUCCESS)
		return NULL;
	return lyd_get_value(found);
}

void bench_turn(struct engine_bench *b)
{
	const struct timeval soon = {.tv_usec = 10000};

	event_base_loopexit(b->base, &soon);
	event_base_dispatch(b->base);
}
