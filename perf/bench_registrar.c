/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registrar of 10, 1,000 and 100,000 accounts costs, each registered once: a REGISTER that refreshes
 * is read, its account and binding are found and renewed; an INVITE's called number becomes a binding;
 * bindings expire; and the memory that one takes. The password's digest is left out: it costs the same
 * however many there are.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/b2bua/b2bua_private.h"
#include "controlplane/sip/message.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "perf/program.h"

#define SAMPLES 15
#define OPERATIONS 20000
#define NAME_MAX_OCTETS 16
#define EXPIRES_S 600

struct bench {
	unsigned n;
	char (*names)[NAME_MAX_OCTETS];
	struct config_user *users;
	struct config_user_key *keys;
	struct config_trunk trunk;
	struct b2bua *b;
	struct timer_wheel *wheel;
	struct sip_flow from;
	uint64_t now_ms;
	uint32_t seed, cseq;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench_registrar: %s\n", what);
	exit(1);
}

/* The processor's time: what else the machine does is not the registrar's. */
static uint64_t busy_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t clock_of(void *arg)
{
	return ((struct bench *)arg)->now_ms;
}

static const char *any_name(struct bench *x)
{
	x->seed = x->seed * 1664525u + 1013904223u;
	return x->names[(uint64_t)x->seed * x->n >> 32];
}

static void make_accounts(struct bench *x, unsigned n)
{
	x->n = n;
	x->names = calloc(n, sizeof *x->names);
	x->users = calloc(n, sizeof *x->users);
	x->keys = calloc(n, sizeof *x->keys);
	if (!x->names || !x->users || !x->keys)
		fail("no memory");
	for (unsigned i = 0; i < n; i++) {
		snprintf(x->names[i], sizeof x->names[i], "+49%09u", i);
		x->users[i] = (struct config_user){
			.name = x->names[i], .enabled = true, .trunk = &x->trunk, .max_registrations = 4};
		x->keys[i] = (struct config_user_key){x->names[i], &x->users[i]};
	}
	x->trunk = (struct config_trunk){
		.name = "browsers", .registrar = {.realm = "bench", .keys = x->keys, .n_keys = n}};
}

/* As a browser's page writes it. */
static void register_one(struct bench *x, const char *name)
{
	char text[1024];
	struct sip_reject why;
	struct sip_addr addr;
	struct sip_msg m;
	const struct config_user *u;
	struct user_contact c = {.reg_id = 1, .q = 1000, .expires_s = EXPIRES_S};
	struct str instance = {0};

	x->cseq++;
	int n = snprintf(text, sizeof text,
		"REGISTER sip:example.net SIP/2.0\r\nVia: SIP/2.0/WSS "
		"h8.invalid;branch=z9hG4bK%u\r\nMax-Forwards: 69\r\n"
		"To: <sip:%s@example.net>\r\nFrom: <sip:%s@example.net>;tag=a\r\nCall-ID: "
		"%s.invalid\r\nCSeq: %u REGISTER\r\n"
		"Contact: "
		"<sip:c%s@h8.invalid;transport=ws>;+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-%s>\";"
		"reg-id=1;expires=600\r\nExpires: 600\r\nSupported: path,gruu,outbound\r\nUser-Agent: JsSIP "
		"3.13.8\r\n"
		"Content-Length: 0\r\n\r\n",
		x->cseq, name, name, name, x->cseq, name, name);

	if (sip_msg_parse(&m, text, (size_t)n, false, &why) < 0 ||
		sip_addr_parse(sip_msg_value(&m, SIP_H_CONTACT), &addr) < 0 ||
		!sip_param(addr.params, STR("+sip.instance"), &instance) ||
		!(u = config_find_user(&x->trunk, m.to.uri.user)))
		fail("a REGISTER cannot be read");
	c.uri = addr.uri;
	c.instance = instance;
	if (users_bind(x->b, u, users_match(x->b, u, &c, &m), &c, &m, &x->from) < 0)
		fail("an account cannot be registered");
}

static double refresh_ns(struct bench *x)
{
	uint64_t began = busy_ns();

	for (unsigned i = 0; i < OPERATIONS; i++)
		register_one(x, any_name(x));
	if (x->b->users.n != x->n)
		fail("a refresh made another binding");
	return (double)(busy_ns() - began) / OPERATIONS;
}

static double invite_ns(struct bench *x)
{
	struct user_binding *all[USER_BINDINGS_MAX];
	uint64_t began = busy_ns();
	unsigned found = 0;

	for (unsigned i = 0; i < OPERATIONS; i++) {
		const struct config_user *u = config_find_user(&x->trunk, str_z(any_name(x)));

		if (u && users_of(x->b, u, all))
			found += users_binding(x->b, all[0]->id) == all[0];
	}
	if (found != OPERATIONS)
		fail("a number was not found");
	return (double)(busy_ns() - began) / OPERATIONS;
}

/* All at once, as after an outage of the network; nothing of them is left. */
static double expire_ns(struct bench *x)
{
	uint64_t began = busy_ns();

	x->now_ms += (EXPIRES_S + 1) * 1000ull;
	timer_wheel_advance(x->wheel);
	if (x->b->users.n)
		fail("a binding did not expire");
	return (double)(busy_ns() - began) / x->n;
}

static struct figure *figure_of(struct figures *set, unsigned n, const char *what, const char *unit)
{
	char name[64];

	snprintf(name, sizeof name, "registrar.%u.%s", n, what);
	return figures_get(set, name, unit);
}

static void measure(struct figures *set, unsigned n)
{
	static struct bench x;
	size_t before;

	x = (struct bench){.seed = 1};
	make_accounts(&x, n);
	x.wheel = timer_wheel_new(clock_of, &x);
	if (b2bua_new(&x.b) < 0 || !x.wheel)
		fail("no memory");
	b2bua_attach(x.b, &(struct b2bua_layers){.wheel = x.wheel});
	ip_parse(STR("192.0.2.40"), &x.from.remote.ip);
	x.from.remote.port = 5060;
	before = mallinfo2().uordblks;
	for (unsigned i = 0; i < n; i++)
		register_one(&x, x.names[i]);
	figure_sample(figure_of(set, n, "memory", "octets"), (double)(mallinfo2().uordblks - before) / n);
	for (unsigned i = 0; i < SAMPLES; i++) {
		figure_sample(figure_of(set, n, "refresh", "ns"), refresh_ns(&x));
		figure_sample(figure_of(set, n, "invite", "ns"), invite_ns(&x));
	}
	figure_sample(figure_of(set, n, "expire", "ns"), expire_ns(&x));
	b2bua_close(x.b);
	b2bua_free(x.b);
	timer_wheel_free(x.wheel);
	free(x.names);
	free(x.users);
	free(x.keys);
}

static int run(const char *const *values, struct figures *figures, void *user, struct err *err)
{
	static const unsigned sizes[] = {10, 1000, 100000};

	(void)values;
	(void)user;
	(void)err;
	log_setup(LOG_ERROR, LOG_TEXT);
	for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++)
		measure(figures, sizes[s]);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "bench_registrar",
		.what = "Nanoseconds of a REGISTER that refreshes, of finding a called account, and of an "
			"expiry, and octets of memory,\n"
			"among 10, 1,000 and 100,000 accounts.\n",
		.arguments = {PROGRAM_JSON_ARGUMENT}};

	return program_main(&program, argc, argv, run, NULL);
}
