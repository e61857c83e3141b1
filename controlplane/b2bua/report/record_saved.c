/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of sessions that have ended and still wait for something: kept outside the process as the text that
 * they are to be, so that the next one writes them without knowing more of the call than that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/audit/audit.h"
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/report/record.h"
#include "lib/base/clock.h"

void record_save(const struct call *c, struct wbuf *w)
{
	json_t *o = record_session(c);
	char *text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (text)
		wbuf_z(w, text);
	else
		w->overflow = true;
	free(text);
	json_decref(o);
}

/* A new reference; NULL: it is no record of a session. */
static json_t *read_session(const char *p, size_t n)
{
	json_t *o = json_loadb(p, n, 0, NULL);
	const char *type = json_string_value(json_object_get(o, "type"));

	if (type && strcmp(type, "session") == 0)
		return o;
	json_decref(o);
	return NULL;
}

static void copy_member(char *out, size_t n, const json_t *o, const char *name)
{
	const char *z = json_string_value(json_object_get(o, name));

	snprintf(out, n, "%s", z ? z : "");
}

static void name_session(const json_t *o, struct record_name *out)
{
	copy_member(out->call, sizeof out->call, o, "call");
	copy_member(out->began, sizeof out->began, o, "began");
}

int record_write_saved(struct b2bua *b, struct str text)
{
	json_t *o = read_session(text.p, text.n);

	if (!o)
		return -EPROTO;
	record_time(o, "time", clock_wall_ms());
	record_write(b, o);
	return 0;
}

int record_name_saved(struct str text, struct record_name *out)
{
	json_t *o = read_session(text.p, text.n);

	if (!o)
		return -EPROTO;
	name_session(o, out);
	json_decref(o);
	return 0;
}

void record_name_last(const struct b2bua *b, struct record_name *out)
{
	char *line = audit_last(b->audit);
	json_t *o = line ? read_session(line, strlen(line)) : NULL;

	*out = (struct record_name){0};
	if (o)
		name_session(o, out);
	json_decref(o);
	free(line);
}

void record_name_call(const char *id, uint64_t began_ms, struct record_name *out)
{
	snprintf(out->call, sizeof out->call, "%s", id);
	clock_text(began_ms, out->began);
}
