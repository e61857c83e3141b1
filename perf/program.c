/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/program.h"

#include <errno.h>
#include <string.h>

#include "lib/base/str.h"

static void usage_line(const struct program *p, FILE *out)
{
	unsigned open = 0;

	fprintf(out, "usage: %s", p->name);
	for (unsigned i = 0; i < PROGRAM_ARGUMENTS_MAX && p->arguments[i].name; i++) {
		fprintf(out, p->arguments[i].needed ? " %s" : " [%s", p->arguments[i].name);
		open += !p->arguments[i].needed;
	}
	while (open-- > 0)
		putc(']', out);
	putc('\n', out);
}

static void help(const struct program *p)
{
	usage_line(p, stdout);
	printf("\n%s\n", p->what);
	for (unsigned i = 0; i < PROGRAM_ARGUMENTS_MAX && p->arguments[i].name; i++)
		printf("  %-14s %s\n", p->arguments[i].name, p->arguments[i].what);
	printf("  %-14s this text\n\nExit status: 0, 1 when it failed, 2 for a wrong command line.\n",
		"--help");
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int arguments(const struct program *p, int argc, char **argv, const char **values, struct err *err)
{
	unsigned n = 0;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			return err_set(err, EINVAL, "unknown option '%s'", argv[i]);
		if (n == PROGRAM_ARGUMENTS_MAX || !p->arguments[n].name)
			return err_set(err, EINVAL, "'%s' is one argument too many", argv[i]);
		values[n++] = argv[i];
	}
	if (n < PROGRAM_ARGUMENTS_MAX && p->arguments[n].needed)
		return err_set(err, EINVAL, "%s is missing", p->arguments[n].name);
	return 0;
}

static int wrong_usage(const struct program *p, const struct err *err)
{
	fprintf(stderr, "%s: %s (--help shows what it takes)\n", p->name, err->text);
	return 2;
}

static const char *json_of(const struct program *p, const char *const *values)
{
	for (unsigned i = 0; i < PROGRAM_ARGUMENTS_MAX && p->arguments[i].name; i++)
		if (!strcmp(p->arguments[i].name, PROGRAM_JSON))
			return values[i];
	return NULL;
}

int program_main(const struct program *p, int argc, char **argv, program_run run, void *user)
{
	static struct figures figures;
	const char *values[PROGRAM_ARGUMENTS_MAX] = {NULL}, *json;
	struct err err = {""};
	int rc;

	if (asks_for_help(argc, argv)) {
		help(p);
		return 0;
	}
	if (arguments(p, argc, argv, values, &err) < 0)
		return wrong_usage(p, &err);
	rc = run(values, &figures, user, &err);
	if (rc == PROGRAM_USAGE)
		return wrong_usage(p, &err);
	printf("%s\n", figures_machine());
	figures_print(&figures, stdout);
	json = json_of(p, values);
	if (rc >= 0 && json && (rc = figures_write_json(&figures, json)) < 0)
		err_set(&err, -rc, "%s: %s", json, strerror(-rc));
	if (rc < 0)
		fprintf(stderr, "%s: %s\n", p->name, err.text[0] ? err.text : strerror(-rc));
	return rc < 0;
}

int program_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t fallback,
	uint32_t *out, struct err *err)
{
	uint64_t v = fallback;

	if (text && (str_to_u64(str_z(text), most, &v) < 0 || v < least)) {
		err_set(err, EINVAL, "%s is a number from %llu to %llu, not '%s'", name,
			(unsigned long long)least, (unsigned long long)most, text);
		return PROGRAM_USAGE;
	}
	*out = (uint32_t)v;
	return 0;
}
