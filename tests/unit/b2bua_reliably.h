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
