/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/value.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

const json_t *value_at(const json_t *o, ...)
{
	const char *name;
	va_list ap;

	va_start(ap, o);
	while (o && (name = va_arg(ap, const char *)) != NULL)
		o = json_object_get(o, name);
	va_end(ap);
	return o;
}

static bool is_named(const char *key, const char *name)
{
	const char *colon = strchr(key, ':');

	return strcmp(key, name) == 0 || (colon && strcmp(colon + 1, name) == 0);
}

static const json_t *find(const json_t *o, const char *name, unsigned depth)
{
	const char *key;
	json_t *v;
	size_t i;

	if (depth == 0)
		return NULL;
	json_object_foreach((json_t *)o, key, v)
	{
		const json_t *found = is_named(key, name) ? v : find(v, name, depth - 1);

		if (found)
			return found;
	}
	json_array_foreach(o, i, v)
	{
		const json_t *found = find(v, name, depth - 1);

		if (found)
			return found;
	}
	return NULL;
}

const json_t *value_find(const json_t *o, const char *name)
{
	return find(o, name, DEPTH_MAX);
}

double value_number(const json_t *v)
{
	return json_is_string(v) ? strtod(json_string_value(v), NULL) : json_number_value(v);
}

/* "srtp-gateway:AEAD_AES_256_GCM" without its module; "[2001:db8::1]:5061" as it is. */
static const char *without_module(const char *z)
{
	static const char module[] = "srtp-gateway:";

	return strncmp(z, module, sizeof module - 1) == 0 ? z + sizeof module - 1 : z;
}

const char *value_text(const json_t *v, char buf[32])
{
	if (json_is_string(v))
		return without_module(json_string_value(v));
	if (json_is_integer(v))
		snprintf(buf, 32, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		snprintf(buf, 32, "%.1f", json_real_value(v));
	else
		snprintf(buf, 32, "%s", json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "");
	return buf;
}

void value_cell(struct table *t, const json_t *v)
{
	char buf[32];

	table_text(t, value_text(v, buf));
}

bool value_quote(const char *text, char *out, size_t cap)
{
	char quote = strchr(text, '\'') ? '"' : '\'';
	int n = snprintf(out, cap, "%c%s%c", quote, text, quote);

	return !(quote == '"' && strchr(text, '"')) && n > 0 && (size_t)n < cap;
}
