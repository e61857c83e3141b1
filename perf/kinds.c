/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/kinds.h"

#include <stdio.h>

static const struct kind {
	const char *name;
	enum srtp_suite in, out;
	bool ipv6; /* on both legs */
} kinds[] = {
	{"rtp_to_srtp.gcm128.160B", SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM},
	{"rtp_to_srtp.gcm128.160B.ipv6", SRTP_SUITE_NONE, SRTP_AEAD_AES_128_GCM, .ipv6 = true},
	{"rtp_to_srtp.cm128.160B", SRTP_SUITE_NONE, SRTP_AES_CM_128_HMAC_SHA1_80},
	{"srtp_to_rtp.gcm128.160B", SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE},
	{"srtp_to_rtp.gcm128.160B.ipv6", SRTP_AEAD_AES_128_GCM, SRTP_SUITE_NONE, .ipv6 = true},
	{"srtp_to_rtp.cm128.160B", SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_SUITE_NONE},
	{"srtp_to_srtp.gcm128.160B", SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_128_GCM},
	{"rtp_to_rtp.160B", SRTP_SUITE_NONE, SRTP_SUITE_NONE},
};

int kinds_measure(const char *what, const char *unit, uint32_t calls, kind_measure measure,
	int (*ready)(struct err *err), struct figures *figures, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc >= 0; i++) {
		struct gen_conf conf = {.sessions = calls,
			.in = kinds[i].in,
			.out = kinds[i].out,
			.ipv6 = {kinds[i].ipv6, kinds[i].ipv6}};
		struct room room;
		struct gen *gen;
		char name[96];

		rc = calls_open(&conf, &room, &gen, err);
		if (rc < 0)
			return rc;
		snprintf(name, sizeof(name), "%s.%s", what, kinds[i].name);
		rc = ready ? ready(err) : 0;
		rc = rc < 0 ? rc : measure(&room, gen, figures_get(figures, name, unit));
		rc = rc < 0 ? rc : gen_judge(gen, NULL, NULL, 0, err);
		calls_close(&room, gen);
	}
	return rc;
}
