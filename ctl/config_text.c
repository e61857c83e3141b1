/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/config_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All of a file, NUL-terminated; NULL with errno. */
static char *read_all(FILE *f, size_t *n)
{
	size_t cap = 65536;
	char *text = malloc(cap);

	*n = 0;
	while (text) {
		*n += fread(text + *n, 1, cap - 1 - *n, f);
		if (*n < cap - 1)
			break;
		cap *= 2;
		char *more = cap <= CONFIG_TEXT_MAX ? realloc(text, cap) : NULL;

		if (!more) {
			free(text);
			errno = EFBIG;
			return NULL;
		}
		text = more;
	}
	if (text && ferror(f)) {
		free(text);
		return NULL;
	}
	if (text)
		text[*n] = 0;
	return text;
}

/* As the gateway's own file may have them: lines that begin with // are comments, and keep their numbers. */
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

static enum ctl_exit take(const char *name, char *text, size_t n, json_t *args, struct err *e)
{
	bool xml = text[strspn(text, " \t\r\n\xef\xbb\xbf")] == '<';
	json_error_t where;

	if (!xml)
		blank_comments(text);
	json_t *config = xml ? json_stringn(text, n) : json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);

	if (!config && xml) {
		err_set(e, EINVAL, "%s: not UTF-8", name);
		return CTL_REFUSED;
	}
	if (!json_is_string(config) && !json_is_object(config)) {
		if (config)
			err_set(e, EINVAL, "%s: not a JSON object", name);
		else
			err_set(e, EINVAL, "%s:%d: not JSON: %s%s", name, where.line, where.text,
				strstr(where.text, "expected near '}'") || strstr(where.text, "near ']'")
					? ": no comma behind the last entry"
					: "");
		json_decref(config);
		return CTL_REFUSED;
	}
	json_object_set_new(args, "config", config);
	json_object_set_new(args, "format", json_string(xml ? "xml" : "json"));
	return CTL_OK;
}

enum ctl_exit config_text_read(const char *file, json_t *args, struct err *e)
{
	bool standard = strcmp(file, "-") == 0;
	const char *name = standard ? "standard input" : file;
	FILE *f = standard ? stdin : fopen(file, "re");
	size_t n;
	char *text = f ? read_all(f, &n) : NULL;
	enum ctl_exit code = CTL_FAILED;

	if (text)
		code = take(name, text, n, args, e);
	else
		err_set(e, errno, "%s: %s", name, strerror(errno));
	free(text);
	if (f && !standard)
		fclose(f);
	return code;
}
