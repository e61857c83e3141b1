/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What DTLS handshakes cost us: the processor's time of one end, as server and as client, by library, version
 * and group; and what a finished association keeps in memory. Kinds take turns, so a busy machine disturbs
 * all of them alike. Both ends are here; each one's time is counted apart from the other's. Servers know by
 * ICE that the client is there, and ask for no cookie. Prints the table of docs/performance.md, too.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/dtls/module.h"
#include "lib/base/clock.h"
#include "perf/program.h"

#define ROUNDS 15
#define HANDSHAKES 20 /* of one kind in a round */
#define KEPT 200
#define WAITING_MAX 32
#define SERVER_US 500 /* that a handshake may cost us */

enum { CLIENT, SERVER };

struct kind {
	const char *name, *title;
	bool by_module;
	enum dtls_version version; /* of both ends */
	bool p256;
	enum dtls_post_quantum post_quantum;
};

static const struct kind kinds[] = {
	{"openssl.1_2.x25519", "OpenSSL, DTLS 1.2, X25519", false, DTLS_1_2, false, DTLS_PQ_OFF},
	{"openssl.1_2.p256", "OpenSSL, DTLS 1.2, P-256", false, DTLS_1_2, true, DTLS_PQ_OFF},
	{"nss.1_2.x25519", "NSS, DTLS 1.2, X25519", true, DTLS_1_2, false, DTLS_PQ_OFF},
	{"nss.1_2.p256", "NSS, DTLS 1.2, P-256", true, DTLS_1_2, true, DTLS_PQ_OFF},
	{"nss.1_3.x25519", "NSS, DTLS 1.3, X25519", true, DTLS_1_3, false, DTLS_PQ_OFF},
	{"nss.1_3.p256", "NSS, DTLS 1.3, P-256", true, DTLS_1_3, true, DTLS_PQ_OFF},
	{"nss.1_3.x25519mlkem768", "NSS, DTLS 1.3, X25519MLKEM768", true, DTLS_1_3, false, DTLS_PQ_REQUIRE},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* ... and what they are there to say. */
static const char *const named[] = {[DTLS_1_2] = "DTLSv1.2", [DTLS_1_3] = "DTLSv1.3"};

struct datagram {
	int to;
	size_t n;
	uint8_t octets[2048];
};

struct pair {
	struct dtls *end[2];
	uint64_t busy_ns[2];
	struct datagram waiting[WAITING_MAX];
	unsigned n;
};

struct way {
	struct pair *pair;
	int to;
};

static uint64_t busy_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void carry(void *arg, const uint8_t *octets, size_t n)
{
	const struct way *w = arg;
	struct datagram *d = &w->pair->waiting[w->pair->n];

	if (w->pair->n == WAITING_MAX || n > sizeof d->octets)
		return;
	d->to = w->to;
	d->n = n;
	memcpy(d->octets, octets, n);
	w->pair->n++;
}

static int open_end(struct pair *p, int end, const struct dtls_backend *b, const struct kind *k,
	struct dtls_identity *id[2], struct way *way)
{
	static const enum srtp_suite suite = SRTP_AEAD_AES_256_GCM;
	struct dtls_conf conf = {.role = end == CLIENT ? DTLS_CLIENT : DTLS_SERVER,
		.identity = id[end],
		.suites = &suite,
		.n_suites = 1,
		.n_peer = 1,
		.min = k->version,
		.max = k->version,
		.post_quantum = k->post_quantum,
		.p256 = k->p256,
		.reachable = end == SERVER,
		.output = carry,
		.arg = way};
	struct err e = {0};
	uint64_t began = busy_ns();
	int rc;

	*way = (struct way){p, !end};
	dtls_identity_fingerprint(id[!end], DTLS_SHA256, &conf.peer[0]);
	rc = dtls_new(b, &conf, &p->end[end], &e);
	p->busy_ns[end] += busy_ns() - began;
	if (rc < 0)
		fprintf(stderr, "bench_dtls: %s: %s\n", k->name, e.text);
	return rc;
}

/* What is measured is what its name says. */
static bool as_named(const struct dtls_result *r, const struct kind *k)
{
	bool nist = strstr(r->group, "256") != NULL, hybrid = strstr(r->group, "MLKEM") != NULL;

	return r->state == DTLS_ESTABLISHED && strcmp(r->version, named[k->version]) == 0 &&
	       nist == k->p256 && hybrid == (k->post_quantum == DTLS_PQ_REQUIRE);
}

/* Nothing is lost here, so no timer is needed. */
static bool shake(struct pair *p, const struct dtls_backend *b, const struct kind *k,
	struct dtls_identity *id[2], struct way ways[2])
{
	struct datagram d;

	if (open_end(p, SERVER, b, k, id, &ways[SERVER]) < 0 ||
		open_end(p, CLIENT, b, k, id, &ways[CLIENT]) < 0)
		return false;
	while (p->n) {
		uint64_t began;

		d = p->waiting[0];
		memmove(p->waiting, p->waiting + 1, --p->n * sizeof d);
		began = busy_ns();
		dtls_input(p->end[d.to], d.octets, d.n);
		p->busy_ns[d.to] += busy_ns() - began;
	}
	return dtls_result(p->end[CLIENT])->state == DTLS_ESTABLISHED &&
	       as_named(dtls_result(p->end[SERVER]), k);
}

static void close_end(struct pair *p, int end)
{
	uint64_t began = busy_ns();

	dtls_close(p->end[end]);
	p->busy_ns[end] += busy_ns() - began;
	p->end[end] = NULL;
}

static int round_of(
	const struct kind *k, const struct dtls_backend *b, struct dtls_identity *id[2], struct figures *set)
{
	uint64_t busy[2] = {0};
	char name[96];

	for (int i = 0; i < HANDSHAKES; i++) {
		struct pair p = {0};
		struct way ways[2];
		bool ok = shake(&p, b, k, id, ways);

		for (int end = 0; end < 2; end++) {
			close_end(&p, end);
			busy[end] += p.busy_ns[end];
		}
		if (!ok)
			return fprintf(stderr, "bench_dtls: %s: no handshake\n", k->name), -1;
	}
	for (int end = 0; end < 2; end++) {
		snprintf(name, sizeof name, "dtls.%s.%s", k->name, end == SERVER ? "server" : "client");
		figure_sample(figures_get(set, name, "us"), (double)busy[end] / HANDSHAKES / 1000);
	}
	snprintf(name, sizeof name, "dtls.%s.server.rate", k->name);
	figure_sample(figures_get(set, name, "/s, one worker"), 1e9 * HANDSHAKES / (double)busy[SERVER]);
	return 0;
}

/* What servers keep when all is done; the clients are gone. */
static int memory_of(
	const struct kind *k, const struct dtls_backend *b, struct dtls_identity *id[2], struct figures *set)
{
	static struct dtls *kept[KEPT];
	size_t before = 0;
	char name[96];
	int n;

	for (n = -1; n < KEPT; n++) { /* the first is not counted: it has what all share made */
		struct pair p = {0};
		struct way ways[2];
		bool ok = shake(&p, b, k, id, ways);

		close_end(&p, CLIENT);
		if (!ok)
			return -1;
		if (n < 0) {
			close_end(&p, SERVER);
			before = mallinfo2().uordblks;
		} else {
			kept[n] = p.end[SERVER];
		}
	}
	snprintf(name, sizeof name, "dtls.%s.memory", k->name);
	figure_sample(figures_get(set, name, "octets"), (double)(mallinfo2().uordblks - before) / KEPT);
	while (n > 0)
		dtls_close(kept[--n]);
	return 0;
}

static struct figure *figure_of(struct figures *set, const struct kind *k, const char *what)
{
	char name[96];

	snprintf(name, sizeof name, "dtls.%s.%s", k->name, what);
	return figures_get(set, name, "");
}

static void print_table(struct figures *set, bool module)
{
	printf("\n| library, version, group | server, us | client, us | handshakes/s and worker | kept by a finished association |\n"
	       "|---|---|---|---|---|\n");
	for (unsigned i = 0; i < KINDS; i++) {
		const struct figure *s, *c;

		if (kinds[i].by_module && !module)
			continue;
		s = figure_of(set, &kinds[i], "server");
		c = figure_of(set, &kinds[i], "client");
		printf("| %s | %.0f (%.0f to %.0f) | %.0f (%.0f to %.0f) | %.0f | %.0f kB |\n",
			kinds[i].title, figure_median(s), s->samples[0], s->samples[s->n - 1],
			figure_median(c), c->samples[0], c->samples[c->n - 1],
			figure_median(figure_of(set, &kinds[i], "server.rate")),
			figure_median(figure_of(set, &kinds[i], "memory")) / 1000);
	}
}

static int run(const char *const *values, struct figures *set, void *user, struct err *err)
{
	const struct dtls_module *m = NULL;
	struct dtls_identity *id[2] = {0};
	struct err e = {0};
	int rc = 0;

	(void)user;
	if (dtls_module_open(values[1] ? values[1] : SRTPGW_DTLS_MODULE, &m, &e) < 0)
		fprintf(stderr, "bench_dtls: OpenSSL alone: %s\n", e.text);
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = dtls_identity_make(&id[i], err);
	for (unsigned i = 0; i < KINDS && rc == 0; i++)
		if (m || !kinds[i].by_module)
			rc = memory_of(&kinds[i], kinds[i].by_module ? m->backend : &dtls_openssl, id, set);
	for (int r = 0; r < ROUNDS && rc == 0; r++)
		for (unsigned i = 0; i < KINDS && rc == 0; i++)
			if (m || !kinds[i].by_module)
				rc = round_of(
					&kinds[i], kinds[i].by_module ? m->backend : &dtls_openssl, id, set);
	for (int i = 0; i < 2; i++)
		dtls_identity_unref(id[i]);
	figure_target(figures_get(set, "dtls.openssl.1_2.x25519.server", "us"), FIGURE_AT_MOST, SERVER_US);
	if (rc == 0)
		print_table(set, m != NULL);
	dtls_module_close(m);
	return rc == 0 || err->text[0] ? rc : err_set(err, EIO, "a handshake failed");
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "bench_dtls",
		.what = "What a DTLS handshake costs one end, by library, version and group, and what is kept of it.\n",
		.arguments = {PROGRAM_JSON_ARGUMENT,
			{"MODULE", "the module of NSS (that of this build)", false}}};

	return program_main(&program, argc, argv, run, NULL);
}
