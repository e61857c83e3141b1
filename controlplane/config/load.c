/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <libyang/libyang.h>

#include "controlplane/config/schema.h"
#include "controlplane/config/snapshot.h"

struct str config_yang(void)
{
	const struct schema_module *m = schema_module("srtp-gateway");

	return (struct str){m->text, m->octets};
}

/* The byte order mark that some editors put at the beginning of a file says nothing about UTF-8. */
static void blank_mark(char *text)
{
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		memset(text, ' ', 3);
}

/* Blanks every line that begins with //, so that what follows keeps its line number. */
static void blank_comments(char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *p = text + strspn(text, " \t");

		if (strncmp(p, "//", 2) == 0)
			memset(p, ' ', n - (size_t)(p - text));
		text += n + (text[n] == '\n');
	}
}

/* What people take for JSON, by the token where the parser stopped; "" when it is nothing of that kind. */
static const char *json_advice(const char *reason)
{
	if (strstr(reason, "near '/") || strstr(reason, "near '#"))
		return ": a comment begins with // and has a line of its own";
	if (strstr(reason, "expected near '}'") || strstr(reason, "near ']'"))
		return ": no comma behind the last entry";
	return "";
}

/* libyang's JSON reader never sees what is not JSON, is nested without bound or names a member twice. */
static int check_json(const char *text, size_t n, const char *name, struct err *e)
{
	json_error_t where;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);
	bool is_object = json_is_object(root);

	json_decref(root);
	if (!root)
		return err_set(e, EINVAL, "%s:%d: column %d: %s%s", name, where.line, where.column,
			where.text, json_advice(where.text));
	if (!is_object)
		return err_set(e, EINVAL,
			"%s:1: a configuration is a JSON object: { \"srtp-gateway:gateway\": ... }", name);
	return 0;
}

int load_tree(
	struct ly_ctx *ctx, char *text, size_t n, const char *name, struct lyd_node **out, struct err *e)
{
	int rc;

	if (memchr(text, 0, n))
		return err_set(e, EINVAL, "%s: this is not a text file", name);
	blank_mark(text);
	blank_comments(text);
	rc = check_json(text, n, name, e);
	return rc ? rc : schema_parse(ctx, text, name, out, e);
}

int load_text(struct ly_ctx *ctx, char *text, size_t n, const char *name, struct config **out, struct err *e)
{
	struct lyd_node *tree = NULL;
	int rc = load_tree(ctx, text, n, name, &tree, e);

	if (rc)
		return rc;
	rc = snapshot_make(tree, out, e);
	if (rc)
		err_prefix(e, "%s", name);
	lyd_free_all(tree);
	return rc;
}

static int load_with_new_context(char *text, size_t n, const char *name, struct config **out, struct err *e)
{
	struct ly_ctx *ctx = NULL;
	int rc = schema_context(&ctx, e);

	if (rc)
		return rc;
	rc = load_text(ctx, text, n, name, out, e);
	ly_ctx_destroy(ctx);
	return rc;
}

int config_parse(struct str text, const char *name, struct config **out, struct err *e)
{
	if (text.n > CONFIG_TEXT_MAX)
		return err_set(e, E2BIG, "%s: larger than %u octets", name, CONFIG_TEXT_MAX);
	char *copy = malloc(text.n + 1);

	if (!copy)
		return err_set(e, ENOMEM, "%s: no memory to read it", name);
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	int rc = load_with_new_context(copy, text.n, name, out, e);

	free(copy);
	return rc;
}

static int read_all(int fd, size_t size, char **out, size_t *n)
{
	char *text = malloc(size + 1);
	ssize_t got = 1;

	if (!text)
		return -ENOMEM;
	for (*n = 0; *n < size && got > 0;) {
		got = read(fd, text + *n, size - *n);
		if (got > 0)
			*n += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	if (got < 0) {
		int rc = -errno;

		free(text);
		return rc;
	}
	text[*n] = 0;
	*out = text;
	return 0;
}

int config_load(const char *path, struct config **out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err reason;
	struct stat st;
	char *text = NULL;
	size_t n = 0;
	int rc;

	if (fd < 0)
		return err_set(e, errno, "%s: cannot be opened: %s", path, err_read_reason(errno, &reason));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		rc = err_set(e, EINVAL, "%s: this is not a file", path);
		goto out;
	}
	if (st.st_size > (off_t)CONFIG_TEXT_MAX) {
		rc = err_set(e, E2BIG, "%s: larger than %u octets", path, CONFIG_TEXT_MAX);
		goto out;
	}
	rc = read_all(fd, (size_t)st.st_size, &text, &n);
	if (rc)
		err_set(e, -rc, "%s: cannot be read: %s", path, strerror(-rc));
	else
		rc = load_with_new_context(text, n, path, out, e);
out:
	free(text);
	close(fd);
	return rc;
}
