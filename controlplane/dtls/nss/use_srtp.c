/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/nss/private.h"
#include "lib/base/buf.h"

#define MKI_NONE 0
#define ALERT_ILLEGAL_PARAMETER 47

static void write_profile(struct wbuf *w, enum srtp_suite suite)
{
	wbuf_u16(w, srtp_suite_info(suite)->dtls_profile);
}

/* A server's, by the version that it has chosen. */
static SSLHandshakeType place_of_answer(PRFileDesc *fd)
{
	SSLPreliminaryChannelInfo info;

	if (SSL_GetPreliminaryChannelInfo(fd, &info, sizeof info) == SECSuccess &&
		info.protocolVersion < SSL_LIBRARY_VERSION_TLS_1_3)
		return ssl_hs_server_hello;
	return ssl_hs_encrypted_extensions;
}

static PRBool write_it(PRFileDesc *fd, SSLHandshakeType message, PRUint8 *data, unsigned *len, unsigned max, void *arg)
{
	const struct dtls_by_nss *d = arg;
	struct wbuf w = wbuf_make(data, max);

	if (d->conf.role == DTLS_CLIENT && message == ssl_hs_client_hello) {
		wbuf_u16(&w, (uint16_t)(2 * d->n_suites));
		for (unsigned i = 0; i < d->n_suites; i++)
			write_profile(&w, d->suites[i]);
	} else if (message == place_of_answer(fd) && d->conf.role == DTLS_SERVER && d->result.suite != SRTP_SUITE_NONE) {
		wbuf_u16(&w, 2);
		write_profile(&w, d->result.suite);
	} else {
		return PR_FALSE;
	}
	wbuf_u8(&w, MKI_NONE);
	*len = (unsigned)w.len;
	return !w.overflow;
}

/* The first of ours that is in theirs, n octets of profiles. */
static enum srtp_suite choose(const struct dtls_by_nss *d, const uint8_t *theirs, size_t n)
{
	for (unsigned i = 0; i < d->n_suites; i++)
		for (size_t at = 0; at + 2 <= n; at += 2)
			if ((theirs[at] << 8 | theirs[at + 1]) == srtp_suite_info(d->suites[i])->dtls_profile)
				return d->suites[i];
	return SRTP_SUITE_NONE;
}

/* A list of profiles and an MKI; NULL: malformed. */
static const uint8_t *read_it(const PRUint8 *data, unsigned len, uint16_t *n, uint8_t *mki)
{
	struct rbuf r = rbuf_make(data, len);
	const uint8_t *profiles;

	*n = rbuf_u16(&r);
	profiles = rbuf_bytes(&r, *n);
	*mki = rbuf_u8(&r);
	rbuf_bytes(&r, *mki);
	return r.short_read || r.left || *n % 2 ? NULL : profiles;
}

/* What a client offers is judged when it is known to be there. Its MKI is declined. */
static SECStatus handle(PRFileDesc *fd, SSLHandshakeType message, const PRUint8 *data, unsigned len,
	SSLAlertDescription *alert, void *arg)
{
	struct dtls_by_nss *d = arg;
	uint16_t n;
	uint8_t mki;
	const uint8_t *profiles = read_it(data, len, &n, &mki);

	(void)fd;
	(void)message;
	d->result.suite = profiles ? choose(d, profiles, n) : SRTP_SUITE_NONE;
	*alert = ALERT_ILLEGAL_PARAMETER;
	if (d->conf.role == DTLS_SERVER) {
		d->no_profile = d->conf.reachable && d->result.suite == SRTP_SUITE_NONE;
		return d->no_profile ? SECFailure : SECSuccess;
	}
	/* A server takes one of what was offered, and no MKI, for none was. */
	d->no_profile = d->result.suite == SRTP_SUITE_NONE || n != 2 || mki;
	return d->no_profile ? SECFailure : SECSuccess;
}

SECStatus nss_use_srtp(struct dtls_by_nss *d)
{
	return SSL_InstallExtensionHooks(d->fd, ssl_use_srtp_xtn, write_it, d, handle, d);
}
