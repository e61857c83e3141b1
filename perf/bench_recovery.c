/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeping 50,000 calls costs: a call that is written, and all of them read again at a start; and their
 * media ports, two pairs a call, taken, given back and claimed again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/b2bua/recovery/saved_call.h"
#include "controlplane/media/port_alloc.h"
#include "controlplane/state/journal.h"
#include "lib/base/clock.h"
#include "perf/program.h"

#define CALLS 50000
#define ROUNDS 5
#define BATCH 200 /* calls of one system call */

/* Two m-lines' worth of codecs, a Route and a P-Asserted-Identity's worth of names: more than most calls. */
static void typical(struct saved_call *c)
{
	static const char sdp[] =
		"s=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\nm=audio 20000 RTP/SAVP 9 8 0 18 101\r\n"
		"a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:18 "
		"G729/8000\r\n"
		"a=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 "
		"0-16\r\na=ptime:20\r\n"
		"a=sendrecv\r\n";

	static const struct str route = STR("<sip:edge.carrier-north.example;transport=tls;lr>");

	*c = (struct saved_call){
		.id = STR("6b1f00c2"), .from = STR("+498912345678"), .to = STR("+493098765432")};
	for (unsigned side = 0; side < 2; side++) {
		struct saved_leg *l = &c->legs[side];

		l->trunk = STR("carrier-north");
		l->listener = STR("carriers-tls");
		l->transport = SIP_TLS;
		l->remote =
			(struct ip_port){.ip = {.family = IP_V4, .octets = {198, 51, 100, 7}}, .port = 5061};
		l->tls_name = STR("sbc.carrier-north.example");
		l->tls = STR("TLSv1.3 TLS_AES_256_GCM_SHA384");
		l->dialog =
			(struct sip_dialog){.call_id = STR("f81d4fae7dec11d0a76500a0c91e6bf6@198.51.100.7"),
				.local_tag = STR("49085fe300ec00aff3b2a351"),
				.remote_tag = STR("gK0c1a2b3d"),
				.local_uri = STR("<sip:+493098765432@203.0.113.10>"),
				.remote_uri = STR("\"A. N. Other\" <sip:+498912345678@198.51.100.7>"),
				.remote_target = STR("sip:+498912345678@198.51.100.7:5061;transport=tls"),
				.routes = &route,
				.route_count = 1};
		l->sess_id = STR("3889425741827364512");
		l->sent = str_z(sdp);
		l->n_media = 1;
		l->media[0] = (struct saved_media){.used = true,
			.ported = true,
			.proto = SDP_RTP_SAVP,
			.suite = SRTP_AEAD_AES_256_GCM,
			.direction = SDP_SENDRECV,
			.remote = l->remote,
			.remote_rtcp = l->remote,
			.local = l->remote};
	}
}

static double ns_since(uint64_t t0, unsigned n)
{
	return (double)(clock_mono_ns() - t0) / n;
}

static void take(void *arg, uint64_t key, const void *data, size_t n)
{
	static struct saved_call c;
	unsigned *taken = arg;

	(void)key;
	*taken += saved_call_read(data, n, &c) == 0;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_recovery: %s\n", what);
	exit(1);
}

static struct journal *open_journal(const char *folder)
{
	struct journal *j;
	struct err e = {0};

	if (journal_open(folder, &j, &e) < 0)
		fail(e.text);
	return j;
}

static size_t write_all(struct journal *j, struct saved_call *c)
{
	static char text[SAVED_CALL_MAX];
	struct wbuf w = {0};

	for (uint32_t i = 0; i < CALLS; i++) {
		w = wbuf_make(text, sizeof text);
		c->session = i;
		saved_call_write(c, &w);
		if (w.overflow || journal_put(j, i, w.p, w.len) < 0 ||
			(i % BATCH == 0 && journal_flush(j) < 0))
			fail("a call cannot be written");
	}
	if (journal_flush(j) < 0)
		fail("calls cannot be written");
	return journal_record_octets(w.len);
}

static void calls(struct figures *f, const char *folder)
{
	static struct saved_call c;
	struct journal_found found;
	unsigned taken = 0;

	typical(&c);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct journal *j = open_journal(folder);
		uint64_t t0 = clock_mono_ns();

		figure_sample(figures_get(f, "recovery.call.octets", "octets"), (double)write_all(j, &c));
		figure_sample(figures_get(f, "recovery.call.write", "ns"), ns_since(t0, CALLS));
		journal_trim(j);
		journal_free(j);
		j = open_journal(folder);
		t0 = clock_mono_ns();
		taken = 0;
		if (journal_read(j, take, &taken, &found) < 0 || taken != CALLS)
			fail("calls cannot be read");
		figure_sample(figures_get(f, "recovery.50000calls.read", "ms"), ns_since(t0, 1000000));
		journal_trim(j);
		journal_free(j);
	}
}

/* Four addresses of two interfaces and two workers. */
static struct port_alloc *make_ports(void)
{
	struct port_range r[4];
	struct port_alloc *p;
	struct err e = {0};

	for (unsigned i = 0; i < 4; i++)
		r[i] = (struct port_range){.group = i / 2,
			.ip = {.family = IP_V4, .octets = {192, 0, 2, (uint8_t)(1 + i)}},
			.lower = 10000,
			.upper = 65535};
	if (port_alloc_new(r, 4, 2, &p, &e) < 0)
		fail(e.text);
	return p;
}

static void ports(struct figures *f)
{
	static struct port_lease leases[2 * CALLS], before[2 * CALLS];
	static const unsigned group[2] = {0, 1};
	struct port_alloc *p = make_ports(), *next = make_ports();

	for (unsigned round = 0; round < ROUNDS; round++) {
		/* Of an empty pool, and of the last ports of one that is nearly full: no search in either. */
		for (unsigned tenth = 0; tenth < 10; tenth++) {
			uint64_t t0 = clock_mono_ns();
			char name[64];

			for (unsigned i = tenth * CALLS / 5; i < (tenth + 1) * CALLS / 5; i++)
				if (port_alloc_get(p, &group[i % 2], 1, IP_V4,
					    i % 2 ? leases[i - 1].worker : port_alloc_worker(p), PORT_PAIR,
					    &leases[i]) < 0)
					fail("no port is free");
			snprintf(name, sizeof name, "ports.take.%sth5000calls", tenth == 0 ? "1" : "10");
			if (tenth == 0 || tenth == 9)
				figure_sample(figures_get(f, name, "ns"), ns_since(t0, CALLS / 5));
		}
		memcpy(before, leases, sizeof before);
		uint64_t t0 = clock_mono_ns();

		for (unsigned i = 0; i < 2 * CALLS; i++)
			port_alloc_put(p, &leases[i]);
		figure_sample(figures_get(f, "ports.give.back", "ns"), ns_since(t0, 2 * CALLS));
		t0 = clock_mono_ns();
		for (unsigned i = 0; i < 2 * CALLS; i++)
			if (port_alloc_claim(next, &before[i].rtp, before[i].worker, &leases[i]) < 0)
				fail("a port cannot be claimed");
		figure_sample(figures_get(f, "ports.claim", "ns"), ns_since(t0, 2 * CALLS));
		for (unsigned i = 0; i < 2 * CALLS; i++)
			port_alloc_put(next, &leases[i]);
	}
	port_alloc_free(p);
	port_alloc_free(next);
}

static int run(const char *const *values, struct figures *figures, void *user, struct err *err)
{
	char folder[] = "/dev/shm/srtpgw-bench-XXXXXX", path[64];

	(void)values;
	(void)user;
	if (!mkdtemp(folder))
		return err_set(err, errno, "no folder in /dev/shm: %s", strerror(errno));
	calls(figures, folder);
	ports(figures);
	snprintf(path, sizeof path, "%s/lock", folder);
	unlink(path);
	for (unsigned i = 0; i <= 2 * ROUNDS; i++) {
		snprintf(path, sizeof path, "%s/calls.%08x", folder, i);
		unlink(path);
	}
	rmdir(folder);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "bench_recovery",
		.what = "What it costs to keep 50,000 calls outside the process, and to read them at a "
			"start; media ports taken, given\n"
			"back and claimed.\n",
		.arguments = {PROGRAM_JSON_ARGUMENT}};

	return program_main(&program, argc, argv, run, NULL);
}
