/* SPDX-License-Identifier: Apache-2.0 */
/* Renewals of keys in the bench: under which policy, and what came of them. */
#pragma once

#include "tests/unit/b2bua_audit.h"

#define MINUTE 60000
#define HOUR (60 * MINUTE)

/* carrier-a has a policy with these members. */
static inline void policy(const char *members)
{
	char policies[512];

	snprintf(policies, sizeof policies,
		"\"rekey-policies\":{\"rekey-policy\":[{\"name\":\"p\",%s}]},\"media\":{\"interface\":[",
		members);
	bench_change_all((const struct bench_edit[]){{"\"media\":{\"interface\":[", policies},
				 {"\"crypto-profile\":\"gcm\"}},{\"name\":\"carrier-b\"",
					 "\"crypto-profile\":\"gcm\",\"rekey-policy\":\"p\"}},"
					 "{\"name\":\"carrier-b\""},
				 {"\"max-calls\":250", "\"max-calls\":1000"},
				 {"\"max-calls\":300", "\"max-calls\":1000"}},
		4);
}

/* How many renewals for a cause (NULL: for any) came to a result. */
static inline unsigned long long renewals(const char *cause, const char *result)
{
	json_t *data = look("/srtp-gateway:statistics", 0), *one;
	unsigned long long n = 0;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(data, "statistics"), "rekey"), i, one) {
		if (!cause || strcmp(text_in(one, "cause"), cause) == 0)
			n += (unsigned long long)json_integer_value(json_object_get(one, result));
	}
	json_decref(data);
	return n;
}
