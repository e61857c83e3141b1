/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration engine with many trunks: how long until one changed leaf is in the candidate, and until it is
 * committed: validated, a snapshot, in the file and in the history. The target behind it costs nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "controlplane/config/engine.h"
#include "lib/base/clock.h"
#include "perf/figures.h"

#define SAMPLES 15
/* A change is in force within half a second, edit and commit together. */
#define TARGET_MS 500

struct room {
	char folder[64], path[96];
	struct event_base *base;
	struct engine *engine;
	struct engine_session *session;
};

static int prepare(void *ctx, const struct config *from, const struct config *to, void **plan, struct err *e)
{
	(void)ctx, (void)from, (void)to, (void)e;
	*plan = NULL;
	return 0;
}

static void nothing(void *ctx, void *plan)
{
	(void)ctx, (void)plan;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_config: %s\n", what);
	exit(1);
}

static void write_config(const char *path, unsigned trunks)
{
	FILE *f = fopen(path, "w");

	if (!f)
		die("the configuration cannot be written");
	fputs("{\"srtp-gateway:gateway\":{\"media\":{\"interface\":[{\"name\":\"in\",\"device\":\"lo\",\"address\":["
	      "{\"ip\":\"127.0.0.1\",\"port-range\":[{\"lower\":20000,\"upper\":21999}]}]}]},\"realms\":{\"realm\":["
	      "{\"name\":\"core\",\"trusted\":true,\"media-interface\":[\"in\"]}]},\"sip\":{\"listener\":[{\"name\":\"udp\","
	      "\"transport\":\"udp\",\"address\":\"127.0.0.1\",\"port\":5060,\"realm\":\"core\"}]},\"trunks\":{\"trunk\":[",
		f);
	for (unsigned i = 0; i < trunks; i++)
		fprintf(f,
			"%s{\"name\":\"t%u\",\"realm\":\"core\",\"max-calls\":100,\"srtp\":{\"mode\":\"none\"},\"peer\":["
			"{\"name\":\"p\",\"host\":\"10.%u.%u.1\",\"transport\":\"udp\"},{\"name\":\"q\",\"host\":\"10.%u.%u.2\","
			"\"transport\":\"udp\",\"priority\":20}],\"identify\":{\"source-address\":[\"10.%u.%u.0/24\"]}}",
			i ? "," : "", i, i / 256, i % 256, i / 256, i % 256, i / 256, i % 256);
	fputs("]}}}\n", f);
	fclose(f);
}

static void begin(struct room *r, unsigned trunks)
{
	static const struct engine_target target = {.prepare = prepare, .commit = nothing, .abandon = nothing};
	struct engine_conf conf = {.target = &target};
	struct err e = {0};

	strcpy(r->folder, "/tmp/srtpgw-bench-XXXXXX");
	if (!mkdtemp(r->folder))
		die("no folder");
	snprintf(r->path, sizeof r->path, "%s/config.json", r->folder);
	write_config(r->path, trunks);
	r->base = conf.base = event_base_new();
	conf.path = r->path;
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
	engine_free(r->engine);
	event_base_free(r->base);
	snprintf(command, sizeof command, "rm -r '%s'", r->folder);
	if (system(command) != 0)
		die("the folder stays");
}

static double ms_since(uint64_t ns)
{
	return (double)(clock_mono_ns() - ns) / NS_PER_MS;
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
	double edit, commit, processor = processor_ms();

	snprintf(path, sizeof path, "/srtp-gateway:gateway/trunks/trunk[name='t%u']/max-calls", trunks / 2);
	snprintf(value, sizeof value, "%d", 200 + turn);
	t0 = clock_mono_ns();
	if (engine_set(r->session, path, value, &f))
		die(f.message);
	edit = ms_since(t0);
	t0 = clock_mono_ns();
	if (engine_commit(r->session, &(struct engine_commit){0}, &made, &f) || !made)
		die(f.message);
	commit = ms_since(t0);
	processor = processor_ms() - processor;
	snprintf(name, sizeof name, "config.%s.set", size);
	figure_sample(figures_get(figures, name, "ms"), edit);
	snprintf(name, sizeof name, "config.%s.commit", size);
	figure_sample(figures_get(figures, name, "ms"), commit);
	snprintf(name, sizeof name, "config.%s.both", size);
	figure_sample(figures_get(figures, name, "ms"), edit + commit);
	snprintf(name, sizeof name, "config.%s.processor", size);
	figure_sample(figures_get(figures, name, "ms"), processor);
}

int main(int argc, char **argv)
{
	static struct figures figures;
	unsigned trunks = argc > 1 ? (unsigned)atoi(argv[1]) : 2000;
	struct room small = {0}, large = {0};
	char name[64], size[16];

	if (trunks < 1 || trunks > 20000)
		die("usage: bench_config [TRUNKS], 1 to 20000");
	snprintf(size, sizeof size, "%u", trunks);
	begin(&small, 1);
	begin(&large, trunks);
	for (int i = 0; i < SAMPLES; i++) {
		change(&small, 1, i, &figures, "1");
		change(&large, trunks, i, &figures, size);
	}
	snprintf(name, sizeof name, "config.%s.both", size);
	if (trunks == 2000)
		figure_target(figures_get(&figures, name, "ms"), FIGURE_AT_MOST, TARGET_MS);
	figures_print(&figures, stdout);
	end(&small);
	end(&large);
	return 0;
}
