/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "perf/figures.h"

struct figure *figures_get(struct figures *set, const char *name, const char *unit)
{
	struct figure *f;

	for (int i = 0; i < set->n; i++)
		if (!strcmp(set->rows[i].name, name))
			return &set->rows[i];
	if (set->n == FIGURES_MAX)
		return NULL;
	f = &set->rows[set->n++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->unit, sizeof(f->unit), "%s", unit);
	return f;
}

void figure_target(struct figure *f, enum figure_target kind, double value)
{
	f->kind = kind;
	f->target = value;
}

void figure_sample(struct figure *f, double value)
{
	int i;

	if (f->n == FIGURE_SAMPLES_MAX)
		return;
	for (i = f->n++; i > 0 && f->samples[i - 1] > value; i--)
		f->samples[i] = f->samples[i - 1];
	f->samples[i] = value;
}

double figure_median(const struct figure *f)
{
	if (!f->n)
		return 0;
	return (f->samples[(f->n - 1) / 2] + f->samples[f->n / 2]) / 2;
}

bool figure_met(const struct figure *f)
{
	double m = figure_median(f);

	return f->kind == FIGURE_NO_TARGET || (f->kind == FIGURE_AT_MOST ? m <= f->target : m >= f->target);
}

void figures_print(const struct figures *set, FILE *out)
{
	fprintf(out, "%-48s %10s %10s %10s  %-10s %s\n", "figure", "median", "min", "max", "unit", "target");
	for (int i = 0; i < set->n; i++) {
		const struct figure *f = &set->rows[i];

		fprintf(out, "%-48s %10.2f %10.2f %10.2f  %-10s", f->name, figure_median(f),
			f->n ? f->samples[0] : 0, f->n ? f->samples[f->n - 1] : 0, f->unit);
		if (f->kind != FIGURE_NO_TARGET)
			fprintf(out, " %s %.10g: %s", f->kind == FIGURE_AT_MOST ? "<=" : ">=", f->target,
				figure_met(f) ? "met" : "MISSED");
		fputc('\n', out);
	}
}

/* Names and units are this program's own, the machine's text is not: quotes, backslashes and controls go. */
static void json_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++)
		fputc(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? ' ' : *text, out);
	fputc('"', out);
}

int figures_write_json(const struct figures *set, const char *path)
{
	FILE *out = fopen(path, "w");
	bool bad;

	if (!out)
		return -errno;
	fputs("{\"machine\": ", out);
	json_text(out, figures_machine());
	fputs(", \"figures\": {", out);
	for (int i = 0; i < set->n; i++) {
		const struct figure *f = &set->rows[i];

		fputs(i ? ",\n  " : "\n  ", out);
		json_text(out, f->name);
		fprintf(out,
			": {\"median\": %.4f, \"min\": %.4f, \"max\": %.4f, \"unit\": ", figure_median(f),
			f->n ? f->samples[0] : 0, f->n ? f->samples[f->n - 1] : 0);
		json_text(out, f->unit);
		if (f->kind != FIGURE_NO_TARGET)
			fprintf(out, ", \"target\": %.10g, \"sense\": \"%s\", \"met\": %s", f->target,
				f->kind == FIGURE_AT_MOST ? "at most" : "at least",
				figure_met(f) ? "true" : "false");
		fputc('}', out);
	}
	fputs("\n}}\n", out);
	bad = ferror(out);
	return fclose(out) || bad ? -EIO : 0;
}

/* The value of the first "name : value" line of a /proc file, without its newline; "" when there is none. */
static void proc_value(const char *path, const char *name, char *value, size_t cap)
{
	char line[256];
	FILE *in = fopen(path, "r");

	value[0] = '\0';
	while (in && fgets(line, sizeof(line), in)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, name, strlen(name)) || !colon)
			continue;
		colon += strspn(colon, ": \t");
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(value, cap, "%s", colon);
		break;
	}
	if (in)
		fclose(in);
}

const char *figures_machine(void)
{
	static char text[384];
	char model[96], memory[48], huge[48];
	struct utsname u;

	if (text[0])
		return text;
	proc_value("/proc/cpuinfo", "model name", model, sizeof(model));
	proc_value("/proc/meminfo", "MemTotal", memory, sizeof(memory));
	proc_value("/proc/meminfo", "HugePages_Total", huge, sizeof(huge));
	if (uname(&u))
		memset(&u, 0, sizeof(u));
	snprintf(text, sizeof(text), "%s, %ld cores, %s, %s huge pages reserved, Linux %s", model,
		sysconf(_SC_NPROCESSORS_ONLN), memory, huge, u.release);
	return text;
}
