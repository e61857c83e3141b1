/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics in the text format of Prometheus (0.0.4): who has numbers writes them here. */
#pragma once

#include <stdint.h>

struct evbuffer;

struct metrics {
	struct evbuffer *out; /* the owner's */
};

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

/* Begins a metric; its samples follow. Each name once. Counters end in _total. */
void metrics_begin(struct metrics *m, const char *name, enum metrics_type type, const char *help);
/* One sample. labels: NULL, or name and value in turns up to a NULL; values are escaped here. */
void metrics_sample(struct metrics *m, const char *name, const char *const *labels, uint64_t v);
void metrics_sample_real(struct metrics *m, const char *name, const char *const *labels, double v);
/* Both at once, without labels. */
void metrics_one(struct metrics *m, const char *name, enum metrics_type type, const char *help, uint64_t v);

#define METRICS_BOUNDS_MAX 16

/* Counts of values, each in the first bucket whose bound is not below it. */
struct metrics_histogram {
	const uint32_t *bounds_us; /* rising */
	unsigned n;                /* of bounds, at most METRICS_BOUNDS_MAX */
	uint64_t counts[METRICS_BOUNDS_MAX + 1], sum_us;
};
void metrics_observe(struct metrics_histogram *h, uint64_t us);
/* In seconds, as Prometheus wants durations. */
void metrics_write_histogram(
	struct metrics *m, const char *name, const char *help, const struct metrics_histogram *h);
