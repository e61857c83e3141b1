/* SPDX-License-Identifier: Apache-2.0 */
/* A DTLS server of ours and `openssl s_client`, over UDP: what it is let in with, its keys, and what is refused. */
#include "tests/unit/dtls_link.h" /* before OpenSSL's, whose macros have names of our suites */

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>

#define ARGS_MAX 32
#define OUTPUT_MAX 65536

extern char **environ;

struct server {
	struct link *link; /* its server end alone */
	int fd, from_client;
	pid_t client;
	char folder[40], certificate[64], output[OUTPUT_MAX];
	size_t n_output;
};

static void to_socket(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	const struct server *s = arg;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(to->port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* What a full buffer does not take is lost as on the way. */
	if (sendto(s->fd, octets, n, 0, (struct sockaddr *)&a, sizeof a) < 0)
		print_message("a datagram was lost\n");
}

/* The client's certificate and key, for its command line. */
static void write_certificate(struct server *s)
{
	FILE *f;

	strcpy(s->folder, "/tmp/srtpgw-dtls-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->certificate, sizeof s->certificate, "%s/client.pem", s->folder);
	f = fopen(s->certificate, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, dtls_identity_certificate(s->link->identity[CLIENT])), 1);
	assert_int_equal(PEM_write_PrivateKey(
				 f, dtls_identity_key(s->link->identity[CLIENT]), NULL, NULL, 0, NULL, NULL),
		1);
	fclose(f);
}

static void server_open(struct server *s, uint16_t *port)
{
	struct dtls_association_conf conf;
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t n = sizeof a;

	*s = (struct server){.link = link_new(), .client = -1};
	write_certificate(s);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	conf = conf_of(s->link, SERVER);
	conf.dtls.remote = address_of("127.0.0.1", 9);
	conf.dtls.retransmit_ms = 0;
	conf.any_port = true;
	conf.output = to_socket;
	conf.arg = s;
	link_open(s->link, SERVER, &conf);
}

static void server_close(struct server *s)
{
	if (s->client > 0) {
		kill(s->client, SIGKILL);
		waitpid(s->client, NULL, 0);
	}
	close(s->fd);
	close(s->from_client);
	unlink(s->certificate);
	rmdir(s->folder);
	link_free(s->link);
}

static void run_client(struct server *s, uint16_t port, const char *const *more)
{
	char to[40];
	const char *argv[ARGS_MAX] = {"openssl", "s_client", "-connect", to, "-cert", s->certificate, "-keymatexport",
		"EXTRACTOR-dtls_srtp", "-keymatexportlen", "88"};
	unsigned n = 10;
	posix_spawn_file_actions_t files;
	int pipe_of[2], rc;

	snprintf(to, sizeof to, "127.0.0.1:%u", port);
	while (*more)
		argv[n++] = *more++;
	assert_int_equal(pipe2(pipe_of, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, pipe_of[1], 1);
	posix_spawn_file_actions_adddup2(&files, pipe_of[1], 2);
	rc = posix_spawnp(&s->client, "openssl", &files, NULL, (char **)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	close(pipe_of[1]);
	s->from_client = pipe_of[0];
	assert_int_equal(rc, 0);
}

static void take_datagrams(struct server *s)
{
	uint8_t octets[2048];
	struct sockaddr_in a;
	socklen_t len = sizeof a;
	ssize_t n;

	while ((n = recvfrom(s->fd, octets, sizeof octets, 0, (struct sockaddr *)&a, &len)) >= 0) {
		struct ip_port from = address_of("127.0.0.1", ntohs(a.sin_port));

		dtls_association_input(s->link->end[SERVER], &from, octets, (size_t)n);
	}
}

/* True: more may come. */
static bool take_output(struct server *s)
{
	ssize_t n = read(s->from_client, s->output + s->n_output, sizeof s->output - 1 - s->n_output);

	if (n > 0)
		s->n_output += (size_t)n;
	return n > 0;
}

/* Serves until the client has ended, or the server has refused it. */
static void serve_client(struct server *s)
{
	uint64_t until = clock_mono_ns() + PATIENCE_NS;

	for (bool more = true; more && clock_mono_ns() < until;) {
		struct pollfd fds[] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->from_client, .events = POLLIN}};
		uint64_t due = dtls_association_deadline(s->link->end[SERVER]);

		if (poll(fds, 2, 50) > 0) {
			take_datagrams(s);
			if (fds[1].revents)
				more = take_output(s);
		}
		if (due && due <= clock_mono_ns())
			dtls_association_tick(s->link->end[SERVER]);
		if (result_of(s->link, SERVER)->state == DTLS_FAILED)
			return;
	}
}

static int hex_at(const char *p)
{
	char two[3] = {p[0], p[1]};

	return (int)strtol(two, NULL, 16);
}

static void assert_part(const char **hex, const uint8_t *ours, size_t n)
{
	for (size_t i = 0; i < n; i++, *hex += 2)
		assert_int_equal(hex_at(*hex), ours[i]);
}

/* RFC 5764 section 4.2: client key, server key, client salt, server salt. */
static void assert_same_keys(const struct server *s)
{
	const struct dtls_result *r = result_of(s->link, SERVER);
	const struct srtp_suite_info *suite = srtp_suite_info(r->suite);
	const char *hex = strstr(s->output, "Keying material: ");

	assert_non_null(hex);
	hex += strlen("Keying material: ");
	assert_part(&hex, r->rx.octets, suite->key_len);
	assert_part(&hex, r->tx.octets, suite->key_len);
	assert_part(&hex, r->rx.octets + suite->key_len, suite->salt_len);
	assert_part(&hex, r->tx.octets + suite->key_len, suite->salt_len);
}

static void a_client_of_each_profile_has_our_keys(void **state)
{
	static const struct {
		const char *name;
		enum srtp_suite suite;
	} profiles[] = {
		{"SRTP_AEAD_AES_256_GCM", SRTP_AEAD_AES_256_GCM},
		{"SRTP_AEAD_AES_128_GCM", SRTP_AEAD_AES_128_GCM},
		{"SRTP_AES128_CM_SHA1_80", SRTP_AES_CM_128_HMAC_SHA1_80},
		{"SRTP_AES128_CM_SHA1_32", SRTP_AES_CM_128_HMAC_SHA1_32},
		{"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", SRTP_AEAD_AES_128_GCM}, /* our order decides */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof profiles / sizeof *profiles; i++) {
		struct server s;
		uint16_t port;

		server_open(&s, &port);
		run_client(&s, port, (const char *[]){"-dtls1_2", "-use_srtp", profiles[i].name, NULL});
		serve_client(&s);
		if (result_of(s.link, SERVER)->state != DTLS_ESTABLISHED)
			fail_msg("%s: %s\n%s", profiles[i].name, result_of(s.link, SERVER)->reason, s.output);
		assert_int_equal(result_of(s.link, SERVER)->suite, profiles[i].suite);
		assert_same_keys(&s);
		server_close(&s);
	}
}

static void what_a_client_is_refused_for(void **state)
{
	static const struct {
		const char *what, *args[8];
	} clients[] = {
		{"DTLS 1.0", {"-dtls1", "-cipher", "ALL:@SECLEVEL=0", "-use_srtp", "SRTP_AES128_CM_SHA1_80"}},
		{"no forward secrecy", {"-dtls1_2", "-cipher", "AES256-GCM-SHA384:AES128-GCM-SHA256", "-use_srtp",
					       "SRTP_AES128_CM_SHA1_80"}},
		{"no AEAD", {"-dtls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA", "-use_srtp",
				    "SRTP_AES128_CM_SHA1_80"}},
		{"anonymous", {"-dtls1_2", "-cipher", "aNULL:@SECLEVEL=0", "-use_srtp", "SRTP_AES128_CM_SHA1_80"}},
		{"no use_srtp", {"-dtls1_2"}},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof clients / sizeof *clients; i++) {
		struct server s;
		uint16_t port;

		server_open(&s, &port);
		run_client(&s, port, (const char *const *)clients[i].args);
		serve_client(&s);
		if (result_of(s.link, SERVER)->state != DTLS_FAILED)
			fail_msg("%s: not refused\n%s", clients[i].what, s.output);
		assert_int_equal(result_of(s.link, SERVER)->rx.len, 0);
		assert_true(result_of(s.link, SERVER)->reason[0]);
		server_close(&s);
	}
}

/* Whoever has another certificate than its SDP says. */
static void a_client_with_another_certificate(void **state)
{
	struct server s;
	uint16_t port;
	struct dtls_identity *other;

	(void)state;
	server_open(&s, &port);
	assert_int_equal(dtls_identity_make(&other, NULL), 0);
	dtls_identity_unref(s.link->identity[CLIENT]);
	s.link->identity[CLIENT] = other;
	unlink(s.certificate);
	rmdir(s.folder);
	write_certificate(&s);
	run_client(&s, port, (const char *[]){"-dtls1_2", "-use_srtp", "SRTP_AEAD_AES_256_GCM", NULL});
	serve_client(&s);
	assert_int_equal(result_of(s.link, SERVER)->state, DTLS_FAILED);
	assert_int_equal(result_of(s.link, SERVER)->failure, DTLS_FAIL_FINGERPRINT);
	server_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_of_each_profile_has_our_keys),
		cmocka_unit_test(what_a_client_is_refused_for),
		cmocka_unit_test(a_client_with_another_certificate),
	};

	const struct pair_tests all = {.group = "dtls_s_client", .tests = tests, .n = sizeof tests / sizeof *tests};

	return run_with_pairs(&all, EVERY_SERVER);
}
