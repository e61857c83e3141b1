/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/session/leg_memory.h"

#include <errno.h>

#include <rte_malloc.h>

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
	return LINES((g->ssrcs - 1) * (sizeof(struct source) + sizeof(struct renumber_slot)) +
		     g->ssrcs * (sizeof(struct srtp_replay) + sizeof(struct renumber_past)) +
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
	uint32_t pairs = (legs + 1) / 2;
	int rc;

	TAILQ_INIT(&w->leg_halves);
	w->leg_pairs = rte_malloc("leg_pairs", pairs * sizeof *w->leg_pairs, 0);
	if (!w->leg_pairs)
		return -ENOMEM;
	/* Low places first: the tables stay dense. */
	for (uint32_t i = pairs; i > 0; i--)
		w->leg_pairs[w->n_leg_pairs++] = i - 1;
	w->n_leg_free = legs;
	w->far_octets = sizeof(struct leg_far) + block_size();
	rc = pages_map(&w->leg_pages, 2 * (size_t)pairs * sizeof(struct leg), PAGES_THP);
	if (rc == 0)
		rc = pages_map(&w->far_pages, 2 * (size_t)pairs * w->far_octets, PAGES_THP);
	if (rc == 0)
		rc = slab_open(&w->large, large_size(), legs);
	if (rc == 0)
		rc = slab_open(&w->retired, LINES(RETIRED_MAX * sizeof(struct retired_source)), legs);
	return rc;
}

void leg_memory_close(struct worker *w)
{
	rte_free(w->leg_pairs);
	pages_unmap(&w->leg_pages);
	pages_unmap(&w->far_pages);
	slab_close(&w->large);
	slab_close(&w->retired);
}

/* One of a pair that is free; the other is half of one then. */
static struct leg *pair_take(struct worker *w)
{
	uint32_t place = 2 * w->leg_pairs[--w->n_leg_pairs];
	struct leg *leg = worker_leg(w, place);

	for (unsigned i = 0; i < 2; i++)
		leg[i].far = (void *)(w->far_pages.base + (place + i) * w->far_octets);
	TAILQ_INSERT_HEAD(&w->leg_halves, leg + 1, far->half);
	return leg;
}

/* Will the new leg and this one relay to each other? */
static bool are_twins(const struct leg *leg, const struct dp_leg_update *u)
{
	return leg->far->side != u->side && leg->n_streams && u->n_streams &&
	       leg->far->stream_conf[0].id == u->streams[0].id;
}

struct leg *leg_place_take(struct worker *w, const struct session *s, const struct dp_leg_update *u)
{
	struct leg *half = NULL;

	w->n_leg_free--;
	for (unsigned i = 0; i < DP_LEGS_MAX && !half; i++)
		if (s->legs[i] && !leg_beside(s->legs[i])->used && are_twins(s->legs[i], u))
			half = leg_beside(s->legs[i]);
	if (!half && w->n_leg_pairs)
		return pair_take(w);
	if (!half)
		half = TAILQ_FIRST(&w->leg_halves);
	TAILQ_REMOVE(&w->leg_halves, half, far->half);
	return half;
}

void leg_place_put(struct worker *w, struct leg *leg)
{
	struct leg *beside = leg_beside(leg);

	w->n_leg_free++;
	if (beside->used) {
		TAILQ_INSERT_HEAD(&w->leg_halves, leg, far->half);
		return;
	}
	TAILQ_REMOVE(&w->leg_halves, beside, far->half);
	w->leg_pairs[w->n_leg_pairs++] = worker_leg_place(w, leg) / 2;
}

/* In zeroed memory. */
static void lay_out(struct leg *leg, void *memory, const struct geometry *g, uint64_t seed)
{
	uint32_t words = srtp_replay_words(g->window);
	struct leg_far *far = leg->far;
	struct renumber_slot *slots;
	struct renumber_past *past;
	uint64_t *windows;

	far->ssrc_max = (uint8_t)g->ssrcs;
	far->streams_max = (uint8_t)g->streams;
	far->sources = memory;
	slots = (void *)(far->sources + g->ssrcs - 1);
	past = (void *)(slots + g->ssrcs - 1);
	far->rtcp_windows = (void *)(past + g->ssrcs);
	windows = (void *)(far->rtcp_windows + g->ssrcs);
	for (uint32_t i = 0; i < g->ssrcs; i++) {
		srtp_replay_init(&leg_source(leg, i)->window, windows, g->window);
		windows += words;
		srtp_replay_init(&far->rtcp_windows[i], windows, RTCP_WINDOW);
		windows += srtp_replay_words(RTCP_WINDOW);
	}
	renumber_init(&far->renumber, &leg_departure(leg)->slot, slots, past, (uint16_t)g->ssrcs, windows,
		g->window, seed);
	far->stream_conf = (void *)(windows + (size_t)g->ssrcs * words);
}

void leg_memory_take(struct worker *w, struct leg *leg, struct command *c)
{
	const struct dp_leg_update *u = &c->leg_update;
	struct geometry all = full(leg_ssrc_max(u), leg_replay_window(u)), first = all;
	void *memory;

	leg->far->ssrc_limit = (uint8_t)all.ssrcs;
	leg->far->replay_window = all.window;
	first.streams = 1;
	if (first.ssrcs > LEG_SSRC_FIRST)
		first.ssrcs = LEG_SSRC_FIRST;
	if (c->memory[0]) {
		memory = c->memory[0];
		c->memory[0] = NULL;
		leg->far->memory_of = LEG_MEMORY_COMMAND;
		first = all;
	} else if (u->n_streams <= 1 && size_of(&first) <= block_size()) {
		memory = leg->far + 1;
		memset(memory, 0, size_of(&first));
		leg->far->memory_of = LEG_MEMORY_BLOCK;
	} else {
		memory = slab_take(&w->large);
		leg->far->memory_of = LEG_MEMORY_LARGE;
		first = all;
	}
	w->ssrc_seed = w->ssrc_seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	lay_out(leg, memory, &first, w->ssrc_seed);
}

void *leg_memory_put(struct worker *w, struct leg *leg)
{
	void *memory = leg->far->sources;

	leg_retired_put(w, leg);
	leg->far->sources = NULL;
	if (leg->far->memory_of == LEG_MEMORY_COMMAND)
		return memory;
	if (leg->far->memory_of == LEG_MEMORY_LARGE)
		slab_put(&w->large, memory);
	return NULL;
}

/* Between windows of one length. */
static void window_move(struct srtp_replay *to, const struct srtp_replay *from)
{
	uint64_t *ring = to->ring;

	memcpy(ring, from->ring, (srtp_replay_mask(from) + 1) * sizeof *ring);
	*to = *from;
	to->ring = ring;
}

static void source_move(struct source *to, const struct source *from)
{
	struct srtp_replay window = to->window;

	window_move(&window, &from->window);
	*to = *from;
	to->window = window;
}

static void slot_move(struct renumber_slot *to, const struct renumber_slot *from)
{
	struct srtp_replay used = to->used;

	window_move(&used, &from->used);
	*to = *from;
	to->used = used;
}

void leg_memory_grow(struct worker *w, struct leg *leg)
{
	struct leg_far *far = leg->far;
	struct geometry all = full(far->ssrc_limit, far->replay_window);
	const struct source first = leg->source, *more = far->sources;
	const struct renumber_slot first_slot = leg_departure(leg)->slot;
	const struct renumber numbers = far->renumber;
	const struct srtp_replay *rtcp_windows = far->rtcp_windows;
	struct renumber room;
	const struct dp_stream *streams = far->stream_conf;
	unsigned n_sources = far->ssrc_max, n_streams = far->streams_max;

	if (far->memory_of != LEG_MEMORY_BLOCK)
		return;
	lay_out(leg, slab_take(&w->large), &all, 0);
	room = far->renumber;
	far->renumber = numbers;
	far->renumber.more = room.more;
	far->renumber.past = room.past;
	far->renumber.n = room.n;
	for (unsigned i = 0; i < n_sources; i++) {
		source_move(leg_source(leg, i), i ? &more[i - 1] : &first);
		window_move(&far->rtcp_windows[i], &rtcp_windows[i]);
	}
	for (uint16_t i = 0; i < numbers.n; i++) {
		slot_move(renumber_slot(&far->renumber, i), i ? &numbers.more[i - 1] : &first_slot);
		room.past[i] = numbers.past[i];
	}
	leg_leaving(leg)->slot = NULL;
	memcpy(far->stream_conf, streams, n_streams * sizeof *streams);
	far->memory_of = LEG_MEMORY_LARGE;
}

void leg_memory_grow_with_twins(struct worker *w, struct leg *leg)
{
	leg_memory_grow(w, leg);
	for (unsigned i = 0; i < leg->n_streams; i++)
		if (leg_stream(leg, i)->to)
			leg_memory_grow(w, stream_twin(leg_stream(leg, i)));
}

size_t leg_memory_size(const struct leg *leg)
{
	struct geometry g = {leg->far->ssrc_max, leg->far->streams_max, leg->far->replay_window};

	return size_of(&g);
}

void leg_retired_take(struct worker *w, struct leg *leg)
{
	if (!leg->far->retired)
		leg->far->retired = slab_take(&w->retired);
}

void leg_retired_put(struct worker *w, struct leg *leg)
{
	if (leg->far->retired)
		slab_put(&w->retired, leg->far->retired);
	leg->far->retired = NULL;
	leg->far->n_retired = 0;
}
