/* SPDX-License-Identifier: Apache-2.0 */
/* Calls whose first offer is answered while the called side rings, reliably. */
#pragma once

#include "tests/unit/b2bua_bench.h"

#define RELIABLE "Require: 100rel\r\n"
#define CAN "Supported: 100rel\r\n"
#define UPDATES "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n"

/* The caller acknowledges the reliable response that it heard. */
static inline void prack_heard(struct phone *p)
{
	const char *at = memmem(p->heard->text.p, p->heard->text.n, "\r\nRSeq: ", 8);
	char rack[60];

	assert_non_null(at);
	snprintf(rack, sizeof rack, "RAck: %u %u INVITE\r\n", (unsigned)atoi(at + 8), p->invite_cseq);
	say(p, "PRACK", rack, "");
	hear(p, "200");
}

/* It rings, and the first offer is answered for good on both sides. */
static inline void rings(
	struct phone *p, struct phone *other, const char *caller_allows, const char *called_allows)
{
	char headers[200];

	snprintf(headers, sizeof headers, "%s%s", CAN, caller_allows);
	dial(p, number_of(other), headers, sdp(p, 1));
	hear(other, "INVITE");
	snprintf(headers, sizeof headers, "%sRSeq: 1\r\n%s", RELIABLE, called_allows);
	answer(other, "183 Session Progress", headers, sdp(other, 1));
	hear(other, "PRACK");
	reply(other, "200 OK");
	hear(p, "183");
	prack_heard(p);
}

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
