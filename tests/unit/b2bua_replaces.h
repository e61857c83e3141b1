/* SPDX-License-Identifier: Apache-2.0 */
/* Phones that take another one's place: carrier-a's may name each other's dialogs. */
#pragma once

#include "tests/unit/b2bua_bench.h"

static inline int setup(void **state)
{
	int rc = bench_setup(state);

	bench_change("\"name\":\"carrier-a\",", "\"name\":\"carrier-a\",\"replaces\":\"same-trunk\",");
	return rc;
}

/* Another phone of the same party. */
static inline struct phone another(const struct phone *of)
{
	struct phone p = *of;

	p.heard = p.invite = NULL;
	p.call_id[0] = p.local_tag[0] = p.remote_tag[0] = p.target[0] = '\0';
	p.cseq = 0;
	return p;
}

/* Replaces of the dialog that p has with the gateway, up or ringing. more: parameters. */
static inline const char *dialog_of(const struct phone *p, const char *more)
{
	static char text[300];

	snprintf(text, sizeof text, "Replaces: %s;to-tag=%s;from-tag=%s%s\r\n", p->call_id, p->remote_tag,
		p->local_tag, more);
	return text;
}

#define TT(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)
