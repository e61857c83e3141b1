/* SPDX-License-Identifier: Apache-2.0 */
/* What may be agreed on: as the rules of ../README.md, in NSS' terms. */
#include <secoid.h>

#include "controlplane/dtls/nss/private.h"

/* Of DTLS 1.2 only suites with SHA-256: NSS 3.110 cannot export keys from others there. */
static const PRUint16 suites[] = {TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256, TLS_AES_256_GCM_SHA384,
	TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256};

static const struct {
	PRInt32 option;
	PRIntn value;
} options[] = {
	{SSL_SECURITY, PR_TRUE},
	{SSL_NO_LOCKS, PR_FALSE}, /* with no locks NSS 3.110 crashes when it sends an alert: it asks who holds them */
	{SSL_NO_CACHE, PR_TRUE},
	{SSL_ENABLE_SESSION_TICKETS, PR_FALSE},
	{SSL_ENABLE_0RTT_DATA, PR_FALSE},
	{SSL_ENABLE_RENEGOTIATION, SSL_RENEGOTIATE_NEVER},
	{SSL_ENABLE_FALSE_START, PR_FALSE},
	{SSL_ENABLE_POST_HANDSHAKE_AUTH, PR_FALSE},
	{SSL_ENABLE_EXTENDED_MASTER_SECRET, PR_TRUE},
	{SSL_ENABLE_HELLO_DOWNGRADE_CHECK, PR_TRUE},
	{SSL_REUSE_SERVER_ECDHE_KEY, PR_FALSE},
	{SSL_REQUEST_CERTIFICATE, PR_TRUE},
	{SSL_REQUIRE_CERTIFICATE, SSL_REQUIRE_ALWAYS},
};

static const SSLNamedGroup groups[] = {
	ssl_grp_kem_mlkem768x25519, ssl_grp_ec_curve25519, ssl_grp_ec_secp256r1};

static SECStatus set_suites(PRFileDesc *fd)
{
	const PRUint16 *all = SSL_GetImplementedCiphers();

	for (unsigned i = 0; i < SSL_GetNumImplementedCiphers(); i++)
		if (SSL_CipherPrefSet(fd, all[i], PR_FALSE) != SECSuccess)
			return SECFailure;
	for (unsigned i = 0; i < sizeof suites / sizeof suites[0]; i++)
		if (SSL_CipherPrefSet(fd, suites[i], PR_TRUE) != SECSuccess)
			return SECFailure;
	return SECSuccess;
}

SECStatus nss_set_rules(PRFileDesc *fd)
{
	for (unsigned i = 0; i < sizeof options / sizeof options[0]; i++)
		if (SSL_OptionSet(fd, options[i].option, options[i].value) != SECSuccess)
			return SECFailure;
	return set_suites(fd);
}

static SECStatus set_groups(struct dtls_by_nss *d)
{
	enum dtls_post_quantum pq = d->conf.post_quantum;
	bool hybrid = pq != DTLS_PQ_OFF && d->conf.max == DTLS_1_3;
	unsigned first = hybrid ? 0 : d->conf.p256 ? 2 : 1, n = pq == DTLS_PQ_REQUIRE ? 1 : 3 - first;

	if (SSL_NamedGroupConfig(d->fd, groups + first, n) != SECSuccess)
		return SECFailure;
	/* A share of each kind, so that a server without the hybrid need not ask again. */
	return SSL_SendAdditionalKeyShares(d->fd, hybrid && n > 1);
}

SECStatus nss_set_policy(struct dtls_by_nss *d)
{
	SSLVersionRange range = {
		.min = nss_doubts(d) || d->conf.min == DTLS_1_3 || d->conf.post_quantum == DTLS_PQ_REQUIRE
			       ? SSL_LIBRARY_VERSION_TLS_1_3
			       : SSL_LIBRARY_VERSION_TLS_1_2,
		.max = d->conf.max == DTLS_1_3 ? SSL_LIBRARY_VERSION_TLS_1_3 : SSL_LIBRARY_VERSION_TLS_1_2,
	};

	if (SSL_VersionRangeSet(d->fd, &range) != SECSuccess)
		return SECFailure;
	return set_groups(d);
}

const char *nss_group_name(SSLNamedGroup group)
{
	static const char *const names[] = {"X25519MLKEM768", "X25519", "P-256"};

	for (unsigned i = 0; i < sizeof groups / sizeof groups[0]; i++)
		if (groups[i] == group)
			return names[i];
	return "unknown";
}
