/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <rte_random.h>

#include "dataplane/classify.h"
#include "dataplane/control/control_private.h"
#include "dataplane/crypto_run.h"
#include "dataplane/event.h"
#include "dataplane/fetch.h"
#include "dataplane/guard.h"
#include "dataplane/ice_lite.h"
#include "dataplane/punt.h"
#include "dataplane/rewrite.h"
#include "dataplane/srtp_rx.h"
#include "dataplane/srtp_tx.h"
#include "dataplane/tick.h"
#include "dataplane/tx.h"
#include "dataplane/worker_private.h"

/* The stage, unless an earlier one has a verdict. */
static inline __attribute__((always_inline)) int then(
	int verdict, packet_stage stage, struct worker *w, struct packet *p)
{
	return verdict == PACKET_ON ? stage(w, p) : verdict;
}

/* Up to where it is opened; one of a plain leg is accepted. */
static inline __attribute__((always_inline)) int arrive(struct worker *w, struct packet *p)
{
	int v = classify_media(w, p);       /* RTP, RTCP or something else (RFC 7983) */
	v = then(v, guard_packet, w, p);    /* under attack: is there budget to authenticate it? */
	v = then(v, session_admit, w, p);   /* Is its source worth any work? */
	v = then(v, punt_packet, w, p);     /* DTLS and STUN leave here; ICE is answered */
	return then(v, srtp_rx_peek, w, p); /* keys, index estimate, replay test; nothing changes */
}

/* From one leg to the other, up to where it is sealed. */
static inline __attribute__((always_inline)) int cross(struct worker *w, struct packet *p)
{
	int v = rewrite_route(w, p); /* twin, next hop */

	v = then(v, rewrite_numbers, w, p);    /* SSRC, sequence number, timestamp, and RTCP alike */
	return then(v, srtp_tx_prepare, w, p); /* outgoing key, or refused */
}

static inline __attribute__((always_inline)) int leave(struct worker *w, struct packet *p)
{
	int v = srtp_tx_trailer(w, p); /* tag, MKI */

	v = then(v, rewrite_headers, w, p); /* UDP, IP, link layer */
	v = then(v, srtp_tx_verify, w, p);  /* nothing clear leaves a secure leg */
	return then(v, tx_wait, w, p);      /* is its next hop known? */
}

/*
 * The whole way of a packet. Each stage is a file of its name; what it does not let on has a verdict and is
 * counted. Stages between two runs of crypto are one pass over the batch. The first ones find out whose a
 * packet is: the last batch goes through them while another one goes through the rest, and what is fetched
 * for the one in the middle stands on what was fetched for it as the last.
 */
static void batch_work(struct worker *w, struct batch *b, struct batch *next, struct batch *last)
{
	/* last: headers, and where leg_table says whose it is */
	batch_three(w, b, arrive, last, classify_packet, next, fetch_numbers);
	batch_each(w, last, classify_leg); /* whose is it; fetches of that leg what says all else */
	count(&w->stats.rx_packets, last->n);
	srtp_rx_open(w, b); /* crypto, commit; other keys for what did not open */
	batch_each(w, b, cross);
	crypto_run(w); /* what is sealed leaves */
	batch_fetching(w, b, leave, next, fetch_keys);
	tx_send(w, b);
}

/* Up to BATCHES of them, one behind the other. Frames received. */
static unsigned batches_run(struct worker *w)
{
	struct batch *b = &w->batches[0], *next = &w->batches[1], *last = &w->batches[2];
	unsigned received = 0;

	b->n = next->n = 0;
	for (unsigned n = 0;; n++) {
		struct batch *done = b;
		unsigned more = 0;

		last->n = 0;
		if (n < BATCHES && !w->failed)
			more = batch_fill(w, last); /* ports, other workers, packets held for a key */
		if (b->n == 0 && next->n == 0 && more == 0)
			break;
		batch_work(w, b, next, last);
		received += more;
		b = next;
		next = last;
		last = done;
	}
	return received;
}

/* Commands are applied and keys wiped between iterations only, when no crypto job is in flight. */
unsigned worker_step(struct worker *w, uint64_t now_ns)
{
	unsigned received;

	w->now = now_ns;
	w->now_ticks = (now_ns / NS_PER_S << 32) + (now_ns % NS_PER_S << 32) / NS_PER_S;
	w->now_ms = (uint32_t)(now_ns / NS_PER_MS);
	w->hops = neighbour_version(w->neighbour);
	mailbox_apply(w);
	received = batches_run(w);
	worker_tick(w);
	event_flush(w);
	if (w->reported) {
		w->reported = false;
		mailbox_wake(&w->mailbox);
	}
	return received;
}

void worker_drop(struct worker *w, struct leg *in, struct rte_mbuf *m, enum dp_verdict v)
{
	if (in)
		leg_verdict_count(in, v);
	count(&w->stats.verdicts[v], 1);
	rte_pktmbuf_free(m);
}

void packet_drop(struct worker *w, struct packet *p, enum dp_verdict v)
{
	if (p->departs)
		leg_tx_undone(packet_out(p), p->clear_len);
	worker_drop(w, p->in, p->m, v);
}

int worker_hand_over(struct worker *w, struct packet *p, uint32_t owner)
{
	if (owner >= w->n_all || rte_ring_enqueue(w->all[owner]->handover, p->m) < 0)
		return DP_V_HANDOVER_FULL;
	idle_wake(&w->all[owner]->idle, IDLE_SLEEP);
	count(&w->stats.handover, 1);
	return PACKET_TAKEN;
}

static int tables_open(struct worker *w, const struct worker_conf *conf, uint32_t slots)
{
	char name[RTE_RING_NAMESIZE];
	uint32_t *slot_back;

	w->sessions = rte_zmalloc_socket("sessions", conf->sessions * sizeof *w->sessions, 64, conf->socket);
	slot_back = rte_malloc("slot_back", slots * sizeof *slot_back, 0);
	snprintf(name, sizeof name, "handover_%u_%x", conf->index, (unsigned)rte_rand());
	w->handover = rte_ring_create(name, HANDOVER_RING, conf->socket, RING_F_SC_DEQ);
	key_slots_init(&w->slots, slot_back, w->near_slots, slots - w->near_slots);
	if (!w->sessions || !slot_back || !w->handover)
		return -ENOMEM;
	return 0;
}

/* Where packets lie, for a crypto device. */
#define POOL_PIECES_MAX 64
struct pool_memory {
	uint32_t n;
	struct crypto_memory pieces[POOL_PIECES_MAX];
};

static void note_piece(struct rte_mempool *pool, void *arg, struct rte_mempool_memhdr *piece, unsigned index)
{
	struct pool_memory *m = arg;

	(void)pool;
	(void)index;
	if (m->n < POOL_PIECES_MAX)
		m->pieces[m->n++] = (struct crypto_memory){piece->addr, piece->len};
}

/*
 * What a leg cannot do without in the middle of a re-key: the key it sends with, the one in use and the next.
 * The one before has what is free (leg_keys.c). Slots that are not used cost nothing.
 */
#define KEYS_PER_LEG 3

/* Two slots of each leg, when there are as many as legs may need. */
static struct crypto_near near_of(const struct worker *w, uint32_t slots)
{
	uint32_t legs = (w->legs_max + 1) / 2 * 2; /* places are taken in pairs */

	if (slots < legs * KEYS_PER_LEG)
		return (struct crypto_near){.slots = 0};
	return (struct crypto_near){
		.base = worker_leg(w, 0)->rx_key,
		.stride = sizeof(struct leg),
		.apart = offsetof(struct leg, beside.tx_key) - offsetof(struct leg, rx_key),
		.slots = 2 * legs,
	};
}

static int backend_open(struct worker *w, const struct worker_conf *conf, uint32_t *slots, struct err *err)
{
	struct pool_memory memory = {.n = 0};
	struct err why = {""};
	struct crypto_conf crypto = {
		.slots = *slots,
		.near = near_of(w, *slots),
		.socket = conf->socket,
		.options = conf->backend_options,
		.memory = memory.pieces,
		.err = &why,
	};
	struct crypto_health health;
	int rc;

	if (conf->pool)
		rte_mempool_mem_iter(conf->pool, note_piece, &memory);
	crypto.n_memory = memory.n;
	rc = conf->backend->open(&w->crypto, &crypto);
	if (rc < 0)
		return err_set(err, -rc, "crypto backend %s does not open with %u key slots: %s",
			conf->backend->name, *slots, why.text[0] ? why.text : strerror(-rc));
	w->at_once = conf->backend->at_once ? conf->backend->at_once(w->crypto) : 0;
	if (conf->backend->health(w->crypto, &health) == 0 && health.slots < *slots)
		*slots = health.slots;
	w->near_suites = conf->backend->keeps_near ? conf->backend->keeps_near(w->crypto) : 0;
	if (w->near_suites)
		w->near_slots = crypto.near.slots;
	return 0;
}

/* What it sleeps on. */
static int waits_open(struct worker *w, const struct worker_conf *conf, struct err *err)
{
	int rc = idle_open(&w->idle, conf->idle_us, err);

	for (uint16_t i = 0; rc == 0 && i < conf->n_ports; i++)
		idle_add(&w->idle, port_fd(conf->ports[i], (uint16_t)conf->index));
	return rc;
}

int worker_create(const struct worker_conf *conf, struct worker **out, struct err *err)
{
	uint32_t slots = conf->key_slots ? conf->key_slots : conf->legs * KEYS_PER_LEG + 8;
	struct worker *w;
	int rc;

	if (conf->legs == 0 || conf->legs > LEG_TABLE_LEGS_MAX || conf->sessions == 0 ||
		conf->index >= WORKERS_MAX)
		return err_set(
			err, EINVAL, "worker with %u sessions and %u legs", conf->sessions, conf->legs);
	w = rte_zmalloc_socket("worker", sizeof *w, 64, conf->socket);
	if (!w)
		return err_set(err, ENOMEM, "no memory for a worker");
	w->index = conf->index;
	w->table = conf->table;
	w->legs_max = conf->legs;
	w->sessions_max = conf->sessions;
	w->backend = conf->backend;
	w->neighbour = conf->neighbour;
	w->n_ports = conf->n_ports;
	w->ports = conf->ports;
	w->pool = conf->pool;
	w->trial_per_second = 10;
	w->ssrc_seed = rte_rand();
	if (getrandom(&w->names, sizeof w->names, 0) != sizeof w->names) {
		rte_free(w);
		return err_set(err, EIO, "no random octets");
	}
	STAILQ_INIT(&w->events);
	TAILQ_INIT(&w->overlaps);
	hold_open(&w->hold);
	w->mailbox.wake = -1;
	rc = waits_open(w, conf, err);
	if (rc == 0 && leg_memory_open(w, conf->legs) < 0)
		rc = err_set(err, ENOMEM, "no memory for %u legs", conf->legs);
	rc = rc < 0 ? rc : backend_open(w, conf, &slots, err);
	if (rc == 0) {
		rc = tables_open(w, conf, slots);
		if (rc < 0)
			err_set(err, -rc, "no memory for %u sessions and %u key slots", conf->sessions,
				slots);
	}
	if (rc == 0)
		rc = mailbox_open(&w->mailbox, conf->index, &w->idle, err);
	if (rc < 0)
		worker_destroy(w);
	else
		*out = w;
	return rc;
}

static void handover_drain(struct worker *w)
{
	void *m;

	while (w->handover && rte_ring_dequeue(w->handover, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(w->handover);
}

void worker_destroy(struct worker *w)
{
	if (!w)
		return;
	hold_close(w);
	for (uint32_t i = 0; i < w->legs_top; i++) {
		struct leg *leg = worker_leg(w, i);

		if (leg->used) {
			free(ice_take(leg));
			free(leg_memory_put(w, leg));
		}
	}
	if (w->crypto)
		w->backend->close(w->crypto); /* wipes every key that is loaded */
	mailbox_close(&w->mailbox);
	idle_close(&w->idle);
	handover_drain(w);
	rte_free(w->sessions);
	leg_memory_close(w);
	rte_free(w->slots.back);
	rte_free(w);
}

void worker_introduce(struct worker *const *workers, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		workers[i]->all = workers;
		workers[i]->n_all = n;
	}
}

#define TIMER_SLACK_NS 1000 /* without it a nap of 20 us is one of 70 */

int worker_run(void *worker)
{
	struct worker *w = worker;

	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed) && !w->failed) {
		uint64_t now = clock_mono_ns(), begin = rte_rdtsc(), end;
		unsigned received = worker_step(w, now);

		end = rte_rdtsc();
		count(received ? &w->stats.busy_cycles : &w->stats.idle_cycles, end - begin);
		if (idle_rest(w, received, now)) {
			uint64_t slept = rte_rdtsc() - end;

			count(&w->stats.sleeps, 1);
			count(&w->stats.sleep_cycles, slept);
			count(&w->stats.idle_cycles, slept);
		}
	}
	if (w->failed)
		mailbox_wake(&w->mailbox);
	return w->failed ? -EIO : 0;
}

void worker_stop(struct worker *w)
{
	atomic_store_explicit(&w->stop, true, memory_order_relaxed);
	idle_wake(&w->idle, IDLE_NAP);
}

const char *worker_crypto_how(const struct worker *w)
{
	return w->backend->how ? w->backend->how(w->crypto) : "";
}

bool worker_crypto_report(const struct worker *w, char *text, size_t n)
{
	if (!w->backend->report)
		return false;
	w->backend->report(w->crypto, text, n);
	return true;
}

bool worker_failed(const struct worker *w)
{
	return atomic_load_explicit(&w->failed, memory_order_relaxed);
}

const struct worker_stats *worker_stats(const struct worker *w)
{
	return &w->stats;
}

struct mailbox *worker_mailbox(struct worker *w)
{
	return &w->mailbox;
}
