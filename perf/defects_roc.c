/* SPDX-License-Identifier: Apache-2.0 */
/*
 * defects_roc: how three implementations of SRTP guess a packet's rollover counter (RFC 3711 section
 * 3.3.1) when somebody or something makes that difficult: lib/srtp, whose rules the data plane shares, and
 * libsrtp2 and libre where this machine has them. All open the same packets of one sender.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "lib/srtp/be.h"
#include "lib/srtp/packet.h"
#include "perf/program.h"

#define PACKET 172
#define MASTER 30
#define FIRST 60000u /* sequence number: past the half, so that the next wrap is a guess */
#define LAST (65536u + 100)
#define COUNT (LAST - FIRST)

struct packet {
	size_t n;
	uint8_t octets[256];
};

/* libre's: what its receiver works on. */
struct re_mbuf {
	uint8_t *buf;
	size_t size, pos, end;
};

struct receiver {
	const char *name;
	bool ours;
	int (*open)(struct receiver *r, const uint8_t master[MASTER]); /* -ENOENT: not on this machine */
	bool (*take)(struct receiver *r, struct packet *p);            /* true: authentic, opened */
	void (*close)(struct receiver *r);
	void *library, *stream;
	srtp_t session;
	__typeof__(&srtp_unprotect) unprotect;
	__typeof__(&srtp_dealloc) dealloc;
	__typeof__(&srtp_shutdown) shutdown;
	int (*decrypt)(void *stream, struct re_mbuf *mb);
	void *(*deref)(void *p);
};

static int own_context(struct srtp_context **out, const uint8_t master[MASTER], enum srtp_direction way)
{
	SECRET_AUTO struct secret key = {0};
	struct srtp_context_conf conf = {
		.suite = SRTP_AES_CM_128_HMAC_SHA1_80, .direction = way, .master = &key};
	int rc = secret_set(&key, master, MASTER);

	return rc < 0 ? rc : srtp_context_alloc(out, &conf);
}

static int own_open(struct receiver *r, const uint8_t master[MASTER])
{
	struct srtp_context *c = NULL;
	int rc = own_context(&c, master, SRTP_UNPROTECT);

	r->stream = c;
	return rc;
}

static bool own_take(struct receiver *r, struct packet *p)
{
	return srtp_context_unprotect(r->stream, p->octets, &p->n) == 0;
}

static void own_close(struct receiver *r)
{
	srtp_context_free(r->stream);
}

static void *symbol(struct receiver *r, const char *name)
{
	return r->library ? dlsym(r->library, name) : NULL;
}

static int libsrtp2_open(struct receiver *r, const uint8_t master[MASTER])
{
	srtp_policy_t policy = {.ssrc = {.type = ssrc_any_inbound}, .window_size = 1024};
	__typeof__(&srtp_init) init;
	__typeof__(&srtp_create) create;
	void (*suite)(srtp_crypto_policy_t *);
	uint8_t key[MASTER];

	r->library = dlopen("libsrtp2.so.1", RTLD_NOW | RTLD_LOCAL);
	init = symbol(r, "srtp_init");
	create = symbol(r, "srtp_create");
	suite = symbol(r, "srtp_crypto_policy_set_rtp_default");
	r->unprotect = symbol(r, "srtp_unprotect");
	r->dealloc = symbol(r, "srtp_dealloc");
	r->shutdown = symbol(r, "srtp_shutdown");
	if (!init || !create || !suite || !r->unprotect || !r->dealloc || !r->shutdown)
		return -ENOENT;
	memcpy(key, master, MASTER);
	suite(&policy.rtp);
	suite(&policy.rtcp);
	policy.key = key;
	return init() || create(&r->session, &policy) ? -EIO : 0;
}

static bool libsrtp2_take(struct receiver *r, struct packet *p)
{
	int n = (int)p->n;

	return r->unprotect(r->session, p->octets, &n) == srtp_err_status_ok;
}

static void libsrtp2_close(struct receiver *r)
{
	if (r->session)
		r->dealloc(r->session);
	if (r->shutdown)
		r->shutdown();
}

static int libre_open(struct receiver *r, const uint8_t master[MASTER])
{
	const int cm_128_80 = 1; /* its enum srtp_suite */
	int (*alloc)(void **stream, int suite, const uint8_t *key, size_t octets, int flags);

	r->library = dlopen("libre.so.0", RTLD_NOW | RTLD_LOCAL);
	alloc = symbol(r, "srtp_alloc");
	r->decrypt = symbol(r, "srtp_decrypt");
	r->deref = symbol(r, "mem_deref");
	if (!alloc || !r->decrypt || !r->deref)
		return -ENOENT;
	return alloc(&r->stream, cm_128_80, master, MASTER, 0) ? -EIO : 0;
}

static bool libre_take(struct receiver *r, struct packet *p)
{
	struct re_mbuf mb = {.buf = p->octets, .size = sizeof(p->octets), .end = p->n};

	return r->decrypt(r->stream, &mb) == 0;
}

static void libre_close(struct receiver *r)
{
	if (r->stream)
		r->deref(r->stream);
}

static const struct receiver receivers[] = {
	{.name = "srtpgw", .ours = true, .open = own_open, .take = own_take, .close = own_close},
	{.name = "libsrtp2", .open = libsrtp2_open, .take = libsrtp2_take, .close = libsrtp2_close},
	{.name = "libre", .open = libre_open, .take = libre_take, .close = libre_close},
};

static struct packet sent[COUNT];

static int send_all(const uint8_t master[MASTER])
{
	struct srtp_context *c = NULL;
	int rc = own_context(&c, master, SRTP_PROTECT);

	for (uint32_t i = 0; i < COUNT && rc >= 0; i++) {
		struct packet *p = &sent[i];

		memset(p->octets, (int)i, sizeof(p->octets));
		p->n = PACKET;
		p->octets[0] = 0x80;
		p->octets[1] = 0;
		be16_put(p->octets + 2, (uint16_t)(FIRST + i));
		be32_put(p->octets + 4, 160 * i);
		be32_put(p->octets + 8, 0x5eed);
		rc = srtp_context_protect(c, p->octets, &p->n, sizeof(p->octets));
	}
	srtp_context_free(c);
	return rc;
}

static unsigned take(struct receiver *r, uint32_t from, uint32_t to)
{
	unsigned ok = 0;

	for (uint32_t i = from; i < to; i++) {
		struct packet p = sent[i];

		ok += r->take(r, &p);
	}
	return ok;
}

/* One packet without a key, whose number says that it is of the next turn. */
static double forged(struct receiver *r)
{
	struct packet p = sent[10];

	take(r, 0, 10);
	be16_put(p.octets + 2, 10);
	memset(p.octets + 12, 0xff, p.n - 12);
	r->take(r, &p);
	return 100.0 * take(r, 10, 110) / 100;
}

/* The first wrap, and the last packet before it comes behind the first after it. */
static double reordered(struct receiver *r)
{
	const uint32_t wrap = 65536 - FIRST;
	unsigned ok = take(r, wrap - 20, wrap - 1);

	ok += take(r, wrap, wrap + 1);
	ok += take(r, wrap - 1, wrap);
	ok += take(r, wrap + 1, wrap + 80);
	return ok;
}

/* A call's first packets, of a sender that begins just before the wrap: the second comes before the first. */
static double reordered_first(struct receiver *r)
{
	const uint32_t wrap = 65536 - FIRST;
	unsigned ok = take(r, wrap, wrap + 1);

	ok += take(r, wrap - 1, wrap);
	ok += take(r, wrap + 1, wrap + 99);
	return ok;
}

static const struct {
	const char *name;
	double (*run)(struct receiver *r); /* packets opened of 100 */
} cases[] = {
	{"one_forged_packet", forged},
	{"reordered_at_the_wrap", reordered},
	{"reordered_at_the_start", reordered_first},
};

static int run(struct figures *set, size_t which, const struct receiver *kind, const uint8_t master[MASTER])
{
	struct receiver r = *kind;
	char name[96];
	int rc = r.open(&r, master);

	if (rc == 0) {
		struct figure *f;

		snprintf(name, sizeof(name), "defects.%s.%s.opened", r.name, cases[which].name);
		f = figures_get(set, name, "of 100");
		figure_sample(f, cases[which].run(&r));
		if (r.ours)
			figure_target(f, FIGURE_AT_LEAST, 100);
	}
	r.close(&r);
	return rc == -ENOENT ? 0 : rc;
}

static int run_all(const char *const *values, struct figures *figures, void *user, struct err *err)
{
	uint8_t master[MASTER];
	int rc;

	(void)values;
	(void)user;
	(void)err;
	for (unsigned i = 0; i < MASTER; i++)
		master[i] = (uint8_t)(7 * i + 1);
	rc = send_all(master);
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
		for (size_t i = 0; i < sizeof(receivers) / sizeof(receivers[0]) && rc >= 0; i++)
			rc = run(figures, c, &receivers[i], master);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "defects_roc",
		.what = "How our SRTP, and libsrtp2 and libre where this machine has them, guess a rollover counter behind a\n"
			"forged packet and behind packets that changed places.\n",
		.arguments = {PROGRAM_JSON_ARGUMENT}};

	return program_main(&program, argc, argv, run_all, NULL);
}
