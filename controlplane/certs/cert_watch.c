/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/certs/cert_watch.h"

#define DAY_S 86400

static const int steps[] = {30, 7, 1};

enum { STEPS = sizeof steps / sizeof *steps };

int cert_days_left(int64_t not_after_s, int64_t now_s)
{
	int64_t left = not_after_s - now_s;

	return (int)(left >= 0 ? left / DAY_S : -((-left + DAY_S - 1) / DAY_S));
}

bool cert_notice_due(struct cert_said *said, int64_t not_after_s, int64_t now_s)
{
	int64_t left = not_after_s - now_s, day = now_s / DAY_S;
	unsigned reached = 0;

	if (left < 0) {
		if (said->day == day)
			return false;
		said->day = day;
		return true;
	}
	while (reached < STEPS && left <= (int64_t)steps[reached] * DAY_S)
		reached++;
	if (reached <= said->steps)
		return false;
	said->steps = reached;
	return true;
}
