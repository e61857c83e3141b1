/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a number goes, among few routes and many: nanoseconds for each lookup of config_find_route(), with
 * numbers in random order, of which every tenth has no route.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/config/config.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "perf/program.h"

#define NUMBERS 65536
#define SAMPLES 15

static char numbers[NUMBERS][16];

static const char head[] = "{\"srtp-gateway:gateway\":{\"media\":{\"interface\":[{\"name\":\"m\",\"device\":"
			   "\"e0\",\"address\":[{\"ip\":"
			   "\"10.0.0.1\",\"port-range\":[{\"lower\":20000,\"upper\":20999}]}]}]},\"realms\":{"
			   "\"realm\":[{\"name\":\"r\","
			   "\"trusted\":true,\"media-interface\":[\"m\"]}]},\"sip\":{\"listener\":[{\"name\":"
			   "\"l\",\"transport\":\"udp\","
			   "\"address\":\"10.0.0.1\",\"port\":5060,\"realm\":\"r\"}]},\"trunks\":{\"trunk\":["
			   "{\"name\":\"t\",\"realm\":\"r\","
			   "\"srtp\":{\"mode\":\"none\"},\"peer\":[{\"name\":\"p\",\"host\":\"10.0.0.2\","
			   "\"transport\":\"udp\"}]}]},"
			   "\"routing\":{\"route\":[";

/* The processor's time: what else the machine does is not the lookup's. */
static uint64_t busy_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Prefixes of 7 digits, spread over the numbering plan. */
static struct config *make(unsigned routes, double *load_ms)
{
	size_t cap = sizeof head + 80ul * routes + 16;
	char *text = malloc(cap);
	struct wbuf w = wbuf_make(text, cap - 1);
	struct config *c = NULL;
	struct err e = {0};
	uint64_t began;

	if (!text)
		return NULL;
	wbuf_z(&w, head);
	for (unsigned i = 0; i < routes; i++)
		wbuf_fmt(&w, "%s{\"name\":\"r%u\",\"prefix\":\"+%07u\",\"to-trunk\":[\"t\"]}", i ? "," : "",
			i, 1000000 + (unsigned)((uint64_t)i * 9000000 / routes));
	wbuf_z(&w, "]}}}");
	began = busy_ns();
	if (config_parse(wbuf_view(&w), "bench", &c, &e) < 0)
		fprintf(stderr, "bench_route: %s\n", e.text);
	*load_ms = (double)(busy_ns() - began) / 1e6;
	free(text);
	return c;
}

static void make_numbers(unsigned routes)
{
	uint32_t seed = 1;

	for (unsigned i = 0; i < NUMBERS; i++) {
		seed = seed * 1664525u + 1013904223u;
		uint32_t route = (uint32_t)((uint64_t)seed * routes >> 32);

		snprintf(numbers[i], sizeof numbers[i], "+%07u%05u",
			i % 10 ? 1000000 + (unsigned)((uint64_t)route * 9000000 / routes) : route % 1000000,
			seed % 100000);
	}
}

static double lookup_ns(const struct config *c)
{
	uint64_t began = busy_ns();
	unsigned found = 0;

	for (unsigned i = 0; i < NUMBERS; i++)
		found += config_find_route(c, &c->trunks[0], STR("sbc.example"), str_z(numbers[i])) != NULL;
	double ns = (double)(busy_ns() - began) / NUMBERS;

	if (found < NUMBERS / 2)
		fprintf(stderr, "bench_route: only %u numbers have a route\n", found);
	return ns;
}

static struct figure *figure_of(struct figures *set, unsigned routes, const char *what, const char *unit)
{
	char name[64];

	snprintf(name, sizeof name, "route.%u.%s", routes, what);
	return figures_get(set, name, unit);
}

static int run(const char *const *values, struct figures *figures, void *user, struct err *err)
{
	static const unsigned sizes[] = {10, 1000, 100000};

	(void)values;
	(void)user;
	for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		double load_ms;
		struct config *c = make(sizes[s], &load_ms);

		if (!c)
			return err_set(err, EINVAL, "a configuration of %u routes is refused", sizes[s]);
		make_numbers(sizes[s]);
		lookup_ns(c); /* warm */
		for (unsigned i = 0; i < SAMPLES; i++)
			figure_sample(figure_of(figures, sizes[s], "lookup", "ns"), lookup_ns(c));
		figure_sample(figure_of(figures, sizes[s], "load", "ms"), load_ms);
		config_unref(c);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "bench_route",
		.what = "Nanoseconds to find the route of a number among 10, 1,000 and 100,000.\n",
		.arguments = {PROGRAM_JSON_ARGUMENT}};

	return program_main(&program, argc, argv, run, NULL);
}
