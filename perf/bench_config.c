/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration engine with many trunks: how long until one changed leaf is in the candidate, and until
 * it is committed: validated, a snapshot, in the file and in the history, and in force in the gateway behind
 * it, whose part (prepare and commit) is measured by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "controlplane/config/engine.h"
#include "controlplane/gateway.h"
#include "controlplane/reconcile.h"
#include "lib/base/clock.h"
#include "perf/program.h"

#define SAMPLES 15
/* A change is in force within half a second, edit and commit together. */
#define TARGET_MS 500

struct room {
	char folder[64], path[96];
	char dataplane[96], control[96];
	struct event_base *base;
	struct gateway *gateway;
	struct engine *engine;
	struct engine_session *session;
	double gateway_ms; /* of the last commit */
};

static double ms_since(uint64_t ns)
{
	return (double)(clock_mono_ns() - ns) / NS_PER_MS;
}

static int prepare(void *ctx, const struct config *from, const struct config *to, bool reread, void **plan,
	struct err *e)
{
	struct room *r = ctx;
	uint64_t t0 = clock_mono_ns();
	int rc = gateway_target.prepare(r->gateway, from, to, reread, plan, e);

	r->gateway_ms = ms_since(t0);
	return rc;
}

static void commit(void *ctx, void *plan)
{
	struct room *r = ctx;
	uint64_t t0 = clock_mono_ns();

	gateway_target.commit(r->gateway, plan);
	r->gateway_ms += ms_since(t0);
}

static void abandon(void *ctx, void *plan)
{
	gateway_target.abandon(((struct room *)ctx)->gateway, plan);
}

static void die(const char *what)
{
	fprintf(stderr, "bench_config: %s\n", what);
	exit(1);
}

/* Each room has an address of its own to listen on. */
static void write_config(const char *path, unsigned trunks)
{
	FILE *f = fopen(path, "w");

	if (!f)
		die("the configuration cannot be written");
	fputs("{\"srtp-gateway:gateway\":{\"media\":{\"interface\":[{\"name\":\"in\",\"device\":\"lo\","
	      "\"address\":["
	      "{\"ip\":\"127.0.0.1\",\"port-range\":[{\"lower\":20000,\"upper\":21999}]}]}]},\"realms\":{"
	      "\"realm\":["
	      "{\"name\":\"core\",\"trusted\":true,\"media-interface\":[\"in\"]}]},\"sip\":{\"listener\":[{"
	      "\"name\":\"udp\","
	      "\"transport\":\"udp\",\"address\":\"",
		f);
	fprintf(f, "127.7.%u.%u\",\"port\":5060,\"realm\":\"core\"}]},\"trunks\":{\"trunk\":[",
		trunks / 256 % 256, trunks % 256);
	for (unsigned i = 0; i < trunks; i++)
		fprintf(f,
			"%s{\"name\":\"t%u\",\"realm\":\"core\",\"max-calls\":100,\"srtp\":{\"mode\":"
			"\"none\"},\"peer\":["
			"{\"name\":\"p\",\"host\":\"10.%u.%u.1\",\"transport\":\"udp\"},{\"name\":\"q\","
			"\"host\":\"10.%u.%u.2\","
			"\"transport\":\"udp\",\"priority\":20}],\"identify\":{\"source-address\":[\"10.%u.%"
			"u.0/24\"]}}",
			i ? "," : "", i, i / 256, i % 256, i / 256, i % 256, i / 256, i % 256);
	fputs("]}}}\n", f);
	fclose(f);
}

static void begin(struct room *r, unsigned trunks)
{
	static const struct engine_target target = {.prepare = prepare, .commit = commit, .abandon = abandon};
	static const enum log_level quiet = LOG_ERROR;
	struct engine_conf conf = {.target = &target, .target_ctx = r};
	struct gateway_conf gateway = {.log_level = &quiet};
	struct err e = {0};

	strcpy(r->folder, "/tmp/srtpgw-bench-XXXXXX");
	if (!mkdtemp(r->folder))
		die("no folder");
	snprintf(r->path, sizeof r->path, "%s/config.json", r->folder);
	write_config(r->path, trunks);
	snprintf(r->dataplane, sizeof r->dataplane, "%s/dp", r->folder);
	snprintf(r->control, sizeof r->control, "%s/ctl", r->folder);
	gateway.dataplane = r->dataplane;
	gateway.control = r->control;
	r->base = conf.base = event_base_new();
	conf.path = r->path;
	if (gateway_new(r->base, &gateway, &r->gateway, &e) < 0)
		die(e.text);
	if (engine_new(&conf, &r->engine, &e) < 0)
		die(e.text);
	r->session = engine_session_open(r->engine, 0, "cli", "");
	if (!r->session)
		die("no session");
}

static void end(struct room *r)
{
	char command[128];

	engine_session_close(r->session);
	engine_stop(r->engine);
	gateway_free(r->gateway);
	engine_free(r->engine);
	event_base_free(r->base);
	snprintf(command, sizeof command, "rm -r '%s'", r->folder);
	if (system(command) != 0)
		die("the folder stays");
}

/* What the change costs on a machine that has other things to do. */
static double processor_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void change(struct room *r, unsigned trunks, int turn, struct figures *figures, const char *size)
{
	char path[128], value[16], name[64];
	struct engine_fault f;
	uint64_t t0, made;
	double edit, commits, processor = processor_ms();

	snprintf(path, sizeof path, "/srtp-gateway:gateway/trunks/trunk[name='t%u']/max-calls", trunks / 2);
	snprintf(value, sizeof value, "%d", 200 + turn);
	t0 = clock_mono_ns();
	if (engine_set(r->session, path, value, &f))
		die(f.message);
	edit = ms_since(t0);
	t0 = clock_mono_ns();
	if (engine_commit(r->session, &(struct engine_commit){0}, &made, &f) || !made)
		die(f.message);
	commits = ms_since(t0);
	processor = processor_ms() - processor;
	snprintf(name, sizeof name, "config.%s.set", size);
	figure_sample(figures_get(figures, name, "ms"), edit);
	snprintf(name, sizeof name, "config.%s.commit", size);
	figure_sample(figures_get(figures, name, "ms"), commits);
	snprintf(name, sizeof name, "config.%s.both", size);
	figure_sample(figures_get(figures, name, "ms"), edit + commits);
	snprintf(name, sizeof name, "config.%s.gateway", size);
	figure_sample(figures_get(figures, name, "ms"), r->gateway_ms);
	snprintf(name, sizeof name, "config.%s.processor", size);
	figure_sample(figures_get(figures, name, "ms"), processor);
}

static int run(const char *const *values, struct figures *figures, void *user, struct err *err)
{
	struct room small = {0}, large = {0};
	char name[64], size[16];
	uint32_t trunks;
	int rc = program_number("TRUNKS", values[0], 1, 20000, 2000, &trunks, err);

	(void)user;
	if (rc < 0)
		return rc;
	snprintf(size, sizeof size, "%u", trunks);
	begin(&small, 1);
	begin(&large, trunks);
	for (int i = 0; i < SAMPLES; i++) {
		change(&small, 1, i, figures, "1");
		change(&large, trunks, i, figures, size);
	}
	snprintf(name, sizeof name, "config.%s.both", size);
	if (trunks == 2000)
		figure_target(figures_get(figures, name, "ms"), FIGURE_AT_MOST, TARGET_MS);
	end(&small);
	end(&large);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "bench_config",
		.what = "Milliseconds until one changed leaf among many trunks is in the candidate, and "
			"until it is committed and in\n"
			"force.\n",
		.arguments = {{"TRUNKS", "1 to 20000 (2000)", false},
			PROGRAM_JSON_ARGUMENT}};

	return program_main(&program, argc, argv, run, NULL);
}
