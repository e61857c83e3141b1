/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms carry a state. The newest of each is kept here, so that one that finds no room is told later, and whoever
 * connects is told of all that last.
 */
#include <string.h>

#include "dataplane/control/control_private.h"

static bool same_source(const struct dp_alarm *a, const struct dp_alarm *b)
{
	return a->kind == b->kind && a->worker == b->worker && strcmp(a->interface, b->interface) == 0;
}

static struct control_alarm *find(struct control *c, const struct dp_alarm *a)
{
	uint32_t i = 0;

	while (i < c->n_alarms && !same_source(&c->alarms[i].newest, a))
		i++;
	if (i == CONTROL_ALARMS)
		return NULL;
	if (i == c->n_alarms)
		c->n_alarms++;
	return &c->alarms[i];
}

void control_alarm_note(struct control *c, const struct dp_alarm *a)
{
	struct control_alarm *known = find(c, a);

	/* There is room for each worker and each port. */
	if (known)
		known->newest = *a;
}

static bool untold(const struct control_alarm *a)
{
	return a->newest.raised != a->told_raised || a->newest.times != a->told_times;
}

void control_alarms_tell(struct control *c)
{
	for (uint32_t i = 0; c->listening && i < c->n_alarms; i++) {
		struct control_alarm *a = &c->alarms[i];
		union dp_msg m;

		if (!untold(a))
			continue;
		m.alarm = a->newest;
		if (control_emit(c, &m) < 0)
			return;
		a->told_raised = a->newest.raised;
		a->told_times = a->newest.times;
	}
}

void control_alarms_untold(struct control *c)
{
	for (uint32_t i = 0; i < c->n_alarms; i++) {
		c->alarms[i].told_raised = false;
		c->alarms[i].told_times = c->alarms[i].newest.times;
	}
}
