/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/audit_files.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/audit/chain.h"

struct file {
	const char *path;
	uint64_t first; /* number of its first record; 0: it has none, or none that can be read */
	unsigned named; /* as which of them */
};

static int oldest_first(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->first != y->first)
		return x->first > y->first ? 1 : -1;
	return x->named > y->named ? 1 : -1;
}

/* Not of a pipe (`zcat`), from which it would be gone then. */
static uint64_t first_of(const char *path)
{
	struct stat st;
	FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
	char *line = NULL;
	size_t cap = 0;
	uint64_t seq = 0;
	ssize_t n = f ? getline(&line, &cap, f) : 0;

	if (n > 0 && line[n - 1] == '\n' && !audit_line_seq((struct str){line, (size_t)n - 1}, &seq))
		seq = 0;
	free(line);
	if (f)
		fclose(f);
	return seq;
}

static struct file file_of(const struct ctl_args *a, unsigned i)
{
	return (struct file){.path = a->words[i], .first = first_of(a->words[i]), .named = i};
}

/* One whose beginning is no record, or is not to be had, leaves them in the order in which they were named:
 * that is the mistake to be told of, where it was looked for. */
static void in_order(const struct ctl_args *a, struct file *files)
{
	bool all = true;

	for (unsigned i = 0; i < a->n_words; i++) {
		files[i] = file_of(a, i);
		all = all && files[i].first;
	}
	if (all)
		qsort(files, a->n_words, sizeof *files, oldest_first);
}

const char *audit_newest(const struct ctl_args *a)
{
	struct file newest = file_of(a, 0);

	for (unsigned i = 1; i < a->n_words; i++) {
		struct file f = file_of(a, i);

		if (!f.first || !newest.first)
			return a->words[a->n_words - 1];
		if (oldest_first(&f, &newest) > 0)
			newest = f;
	}
	return newest.path;
}

static enum ctl_exit each_line(const char *path, audit_line_fn see, void *arg, struct err *e)
{
	FILE *f = fopen(path, "re");
	enum ctl_exit code = CTL_OK;
	char *line = NULL;
	size_t cap = 0;
	unsigned long number = 0;
	ssize_t n;

	if (!f) {
		err_set(e, errno, "%s: %s", path, strerror(errno));
		return CTL_FAILED;
	}
	while (code == CTL_OK && (n = getline(&line, &cap, f)) > 0) {
		bool whole = line[n - 1] == '\n';

		number++;
		code = see(arg, (struct str){line, (size_t)n - whole}, e);
		if (code == CTL_OK && !whole) {
			err_set(e, EBADMSG,
				"the last line is incomplete: the machine went down while it was written");
			code = CTL_REFUSED;
		}
		if (code == CTL_REFUSED)
			err_prefix(e, "%s:%lu", path, number);
	}
	free(line);
	fclose(f);
	return code;
}

enum ctl_exit audit_each_line(const struct ctl_args *a, audit_line_fn see, void *arg, struct err *e)
{
	struct file *files = calloc(a->n_words, sizeof *files);
	enum ctl_exit code = CTL_OK;

	if (!files) {
		err_set(e, ENOMEM, "out of memory");
		return CTL_FAILED;
	}
	in_order(a, files);
	for (unsigned i = 0; i < a->n_words && code == CTL_OK; i++)
		code = each_line(files[i].path, see, arg, e);
	free(files);
	return code;
}
