/* SPDX-License-Identifier: Apache-2.0 */
/* What a run says at its end, to people and to programs. */
#pragma once

#include <stdio.h>

#include "perf/gen.h"

struct gen_report {
	const struct gen_conf *conf;
	const struct gen_stats *stats;
	struct dp_stats_global before, after; /* the gateway's counters; all 0: nobody asked */
	double worker_ns;                     /* a packet's, of a data plane in this process; 0: another's */
	double seconds;                       /* that packets were on their way; 0: not measured */
	uint64_t packets;                     /* that came back right in these */
	uint64_t others;                      /* frames that were not for us */
	double p50, p99, p999, max;           /* latency, microseconds; max 0: not measured */
	const char *verdict;                  /* what is wrong, "" for nothing */
};

/* RTP that came back, packets a second; 0: not measured. */
double gen_report_rate(const struct gen_report *r);
void gen_report_print(const struct gen_report *r, FILE *out);
/* One object. errno values of the file. */
int gen_report_json(const struct gen_report *r, const char *path, struct err *err);
