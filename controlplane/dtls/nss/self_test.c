/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes of this module with itself, over what nobody else's tests cover: the use_srtp extension by hooks, which
 * is in another message of each version, an AEAD profile, the hybrid group, and keys that meet crosswise.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/dtls/nss/private.h"

#define WAITING_MAX 16
#define TURNS_MAX 64

struct end {
	struct dtls *dtls;
	struct end *peer;
	struct datagram *waiting[WAITING_MAX]; /* for it */
	unsigned n;
};

/* A server of DTLS 1.3 asks for a cookie; one of 1.2, which cannot, is for clients that ICE has found. */
static const struct test {
	enum dtls_version version;
	enum dtls_post_quantum post_quantum;
	bool reachable;
	const char *named, *group;
} tests[] = {
	{DTLS_1_3, DTLS_PQ_REQUIRE, false, "DTLSv1.3", "X25519MLKEM768"},
	{DTLS_1_2, DTLS_PQ_OFF, true, "DTLSv1.2", "X25519"},
};

static void deliver(void *arg, const uint8_t *octets, size_t n)
{
	struct end *to = ((struct end *)arg)->peer;
	struct datagram *d = to->n < WAITING_MAX ? malloc(sizeof *d + n) : NULL;

	if (!d)
		return;
	d->n = n;
	memcpy(d->octets, octets, n);
	to->waiting[to->n++] = d;
}

static bool take_one(struct end *e)
{
	struct datagram *d = e->n ? e->waiting[0] : NULL;

	if (!d)
		return false;
	memmove(e->waiting, e->waiting + 1, --e->n * sizeof e->waiting[0]);
	nss_backend.input(e->dtls, d->octets, d->n);
	free(d);
	return true;
}

static int open_end(
	struct end *end, enum dtls_role role, const struct test *t, struct dtls_identity *id, struct err *e)
{
	static const enum srtp_suite suite = SRTP_AEAD_AES_256_GCM;
	struct dtls_conf conf = {.role = role,
		.identity = id,
		.suites = &suite,
		.n_suites = 1,
		.n_peer = 1,
		.min = t->version,
		.max = t->version,
		.post_quantum = t->post_quantum,
		.reachable = role == DTLS_SERVER && t->reachable,
		.output = deliver,
		.arg = end};
	int rc = dtls_identity_fingerprint(id, DTLS_SHA256, &conf.peer[0]);

	return rc < 0 ? rc : nss_backend.create(&conf, &end->dtls, e);
}

static int judge(const struct test *t, const struct dtls_result *c, const struct dtls_result *s, struct err *e)
{
	const struct dtls_result *bad = c->state != DTLS_ESTABLISHED ? c : s;

	if (bad->state != DTLS_ESTABLISHED)
		return err_set(e, EIO, "NSS fails its self-test: %s",
			bad->state == DTLS_FAILED ? bad->reason : "the handshake does not end");
	if (c->suite != SRTP_AEAD_AES_256_GCM || s->suite != c->suite || !s->cookie ||
		strcmp(c->version, t->named) != 0 || strcmp(s->group, t->group) != 0)
		return err_set(e, EIO, "NSS fails its self-test: it agrees on %s with %s", c->version, s->group);
	if (!c->tx.len || !secret_equal(&c->tx, &s->rx) || !secret_equal(&s->tx, &c->rx))
		return err_set(e, EIO, "NSS fails its self-test: the ends have different keys");
	return 0;
}

static void close_end(struct end *e)
{
	if (e->dtls)
		nss_backend.close(e->dtls);
	while (e->n)
		free(e->waiting[--e->n]);
}

static int run(const struct test *t, struct dtls_identity *id, struct err *e)
{
	struct end client = {0}, server = {0};
	int rc;

	client.peer = &server;
	server.peer = &client;
	rc = open_end(&server, DTLS_SERVER, t, id, e);
	if (rc == 0)
		rc = open_end(&client, DTLS_CLIENT, t, id, e);
	for (int i = 0; rc == 0 && i < TURNS_MAX && (take_one(&server) || take_one(&client)); i++)
		;
	if (rc == 0)
		rc = judge(t, nss_backend.result(client.dtls), nss_backend.result(server.dtls), e);
	close_end(&client);
	close_end(&server);
	return rc;
}

int nss_self_test(struct err *e)
{
	struct dtls_identity *id;
	int rc = dtls_identity_make(&id, e);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < sizeof tests / sizeof tests[0] && rc == 0; i++)
		rc = run(&tests[i], id, e);
	dtls_identity_unref(id);
	return rc;
}
