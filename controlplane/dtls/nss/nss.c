/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DTLS 1.3 and 1.2 by NSS. Its retransmission timer (50 ms, doubled each time) is what the deadline is; it runs on
 * after the handshake, for late acknowledgements.
 *
 * As a server it answers whatever version comes. But it has no HelloVerifyRequest: without a cookie anybody could have
 * certificates sent to somebody else. So where ICE has not shown that the client is there it answers 1.3 only, reads a
 * ClientHello to its end, and says that it is of an older version; the datagrams that it came in then begin an
 * association of the backend that does have cookies.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sechash.h>

#include "controlplane/dtls/nss/private.h"
#include "lib/base/clock.h"

#define COOKIE_LEN 8

const struct dtls_backend *nss_with_cookies;

static struct dtls_by_nss *of(struct dtls *d)
{
	return (struct dtls_by_nss *)d;
}

static void fail(struct dtls_by_nss *d, enum dtls_failure why, const char *reason)
{
	dtls_result_fail(&d->result, why, reason);
}

static bool is_alert(PRErrorCode code)
{
	static const PRErrorCode alerts[] = {SSL_ERROR_CLOSE_NOTIFY_ALERT, SSL_ERROR_HANDSHAKE_UNEXPECTED_ALERT,
		SSL_ERROR_HANDSHAKE_FAILURE_ALERT, SSL_ERROR_ILLEGAL_PARAMETER_ALERT, SSL_ERROR_BAD_CERT_ALERT,
		SSL_ERROR_UNSUPPORTED_CERT_ALERT, SSL_ERROR_REVOKED_CERT_ALERT, SSL_ERROR_EXPIRED_CERT_ALERT,
		SSL_ERROR_CERTIFICATE_UNKNOWN_ALERT, SSL_ERROR_UNKNOWN_CA_ALERT, SSL_ERROR_ACCESS_DENIED_ALERT,
		SSL_ERROR_DECODE_ERROR_ALERT, SSL_ERROR_DECRYPT_ERROR_ALERT, SSL_ERROR_PROTOCOL_VERSION_ALERT,
		SSL_ERROR_INSUFFICIENT_SECURITY_ALERT, SSL_ERROR_INTERNAL_ERROR_ALERT,
		SSL_ERROR_UNSUPPORTED_EXTENSION_ALERT, SSL_ERROR_MISSING_EXTENSION_ALERT,
		SSL_ERROR_BAD_MAC_ALERT};

	for (unsigned i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
		if (alerts[i] == code)
			return true;
	return false;
}

/* What a peer may lack that our policy insists on; NULL: that was not it. */
static const char *demand_of(const struct dtls_by_nss *d, PRErrorCode code)
{
	static const PRErrorCode codes[] = {SSL_ERROR_UNSUPPORTED_VERSION, SSL_ERROR_PROTOCOL_VERSION_ALERT,
		SSL_ERROR_NO_CYPHER_OVERLAP, SSL_ERROR_HANDSHAKE_FAILURE_ALERT, SSL_ERROR_INSUFFICIENT_SECURITY_ALERT,
		SSL_ERROR_ILLEGAL_PARAMETER_ALERT};
	unsigned i = 0, n = sizeof codes / sizeof codes[0];

	while (i < n && codes[i] != code)
		i++;
	if (i == n)
		return NULL;
	if (d->conf.post_quantum == DTLS_PQ_REQUIRE)
		return "the policy requires X25519MLKEM768 (DTLS 1.3)";
	return d->conf.min == DTLS_1_3 ? "the policy requires DTLS 1.3" : NULL;
}

static void explain(struct dtls_by_nss *d)
{
	PRErrorCode code = PR_GetError();
	const char *words = PR_ErrorToString(code, PR_LANGUAGE_I_DEFAULT), *demand = demand_of(d, code);
	char reason[sizeof d->result.reason];

	snprintf(reason, sizeof reason, "%s%s%s", demand ? demand : "", demand ? ": " : "",
		words && words[0] ? words : "the handshake failed");

	if (d->wrong_certificate)
		fail(d, DTLS_FAIL_FINGERPRINT, "the peer's certificate does not have the fingerprint of its SDP");
	else if (d->no_profile)
		fail(d, DTLS_FAIL_PROFILE, "no SRTP protection profile in common");
	else
		fail(d, is_alert(code) ? DTLS_FAIL_ALERT : DTLS_FAIL_PROTOCOL,
			reason);
}

/* Nothing there, or not a record that NSS has a use for, which it has dropped. */
static bool harmless(PRErrorCode code)
{
	return code == PR_WOULD_BLOCK_ERROR || code == SSL_ERROR_RX_UNKNOWN_RECORD_TYPE;
}

/* The peer's certificate is trusted for its fingerprint and nothing else. */
static SECStatus check_certificate(void *arg, PRFileDesc *fd, PRBool signature, PRBool server)
{
	struct dtls_by_nss *d = arg;
	CERTCertificate *c = SSL_PeerCertificate(fd);

	(void)signature;
	(void)server;
	d->wrong_certificate = !c || !nss_certificate_expected(&d->conf, c->derCert.data, c->derCert.len);
	if (c)
		CERT_DestroyCertificate(c);
	if (!d->wrong_certificate)
		return SECSuccess;
	PR_SetError(SSL_ERROR_BAD_CERTIFICATE, 0);
	return SECFailure;
}

static SECStatus show_certificate(
	void *arg, PRFileDesc *fd, CERTDistNames *names, CERTCertificate **certificate, SECKEYPrivateKey **key)
{
	const struct dtls_by_nss *d = arg;
	const struct nss_form *f = nss_form_of(d->conf.identity);

	(void)fd;
	(void)names;
	*certificate = CERT_DupCertificate(f->certificate);
	*key = SECKEY_CopyPrivateKey(f->key);
	return *certificate && *key ? SECSuccess : SECFailure;
}

/* Of the client's address: as little of it as can be, for the answer must not be longer than the hello. */
static bool digest(const struct ip_port *remote, uint8_t out[COOKIE_LEN])
{
	uint8_t hash[SHA256_LENGTH];

	if (HASH_HashBuf(HASH_AlgSHA256, hash, (const uint8_t *)remote, sizeof *remote) != SECSuccess)
		return false;
	memcpy(out, hash, COOKIE_LEN);
	return true;
}

/* NSS seals the cookie, with one key for the process: any association can check it. */
static SSLHelloRetryRequestAction check_cookie(PRBool first, const PRUint8 *token, unsigned n, PRUint8 *retry,
	unsigned *retry_n, unsigned retry_max, void *arg)
{
	struct dtls_by_nss *d = arg;
	uint8_t want[COOKIE_LEN];

	if (!digest(&d->conf.remote, want))
		return ssl_hello_retry_fail;
	if (first) {
		if (retry_max < sizeof want)
			return ssl_hello_retry_fail;
		memcpy(retry, want, sizeof want);
		*retry_n = sizeof want;
		return ssl_hello_retry_request;
	}
	if (n != sizeof want || !mem_equal_ct(token, want, n))
		return ssl_hello_retry_fail;
	d->result.cookie = true;
	/* Not sooner: whoever has no cookie is told nothing. */
	d->no_profile = d->result.suite == SRTP_SUITE_NONE;
	return d->no_profile ? ssl_hello_retry_fail : ssl_hello_retry_accept;
}

static bool take_keys(struct dtls_by_nss *d, const struct srtp_suite_info *s)
{
	uint8_t out[2 * SRTP_MASTER_MAX];
	bool ok = SSL_ExportKeyingMaterial(d->fd, DTLS_EXPORTER, sizeof DTLS_EXPORTER - 1, PR_FALSE, NULL, 0, out,
			  2 * (unsigned)(s->key_len + s->salt_len)) == SECSuccess;

	if (ok)
		dtls_result_take_keys(&d->result, d->conf.role, out);
	mem_wipe(out, sizeof out);
	return ok;
}

static void describe(struct dtls_by_nss *d)
{
	SSLChannelInfo channel;
	SSLCipherSuiteInfo suite;

	if (SSL_GetChannelInfo(d->fd, &channel, sizeof channel) != SECSuccess)
		return;
	snprintf(d->result.version, sizeof d->result.version, "%s",
		channel.protocolVersion == SSL_LIBRARY_VERSION_TLS_1_3 ? "DTLSv1.3" : "DTLSv1.2");
	snprintf(d->result.group, sizeof d->result.group, "%s", nss_group_name(channel.keaGroup));
	if (SSL_GetCipherSuiteInfo(channel.cipherSuite, &suite, sizeof suite) == SECSuccess)
		snprintf(d->result.cipher, sizeof d->result.cipher, "%s", suite.cipherSuiteName);
}

static void established(struct dtls_by_nss *d)
{
	if (d->result.suite == SRTP_SUITE_NONE) {
		fail(d, DTLS_FAIL_PROFILE, "the peer agreed to no SRTP protection profile");
		return;
	}
	if (!take_keys(d, srtp_suite_info(d->result.suite))) {
		fail(d, DTLS_FAIL_INTERNAL, "the keys could not be exported");
		return;
	}
	describe(d);
	d->result.state = DTLS_ESTABLISHED;
}

/* After the handshake: acknowledgements, and what a peer that lost our last flight repeats. */
static void drain(struct dtls_by_nss *d)
{
	uint8_t unwanted[256];
	PRInt32 n;

	do
		n = PR_Recv(d->fd, unwanted, sizeof unwanted, 0, PR_INTERVAL_NO_WAIT);
	while (n > 0);
	d->result.closed |= n == 0;
}

/* ---- clients of DTLS 1.2 ---- */

static void forget_hellos(struct dtls_by_nss *d)
{
	while (d->n_hellos)
		free(d->hellos[--d->n_hellos]);
}

static void keep_hello(struct dtls_by_nss *d, const uint8_t *octets, size_t n)
{
	struct datagram *h;

	if (!nss_doubts(d) || d->n_hellos == HELLOS_MAX)
		return;
	h = malloc(sizeof *h + n);
	if (!h)
		return;
	h->n = n;
	memcpy(h->octets, octets, n);
	d->hellos[d->n_hellos++] = h;
}

static bool speaks_less(const struct dtls_by_nss *d)
{
	return d->may_hand_over && nss_doubts(d) && PR_GetError() == SSL_ERROR_UNSUPPORTED_VERSION;
}

static void hand_over(struct dtls_by_nss *d)
{
	struct dtls_conf conf = d->conf;

	conf.suites = d->suites;
	conf.n_suites = d->n_suites;
	conf.max = DTLS_1_2;
	conf.post_quantum = DTLS_PQ_OFF;
	if (nss_with_cookies->create(&conf, &d->other, NULL) < 0) {
		fail(d, DTLS_FAIL_INTERNAL, "no memory for a DTLS association");
		return;
	}
	for (unsigned i = 0; i < d->n_hellos; i++)
		nss_with_cookies->input(d->other, d->hellos[i]->octets, d->hellos[i]->n);
	forget_hellos(d);
}

/* ---- the backend ---- */

static void drive(struct dtls_by_nss *d)
{
	if (SSL_ForceHandshake(d->fd) == SECSuccess)
		established(d);
	else if (speaks_less(d))
		hand_over(d);
	else if (!harmless(PR_GetError()))
		explain(d);
	if (d->result.cookie)
		forget_hellos(d);
}

static void input(struct dtls *base, const uint8_t *octets, size_t n)
{
	struct dtls_by_nss *d = of(base);

	if (d->other) {
		nss_with_cookies->input(d->other, octets, n);
		return;
	}
	if (d->result.state == DTLS_FAILED)
		return;
	keep_hello(d, octets, n);
	d->in = octets;
	d->in_len = n;
	if (d->result.state == DTLS_HANDSHAKING)
		drive(d);
	if (d->result.state == DTLS_ESTABLISHED)
		drain(d);
	d->in = NULL;
}

static uint64_t deadline(struct dtls *base)
{
	struct dtls_by_nss *d = of(base);
	PRIntervalTime left;

	if (d->other)
		return nss_with_cookies->deadline(d->other);
	if (d->result.state == DTLS_FAILED || nss_doubts(d))
		return 0; /* until there is a cookie the client keeps time */
	if (DTLS_GetHandshakeTimeout(d->fd, &left) != SECSuccess)
		return 0;
	/* Later than it says: it wants more time to have passed, not as much. */
	return clock_mono_ns() + (left ? PR_IntervalToMilliseconds(left) + 1 : 0) * NS_PER_MS;
}

static void tick(struct dtls *base)
{
	struct dtls_by_nss *d = of(base);

	if (d->other)
		nss_with_cookies->tick(d->other);
	else if (d->result.state == DTLS_HANDSHAKING)
		drive(d);
	else if (d->result.state == DTLS_ESTABLISHED)
		drain(d);
}

static const struct dtls_result *result(const struct dtls *base)
{
	const struct dtls_by_nss *d = (const struct dtls_by_nss *)base;

	return d->other ? nss_with_cookies->result(d->other) : &d->result;
}

static void forget_keys(struct dtls *base)
{
	struct dtls_by_nss *d = of(base);

	if (d->other)
		nss_with_cookies->forget_keys(d->other);
	secret_wipe(&d->result.rx);
	secret_wipe(&d->result.tx);
}

static void destroy(struct dtls *base)
{
	struct dtls_by_nss *d = of(base);

	if (d->other)
		nss_with_cookies->close(d->other);
	d->mute = true;
	if (d->fd)
		PR_Close(d->fd);
	forget_hellos(d);
	dtls_identity_unref(d->conf.identity);
	mem_wipe(d, sizeof *d);
	free(d);
}

static int take_suites(struct dtls_by_nss *d, const struct dtls_conf *conf)
{
	for (unsigned i = 0; i < conf->n_suites && d->n_suites < SRTP_SUITE_COUNT; i++) {
		const struct srtp_suite_info *s = srtp_suite_info(conf->suites[i]);

		if (s && s->dtls_profile)
			d->suites[d->n_suites++] = conf->suites[i];
	}
	d->conf.suites = NULL; /* the caller's, and not looked at any more */
	return d->n_suites ? 0 : -EINVAL;
}

static SECStatus set_up(struct dtls_by_nss *d)
{
	if (nss_set_policy(d) != SECSuccess || nss_use_srtp(d) != SECSuccess ||
		SSL_AuthCertificateHook(d->fd, check_certificate, d) != SECSuccess)
		return SECFailure;
	if (d->conf.role == DTLS_CLIENT)
		return SSL_GetClientAuthDataHook(d->fd, show_certificate, d);
	return nss_doubts(d) ? SSL_HelloRetryRequestCallback(d->fd, check_cookie, d) : SECSuccess;
}

static int open_endpoint(struct dtls_by_nss *d, const struct nss_form *f, struct err *e)
{
	PRFileDesc *wire;

	if (d->conf.max == DTLS_1_2 && (d->conf.min == DTLS_1_3 || d->conf.post_quantum == DTLS_PQ_REQUIRE))
		return err_set(e, EINVAL, "DTLS 1.2 at most, and post-quantum 'require' or DTLS 1.3 at least, cannot be met");
	if (take_suites(d, &d->conf) < 0)
		return err_set(e, EINVAL, "no suite of the crypto-profile can be agreed on with DTLS-SRTP");
	wire = nss_wire_new(d);
	d->fd = wire ? DTLS_ImportFD(f->model, wire) : NULL;
	if (!d->fd && wire)
		PR_Close(wire);
	if (!d->fd)
		return err_set(e, ENOMEM, "no memory for a DTLS association");
	if (set_up(d) != SECSuccess || SSL_ResetHandshake(d->fd, d->conf.role == DTLS_SERVER) != SECSuccess)
		return err_set(e, EIO, "NSS refuses its settings: %s",
			PR_ErrorToString(PR_GetError(), PR_LANGUAGE_I_DEFAULT));
	return 0;
}

static int create(const struct dtls_conf *conf, struct dtls **out, struct err *e)
{
	const struct nss_form *f = nss_form_of(conf->identity);
	struct dtls_by_nss *d;
	int rc;

	if (conf->role == DTLS_SERVER && conf->max == DTLS_1_2 && !conf->reachable)
		return nss_with_cookies->create(conf, out, e);
	if (!f)
		return err_set(e, EIO, "NSS cannot use the certificate");
	d = calloc(1, sizeof *d);
	if (!d)
		return err_set(e, ENOMEM, "no memory for a DTLS association");
	d->base.backend = &nss_backend;
	d->conf = *conf;
	d->may_hand_over = nss_doubts(d) && conf->min == DTLS_1_2 && conf->post_quantum != DTLS_PQ_REQUIRE;
	dtls_identity_ref(conf->identity);
	rc = open_endpoint(d, f, e);
	if (rc < 0) {
		destroy(&d->base);
		return rc;
	}
	if (conf->role == DTLS_CLIENT)
		drive(d);
	*out = &d->base;
	return 0;
}

const struct dtls_backend nss_backend = {
	.name = "nss",
	.create = create,
	.input = input,
	.tick = tick,
	.deadline = deadline,
	.result = result,
	.forget_keys = forget_keys,
	.close = destroy,
};
