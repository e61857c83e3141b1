/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dns/locate.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/log.h"

#define ADDRESSES_MAX 16 /* of one host, in each family */
#define TTL_MIN_S 1  /* of records that say 0 */
#define TTL_MAX_S 86400
#define RETRY_MIN_S 1
#define RETRY_MAX_S 60

#define owner_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static const struct {
	const char *naptr, *srv;
} services[] = {
	[DNS_SIP_UDP] = {"SIP+D2U", "_sip._udp."},
	[DNS_SIP_TCP] = {"SIP+D2T", "_sip._tcp."},
	[DNS_SIPS_TCP] = {"SIPS+D2T", "_sips._tcp."},
};

/* A host that SRV names, or the place's own, and its addresses: of IPv6 and IPv4. */
struct host {
	struct round *round;
	char name[DNS_NAME_MAX];
	uint16_t port, priority, weight;
	struct ip_addr ips[2][ADDRESSES_MAX];
	unsigned n[2];
	bool failed[2]; /* they were asked for and not told */
};

/* From the first question to the last answer. */
struct round {
	struct dns_locator *l; /* NULL: nobody wants to know any more */
	unsigned open;         /* questions */
	uint32_t ttl;
	struct err failure; /* "": none */
	unsigned n_hosts;
	struct host *hosts; /* the best first */
};

struct dns_locator {
	struct dns_locator_conf conf;
	struct timer timer; /* the next round */
	struct round *round;
	struct round *good; /* the last with addresses; NULL: there was none */
	struct dns_target targets[DNS_TARGETS_MAX];
	unsigned n;
	uint32_t retry_s; /* 0: the last round was good */
	char trouble[DNS_WHY_MAX];
	bool told;  /* of it */
	bool young; /* dns_locate() has not returned */
};

static void begin(struct dns_locator *l);

static void on_timer(struct timer *t)
{
	begin(owner_of(t, struct dns_locator, timer));
}

static void later(struct dns_locator *l, uint32_t seconds)
{
	timer_set(l->conf.wheel, &l->timer, seconds * 1000, on_timer);
}

static void least(uint32_t *ttl, const struct dns_reply *reply)
{
	if (reply->n && reply->ttl < *ttl)
		*ttl = reply->ttl;
}

static void ask(struct round *r, const char *name, enum dns_type type, dns_answer_fn answer, void *arg)
{
	const struct dns_asker asker = r->l->conf.asker;

	r->open++;
	asker.ask(asker.ctx, name, type, answer, arg);
}

/* ---- the end of a round ---- */

static void say_trouble(struct dns_locator *l, const char *what)
{
	snprintf(l->trouble, sizeof l->trouble, "%s", what);
	if (l->told)
		return;
	l->told = true;
	log_warn("dns",
		l->n ? "a peer's name cannot be looked up: the addresses known last are used on"
		     : "a peer's name has no address: it is not called",
		LZ("trunk", l->conf.owner), LZ("host", l->conf.place.host), LZ("reason", what));
}

static void failed(struct dns_locator *l, const char *what)
{
	l->retry_s = l->retry_s ? 2 * l->retry_s : RETRY_MIN_S;
	if (l->retry_s > RETRY_MAX_S)
		l->retry_s = RETRY_MAX_S;
	say_trouble(l, what);
	later(l, l->retry_s);
}

static bool is_same(const struct dns_locator *l, const struct dns_target *t, unsigned n)
{
	if (n != l->n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!ip_port_equal(&t[i].remote, &l->targets[i].remote) ||
			t[i].priority != l->targets[i].priority || t[i].weight != l->targets[i].weight)
			return false;
	return true;
}

/* trouble: with some of them, which are as they were known last; NULL: none. */
static void take(
	struct dns_locator *l, const struct dns_target *t, unsigned n, uint32_t ttl, const char *trouble)
{
	bool same = is_same(l, t, n);
	char first[IP_PORT_TEXT_MAX] = "none";

	l->retry_s = 0;
	ttl = ttl < TTL_MIN_S ? TTL_MIN_S : ttl > TTL_MAX_S ? TTL_MAX_S : ttl;
	later(l, ttl);
	if (!same || (n && l->told && !trouble))
		log_info("dns", "a peer's addresses", LZ("trunk", l->conf.owner),
			LZ("host", l->conf.place.host), LU("addresses", n),
			LZ("first", n ? ip_port_text(&t[0].remote, first) : first), LU("ttl", ttl));
	if (n && !trouble) {
		l->told = false;
		l->trouble[0] = '\0';
	}
	memcpy(l->targets, t, n * sizeof *t);
	l->n = n;
	if (!n)
		say_trouble(l, "the name has no address");
	else if (trouble)
		say_trouble(l, trouble);
	if (!same && !l->young)
		l->conf.changed(l->conf.arg);
}

static unsigned list_host(const struct host *h, struct dns_target *out, unsigned room)
{
	unsigned all = h->n[0] + h->n[1], n = 0;
	/* A target's share of the calls is its addresses' together. */
	uint16_t weight = h->weight && h->weight < all ? 1 : (uint16_t)(h->weight / all);

	for (unsigned family = 0; family < 2; family++)
		for (unsigned i = 0; i < h->n[family] && n < room; i++)
			out[n++] = (struct dns_target){
				.remote = {.ip = h->ips[family][i], .port = h->port},
				.priority = h->priority,
				.weight = weight,
			};
	return n;
}

static const struct host *host_of(const struct round *r, const char *name)
{
	for (unsigned i = 0; r && i < r->n_hosts; i++)
		if (strcasecmp(r->hosts[i].name, name) == 0)
			return &r->hosts[i];
	return NULL;
}

/* One host whose addresses were not told, while others' were, has those of the last time. False: it had none.
 */
static bool keep_addresses(struct host *h, unsigned family, const struct round *good)
{
	const struct host *was = h->failed[family] ? host_of(good, h->name) : NULL;

	if (!was || !was->n[family])
		return false;
	memcpy(h->ips[family], was->ips[family], sizeof h->ips[family]);
	h->n[family] = was->n[family];
	return true;
}

static void round_free(struct round *r)
{
	if (r)
		free(r->hosts);
	free(r);
}

static void conclude(struct round *r)
{
	struct dns_locator *l = r->l;
	struct dns_target found[DNS_TARGETS_MAX];
	bool kept = false, told = false;
	unsigned n = 0;

	for (unsigned i = 0; i < r->n_hosts; i++)
		told |= r->hosts[i].n[0] + r->hosts[i].n[1] > 0;
	for (unsigned i = 0; told && i < r->n_hosts; i++)
		for (unsigned family = 0; family < 2; family++)
			kept |= keep_addresses(&r->hosts[i], family, l->good);
	for (unsigned i = 0; i < r->n_hosts; i++)
		if (r->hosts[i].n[0] + r->hosts[i].n[1])
			n += list_host(&r->hosts[i], found + n, DNS_TARGETS_MAX - n);
	l->round = NULL;
	if (!n && r->failure.text[0]) {
		failed(l, r->failure.text);
		round_free(r);
		return;
	}
	/* What failed is asked for again soon, however long the rest holds. */
	if (!n || (r->failure.text[0] && r->ttl > RETRY_MAX_S))
		r->ttl = RETRY_MAX_S;
	round_free(l->good);
	l->good = r;
	take(l, found, n, r->ttl, kept ? r->failure.text : NULL);
}

/* An answer came: has somebody waited for it? */
static bool wanted(struct round *r)
{
	if (r->l)
		return true;
	if (!--r->open)
		round_free(r);
	return false;
}

static void answered(struct round *r)
{
	if (!--r->open)
		conclude(r);
}

static void note_failure(struct round *r, const char *type, const char *name, const char *why)
{
	err_set(&r->failure, 0, "%s of %.80s: %s", type, name, why);
}

/* ---- addresses ---- */

static void take_addresses(struct host *h, unsigned family, const char *type, int result,
	const struct dns_reply *reply, const char *why)
{
	struct round *r = h->round;

	if (!wanted(r))
		return;
	if (result < 0) {
		h->failed[family] = true;
		note_failure(r, type, h->name, why);
	} else {
		least(&r->ttl, reply);
		for (unsigned i = 0; i < reply->n && i < ADDRESSES_MAX; i++)
			h->ips[family][h->n[family]++] = reply->records[i].ip;
	}
	answered(r);
}

static void on_aaaa(void *arg, int result, const struct dns_reply *reply, const char *why)
{
	take_addresses(arg, 0, "AAAA", result, reply, why);
}

static void on_a(void *arg, int result, const struct dns_reply *reply, const char *why)
{
	take_addresses(arg, 1, "A", result, reply, why);
}

/* Room for n hosts, before the first of them is added. */
static bool make_room(struct round *r, unsigned n)
{
	r->hosts = calloc(n ? n : 1, sizeof *r->hosts);
	if (!r->hosts)
		err_set(&r->failure, 0, "out of memory");
	return r->hosts;
}

/* Behind those that are better or as good: what does not fit in the end is of the worst. */
static void add_host(struct round *r, const char *name, uint16_t port, uint16_t priority, uint16_t weight)
{
	struct host *h = &r->hosts[r->n_hosts++];

	while (h > r->hosts &&
		(h[-1].priority > priority || (h[-1].priority == priority && h[-1].weight < weight))) {
		*h = h[-1];
		h--;
	}
	*h = (struct host){.round = r, .port = port, .priority = priority, .weight = weight};
	snprintf(h->name, sizeof h->name, "%s", name);
}

static void add_only_host(struct round *r, uint16_t port)
{
	if (make_room(r, 1))
		add_host(r, r->l->conf.place.host, port, 0, 0);
}

static void ask_addresses(struct round *r)
{
	for (unsigned i = 0; i < r->n_hosts; i++) {
		ask(r, r->hosts[i].name, DNS_AAAA, on_aaaa, &r->hosts[i]);
		ask(r, r->hosts[i].name, DNS_A, on_a, &r->hosts[i]);
	}
}

/* ---- services ---- */

static void take_services(struct round *r, const struct dns_reply *reply)
{
	least(&r->ttl, reply);
	if (!make_room(r, reply->n))
		return;
	for (unsigned i = 0; i < reply->n; i++) {
		const struct dns_record *s = &reply->records[i];

		/* Nothing can be sent to port 0. */
		if (s->srv.target[0] && s->srv.port)
			add_host(r, s->srv.target, s->srv.port, s->srv.priority, s->srv.weight);
	}
}

static void on_srv(void *arg, int result, const struct dns_reply *reply, const char *why)
{
	struct round *r = arg;

	if (!wanted(r))
		return;
	const struct dns_place *p = &r->l->conf.place;

	if (result < 0)
		note_failure(r, "SRV", p->host, why);
	else if (reply->n)
		take_services(r, reply);
	else
		add_only_host(r, p->default_port);
	ask_addresses(r);
	answered(r);
}

static void ask_service(struct round *r, const char *name)
{
	ask(r, name, DNS_SRV, on_srv, r);
}

/* The best record of our service (RFC 3263 section 4.1); NULL: there is none. */
static const struct dns_record *best_naptr(const struct dns_reply *reply, const char *service)
{
	const struct dns_record *best = NULL;

	for (unsigned i = 0; i < reply->n; i++) {
		const struct dns_record *r = &reply->records[i];

		if (strcasecmp(r->naptr.flags, "s") != 0 || strcasecmp(r->naptr.service, service) != 0 ||
			!r->naptr.replacement[0])
			continue;
		if (!best || r->naptr.order < best->naptr.order ||
			(r->naptr.order == best->naptr.order && r->naptr.preference < best->naptr.preference))
			best = r;
	}
	return best;
}

/* Servers that fail at NAPTR are there; what matters is said by the records that follow. */
static void on_naptr(void *arg, int result, const struct dns_reply *reply, const char *why)
{
	struct round *r = arg;

	(void)why;
	if (!wanted(r))
		return;
	const struct dns_place *p = &r->l->conf.place;
	const struct dns_record *best = result < 0 ? NULL : best_naptr(reply, services[p->service].naptr);
	char name[DNS_NAME_MAX];

	if (best) {
		least(&r->ttl, reply);
		ask_service(r, best->naptr.replacement);
	} else {
		snprintf(name, sizeof name, "%s%s", services[p->service].srv, p->host);
		ask_service(r, name);
	}
	answered(r);
}

static void begin(struct dns_locator *l)
{
	const struct dns_place *p = &l->conf.place;
	struct round *r = calloc(1, sizeof *r);

	if (!r) {
		failed(l, "out of memory");
		return;
	}
	r->l = l;
	r->ttl = TTL_MAX_S;
	l->round = r;
	r->open = 1; /* this function's own */
	if (p->port) {
		add_only_host(r, p->port);
		ask_addresses(r);
	} else {
		ask(r, p->host, DNS_NAPTR, on_naptr, r);
	}
	answered(r);
}

struct dns_locator *dns_locate(const struct dns_locator_conf *conf)
{
	struct dns_locator *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->conf = *conf;
	l->young = true;
	begin(l);
	l->young = false;
	return l;
}

void dns_locator_free(struct dns_locator *l)
{
	if (!l)
		return;
	timer_cancel(l->conf.wheel, &l->timer);
	if (l->round)
		l->round->l = NULL; /* its last answer frees it */
	round_free(l->good);
	free(l);
}

const struct dns_target *dns_locator_targets(const struct dns_locator *l, unsigned *n)
{
	*n = l->n;
	return l->targets;
}

const char *dns_locator_trouble(const struct dns_locator *l)
{
	return l->trouble[0] || l->n ? l->trouble : "the name is being looked up";
}
