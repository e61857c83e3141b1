/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/config_example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *config_example(void)
{
	static char text[65536];
	FILE *f = fopen(EXAMPLE, "r");
	char line[512];

	assert_non_null(f);
	text[0] = 0;
	while (fgets(line, sizeof line, f)) {
		if (strncmp(line + strspn(line, " "), "//", 2) != 0)
			strcat(text, line);
	}
	fclose(f);
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	return root;
}

static json_t *step(json_t *at, const char *name)
{
	return json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
}

void config_change(json_t *root, const char *at, const char *value)
{
	char path[256], *save = NULL;
	json_t *node = json_object_get(root, "srtp-gateway:gateway"), *parent = NULL;
	const char *name = NULL;

	snprintf(path, sizeof path, "%s", at);
	for (char *s = strtok_r(path, "/", &save); s; s = strtok_r(NULL, "/", &save)) {
		if (name)
			node = step(node, name);
		assert_non_null(node);
		name = s;
	}
	parent = node;
	if (!*value) {
		if (json_is_array(parent))
			assert_int_equal(json_array_remove(parent, (size_t)atoi(name)), 0);
		else
			assert_int_equal(json_object_del(parent, name), 0);
		return;
	}
	json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);

	assert_non_null(v);
	if (!json_is_array(parent))
		assert_int_equal(json_object_set_new(parent, name, v), 0);
	else if ((size_t)atoi(name) < json_array_size(parent))
		assert_int_equal(json_array_set_new(parent, (size_t)atoi(name), v), 0);
	else
		assert_int_equal(json_array_append_new(parent, v), 0);
}

int config_parse_tree(json_t *root, struct config **c, struct err *e)
{
	char *text = json_dumps(root, JSON_INDENT(1));

	assert_non_null(text);
	int rc = config_parse(str_z(text), "test.json", c, e);

	free(text);
	return rc;
}
