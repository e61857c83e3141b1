/* SPDX-License-Identifier: Apache-2.0 */
/* srtpgw-gen: calls of any number, kind and suite through a data plane, every packet checked. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/port/eal.h"
#include "lib/base/log.h"
#include "perf/calls.h"
#include "perf/gen_flows.h"
#include "perf/gen_live.h"
#include "perf/gen_options.h"
#include "perf/gen_remote.h"
#include "perf/gen_report.h"
#include "perf/gen_rings.h"
#include "perf/gen_wire.h"

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

/* What came of a run, to whoever wants it. -EBADMSG: it is not as it must be. counted: by the gateway, too.
 */
static int result(
	const struct gen_options *o, struct gen *gen, struct gen_report *r, bool counted, struct err *err)
{
	struct err json = {""};
	int rc = gen_judge(
		gen, counted ? &r->before : NULL, counted ? &r->after : NULL, o->tolerate / 100, err);

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
	return rc < 0 ? rc : result(o, gen, &report, true, err);
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

/* Through a data plane that holds the calls. remote: NULL where nobody may ask it. */
static int wire(const struct gen_options *o, struct gen *gen, struct remote *remote, struct err *err)
{
	struct wire_conf conf = {.frames = o->packets, .pps = o->pps};
	struct gen_report report = {.verdict = ""};
	struct wire_result r;
	struct err closed = {""};
	struct wire *w;
	int rc = wire_open(o->ports, &w, err);

	if (rc < 0)
		return rc;
	if (o->pcap)
		rc = pcap_open(o->pcap, &conf.pcap, err);
	if (rc >= 0 && remote)
		rc = remote_stats(remote, &report.before);
	rc = rc < 0 ? rc : wire_run(w, gen, &conf, &r, err);
	if (rc >= 0 && remote)
		rc = remote_stats(remote, &report.after);
	wire_close(w);
	if (pcap_close(conf.pcap, &closed) < 0 && rc >= 0) {
		*err = closed;
		rc = -EIO;
	}
	if (rc < 0)
		return rc;
	report.seconds = r.seconds;
	report.packets = r.good;
	report.others = r.others;
	report.p50 = r.p50;
	report.p99 = r.p99;
	report.p999 = r.p999;
	report.max = r.max;
	return result(o, gen, &report, remote, err);
}

static int there_with(const struct gen_options *o, struct gen *gen, struct err *err)
{
	struct remote *remote = NULL;
	struct err withdrawn = {""};
	int rc = o->program ? remote_open(o->program, &remote, err) : 0;

	if (rc < 0)
		return rc;
	if (remote)
		rc = gen_program(gen, remote_command, remote, err);
	rc = rc < 0 ? rc : wire(o, gen, remote, err);
	if (remote && gen_withdraw(gen, remote_command, remote, &withdrawn) < 0 && rc >= 0) {
		*err = withdrawn;
		rc = -EIO;
	}
	remote_close(remote);
	return rc;
}

/* "A+B", for DPDK: the ports on PCI. */
static void pci_list(const struct gen_options *o, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = 0;
	for (unsigned i = 0; i < 2 && o->ports[i] && n < cap; i++)
		if (strncmp(o->ports[i], "net_", 4))
			n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? "+" : "", o->ports[i]);
}

/* In a data plane of another process, at a port. */
static int there(const struct gen_options *o, struct err *err)
{
	struct gen_conf conf = o->conf;
	struct gen_flow *flows = NULL;
	struct gen *gen = NULL;
	char pci[512];
	struct eal_conf eal_conf = {.memory_mb = 128, .pci = pci, .one_file = true};
	struct eal eal;
	int rc;

	pci_list(o, pci, sizeof(pci));
	rc = eal_start(&eal_conf, &eal, err);
	if (rc < 0)
		return rc;
	rc = o->flows ? flows_read(o->flows, &flows, &conf.sessions, err) : 0;
	conf.flows = flows;
	rc = rc < 0 ? rc : gen_open(&conf, &gen, err);
	rc = rc < 0 ? rc : there_with(o, gen, err);
	gen_close(gen);
	flows_free(flows, conf.sessions);
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
	if (o.ports[0])
		rc = there(&o, &err);
	else
		rc = o.program || o.write || o.check ? elsewhere(&o, &err) : here(&o, &err);
	if (rc < 0)
		fprintf(stderr, "srtpgw-gen: %s\n", err.text[0] ? err.text : strerror(-rc));
	return rc ? 1 : 0;
}
