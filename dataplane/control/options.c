/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/control/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/crypto/ipsec_mb_options.h"
#include "dataplane/worker.h"

static const char help[] =
	"usage: srtpgw-dataplane --interface NAME [--interface NAME ...] --socket PATH [options]\n"
	"       srtpgw-dataplane --device DEVICE --next-hop MAC --socket PATH [options]\n"
	"\n"
	"Moves media between interfaces, encrypting and decrypting it, as the control plane at the socket "
	"says. Sessions\n"
	"go on while the control plane is away. Needs root, or CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and "
	"CAP_IPC_LOCK.\n"
	"\n"
	"  --interface NAME   an interface that carries media; repeat it for several\n"
	"  --device DEVICE    instead, or besides: a device that DPDK has for itself and the kernel knows "
	"nothing of: a "
	"PCI address\n"
	"                     (bound to vfio-pci), or a virtual one with its arguments, such as\n"
	"                     net_memif0,role=server,socket=/run/srtpgw/memif.sock (docs/operations.md)\n"
	"  --next-hop MAC     where packets go that leave by the device before it; ADDRESS=MAC: those from "
	"ADDRESS\n"
	"  --socket PATH      where the control plane connects; made with mode 0600\n"
	"  --group GROUP      whose users may connect, too: it gets the socket with mode 0660\n"
	"  --port KIND        auto (default: af_xdp, else af_packet), af_xdp or af_packet\n"
	"  --backend B        what encrypts: ipsec-mb (default); ipsec-mb,isa=sse, avx, avx2 or avx512 to say "
	"with which vectors,\n"
	"                     ipsec-mb,lanes=off to leave all to the library;\n"
	"                     cryptodev,pci=ADDRESS or cryptodev,vdev=DRIVER for a DPDK crypto device; "
	"fpga,pci=ADDRESS or\n"
	"                     fpga,sim=LIBRARY for the FPGA or the simulated one (docs/hardware.md)\n"
	"  --workers N        threads that move packets (1)\n"
	"  --sessions N       calls at once (4096)\n"
	"  --no-huge          do without hugepages\n"
	"  --huge             hugepages, or fail (otherwise: hugepages where there are enough)\n"
	"  --idle-us N        a worker may sleep this long between packets, at most %u microseconds (%u): so "
	"much later a packet\n"
	"                     may leave, and so much less processor a moderate load costs; until the "
	"configuration says it\n"
	"  --busy-poll        never sleep, also when there is no traffic: least latency, a whole CPU per "
	"worker;\n"
	"                     until the configuration says it\n"
	"  --log-level LEVEL  debug, info (default), warn or error\n"
	"  --log-json         logs as JSON lines\n"
	"  --version, --help\n"
	"\n"
	"SIGTERM and SIGINT end it cleanly. Exit codes: 0 ended, 1 a failure while running, 2 wrong use, 3 "
	"an interface or\n"
	"memory could not be had, 4 the socket could not be made.\n";

void options_help(void)
{
	printf(help, OPTIONS_IDLE_US_MAX, OPTIONS_IDLE_US_DEFAULT);
}

static int number(
	const char *name, const char *text, uint64_t least, uint64_t most, uint32_t *out, struct err *err)
{
	uint64_t v;

	if (str_to_u64(str_z(text), most, &v) < 0 || v < least)
		return err_set(err, EINVAL, "--%s takes a number from %llu to %llu, not '%s'", name,
			(unsigned long long)least, (unsigned long long)most, text);
	*out = (uint32_t)v;
	return 0;
}

static int level(const char *text, enum log_level *out, struct err *err)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return err_set(err, EINVAL, "--log-level takes debug, info, warn or error, not '%s'", text);
}

static int interface(struct options *o, const char *name, struct err *err)
{
	if (o->n_interfaces == PORTS_MAX)
		return err_set(err, EINVAL, "more than %u interfaces", PORTS_MAX);
	for (uint16_t i = 0; i < o->n_interfaces; i++)
		if (strcmp(o->interfaces[i], name) == 0)
			return err_set(err, EINVAL, "--interface %s is given twice", name);
	o->interfaces[o->n_interfaces++] = name;
	return 0;
}

static int device(struct options *o, const char *args, struct err *err)
{
	size_t n = strcspn(args, ",");

	if (o->n_devices == PORTS_MAX)
		return err_set(err, EINVAL, "more than %u devices", PORTS_MAX);
	if (n == 0 || n >= IF_NAMESIZE)
		return err_set(err, EINVAL,
			"--device takes a PCI address or a name of up to %u letters that begins with net_, "
			"not '%s'",
			IF_NAMESIZE - 1, args);
	for (uint16_t i = 0; i < o->n_devices; i++)
		if (strncmp(o->devices[i], args, n) == 0 && strcspn(o->devices[i], ",") == n)
			return err_set(err, EINVAL, "--device %.*s is given twice", (int)n, args);
	o->devices[o->n_devices++] = args;
	return 0;
}

/* "[ADDRESS=]MAC" */
static int next_hop(struct options *o, const char *text, struct err *err)
{
	struct options_hop *h = &o->hops[o->n_hops];
	const char *mac = strchr(text, '=');
	uint8_t *m = h->mac;
	int n = 0;

	if (o->n_devices == 0)
		return err_set(err, EINVAL, "--next-hop follows the --device that it is of");
	if (o->n_hops == OPTIONS_HOPS_MAX)
		return err_set(err, EINVAL, "more than %u next hops", OPTIONS_HOPS_MAX);
	*h = (struct options_hop){.device = o->n_devices - 1};
	if ((mac && ip_parse(str_sub(str_z(text), 0, (size_t)(mac - text)), &h->local) < 0) ||
		sscanf(mac ? mac + 1 : text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", m, m + 1, m + 2, m + 3,
			m + 4, m + 5, &n) != 6 ||
		(mac ? mac + 1 : text)[n])
		return err_set(
			err, EINVAL, "--next-hop takes a link-layer address, or ADDRESS=MAC, not '%s'", text);
	o->n_hops++;
	return 0;
}

/* A device without a next hop would send nothing. */
static int hops_check(const struct options *o, struct err *err)
{
	for (uint16_t i = 0; i < o->n_devices; i++) {
		uint16_t k = 0;

		while (k < o->n_hops && o->hops[k].device != i)
			k++;
		if (k == o->n_hops)
			return err_set(
				err, EINVAL, "--device %s needs --next-hop MAC behind it", o->devices[i]);
	}
	return 0;
}

static int port_kind(struct options *o, const char *name, struct err *err)
{
	if (port_kind_parse(name, &o->port) < 0 || o->port > PORT_AF_PACKET)
		return err_set(err, EINVAL, "--port takes auto, af_xdp or af_packet, not '%s'", name);
	return 0;
}

/* "name" or "name,options" */
static int backend(struct options *o, const char *text, struct err *err)
{
	size_t n = strcspn(text, ",");
	struct imb_options ipsec_mb;
	char name[16];

	snprintf(name, sizeof name, "%.*s", (int)n, text);
	o->backend = crypto_backend_find(name);
	o->backend_options = text[n] ? text + n + 1 : NULL;
	if (!o->backend)
		return err_set(err, EINVAL,
			"--backend takes ipsec-mb, cryptodev or fpga, with its options, not '%s'", text);
	if (o->backend == &crypto_cryptodev)
		return cryptodev_options_parse(&o->cryptodev, o->backend_options, err);
	if (o->backend == &crypto_ipsec_mb)
		return imb_options_parse(&ipsec_mb, o->backend_options, err);
	return 0;
}

static int check(const struct options *o, struct err *err)
{
	if (o->help || o->version)
		return 0;
	if (o->n_interfaces == 0 && o->n_devices == 0)
		return err_set(err, EINVAL, "--interface is needed, or --device");
	if (o->n_interfaces + o->n_devices > PORTS_MAX)
		return err_set(err, EINVAL, "more than %u interfaces and devices", PORTS_MAX);
	if (hops_check(o, err) < 0)
		return -EINVAL;
	if (o->huge && o->no_huge)
		return err_set(err, EINVAL, "--huge and --no-huge exclude each other");
	return o->socket ? 0 : err_set(err, EINVAL, "--socket is needed");
}

int options_parse(int argc, char **argv, struct options *o, struct err *err)
{
	static const struct option known[] = {
		{"interface", required_argument, NULL, 'i'},
		{"device", required_argument, NULL, 'D'},
		{"next-hop", required_argument, NULL, 'N'},
		{"socket", required_argument, NULL, 's'},
		{"group", required_argument, NULL, 'G'},
		{"port", required_argument, NULL, 'p'},
		{"backend", required_argument, NULL, 'c'},
		{"workers", required_argument, NULL, 'w'},
		{"sessions", required_argument, NULL, 'n'},
		{"no-huge", no_argument, NULL, 'H'},
		{"huge", no_argument, NULL, 'g'},
		{"idle-us", required_argument, NULL, 'd'},
		{"busy-poll", no_argument, NULL, 'b'},
		{"log-level", required_argument, NULL, 'l'},
		{"log-json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int rc = 0, c;

	*o = (struct options){.backend = &crypto_ipsec_mb,
		.workers = 1,
		.sessions = OPTIONS_SESSIONS_DEFAULT,
		.idle_us = OPTIONS_IDLE_US_DEFAULT,
		.level = LOG_INFO};
	optind = 0;
	opterr = 0;
	while (rc == 0 && (c = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
		switch (c) {
		case 'i':
			rc = interface(o, optarg, err);
			break;
		case 'D':
			rc = device(o, optarg, err);
			break;
		case 'N':
			rc = next_hop(o, optarg, err);
			break;
		case 's':
			o->socket = optarg;
			break;
		case 'G':
			o->group = optarg;
			break;
		case 'p':
			rc = port_kind(o, optarg, err);
			break;
		case 'c':
			rc = backend(o, optarg, err);
			break;
		case 'w':
			rc = number("workers", optarg, 1, WORKERS_MAX, &o->workers, err);
			break;
		case 'n':
			rc = number("sessions", optarg, 1, 1000000, &o->sessions, err);
			break;
		case 'H':
			o->no_huge = true;
			break;
		case 'g':
			o->huge = true;
			break;
		case 'd':
			rc = number("idle-us", optarg, 1, OPTIONS_IDLE_US_MAX, &o->idle_us, err);
			break;
		case 'b':
			o->busy_poll = true;
			break;
		case 'l':
			rc = level(optarg, &o->level, err);
			break;
		case 'j':
			o->json = true;
			break;
		case 'h':
			o->help = true;
			break;
		case 'V':
			o->version = true;
			break;
		case ':':
			rc = err_set(err, EINVAL, "%s needs a value", argv[optind - 1]);
			break;
		default:
			rc = err_set(err, EINVAL, "unknown option '%s'", argv[optind - 1]);
			break;
		}
	}
	if (rc == 0 && optind < argc)
		rc = err_set(err, EINVAL, "'%s' is no option", argv[optind]);
	return rc < 0 ? rc : check(o, err);
}
