/* SPDX-License-Identifier: Apache-2.0 */
/* SIP over TLS: who is let in, who is believed, and what the operator is told. */
#include <openssl/ssl.h>

#include "tests/support/certs.h"
#include "tests/unit/sip_net_pair.h"

static struct tls_ctx *profile(bool server, const char *cert, const char *trust, enum tls_verify verify)
{
	char pem[64], key[64];
	struct tls_ctx *ctx = NULL;
	struct err e = {0};

	snprintf(pem, sizeof pem, "%s.pem", cert ? cert : "");
	snprintf(key, sizeof key, "%s.key", cert ? cert : "");
	struct tls_conf conf = {.server = server,
		.certificate = cert ? certs_path(pem) : NULL,
		.private_key = cert ? certs_path(key) : NULL,
		.trust = trust ? certs_path(trust) : NULL,
		.verify = verify};

	if (tls_ctx_new(&conf, &ctx, &e) < 0)
		fail_msg("%s", e.text);
	return ctx;
}

/* b serves with server, a calls with client, expects name and asks for sni. */
static int tls_call_sni(struct tls_ctx *server, struct tls_ctx *client, const char *name, const char *sni)
{
	listen_on(&a, SIP_TCP, NULL); /* whose address calls go out from */
	listen_on(&b, SIP_TLS, server);
	struct sip_flow to = to_b();

	to.tls = client;
	to.tls_name = name;
	to.tls_sni = sni;
	int rc = sip_net_send(a.net, &to, STR(OPTIONS), &watch.w);

	tls_ctx_free(server);
	tls_ctx_free(client);
	return rc;
}

static int tls_call(struct tls_ctx *server, struct tls_ctx *client, const char *name)
{
	return tls_call_sni(server, client, name, NULL);
}

static void test_tls_both_verified(void **state)
{
	(void)state;
	assert_int_equal(tls_call(profile(true, "server", "ca.pem", TLS_VERIFY_REQUIRED),
				 profile(false, "client", "ca.pem", TLS_VERIFY_REQUIRED), "sip.example.net"),
		0);
	assert_true(loop_until(b_has_message));
	assert_string_equal(b.tls.version, "TLSv1.3");
	/* The hybrid where OpenSSL has it, on both sides here. */
	assert_string_equal(b.tls.group, OpenSSL_version_num() >= 0x30500000L ? "X25519MLKEM768" : "X25519");
	assert_string_equal(b.tls.sni, "sip.example.net");
	assert_true(b.tls.verified);
	assert_string_equal(b.tls.subject, "CN=client");
	assert_int_equal(b.tls.san_count, 2);
	assert_string_equal(b.tls.sans[0], "DNS:client.example.net");
	assert_string_equal(b.tls.sans[1], "URI:sip:example.net");
	assert_int_equal(b.counters.tls_handshakes, 1);
	assert_int_equal(a.counters.conn_opened, 1);
	assert_false(watch.lost);
}

static void test_tls_by_address(void **state)
{
	(void)state;
	assert_int_equal(tls_call(profile(true, "server", NULL, TLS_VERIFY_NONE),
				 profile(false, NULL, "ca.pem", TLS_VERIFY_REQUIRED), "127.0.0.1"),
		0);
	assert_true(loop_until(b_has_message));
	assert_string_equal(b.tls.sni, "");
	assert_false(b.tls.verified);
}

static void test_tls_other_server_name(void **state)
{
	(void)state;
	assert_int_equal(tls_call_sni(profile(true, "server", NULL, TLS_VERIFY_NONE),
				 profile(false, NULL, "ca.pem", TLS_VERIFY_REQUIRED), "127.0.0.1",
				 "trunk7.example.net"),
		0);
	assert_true(loop_until(b_has_message));
	assert_string_equal(b.tls.sni, "trunk7.example.net");
}

static void expect_refused(const char *reason)
{
	assert_true(loop_until(is_lost));
	if (!strstr(watch.reason, reason))
		fail_msg("said: %s", watch.reason);
	assert_false(watch.connected);
	assert_int_equal(b.messages, 0);
	assert_int_equal(a.counters.conn_failed, 1);
}

static void test_tls_wrong_name(void **state)
{
	(void)state;
	tls_call(profile(true, "server", NULL, TLS_VERIFY_NONE),
		profile(false, NULL, "ca.pem", TLS_VERIFY_REQUIRED), "other.example.net");
	expect_refused("does not carry the name other.example.net");
}

/* RFC 5922 section 7.2. */
static void test_tls_wildcard_is_no_name(void **state)
{
	(void)state;
	tls_call(profile(true, "wild", NULL, TLS_VERIFY_NONE),
		profile(false, NULL, "ca.pem", TLS_VERIFY_REQUIRED), "sip.example.net");
	expect_refused("does not carry the name sip.example.net");
}

static void test_tls_wrong_address(void **state)
{
	(void)state;
	tls_call(profile(true, "server", NULL, TLS_VERIFY_NONE),
		profile(false, NULL, "ca.pem", TLS_VERIFY_REQUIRED), "127.0.0.2");
	expect_refused("does not carry the name 127.0.0.2");
}

static void test_tls_untrusted(void **state)
{
	(void)state;
	tls_call(profile(true, "server", NULL, TLS_VERIFY_NONE),
		profile(false, NULL, "other-ca.pem", TLS_VERIFY_REQUIRED), "sip.example.net");
	expect_refused("unable to get local issuer certificate");
}

static bool b_tls_failed(void)
{
	return b.counters.tls_failures > 0;
}

static void test_tls_client_certificate(void **state)
{
	(void)state;
	/* In TLS 1.3 the client believes itself connected until the alert comes. */
	tls_call(profile(true, "server", "ca.pem", TLS_VERIFY_REQUIRED),
		profile(false, NULL, "ca.pem", TLS_VERIFY_REQUIRED), "sip.example.net");
	assert_true(loop_until(is_lost));
	assert_non_null(strstr(watch.reason, "requires a certificate from us"));
	assert_true(loop_until(b_tls_failed));
	assert_int_equal(b.messages, 0);
}

static void test_tls_client_of_a_stranger(void **state)
{
	(void)state;
	tls_call(profile(true, "server", "ca.pem", TLS_VERIFY_OPTIONAL),
		profile(false, "stranger", "ca.pem", TLS_VERIFY_REQUIRED), "sip.example.net");
	assert_true(loop_until(is_lost));
	assert_non_null(strstr(watch.reason, "the peer refused our certificate"));
	assert_int_equal(b.messages, 0);
}

/* A name that does not fit is left out, not cut: cut, it could be somebody else's. */
static void test_tls_long_name(void **state)
{
	(void)state;
	tls_call(profile(true, "server", "ca.pem", TLS_VERIFY_REQUIRED),
		profile(false, "long", "ca.pem", TLS_VERIFY_REQUIRED), "sip.example.net");
	assert_true(loop_until(b_has_message));
	assert_int_equal(b.tls.san_count, 1);
	assert_string_equal(b.tls.sans[0], "DNS:client.example.net");
}

static void test_tls_client_may_be_nobody(void **state)
{
	(void)state;
	tls_call(profile(true, "server", "ca.pem", TLS_VERIFY_OPTIONAL),
		profile(false, NULL, "ca.pem", TLS_VERIFY_REQUIRED), "sip.example.net");
	assert_true(loop_until(b_has_message));
	assert_false(b.tls.has_certificate);
}

static SSL *raw_ssl;

static bool raw_handshake_ended(void)
{
	int rc = SSL_do_handshake(raw_ssl);

	return rc == 1 || SSL_get_error(raw_ssl, rc) == SSL_ERROR_SSL ||
	       SSL_get_error(raw_ssl, rc) == SSL_ERROR_SYSCALL;
}

/* A bare TLS client that offers nothing above `version`, with everything that would hold it back turned off.
 */
static bool raw_tls_works(int version, const char *ciphers)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, version);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, ciphers), 1);
	raw_fd = raw_connect();
	evutil_make_socket_nonblocking(raw_fd);
	raw_ssl = SSL_new(ctx);
	SSL_set_fd(raw_ssl, raw_fd);
	SSL_set_connect_state(raw_ssl);
	assert_true(loop_until(raw_handshake_ended));
	bool up = SSL_is_init_finished(raw_ssl);

	SSL_free(raw_ssl);
	SSL_CTX_free(ctx);
	close(raw_fd);
	return up;
}

static void test_tls_old_versions_and_ciphers(void **state)
{
	(void)state;
	struct tls_ctx *server = profile(true, "server", NULL, TLS_VERIFY_NONE);

	listen_on(&b, SIP_TLS, server);
	tls_ctx_free(server);
	assert_true(raw_tls_works(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"));
	assert_false(raw_tls_works(TLS1_1_VERSION, "ALL:@SECLEVEL=0"));
	assert_false(raw_tls_works(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA"));
	assert_int_equal(b.counters.tls_handshakes, 1);
	assert_int_equal(b.counters.tls_failures, 2);
}

static void test_tls_port_spoken_to_in_clear(void **state)
{
	(void)state;
	struct tls_ctx *server = profile(true, "server", NULL, TLS_VERIFY_NONE);

	listen_on(&b, SIP_TLS, server);
	tls_ctx_free(server);
	raw_begin();
	raw_send(OPTIONS, strlen(OPTIONS));
	assert_true(loop_until(raw_is_closed));
	assert_int_equal(b.messages, 0);
	assert_int_equal(b.counters.tls_failures, 1);
	close(raw_fd);
}

/* The peer's certificate has expired: a bare server, for ours would not start with it. */
static struct sockaddr_storage stale_sa;
static int stale_fd = -1, stale_conn = -1;
static SSL *stale_ssl;
static SSL_CTX *stale_ctx;

static bool stale_server_step(void)
{
	if (stale_conn < 0)
		stale_conn = accept4(stale_fd, NULL, NULL, SOCK_NONBLOCK);
	if (stale_conn >= 0 && !stale_ssl) {
		stale_ssl = SSL_new(stale_ctx);
		SSL_set_fd(stale_ssl, stale_conn);
		SSL_set_accept_state(stale_ssl);
	}
	if (stale_ssl)
		SSL_do_handshake(stale_ssl);
	return watch.lost;
}

static void test_tls_expired(void **state)
{
	struct sip_flow to = {.transport = SIP_TLS, .tls_name = "sip.example.net"};
	socklen_t len = sizeof stale_sa;

	(void)state;
	listen_on(&a, SIP_TCP, NULL);
	to.listener = a.l;
	ip_parse(STR("127.0.0.1"), &to.remote.ip);
	to.tls = profile(false, NULL, "ca.pem", TLS_VERIFY_REQUIRED);
	stale_ctx = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate_chain_file(stale_ctx, certs_path("stale.pem")), 1);
	assert_int_equal(
		SSL_CTX_use_PrivateKey_file(stale_ctx, certs_path("stale.key"), SSL_FILETYPE_PEM), 1);
	stale_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	len = ip_port_to_sockaddr(&to.remote, &stale_sa);
	assert_int_equal(bind(stale_fd, (struct sockaddr *)&stale_sa, len), 0);
	assert_int_equal(listen(stale_fd, 1), 0);
	getsockname(stale_fd, (struct sockaddr *)&stale_sa, &len);
	ip_port_from_sockaddr((struct sockaddr *)&stale_sa, &to.remote);
	assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), &watch.w), 0);
	assert_true(loop_until(stale_server_step));
	if (!strstr(watch.reason, "certificate has expired"))
		fail_msg("said: %s", watch.reason);
	tls_ctx_free(to.tls);
	SSL_free(stale_ssl);
	SSL_CTX_free(stale_ctx);
	close(stale_conn);
	close(stale_fd);
}

#define STRANGERS 400

static bool strangers_are_in(void)
{
	return sip_net_conn_count(b.net) == STRANGERS + 1;
}

static size_t make_hello(char *out, size_t room)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	BIO *to = BIO_new(BIO_s_mem());

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), to);
	SSL_connect(ssl);
	int n = BIO_read(to, out, (int)room);

	SSL_free(ssl);
	SSL_CTX_free(ctx);
	assert_true(n > 0);
	return (size_t)n;
}

/* Hundreds of ClientHellos have come first; what a connection that is up says is heard before most are
 * answered. */
static void test_handshakes_keep_nobody_waiting(void **state)
{
	static int stranger[STRANGERS];
	char hello[4096], octet;
	size_t n = make_hello(hello, sizeof hello);
	unsigned answered = 0;

	teardown(state);
	b_conf.per_source_max = STRANGERS + 1;
	setup(state);
	struct tls_ctx *client = profile(false, NULL, "ca.pem", TLS_VERIFY_REQUIRED);

	tls_call(profile(true, "server", NULL, TLS_VERIFY_NONE), tls_ctx_ref(client), "127.0.0.1");
	assert_true(loop_until(b_has_message));
	for (unsigned i = 0; i < STRANGERS; i++)
		stranger[i] = raw_connect();
	assert_true(loop_until(strangers_are_in));
	for (unsigned i = 0; i < STRANGERS; i++)
		assert_int_equal(send(stranger[i], hello, n, MSG_NOSIGNAL), (ssize_t)n);
	struct sip_flow to = to_b();

	to.tls = client;
	to.tls_name = "127.0.0.1";
	assert_int_equal(sip_net_send(a.net, &to, STR(OPTIONS), NULL), 0);
	assert_int_equal(a.counters.conn_opened, 1); /* the connection that was there */
	b.breaks = true;
	event_base_dispatch(base);
	assert_int_equal(b.messages, 2);
	for (unsigned i = 0; i < STRANGERS; i++) {
		answered += recv(stranger[i], &octet, 1, MSG_DONTWAIT) == 1;
		close(stranger[i]);
	}
	assert_in_range(answered, 0, STRANGERS / 2);
	tls_ctx_free(client);
}

static void test_tls_profiles_refused(void **state)
{
	static const struct {
		const char *cert, *key, *trust, *words;
	} bad[] = {
		{"none.pem", "server.key", NULL, "none.pem: No such file"},
		{"server.pem", "none.key", NULL, "none.key: No such file"},
		{"server.pem", "client.key", NULL, "does not belong to certificate"},
		{"server.key", "server.key", NULL, "server.key: "},
		{"stale.pem", "stale.key", NULL, "stale.pem has expired"},
		{"server.pem", "server.key", "none.pem", "trust anchors"},
		{"server.pem", "server.key", "server.key", "trust anchors"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct tls_conf conf = {.server = true,
			.certificate = certs_path(bad[i].cert),
			.private_key = certs_path(bad[i].key),
			.trust = bad[i].trust ? certs_path(bad[i].trust) : NULL,
			.verify = bad[i].trust ? TLS_VERIFY_REQUIRED : TLS_VERIFY_NONE};
		struct tls_ctx *ctx = NULL;
		struct err e = {0};

		assert_true(tls_ctx_new(&conf, &ctx, &e) < 0);
		assert_null(ctx);
		if (!strstr(e.text, bad[i].words))
			fail_msg("said: %s", e.text);
	}
}

#define LABEL "a234567890123456789012345678901234567890"

static int make_certs(void **state)
{
	static const struct cert_spec specs[] = {
		{"ca", "Test CA", NULL, NULL, false},
		{"other-ca", "Other CA", NULL, NULL, false},
		{"server", "server", "DNS:sip.example.net,IP:127.0.0.1", "ca", false},
		{"wild", "wild", "DNS:*.example.net", "ca", false},
		{"client", "client", "DNS:client.example.net,URI:sip:example.net", "ca", false},
		{"long", "long", "DNS:" LABEL "." LABEL "." LABEL ".example.net,DNS:client.example.net", "ca",
			false},
		{"stranger", "stranger", "DNS:client.example.net", "other-ca", false},
		{"stale", "stale", "DNS:sip.example.net", "ca", true},
	};

	(void)state;
	certs_begin();
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
		certs_make(&specs[i]);
	return 0;
}

static int remove_certs(void **state)
{
	(void)state;
	certs_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_tls_both_verified),
		T(test_tls_by_address),
		T(test_tls_other_server_name),
		T(test_tls_wrong_name),
		T(test_tls_wildcard_is_no_name),
		T(test_tls_wrong_address),
		T(test_tls_untrusted),
		T(test_tls_client_certificate),
		T(test_tls_client_of_a_stranger),
		T(test_tls_long_name),
		T(test_tls_client_may_be_nobody),
		T(test_tls_old_versions_and_ciphers),
		T(test_tls_port_spoken_to_in_clear),
		T(test_tls_expired),
		T(test_handshakes_keep_nobody_waiting),
		cmocka_unit_test(test_tls_profiles_refused),
	};

	return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
