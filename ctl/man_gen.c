/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build-time: the manual page of srtpgwctl, whose commands are those of the program's own table.
 * usage: ctl_man_gen INPUT OUTPUT: a line "@COMMANDS@" of INPUT is replaced.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"

/* Text as roff takes it. At the beginning of a line '.' and '\'' would be requests. */
static void put_text(const char *p, size_t n, FILE *to)
{
	if (n && (*p == '.' || *p == '\''))
		fputs("\\&", to);
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\\')
			fputs("\\e", to);
		else if (p[i] == '-')
			fputs("\\-", to);
		else
			fputc(p[i], to);
	}
}

/* A text line; a sentence that ends within it ends the line, which is how roff tells sentences. */
static void put_line(const char *p, size_t n, FILE *to)
{
	size_t begin = 0;

	for (size_t i = 0; i + 2 < n; i++) {
		if (p[i] != '.' || p[i + 1] != ' ')
			continue;
		put_text(p + begin, i + 1 - begin, to);
		fputc('\n', to);
		begin = i + 2;
	}
	put_text(p + begin, n - begin, to);
	fputc('\n', to);
}

/* "--state STATE" as macros; what stands in brackets is optional. */
static void put_option(const char *p, size_t n, FILE *to)
{
	char words[128], *save = NULL;

	snprintf(words, sizeof words, "%.*s", (int)n, p);
	fputs(".It", to);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (strncmp(w, "--", 2) == 0)
			fprintf(to, " Fl \\-%s", w + 2);
		else if (*w == '[')
			fprintf(to, " Op Ar %.*s", (int)strcspn(w + 1, "]"), w + 1);
		else
			fprintf(to, " Ar %s", w);
	}
	fputc('\n', to);
}

struct page {
	FILE *to;
	bool list;    /* inside a list of options */
	bool pending; /* an empty line came: a paragraph begins, if text follows */
};

static void put_help_line(struct page *g, const char *p, size_t n)
{
	bool indented = n > 2 && p[0] == ' ' && p[1] == ' ', option = indented && p[2] == '-';

	if (n == 0) {
		g->pending = true;
		return;
	}
	if (option && !g->list)
		fputs(".Bl -tag -width Ds\n", g->to);
	else if (!indented && g->list)
		fputs(".El\n", g->to);
	if (!indented && g->pending)
		fputs(".Pp\n", g->to);
	g->list = indented && (option || g->list);
	g->pending = false;
	if (option) {
		const char *gap = strstr(p + 2, "  ");
		size_t name = gap && gap < p + n ? (size_t)(gap - p) : n;

		put_option(p + 2, name - 2, g->to);
		p += name;
		n -= name;
	}
	size_t space = strspn(p, " ");

	put_line(p + space, n - space, g->to);
}

static void put_command(const struct command *c, FILE *to)
{
	struct page g = {.to = to};

	fprintf(to, ".Ss %s\n.D1 srtpgwctl ", c->name);
	put_text(c->name, strlen(c->name), to);
	fputs(*c->synopsis ? " " : "", to);
	put_text(c->synopsis, strlen(c->synopsis), to);
	fputs("\n.Pp\n", to);
	for (const char *p = c->help; *p;) {
		size_t n = strcspn(p, "\n");

		put_help_line(&g, p, n);
		p += n + (p[n] == '\n');
	}
	if (g.list)
		fputs(".El\n", to);
}

int main(int argc, char **argv)
{
	FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL, *to = in ? fopen(argv[2], "w") : NULL;
	char line[1024];

	if (!to) {
		fprintf(stderr, "usage: ctl_man_gen INPUT OUTPUT\n");
		return 1;
	}
	while (fgets(line, sizeof line, in)) {
		if (strcmp(line, "@COMMANDS@\n") != 0) {
			fputs(line, to);
			continue;
		}
		for (const struct command *c = commands; c->name; c++)
			put_command(c, to);
	}
	fclose(in);
	return fclose(to) == 0 ? 0 : 1;
}
