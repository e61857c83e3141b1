/* SPDX-License-Identifier: Apache-2.0 */
/* The SIP load of perf/sip, which says on stdin what to do; one line of JSON answers each. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/outside.h"
#include "perf/sip_load.h"

#define DELAYS_MAX 1000000
#define PATIENCE_S 10 /* for calls that neither come up nor fail */

static const char usage[] =
	"usage: bench_sip --local IP --called IP --gateway IP:PORT --certificate PEM --key PEM --ca PEM\n"
	"\n"
	"Both parties of calls over TLS, each with an SDES key and a session timer: who calls, from --local, and who is\n"
	"called, at port 5061 of --called. Reads from stdin, and answers each line with one of JSON:\n"
	"\n"
	"  hold N RATE         until N calls are up and stay so, RATE new ones a second\n"
	"  churn SECONDS N     calls that hang up at once, N of them under way at any time\n"
	"  pace SECONDS RATE   calls that hang up at once, RATE new ones a second\n"
	"  leave RATE          those that stay hang up\n"
	"  dial N              N calls one after the other, each by a new connection; none may be up\n"
	"\n"
	"Delays are what the gateway keeps an INVITE and its 200 together, of dial also TCP and TLS. Exit codes: 0 the end\n"
	"of stdin, 1 no connection, 2 wrong use.\n";

static int turn(struct load *l, int timeout_ms)
{
	bool ignored; /* the next command waits until this one is done */

	return wire_turn(&l->wire, STDIN_FILENO, timeout_ms, &ignored);
}

/* What a phase is after: place more calls until done() says so. */
struct phase {
	double seconds, rate; /* rate: of new calls; 0: as many as keep `window` under way */
	uint64_t calls, window;
	bool held, leaving, dialled;
};

static bool more(struct load *l, const struct phase *p, double since, uint64_t n)
{
	if (p->calls ? n >= p->calls : since >= p->seconds)
		return false;
	if (p->dialled)
		return load_live(l) == 0;
	if (p->rate > 0)
		return (double)n < since * p->rate;
	return load_live(l) - l->on_hold < p->window;
}

static bool over(const struct phase *p, double since, uint64_t n)
{
	return p->calls ? n >= p->calls : since >= p->seconds;
}

static int run(struct load *l, const struct phase *p)
{
	uint64_t ended = l->ended, answered = l->answered, failed = l->failed, n = 0;
	double begun = outside_now_s(), placed, last;

	l->last_status = 0;
	l->wire.prompt = p->rate > 0;
	load_measure(l, DELAYS_MAX);
	while (!over(p, outside_now_s() - begun, n)) {
		while (more(l, p, outside_now_s() - begun, n)) {
			n++;
			if (p->dialled)
				load_dial(l);
			else if (p->leaving ? !load_let_go(l) : !load_call(l, p->held))
				break;
		}
		if (turn(l, p->rate > 0 ? 1 : 10) < 0)
			return -1;
	}
	placed = outside_now_s();
	uint64_t done = (p->held ? l->answered - answered : l->ended - ended) + l->failed - failed;

	for (last = placed; load_live(l) > l->on_hold && outside_now_s() - last < PATIENCE_S;)
		if (turn(l, 10) < 0)
			return -1;
	l->dialled_ns = 0;
	printf("{\"seconds\": %.3f, \"done\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"failed\": %" PRIu64
	       ", \"last_status\": %u, \"stuck\": %" PRIu64
	       ", \"live\": %u, \"min_us\": %u, \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u}\n",
		placed - begun, done, l->answered - answered, l->failed - failed, l->last_status,
		load_live(l) - l->on_hold, l->on_hold, load_delay(l, 0), load_delay(l, 0.5),
		load_delay(l, 0.99), load_delay(l, 1));
	return l->caller ? 0 : -1;
}

/* -1: the gateway is gone. */
static int obey(struct load *l, const char *line)
{
	struct phase p = {0};

	if (sscanf(line, "hold %" SCNu64 " %lf", &p.calls, &p.rate) == 2 && p.rate > 0) {
		p.held = true;
		p.calls = p.calls > l->on_hold ? p.calls - l->on_hold : 0;
	} else if (sscanf(line, "churn %lf %" SCNu64, &p.seconds, &p.window) == 2) {
		p.rate = 0;
	} else if (sscanf(line, "leave %lf", &p.rate) == 1 && p.rate > 0) {
		p.leaving = true;
		p.calls = l->on_hold;
	} else if (sscanf(line, "dial %" SCNu64, &p.calls) == 1 && load_live(l) == 0) {
		p.dialled = true;
	} else if (sscanf(line, "pace %lf %lf", &p.seconds, &p.rate) != 2 || p.rate <= 0) {
		printf("{\"error\": \"not understood; --help lists what is\"}\n");
		return 0;
	}
	return run(l, &p);
}

static int serve(struct load *l)
{
	char line[128];
	bool asked;

	for (;;) {
		if (wire_turn(&l->wire, STDIN_FILENO, 100, &asked) < 0)
			return 1;
		if (!asked)
			continue;
		if (!fgets(line, sizeof line, stdin))
			return 0;
		if (obey(l, line) < 0)
			return 1;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"local", required_argument, NULL, 'l'},
		{"called", required_argument, NULL, 'd'}, {"gateway", required_argument, NULL, 'g'},
		{"certificate", required_argument, NULL, 'c'}, {"key", required_argument, NULL, 'k'},
		{"ca", required_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'}, {0}};
	static struct load load;
	const char *certificate = NULL, *key = NULL, *ca = NULL;
	struct ip_port local = {0}, called = {0}, gateway = {0};
	bool good = true;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) >= 0) {
		switch (c) {
		case 'l':
			good &= outside_port_read(optarg, 5061, &local);
			break;
		case 'd':
			good &= outside_port_read(optarg, 5061, &called);
			break;
		case 'g':
			good &= outside_port_read(optarg, 5061, &gateway);
			break;
		case 'c':
			certificate = optarg;
			break;
		case 'k':
			key = optarg;
			break;
		case 'a':
			ca = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fprintf(stderr, "bench_sip: %s '%s' (--help shows what it takes)\n",
				c == ':' ? "no value behind" : "unknown option", argv[optind - 1]);
			return 2;
		}
	}
	if (!good || !local.port || !called.port || !gateway.port || !certificate || !key || !ca ||
		optind != argc) {
		fputs("bench_sip: --local, --called, --gateway, --certificate, --key and --ca are needed, and nothing else (--help shows how)\n",
			stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0); /* a line in stdio's buffer would wake nobody */
	if (load_open(&load, certificate, key, ca, &local, &called, &gateway) < 0)
		return 1;
	puts("{\"ready\": true}");
	int code = serve(&load);

	load_close(&load);
	return code;
}
