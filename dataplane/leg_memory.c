/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/leg_memory.h"

#include "dataplane/worker_private.h"

#define LINE 64u
#define LINES(octets) (((octets) + LINE - 1) / LINE * LINE)

struct geometry {
	uint32_t ssrcs, streams, window;
};

static size_t words_of(const struct geometry *g)
{
	return (2u * srtp_replay_words(g->window) + srtp_replay_words(RTCP_WINDOW)) * (size_t)g->ssrcs;
}

static size_t size_of(const struct geometry *g)
{
	return LINES(g->ssrcs * (sizeof(struct source) + sizeof(struct renumber_slot)) +
		     words_of(g) * sizeof(uint64_t) + g->streams * sizeof(struct dp_stream));
}

/* Of the geometry that there is by default. */
static size_t block_size(void)
{
	return size_of(&(struct geometry){LEG_SSRC_FIRST, 1, REPLAY_WINDOW_DEFAULT});
}

static size_t large_size(void)
{
	return size_of(&(struct geometry){SSRC_MAX_DEFAULT, DP_STREAMS_MAX, REPLAY_WINDOW_DEFAULT});
}

uint32_t leg_ssrc_max(const struct dp_leg_update *u)
{
	if (u->ssrc_max == 0)
		return SSRC_MAX_DEFAULT;
	return u->ssrc_max < SSRC_MAX_LIMIT ? u->ssrc_max : SSRC_MAX_LIMIT;
}

uint32_t leg_replay_window(const struct dp_leg_update *u)
{
	return u->replay_window ? u->replay_window : REPLAY_WINDOW_DEFAULT;
}

static struct geometry full(uint32_t ssrcs, uint32_t window)
{
	return (struct geometry){ssrcs, DP_STREAMS_MAX, window};
}

size_t leg_memory_wanted(const struct dp_leg_update *u)
{
	struct geometry g = full(leg_ssrc_max(u), leg_replay_window(u));
	size_t size = size_of(&g);

	return size > large_size() ? size : 0;
}

int leg_memory_open(struct worker *w, uint32_t legs)
{
	int rc;

	w->leg_octets = sizeof(struct leg) + block_size();
	rc = pages_map(&w->leg_pages, legs * w->leg_octets, PAGES_THP);
	if (rc == 0)
		rc = slab_open(&w->large, large_size(), legs);
	if (rc == 0)
		rc = slab_open(&w->retired, LINES(RETIRED_MAX * sizeof(struct retired_source)), legs);
	return rc;
}

void leg_memory_close(struct worker *w)
{
	pages_unmap(&w->leg_pages);
	slab_close(&w->large);
	slab_close(&w->retired);
}

/* In zeroed memory. */
static void lay_out(struct leg *leg, void *memory, const struct geometry *g, uint64_t seed)
{
	uint32_t words = srtp_replay_words(g->window);
	struct renumber_slot *slots;
	uint64_t *bits;

	leg->ssrc_max = (uint8_t)g->ssrcs;
	leg->streams_max = (uint8_t)g->streams;
	leg->sources = memory;
	slots = (void *)(leg->sources + g->ssrcs);
	bits = (void *)(slots + g->ssrcs);
	for (uint32_t i = 0; i < g->ssrcs; i++) {
		srtp_replay_init(&leg->sources[i].rtp_window, bits, g->window);
		bits += words;
		srtp_replay_init(&leg->sources[i].rtcp_window, bits, RTCP_WINDOW);
		bits += srtp_replay_words(RTCP_WINDOW);
	}
	renumber_init(&leg->renumber, slots, (uint16_t)g->ssrcs, bits, g->window, seed);
	leg->stream_conf = (void *)(bits + (size_t)g->ssrcs * words);
}

void leg_memory_take(struct worker *w, struct leg *leg, struct command *c)
{
	const struct dp_leg_update *u = &c->leg_update;
	struct geometry all = full(leg_ssrc_max(u), leg_replay_window(u)), first = all;
	void *memory;

	leg->ssrc_limit = (uint8_t)all.ssrcs;
	leg->replay_window = all.window;
	first.streams = 1;
	if (first.ssrcs > LEG_SSRC_FIRST)
		first.ssrcs = LEG_SSRC_FIRST;
	if (c->memory[0]) {
		memory = c->memory[0];
		c->memory[0] = NULL;
		leg->memory_of = LEG_MEMORY_COMMAND;
		first = all;
	} else if (u->n_streams <= 1 && size_of(&first) <= block_size()) {
		memory = leg + 1;
		memset(memory, 0, size_of(&first));
		leg->memory_of = LEG_MEMORY_BLOCK;
	} else {
		memory = slab_take(&w->large);
		leg->memory_of = LEG_MEMORY_LARGE;
		first = all;
	}
	w->ssrc_seed = w->ssrc_seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	lay_out(leg, memory, &first, w->ssrc_seed);
}

void *leg_memory_put(struct worker *w, struct leg *leg)
{
	void *memory = leg->sources;

	leg_retired_put(w, leg);
	leg->sources = NULL;
	if (leg->memory_of == LEG_MEMORY_COMMAND)
		return memory;
	if (leg->memory_of == LEG_MEMORY_LARGE)
		slab_put(&w->large, memory);
	return NULL;
}

static void window_move(struct srtp_replay *to, const struct srtp_replay *from)
{
	uint64_t *bits = to->bits;

	memcpy(bits, from->bits, (from->mask + 1) * sizeof *bits);
	*to = *from;
	to->bits = bits;
}

static void source_move(struct source *to, const struct source *from)
{
	struct srtp_replay rtp = to->rtp_window, rtcp = to->rtcp_window;

	window_move(&rtp, &from->rtp_window);
	window_move(&rtcp, &from->rtcp_window);
	*to = *from;
	to->rtp_window = rtp;
	to->rtcp_window = rtcp;
}

static void renumber_move(struct renumber *to, const struct renumber *from)
{
	struct renumber_slot *slots = to->slots;
	uint16_t n = to->n;

	for (uint16_t i = 0; i < from->n; i++) {
		struct srtp_replay used = slots[i].used;

		window_move(&used, &from->slots[i].used);
		slots[i] = from->slots[i];
		slots[i].used = used;
	}
	*to = *from;
	to->slots = slots;
	to->n = n;
}

void leg_memory_grow(struct worker *w, struct leg *leg)
{
	struct geometry all = full(leg->ssrc_limit, leg->replay_window);
	const struct source *sources = leg->sources;
	const struct renumber renumber = leg->renumber;
	const struct dp_stream *streams = leg->stream_conf;
	unsigned n_sources = leg->ssrc_max, n_streams = leg->streams_max;

	if (leg->memory_of != LEG_MEMORY_BLOCK)
		return;
	lay_out(leg, slab_take(&w->large), &all, 0);
	for (unsigned i = 0; i < n_sources; i++)
		source_move(&leg->sources[i], &sources[i]);
	renumber_move(&leg->renumber, &renumber);
	leg->leaving.slot = NULL;
	memcpy(leg->stream_conf, streams, n_streams * sizeof *streams);
	leg->memory_of = LEG_MEMORY_LARGE;
}

void leg_memory_grow_with_twins(struct worker *w, struct leg *leg)
{
	leg_memory_grow(w, leg);
	for (unsigned i = 0; i < leg->n_streams; i++)
		if (leg->streams[i].twin)
			leg_memory_grow(w, leg->streams[i].twin);
}

size_t leg_memory_size(const struct leg *leg)
{
	struct geometry g = {leg->ssrc_max, leg->streams_max, leg->replay_window};

	return size_of(&g);
}

void leg_retired_take(struct worker *w, struct leg *leg)
{
	if (!leg->retired)
		leg->retired = slab_take(&w->retired);
}

void leg_retired_put(struct worker *w, struct leg *leg)
{
	if (leg->retired)
		slab_put(&w->retired, leg->retired);
	leg->retired = NULL;
	leg->n_retired = 0;
}
