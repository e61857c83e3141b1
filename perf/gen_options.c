/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/gen_options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: srtpgw-gen [options]\n"
	"\n"
	"Sets up calls in a data plane of its own, sends their media over a ring, and authenticates, decrypts and\n"
	"compares every packet that comes back. Each call has keys and addresses of its own. What was lost on the\n"
	"way in must leave a gap of its size, what was repeated or forged must not come out, and the gateway's own\n"
	"counters must say so.\n"
	"\n"
	"  --calls N          1 to 100000 (1000)\n"
	"  --in SUITE         of the leg that the media comes from: a name as in a=crypto, or RTP (RTP)\n"
	"  --out SUITE        of the leg that it goes to (AEAD_AES_128_GCM)\n"
	"  --media KIND       g711 (default): 160 octets each 20 ms; g729: 20 octets; video: 25 pictures a second of 3\n"
	"                     to 20 packets of up to 1200 octets; mix: 80 % of the calls g711, 10 % g729, 10 % video\n"
	"  --payload OCTETS   of g711: 12 to 1400 (160)\n"
	"  --rtcp N           each call's sender and listener report at every N-th of its turns of 20 ms (never)\n"
	"  --packets N        on the wire, of all calls together (1000000)\n"
	"  --ipv6             both legs are of IPv6; --ipv6-in, --ipv6-out: that one, and the other of IPv4\n"
	"  --json FILE        the result as one object\n"
	"  --pcap FILE        captures what was sent and what came back\n"
	"\n"
	"In percent of the packets of RTP, 0 to 90, decimals allowed:\n"
	"  --loss PCT         never reach the gateway\n"
	"  --reorder PCT[,DEPTH]  are overtaken by up to DEPTH packets of their call (4, at most 32)\n"
	"  --replay PCT       are followed by an earlier packet of their call, sent again\n"
	"  --forge PCT        come behind a forged copy: with a bad tag; to a leg of RTP, from a stranger's address\n"
	"  --rtcp-loss, --rtcp-reorder, --rtcp-replay, --rtcp-forge  the same of the reports of both sides; a repeated\n"
	"                     report gets through a leg of RTP, where nothing tells it from a new one\n"
	"  --seed N           which packets: the same for the same number (1)\n"
	"\n"
	"       srtpgw-gen --port DEVICE [--port DEVICE] --mac MAC --program SOCKET [the options above]\n"
	"\n"
	"The same through a data plane of another process, and with its rate and its latency. DEVICE is DPDK's: a PCI\n"
	"address, or a virtual device such as net_memif0,role=client,socket=PATH or net_af_xdp0,iface=NAME. The first is\n"
	"where packets are sent; with a second one they come back there. Frames come from 02:00:00:00:10:01.\n"
	"\n"
	"  --program SOCKET   sets the calls up in the data plane that listens there, as a control plane would, reads its\n"
	"                     counters, and takes the calls away at the end\n"
	"  --mac MAC          of the gateway\n"
	"  --pps N            frames a second (as many as the gateway takes)\n"
	"  --tolerate PCT     of the packets may get lost on the way (0)\n"
	"  --flows FILE       calls at these addresses (below) instead of the generator's own: 10.0.0.1 and 10.0.1.1 are\n"
	"                     the gateway's, 10.128.0.0/12 and 10.144.0.0/12 hold the peers; of IPv6 it is 2001:db8::a00:1\n"
	"                     and 2001:db8::a00:101, 2001:db8::a80:0/108 and 2001:db8::a90:0/108\n"
	"\n"
	"       srtpgw-gen --flows FILE [--in SUITE] [--out SUITE] [--payload OCTETS] [--packets N] [--first N]\n"
	"                  [--program SOCKET] [--write FILE [--mac MAC]] [--check FILE]\n"
	"\n"
	"Calls through a gateway that runs elsewhere, for a generator that is not this one. A line of the file is a\n"
	"call: gateway and peer of the leg in, gateway and peer of the leg out, as ADDRESS:PORT or [ADDRESS]:PORT, and\n"
	"the master key and salt in hexadecimal that the gateway sends with, where it is another than the generator\n"
	"would choose.\n"
	"\n"
	"  --program SOCKET   sets the calls up in the data plane that listens there, as a control plane would\n"
	"  --write FILE       writes the packets as pcap, to be sent by another program; also without --flows\n"
	"  --mac MAC          where frames go (02:00:00:00:00:01)\n"
	"  --first N          begins behind the first N turns of each call (0)\n"
	"  --check FILE       judges what a gateway sent, captured from its first packet on: a pcap file\n"
	"\n"
	"       srtpgw-gen --live SIDE [--rate N]\n"
	"\n"
	"One side (0 or 1) of calls through a gateway that runs elsewhere, over sockets: N packets a second (50)\n"
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
	"Exit status: 0 when all is as it must be, 1 when not (one line says what), 2 for a wrong command line.\n";

void gen_options_help(FILE *out)
{
	fputs(help, out);
}

enum value {
	TEXT,
	PORT,
	NUMBER16,
	NUMBER32,
	NUMBER64,
	PERCENT,
	RATE,
	REORDER,
	SUITE,
	MEDIA,
	MAC,
	FLAG,
	FLAGS
};

#define AT(member) offsetof(struct gen_options, member)

static const struct {
	const char *name;
	enum value value;
	size_t at;
	uint64_t most;
} known[] = {
	{"calls", NUMBER32, AT(conf.sessions), GEN_SESSIONS_MAX},
	{"in", SUITE, AT(conf.in), 0},
	{"out", SUITE, AT(conf.out), 0},
	{"media", MEDIA, AT(conf.media), 0},
	{"payload", NUMBER16, AT(conf.payload), GEN_PAYLOAD_MAX},
	{"rtcp", NUMBER32, AT(conf.rtcp), UINT32_MAX},
	{"packets", NUMBER64, AT(packets), UINT32_MAX},
	{"loss", PERCENT, AT(conf.impair.loss), 0},
	{"reorder", REORDER, AT(conf.impair), 0},
	{"replay", PERCENT, AT(conf.impair.replay), 0},
	{"forge", PERCENT, AT(conf.impair.forge), 0},
	{"rtcp-loss", PERCENT, AT(conf.impair_rtcp.loss), 0},
	{"rtcp-reorder", REORDER, AT(conf.impair_rtcp), 0},
	{"rtcp-replay", PERCENT, AT(conf.impair_rtcp.replay), 0},
	{"rtcp-forge", PERCENT, AT(conf.impair_rtcp.forge), 0},
	{"seed", NUMBER64, AT(conf.seed), UINT64_MAX},
	{"ipv6", FLAGS, AT(conf.ipv6), 0},
	{"ipv6-in", FLAG, AT(conf.ipv6[0]), 0},
	{"ipv6-out", FLAG, AT(conf.ipv6[1]), 0},
	{"port", PORT, AT(ports), 0},
	{"pps", RATE, AT(pps), 0},
	{"tolerate", PERCENT, AT(tolerate), 0},
	{"json", TEXT, AT(json), 0},
	{"pcap", TEXT, AT(pcap), 0},
	{"flows", TEXT, AT(flows), 0},
	{"program", TEXT, AT(program), 0},
	{"write", TEXT, AT(write), 0},
	{"check", TEXT, AT(check), 0},
	{"mac", MAC, AT(conf.gateway_mac), 0},
	{"first", NUMBER32, AT(first), UINT32_MAX},
	{"help", FLAG, AT(help), 0},
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

#define PERCENT_MAX 90.0
#define PPS_MAX 1e8

static int suite_of(const char *name, enum srtp_suite *out)
{
	*out = srtp_suite_by_name(str_z(name));
	return *out != SRTP_SUITE_NONE || !strcmp(name, "RTP") ? 0 : -EINVAL;
}

static int mac_read(const char *text, uint8_t mac[6])
{
	int n = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
		       &mac[4], &mac[5], &n) == 6 &&
			       !text[n]
		       ? 0
		       : -EINVAL;
}

/* A number from 0 to most; what stands behind it goes to *rest. */
static int real(const char *text, double most, double *out, const char **rest)
{
	char *end;

	errno = 0;
	*out = strtod(text, &end);
	*rest = end;
	return end != text && !errno && *out >= 0 && *out <= most ? 0 : -EINVAL;
}

static int reorder(const char *text, struct gen_impair *impair)
{
	const char *rest;
	uint64_t depth = 0;
	int rc = real(text, PERCENT_MAX, &impair->reorder, &rest);

	if (rc < 0 || !*rest)
		return rc;
	rc = *rest == ',' ? str_to_u64(str_z(rest + 1), GEN_DEPTH_MAX, &depth) : -EINVAL;
	impair->depth = (uint32_t)depth;
	return rc < 0 || !depth ? -EINVAL : 0;
}

static int number(const char *text, uint64_t most, enum value value, void *to)
{
	uint64_t v = 0;
	int rc = str_to_u64(str_z(text), most, &v);

	if (value == NUMBER16)
		*(uint16_t *)to = (uint16_t)v;
	else if (value == NUMBER32)
		*(uint32_t *)to = (uint32_t)v;
	else
		*(uint64_t *)to = v;
	return rc;
}

static int take(struct gen_options *o, unsigned i, const char *text)
{
	void *to = (char *)o + known[i].at;
	const char *rest = "";
	int rc;

	switch (known[i].value) {
	case TEXT:
		*(const char **)to = text;
		return 0;
	case PORT:
		if (((const char **)to)[0])
			to = (const char **)to + 1;
		if (*(const char **)to)
			return -EINVAL;
		*(const char **)to = text;
		return 0;
	case NUMBER16:
	case NUMBER32:
	case NUMBER64:
		return number(text, known[i].most, known[i].value, to);
	case PERCENT:
		rc = real(text, PERCENT_MAX, to, &rest);
		return *rest ? -EINVAL : rc;
	case RATE:
		rc = real(text, PPS_MAX, to, &rest);
		return *rest ? -EINVAL : rc;
	case REORDER:
		return reorder(text, to);
	case SUITE:
		return suite_of(text, to);
	case MEDIA:
		return gen_media_parse(text, to);
	case MAC:
		rc = mac_read(text, to);
		memcpy((uint8_t *)to + 6, to, 6);
		return rc;
	case FLAGS:
		((bool *)to)[0] = ((bool *)to)[1] = true;
		return 0;
	case FLAG:
		*(bool *)to = true;
		return 0;
	}
	return -EINVAL;
}

static int check(const struct gen_options *o, struct err *err)
{
	const struct gen_impair *i = &o->conf.impair_rtcp;

	if (o->flows && (o->conf.ipv6[0] || o->conf.ipv6[1]))
		return err_set(
			err, EINVAL, "--flows says which family each call is of: --ipv6 is not for it");
	if (!o->conf.rtcp && (i->loss > 0 || i->reorder > 0 || i->replay > 0 || i->forge > 0))
		return err_set(err, EINVAL, "--rtcp-loss and its kind are of reports: --rtcp N sends them");
	if (((o->program && !o->ports[0]) || o->check) && !o->flows)
		return err_set(err, EINVAL, "--program and --check need the calls: --flows FILE");
	if ((o->pps > 0 || o->tolerate > 0) && !o->ports[0])
		return err_set(err, EINVAL, "--pps and --tolerate are for --port");
	if (o->ports[0])
		return o->program || o->flows
			       ? 0
			       : err_set(err, EINVAL,
					 "--port needs --program SOCKET, or the calls: --flows FILE");
	if (o->flows && !o->program && !o->check && !o->write)
		return err_set(err, EINVAL, "--flows is for --program, --write or --check");
	return 0;
}

int gen_options_parse(int argc, char **argv, struct gen_options *o, struct err *err)
{
	struct option options[KNOWN + 1] = {{0}};
	int i = 0;

	for (size_t k = 0; k < KNOWN; k++)
		options[k] = (struct option){known[k].name,
			known[k].value >= FLAG ? no_argument : required_argument, NULL, (int)k + 1};
	*o = (struct gen_options){.packets = 1000000,
		.conf = {.sessions = 1000,
			.out = SRTP_AEAD_AES_128_GCM,
			.seed = 1,
			.gateway_mac = {{0x02, 0, 0, 0, 0, 0x01}, {0x02, 0, 0, 0, 0, 0x01}}}};
	optind = 0;
	opterr = 0;
	while ((i = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (i == ':')
			return err_set(err, EINVAL, "%s needs a value", argv[optind - 1]);
		if (i == '?')
			return err_set(err, EINVAL, "unknown option '%s'", argv[optind - 1]);
		if (take(o, (unsigned)i - 1, optarg) < 0)
			return err_set(err, EINVAL, "--%s does not take '%s'", known[i - 1].name, optarg);
	}
	if (optind < argc)
		return err_set(err, EINVAL, "'%s' is no option", argv[optind]);
	return o->help ? 0 : check(o, err);
}
