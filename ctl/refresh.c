/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/refresh.h"

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

void refresh_clear(const struct refresh *r)
{
	if (r->terminal)
		fputs("\033[H\033[J", stdout); /* home, clear */
}

bool refresh_pause(const struct refresh *r, double seconds)
{
	struct timespec t = {.tv_sec = (time_t)seconds};

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	if (fflush(stdout) != 0 || ferror(stdout))
		return true;
	return sigtimedwait(&r->ending, NULL, &t) >= 0;
}

unsigned refresh_lines(const struct refresh *r)
{
	struct winsize size;

	if (!r->terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_row;
}
