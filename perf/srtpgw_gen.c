/* SPDX-License-Identifier: Apache-2.0 */
/* srtpgw-gen: calls of any number, kind and suite through a data plane, every packet checked. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/eal.h"
#include "lib/base/log.h"
#include "perf/calls.h"
#include "perf/gen_flows.h"
#include "perf/gen_live.h"
#include "perf/gen_options.h"
#include "perf/gen_report.h"
#include "perf/gen_rings.h"

/* --live SIDE [--rate N]. -EINVAL: the command line is wrong. */
static int live(int argc, char **argv)
{
	uint64_t side = 2, rate = 50;
	int rc = argc == 3 || argc == 5 ? str_to_u64(str_z(argv[2]), 1, &side) : -EINVAL;

	if (rc == 0 && argc == 5)
		rc = strcmp(argv[3], "--rate") ? -EINVAL : str_to_u64(str_z(argv[4]), 1000, &rate);
	return rc < 0 || !rate ? -EINVAL : live_run((unsigned)side, (unsigned)rate);
}

/* Calls of another process: whatever of the three is asked for. 1: a packet is wrong. */
static int elsewhere(const struct gen_options *o, struct err *err)
{
	struct gen_conf conf = o->conf;
	struct gen_flow *flows = NULL;
	struct gen *g = NULL;
	int rc = o->flows ? flows_read(o->flows, &flows, &conf.sessions, err) : 0;

	conf.flows = flows;
	rc = rc < 0 ? rc : gen_open(&conf, &g, err);
	if (rc >= 0 && o->program)
		rc = flows_program(g, o->program, err);
	if (rc >= 0 && o->write) {
		rc = gen_skip(g, o->first);
		rc = rc < 0 ? rc : flows_write(g, o->write, o->packets, err);
	}
	if (rc >= 0 && o->check && (rc = flows_check(g, o->check, err)) >= 0) {
		struct gen_report report = {.conf = &conf, .stats = gen_stats(g), .verdict = ""};
		const struct gen_stats *s = report.stats;

		gen_report_print(&report, stdout);
		rc = !s->good || s->bad_frame || s->bad_auth || s->bad_rtp || s->bad_content || s->twice;
	}
	gen_close(g);
	flows_free(flows, conf.sessions);
	return rc;
}

/* What came of a run, to whoever wants it. rc: the run's. -EBADMSG: it is not as it must be. */
static int result(const struct gen_options *o, struct gen *gen, struct gen_report *r, struct err *err)
{
	struct err json = {""};
	int rc = gen_judge(gen, &r->before, &r->after, 0, err);

	r->conf = &o->conf;
	r->stats = gen_stats(gen);
	r->verdict = rc < 0 ? err->text : "";
	gen_report_print(r, stdout);
	if (o->json && gen_report_json(r, o->json, &json) < 0) {
		*err = json;
		return -EIO;
	}
	return rc;
}

/* In a data plane of this process. */
static int rings(const struct gen_options *o, struct room *room, struct gen *gen, struct err *err)
{
	struct rings_conf conf = {.frames = o->packets};
	struct gen_report report = {.verdict = ""};
	struct room_time took = {0};
	struct err closed = {""};
	int rc = o->pcap ? pcap_open(o->pcap, &conf.pcap, err) : 0;

	if (rc < 0)
		return rc;
	rc = room_stats(room, &report.before);
	rc = rc < 0 ? rc : rings_run(room, gen, &conf, &took);
	rc = rc < 0 ? rc : room_stats(room, &report.after);
	if (pcap_close(conf.pcap, &closed) < 0 && rc >= 0) {
		*err = closed;
		rc = -EIO;
	}
	if (gen_stats(gen)->sent)
		report.worker_ns = (double)took.cpu / (double)gen_stats(gen)->sent;
	return rc < 0 ? rc : result(o, gen, &report, err);
}

static int here(const struct gen_options *o, struct err *err)
{
	/* About 14 kB a call. */
	struct eal_conf conf = {.memory_mb = 256 + o->conf.sessions / 60};
	struct gen *gen;
	struct room room;
	struct eal eal;
	int rc = eal_start(&conf, &eal, err);

	if (rc < 0)
		return rc;
	rc = calls_open(&o->conf, &room, &gen, err);
	if (rc >= 0) {
		rc = rings(o, &room, gen, err);
		calls_close(&room, gen);
	}
	eal_stop(&eal);
	return rc;
}

int main(int argc, char **argv)
{
	struct gen_options o;
	struct err err = {""};
	int rc;

	if (argc > 1 && !strcmp(argv[1], "--live") && (rc = live(argc, argv)) >= 0)
		return rc;
	if (gen_options_parse(argc, argv, &o, &err) < 0) {
		fprintf(stderr, "srtpgw-gen: %s (--help shows how)\n", err.text);
		return 2;
	}
	if (o.help) {
		gen_options_help(stdout);
		return 0;
	}
	log_setup(LOG_WARN, LOG_TEXT);
	rc = o.program || o.write || o.check ? elsewhere(&o, &err) : here(&o, &err);
	if (rc < 0)
		fprintf(stderr, "srtpgw-gen: %s\n", err.text[0] ? err.text : strerror(-rc));
	return rc ? 1 : 0;
}
