/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fpga/hw_sim.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"

#define STEP_DEFAULT 16
#define IOVA_FIRST 0x5aa50001fffe0000ull /* the device's addresses are its own, the same in every run */
#define IOVA_ALIGN 4096
#define MAPS_MAX 4096

struct map {
	void *p;
	uint64_t iova;
};

struct hw_sim {
	void *library;
	struct sim *sim;
	unsigned step;
	struct map *maps;
	unsigned n_maps;
	struct hw_shown shown;
	uint64_t fail_at, fail_end; /* 0: does not */
	uint64_t held_up;           /* clocks that pass before each look at the clock */
	uint64_t next_iova;
	int (*open)(struct sim **, const struct sim_conf *);
	void (*close)(struct sim *);
	int (*map)(struct sim *, uint64_t, void *, size_t);
	void (*unmap)(struct sim *, uint64_t);
	uint32_t (*rd32)(struct sim *, uint32_t);
	void (*wr32)(struct sim *, uint32_t, uint32_t);
	void (*clock)(struct sim *, uint64_t);
	void (*hang)(struct sim *, int);
	void (*remove)(struct sim *, int);
	void (*harm)(struct sim *, enum sim_harm);
	void (*stats)(const struct sim *, struct sim_stats *);
	int (*save)(struct sim *, const char *);
};

static int bind(struct hw_sim *s, struct err *e)
{
	const struct {
		const char *name;
		void *to;
	} names[] = {
		{"sim_open", &s->open},
		{"sim_close", &s->close},
		{"sim_map", &s->map},
		{"sim_unmap", &s->unmap},
		{"sim_rd32", &s->rd32},
		{"sim_wr32", &s->wr32},
		{"sim_step", &s->clock},
		{"sim_get_stats", &s->stats},
		{"sim_hang", &s->hang},
		{"sim_remove", &s->remove},
		{"sim_harm", &s->harm},
		{"sim_save", &s->save},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *f = dlsym(s->library, names[i].name);

		if (!f)
			return err_set(e, ELIBBAD, "the simulation has no %s", names[i].name);
		memcpy(names[i].to, &f, sizeof(f));
	}
	return 0;
}

static void sim_hw_close(void *hw)
{
	struct hw_sim *s = hw;

	if (s->sim)
		s->close(s->sim);
	if (s->library)
		dlclose(s->library);
	free(s->maps);
	free(s);
}

int hw_sim_open(void **hw, const char *library, const struct sim_conf *conf, unsigned step, struct err *e)
{
	struct hw_sim *s = calloc(1, sizeof(*s));
	struct sim_conf c = *conf;
	const char *from = getenv("SRTPGW_SIM_WAVES_FROM");
	int rc;

	if (!s)
		return err_set(e, ENOMEM, "no memory for the simulation");
	if (!c.trace) {
		c.trace = getenv("SRTPGW_SIM_WAVES");
		c.trace_from = from ? strtoull(from, NULL, 0) : 0;
	}
	s->step = step ? step : STEP_DEFAULT;
	s->next_iova = IOVA_FIRST;
	s->maps = calloc(MAPS_MAX, sizeof(*s->maps));
	if (!s->maps) {
		free(s);
		return err_set(e, ENOMEM, "no memory for the simulation");
	}
	s->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!s->library) {
		rc = err_set(e, ENOENT, "no simulated device: %s", dlerror());
		goto out;
	}
	rc = bind(s, e);
	if (rc)
		goto out;
	rc = s->open(&s->sim, &c);
	if (rc) {
		rc = rc == -ENOTSUP ? err_set(e, -rc, "%s draws no waveforms: sim/waves takes one that does",
					      library)
				    : err_set(e, -rc, "the simulation does not start");
		goto out;
	}
	*hw = s;
	return 0;
out:
	sim_hw_close(s);
	return rc;
}

static uint32_t sim_hw_rd32(void *hw, uint32_t at)
{
	struct hw_sim *s = hw;
	return s->rd32(s->sim, at);
}

static void sim_hw_wr32(void *hw, uint32_t at, uint32_t value)
{
	struct hw_sim *s = hw;
	s->wr32(s->sim, at, value);
}

/* The simulated device runs in the caller's own thread. */
static void sim_hw_wmb(void *hw)
{
	(void)hw;
}

static int map(struct hw_sim *s, void *p, size_t n, uint64_t *iova)
{
	int rc;

	if (s->n_maps == MAPS_MAX)
		return -ENOSPC;
	rc = s->map(s->sim, s->next_iova, p, n);
	if (rc)
		return rc;
	*iova = s->next_iova;
	s->maps[s->n_maps++] = (struct map){p, s->next_iova};
	s->next_iova +=
		(n + 2 * IOVA_ALIGN - 1) & ~(uint64_t)(IOVA_ALIGN - 1); /* a page is left unmapped between */
	return 0;
}

static void unmap(struct hw_sim *s, void *p)
{
	for (unsigned i = 0; i < s->n_maps; i++)
		if (s->maps[i].p == p) {
			s->unmap(s->sim, s->maps[i].iova);
			s->maps[i] = s->maps[--s->n_maps];
			return;
		}
}

static void *sim_hw_dma_alloc(void *hw, size_t n, uint64_t *iova)
{
	void *p = NULL;

	n = (n + 63) & ~(size_t)63;
	if (posix_memalign(&p, 64, n))
		return NULL;
	memset(p, 0, n);
	if (map(hw, p, n, iova)) {
		free(p);
		return NULL;
	}
	return p;
}

static void sim_hw_dma_free(void *hw, void *p, size_t n)
{
	unmap(hw, p);
	mem_wipe(p, n);
	free(p);
}

static int sim_hw_dma_map(void *hw, void *p, size_t n)
{
	struct hw_sim *s = hw;
	uint64_t iova = 0;
	int rc = hw_whole_pages(&p, &n);

	if (rc == 0)
		rc = map(s, p, n, &iova);
	return rc == 0 ? hw_shown_add(&s->shown, p, n, iova) : rc;
}

static int sim_hw_iova_of(void *hw, const void *p, size_t n, uint64_t *iova)
{
	return hw_shown_find(&((struct hw_sim *)hw)->shown, p, n, iova);
}

static uint64_t sim_hw_clocks(void *hw)
{
	struct hw_sim *s = hw;
	struct sim_stats st;

	s->clock(s->sim, s->held_up);
	hw_sim_stats(hw, &st);
	return st.clocks;
}

static void sim_hw_poll_hint(void *hw)
{
	struct hw_sim *s = hw;
	s->clock(s->sim, s->step);
	if (!s->fail_end)
		return;
	if (sim_hw_clocks(hw) >= s->fail_end) {
		s->hang(s->sim, 0);
		s->fail_end = 0;
	} else if (sim_hw_clocks(hw) >= s->fail_at) {
		s->hang(s->sim, 1);
	}
}

void hw_sim_fail(void *hw, uint64_t at, uint64_t clocks)
{
	struct hw_sim *s = hw;

	s->fail_at = at;
	s->fail_end = at + clocks;
}

void hw_sim_hold_up(void *hw, uint64_t clocks)
{
	((struct hw_sim *)hw)->held_up = clocks;
}

void hw_sim_stats(void *hw, struct sim_stats *out)
{
	struct hw_sim *s = hw;
	s->stats(s->sim, out);
}

void hw_sim_step(void *hw, uint64_t clocks)
{
	struct hw_sim *s = hw;
	s->clock(s->sim, clocks);
}

int hw_sim_save(void *hw, const char *file)
{
	struct hw_sim *s = hw;
	return s->save(s->sim, file);
}

void hw_sim_hang(void *hw, int on)
{
	struct hw_sim *s = hw;
	s->hang(s->sim, on);
}

void hw_sim_remove(void *hw, int on)
{
	struct hw_sim *s = hw;
	s->remove(s->sim, on);
}

void hw_sim_harm(void *hw, enum sim_harm harm)
{
	struct hw_sim *s = hw;
	s->harm(s->sim, harm);
}

const struct hw_ops hw_sim_ops = {
	.name = "simulation",
	.rd32 = sim_hw_rd32,
	.wr32 = sim_hw_wr32,
	.wmb = sim_hw_wmb,
	.dma_alloc = sim_hw_dma_alloc,
	.dma_free = sim_hw_dma_free,
	.dma_map = sim_hw_dma_map,
	.iova_of = sim_hw_iova_of,
	.poll_hint = sim_hw_poll_hint,
	.clocks = sim_hw_clocks,
	.close = sim_hw_close,
};
