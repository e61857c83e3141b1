/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/obs/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_op(const char *z, size_t n)
{
	return n > 0 && n < REQUEST_OP_MAX && strspn(z, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* A parsed value takes a hundred octets and more: a line full of "[]," would be a gigabyte. */
static bool has_too_many_values(struct str line)
{
	bool quoted = false;
	size_t n = 0;

	for (size_t i = 0; i < line.n; i++) {
		if (quoted && line.p[i] == '\\')
			i++;
		else if (line.p[i] == '"')
			quoted = !quoted;
		else if (!quoted)
			n += line.p[i] == ',' || line.p[i] == '[' || line.p[i] == '{';
	}
	return n > REQUEST_VALUES_MAX;
}

int request_parse(struct str line, struct request *out, struct err *e)
{
	json_error_t where;

	if (has_too_many_values(line))
		return err_set(
			e, E2BIG, "more than %u values in a request: send it in parts", REQUEST_VALUES_MAX);
	json_t *root = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &where);
	json_t *op = json_object_get(root, "op"), *args = json_object_get(root, "args");
	int rc = 0;

	if (!root)
		return err_set(e, EINVAL, "not JSON at column %d: %s", where.column, where.text);
	if (!json_is_string(op) || !is_op(json_string_value(op), json_string_length(op))) {
		rc = err_set(e, EINVAL, "a request is {\"op\":\"NAME\",\"args\":{...}}");
		goto out;
	}
	if (args && !json_is_object(args)) {
		rc = err_set(e, EINVAL, "\"args\" is not an object");
		goto out;
	}
	args = args ? json_incref(args) : json_object();
	if (!args) {
		rc = err_set(e, ENOMEM, "out of memory");
		goto out;
	}
	memcpy(out->op, json_string_value(op), json_string_length(op) + 1);
	out->args = args;
out:
	json_decref(root);
	return rc;
}

/* Takes over root. */
static char *to_line(json_t *root, size_t *n)
{
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	char *line = NULL;

	if (text) {
		*n = strlen(text);
		line = realloc(text, *n + 2);
		if (!line)
			free(text);
	}
	if (line) {
		line[(*n)++] = '\n';
		line[*n] = 0;
	}
	json_decref(root);
	return line;
}

char *request_answer(json_t *data, json_t *warnings, size_t *n)
{
	return to_line(json_pack("{s:b,s:O,s:O*}", "ok", 1, "data", data, "warnings", warnings), n);
}

/* Text as JSON, whatever its octets: what a client sent may stand in it. */
static json_t *safe_text(const char *z)
{
	json_t *text = json_string(z);

	return text ? text : json_string("(text that is not UTF-8)");
}

json_t *request_error_object(const char *tag, const char *type, const char *path, const char *message)
{
	return json_pack("{s:s,s:s,s:o,s:o}", "tag", tag, "type", type, "path", safe_text(path), "message",
		safe_text(message));
}

char *request_error(json_t *error, size_t *n)
{
	return to_line(json_pack("{s:o}", "error", error), n);
}

char *request_line(json_t *root, size_t *n)
{
	return to_line(root, n);
}

int request_peek_op(struct str line, char out[REQUEST_OP_MAX])
{
	static const char *const before[] = {"{", "\"op\"", ":", "\""};
	ptrdiff_t end;

	for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
		line = str_trim(line);
		if (!str_starts(line, str_z(before[i])))
			return -EINVAL;
		line = str_sub(line, strlen(before[i]), line.n);
	}
	end = str_chr(line, '"');
	if (end < 0 || !is_op(line.p, (size_t)end))
		return -EINVAL;
	return str_copy(out, REQUEST_OP_MAX, str_sub(line, 0, (size_t)end));
}
