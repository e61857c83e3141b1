/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a benchmark found: named figures, each of several samples, as a table for people and as JSON for
 * machines. Samples of things that are compared are taken in turn in one run, so that a noisy machine
 * disturbs all of them alike.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#define FIGURE_SAMPLES_MAX 64
#define FIGURES_MAX 256

/* Which way a target is meant. */
enum figure_target { FIGURE_NO_TARGET, FIGURE_AT_MOST, FIGURE_AT_LEAST };

struct figure {
	char name[96]; /* dotted, such as "crypto.gcm128.160B.backend" */
	char unit[24];
	enum figure_target kind;
	double target;
	double samples[FIGURE_SAMPLES_MAX]; /* kept sorted */
	int n;
};

/* Zero it before use. */
struct figures {
	int n;
	struct figure rows[FIGURES_MAX];
};

/* The figure of that name; made at its first call. NULL when the set is full. */
struct figure *figures_get(struct figures *set, const char *name, const char *unit);
void figure_target(struct figure *f, enum figure_target kind, double value);
void figure_sample(struct figure *f, double value); /* ignored past FIGURE_SAMPLES_MAX */
double figure_median(const struct figure *f);       /* 0 without samples */
bool figure_met(const struct figure *f);            /* of the median; true without a target */

void figures_print(const struct figures *set, FILE *out);
/* {"machine": {...}, "figures": {name: {median, min, max, unit, target, sense, met}}}; the last three
 * with a target only, sense: "at most" or "at least". 0 or a negative errno value.
 */
int figures_write_json(const struct figures *set, const char *path);
/* One line about processor, cores, memory pages and kernel. */
const char *figures_machine(void);
