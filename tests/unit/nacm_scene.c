/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/nacm_scene.h"

struct scene scene(const char *nacm)
{
	struct scene c = {.b = bench_new(nacm)};

	c.s = engine_session_open(c.b->engine, STRANGER, "netconf", "192.0.2.7");
	assert_non_null(c.s);
	assert_string_equal(engine_session_user(c.s), "4242");
	return c;
}

void scene_end(struct scene c)
{
	engine_session_close(c.s);
	bench_free(c.b);
}

bool scene_may_set(struct scene c, const char *path, const char *value)
{
	bool may = bench_set(c.b, c.s, path, value) == 0;

	if (!may)
		assert_string_equal(c.b->fault.tag, "access-denied");
	assert_int_equal(engine_discard(c.b->root, &c.b->fault), 0);
	return may;
}

bool scene_sees(struct scene c, const char *xpath)
{
	const char *seen = bench_get(c.b, c.s, ENGINE_RUNNING, xpath);

	return strcmp(seen, "{}") != 0 && strcmp(seen, "access-denied") != 0;
}
