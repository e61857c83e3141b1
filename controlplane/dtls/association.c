/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/association.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/dtls/hello.h"

#define ANSWER_MAX 512 /* octets of a HelloVerifyRequest or HelloRetryRequest */

struct dtls_association {
	const struct dtls_backend *backend;
	struct dtls_association_conf conf;
	struct dtls *dtls;   /* NULL: a server that waits for a first ClientHello */
	struct ip_port peer; /* that dtls talks to */
	uint8_t random[DTLS_RANDOM_LEN]; /* of the ClientHello that began it; 0: not seen yet */
	bool answered;                   /* dtls has sent something */
	uint8_t answer[ANSWER_MAX];      /* that, while it asks for a cookie */
	size_t answer_len;               /* 0: something bigger, or more than that */
	struct dtls_result waiting;      /* the result while dtls is NULL */
	char complaint[160];
	uint64_t strays;
};

static void output(void *arg, const uint8_t *octets, size_t n)
{
	struct dtls_association *a = arg;
	bool asks = a->conf.dtls.role == DTLS_SERVER && !a->answered && n <= sizeof a->answer;

	a->answer_len = asks ? n : 0;
	if (asks)
		memcpy(a->answer, octets, n);
	a->answered = true;
	a->conf.output(a->conf.arg, &a->peer, octets, n);
}

static int begin(struct dtls_association *a, const struct ip_port *peer, struct err *e)
{
	struct dtls_conf conf = a->conf.dtls;

	dtls_close(a->dtls);
	a->dtls = NULL;
	a->peer = *peer;
	a->answered = false;
	a->answer_len = 0;
	memset(a->random, 0, sizeof a->random);
	conf.remote = *peer;
	conf.output = output;
	conf.arg = a;
	return dtls_new(a->backend, &conf, &a->dtls, e);
}

int dtls_association_new(const struct dtls_backend *backend, const struct dtls_association_conf *conf,
	struct dtls_association **out, struct err *e)
{
	struct dtls_association *a = calloc(1, sizeof *a);
	int rc;

	if (!a)
		return err_set(e, ENOMEM, "no memory for a DTLS association");
	a->backend = backend;
	a->conf = *conf;
	dtls_identity_ref(conf->dtls.identity);
	rc = begin(a, &conf->dtls.remote, e); /* a server: whatever is wrong with conf is known now */
	if (rc == 0 && conf->dtls.role == DTLS_SERVER) {
		dtls_close(a->dtls);
		a->dtls = NULL;
		a->peer = (struct ip_port){0};
	}
	if (rc < 0)
		dtls_association_close(a);
	else
		*out = a;
	return rc;
}

void dtls_association_close(struct dtls_association *a)
{
	if (!a)
		return;
	dtls_close(a->dtls);
	dtls_identity_unref(a->conf.dtls.identity);
	mem_wipe(a, sizeof *a);
	free(a);
}

static bool allowed(const struct dtls_association *a, const struct ip_port *from)
{
	const struct ip_port *signalled = &a->conf.dtls.remote;

	if (ip_port_equal(from, signalled) || a->conf.any_ip)
		return true;
	return a->conf.any_port && ip_equal(&from->ip, &signalled->ip);
}

/* Has the one at `peer` earned that nobody else is listened to? The signalled address always goes first. */
static bool taken(const struct dtls_association *a, const struct ip_port *from)
{
	const struct dtls_result *r = a->dtls ? dtls_result(a->dtls) : NULL;

	if (!r || !r->cookie)
		return false;
	return r->state == DTLS_ESTABLISHED || ip_port_equal(&a->peer, &a->conf.dtls.remote) ||
	       !ip_port_equal(from, &a->conf.dtls.remote);
}

/* A first ClientHello that is not more of the one being read: a stateless server would answer it anew. */
static bool begins(const struct dtls_association *a, const struct ip_port *from, const struct dtls_hello *h)
{
	static const uint8_t none[DTLS_RANDOM_LEN];

	if (!a->dtls || !ip_port_equal(from, &a->peer))
		return true;
	if (h->message_seq || !h->first_fragment)
		return false;
	return a->answered || (memcmp(a->random, none, sizeof none) && memcmp(a->random, h->random, sizeof none));
}

/* The first hello that was answered once more, or late: its state stays, for what follows may be on its way. */
static bool repeats(const struct dtls_association *a, const struct ip_port *from, const struct dtls_hello *h)
{
	if (!a->answer_len || h->message_seq || !ip_port_equal(from, &a->peer))
		return false;
	return !h->first_fragment || memcmp(a->random, h->random, sizeof h->random) == 0;
}

/* Somebody who is not where the peer said to be spoiled it: wait for the peer. */
static void forgive(struct dtls_association *a)
{
	const struct dtls_result *r = dtls_result(a->dtls);

	if (r->state != DTLS_FAILED || a->conf.dtls.role == DTLS_CLIENT ||
		(r->cookie && ip_equal(&a->peer.ip, &a->conf.dtls.remote.ip)))
		return;
	memcpy(a->complaint, r->reason, sizeof a->complaint);
	dtls_close(a->dtls);
	a->dtls = NULL;
}

static void serve(struct dtls_association *a, const struct ip_port *from, const uint8_t *octets, size_t n)
{
	struct dtls_hello hello;
	bool is_hello = dtls_hello_peek(octets, n, &hello);

	if (!taken(a, from)) {
		if (!is_hello || !allowed(a, from)) {
			a->strays++;
			return;
		}
		if (repeats(a, from, &hello)) {
			/* Never more than it asks with: whoever is at that address may not have asked. */
			if (hello.first_fragment && a->answer_len <= n)
				a->conf.output(a->conf.arg, from, a->answer, a->answer_len);
			return;
		}
		if (begins(a, from, &hello) && begin(a, from, NULL) < 0)
			return; /* no memory: the client tries again */
		if (hello.first_fragment)
			memcpy(a->random, hello.random, sizeof a->random);
	}
	if (!ip_port_equal(from, &a->peer)) {
		a->strays++;
		return;
	}
	dtls_input(a->dtls, octets, n);
	forgive(a);
}

/*
 * No server says hello as a client does, and libraries end a handshake over one that seems to: a peer does so
 * that began by our offer and whose answer then says a=setup:passive, and so does whoever writes its address.
 */
static void ask(struct dtls_association *a, const struct ip_port *from, const uint8_t *octets, size_t n)
{
	struct dtls_hello hello;

	if (ip_port_equal(from, &a->peer) && !dtls_hello_peek(octets, n, &hello))
		dtls_input(a->dtls, octets, n);
	else
		a->strays++;
}

void dtls_association_input(
	struct dtls_association *a, const struct ip_port *from, const uint8_t *octets, size_t n)
{
	if (!dtls_datagram_is_known(octets, n))
		a->strays++;
	else if (a->conf.dtls.role == DTLS_SERVER)
		serve(a, from, octets, n);
	else
		ask(a, from, octets, n);
}

uint64_t dtls_association_deadline(struct dtls_association *a)
{
	return a->dtls ? dtls_deadline(a->dtls) : 0;
}

void dtls_association_tick(struct dtls_association *a)
{
	if (!a->dtls)
		return;
	dtls_tick(a->dtls);
	forgive(a);
}

const struct dtls_result *dtls_association_result(const struct dtls_association *a)
{
	return a->dtls ? dtls_result(a->dtls) : &a->waiting;
}

void dtls_association_forget_keys(struct dtls_association *a)
{
	if (a->dtls)
		dtls_forget_keys(a->dtls);
}

const struct ip_port *dtls_association_peer(const struct dtls_association *a)
{
	return &a->peer;
}

const char *dtls_association_complaint(const struct dtls_association *a)
{
	return a->complaint;
}

uint64_t dtls_association_strays(const struct dtls_association *a)
{
	return a->strays;
}
