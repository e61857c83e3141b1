/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/standby/status_metrics.h"

#include <inttypes.h>

static void one(FILE *to, const char *name, const char *type, const char *help, const char *value)
{
	fprintf(to, "# HELP srtpgw_standby_%s %s\n# TYPE srtpgw_standby_%s %s\nsrtpgw_standby_%s %s\n", name,
		help, name, type, name, value);
}

static void number(FILE *to, const char *name, const char *type, const char *help, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, v);
	one(to, name, type, help, text);
}

/* Prometheus counts seconds since 1970. */
static void moment(FILE *to, const char *name, const char *help, uint64_t wall_ms)
{
	char text[28];

	snprintf(text, sizeof text, "%" PRIu64 ".%03u", wall_ms / 1000, (unsigned)(wall_ms % 1000));
	one(to, name, "gauge", help, text);
}

void status_metrics(const struct standby_status *s, FILE *to)
{
	number(to, "receiving", "gauge", "1: srtpgw-standby receives here; 0: not, as on the active machine.",
		s && s->state != STANDBY_REFUSED);
	number(to, "refused", "gauge",
		"1: the active machine has records of a version that is not read here, and nobody receives.",
		s && s->state == STANDBY_REFUSED);
	number(to, "in_step", "gauge", "1: every call and registration of the active machine is here.",
		s && s->state == STANDBY_IN_STEP);
	if (!s || s->state == STANDBY_REFUSED)
		return;
	moment(to, "state_change_timestamp_seconds", "Since when it is in step, or is not.", s->since_ms);
	moment(to, "heard_timestamp_seconds",
		"When the active machine was heard last, which speaks once a second; 0: not yet.",
		s->heard_ms);
	number(to, "calls", "gauge", "Calls in the last copy of all.", s->calls);
	number(to, "registrations", "gauge", "Registrations in the last copy of all.", s->registrations);
	number(to, "changes_total", "counter",
		"Changes of calls and registrations since the last copy of all.", s->changes);
}
