/* SPDX-License-Identifier: Apache-2.0 */
/* The bench's B2BUA keeps an audit in its folder, and a test reads it. */
#pragma once

#include <unistd.h>

#include "controlplane/audit/audit.h"
#include "tests/unit/b2bua_bench.h"

static char audit_file[80];

static inline struct audit *audit_begin(void)
{
	struct audit_conf conf = {
		.file = audit_file, .max_octets = 8 << 20, .checkpoint_records = 1000, .checkpoint_s = 3600};
	struct audit *a;
	struct err e = {0};

	snprintf(audit_file, sizeof audit_file, "%s/audit.jsonl", bench.folder);
	if (audit_open(&conf, &a, &e) < 0)
		fail_msg("%s", e.text);
	bench.audit = a;
	b2bua_set_audit(bench.b2bua, a);
	return a;
}

/* Every record so far of this type, in order: an array, a new reference. */
static inline json_t *audit_read(const char *type)
{
	static char line[64 << 10];
	json_t *all = json_array();
	FILE *f = fopen(audit_file, "r");

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		json_t *o = json_loads(line, 0, NULL);

		assert_non_null(o);
		if (strcmp(json_string_value(json_object_get(o, "type")), type) == 0)
			json_array_append(all, o);
		json_decref(o);
	}
	fclose(f);
	return all;
}

/* Nothing is left of it. */
static inline void audit_end(struct audit *a)
{
	static const char *const files[] = {"", ".key", ".pub"};
	char file[90];

	bench.audit = NULL;
	b2bua_set_audit(bench.b2bua, NULL);
	audit_close(a);
	for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(file, sizeof file, "%s%s", audit_file, files[i]);
		unlink(file);
	}
}

static inline const char *text_in(const json_t *o, const char *name)
{
	const char *z = json_string_value(json_object_get(o, name));

	if (!z)
		fail_msg("no %s", name);
	return z;
}
