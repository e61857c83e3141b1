/* SPDX-License-Identifier: Apache-2.0 */
/* srtpgw-dataplane: ports, workers, and the socket that the control plane connects to. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "dataplane/control/options.h"
#include "dataplane/control/server.h"
#include "dataplane/port/eal.h"
#include "dataplane/privileges.h"
#include "dataplane/sizing.h"
#include "lib/base/log.h"

enum exit_code { EXIT_ENDED, EXIT_FAILED, EXIT_USAGE, EXIT_RESOURCES, EXIT_SOCKET };

/* The root object. */
struct dataplane {
	struct options options;
	struct eal eal;
	bool eal_started;
	struct rte_mempool *pool;
	struct port *ports[PORTS_MAX];
	uint16_t n_ports;
	struct neighbour *neighbour;
	struct leg_table *table;
	struct worker *workers[WORKERS_MAX];
	uint32_t n_workers;
	bool running;
	struct server *server;
};

/* Keys must not reach a core file or the swap. */
static void protect_memory(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		log_warn("main", "core dumps cannot be turned off", LZ("reason", strerror(errno)));
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_warn("main", "memory is not locked: keys may be swapped out; raise the limit (ulimit -l)",
			LZ("reason", strerror(errno)));
}

static uint16_t ports_wanted(const struct dataplane *d)
{
	return d->options.n_interfaces + d->options.n_devices;
}

/* Where packets go that leave by a device. */
static int hops_add(struct dataplane *d, struct err *err)
{
	int rc = 0;

	for (uint16_t i = 0; rc == 0 && i < d->options.n_hops; i++) {
		const struct options_hop *h = &d->options.hops[i];
		const struct ip_addr any = {.family = IP_NONE};

		rc = neighbour_add_static(
			d->neighbour, &h->local, &any, d->options.n_interfaces + h->device, h->mac);
	}
	return rc < 0 ? err_set(err, -rc, "no place for another next hop") : 0;
}

/* "A+B", for DPDK: the devices on PCI, of packets and of crypto. "" for none. */
static void pci_list(const struct dataplane *d, char *out, size_t cap)
{
	size_t n = (size_t)snprintf(out, cap, "%s", d->options.cryptodev.pci);

	for (uint16_t i = 0; i < d->options.n_devices && n < cap; i++)
		if (strncmp(d->options.devices[i], "net_", 4) != 0)
			n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? "+" : "", d->options.devices[i]);
}

/* What the kernel says of a capability that is missing is an errno of some step, of memory that may not be
 * locked ENOMEM; DPDK and nftables say less, EIO. What else an interface fails of has another cause. */
static void blame(int rc, const char *missing, struct err *err)
{
	struct err why = *err;

	if (missing[0] && (rc == -EPERM || rc == -EACCES || rc == -ENOMEM || rc == -EIO))
		err_set(err, EPERM, "this process lacks %s: %s", missing, why.text);
}

static int ports_open(struct dataplane *d, struct err *err)
{
	int rc = port_pool_create(FRAMES_PER_PORT * ports_wanted(d), &d->pool, err);
	char missing[PRIVILEGES_TEXT_MAX];

	privileges_missing(missing, sizeof missing);
	if (missing[0] && d->options.n_interfaces)
		log_warn("main", "capabilities that interfaces need are missing: start as root, or with them",
			LZ("missing", missing));
	for (uint16_t i = 0; rc == 0 && i < ports_wanted(d); i++) {
		bool device = i >= d->options.n_interfaces;
		struct port_conf conf = {
			.kind = device ? PORT_DEVICE : d->options.port,
			.interface = device ? d->options.devices[i - d->options.n_interfaces]
					    : d->options.interfaces[i],
			.index = i,
			.queues = (uint16_t)d->options.workers,
			.pool = d->pool,
			.notes = d->options.socket,
		};

		rc = port_open(&conf, &d->ports[i], err);
		if (rc < 0) {
			if (!device)
				blame(rc, missing, err);
			break;
		}
		d->n_ports++;
		log_info("main", "port", LZ("interface", d->ports[i]->interface),
			LZ("how", d->ports[i]->report), LU("mtu", d->ports[i]->mtu));
	}
	if (rc == 0)
		rc = neighbour_open(
			d->ports, d->n_ports, sizing_next_hops(d->options.sessions), &d->neighbour, err);
	return rc < 0 ? rc : hops_add(d, err);
}

static int workers_open(struct dataplane *d, struct err *err)
{
	uint32_t legs = d->options.sessions * LEGS_PER_SESSION / d->options.workers + 1;
	int rc = leg_table_create(&d->table);

	if (rc < 0)
		return err_set(err, ENOMEM, "no memory for the leg table");
	for (uint32_t i = 0; rc == 0 && i < d->options.workers; i++) {
		struct worker_conf conf = {
			.index = i,
			.sessions = d->options.sessions,
			.legs = legs,
			.n_ports = d->n_ports,
			.ports = d->ports,
			.neighbour = d->neighbour,
			.table = d->table,
			.pool = d->pool,
			.backend = d->options.backend,
			.backend_options = d->options.backend_options,
			.socket = -1,
			.idle_us = d->options.busy_poll ? 0 : d->options.idle_us,
		};

		rc = worker_create(&conf, &d->workers[i], err);
		if (rc == 0)
			d->n_workers++;
	}
	if (rc == 0)
		worker_introduce(d->workers, d->n_workers);
	return rc;
}

static int dataplane_open(struct dataplane *d, struct err *err)
{
	char pci[512];
	struct eal_conf eal = {
		.pages = d->options.no_huge ? EAL_PAGES_SMALL
			 : d->options.huge  ? EAL_PAGES_HUGE
					    : EAL_PAGES_AUTO,
		.memory_mb = sizing_memory_mb(d->options.sessions, ports_wanted(d)),
		.workers = d->options.workers,
		.pci = pci,
		.verbose = d->options.level == LOG_DEBUG,
	};
	int rc;

	pci_list(d, pci, sizeof(pci));
	if (d->options.backend == &crypto_cryptodev)
		eal.memory_mb += d->options.workers * cryptodev_options_memory(&d->options.cryptodev);
	rc = eal_start(&eal, &d->eal, err);

	if (rc < 0)
		return rc;
	d->eal_started = true;
	log_info("main", "memory", LB("hugepages", d->eal.hugepages), LU("mb", d->eal.memory_mb),
		LZ("why", d->eal.why));
	rc = ports_open(d, err);
	if (rc == 0)
		rc = workers_open(d, err);
	return rc;
}

static int serve(struct dataplane *d, struct err *err)
{
	struct server_conf conf = {
		.path = d->options.socket,
		.group = d->options.group,
		.n_workers = d->n_workers,
		.workers = d->workers,
		.control = {.sessions = d->options.sessions,
			.n_workers = d->n_workers,
			.workers = d->workers,
			.table = d->table,
			.n_ports = d->n_ports,
			.ports = d->ports,
			.neighbour = d->neighbour,
			.backend = d->options.backend},
	};
	int rc = server_open(&conf, &d->server, err);

	if (rc < 0)
		return rc;
	/* The main lcore serves; lcores 1 to n work. */
	for (uint32_t i = 0; i < d->n_workers; i++)
		rte_eal_remote_launch(worker_run, d->workers[i], i + 1);
	d->running = true;
	log_info("main", "ready", LZ("socket", conf.path), LU("workers", d->n_workers),
		LU("sessions", d->options.sessions), LZ("backend", d->options.backend->name),
		LZ("how", worker_crypto_how(d->workers[0])));
	return server_run(d->server, err);
}

/* What a crypto device has done, at the end. */
static void crypto_reports(const struct dataplane *d)
{
	char text[512];

	for (uint32_t i = 0; i < d->n_workers; i++)
		if (worker_crypto_report(d->workers[i], text, sizeof text))
			log_info("main", "crypto device", LU("worker", i), LZ("report", text));
}

static void dataplane_close(struct dataplane *d)
{
	for (uint32_t i = 0; i < d->n_workers; i++)
		worker_stop(d->workers[i]);
	if (d->running)
		rte_eal_mp_wait_lcore();
	server_close(d->server);
	crypto_reports(d);
	for (uint32_t i = 0; i < d->n_workers; i++)
		worker_destroy(d->workers[i]);
	leg_table_destroy(d->table);
	neighbour_close(d->neighbour);
	for (uint16_t i = 0; i < d->n_ports; i++)
		port_close(d->ports[i]);
	rte_mempool_free(d->pool);
	if (d->eal_started)
		eal_stop(&d->eal);
}

int main(int argc, char **argv)
{
	struct dataplane d = {.n_ports = 0};
	struct err err = {""};
	sigset_t ends;
	int code = EXIT_ENDED;

	if (options_parse(argc, argv, &d.options, &err) < 0) {
		fprintf(stderr, "srtpgw-dataplane: %s (--help shows how)\n", err.text);
		return EXIT_USAGE;
	}
	if (d.options.help) {
		options_help();
		return EXIT_ENDED;
	}
	if (d.options.version) {
		puts("srtpgw-dataplane " SRTPGW_VERSION);
		return EXIT_ENDED;
	}
	log_setup(d.options.level, d.options.json ? LOG_JSON : LOG_TEXT);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	/* Before any thread is made: all of them inherit it, and the server's signalfd gets them. */
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* There is no file to read again: sent to both planes, it is for the control plane and shall end no
	 * call. */
	signal(SIGHUP, SIG_IGN);
	protect_memory();
	if (dataplane_open(&d, &err) < 0)
		code = EXIT_RESOURCES;
	else if (serve(&d, &err) < 0)
		code = d.running ? EXIT_FAILED : EXIT_SOCKET;
	if (code != EXIT_ENDED)
		log_error("main", err.text);
	dataplane_close(&d);
	if (code == EXIT_ENDED)
		log_info("main", "ended");
	return code;
}
