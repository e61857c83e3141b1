/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a SIP server among whatever DNS answers, late, in any order and in circles: questions have an end, targets
 * can be sent to, and an answer that comes when nobody waits any more harms nobody.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/dns/locate.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"

#define OPEN_MAX 64
#define STEPS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	enum dns_type type;
	dns_answer_fn answer;
	void *arg;
} open_questions[OPEN_MAX];
static unsigned n_open;
static uint64_t now;
static char long_name[DNS_NAME_MAX];

static uint64_t clock_of(void *arg)
{
	(void)arg;
	return now;
}

static void ask(void *ctx, const char *name, enum dns_type type, dns_answer_fn answer, void *arg)
{
	(void)ctx;
	if (n_open == OPEN_MAX || strlen(name) >= DNS_NAME_MAX)
		abort();
	open_questions[n_open].type = type;
	open_questions[n_open].answer = answer;
	open_questions[n_open++].arg = arg;
}

static void read_name(struct rbuf *r, char out[DNS_NAME_MAX])
{
	static const char *const names[] = {"sip.example", "", "a.example", "_sips._tcp.sip.example", "_sip._udp.sip.example", "b.example"};
	unsigned i = rbuf_u8(r) % 7;

	strcpy(out, i < 6 ? names[i] : long_name);
}

static void read_record(struct rbuf *r, enum dns_type type, struct dns_record *out)
{
	static const char *const services[] = {"SIP+D2U", "SIP+D2T", "SIPS+D2T", "E2U+sip"};

	memset(out, 0, sizeof *out);
	out->ttl = rbuf_u8(r) & 1 ? rbuf_u8(r) : UINT32_MAX;
	if (type == DNS_A || type == DNS_AAAA) {
		out->ip.family = type == DNS_A ? IP_V4 : IP_V6;
		out->ip.octets[0] = rbuf_u8(r);
	} else if (type == DNS_SRV) {
		out->srv.priority = rbuf_u8(r) & 3;
		out->srv.weight = rbuf_u8(r) & 1 ? rbuf_u16(r) : 0;
		out->srv.port = rbuf_u8(r);
		read_name(r, out->srv.target);
	} else {
		out->naptr.order = rbuf_u8(r) & 3;
		out->naptr.preference = rbuf_u8(r) & 3;
		strcpy(out->naptr.flags, rbuf_u8(r) & 1 ? "s" : "u");
		strcpy(out->naptr.service, services[rbuf_u8(r) & 3]);
		read_name(r, out->naptr.replacement);
	}
}

/* Answers an open question. */
static void answer(struct rbuf *r)
{
	static struct dns_reply reply;
	unsigned i = rbuf_u8(r) % n_open, n = rbuf_u8(r);
	enum dns_type type = open_questions[i].type;
	dns_answer_fn fn = open_questions[i].answer;
	void *arg = open_questions[i].arg;

	open_questions[i] = open_questions[--n_open];
	if (n & 0x80) {
		fn(arg, n & 1 ? -EAGAIN : -EBADMSG, NULL, "no");
		return;
	}
	reply.n = n % (DNS_RECORDS_MAX + 1);
	reply.ttl = rbuf_u8(r);
	for (unsigned k = 0; k < reply.n; k++)
		read_record(r, type, &reply.records[k]);
	fn(arg, 0, &reply, "");
}

static void check(const struct dns_locator *l)
{
	unsigned n;
	const struct dns_target *t = dns_locator_targets(l, &n);

	if (n > DNS_TARGETS_MAX || !memchr(dns_locator_trouble(l), 0, DNS_WHY_MAX))
		abort();
	for (unsigned i = 0; i < n; i++)
		if (!t[i].remote.port || t[i].remote.ip.family == IP_NONE)
			abort();
}

static void changed(void *arg)
{
	check(*(struct dns_locator *const *)arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf r = rbuf_make(data, size), late = rbuf_make(NULL, 0);
	struct timer_wheel *wheel = timer_wheel_new(clock_of, NULL);
	struct dns_locator *l = NULL;
	struct dns_locator_conf conf = {.asker.ask = ask, .wheel = wheel, .changed = changed, .arg = &l, .owner = "fuzz"};

	log_setup(LOG_ERROR, LOG_TEXT);
	memset(long_name, 'x', sizeof long_name - 1);
	n_open = 0;
	conf.place = (struct dns_place){"sip.example", (rbuf_u8(&r) & 1) * 5070u, 5061, (enum dns_service)(rbuf_u8(&r) % 3)};
	if (!wheel || !(l = dns_locate(&conf)))
		abort();
	for (unsigned i = 0; i < STEPS_MAX && r.left; i++) {
		if (n_open && rbuf_u8(&r) & 3) {
			answer(&r);
		} else {
			now += rbuf_u16(&r) * 10u;
			timer_wheel_advance(wheel);
		}
		check(l);
	}
	dns_locator_free(l);
	while (n_open)
		answer(&late);
	timer_wheel_free(wheel);
	return 0;
}
