/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/refresh.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

void refresh_begin(struct refresh *r)
{
	r->terminal = isatty(STDOUT_FILENO);
	sigemptyset(&r->ending);
	sigaddset(&r->ending, SIGINT);
	sigaddset(&r->ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &r->ending, NULL);
}

/* Octets of a line that take up at most so many columns; a code point is one. */
static size_t fitting(const char *line, size_t n, unsigned columns)
{
	size_t i = 0;

	for (unsigned used = 0; i < n; i++)
		if (((unsigned char)line[i] & 0xc0) != 0x80 && used++ == columns)
			break;
	return i;
}

void refresh_clip(const char *text, unsigned lines, unsigned columns, FILE *to)
{
	for (unsigned line = 1; *text; line++) {
		size_t n = strcspn(text, "\n");

		fwrite(text, 1, fitting(text, n, columns), to);
		text += n + (text[n] == '\n');
		/* A line end on the last line would scroll. */
		if (line >= lines)
			break;
		fputc('\n', to);
	}
}

void refresh_show(const struct refresh *r, const char *text)
{
	struct winsize size;

	if (!r->terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || !size.ws_row || !size.ws_col) {
		puts(text);
		return;
	}
	fputs("\033[H\033[J", stdout); /* home, clear */
	refresh_clip(text, size.ws_row, size.ws_col, stdout);
}

bool refresh_pause(const struct refresh *r, double seconds)
{
	struct timespec t = {.tv_sec = (time_t)seconds};

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	if (fflush(stdout) != 0 || ferror(stdout))
		return true;
	return sigtimedwait(&r->ending, NULL, &t) >= 0;
}

void refresh_end(const struct refresh *r)
{
	if (r->terminal)
		putchar('\n');
}

unsigned refresh_lines(const struct refresh *r)
{
	struct winsize size;

	if (!r->terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_row;
}
