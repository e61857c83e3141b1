/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define THREADS_MAX 16

struct datagram {
	STAILQ_ENTRY(datagram) entry;
	struct ip_port address; /* from, or to */
	size_t n;
	uint8_t octets[];
};
STAILQ_HEAD(datagrams, datagram);

/* What a worker found out in one run, for the loop. */
struct report {
	uint64_t deadline; /* 0: none */
	bool begun;        /* the peer was heard, or we spoke */
	uint64_t strays;
	struct ip_port peer;
	struct dtls_result result;
	char complaint[160];
};

/* Fields up to the blank line are under the pool's lock. */
struct dtls_channel {
	TAILQ_ENTRY(dtls_channel) run_entry;   /* in pool.runnable, while queued */
	TAILQ_ENTRY(dtls_channel) ready_entry; /* in pool.ready, while ready */
	bool queued, running, ready, tick_due, closed;
	unsigned n_in;
	struct datagrams in, out;
	struct report report;

	/* The worker's that runs it. */
	struct dtls_association *association;
	const struct dtls_backend *backend;
	struct dtls_association_conf conf;
	enum srtp_suite suites[SRTP_SUITE_COUNT];
	struct datagrams sent;

	/* The loop's. */
	struct dtls_pool *pool;
	const struct dtls_events *events;
	void *arg;
	struct event *retransmit, *overdue;
	uint32_t timeout_ms;
	uint64_t strays_counted;
	bool counting, done, told_refusal, told_closed;
};
TAILQ_HEAD(channels, dtls_channel);

struct dtls_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	bool stop;
	struct channels runnable, ready;

	const struct dtls_backend *newest;
	pthread_t threads[THREADS_MAX];
	unsigned n_threads;
	int fd; /* eventfd: something is ready */
	struct event *wake;
	struct dtls_pool_counters counters;
};

static struct datagram *datagram_new(const struct ip_port *address, const uint8_t *octets, size_t n)
{
	struct datagram *d = malloc(sizeof *d + n);

	if (!d)
		return NULL;
	d->address = *address;
	d->n = n;
	memcpy(d->octets, octets, n);
	return d;
}

static void datagrams_free(struct datagrams *l)
{
	struct datagram *d;

	while ((d = STAILQ_FIRST(l))) {
		STAILQ_REMOVE_HEAD(l, entry);
		free(d);
	}
}

/* ---- worker ---- */

static void output(void *arg, const struct ip_port *to, const uint8_t *octets, size_t n)
{
	struct dtls_channel *c = arg;
	struct datagram *d = datagram_new(to, octets, n);

	if (d)
		STAILQ_INSERT_TAIL(&c->sent, d, entry);
}

static void start(struct dtls_channel *c, struct report *r)
{
	struct err e = {0};

	if (dtls_association_new(c->backend, &c->conf, &c->association, &e) == 0)
		return;
	r->result.state = DTLS_FAILED;
	r->result.failure = DTLS_FAIL_INTERNAL;
	snprintf(r->result.reason, sizeof r->result.reason, "%.*s", (int)sizeof r->result.reason - 1, e.text);
}

/* One turn of an association, without the lock. */
static void turn(struct dtls_channel *c, struct datagrams *in, bool tick, struct report *r)
{
	struct datagram *d;

	if (!c->association)
		start(c, r);
	if (!c->association)
		return;
	STAILQ_FOREACH(d, in, entry) {
		dtls_association_input(c->association, &d->address, d->octets, d->n);
	}
	if (tick)
		dtls_association_tick(c->association);
	r->deadline = dtls_association_deadline(c->association);
	r->result = *dtls_association_result(c->association);
	r->peer = *dtls_association_peer(c->association);
	r->begun = c->conf.dtls.role == DTLS_CLIENT || r->result.cookie;
	r->strays = dtls_association_strays(c->association);
	snprintf(r->complaint, sizeof r->complaint, "%s", dtls_association_complaint(c->association));
	if (r->result.state == DTLS_ESTABLISHED)
		dtls_association_forget_keys(c->association); /* the report has them now */
}

static void make_ready(struct dtls_pool *p, struct dtls_channel *c)
{
	uint64_t one = 1;

	if (c->ready)
		return;
	c->ready = true;
	TAILQ_INSERT_TAIL(&p->ready, c, ready_entry);
	/* A counter that is full is not 0, which is all that is asked of it. */
	if (write(p->fd, &one, sizeof one) < 0 && errno != EAGAIN)
		abort();
}

/* The keys of an established association are reported once: later turns must not wipe them away. */
static void take_report(struct dtls_channel *c, struct report *r)
{
	struct secret rx = c->report.result.rx, tx = c->report.result.tx;

	if (r->result.state == DTLS_ESTABLISHED && !r->result.rx.len && rx.len) {
		r->result.rx = rx;
		r->result.tx = tx;
	}
	c->report = *r;
	secret_wipe(&rx);
	secret_wipe(&tx);
}

static void run(struct dtls_pool *p, struct dtls_channel *c)
{
	struct datagrams in = STAILQ_HEAD_INITIALIZER(in);
	struct report r = {0};
	bool tick = c->tick_due;

	TAILQ_REMOVE(&p->runnable, c, run_entry);
	c->queued = c->tick_due = false;
	c->running = true;
	STAILQ_CONCAT(&in, &c->in);
	c->n_in = 0;
	pthread_mutex_unlock(&p->lock);

	turn(c, &in, tick, &r);
	datagrams_free(&in);

	pthread_mutex_lock(&p->lock);
	take_report(c, &r);
	mem_wipe(&r, sizeof r);
	STAILQ_CONCAT(&c->out, &c->sent);
	c->running = false;
	if ((c->n_in || c->tick_due) && !c->closed) {
		c->queued = true;
		TAILQ_INSERT_TAIL(&p->runnable, c, run_entry);
	}
	make_ready(p, c);
}

static void *work(void *arg)
{
	struct dtls_pool *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct dtls_channel *c = TAILQ_FIRST(&p->runnable);

		if (c)
			run(p, c);
		else
			pthread_cond_wait(&p->work, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- loop ---- */

static void channel_free(struct dtls_channel *c)
{
	datagrams_free(&c->in);
	datagrams_free(&c->out);
	datagrams_free(&c->sent);
	dtls_association_close(c->association);
	dtls_identity_unref(c->conf.dtls.identity);
	if (c->retransmit)
		event_free(c->retransmit);
	if (c->overdue)
		event_free(c->overdue);
	mem_wipe(c, sizeof *c);
	free(c);
}

/* With the lock held. */
static void schedule(struct dtls_channel *c)
{
	if (c->queued || c->running || c->closed)
		return; /* a worker that runs it looks again when it is done */
	c->queued = true;
	TAILQ_INSERT_TAIL(&c->pool->runnable, c, run_entry);
	pthread_cond_signal(&c->pool->work);
}

static void set_timer(struct event *timer, uint64_t ns)
{
	struct timeval tv = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_usec = (suseconds_t)(ns % NS_PER_S / 1000)};

	event_add(timer, &tv);
}

static void finish(struct dtls_channel *c, const struct dtls_result *r, const struct ip_port *peer)
{
	c->done = true;
	event_del(c->overdue);
	c->events->done(c->arg, r, peer);
}

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct dtls_channel *c = arg;
	struct dtls_result r = {.state = DTLS_FAILED, .failure = DTLS_FAIL_TIMEOUT};
	char complaint[sizeof c->report.complaint];
	bool begun;

	(void)fd;
	(void)what;
	pthread_mutex_lock(&c->pool->lock);
	begun = c->report.begun;
	memcpy(complaint, c->report.complaint, sizeof complaint);
	pthread_mutex_unlock(&c->pool->lock);
	snprintf(r.reason, sizeof r.reason, "%s %u s%s%.80s",
		begun ? "the handshake was not finished within" : "the peer began no handshake within",
		c->timeout_ms / 1000, complaint[0] ? "; an attempt was refused: " : "", complaint);
	finish(c, &r, &c->conf.dtls.remote);
}

static void on_retransmit(evutil_socket_t fd, short what, void *arg)
{
	struct dtls_channel *c = arg;

	(void)fd;
	(void)what;
	pthread_mutex_lock(&c->pool->lock);
	c->tick_due = true;
	schedule(c);
	pthread_mutex_unlock(&c->pool->lock);
}

/* What a worker reported; out is the caller's. False: c is gone. */
static void deliver(struct dtls_channel *c, struct datagrams *out, const struct report *r)
{
	struct datagram *d;
	uint64_t now = clock_mono_ns();

	c->pool->counters.strays += r->strays - c->strays_counted;
	c->strays_counted = r->strays;
	if (r->deadline)
		set_timer(c->retransmit, r->deadline > now ? r->deadline - now : 0);
	else
		event_del(c->retransmit);
	if (r->begun)
		dtls_channel_expect(c);
	if (r->complaint[0] && !c->told_refusal && !c->closed && c->events->refused) {
		c->told_refusal = true;
		c->events->refused(c->arg, r->complaint);
	}
	STAILQ_FOREACH(d, out, entry) {
		if (!c->closed) /* closed is written on this thread alone */
			c->events->send(c->arg, &d->address, d->octets, d->n);
	}
	if (!c->done && !c->closed && r->result.state != DTLS_HANDSHAKING)
		finish(c, &r->result, &r->peer); /* its owner may close it, here and in what follows */
	if (r->result.state == DTLS_ESTABLISHED && r->result.closed && !c->told_closed && !c->closed &&
		c->events->closed) {
		c->told_closed = true;
		c->events->closed(c->arg);
	}
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct dtls_pool *p = arg;
	struct dtls_channel *c;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof n) < 0)
		return;
	pthread_mutex_lock(&p->lock);
	while ((c = TAILQ_FIRST(&p->ready))) {
		struct datagrams out = STAILQ_HEAD_INITIALIZER(out);
		struct report r;
		bool closed = c->closed, busy = c->running || c->queued;

		TAILQ_REMOVE(&p->ready, c, ready_entry);
		c->ready = false;
		STAILQ_CONCAT(&out, &c->out);
		r = c->report;
		secret_wipe(&c->report.result.rx);
		secret_wipe(&c->report.result.tx);
		pthread_mutex_unlock(&p->lock);
		if (!closed)
			deliver(c, &out, &r);
		else if (!busy)
			channel_free(c);
		mem_wipe(&r, sizeof r);
		datagrams_free(&out);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
}

int dtls_channel_open(struct dtls_pool *p, const struct dtls_channel_conf *conf, struct dtls_channel **out)
{
	struct dtls_channel *c = calloc(1, sizeof *c);
	struct event_base *base = event_get_base(p->wake);

	if (!c)
		return -ENOMEM;
	STAILQ_INIT(&c->in);
	STAILQ_INIT(&c->out);
	STAILQ_INIT(&c->sent);
	c->pool = p;
	c->events = conf->events;
	c->arg = conf->arg;
	c->timeout_ms = conf->timeout_ms;
	c->backend = conf->association.dtls.max == DTLS_1_2 ? &dtls_openssl : p->newest;
	c->conf = conf->association;
	c->conf.output = output;
	c->conf.arg = c;
	dtls_identity_ref(c->conf.dtls.identity);
	if (c->conf.dtls.n_suites > SRTP_SUITE_COUNT)
		c->conf.dtls.n_suites = SRTP_SUITE_COUNT;
	memcpy(c->suites, conf->association.dtls.suites, c->conf.dtls.n_suites * sizeof c->suites[0]);
	c->conf.dtls.suites = c->suites;
	c->retransmit = evtimer_new(base, on_retransmit, c);
	c->overdue = evtimer_new(base, on_overdue, c);
	if (!c->retransmit || !c->overdue) {
		channel_free(c);
		return -ENOMEM;
	}
	pthread_mutex_lock(&p->lock);
	schedule(c);
	pthread_mutex_unlock(&p->lock);
	*out = c;
	return 0;
}

void dtls_channel_input(
	struct dtls_channel *c, const struct ip_port *from, const uint8_t *octets, size_t n)
{
	struct datagram *d = datagram_new(from, octets, n);

	if (!d)
		return;
	pthread_mutex_lock(&c->pool->lock);
	if (c->n_in < DTLS_QUEUE_MAX) {
		c->n_in++;
		STAILQ_INSERT_TAIL(&c->in, d, entry);
		d = NULL;
		schedule(c);
	} else {
		c->pool->counters.dropped++;
	}
	pthread_mutex_unlock(&c->pool->lock);
	free(d);
}

void dtls_channel_expect(struct dtls_channel *c)
{
	if (c->counting || c->done)
		return;
	c->counting = true;
	set_timer(c->overdue, c->timeout_ms * NS_PER_MS);
}

void dtls_channel_close(struct dtls_channel *c)
{
	struct dtls_pool *p;

	if (!c)
		return;
	p = c->pool;
	event_del(c->retransmit);
	event_del(c->overdue);
	pthread_mutex_lock(&p->lock);
	c->closed = true;
	if (c->queued)
		TAILQ_REMOVE(&p->runnable, c, run_entry);
	c->queued = false;
	/* Freed when it is its turn in ready: that list, or a worker, may be holding it now. */
	if (!c->running)
		make_ready(p, c);
	pthread_mutex_unlock(&p->lock);
}

const struct dtls_pool_counters *dtls_pool_counters(const struct dtls_pool *p)
{
	return &p->counters;
}

/* Signals are the loop's thread's, which may block one for a while, or for good: here it would come through.
 */
static int start_threads(struct dtls_pool *p, unsigned n)
{
	sigset_t all, before;
	int rc = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; rc == 0 && p->n_threads < n && p->n_threads < THREADS_MAX; p->n_threads += rc == 0)
		rc = -pthread_create(&p->threads[p->n_threads], NULL, work, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int dtls_pool_new(struct event_base *base, unsigned threads, struct dtls_pool **out)
{
	struct dtls_pool *p = calloc(1, sizeof *p);
	int rc = -ENOMEM;

	if (!p)
		return -ENOMEM;
	p->newest = &dtls_openssl;
	TAILQ_INIT(&p->runnable);
	TAILQ_INIT(&p->ready);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->wake = p->fd < 0 ? NULL : event_new(base, p->fd, EV_READ | EV_PERSIST, on_ready, p);
	if (p->wake && event_add(p->wake, NULL) == 0)
		rc = start_threads(p, threads ? threads : 1);
	if (rc < 0)
		dtls_pool_free(p);
	else
		*out = p;
	return rc;
}

void dtls_pool_use(struct dtls_pool *p, const struct dtls_backend *newest)
{
	p->newest = newest;
}

void dtls_pool_free(struct dtls_pool *p)
{
	struct dtls_channel *c;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	while ((c = TAILQ_FIRST(&p->ready))) {
		TAILQ_REMOVE(&p->ready, c, ready_entry);
		channel_free(c);
	}
	if (p->wake)
		event_free(p->wake);
	if (p->fd >= 0)
		close(p->fd);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
