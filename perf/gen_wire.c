/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/gen_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/port/port.h"
#include "lib/base/clock.h"
#include "perf/gen_frame.h"
#include "perf/latency.h"

#define POOL_FRAMES 16383
#define BURST 32
#define FRAME_ROOM 1664
#define LINK_MS 20000
#define SECOND_LINK_US 300000
#define GENTLE_PPS 5000.0
#define QUIET_NS (500 * NS_PER_MS) /* nothing came for so long: what is missing will not come */
#define LINGER_NS (5 * NS_PER_MS)  /* behind the last that must come, for what must not */
#define STUCK_NS (5 * NS_PER_S)
#define LAST_LINGER_NS (100 * NS_PER_MS)

/* Frames of a round, in one direction. */
struct track {
	uint32_t n;
	uint16_t len[2 * WIRE_ROUND];
	uint8_t side[2 * WIRE_ROUND];
	uint64_t ns[2 * WIRE_ROUND];
	uint8_t (*octets)[FRAME_ROOM];
};

struct wire {
	struct rte_mempool *pool;
	struct port *ports[2];
	unsigned n_ports;
	struct track sent, heard;
	struct latency latency;
	uint64_t position; /* frames sent in the rounds before */
	uint64_t others;
};

static int port_add(struct wire *w, const char *device, struct err *err)
{
	struct port_conf conf = {
		.kind = PORT_DEVICE, .interface = device, .index = (uint16_t)w->n_ports, .pool = w->pool};
	struct rte_eth_link link = {0};
	int rc = port_open(&conf, &w->ports[w->n_ports], err);

	if (rc < 0)
		return rc;
	w->n_ports++;
	for (unsigned ms = 0; ms < LINK_MS; ms += 10) {
		if (rte_eth_link_get_nowait(w->ports[w->n_ports - 1]->id, &link) == 0 && link.link_status)
			return 0;
		usleep(10000);
	}
	return err_set(err, ENOLINK, "nobody is at the other end of '%s'", device);
}

int wire_open(const char *const devices[2], struct wire **out, struct err *err)
{
	struct wire *w = calloc(1, sizeof(*w));
	int rc = w ? port_pool_create(POOL_FRAMES, &w->pool, err) : err_set(err, ENOMEM, "no memory");

	if (rc >= 0) {
		w->sent.octets = calloc(2 * WIRE_ROUND, FRAME_ROOM);
		w->heard.octets = calloc(2 * WIRE_ROUND, FRAME_ROOM);
		if (!w->sent.octets || !w->heard.octets)
			rc = err_set(err, ENOMEM, "no memory for a round of frames");
	}
	for (unsigned i = 0; i < 2 && devices[i] && rc >= 0; i++)
		rc = port_add(w, devices[i], err);
	/* A gateway that can hear at one port may still be busy with the link of the other. */
	if (w && w->n_ports > 1)
		usleep(SECOND_LINK_US);
	if (rc < 0) {
		wire_close(w);
		return rc;
	}
	*out = w;
	return 0;
}

void wire_close(struct wire *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->n_ports; i++)
		port_close(w->ports[i]);
	rte_mempool_free(w->pool);
	free(w->sent.octets);
	free(w->heard.octets);
	free(w);
}

/* A frame without DPDK behind it. */
static struct rte_mbuf *frame_of(struct track *t, uint32_t i, struct rte_mbuf *m)
{
	memset(m, 0, sizeof(*m));
	m->buf_addr = t->octets[i];
	m->buf_len = FRAME_ROOM;
	m->nb_segs = 1;
	m->data_len = t->len[i];
	m->pkt_len = t->len[i];
	return m;
}

/* The next n frames; n 0: what the generator has left. */
static int round_make(struct wire *w, struct gen *gen, uint32_t n)
{
	struct rte_mbuf frame, *m = &frame;
	int rc = 0;

	w->position += w->sent.n;
	w->sent.n = w->heard.n = 0;
	while (w->sent.n < (n ? n : WIRE_ROUND) && !rc) {
		uint32_t i = w->sent.n;

		frame_of(&w->sent, i, m);
		if (n)
			rc = gen_build(gen, &m, 1);
		else if (!gen_drain(gen, &m, 1))
			break;
		w->sent.len[i] = m->data_len;
		w->sent.side[i] = (uint8_t)m->port;
		w->sent.n++;
	}
	return rc;
}

/* As many of the frames from `at` on as one burst to one port holds; how many the port took. */
static uint32_t burst_send(struct wire *w, uint32_t at, uint32_t due)
{
	unsigned side = w->n_ports > 1 ? w->sent.side[at] : 0;
	struct rte_mbuf *frames[BURST];
	uint16_t n = 0, taken;
	uint64_t now;

	while (n < BURST && at + n < due && (w->n_ports == 1 || w->sent.side[at + n] == side))
		n++;
	if (rte_pktmbuf_alloc_bulk(w->pool, frames, n))
		return 0;
	for (uint16_t i = 0; i < n; i++) {
		frames[i]->data_len = w->sent.len[at + i];
		frames[i]->pkt_len = w->sent.len[at + i];
		memcpy(rte_pktmbuf_mtod(frames[i], void *), w->sent.octets[at + i], w->sent.len[at + i]);
	}
	now = clock_mono_ns();
	taken = port_tx(w->ports[side], 0, frames, n);
	rte_pktmbuf_free_bulk(frames + taken, n - taken);
	for (uint16_t i = 0; i < taken; i++)
		w->sent.ns[at + i] = now;
	return taken;
}

static bool is_udp(const struct rte_mbuf *m)
{
	const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);

	return m->nb_segs == 1 && frame_headers_len(f, m->data_len) && !(f[0] & 1);
}

/* What has come; whether anything has. */
static bool hear(struct wire *w)
{
	struct rte_mbuf *frames[BURST];
	uint32_t before = w->heard.n;

	for (unsigned p = 0; p < w->n_ports; p++) {
		uint16_t n = port_rx(w->ports[p], 0, frames, BURST);
		uint64_t now = n ? clock_mono_ns() : 0;

		for (uint16_t i = 0; i < n; i++) {
			struct track *t = &w->heard;

			if (!is_udp(frames[i]) || frames[i]->data_len > FRAME_ROOM ||
				t->n == 2 * WIRE_ROUND) {
				w->others++;
				continue;
			}
			t->len[t->n] = frames[i]->data_len;
			t->ns[t->n] = now;
			memcpy(t->octets[t->n++], rte_pktmbuf_mtod(frames[i], void *), frames[i]->data_len);
		}
		rte_pktmbuf_free_bulk(frames, n);
	}
	return w->heard.n != before;
}

/*
 * Sends the round and hears until `expected` frames are back and a little longer. -EPIPE: the port has taken
 * nothing for seconds.
 */
static int round_relay(struct wire *w, double pps, uint32_t expected, uint64_t linger)
{
	uint64_t began = clock_mono_ns(), last = began, moved = began, now;
	uint32_t at = 0, due;

	do {
		uint32_t before = at;

		now = clock_mono_ns();
		due = w->sent.n;
		if (pps > 0 && (double)(now - began) * pps / 1e9 < (double)due)
			due = (uint32_t)((double)(now - began) * pps / 1e9) + 1;
		due = due < w->sent.n ? due : w->sent.n;
		if (at < due)
			at += burst_send(w, at, due);
		if (at != before || at == due)
			moved = now;
		if (hear(w) || at < w->sent.n)
			last = now;
		if (now - moved > STUCK_NS)
			return -EPIPE;
	} while (at < w->sent.n || now - last < (w->heard.n < expected ? QUIET_NS : linger));
	return 0;
}

static void capture(const struct wire *w, struct pcap *pcap)
{
	const struct track *s = &w->sent, *h = &w->heard;

	for (uint32_t i = 0, k = 0; pcap && (i < s->n || k < h->n);) {
		bool sent = i < s->n && (k == h->n || s->ns[i] <= h->ns[k]);
		const struct track *t = sent ? s : h;
		uint32_t at = sent ? i++ : k++;

		pcap_add(pcap, t->ns[at], t->octets[at], t->len[at]);
	}
}

static void round_judge(struct wire *w, struct gen *gen, bool measured)
{
	struct rte_mbuf frame;

	for (uint32_t i = 0; i < w->heard.n; i++) {
		int64_t position = gen_verify(gen, frame_of(&w->heard, i, &frame));

		/* What is of a round before has a time that nobody kept. */
		if (measured && position >= (int64_t)w->position)
			latency_add(
				&w->latency, w->heard.ns[i] - w->sent.ns[position - (int64_t)w->position]);
	}
}

/* measured: in the figures and at the rate asked for. */
static int round_run(struct wire *w, struct gen *gen, const struct wire_conf *conf, uint32_t n, bool measured,
	struct wire_result *r)
{
	struct gen_stats before = *gen_stats(gen);
	uint64_t wanted = gen_wanted(gen);
	int rc = round_make(w, gen, n);

	if (rc < 0)
		return rc;
	rc = round_relay(w, measured ? conf->pps : GENTLE_PPS, (uint32_t)(gen_wanted(gen) - wanted),
		n ? LINGER_NS : LAST_LINGER_NS);
	if (rc < 0)
		return rc;
	capture(w, conf->pcap);
	round_judge(w, gen, measured);
	if (measured && w->heard.n) {
		r->seconds += (double)(w->heard.ns[w->heard.n - 1] - w->sent.ns[0]) / 1e9;
		r->good += gen_stats(gen)->good - before.good;
	}
	return 0;
}

int wire_run(
	struct wire *w, struct gen *gen, const struct wire_conf *conf, struct wire_result *r, struct err *err)
{
	uint32_t first = gen_calls(gen) < WIRE_ROUND ? gen_calls(gen) : WIRE_ROUND;
	int rc;

	*r = (struct wire_result){0};
	/* A memif's client gives the other side places for frames when it first looks for some. */
	(void)hear(w);
	rc = round_run(w, gen, conf, first, false, r);
	if (rc >= 0 && !w->heard.n && gen_stats(gen)->sent)
		return err_set(err, ENOLINK,
			"nothing came back of the first %u packets: does the gateway hold these calls, and do its next hops lead here?",
			first);
	for (uint64_t sent = 0; sent < conf->frames && rc >= 0;) {
		uint32_t n = conf->frames - sent < WIRE_ROUND ? (uint32_t)(conf->frames - sent) : WIRE_ROUND;

		sent += n;
		rc = round_run(w, gen, conf, n, true, r);
	}
	do
		rc = rc < 0 ? rc : round_run(w, gen, conf, 0, false, r);
	while (rc >= 0 && w->sent.n);
	r->others = w->others;
	r->p50 = (double)latency_part(&w->latency, 0.5) / 1e3;
	r->p99 = (double)latency_part(&w->latency, 0.99) / 1e3;
	r->p999 = (double)latency_part(&w->latency, 0.999) / 1e3;
	r->max = (double)w->latency.max / 1e3;
	if (rc == -EPIPE)
		return err_set(err, EPIPE, "the port takes no frames any more: is the gateway still there?");
	return rc < 0 ? err_set(err, -rc, "a packet cannot be made: %s", strerror(-rc)) : 0;
}
