/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams for a DTLS server before and in its handshake, each with a length in front and a source: none of them
 * establishes anything, and what the server sends never outweighs what it was sent, unless ICE vouches for the client.
 */
#include <stdlib.h>

#include "controlplane/dtls/association.h"
#include "controlplane/dtls/hello.h"
#include "controlplane/dtls/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t sent;

static void output(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	(void)arg;
	(void)to;
	(void)octets;
	sent += n;
}

static struct dtls_identity *identity(void)
{
	static struct dtls_identity *id;

	if (!id && dtls_identity_make(&id, NULL) < 0)
		abort();
	return id;
}

/* The module of this build, where there is one: the input's first octet's second bit asks for it. */
static const struct dtls_backend *backend(uint8_t choice)
{
#ifdef SRTPGW_DTLS_MODULE
	static const struct dtls_module *m;

	if (!m && dtls_module_open(SRTPGW_DTLS_MODULE, &m, NULL) < 0)
		abort();
	if (choice & 2)
		return m->backend;
#endif
	(void)choice;
	return &dtls_openssl;
}

/* What a client is said to have begun with begins a handshake itself, and has no cookie. */
static void look_back(const uint8_t *octets, size_t n)
{
	uint8_t first[DTLS_HELLO_MAX], none[DTLS_HELLO_MAX];
	struct dtls_hello h;
	size_t length = dtls_hello_before_cookie(octets, n, first);

	if (length && (length >= n || !dtls_hello_peek(first, length, &h) || h.message_seq ||
			      dtls_hello_before_cookie(first, length, none)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum srtp_suite suites[] = {SRTP_AEAD_AES_256_GCM, SRTP_AES_CM_128_HMAC_SHA1_80};
	struct rbuf r = rbuf_make(data, size);
	uint8_t choice = rbuf_u8(&r);
	struct dtls_association_conf conf = {
		.dtls = {.role = choice & 1 ? DTLS_CLIENT : DTLS_SERVER,
			.identity = identity(),
			.suites = suites,
			.n_suites = 2,
			.n_peer = 1,
			.peer[0] = {.hash = DTLS_SHA256, .len = 32},
			.max = DTLS_1_3,
			.reachable = (choice & 5) == 4,
			.remote = {.ip = {.family = IP_V4}, .port = 1000}},
		.any_port = true,
		.output = output,
	};
	struct dtls_association *a;
	struct ip_port from = conf.dtls.remote;

	if (dtls_association_new(backend(choice), &conf, &a, NULL) < 0)
		abort();
	sent = 0;
	while (!r.short_read && r.left > 3) {
		uint16_t n = rbuf_u16(&r);
		const uint8_t *octets;

		from.port = (uint16_t)(1000 + (rbuf_u8(&r) & 3));
		n = n < r.left ? n : (uint16_t)r.left;
		octets = rbuf_bytes(&r, n);
		look_back(octets, n);
		dtls_association_input(a, &from, octets, n);
	}
	if (dtls_association_result(a)->state == DTLS_ESTABLISHED)
		abort();
	if (conf.dtls.role == DTLS_SERVER && !dtls_association_result(a)->cookie && sent > 2 * size + 64)
		abort();
	dtls_association_close(a);
	return 0;
}
