/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one configuration to the next with real sockets on loopback: what keeps its socket, what is opened and
 * closed, and that a failure leaves everything as it was. The data plane is not there, and not needed.
 */
#include "tests/support/cmocka_std.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include "controlplane/dtls/module.h"
#include "controlplane/gateway_private.h"
#include "controlplane/reconcile.h"
#include "controlplane/sip/stack.h"
#include "controlplane/sip/transport.h"
#include "tests/support/certs.h"

/* Behind lib/srtp, whose names of suites it would replace by numbers. */
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static struct event_base *base;
static struct gateway *gw;
static char control[128], dataplane[128];
static const unsigned ports[] = {5060, 5061, 5062};
static char address[INET_ADDRSTRLEN]; /* of this process alone: tests may run side by side */

/* ---- configurations ---- */

#define LISTENER(name, transport, realm)                                                                     \
	"{\"name\":\"" name "\",\"transport\":\"" transport                                                  \
	"\",\"address\":\"ADDRESS\",\"port\":%u,\"realm\":\"" realm "\"%s}"
#define WITH_TLS ",\"tls-profile\":\"p\""

static const char form[] =
	"{\"srtp-gateway:gateway\":{"
	"\"tls-profiles\":{\"tls-profile\":[{\"name\":\"p\",\"certificate\":\"%s/server.pem\","
	"\"private-key\":\"%s/server.key\",\"trust-bag\":\"%s/ca.pem\"}]},"
	"\"media\":{\"interface\":[{\"name\":\"m\",\"device\":\"lo\",\"address\":[{\"ip\":\"127.0.0.1\","
	"\"port-range\":[{\"lower\":20000,\"upper\":20999}]}]}]},"
	"\"realms\":{\"realm\":[{\"name\":\"in\",\"trusted\":true,\"media-interface\":[\"m\"]},"
	"{\"name\":\"also-in\",\"trusted\":true,\"media-interface\":[\"m\"]}]},"
	"\"sip\":{\"listener\":[%s]}%s}}";

static const char *with_address(const char *list)
{
	static char text[4096];
	size_t n = 0;

	for (const char *at; (at = strstr(list, "ADDRESS")); list = at + strlen("ADDRESS"))
		n += (size_t)snprintf(
			text + n, sizeof text - n, "%.*s%s", (int)(at - list), list, address);
	snprintf(text + n, sizeof text - n, "%s", list);
	return text;
}

static struct config *parse(const char *more, const char *listeners, ...)
	__attribute__((format(printf, 2, 3)));
static struct config *parse(const char *more, const char *listeners, ...)
{
	char text[8192], list[2048], folder[256];
	struct config *c = NULL;
	struct err e = {0};
	va_list ap;

	snprintf(folder, sizeof folder, "%s", certs_path(""));
	va_start(ap, listeners);
	vsnprintf(list, sizeof list, listeners, ap);
	va_end(ap);
	snprintf(text, sizeof text, form, folder, folder, folder, with_address(list), more);
	if (config_parse(str_z(text), "test", &c, &e) < 0)
		fail_msg("%s", e.text);
	return c;
}

static void apply(struct config *c)
{
	struct err e = {0};

	if (gateway_apply(gw, c, &e) < 0)
		fail_msg("%s", e.text);
	config_unref(c);
}

static void expect_refused(struct config *c, const char *words)
{
	struct err e = {0};
	struct config *before = gw->config;

	assert_true(gateway_apply(gw, c, &e) < 0);
	if (!strstr(e.text, words))
		fail_msg("'%s' is not in: %s", words, e.text);
	assert_ptr_equal(gw->config, before);
	config_unref(c);
}

static void turn(void)
{
	for (unsigned i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* ---- the world outside ---- */

static int stranger(unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, address, &to.sin_addr);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool accepts(unsigned port)
{
	int fd = stranger(port);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* The serial number of the certificate that the port shows; "" when the handshake fails. */
static const char *shown(unsigned port)
{
	static char serial[64];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	int fd = stranger(port), rc = -1;

	serial[0] = '\0';
	assert_true(fd >= 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	SSL_set_fd(ssl, fd);
	for (unsigned i = 0; i < 20000 && rc != 1; i++) {
		rc = SSL_connect(ssl);
		if (rc != 1 && SSL_get_error(ssl, rc) != SSL_ERROR_WANT_READ)
			break;
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(500);
	}
	if (rc == 1) {
		X509 *cert = SSL_get1_peer_certificate(ssl);
		BIGNUM *n = ASN1_INTEGER_to_BN(X509_get_serialNumber(cert), NULL);
		char *hex = BN_bn2hex(n);

		snprintf(serial, sizeof serial, "%s", hex);
		OPENSSL_free(hex);
		BN_free(n);
		X509_free(cert);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	turn();
	return serial;
}

static int setup(void **state)
{
	struct err e = {0};

	(void)state;
	certs_begin();
	certs_make(&(struct cert_spec){.file = "ca", .cn = "ca"});
	certs_make(&(struct cert_spec){
		.file = "server", .cn = "server", .san = "IP:127.0.0.1", .issuer = "ca"});
	snprintf(control, sizeof control, "%s", certs_path("ctl.sock"));
	snprintf(dataplane, sizeof dataplane, "%s", certs_path("dp.sock"));
	base = event_base_new();
	snprintf(address, sizeof address, "127.%d.%d.%d", 1 + (getpid() >> 16 & 0x7f), getpid() >> 8 & 0xff,
		getpid() & 0xff);
	const struct gateway_conf conf = {.control = control, .dataplane = dataplane};

	if (gateway_new(base, &conf, &gw, &e) < 0)
		fail_msg("%s", e.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gateway_free(gw);
	event_base_free(base);
	certs_end();
	return 0;
}

static struct sip_listener *listener(unsigned i)
{
	return gw->listeners[i];
}

static const char *realm_of(const struct sip_listener *l)
{
	return ((const struct config_listener *)sip_listener_realm(l))->realm->name;
}

/* ---- tests ---- */

static void test_listeners_come_and_go(void **state)
{
	(void)state;
	apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
	assert_true(accepts(ports[0]));
	apply(parse("", LISTENER("a", "tcp", "in") "," LISTENER("b", "tcp", "in"), ports[0], "", ports[1],
		""));
	assert_true(accepts(ports[0]) && accepts(ports[1]));
	apply(parse("", LISTENER("b", "tcp", "in"), ports[1], ""));
	assert_false(accepts(ports[0]));
	assert_true(accepts(ports[1]));
	turn();
	/* And again, at once. */
	apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
	apply(parse("", LISTENER("b", "tcp", "in"), ports[1], ""));
	apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
	turn();
	assert_true(accepts(ports[0]));
	assert_false(accepts(ports[1]));
}

static void test_an_address_that_is_still_used_keeps_its_socket(void **state)
{
	struct sip_listener *first;

	(void)state;
	apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
	first = listener(0);
	int fd = stranger(ports[0]);

	turn();
	assert_int_equal(sip_net_conn_count(sip_stack_net(gw->sip)), 1);
	apply(parse("", LISTENER("renamed", "tcp", "also-in"), ports[0], ""));
	turn();
	assert_ptr_equal(listener(0), first);
	assert_string_equal(realm_of(first), "also-in");
	assert_int_equal(sip_net_conn_count(sip_stack_net(gw->sip)), 1);
	close(fd);
}

static void test_two_listeners_change_places(void **state)
{
	struct sip_listener *one, *two;

	(void)state;
	apply(parse("", LISTENER("a", "udp", "in") "," LISTENER("b", "udp", "also-in"), ports[0], "",
		ports[1], ""));
	one = listener(0);
	two = listener(1);
	apply(parse("", LISTENER("a", "udp", "in") "," LISTENER("b", "udp", "also-in"), ports[1], "",
		ports[0], ""));
	assert_ptr_equal(listener(0), two);
	assert_ptr_equal(listener(1), one);
	assert_string_equal(realm_of(two), "in");
	assert_string_equal(realm_of(one), "also-in");
}

static void test_another_transport_at_the_same_address(void **state)
{
	(void)state;
	apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
	apply(parse("", LISTENER("a", "tls", "in"), ports[0], WITH_TLS));
	turn();
	assert_true(shown(ports[0])[0] != '\0');
	apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
	turn();
	assert_true(accepts(ports[0]));
}

static void test_a_failure_undoes_what_was_opened(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)ports[2])};
	int taken = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	inet_pton(AF_INET, address, &a.sin_addr);
	assert_int_equal(bind(taken, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(taken, 1), 0);
	apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
	expect_refused(
		parse("", LISTENER("b", "tcp", "in") "," LISTENER("c", "tcp", "in"), ports[1], "", ports[2],
			""),
		"/srtp-gateway:gateway/sip/listener[name='c']");
	turn();
	assert_true(accepts(ports[0]));
	assert_false(accepts(ports[1]));
	close(taken);
	apply(parse("", LISTENER("b", "tcp", "in") "," LISTENER("c", "tcp", "in"), ports[1], "", ports[2],
		""));
	assert_true(accepts(ports[1]) && accepts(ports[2]));
}

static void test_certificates_are_renewed_in_place(void **state)
{
	char before[64];
	struct err e = {0};

	(void)state;
	apply(parse("", LISTENER("a", "tls", "in"), ports[0], WITH_TLS));
	snprintf(before, sizeof before, "%s", shown(ports[0]));
	assert_true(before[0]);
	int fd = stranger(ports[0]);

	turn();
	certs_make(&(struct cert_spec){
		.file = "server", .cn = "server", .san = "IP:127.0.0.1", .issuer = "ca"});
	assert_string_equal(shown(ports[0]), before);
	assert_int_equal(gateway_reload_certificates(gw, &e), 0);
	assert_string_not_equal(shown(ports[0]), before);
	assert_int_equal(sip_net_conn_count(sip_stack_net(gw->sip)), 1);
	/* A commit of something else takes new files along, and one that is broken stops it. */
	snprintf(before, sizeof before, "%s", shown(ports[0]));
	certs_make(&(struct cert_spec){
		.file = "server", .cn = "server", .san = "IP:127.0.0.1", .issuer = "ca"});
	apply(parse(",\"limits\":{\"max-calls\":7}", LISTENER("a", "tls", "in"), ports[0], WITH_TLS));
	assert_string_not_equal(shown(ports[0]), before);
	snprintf(before, sizeof before, "%s", shown(ports[0]));
	assert_int_equal(truncate(certs_path("server.key"), 0), 0);
	expect_refused(parse("", LISTENER("a", "tls", "in"), ports[0], WITH_TLS),
		"/srtp-gateway:gateway/tls-profiles/tls-profile[name='p']");
	assert_true(gateway_reload_certificates(gw, &e) < 0);
	assert_string_equal(shown(ports[0]), before);
	close(fd);
}

static struct {
	unsigned n;
	char profile[16];
	int days_left;
} told;

static void note_notice(void *ctx, const struct gateway_certificate *c)
{
	(void)ctx;
	told.n++;
	told.days_left = c->days_left;
	snprintf(told.profile, sizeof told.profile, "%s", c->profile);
}

static void note_renewed(void *ctx, const char *profile)
{
	strcat(ctx, profile);
}

static void test_the_end_of_certificates_is_told(void **state)
{
	int64_t now = (int64_t)time(NULL);
	char names[64] = "";
	struct err e = {0};

	(void)state;
	memset(&told, 0, sizeof told);
	gateway_on_certificate(gw, note_notice, NULL);
	certs_make(&(struct cert_spec){
		.file = "server", .cn = "server", .san = "IP:127.0.0.1", .issuer = "ca", .days = 20});
	apply(parse("", LISTENER("a", "tls", "in"), ports[0], WITH_TLS));
	assert_int_equal(told.n, 1);
	assert_string_equal(told.profile, "p");
	assert_in_range(told.days_left, 19, 20);
	/* A commit of something else says nothing again; a week before the end it is told again. */
	apply(parse(",\"limits\":{\"max-calls\":7}", LISTENER("a", "tls", "in"), ports[0], WITH_TLS));
	assert_int_equal(told.n, 1);
	gateway_look_at_certificates(gw, now + 14 * INT64_C(86400));
	gateway_look_at_certificates(gw, now + 15 * INT64_C(86400));
	assert_int_equal(told.n, 2);
	/* Read again it is the same certificate, renewed it is another one. */
	assert_int_equal(gateway_reload_certificates(gw, &e), 0);
	gateway_renewed_certificates(gw, note_renewed, names);
	assert_string_equal(names, "");
	assert_int_equal(told.n, 2);
	certs_make(&(struct cert_spec){
		.file = "server", .cn = "server", .san = "IP:127.0.0.1", .issuer = "ca", .days = 90});
	assert_int_equal(gateway_reload_certificates(gw, &e), 0);
	gateway_renewed_certificates(gw, note_renewed, names);
	assert_string_equal(names, "p");
	gateway_look_at_certificates(gw, now + 15 * INT64_C(86400));
	assert_int_equal(told.n, 2);
}

/* A certificate of no use stops the commit that would use it, and says where it is configured. */
static void test_useless_certificates_are_refused(void **state)
{
	(void)state;
	apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
	certs_make(&(struct cert_spec){
		.file = "server", .cn = "server", .issuer = "ca", .eku = "clientAuth"});
	expect_refused(parse("", LISTENER("b", "tls", "in"), ports[1], WITH_TLS),
		"/srtp-gateway:gateway/tls-profiles/tls-profile[name='p']/certificate");
	assert_false(accepts(ports[1]));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void test_what_requires_dtls_1_3_is_refused_without_it(void **state)
{
	static const char *const policies[] = {"\"min-version\":\"1.3\"", "\"post-quantum\":\"require\""};
	static const char *const paths[] = {"dtls-policy[name='strict']/min-version: requires DTLS 1.3",
		"dtls-policy[name='strict']/post-quantum: requires DTLS 1.3"};
	static const struct dtls_module some;
	char more[160];

	(void)state;
	apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
	gw->conf.no_dtls13 = "no library";
	for (unsigned i = 0; i < 2; i++) {
		snprintf(more, sizeof more, ",\"dtls-policies\":{\"dtls-policy\":[{\"name\":\"strict\",%s}]}",
			policies[i]);
		expect_refused(parse(more, LISTENER("a", "tcp", "in"), ports[0], ""), paths[i]);
		expect_refused(parse(more, LISTENER("a", "tcp", "in"), ports[0], ""), "no library");
		gw->conf.dtls13 = &some;
		apply(parse(more, LISTENER("a", "tcp", "in"), ports[0], ""));
		apply(parse("", LISTENER("a", "tcp", "in"), ports[0], ""));
		gw->conf.dtls13 = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_listeners_come_and_go),
		T(test_an_address_that_is_still_used_keeps_its_socket),
		T(test_two_listeners_change_places),
		T(test_another_transport_at_the_same_address),
		T(test_a_failure_undoes_what_was_opened),
		T(test_certificates_are_renewed_in_place),
		T(test_the_end_of_certificates_is_told),
		T(test_useless_certificates_are_refused),
		T(test_what_requires_dtls_1_3_is_refused_without_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
