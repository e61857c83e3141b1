/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When somebody has to be told that a certificate expires: 30, 7 and 1 days before, and every day afterwards.
 * Pure; the owner looks once a day, and keeps what was said with the certificate.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Of one certificate; zeroed for a new one. */
struct cert_said {
	unsigned steps; /* how many of the three days were told */
	int64_t day;    /* of the last notice after the end, counted from 1970 */
};

/* Whole days until then; negative afterwards. */
int cert_days_left(int64_t not_after_s, int64_t now_s);
/* Is it time, and not said yet? Notes that it is said now. */
bool cert_notice_due(struct cert_said *said, int64_t not_after_s, int64_t now_s);
