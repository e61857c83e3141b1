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

static int options(int argc, char **argv, struct gen_conf *conf, uint64_t *packets)
{
	static const struct option known[] = {{"calls", 1, NULL, 'c'}, {"in", 1, NULL, 'i'},
		{"out", 1, NULL, 'o'}, {"payload", 1, NULL, 'p'}, {"packets", 1, NULL, 'n'},
		{"help", 0, NULL, 'h'}, {0}};
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
			rc = str_to_u64(str_z(optarg), UINT32_MAX, packets);
		} else if (o == 'i' || o == 'o') {
			rc = suite_of(optarg, o == 'i' ? &conf->in : &conf->out);
		} else {
			rc = -EINVAL;
		}
	}
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

static int report(const struct room *room, const struct gen *gen, const struct room_time *took)
{
	const struct worker_stats *w = worker_stats(room->worker);
	const struct gen_stats *g = gen_stats(gen);
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {{"sent", g->sent}, {"came back right", g->good}, {"wrong frame", g->bad_frame},
		{"not authentic", g->bad_auth}, {"wrong RTP numbers", g->bad_rtp},
		{"wrong content", g->bad_content}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%-20s %12llu\n", rows[i].name, (unsigned long long)rows[i].n);
	for (int v = DP_V_RELAYED + 1; v < DP_V_COUNT; v++)
		if (w->verdicts[v])
			printf("gateway: %-11s %12llu\n", dp_verdict_name((enum dp_verdict)v),
				(unsigned long long)w->verdicts[v]);
	if (g->sent)
		printf("%-20s %12.1f ns a packet\n", "worker", (double)took->cpu / (double)g->sent);
	return g->good == g->sent ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct gen_conf conf = {.sessions = 1000, .payload = 160, .out = SRTP_AEAD_AES_128_GCM};
	struct eal_conf eal_conf = {0};
	uint64_t packets = 1000000;
	struct room_time took = {0};
	struct err err = {""};
	struct gen *gen;
	struct room room;
	struct eal eal;
	int rc;

	if (argc > 1 && !strcmp(argv[1], "--live") && (rc = live(argc, argv)) >= 0)
		return rc;
	if (options(argc, argv, &conf, &packets)) {
		fputs(usage, stderr);
		return 2;
	}
	log_setup(LOG_WARN, LOG_TEXT);
	eal_conf.memory_mb = 256 + conf.sessions / 60; /* about 14 kB a call */
	rc = eal_start(&eal_conf, &eal, &err);
	if (rc < 0) {
		fprintf(stderr, "srtpgw-gen: %s\n", err.text);
		return 1;
	}
	rc = calls_open(&conf, &room, &gen, &err);
	if (rc >= 0) {
		rc = drive(&room, gen, packets, &took);
		rc = rc < 0 ? rc : report(&room, gen, &took);
		calls_close(&room, gen);
	}
	if (rc < 0)
		fprintf(stderr, "srtpgw-gen: %s\n", err.text[0] ? err.text : strerror(-rc));
	eal_stop(&eal);
	return rc ? 1 : 0;
}
