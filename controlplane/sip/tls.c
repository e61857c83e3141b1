/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "controlplane/sip/tls_names.h"
#include "lib/base/secret.h"

#define CIPHERS_DEFAULT "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls_ctx {
	SSL_CTX *ssl;
	unsigned refs;
	bool server;
	enum tls_verify verify;
};

/* The newest reason in OpenSSL's queue, which is emptied. */
static const char *openssl_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return text ? text : "no reason given";
}

static int readable(const char *what, const char *path, struct err *e)
{
	if (access(path, R_OK) == 0)
		return 0;
	int code = errno;

	return err_set(e, code, "%s %s: %s", what, path, strerror(code));
}

static int load_identity(SSL_CTX *ssl, const struct tls_conf *conf, struct err *e)
{
	int rc;

	if ((rc = readable("certificate", conf->certificate, e)) < 0)
		return rc;
	if (!conf->private_key)
		return err_set(e, EINVAL, "certificate %s has no private key configured", conf->certificate);
	if ((rc = readable("private key", conf->private_key, e)) < 0)
		return rc;
	if (SSL_CTX_use_certificate_chain_file(ssl, conf->certificate) != 1)
		return err_set(e, EINVAL, "certificate %s: %s", conf->certificate, openssl_reason());
	if (SSL_CTX_use_PrivateKey_file(ssl, conf->private_key, SSL_FILETYPE_PEM) != 1) {
		if (ERR_GET_REASON(ERR_peek_last_error()) != X509_R_KEY_VALUES_MISMATCH)
			return err_set(e, EINVAL, "private key %s: %s", conf->private_key, openssl_reason());
		ERR_clear_error();
		return err_set(e, EINVAL, "private key %s does not belong to certificate %s",
			conf->private_key, conf->certificate);
	}
	X509 *leaf = SSL_CTX_get0_certificate(ssl);

	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
		return err_set(e, EINVAL, "certificate %s has expired", conf->certificate);
	return 0;
}

static int load_trust(SSL_CTX *ssl, const struct tls_conf *conf, struct err *e)
{
	int rc;

	if (conf->verify == TLS_VERIFY_NONE)
		return 0;
	if (!conf->trust) {
		if (SSL_CTX_set_default_verify_paths(ssl) != 1)
			return err_set(e, EINVAL, "the system's trust anchors: %s", openssl_reason());
		return 0;
	}
	if ((rc = readable("trust anchors", conf->trust, e)) < 0)
		return rc;
	if (SSL_CTX_load_verify_file(ssl, conf->trust) != 1)
		return err_set(e, EINVAL, "trust anchors %s: %s", conf->trust, openssl_reason());
	if (conf->server) {
		STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(conf->trust);

		if (!names)
			return err_set(e, EINVAL, "trust anchors %s: %s", conf->trust, openssl_reason());
		SSL_CTX_set_client_CA_list(ssl, names);
	}
	return 0;
}

static int apply_policy(SSL_CTX *ssl, const struct tls_conf *conf, struct err *e)
{
	static const int server_modes[] = {
		[TLS_VERIFY_NONE] = SSL_VERIFY_NONE,
		[TLS_VERIFY_OPTIONAL] = SSL_VERIFY_PEER,
		[TLS_VERIFY_REQUIRED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
	};
	const char *ciphers = conf->ciphers ? conf->ciphers : CIPHERS_DEFAULT;

	SSL_CTX_set_min_proto_version(ssl, conf->min_version == TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
	if (SSL_CTX_set_cipher_list(ssl, ciphers) != 1)
		return err_set(e, EINVAL, "cipher list '%s': %s", ciphers, openssl_reason());
	/* OpenSSL before 3.5 does not know the first and refuses the list as a whole: its own defaults stay. */
	if (SSL_CTX_set1_groups_list(ssl, "X25519MLKEM768:X25519:P-256:P-384") != 1)
		ERR_clear_error();
	/* No session resumption: a ticket key that leaks would open recorded sessions. */
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
					 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_num_tickets(ssl, 0);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	if (conf->server)
		SSL_CTX_set_verify(ssl, server_modes[conf->verify], NULL);
	else
		SSL_CTX_set_verify(
			ssl, conf->verify == TLS_VERIFY_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	return 0;
}

int tls_ctx_new(const struct tls_conf *conf, struct tls_ctx **out, struct err *e)
{
	struct tls_ctx *ctx = calloc(1, sizeof *ctx);
	int rc = -ENOMEM;

	if (!ctx)
		return err_set(e, ENOMEM, "no memory for a TLS profile");
	ERR_clear_error();
	ctx->refs = 1;
	ctx->server = conf->server;
	ctx->verify = conf->verify;
	ctx->ssl = SSL_CTX_new(conf->server ? TLS_server_method() : TLS_client_method());
	if (!ctx->ssl) {
		err_set(e, ENOMEM, "TLS: %s", openssl_reason());
		goto out;
	}
	SSL_CTX_set_default_passwd_cb(ctx->ssl, secret_no_passphrase);
	if ((rc = apply_policy(ctx->ssl, conf, e)) < 0)
		goto out;
	if (conf->certificate)
		rc = load_identity(ctx->ssl, conf, e);
	else if (conf->server)
		rc = err_set(e, EINVAL, "a TLS server needs a certificate");
	if (rc == 0)
		rc = load_trust(ctx->ssl, conf, e);
out:
	if (rc < 0)
		tls_ctx_free(ctx);
	else
		*out = ctx;
	return rc;
}

struct tls_ctx *tls_ctx_ref(struct tls_ctx *ctx)
{
	if (ctx)
		ctx->refs++;
	return ctx;
}

void tls_ctx_renew(struct tls_ctx *ctx, struct tls_ctx *fresh)
{
	SSL_CTX *before = ctx->ssl;

	/* Sessions hold a reference of their own on what they began with. */
	ctx->ssl = fresh->ssl;
	ctx->verify = fresh->verify;
	fresh->ssl = before;
	tls_ctx_free(fresh);
}

void tls_ctx_free(struct tls_ctx *ctx)
{
	if (!ctx || --ctx->refs)
		return;
	SSL_CTX_free(ctx->ssl);
	free(ctx);
}

/* RFC 5922 section 7.2: a certificate for a SIP domain does not match by wildcard. */
static int expect_name(SSL *ssl, bool verify, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct ip_addr ip;

	if (ip_parse(str_z(name), &ip) == 0)
		return !verify || X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ? 0 : -EINVAL;
	if (SSL_set_tlsext_host_name(ssl, name) != 1)
		return -EINVAL;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_WILDCARDS);
	return !verify || X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 ? 0 : -EINVAL;
}

int tls_session_new(
	struct tls_ctx *ctx, const char *peer_name, const char *sni, struct ssl_st **out, struct err *e)
{
	SSL *ssl = SSL_new(ctx->ssl);

	if (!ssl)
		return err_set(e, ENOMEM, "TLS: %s", openssl_reason());
	if (ctx->server) {
		SSL_set_accept_state(ssl);
	} else {
		SSL_set_connect_state(ssl);
		if (peer_name && expect_name(ssl, ctx->verify != TLS_VERIFY_NONE, peer_name) < 0) {
			SSL_free(ssl);
			return err_set(e, EINVAL, "'%s' is no name a certificate can carry: %s", peer_name,
				openssl_reason());
		}
		if (sni && SSL_set_tlsext_host_name(ssl, sni) != 1) {
			SSL_free(ssl);
			return err_set(e, EINVAL, "'%s' is no server name: %s", sni, openssl_reason());
		}
	}
	*out = ssl;
	return 0;
}

static const char *const group_names[SIP_TLS_GROUPS] = {
	[SIP_TLS_X25519MLKEM768] = "X25519MLKEM768",
	[SIP_TLS_X25519] = "X25519",
	[SIP_TLS_P256] = "secp256r1",
	[SIP_TLS_P384] = "secp384r1",
	[SIP_TLS_OTHER_GROUP] = "other",
};

/* By name: the hybrid group has no NID. */
static enum sip_tls_group group_of(struct ssl_st *ssl)
{
	const char *name = SSL_group_to_name(ssl, (int)SSL_get_negotiated_group(ssl));
	unsigned group = 0;

	while (group < SIP_TLS_OTHER_GROUP && (!name || strcasecmp(group_names[group], name) != 0))
		group++;
	return group;
}

void tls_count_agreed(struct ssl_st *ssl, uint64_t counts[SIP_TLS_VERSIONS][SIP_TLS_GROUPS])
{
	counts[SSL_version(ssl) >= TLS1_3_VERSION ? SIP_TLS_1_3 : SIP_TLS_1_2][group_of(ssl)]++;
}

void tls_info_read(struct ssl_st *ssl, struct tls_info *out)
{
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	X509 *cert = SSL_get0_peer_certificate(ssl);

	*out = (struct tls_info){.version = SSL_get_version(ssl),
		.cipher = SSL_get_cipher_name(ssl),
		.group = group_names[group_of(ssl)]};
	snprintf(out->sni, sizeof out->sni, "%s", sni ? sni : "");
	if (!cert)
		return;
	out->has_certificate = true;
	out->verified = SSL_get_verify_result(ssl) == X509_V_OK;
	tls_names_read(cert, out);
}

static void verify_failure(SSL *ssl, struct err *e)
{
	long code = SSL_get_verify_result(ssl);
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	const char *name = NULL;
	char *ip = NULL;

	if (code == X509_V_ERR_HOSTNAME_MISMATCH)
		name = X509_VERIFY_PARAM_get0_host(param, 0);
	else if (code == X509_V_ERR_IP_ADDRESS_MISMATCH)
		name = ip = X509_VERIFY_PARAM_get1_ip_asc(param);
	if (name)
		err_set(e, EACCES, "the peer's certificate does not carry the name %s", name);
	else
		err_set(e, EACCES, "the peer's certificate was refused: %s",
			X509_verify_cert_error_string(code));
	OPENSSL_free(ip);
}

/* OpenSSL's reasons in an operator's words; what is not here is passed on as OpenSSL says it. */
static const struct {
	int reason;
	const char *words;
	bool downgrade; /* there would have been something else in common */
} tls_words[] = {
	{SSL_R_UNSUPPORTED_PROTOCOL, "the peer offers no TLS version that is allowed here", true},
	{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the peer accepts no TLS version that is allowed here", true},
	{SSL_R_NO_SHARED_CIPHER, "the peer offers no cipher that is allowed here", true},
	{SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the peer found no cipher or parameter in common"},
	{SSL_R_WRONG_VERSION_NUMBER, "the peer does not speak TLS on this port"},
	{SSL_R_HTTP_REQUEST, "the peer does not speak TLS on this port"},
	{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the peer sent no certificate, and one is required"},
	{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
		"the peer requires a certificate from us, and none is configured"},
	{SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the peer refused our certificate: it does not trust its issuer"},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the peer refused our certificate: expired"},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the peer refused our certificate"},
	{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the peer refused our certificate"},
	{SSL_R_UNEXPECTED_EOF_WHILE_READING, "the peer closed the connection without a word"},
};

int tls_failure(struct ssl_st *ssl, int ssl_result, struct err *e)
{
	int saved_errno = errno;
	int kind = SSL_get_error(ssl, ssl_result);
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_REASON(code), rc = -EACCES;

	if (kind == SSL_ERROR_ZERO_RETURN) {
		rc = err_set(e, ECONNRESET, "the peer closed the TLS session");
	} else if (kind == SSL_ERROR_SYSCALL && !code) {
		rc = err_set(e, ECONNRESET, "%s",
			saved_errno ? strerror(saved_errno)
				    : "the peer closed the connection without a word");
	} else if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		verify_failure(ssl, e);
	} else {
		const char *text = ERR_reason_error_string(code);

		rc = err_set(e, EPROTO, "TLS: %s", text ? text : "unknown failure");
		if (ERR_GET_LIB(code) == ERR_LIB_SSL)
			for (size_t i = 0; i < sizeof tls_words / sizeof tls_words[0]; i++)
				if (tls_words[i].reason == reason)
					rc = err_set(e, tls_words[i].downgrade ? EPROTONOSUPPORT : EPROTO,
						"%s", tls_words[i].words);
	}
	ERR_clear_error();
	return rc;
}
