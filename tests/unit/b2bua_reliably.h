/* SPDX-License-Identifier: Apache-2.0 */
/* Calls whose first offer is answered while the called side rings, reliably. */
#pragma once

#include "tests/unit/b2bua_bench.h"

#define RELIABLE "Require: 100rel\r\n"
#define CAN "Supported: 100rel\r\n"
#define UPDATES "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n"

static inline void taken_and_over(struct phone *p, struct phone *other)
{
	answer(other, "200 OK", "", sdp(other, 1));
	hear(other, "ACK");
	hear(p, "200");
	expect_heard(p, " INVITE\r\n");
	expect_not_heard(p, "m=audio"); /* it is all said */
	say(p, "ACK", "", "");
	silence(NULL);
	hang_up(p, other);
	expect_no_calls();
}

/* The first a=crypto line of what the phone heard. */
static inline void crypto_of(const struct phone *p, char out[120])
{
	struct str text = p->heard->text;
	const char *at = memmem(text.p, text.n, "a=crypto:", 9);

	assert_non_null(at);
	snprintf(out, 120, "%.*s", (int)strcspn(at, "\r"), at);
}
