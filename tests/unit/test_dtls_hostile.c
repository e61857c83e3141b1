/* SPDX-License-Identifier: Apache-2.0 */
/* A DTLS server of ours and clients that it did not expect: strangers, thieves of its place, old versions. */
#include "tests/unit/dtls_link.h" /* before OpenSSL's, whose macros have names of our suites */

#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "controlplane/dtls/hello.h"

/* The first ClientHello of some client, in one datagram: one with X25519MLKEM768 needs two. */
static size_t any_hello(const struct link *l, uint8_t octets[2048])
{
	struct link *other = link_new();
	struct dtls_association_conf c = conf_of(other, CLIENT);
	size_t n;

	(void)l;
	c.dtls.post_quantum = DTLS_PQ_OFF;
	link_open(other, CLIENT, &c);
	n = other->wire[0].n;
	memcpy(octets, other->wire[0].octets, n);
	link_free(other);
	return n;
}

static void hellos_are_recognized(void **state)
{
	struct link *l = link_new();
	uint8_t octets[2048];
	size_t n = any_hello(l, octets);
	struct dtls_hello h;

	(void)state;
	assert_true(dtls_hello_peek(octets, n, &h));
	assert_true(h.first_fragment);
	assert_int_equal(h.message_seq, 0);
	for (size_t i = 0; i < 13 + 12 + 34; i++)
		assert_false(dtls_hello_peek(octets, i, &h));
	octets[13] = 2; /* a ServerHello */
	assert_false(dtls_hello_peek(octets, n, &h));
	link_free(l);
}

/* Without a cookie a client costs nothing: no certificate is sent to an address that did not ask for it. */
static void a_first_hello_is_answered_with_a_cookie_only(void **state)
{
	struct link *l = link_new();
	struct dtls_association_conf s = conf_of(l, SERVER);
	uint8_t octets[2048];
	size_t n = any_hello(l, octets);

	(void)state;
	link_open(l, SERVER, &s);
	for (int i = 0; i < 3; i++) {
		dtls_association_input(l->end[SERVER], &l->address[CLIENT], octets, n);
		assert_int_equal(l->n_wire, i + 1);
		assert_true(l->wire[i].n <= n); /* nothing to amplify with */
	}
	assert_false(result_of(l, SERVER)->cookie);
	link_free(l);
}

static void strangers_hellos_in_between_change_nothing(void **state)
{
	struct link *l = link_new();
	struct ip_port stranger = address_of("198.51.100.9", 1234);
	uint8_t octets[2048];
	size_t n = any_hello(l, octets);
	uint64_t until = clock_mono_ns() + PATIENCE_NS;

	(void)state;
	link_open_both(l);
	/* Before, between and after: from elsewhere, and in the client's own name. */
	while (!(over(l, CLIENT) && over(l, SERVER)) && clock_mono_ns() < until) {
		dtls_association_input(l->end[SERVER], &stranger, octets, n);
		if (!deliver_one(l))
			wait_and_tick(l);
	}
	while (deliver_one(l))
		;
	assert_established(l);
	dtls_association_input(l->end[SERVER], &stranger, octets, n);
	dtls_association_input(l->end[SERVER], &l->address[CLIENT], octets, n);
	assert_int_equal(l->n_wire, 0);
	assert_established(l);
	assert_true(dtls_association_strays(l->end[SERVER]) >= 2);
	link_free(l);
}

/* One who began as a client, and then said in its answer that it is the server: its hello is on its way. */
static void hellos_in_the_servers_name_change_nothing(void **state)
{
	struct link *l = link_new();
	uint8_t octets[2048];
	size_t n = any_hello(l, octets);
	uint64_t until = clock_mono_ns() + PATIENCE_NS;

	(void)state;
	link_open_both(l);
	while (!(over(l, CLIENT) && over(l, SERVER)) && clock_mono_ns() < until) {
		dtls_association_input(l->end[CLIENT], &l->address[SERVER], octets, n);
		if (!deliver_one(l))
			wait_and_tick(l);
	}
	while (deliver_one(l))
		;
	assert_established(l);
	dtls_association_input(l->end[CLIENT], &l->address[SERVER], octets, n);
	assert_int_equal(l->n_wire, 0);
	assert_established(l);
	assert_true(dtls_association_strays(l->end[CLIENT]) >= 2);
	link_free(l);
}

/* A spoofed hello in the client's name, before its own: the client is not shut out. */
static void a_hello_in_the_clients_name_does_not_shut_it_out(void **state)
{
	struct link *l = link_new();
	struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);
	uint8_t octets[2048];
	size_t n = any_hello(l, octets);

	(void)state;
	link_open(l, SERVER, &s);
	dtls_association_input(l->end[SERVER], &l->address[CLIENT], octets, n);
	l->n_wire = 0; /* the answer goes to a client that has not asked */
	link_open(l, CLIENT, &c);
	link_run(l);
	assert_established(l);
	link_free(l);
}

/* ... nor one between its first word and the one with its cookie: a cookie is good whoever was heard since. */
static void a_hello_before_the_cookie_comes_back_does_not_shut_it_out(void **state)
{
	struct ip_port stranger = address_of("198.51.100.9", 1234);

	(void)state;
	for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
		struct link *l = link_new();
		struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);
		uint8_t octets[2048];
		size_t n = any_hello(l, octets);

		s.any_ip = true;
		link_open(l, SERVER, &s);
		link_open(l, CLIENT, &c);
		deliver_one(l); /* the client asks */
		deliver_one(l); /* and is asked for a cookie */
		for (int i = 0; i < 3; i++) {
			unsigned waiting = l->n_wire;

			octets[13 + 12 + 2]++;
			dtls_association_input(
				l->end[SERVER], elsewhere ? &stranger : &l->address[CLIENT], octets, n);
			l->n_wire = waiting; /* whatever that is answered is lost */
		}
		link_run(l);
		assert_established(l);
		link_free(l);
	}
}

/* Behind NAT anybody may come first; whoever is at the signalled address takes its place nevertheless. */
static void the_signalled_address_goes_first(void **state)
{
	struct link *l = link_new(), *thief = link_new();
	struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT), t = conf_of(thief, CLIENT);
	struct ip_port from = address_of("198.51.100.9", 1234);

	(void)state;
	s.any_ip = true;
	t.dtls.post_quantum = DTLS_PQ_OFF; /* in one datagram */
	link_open(l, SERVER, &s);
	link_open(thief, CLIENT, &t);
	/* The thief goes as far as its cookie takes it. */
	for (int i = 0; i < 2; i++) {
		dtls_association_input(l->end[SERVER], &from, thief->wire[thief->n_wire - 1].octets,
			thief->wire[thief->n_wire - 1].n);
		while (l->n_wire) {
			dtls_association_input(
				thief->end[CLIENT], &thief->address[SERVER], l->wire[0].octets, l->wire[0].n);
			memmove(l->wire, l->wire + 1, --l->n_wire * sizeof l->wire[0]);
		}
	}
	assert_true(result_of(l, SERVER)->cookie);
	link_open(l, CLIENT, &c);
	link_run(l);
	assert_established(l);
	link_free(l);
	link_free(thief);
}

/* A client behind NAT, from an address that was never signalled. */
static void a_client_elsewhere_is_let_in_by_policy_only(void **state)
{
	(void)state;
	for (int policy = 0; policy < 2; policy++) {
		struct link *l = link_new();
		struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);

		s.dtls.remote = address_of("192.0.2.77", 9);
		s.any_ip = policy;
		link_open(l, SERVER, &s);
		link_open(l, CLIENT, &c);
		if (policy) {
			link_run(l);
			assert_established(l);
			assert_true(ip_port_equal(dtls_association_peer(l->end[SERVER]), &l->address[CLIENT]));
		} else {
			while (deliver_one(l))
				;
			assert_int_equal(l->n_wire, 0);
			assert_true(dtls_association_strays(l->end[SERVER]) > 0);
		}
		link_free(l);
	}
}

/* Somebody with another certificate, from another address than the signalled one, does not end the call. */
static void a_wrong_certificate_from_elsewhere_is_forgiven(void **state)
{
	struct link *l = link_new(), *thief = link_new();
	struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT), t = conf_of(l, CLIENT);
	struct ip_port here = l->address[CLIENT];

	(void)state;
	s.any_ip = true;
	t.dtls.identity = thief->identity[CLIENT];
	link_open(l, SERVER, &s);
	l->address[CLIENT] = address_of("198.51.100.9", 1234);
	link_open(l, CLIENT, &t);
	while (deliver_one(l))
		;
	assert_int_equal(result_of(l, SERVER)->state, DTLS_HANDSHAKING);
	assert_true(dtls_association_complaint(l->end[SERVER])[0]);
	dtls_association_close(l->end[CLIENT]);
	l->end[CLIENT] = NULL;
	l->n_wire = 0;
	l->address[CLIENT] = here;
	link_open(l, CLIENT, &c);
	link_run(l);
	assert_established(l);
	link_free(l);
	link_free(thief);
}

/* No DTLS, or such as no peer says at this point. The first octets decide: the rest is noise. */
static const struct {
	size_t n;
	uint8_t octets[64];
} junk[] = {
	{1, {22}},
	{12, {22, 0xfe, 0xfd}},
	{13, {22, 0xfe, 0xfd}},                                                    /* an empty record */
	{40, {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xff}},                /* longer than it is */
	{40, {99, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 27}},                     /* of no known kind */
	{40, {22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 9, 0, 27, 1}},                        /* TLS */
	{40, {23, 0xfe, 0xfd, 0, 5, 0, 0, 0, 0, 0, 9, 0, 27}},                     /* of an epoch to come */
	{40, {22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 27, 0x55, 0xaa, 7, 1, 2}}, /* encrypted, with no key */
	{40, {63, 1, 2, 3, 4, 5, 6, 7, 8, 9}},                                     /* DTLS 1.3, likewise */
	{60, {0x80, 0, 0, 1}},                                                     /* RTP */
};

/* From the peer's own address, which anybody can write on an envelope, before, between and after. */
static void junk_in_the_peers_name_changes_nothing(void **state)
{
	struct link *l = link_new();
	uint64_t until = clock_mono_ns() + PATIENCE_NS;

	(void)state;
	link_open_both(l);
	for (bool last = false; !last;) {
		last = (over(l, CLIENT) && over(l, SERVER)) || clock_mono_ns() > until;
		for (int to = 0; to < 2; to++)
			for (unsigned i = 0; i < sizeof junk / sizeof *junk; i++)
				dtls_association_input(l->end[to], &l->address[!to], junk[i].octets, junk[i].n);
		if (!deliver_one(l) && !last)
			wait_and_tick(l);
	}
	assert_established(l);
	link_free(l);
}

/* Whoever is on the path cannot end what is established: no alert counts that is not under its keys. */
static void alerts_in_the_clear_end_nothing(void **state)
{
	static const uint8_t alerts[][15] = {
		{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 9, 9, 0, 2, 1, 0},  /* close_notify */
		{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 9, 9, 0, 2, 2, 40}, /* handshake_failure */
		{21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 9, 9, 0, 2, 2, 40},
	};
	struct link *l = link_new();

	(void)state;
	link_open_both(l);
	link_run(l);
	assert_established(l);
	for (int to = 0; to < 2; to++)
		for (unsigned i = 0; i < sizeof alerts / sizeof *alerts; i++)
			dtls_association_input(l->end[to], &l->address[!to], alerts[i], sizeof alerts[i]);
	assert_established(l);
	assert_false(result_of(l, CLIENT)->closed || result_of(l, SERVER)->closed);
	link_free(l);
}

/* A hundred first hellos a moment, each another: what they cost is one handshake's state, and the peer gets in. */
static void a_flood_of_hellos_leaves_room_for_the_peer(void **state)
{
	struct link *l = link_new();
	struct dtls_association_conf s = conf_of(l, SERVER), c = conf_of(l, CLIENT);
	struct ip_port from = l->address[CLIENT];
	uint8_t octets[2048];
	size_t n = any_hello(l, octets), answers = 0;

	(void)state;
	s.any_ip = true;
	link_open(l, SERVER, &s);
	for (unsigned i = 0; i < 300; i++) {
		if (i == 200) {
			link_open(l, CLIENT, &c);
			link_run(l);
			assert_established(l);
		}
		octets[13 + 12 + 2] = (uint8_t)i; /* of its random */
		octets[13 + 12 + 3] = (uint8_t)(i >> 8);
		from.port = (uint16_t)(i % 2 ? l->address[CLIENT].port : 1024 + i);
		dtls_association_input(l->end[SERVER], &from, octets, n);
		for (; l->n_wire; l->n_wire--)
			answers += l->wire[l->n_wire - 1].n;
	}
	assert_true(answers <= 200 * n); /* nothing to amplify with, nothing at all after the peer came */
	assert_established(l);
	link_free(l);
}

/* A client of the library itself, as somebody else would set it up, over a pair of sockets. */
struct foreign {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
};

static void to_socket(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	(void)to;
	assert_int_equal(send(*(int *)arg, octets, n, 0), (ssize_t)n);
}

static void foreign_open(struct foreign *f, const struct link *l, int fd)
{
	f->ctx = SSL_CTX_new(DTLS_client_method());
	SSL_CTX_set_security_level(f->ctx, 0);
	SSL_CTX_set_options(f->ctx, SSL_OP_NO_QUERY_MTU);
	assert_int_equal(SSL_CTX_use_certificate(f->ctx, dtls_identity_certificate(l->identity[CLIENT])), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(f->ctx, dtls_identity_key(l->identity[CLIENT])), 1);
	f->ssl = SSL_new(f->ctx);
	f->fd = fd;
	SSL_set_fd(f->ssl, fd);
	SSL_set_mtu(f->ssl, 1200);
}

static void foreign_close(struct foreign *f)
{
	SSL_free(f->ssl);
	SSL_CTX_free(f->ctx);
}

/* Runs both until neither has anything to say. True: the client was let in. */
static bool foreign_run(struct foreign *f, struct link *l, int fd, unsigned *datagrams)
{
	uint8_t octets[2048];
	ssize_t n;
	bool moved = true, in = false;

	while (moved && !in) {
		in = SSL_connect(f->ssl) == 1;
		for (moved = false; (n = recv(fd, octets, sizeof octets, MSG_DONTWAIT)) > 0; moved = true) {
			++*datagrams;
			dtls_association_input(l->end[SERVER], &l->address[CLIENT], octets, (size_t)n);
		}
	}
	return in;
}

struct foreign_case {
	const char *what, *ciphers, *profiles;
	int min, max, mtu;
	bool taken;
};

static void foreign_clients(void **state)
{
	static const struct foreign_case cases[] = {
		{"usual", "ECDHE-ECDSA-AES128-GCM-SHA256", "SRTP_AES128_CM_SHA1_80", 0, DTLS1_2_VERSION, 0, true},
		{"hello in two datagrams", "ALL:eNULL", "SRTP_AEAD_AES_128_GCM", 0, DTLS1_2_VERSION, 256, true},
		{"DTLS 1.0", "ALL:@SECLEVEL=0", "SRTP_AES128_CM_SHA1_80", DTLS1_VERSION, DTLS1_VERSION, 0, false},
		{"no forward secrecy", "AES128-GCM-SHA256:AES256-SHA", "SRTP_AES128_CM_SHA1_80", 0,
			DTLS1_2_VERSION, 0, false},
		{"no use_srtp", "ECDHE-ECDSA-AES128-GCM-SHA256", NULL, 0, DTLS1_2_VERSION, 0, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct foreign_case *k = &cases[i];
		struct link *l = link_new();
		struct dtls_association_conf s = conf_of(l, SERVER);
		struct foreign f;
		unsigned datagrams = 0;
		int fd[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd), 0);
		s.output = to_socket;
		s.arg = &fd[0];
		link_open(l, SERVER, &s);
		foreign_open(&f, l, fd[1]);
		assert_int_equal(SSL_set_cipher_list(f.ssl, k->ciphers), 1);
		if (k->profiles)
			assert_int_equal(SSL_set_tlsext_use_srtp(f.ssl, k->profiles), 0);
		SSL_set_min_proto_version(f.ssl, k->min);
		SSL_set_max_proto_version(f.ssl, k->max);
		if (k->mtu)
			SSL_set_mtu(f.ssl, k->mtu);
		bool in = foreign_run(&f, l, fd[0], &datagrams);
		const struct dtls_result *r = result_of(l, SERVER);

		if ((r->state == DTLS_ESTABLISHED) != k->taken || (k->taken && !in))
			fail_msg("%s: %d %s", k->what, r->state, r->reason);
		if (!k->taken) {
			assert_int_equal(r->state, DTLS_FAILED);
			assert_int_equal(r->rx.len, 0);
			assert_true(r->reason[0]);
		}
		if (k->mtu)
			assert_true(datagrams >= 4);
		foreign_close(&f);
		close(fd[0]);
		close(fd[1]);
		link_free(l);
	}
}

int main(void)
{
	/* Where ICE has shown who is there, nobody is asked for a cookie, and who comes first in its name is served. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hellos_are_recognized),
		cmocka_unit_test(strangers_hellos_in_between_change_nothing),
		cmocka_unit_test(hellos_in_the_servers_name_change_nothing),
		cmocka_unit_test(a_client_elsewhere_is_let_in_by_policy_only),
		cmocka_unit_test(a_wrong_certificate_from_elsewhere_is_forgiven),
		cmocka_unit_test(junk_in_the_peers_name_changes_nothing),
		cmocka_unit_test(alerts_in_the_clear_end_nothing),
		cmocka_unit_test(foreign_clients),
	};
	const struct CMUnitTest with_cookies[] = {
		cmocka_unit_test(a_first_hello_is_answered_with_a_cookie_only),
		cmocka_unit_test(a_hello_in_the_clients_name_does_not_shut_it_out),
		cmocka_unit_test(a_hello_before_the_cookie_comes_back_does_not_shut_it_out),
		cmocka_unit_test(the_signalled_address_goes_first),
		cmocka_unit_test(a_flood_of_hellos_leaves_room_for_the_peer),
	};
	const struct pair_tests all = {"dtls_hostile", tests, sizeof tests / sizeof *tests, with_cookies,
		sizeof with_cookies / sizeof *with_cookies};

	return run_with_pairs(&all, EVERY_PAIR);
}
