/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage_text[] =
	"usage: srtpgw-controlplane --config FILE [options]\n"
	"\n"
	"The signalling half of the SRTP gateway: SIP over TLS, TCP and UDP, SDP, SDES, call state.\n"
	"It programs srtpgw-dataplane over a Unix socket and is managed with srtpgwctl.\n"
	"\n"
	"  --config FILE       configuration, RFC 7951 JSON of srtp-gateway.yang (see examples/)\n"
	"  --check             check the configuration and the files that it names, and end: 0 or 3\n"
	"  --dataplane SOCKET  the data plane's socket, instead of the configured one\n"
	"  --control SOCKET    the management socket, instead of the configured one\n"
	"  --recovery DIR      where calls and registrations are kept, instead of the configured directory\n"
	"  --dtls-module FILE  the module for DTLS 1.3, instead of the installed one; 'none': without\n"
	"  --log-level LEVEL   debug, info, warn or error, instead of the configured one\n"
	"  --log-json          logs as one JSON object per line\n"
	"  --yang              print srtp-gateway.yang\n"
	"  --version, --help\n"
	"\n"
	"SIGHUP has it read the configuration again, SIGTERM and SIGINT end all calls and it. SIGUSR2 has it start anew,\n"
	"as the program that is on the disk by then, and SIGUSR1 end; calls that are up go on with the next process.\n"
	"Exit codes: 0 ended, or checked and good, 1 a failure, 2 wrong use, 3 a configuration that is refused.\n";

static int parse_level(const char *text, enum log_level *out)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	return -EINVAL;
}

int options_parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'}, {"dataplane", required_argument, NULL, 'd'},
		{"control", required_argument, NULL, 's'}, {"recovery", required_argument, NULL, 'r'},
		{"dtls-module", required_argument, NULL, 'm'}, {"log-level", required_argument, NULL, 'l'},
		{"log-json", no_argument, NULL, 'j'}, {"yang", no_argument, NULL, 'y'},
		{"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 'd':
			o->gateway.dataplane = optarg;
			break;
		case 's':
			o->gateway.control = optarg;
			break;
		case 'r':
			o->gateway.recovery = optarg;
			break;
		case 'm':
			o->dtls_module = optarg;
			break;
		case 'l':
			if (parse_level(optarg, &o->level) < 0) {
				fprintf(stderr,
					"srtpgw-controlplane: --log-level takes debug, info, warn or error, "
					"not '%s'\n",
					optarg);
				return EXIT_USAGE;
			}
			o->gateway.log_level = &o->level;
			break;
		case 'j':
			o->format = LOG_JSON;
			o->gateway.log_format = &o->format;
			break;
		case 'y':
			printf("%.*s", STR_ARG(config_yang()));
			return EXIT_OK;
		case 'V':
			puts("srtpgw-controlplane " SRTPGW_VERSION);
			return EXIT_OK;
		case 'h':
			fputs(usage_text, stdout);
			return EXIT_OK;
		default:
			fprintf(stderr,
				c == ':' ? "srtpgw-controlplane: %s needs a value (--help shows how)\n"
					 : "srtpgw-controlplane: unknown option '%s' (--help shows how)\n",
				argv[optind - 1]);
			return EXIT_USAGE;
		}
	}
	if (optind < argc || !o->config) {
		fprintf(stderr,
			optind < argc ? "srtpgw-controlplane: unexpected '%s' (--help shows how)\n"
				      : "srtpgw-controlplane: --config is needed (--help shows how)\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}
