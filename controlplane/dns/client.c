/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dns/client.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <ares.h>
#include <event2/event.h>

#include "lib/base/buf.h"
#include "lib/base/log.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define TRY_MS 2000 /* the first try of a server; c-ares waits longer in the next round */
#define TRIES 3
#define CLASS_IN 1
#define HOSTS_TTL_S 60 /* of what /etc/hosts says */

/* A socket of c-ares' that the loop watches. */
struct watch {
	LIST_ENTRY(watch) entry;
	struct dns_client *client;
	ares_socket_t fd;
	struct event *event;
};

struct dns_client {
	struct event_base *base;
	struct event *timer;
	ares_channel channel;
	LIST_HEAD(, watch) watches;
	unsigned open;                           /* questions */
	struct ip_addr servers[DNS_SERVERS_MAX]; /* that the configuration names */
	unsigned n_servers;                      /* 0: those of resolv.conf */
	struct timespec resolv;                  /* when resolv.conf was changed last */
};

struct question {
	struct dns_client *client;
	dns_answer_fn answer;
	void *arg;
	enum dns_type type;
	char name[];
};

static void arm(struct dns_client *c)
{
	struct timeval tv;

	if (ares_timeout(c->channel, NULL, &tv))
		event_add(c->timer, &tv);
	else
		event_del(c->timer);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct dns_client *c = arg;

	(void)fd;
	(void)what;
	ares_process_fd(c->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm(c);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	struct dns_client *c = w->client; /* the watch may go meanwhile */

	ares_process_fd(
		c->channel, what & EV_READ ? fd : ARES_SOCKET_BAD, what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	arm(c);
}

static struct watch *watch_of(struct dns_client *c, ares_socket_t fd)
{
	struct watch *w;

	LIST_FOREACH (w, &c->watches, entry)
		if (w->fd == fd)
			return w;
	return NULL;
}

static void unwatch(struct watch *w)
{
	LIST_REMOVE(w, entry);
	event_free(w->event);
	free(w);
}

/* c-ares waits for something else on a socket now, or closes it. */
static void on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns_client *c = arg;
	struct watch *w = watch_of(c, fd);
	short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST);

	if (w)
		unwatch(w);
	if (!readable && !writable)
		return;
	w = calloc(1, sizeof *w);
	if (!w)
		return; /* the question times out */
	w->client = c;
	w->fd = fd;
	w->event = event_new(c->base, fd, what, on_socket, w);
	if (!w->event) {
		free(w);
		return;
	}
	event_add(w->event, NULL);
	LIST_INSERT_HEAD(&c->watches, w, entry);
}

static int open_channel(struct dns_client *c, ares_channel *out)
{
	struct ares_options o = {
		.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = TRY_MS,
		.tries = TRIES,
		.ednspsz = 1232, /* what passes everywhere unfragmented */
		.sock_state_cb = on_state,
		.sock_state_cb_data = c,
	};

	return ares_init_options(out, &o,
		ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
			ARES_OPT_SOCK_STATE_CB);
}

static struct timespec changed(void)
{
	struct stat st = {0};

	(void)stat(RESOLV_CONF, &st);
	return st.st_mtim;
}

int dns_client_new(struct event_base *base, struct dns_client **out, struct err *e)
{
	struct dns_client *c = calloc(1, sizeof *c);
	int rc = c ? ares_library_init(ARES_LIB_INIT_ALL) : ARES_ENOMEM;

	if (!c)
		return err_set(e, ENOMEM, "DNS: out of memory");
	c->base = base;
	c->resolv = changed();
	c->timer = event_new(base, -1, 0, on_timer, c);
	if (rc == ARES_SUCCESS)
		rc = open_channel(c, &c->channel);
	if (rc != ARES_SUCCESS || !c->timer) {
		dns_client_free(c);
		return err_set(
			e, ENOMEM, "DNS: %s", rc == ARES_SUCCESS ? "out of memory" : ares_strerror(rc));
	}
	*out = c;
	return 0;
}

void dns_client_free(struct dns_client *c)
{
	if (!c)
		return;
	if (c->channel)
		ares_destroy(c->channel);
	while (!LIST_EMPTY(&c->watches))
		unwatch(LIST_FIRST(&c->watches));
	if (c->timer)
		event_free(c->timer);
	ares_library_cleanup();
	free(c);
}

/* Puts a new channel in the place of the one that is there: with questions that are open, c-ares refuses
 * others. */
static void renew(struct dns_client *c)
{
	char text[DNS_SERVERS_MAX * (IP_PORT_TEXT_MAX + 1) + 1], one[IP_PORT_TEXT_MAX];
	struct wbuf w = wbuf_make(text, sizeof text - 1);
	ares_channel fresh;
	int rc = open_channel(c, &fresh);

	c->resolv = changed();
	for (unsigned i = 0; i < c->n_servers; i++) {
		const struct ip_port server = {.ip = c->servers[i], .port = 53};

		wbuf_fmt(&w, "%s%s", i ? "," : "", ip_port_text(&server, one));
	}
	text[w.len] = '\0';
	if (rc == ARES_SUCCESS && c->n_servers &&
		(rc = ares_set_servers_ports_csv(fresh, text)) != ARES_SUCCESS)
		ares_destroy(fresh);
	if (rc != ARES_SUCCESS) {
		log_error("dns", "other servers cannot be used: the ones before are asked on",
			LZ("servers", text), LZ("reason", ares_strerror(rc)));
		return;
	}
	ares_destroy(c->channel);
	c->channel = fresh;
}

void dns_client_set_servers(struct dns_client *c, const struct ip_addr *servers, unsigned n)
{
	n = n < DNS_SERVERS_MAX ? n : DNS_SERVERS_MAX;
	if (n == c->n_servers && memcmp(servers, c->servers, n * sizeof *servers) == 0)
		return;
	memcpy(c->servers, servers, n * sizeof *servers);
	c->n_servers = n;
	renew(c);
}

static void conclude(struct question *q, int result, const struct dns_reply *reply, const char *why)
{
	/* Still open: what the answer leads to must not take the channel away under c-ares' feet. */
	q->answer(q->arg, result, reply, why);
	q->client->open--;
	free(q);
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *p, int n)
{
	struct question *q = arg;
	struct dns_reply reply;
	bool told = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
	int rc;

	(void)timeouts;
	if (status == ARES_EDESTRUCTION) {
		conclude(q, -ECANCELED, NULL, "the question was given up");
	} else if (!told || !p || n <= 0) {
		conclude(q, -EAGAIN, NULL, ares_strerror(status));
	} else {
		rc = dns_reply_parse(p, (size_t)n, q->name, q->type, &reply);
		conclude(q, rc, rc < 0 ? NULL : &reply, rc < 0 ? "the answer cannot be used" : NULL);
	}
}

/* What this machine's own list of hosts says goes before DNS. */
static bool ask_hosts(ares_channel channel, const char *name, enum dns_type type, struct dns_reply *out)
{
	bool v6 = type == DNS_AAAA;
	struct hostent *h;

	if (ares_gethostbyname_file(channel, name, v6 ? AF_INET6 : AF_INET, &h) != ARES_SUCCESS)
		return false;
	*out = (struct dns_reply){.ttl = HOSTS_TTL_S};
	for (char **a = h->h_addr_list; *a && out->n < DNS_RECORDS_MAX; a++) {
		struct ip_addr *ip = &out->records[out->n++].ip;

		*ip = (struct ip_addr){.family = v6 ? IP_V6 : IP_V4};
		memcpy(ip->octets, *a, (size_t)h->h_length);
	}
	ares_free_hostent(h);
	return out->n > 0;
}

static void ask(void *ctx, const char *name, enum dns_type type, dns_answer_fn answer, void *arg)
{
	struct dns_client *c = ctx;
	size_t n = strlen(name) + 1;
	struct question *q = malloc(sizeof *q + n);
	struct dns_reply reply;
	struct timespec now = changed();

	if (!q) {
		answer(arg, -ENOMEM, NULL, "out of memory");
		return;
	}
	*q = (struct question){.client = c, .answer = answer, .arg = arg, .type = type};
	memcpy(q->name, name, n);
	if (!c->n_servers && !c->open && memcmp(&now, &c->resolv, sizeof now) != 0)
		renew(c);
	c->open++;
	if ((type == DNS_A || type == DNS_AAAA) && ask_hosts(c->channel, name, type, &reply)) {
		conclude(q, 0, &reply, NULL);
		return;
	}
	ares_query(c->channel, name, CLASS_IN, type, on_answer, q);
	arm(c);
}

struct dns_asker dns_client_asker(struct dns_client *c)
{
	return (struct dns_asker){.ctx = c, .ask = ask};
}
