/* SPDX-License-Identifier: Apache-2.0 */
/* An engine with access rules, and a session of an account that they are about. */
#pragma once

#include "tests/unit/engine_bench.h"

/* STRANGER is in a group; rules are the content of its rule-list. */
#define NACM_WITH(defaults, rules)                                                                           \
	"{" defaults "\"groups\":{\"group\":[{\"name\":\"ops\",\"user-name\":[\"4242\"]}]},"                 \
	"\"rule-list\":[{\"name\":\"other\",\"group\":[\"others\"],\"rule\":[{\"name\":\"all\",\"action\":"  \
	"\"permit\"}]},"                                                                                     \
	"{\"name\":\"ops\",\"group\":[\"ops\"],\"rule\":[" rules "]}]}"
#define NACM(rules) NACM_WITH("", rules)

struct scene {
	struct engine_bench *b;
	struct engine_session *s; /* STRANGER's */
};

/* nacm: NULL or an object, as bench_new() takes it. */
struct scene scene(const char *nacm);
void scene_end(struct scene c);

/* Is the account let set, or with value NULL delete, what is at the path? Nothing of it stays. */
bool scene_may_set(struct scene c, const char *path, const char *value);
bool scene_sees(struct scene c, const char *xpath);
