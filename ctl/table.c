/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct table {
	unsigned columns;
	bool right[TABLE_COLUMNS_MAX];
	char **cells; /* the headings are the first row */
	size_t n, cap;
	bool failed; /* a cell had no memory: what there is is printed */
};

/* A code point that draws something and leaves the cursor to the right of it. */
static bool is_harmless(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return false; /* C0, DEL, C1 */
	if ((cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
		(cp >= 0x2060 && cp <= 0x206f))
		return false; /* zero width, line separators, direction */
	return cp != 0xfeff && cp != 0x061c && (cp < 0xfff9 || cp > 0xfffb);
}

/* One code point and its octets; 0, which is not harmless, for an octet that is not UTF-8. */
static size_t decode(const char *p, uint32_t *cp)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;

	*cp = n == 1 ? u[0] : u[0] & (0xffu >> (n + 1));
	if (u[0] >= 0x80 && (u[0] < 0xc2 || u[0] > 0xf4))
		*cp = 0, n = 1;
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80) {
			*cp = 0;
			return i;
		}
		*cp = *cp << 6 | (u[i] & 0x3f);
	}
	return n;
}

static char *harmless(const char *z)
{
	char *out = malloc(strlen(z) + 1), *w = out;
	uint32_t cp;

	if (!out)
		return NULL;
	while (*z) {
		size_t n = decode(z, &cp);

		if (is_harmless(cp)) {
			memcpy(w, z, n);
			w += n;
		} else {
			*w++ = '?';
		}
		z += n;
	}
	*w = 0;
	return out;
}

static size_t width(const char *z)
{
	size_t n = 0;

	for (; *z; z++)
		n += ((unsigned char)*z & 0xc0) != 0x80;
	return n;
}

static void add(struct table *t, const char *z)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		char **cells = realloc(t->cells, cap * sizeof *cells);

		if (!cells) {
			t->failed = true;
			return;
		}
		t->cells = cells;
		t->cap = cap;
	}
	t->cells[t->n] = harmless(z);
	if (t->cells[t->n])
		t->n++;
	else
		t->failed = true;
}

struct table *table_new(const char *headings)
{
	struct table *t = calloc(1, sizeof *t);
	char name[64];

	if (!t)
		return NULL;
	while (*headings && t->columns < TABLE_COLUMNS_MAX) {
		size_t n = strcspn(headings, " ");

		t->right[t->columns] = *headings == '>';
		snprintf(name, sizeof name, "%.*s", (int)(n - t->right[t->columns]),
			headings + t->right[t->columns]);
		t->columns++;
		add(t, name);
		headings += n + strspn(headings + n, " ");
	}
	return t;
}

void table_text(struct table *t, const char *z)
{
	if (t && !t->failed)
		add(t, z && *z ? z : "-");
}

void table_number(struct table *t, int64_t v)
{
	char text[32];

	snprintf(text, sizeof text, "%" PRId64, v);
	table_text(t, text);
}

void table_fixed(struct table *t, double v, int digits)
{
	char text[64];

	snprintf(text, sizeof text, "%.*f", digits, v);
	table_text(t, text);
}

static void print_row(const struct table *t, size_t first, const size_t *widths, FILE *to)
{
	for (unsigned c = 0; c < t->columns; c++) {
		const char *z = first + c < t->n ? t->cells[first + c] : "-";
		int pad = (int)(widths[c] - width(z));

		if (t->right[c])
			fprintf(to, "%*s%s", pad, "", z);
		else if (c + 1 < t->columns)
			fprintf(to, "%s%*s", z, pad, "");
		else
			fputs(z, to);
		fputs(c + 1 < t->columns ? "  " : "\n", to);
	}
}

void table_print(struct table *t, FILE *to)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};

	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		size_t w = width(t->cells[i]);

		if (w > widths[i % t->columns])
			widths[i % t->columns] = w;
	}
	for (size_t row = 0; row < t->n; row += t->columns)
		print_row(t, row, widths, to);
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void print_harmless(const char *z, FILE *to)
{
	char *text = harmless(z);

	fputs(text ? text : "?", to);
	free(text);
}
