/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DTLS by OpenSSL: 1.2. OpenSSL 4.1 has 1.3, too: a build option for trying it. Datagrams go through a BIO that
 * keeps their boundaries; OpenSSL's retransmission timer is what the deadline is.
 */
#include "controlplane/dtls/dtls.h" /* before OpenSSL's, whose macros have names of our suites */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>

#include "controlplane/dtls/hello.h"
#include "lib/base/clock.h"

#define RETRANSMIT_MS 400
#define RETRANSMIT_MAX_MS 8000
#define IP_UDP_OVERHEAD 48

/* Forward secrecy and AEAD; certificates of both kinds. TLS 1.3's suites are all of that kind. */
#define CIPHERS                                                                                              \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"            \
	"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"
#define GROUPS_PQ "X25519MLKEM768"

struct dtls_by_openssl {
	struct dtls base; /* first */
	struct dtls_conf conf;
	struct dtls_result result;
	SSL *ssl;
	const uint8_t *in; /* the datagram that is being read; NULL: none */
	size_t in_len;
	bool wrong_certificate;
	bool heard; /* something was read */
	bool mute;  /* what the library says goes nowhere */
};

static struct dtls_by_openssl *of(struct dtls *d)
{
	return (struct dtls_by_openssl *)d;
}

static int bio_write(BIO *b, const char *octets, int n)
{
	struct dtls_by_openssl *d = BIO_get_data(b);

	d->result.cookie |= d->conf.reachable;
	if (n > 0 && !d->mute)
		d->conf.output(d->conf.arg, (const uint8_t *)octets, (size_t)n);
	return n;
}

static int bio_read(BIO *b, char *to, int cap)
{
	struct dtls_by_openssl *d = BIO_get_data(b);
	size_t n = d->in_len;

	BIO_clear_retry_flags(b);
	if (!d->in) {
		BIO_set_retry_read(b);
		return -1;
	}
	if (n > (size_t)cap)
		n = (size_t)cap; /* as a socket does: the rest of the datagram is lost */
	memcpy(to, d->in, n);
	d->in = NULL;
	return (int)n;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	switch (cmd) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DUP:
		return 1;
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return IP_UDP_OVERHEAD;
	default:
		return 0;
	}
}

static int bio_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

static BIO_METHOD *make_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");

	if (m && BIO_meth_set_write(m, bio_write) && BIO_meth_set_read(m, bio_read) &&
		BIO_meth_set_ctrl(m, bio_ctrl) && BIO_meth_set_create(m, bio_create))
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* An identity's form here: what all associations with that certificate share. */
struct form {
	SSL_CTX *ctx;
	BIO_METHOD *datagrams;
	uint8_t cookie_key[32];
};

static void drop_form(void *arg)
{
	struct form *f = arg;

	SSL_CTX_free(f->ctx);
	BIO_meth_free(f->datagrams);
	mem_wipe(f->cookie_key, sizeof f->cookie_key);
	free(f);
}

/* The peer's certificate is trusted for its fingerprint and nothing else. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct dtls_by_openssl *d = SSL_get_app_data(ssl);

	(void)arg;
	if (dtls_fingerprint_match(d->conf.peer, d->conf.n_peer, X509_STORE_CTX_get0_cert(store))) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	d->wrong_certificate = true;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

static int cookie_make(SSL *ssl, unsigned char *cookie, unsigned *n)
{
	const struct dtls_by_openssl *d = SSL_get_app_data(ssl);
	const struct form *f = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	return HMAC(EVP_sha256(), f->cookie_key, sizeof f->cookie_key, (const unsigned char *)&d->conf.remote,
		       sizeof d->conf.remote, cookie, n) != NULL;
}

static int cookie_check(SSL *ssl, const unsigned char *cookie, unsigned n)
{
	struct dtls_by_openssl *d = SSL_get_app_data(ssl);
	unsigned char want[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!cookie_make(ssl, want, &len) || n != len || !mem_equal_ct(cookie, want, n))
		return 0;
	d->result.cookie = true;
	return 1;
}

static int set_rules(SSL_CTX *ctx, const struct dtls_identity *id)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_COOKIE_EXCHANGE |
					 SSL_OP_NO_QUERY_MTU | SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
	SSL_CTX_set_cookie_generate_cb(ctx, cookie_make);
	SSL_CTX_set_cookie_verify_cb(ctx, cookie_check);
	SSL_CTX_set_read_ahead(ctx, 1);
	return SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) && SSL_CTX_set_cipher_list(ctx, CIPHERS) &&
	       SSL_CTX_use_certificate(ctx, dtls_identity_certificate(id)) == 1 &&
	       SSL_CTX_use_PrivateKey(ctx, dtls_identity_key(id)) == 1;
}

static void *make_form(const struct dtls_identity *id)
{
	struct form *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->ctx = SSL_CTX_new(DTLS_method());
	f->datagrams = make_method();
	if (f->ctx && f->datagrams && set_rules(f->ctx, id) &&
		RAND_bytes(f->cookie_key, sizeof f->cookie_key) == 1) {
		SSL_CTX_set_app_data(f->ctx, f);
		return f;
	}
	drop_form(f);
	return NULL;
}

static unsigned next_interval(SSL *ssl, unsigned last_us)
{
	const struct dtls_by_openssl *d = SSL_get_app_data(ssl);
	unsigned first = (d->conf.retransmit_ms ? d->conf.retransmit_ms : RETRANSMIT_MS) * 1000;

	if (!last_us)
		return first;
	return last_us < RETRANSMIT_MAX_MS * 500u ? 2 * last_us : RETRANSMIT_MAX_MS * 1000u;
}

static int set_profiles(SSL *ssl, const struct dtls_conf *conf)
{
	char text[128];
	struct wbuf w = wbuf_make(text, sizeof text - 1);

	for (unsigned i = 0; i < conf->n_suites; i++) {
		const struct srtp_suite_info *s = srtp_suite_info(conf->suites[i]);

		/* The library's names: what "SRTP_" and the suite's make, but for the order of AES_CM. */
		if (!s || !s->dtls_profile)
			continue;
		wbuf_fmt(&w, "%sSRTP_%s", w.len ? ":" : "",
			s->dtls_profile == 0x0001   ? "AES128_CM_SHA1_80"
			: s->dtls_profile == 0x0002 ? "AES128_CM_SHA1_32"
						    : s->name);
	}
	text[w.len] = '\0';
	return w.len && !w.overflow && SSL_set_tlsext_use_srtp(ssl, text) == 0; /* 0 is success, here alone */
}

static int set_versions(SSL *ssl, const struct dtls_conf *conf)
{
	bool strict = conf->min == DTLS_1_3 || conf->post_quantum == DTLS_PQ_REQUIRE;

#ifdef SRTPGW_OPENSSL_DTLS_1_3
	if (conf->max == DTLS_1_3)
		return !strict || SSL_set_min_proto_version(ssl, DTLS1_3_VERSION);
#endif
	return !strict && SSL_set_max_proto_version(ssl, DTLS1_2_VERSION);
}

static int set_groups(SSL *ssl, const struct dtls_conf *conf)
{
	enum dtls_post_quantum pq = conf->post_quantum;

	if (conf->p256)
		return SSL_set1_groups_list(ssl, "P-256");
	if (pq == DTLS_PQ_REQUIRE)
		return SSL_set1_groups_list(ssl, GROUPS_PQ);
	/* A library without the hybrid refuses the list as a whole. */
	if (pq == DTLS_PQ_PREFER && SSL_set1_groups_list(ssl, GROUPS_PQ ":" GROUPS))
		return 1;
	return SSL_set1_groups_list(ssl, GROUPS);
}

static int open_ssl(struct dtls_by_openssl *d, const struct form *f, struct err *e)
{
	BIO *bio;

	d->ssl = SSL_new(f->ctx);
	bio = d->ssl ? BIO_new(f->datagrams) : NULL;
	if (!bio)
		return err_set(e, ENOMEM, "no memory for a DTLS association");
	BIO_set_data(bio, d);
	SSL_set_bio(d->ssl, bio, bio);
	SSL_set_app_data(d->ssl, d);
	if (!set_versions(d->ssl, &d->conf))
		return err_set(e, EINVAL, "OpenSSL here has DTLS 1.2 only: min-version 1.3 and post-quantum "
					  "'require' cannot be met");
	if (!set_profiles(d->ssl, &d->conf))
		return err_set(e, EINVAL, "no suite of the crypto-profile can be agreed on with DTLS-SRTP");
	if (!set_groups(d->ssl, &d->conf))
		return err_set(e, EIO, "OpenSSL here lacks the groups that are wanted");
	if (d->conf.reachable)
		SSL_clear_options(d->ssl, SSL_OP_COOKIE_EXCHANGE);
	if (d->conf.role == DTLS_SERVER)
		SSL_set_accept_state(d->ssl);
	else
		SSL_set_connect_state(d->ssl);
	SSL_set_mtu(d->ssl, d->conf.mtu ? d->conf.mtu : DTLS_MTU);
	DTLS_set_timer_cb(d->ssl, next_interval);
	return 0;
}

static void fail(struct dtls_by_openssl *d, enum dtls_failure why, const char *reason)
{
	dtls_result_fail(&d->result, why, reason);
}

static const struct {
	int library_reason;
	enum dtls_failure failure;
} reasons[] = {
	{SSL_R_NO_SRTP_PROFILES, DTLS_FAIL_PROFILE},
	{SSL_R_BAD_SRTP_PROTECTION_PROFILE_LIST, DTLS_FAIL_PROFILE},
	{SSL_R_BAD_SRTP_MKI_VALUE, DTLS_FAIL_PROFILE},
	{SSL_R_READ_TIMEOUT_EXPIRED, DTLS_FAIL_TIMEOUT},
};

static void explain(struct dtls_by_openssl *d)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	enum dtls_failure why = DTLS_FAIL_PROTOCOL;
	const char *words = code ? ERR_reason_error_string(code) : NULL;

	for (unsigned i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].library_reason == reason)
			why = reasons[i].failure;
	if (reason > SSL_AD_REASON_OFFSET)
		why = DTLS_FAIL_ALERT;
	if (d->wrong_certificate)
		fail(d, DTLS_FAIL_FINGERPRINT, "the peer's certificate does not have the fingerprint of its SDP");
	else
		fail(d, why, words ? words : "the handshake failed");
	ERR_clear_error();
}

static bool take_keys(struct dtls_by_openssl *d, const struct srtp_suite_info *s)
{
	uint8_t out[2 * SRTP_MASTER_MAX];
	bool ok = SSL_export_keying_material(d->ssl, out, 2 * (size_t)(s->key_len + s->salt_len), DTLS_EXPORTER,
			  sizeof DTLS_EXPORTER - 1, NULL, 0, 0) == 1;

	if (ok)
		dtls_result_take_keys(&d->result, d->conf.role, out);
	mem_wipe(out, sizeof out);
	return ok;
}

/* The library's own names of NIST's curves are not those that anybody else knows. */
static const char *group_name(int nid)
{
	const char *name = OBJ_nid2sn(nid);

	if (nid == NID_X9_62_prime256v1)
		return "P-256";
	if (nid == NID_secp384r1)
		return "P-384";
	return name ? name : "";
}

static void established(struct dtls_by_openssl *d)
{
	const SRTP_PROTECTION_PROFILE *p = SSL_get_selected_srtp_profile(d->ssl);
	enum srtp_suite suite = p ? srtp_suite_by_dtls_profile((uint16_t)p->id) : SRTP_SUITE_NONE;

	if (suite == SRTP_SUITE_NONE) {
		fail(d, DTLS_FAIL_PROFILE, "the peer agreed to no SRTP protection profile");
		return;
	}
	d->result.suite = suite;
	if (!take_keys(d, srtp_suite_info(suite))) {
		fail(d, DTLS_FAIL_INTERNAL, "the keys could not be exported");
		return;
	}
	snprintf(d->result.version, sizeof d->result.version, "%s", SSL_get_version(d->ssl));
	snprintf(d->result.cipher, sizeof d->result.cipher, "%s", SSL_get_cipher_name(d->ssl));
	snprintf(d->result.group, sizeof d->result.group, "%s", group_name(SSL_get_negotiated_group(d->ssl)));
	d->result.state = DTLS_ESTABLISHED;
}

/* After the handshake: a peer that lost our last flight repeats its own, and gets ours again. */
static void drain(struct dtls_by_openssl *d)
{
	uint8_t unwanted[256];

	while (SSL_read(d->ssl, unwanted, sizeof unwanted) > 0)
		;
	d->result.closed |= (SSL_get_shutdown(d->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
	ERR_clear_error();
}

static void drive(struct dtls_by_openssl *d)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(d->ssl);
	if (rc == 1)
		established(d);
	else if (SSL_get_error(d->ssl, rc) != SSL_ERROR_WANT_READ)
		explain(d);
}

/*
 * The client has its cookie from another end than this: one that gave way to somebody's hello in between. Cookies
 * are good at any end; but the library wants to have been asked for one first.
 */
static void catch_up(struct dtls_by_openssl *d, const uint8_t *octets, size_t n)
{
	uint8_t first[DTLS_HELLO_MAX];
	size_t length = dtls_hello_before_cookie(octets, n, first);

	if (!length)
		return;
	d->in = first;
	d->in_len = length;
	d->mute = true;
	drive(d);
	d->mute = false;
	d->in = NULL;
}

static void input(struct dtls *base, const uint8_t *octets, size_t n)
{
	struct dtls_by_openssl *d = of(base);

	if (!d->heard && d->conf.role == DTLS_SERVER && !d->conf.reachable)
		catch_up(d, octets, n);
	d->heard = true;
	if (d->result.state == DTLS_FAILED)
		return;
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
	struct timeval left;

	if (of(base)->result.state != DTLS_HANDSHAKING || !DTLSv1_get_timeout(of(base)->ssl, &left))
		return 0;
	return clock_mono_ns() + (uint64_t)left.tv_sec * NS_PER_S + (uint64_t)left.tv_usec * 1000;
}

static void tick(struct dtls *base)
{
	struct dtls_by_openssl *d = of(base);

	if (d->result.state != DTLS_HANDSHAKING)
		return;
	ERR_clear_error();
	if (DTLSv1_handle_timeout(d->ssl) < 0)
		explain(d);
}

static const struct dtls_result *result(const struct dtls *base)
{
	return &((const struct dtls_by_openssl *)base)->result;
}

static void forget_keys(struct dtls *base)
{
	secret_wipe(&of(base)->result.rx);
	secret_wipe(&of(base)->result.tx);
}

static void destroy(struct dtls *base)
{
	struct dtls_by_openssl *d = of(base);

	if (d->ssl) {
		SSL_set_quiet_shutdown(d->ssl, 1);
		SSL_free(d->ssl); /* wipes its own keys */
	}
	dtls_identity_unref(d->conf.identity);
	mem_wipe(d, sizeof *d);
	free(d);
}

static int create(const struct dtls_conf *conf, struct dtls **out, struct err *e)
{
	struct form *f = dtls_identity_form(conf->identity, make_form, drop_form);
	struct dtls_by_openssl *d = f ? calloc(1, sizeof *d) : NULL;
	int rc;

	if (!d)
		return err_set(e, ENOMEM, "no memory for a DTLS association");
	d->base.backend = &dtls_openssl;
	d->conf = *conf;
	dtls_identity_ref(conf->identity);
	rc = open_ssl(d, f, e);
	ERR_clear_error();
	if (rc < 0) {
		destroy(&d->base);
		return rc;
	}
	d->conf.suites = NULL; /* the caller's, and not looked at any more */
	if (conf->role == DTLS_CLIENT)
		drive(d);
	*out = &d->base;
	return 0;
}

const struct dtls_backend dtls_openssl = {
	.name = "openssl",
	.create = create,
	.input = input,
	.tick = tick,
	.deadline = deadline,
	.result = result,
	.forget_keys = forget_keys,
	.close = destroy,
};
