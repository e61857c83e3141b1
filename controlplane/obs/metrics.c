/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/metrics.h"

#include <inttypes.h>
#include <stdio.h>

#include <event2/buffer.h>

static const char *const types[] = {
	[METRICS_COUNTER] = "counter",
	[METRICS_GAUGE] = "gauge",
	[METRICS_HISTOGRAM] = "histogram",
};

void metrics_begin(struct metrics *m, const char *name, enum metrics_type type, const char *help)
{
	evbuffer_add_printf(m->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

static void put_value(struct evbuffer *out, const char *z)
{
	for (; *z; z++) {
		if (*z == '\n')
			evbuffer_add(out, "\\n", 2);
		else if (*z == '"' || *z == '\\')
			evbuffer_add_printf(out, "\\%c", *z);
		else
			evbuffer_add(out, z, 1);
	}
}

static void put_name(struct metrics *m, const char *name, const char *const *labels)
{
	const char *separator = "{";

	evbuffer_add_printf(m->out, "%s", name);
	for (; labels && labels[0]; labels += 2) {
		evbuffer_add_printf(m->out, "%s%s=\"", separator, labels[0]);
		put_value(m->out, labels[1]);
		evbuffer_add(m->out, "\"", 1);
		separator = ",";
	}
	evbuffer_add_printf(m->out, "%s", *separator == ',' ? "} " : " ");
}

void metrics_sample(struct metrics *m, const char *name, const char *const *labels, uint64_t v)
{
	put_name(m, name, labels);
	evbuffer_add_printf(m->out, "%" PRIu64 "\n", v);
}

void metrics_sample_real(struct metrics *m, const char *name, const char *const *labels, double v)
{
	put_name(m, name, labels);
	evbuffer_add_printf(m->out, "%.6f\n", v);
}

void metrics_one(struct metrics *m, const char *name, enum metrics_type type, const char *help, uint64_t v)
{
	metrics_begin(m, name, type, help);
	metrics_sample(m, name, NULL, v);
}

void metrics_observe(struct metrics_histogram *h, uint64_t us)
{
	unsigned i = 0;

	while (i < h->n && us > h->bounds_us[i])
		i++;
	h->counts[i]++;
	h->sum_us += us;
}

void metrics_write_histogram(
	struct metrics *m, const char *name, const char *help, const struct metrics_histogram *h)
{
	char part[96], bound[16];
	uint64_t sum = 0;

	metrics_begin(m, name, METRICS_HISTOGRAM, help);
	snprintf(part, sizeof part, "%s_bucket", name);
	for (unsigned i = 0; i <= h->n; i++) {
		sum += h->counts[i];
		if (i < h->n)
			snprintf(bound, sizeof bound, "%g", h->bounds_us[i] / 1e6);
		metrics_sample(m, part, (const char *const[]){"le", i < h->n ? bound : "+Inf", NULL}, sum);
	}
	snprintf(part, sizeof part, "%s_sum", name);
	metrics_sample_real(m, part, NULL, (double)h->sum_us / 1e6);
	snprintf(part, sizeof part, "%s_count", name);
	metrics_sample(m, part, NULL, sum);
}
