/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_lines: how many lines of 64 octets a packet touches of the memory that calls have of their own: legs,
 * sources, numbering, keys, the table of ports. With calls too many for the caches each is a look into
 * memory. Not what all packets share, and not the packet itself. They are counted while the worker runs, one
 * packet at a time, wherever the fields lie today: the memory is what pages_map() and the table give out,
 * which the linker leads here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_malloc.h>

#include "dataplane/pages.h"
#include "perf/bench.h"
#include "perf/kinds.h"
#include "perf/lines.h"

#define CALLS 32
#define WARM 20    /* packets of each call before */
#define SAMPLES 64 /* packets that are counted */
#define TABLE "leg_address"

int __real_pages_map(struct pages *p, size_t octets, enum pages_kind kind);
int __wrap_pages_map(struct pages *p, size_t octets, enum pages_kind kind);
void __real_pages_unmap(struct pages *p);
void __wrap_pages_unmap(struct pages *p);
void *__real_rte_zmalloc(const char *type, size_t octets, unsigned align);
void *__wrap_rte_zmalloc(const char *type, size_t octets, unsigned align);
void __real_rte_free(void *p);
void __wrap_rte_free(void *p);

/* Whatever could not be watched. */
static struct err unwatched;

int __wrap_pages_map(struct pages *p, size_t octets, enum pages_kind kind)
{
	int rc = __real_pages_map(p, octets, kind);

	if (rc == 0)
		(void)lines_watch(p->base, p->octets, &unwatched);
	return rc;
}

void __wrap_pages_unmap(struct pages *p)
{
	lines_forget(p->base);
	__real_pages_unmap(p);
}

/* The table lies among frames and rings, which are not to be watched: here it gets pages of its own. */
static struct pages tables[16];

void *__wrap_rte_zmalloc(const char *type, size_t octets, unsigned align)
{
	if (!type || strcmp(type, TABLE) != 0)
		return __real_rte_zmalloc(type, octets, align);
	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (!tables[i].base)
			return __wrap_pages_map(&tables[i], octets, PAGES_SMALL) == 0 ? tables[i].base : NULL;
	return NULL;
}

void __wrap_rte_free(void *p)
{
	for (unsigned i = 0; p && i < sizeof(tables) / sizeof(tables[0]); i++)
		if (tables[i].base == p) {
			__wrap_pages_unmap(&tables[i]);
			return;
		}
	__real_rte_free(p);
}

/* One packet through the worker; how many lines it touched, where they are counted. */
static int relay(struct room *room, struct gen *gen, unsigned *lines)
{
	struct room_time took = {0};
	struct rte_mbuf *in, *out;
	unsigned back;

	if (rte_pktmbuf_alloc_bulk(room->pool, &in, 1))
		return -ENOMEM;
	if (gen_build(gen, &in, 1))
		return -EIO;
	if (lines)
		lines_begin();
	back = room_relay_at(room, 0, &in, 1, &out, &took);
	if (lines)
		*lines = lines_end();
	if (back)
		gen_verify(gen, out);
	rte_pktmbuf_free_bulk(&out, back);
	return 0;
}

static int measure(struct room *room, struct gen *gen, struct figure *f)
{
	unsigned lines = 0;
	int rc = 0;

	for (unsigned i = 0; i < CALLS * WARM && !rc; i++)
		rc = relay(room, gen, NULL);
	for (unsigned i = 0; i < SAMPLES && !rc; i++) {
		rc = relay(room, gen, &lines);
		figure_sample(f, lines);
	}
	return rc;
}

static int watched(struct err *err)
{
	if (!unwatched.text[0])
		return 0;
	*err = unwatched;
	return -ENOSPC;
}

static int run(const char *const *values, struct figures *figures, const struct eal *eal, struct err *err)
{
	(void)values;
	(void)eal;
	return kinds_measure("lines", "lines/packet", CALLS, measure, watched, figures, err);
}

int main(int argc, char **argv)
{
	static const struct bench_program program = {
		.program = {.name = "bench_lines",
			.what = "How many lines of 64 octets a packet touches of what calls have in memory: legs, sources, numbering,\n"
				"keys, the table of ports. Counted, not timed: it may run beside anything.\n",
			.arguments = {PROGRAM_JSON_ARGUMENT}},
		.eal = {.memory_mb = 256},
		.run = run,
	};

	return bench_main(&program, argc, argv);
}
