/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/plane.h"

#include <string.h>

#include "ctl/print.h"
#include "ctl/show.h"
#include "ctl/value.h"

#define PLANE "/srtp-gateway:statistics/data-plane/"
#define AUDIT "/srtp-gateway:statistics/audit"

static void add_alarm(struct table *t, const json_t *alarm, const char *about, const char *which)
{
	char number[32], text[64];

	value_cell(t, json_object_get(alarm, "kind"));
	snprintf(text, sizeof text, "%s %s", about, value_text(json_object_get(alarm, which), number));
	table_text(t, text);
	table_text(t, json_is_true(json_object_get(alarm, "raised")) ? "raised" : "over");
	value_cell(t, json_object_get(alarm, "times"));
}

/* file-taken is no state: it is listed for what it may have cost. */
static void add_audit(struct table *t, const json_t *audit)
{
	static const struct {
		const char *kind, *now, *times;
	} kinds[] = {{"file-taken", NULL, "file-taken"}, {"file-away", "file-away", "file-taken"},
		{"records-lost", "losing", "lost"}};

	for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		bool now = kinds[i].now && json_is_true(json_object_get(audit, kinds[i].now));
		const json_t *times = json_object_get(audit, kinds[i].times);

		if (!now && (strcmp(kinds[i].kind, "file-away") == 0 || value_number(times) == 0))
			continue;
		table_text(t, kinds[i].kind);
		table_text(t, "audit");
		table_text(t, now ? "raised" : "over");
		value_cell(t, times);
	}
}

static void print_alarms(const json_t *plane, const json_t *audit, FILE *to)
{
	const json_t *devices = json_object_get(plane, "alarm"), *alarm;
	const json_t *interfaces = json_object_get(plane, "interface-alarm");
	struct table *t = table_new("ALARM ABOUT STATE >TIMES");
	size_t i;

	if (json_is_false(json_object_get(plane, "connected"))) {
		table_text(t, "data-plane");
		table_text(t, "is not connected");
		table_text(t, "raised");
		table_text(t, NULL);
	}
	json_array_foreach(interfaces, i, alarm) add_alarm(t, alarm, "interface", "interface");
	json_array_foreach(devices, i, alarm) add_alarm(t, alarm, "worker", "worker");
	add_audit(t, audit);
	table_print(t, to);
}

enum ctl_exit plane_alarms(struct client *c, const struct ctl_args *a, struct err *e)
{
	json_t *data = NULL;
	enum ctl_exit code = show_get(
		c, PLANE "connected | " PLANE "alarm | " PLANE "interface-alarm | " AUDIT, 0, &data, e);

	if (code == CTL_OK && args_json(a))
		print_json(data, stdout);
	else if (code == CTL_OK)
		print_alarms(value_at(data, "srtp-gateway:statistics", "data-plane", NULL),
			value_at(data, "srtp-gateway:statistics", "audit", NULL), stdout);
	json_decref(data);
	return code;
}

void plane_interfaces(const json_t *plane, FILE *to)
{
	static const char *const rx[] = {"packets", "missed", "errors", "no-buffer", NULL};
	static const char *const tx[] = {"packets", "errors", NULL};
	const json_t *list = json_object_get(plane, "interface"), *interface;
	struct table *t;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	t = table_new("INTERFACE LINK >LOSSES >RX >MISSED >ERRORS >NO-BUFFER >TX >TX-ERRORS");
	json_array_foreach(list, i, interface)
	{
		value_cell(t, json_object_get(interface, "name"));
		value_cell(t, json_object_get(interface, "link"));
		value_cell(t, json_object_get(interface, "link-losses"));
		for (const char *const *name = rx; *name; name++)
			value_cell(t, value_at(interface, "rx", *name, NULL));
		for (const char *const *name = tx; *name; name++)
			value_cell(t, value_at(interface, "tx", *name, NULL));
	}
	fputs("network interfaces\n", to);
	table_print(t, to);
}
