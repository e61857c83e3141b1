/* SPDX-License-Identifier: Apache-2.0 */
/* srtpgw-gen: calls of any number and suite through the data plane in this process, every packet checked. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/eal.h"
#include "lib/base/log.h"
#include "perf/calls.h"
#include "perf/gen_flows.h"
#include "perf/gen_live.h"

#define BURST 256

static const char usage[] =
	"usage: srtpgw-gen [--calls N] [--in SUITE] [--out SUITE] [--payload OCTETS] [--packets N]\n"
	"\n"
	"Sets up N calls in a data plane of its own, sends their RTP or SRTP over a ring, and "
	"authenticates,\n"
	"decrypts and compares every packet that comes back. Each call has keys and addresses of its own.\n"
	"\n"
	"  --calls N          1 to 100000 (1000)\n"
	"  --in SUITE         of the leg that the media comes from: a name as in a=crypto, or RTP (RTP)\n"
	"  --out SUITE        of the leg that it goes to (AEAD_AES_128_GCM)\n"
	"  --payload OCTETS   12 to 1400 (160)\n"
	"  --packets N        of all calls together (1000000)\n"
	"\n"
	"       srtpgw-gen --flows FILE [--in SUITE] [--out SUITE] [--payload OCTETS] [--packets N] [--first "
	"N]\n"
	"                  [--program SOCKET] [--pcap FILE [--mac MAC]] [--check FILE]\n"
	"\n"
	"Calls through a gateway that runs elsewhere, for a generator that is not this one. A line of the "
	"file is "
	"a call:\n"
	"gateway and peer of the leg in, gateway and peer of the leg out, as ADDRESS:PORT (IPv4), and the "
	"master "
	"key and\n"
	"salt in hexadecimal that the gateway sends with, where it is another than the generator would "
	"choose.\n"
	"\n"
	"  --program SOCKET   sets the calls up in the data plane that listens there, as a control plane "
	"would\n"
	"  --pcap FILE        writes the packets, to be sent by another program; also without --flows\n"
	"  --mac MAC          where frames go (02:00:00:00:00:01)\n"
	"  --first N          begins behind the first N packets of each call (0; media that comes as RTP)\n"
	"  --check FILE       judges what a gateway sent, captured from its first packet on: a pcap file\n"
	"\n"
	"       srtpgw-gen --live SIDE [--rate N]\n"
	"\n"
	"One side (0 or 1) of calls through a gateway that runs elsewhere, over sockets: N packets a second "
	"(50)\n"
	"and call, every packet that comes checked. Commands on stdin, one a line, each answered:\n"
	"\n"
	"  bind CALL ADDRESS PORT     begins a call, numbered 0 to 4095 on both sides alike\n"
	"  remote CALL ADDRESS PORT   where the gateway wants its media\n"
	"  tx CALL SUITE HEX          we send with this master key and salt from now on\n"
	"  rx CALL SUITE HEX          the gateway does; the key before it is tried too\n"
	"  plain CALL                 both send RTP in the clear; what comes before a key waits for it else\n"
	"  send CALL on|off\n"
	"  stats CALL                 as JSON: sent, good, copies, foreign, clear, unopened, first, last\n"
	"  all                        of all calls, then \"end\"\n"
	"  end CALL\n"
	"\n"
	"Exit status: 0 when every packet came back right, 1 when not, 2 for a wrong command line.\n";

static int suite_of(const char *name, enum srtp_suite *out)
{
	*out = srtp_suite_by_name(str_z(name));
	return *out != SRTP_SUITE_NONE || !strcmp(name, "RTP") ? 0 : -EINVAL;
}

/* --live SIDE [--rate N]. -EINVAL: the command line is wrong. */
static int live(int argc, char **argv)
{
	uint64_t side = 2, rate = 50;
	int rc = argc == 3 || argc == 5 ? str_to_u64(str_z(argv[2]), 1, &side) : -EINVAL;

	if (rc == 0 && argc == 5)
		rc = strcmp(argv[3], "--rate") ? -EINVAL : str_to_u64(str_z(argv[4]), 1000, &rate);
	return rc < 0 || !rate ? -EINVAL : live_run((unsigned)side, (unsigned)rate);
}

/* What to do, and with which calls. */
struct run {
	struct gen_conf conf;
	uint64_t packets, first;
	const char *flows, *program, *pcap, *check; /* NULL: not asked for */
};

static int mac_read(const char *text, uint8_t mac[6])
{
	int n = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
		       &mac[4], &mac[5], &n) == 6 &&
			       !text[n]
		       ? 0
		       : -EINVAL;
}

/* The options that name a file or an address of their own. */
static int place(int o, const char *text, struct run *run)
{
	const char **const to[] = {
		['f'] = &run->flows, ['g'] = &run->program, ['w'] = &run->pcap, ['k'] = &run->check};

	if (o == 'm')
		return mac_read(text, run->conf.gateway_mac);
	if (o == '1')
		return str_to_u64(str_z(text), UINT32_MAX, &run->first);
	if (o < 0 || (size_t)o >= sizeof(to) / sizeof(to[0]) || !to[o])
		return -EINVAL;
	*to[o] = text;
	return 0;
}

static int options(int argc, char **argv, struct run *run)
{
	static const struct option known[] = {{"calls", 1, NULL, 'c'}, {"in", 1, NULL, 'i'},
		{"out", 1, NULL, 'o'}, {"payload", 1, NULL, 'p'}, {"packets", 1, NULL, 'n'},
		{"flows", 1, NULL, 'f'}, {"program", 1, NULL, 'g'}, {"pcap", 1, NULL, 'w'},
		{"check", 1, NULL, 'k'}, {"mac", 1, NULL, 'm'}, {"first", 1, NULL, '1'},
		{"help", 0, NULL, 'h'}, {0}};
	struct gen_conf *conf = &run->conf;
	uint64_t v = 0;
	int o, rc = 0;

	while (!rc && (o = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (o == 'c') {
			rc = str_to_u64(str_z(optarg), GEN_SESSIONS_MAX, &v);
			conf->sessions = (uint32_t)v;
		} else if (o == 'p') {
			rc = str_to_u64(str_z(optarg), GEN_PAYLOAD_MAX, &v);
			conf->payload = (uint16_t)v;
		} else if (o == 'n') {
			rc = str_to_u64(str_z(optarg), UINT32_MAX, &run->packets);
		} else if (o == 'i' || o == 'o') {
			rc = suite_of(optarg, o == 'i' ? &conf->in : &conf->out);
		} else {
			rc = place(o, optarg, run);
		}
	}
	if ((run->program || run->check) && !run->flows)
		return -EINVAL;
	return optind == argc ? rc : -EINVAL;
}

static int drive(struct room *room, struct gen *gen, uint64_t packets, struct room_time *took)
{
	struct rte_mbuf *frames[BURST], *out[BURST];

	for (uint64_t sent = 0; sent < packets;) {
		unsigned n = packets - sent < BURST ? (unsigned)(packets - sent) : BURST, back;

		if (rte_pktmbuf_alloc_bulk(room->pool, frames, n))
			return -ENOMEM;
		if (gen_build(gen, frames, n))
			return -EIO;
		back = room_relay(room, frames, n, out, took);
		for (unsigned i = 0; i < back; i++)
			gen_verify(gen, out[i]);
		rte_pktmbuf_free_bulk(out, back);
		sent += n;
	}
	return 0;
}

static void print_stats(const struct gen_stats *g)
{
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {{"sent", g->sent}, {"came back right", g->good}, {"wrong frame", g->bad_frame},
		{"not authentic", g->bad_auth}, {"wrong RTP numbers", g->bad_rtp},
		{"wrong content", g->bad_content}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%-20s %12llu\n", rows[i].name, (unsigned long long)rows[i].n);
}

static int report(const struct room *room, const struct gen *gen, const struct room_time *took)
{
	const struct worker_stats *w = worker_stats(room->worker);
	const struct gen_stats *g = gen_stats(gen);

	print_stats(g);
	for (int v = DP_V_RELAYED + 1; v < DP_V_COUNT; v++)
		if (w->verdicts[v])
			printf("gateway: %-11s %12llu\n", dp_verdict_name((enum dp_verdict)v),
				(unsigned long long)w->verdicts[v]);
	if (g->sent)
		printf("%-20s %12.1f ns a packet\n", "worker", (double)took->cpu / (double)g->sent);
	return g->good == g->sent ? 0 : 1;
}

/* Calls of another process: whatever of the three is asked for. 1: a packet is wrong. */
static int elsewhere(const struct run *run, struct err *err)
{
	struct gen_conf conf = run->conf;
	struct gen_flow *flows = NULL;
	struct gen *g = NULL;
	int rc = run->flows ? flows_read(run->flows, &flows, &conf.sessions, err) : 0;

	conf.flows = flows;
	rc = rc < 0 ? rc : gen_open(&conf, &g, err);
	if (rc >= 0 && run->program)
		rc = flows_program(g, run->program, err);
	if (rc >= 0 && run->pcap) {
		gen_skip(g, (uint32_t)run->first);
		rc = flows_write(g, run->pcap, run->packets, err);
	}
	if (rc >= 0 && run->check && (rc = flows_check(g, run->check, err)) >= 0) {
		const struct gen_stats *s = gen_stats(g);

		print_stats(s);
		rc = !s->good || s->bad_frame || s->bad_auth || s->bad_rtp || s->bad_content;
	}
	gen_close(g);
	flows_free(flows, conf.sessions);
	return rc;
}

/* In a data plane of this process. 1: a packet is wrong. */
static int here(const struct run *run, struct err *err)
{
	struct eal_conf eal_conf = {0};
	struct room_time took = {0};
	struct gen *gen;
	struct room room;
	struct eal eal;
	int rc;

	eal_conf.memory_mb = 256 + run->conf.sessions / 60; /* about 14 kB a call */
	rc = eal_start(&eal_conf, &eal, err);
	if (rc < 0)
		return rc;
	rc = calls_open(&run->conf, &room, &gen, err);
	if (rc >= 0) {
		rc = drive(&room, gen, run->packets, &took);
		rc = rc < 0 ? rc : report(&room, gen, &took);
		calls_close(&room, gen);
	}
	eal_stop(&eal);
	return rc;
}

int main(int argc, char **argv)
{
	struct run run = {.packets = 1000000,
		.conf = {.sessions = 1000,
			.payload = 160,
			.out = SRTP_AEAD_AES_128_GCM,
			.gateway_mac = {0x02, 0, 0, 0, 0, 0x01}}};
	struct err err = {""};
	int rc;

	if (argc > 1 && !strcmp(argv[1], "--live") && (rc = live(argc, argv)) >= 0)
		return rc;
	if (options(argc, argv, &run)) {
		fputs(usage, stderr);
		return 2;
	}
	log_setup(LOG_WARN, LOG_TEXT);
	rc = run.program || run.pcap || run.check ? elsewhere(&run, &err) : here(&run, &err);
	if (rc < 0)
		fprintf(stderr, "srtpgw-gen: %s\n", err.text[0] ? err.text : strerror(-rc));
	return rc ? 1 : 0;
}
