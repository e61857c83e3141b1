/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "controlplane/dtls/dtls.h"

static const char *const failures[DTLS_FAILURES] = {
	[DTLS_FAIL_NONE] = "none",
	[DTLS_FAIL_FINGERPRINT] = "fingerprint",
	[DTLS_FAIL_PROFILE] = "profile",
	[DTLS_FAIL_ALERT] = "alert",
	[DTLS_FAIL_PROTOCOL] = "protocol",
	[DTLS_FAIL_TIMEOUT] = "timeout",
	[DTLS_FAIL_INTERNAL] = "internal",
};

const char *dtls_failure_name(enum dtls_failure f)
{
	return (unsigned)f < DTLS_FAILURES ? failures[f] : "unknown";
}

void dtls_result_fail(struct dtls_result *r, enum dtls_failure why, const char *reason)
{
	r->state = DTLS_FAILED;
	r->failure = why;
	snprintf(r->reason, sizeof r->reason, "%s", reason);
}

/* Client key, server key, client salt, server salt. */
void dtls_result_take_keys(struct dtls_result *r, enum dtls_role role, const uint8_t exported[2 * SRTP_MASTER_MAX])
{
	const struct srtp_suite_info *s = srtp_suite_info(r->suite);
	unsigned key = s->key_len, salt = s->salt_len;
	const uint8_t *salts = exported + 2 * key;
	struct secret *client = role == DTLS_CLIENT ? &r->tx : &r->rx;
	struct secret *server = role == DTLS_CLIENT ? &r->rx : &r->tx;

	client->len = server->len = (uint8_t)(key + salt);
	memcpy(client->octets, exported, key);
	memcpy(client->octets + key, salts, salt);
	memcpy(server->octets, exported + key, key);
	memcpy(server->octets + key, salts + salt, salt);
}

void dtls_result_wipe(struct dtls_result *r)
{
	mem_wipe(r, sizeof *r);
}
