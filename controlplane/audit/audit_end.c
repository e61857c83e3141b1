/* SPDX-License-Identifier: Apache-2.0 */
/* Where the chain of a file stands that was written before. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/audit/audit.h"
#include "controlplane/audit/audit_private.h"

/* Where the text's last whole line begins and ends. False: there is none. */
static bool last_line(struct str text, struct str *line)
{
	while (text.n && text.p[text.n - 1] != '\n')
		text.n--;
	if (!text.n)
		return false;
	line->p = text.p + text.n - 1;
	while (line->p > text.p && line->p[-1] != '\n')
		line->p--;
	line->n = (size_t)(text.p + text.n - 1 - line->p);
	return true;
}

/* The end of an open file, of which the last whole line is somewhere. The caller frees it. NULL: no memory,
 * or no reading. */
static char *read_tail(int fd, uint64_t size, struct str *text)
{
	uint64_t from = size > 2 * AUDIT_LINE_MAX ? size - 2 * AUDIT_LINE_MAX : 0;
	char *tail = malloc(size - from + 1);

	if (tail && pread(fd, tail, size - from, (off_t)from) != (ssize_t)(size - from)) {
		free(tail);
		return NULL;
	}
	*text = (struct str){tail, size - from};
	return tail;
}

/* Quotes within a text are escaped: nobody's name or number can look like this. */
static bool is_checkpoint(struct str line)
{
	static const char type[] = "\"type\":\"checkpoint\"";

	return memmem(line.p, line.n, type, sizeof type - 1) != NULL;
}

char *audit_find_last(int fd, uint64_t size)
{
	struct str text, line;
	char *tail = read_tail(fd, size, &text), *out = NULL;

	while (tail && !out && last_line(text, &line)) {
		if (!is_checkpoint(line))
			out = str_dup(line);
		text.n = (size_t)(line.p - text.p);
	}
	free(tail);
	return out;
}

static int take_line(struct audit_chain *chain, const char *path, struct str line, struct err *e)
{
	if (!audit_line_seq(line, &chain->seq))
		return err_set(e, EINVAL, "%s: its last line is no record: move it away", path);
	audit_line_hash(line, chain->hash);
	return 0;
}

/* The file has no record yet, as after a crash right behind a rotation, or on a full disk: the chain is that
 * of FILE.1. */
static int follow_older(const char *file, struct audit_chain *chain, struct err *e)
{
	char path[AUDIT_PATH_MAX], *tail;
	struct str text, line;
	struct stat st;
	int fd, rc = 0;

	snprintf(path, sizeof path, "%s.1", file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_set(e, errno, "%s: cannot be read: %s", path, strerror(errno));
	tail = fstat(fd, &st) == 0 ? read_tail(fd, (uint64_t)st.st_size, &text) : NULL;
	if (!tail)
		rc = err_set(e, EIO, "%s: cannot be read", path);
	else if (last_line(text, &line))
		rc = take_line(chain, path, line, e);
	free(tail);
	close(fd);
	return rc;
}

static bool is_torn(struct str text)
{
	struct str first = STR("{\"seq\":");

	return text.n < AUDIT_LINE_MAX && str_starts(text, str_sub(first, 0, text.n));
}

int audit_find_end(
	const char *file, int fd, uint64_t size, struct audit_chain *chain, uint64_t *whole, struct err *e)
{
	struct str text, line;
	char *tail = read_tail(fd, size, &text);
	int rc;

	*whole = 0;
	if (!tail)
		return err_set(e, EIO, "%s: cannot be read", file);
	if (last_line(text, &line)) {
		rc = take_line(chain, file, line, e);
		*whole = size - text.n + (uint64_t)(line.p - tail) + line.n + 1;
	} else if (is_torn(text)) {
		rc = follow_older(file, chain, e);
	} else {
		rc = err_set(e, EINVAL, "%s: this is no audit: move it away", file);
	}
	free(tail);
	return rc;
}

int audit_check(const char *file, struct err *e)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
	struct audit_chain chain = {0};
	struct stat st;
	uint64_t whole;

	if (fd < 0 && errno == ENOENT)
		rc = follow_older(file, &chain, e);
	else if (fd < 0 || fstat(fd, &st) < 0)
		rc = err_set(e, errno, "%s: cannot be read: %s", file, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, EINVAL, "%s: is not a file", file);
	else
		rc = audit_find_end(file, fd, (uint64_t)st.st_size, &chain, &whole, e);
	if (fd >= 0)
		close(fd);
	return rc ? rc : audit_key_check(file, chain.seq > 0, e);
}
