/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>

#include "dataplane/port/port_driver.h"
#include "lib/base/log.h"
#include "lib/base/plural.h"

#define POOL_CACHE 256
/* Ethernet's own MTU, for ports without an interface. */
#define MTU_DEFAULT 1500

static const char *const kind_names[] = {
	[PORT_AUTO] = "auto",
	[PORT_AF_XDP] = "af_xdp",
	[PORT_AF_PACKET] = "af_packet",
	[PORT_RING] = "ring",
	[PORT_NULL] = "null",
	[PORT_DEVICE] = "device",
};
#define KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

int port_kind_parse(const char *name, enum port_kind *out)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(name, kind_names[i]) == 0) {
			*out = (enum port_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *port_kind_name(enum port_kind kind)
{
	return (size_t)kind < KINDS ? kind_names[kind] : "unknown";
}

int port_pool_create(uint32_t n, struct rte_mempool **out, struct err *err)
{
	static unsigned serial;
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;

	snprintf(name, sizeof(name), "srtpgw_frames_%u", serial++);
	pool = rte_pktmbuf_pool_create(
		name, n, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	if (pool == NULL)
		return err_set(err, ENOMEM, "no memory for %u frames: %s", n, rte_strerror(rte_errno));
	*out = pool;
	return 0;
}

int port_vdev_create(struct port *port, const char *args, struct err *err)
{
	int rc = rte_vdev_init(port->private->vdev, args);

	if (rc == 0)
		rc = rte_eth_dev_get_port_by_name(port->private->vdev, &port->id);
	if (rc < 0) {
		port->private->vdev[0] = '\0';
		return err_set(err, EIO, "DPDK refuses %s: %s", port_kind_name(port->kind), strerror(-rc));
	}
	return 0;
}

static int ring_attach(struct port *port, const struct port_conf *conf, struct err *err)
{
	int id;

	if (conf->rx_rings == NULL || conf->tx_rings == NULL)
		return err_set(err, EINVAL, "ring port '%s' without rings", port->interface);
	id = rte_eth_from_rings(
		port->interface, conf->rx_rings, port->queues, conf->tx_rings, port->queues, rte_socket_id());
	if (id < 0)
		return err_set(err, EIO, "DPDK refuses ring port '%s': %s", port->interface,
			rte_strerror(rte_errno));
	snprintf(port->private->vdev, PORT_VDEV_MAX, "net_ring_%s", port->interface);
	port->id = (uint16_t)id;
	return 0;
}

static int null_attach(struct port *port, const struct port_conf *conf, struct err *err)
{
	(void)conf;
	snprintf(port->private->vdev, PORT_VDEV_MAX, "net_null_%s", port->interface);
	return port_vdev_create(port, "no-rx=1", err);
}

static const struct port_driver driver_ring = {
	.kind = PORT_RING,
	.attach = ring_attach,
};

static const struct port_driver driver_null = {
	.kind = PORT_NULL,
	.attach = null_attach,
};

static const struct port_driver *const drivers[KINDS] = {
	[PORT_AF_XDP] = &port_driver_af_xdp,
	[PORT_AF_PACKET] = &port_driver_af_packet,
	[PORT_RING] = &driver_ring,
	[PORT_NULL] = &driver_null,
	[PORT_DEVICE] = &port_driver_device,
};

#define TX_CHECKSUMS (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
#define RX_CHECKSUMS (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)

/* What the device can do for us: checksums, and spreading over queues of what no flow rule names. */
static int features_choose(struct port *port, struct rte_eth_conf *eth)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(port->id, &info);

	if (rc < 0)
		return rc;
	eth->rxmode.offloads = info.rx_offload_capa & RX_CHECKSUMS;
	port->tx_checksums = (info.tx_offload_capa & TX_CHECKSUMS) == TX_CHECKSUMS;
	if (port->tx_checksums)
		eth->txmode.offloads = TX_CHECKSUMS;
	eth->rx_adv_conf.rss_conf.rss_hf =
		info.flow_type_rss_offloads & (RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP);
	if (port->queues > 1 && eth->rx_adv_conf.rss_conf.rss_hf)
		eth->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	else
		eth->rx_adv_conf.rss_conf.rss_hf = 0;
	return 0;
}

/* Each worker has a queue of its own, in both directions. */
static int queues_check(const struct port *port, struct err *err)
{
	struct rte_eth_dev_info info;
	uint16_t most;

	if (rte_eth_dev_info_get(port->id, &info) < 0)
		return 0; /* what comes next says it better */
	most = RTE_MIN(info.max_rx_queues, info.max_tx_queues);
	most = RTE_MIN(most, port->private->queues_most);
	return port->queues > most
		       ? err_set(err, ENOSPC, "device '%s' has %u queue%s: start with --workers %u",
				 port->interface, most, plural(most), most)
		       : 0;
}

static int rx_queues_start(
	struct port *port, const struct port_conf *conf, uint16_t n, struct port_sockets *s)
{
	int rc = 0;

	for (uint16_t q = 0; rc == 0 && q < port->queues; q++) {
		rc = rte_eth_rx_queue_setup(port->id, q, n, rte_socket_id(), NULL, conf->pool);
		if (q < PORT_QUEUES_MAX)
			port->private->fds[q] = port_socket_new(s, port->private->driver->domain);
	}
	return rc;
}

static int queues_start(
	struct port *port, const struct port_conf *conf, struct port_sockets *sockets, struct err *err)
{
	struct rte_eth_conf eth = {0};
	uint16_t rx = conf->descriptors != 0 ? conf->descriptors : PORT_DESCRIPTORS, tx = rx;
	int rc = queues_check(port, err);

	if (rc < 0)
		return rc;
	rc = features_choose(port, &eth);
	if (rc == 0)
		rc = rte_eth_dev_configure(port->id, port->queues, port->queues, &eth);
	port->private->configured = true;
	if (rc == 0)
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);
	if (rc == 0)
		rc = rx_queues_start(port, conf, rx, sockets);
	for (uint16_t q = 0; rc == 0 && q < port->queues; q++)
		rc = rte_eth_tx_queue_setup(port->id, q, tx, rte_socket_id(), NULL);
	if (rc == 0)
		rc = rte_eth_dev_start(port->id);
	if (rc < 0) {
		const char *why = port->private->driver->why != NULL ? port->private->driver->why() : "";

		return err_set(err, EIO, "DPDK's %s does not start on '%s': %s%s%s",
			port_kind_name(port->kind), port->interface, strerror(-rc),
			why[0] != '\0' ? ": " : "", why);
	}
	return 0;
}

/* Undoes all that open_as() did, as far as it came. */
static void undo(struct port *port)
{
	struct port_private *p = port->private;

	steer_close(p->steer);
	p->steer = NULL;
	if (p->configured) {
		(void)rte_eth_dev_stop(port->id);
		(void)rte_eth_dev_close(port->id);
	}
	if (p->vdev[0] != '\0')
		(void)rte_vdev_uninit(p->vdev);
	p->configured = false;
	p->vdev[0] = '\0';
	if (p->driver->detach != NULL)
		p->driver->detach(port);
}

static int open_as(
	struct port *port, const struct port_driver *driver, const struct port_conf *conf, struct err *err)
{
	struct port_sockets sockets = {{0}};
	int rc;

	port->kind = driver->kind;
	port->private->driver = driver;
	port_socket_new(&sockets, driver->domain);
	snprintf(port->report, sizeof(port->report), "%s", port_kind_name(port->kind));
	rc = driver->attach(port, conf, err);
	if (rc == 0)
		rc = queues_start(port, conf, &sockets, err);
	if (rc == 0 && driver->started != NULL)
		rc = driver->started(port, conf, err);
	if (rc == 0 && !driver->on_interface && port->queues > 1)
		port->private->steer = steer_open(port->id, port->queues);
	if (rc < 0)
		undo(port);
	return rc;
}

static int open_auto(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct err first = {0}, second = {0};
	char report[sizeof(port->report)];
	int rc = open_as(port, &port_driver_af_xdp, conf, &first);

	if (rc == 0)
		return 0;
	rc = open_as(port, &port_driver_af_packet, conf, &second);
	if (rc < 0)
		return err_set(err, -rc, "neither af_xdp (%s) nor af_packet (%s)", first.text, second.text);
	snprintf(report, sizeof(report), "%.80s; not af_xdp: %.150s", port->report, first.text);
	memcpy(port->report, report, sizeof(report));
	return 0;
}

static int interface_take(struct port *port, struct err *err)
{
	struct netdev dev;
	int rc = netdev_get(port->interface, &dev, err);

	if (rc < 0)
		return rc;
	if (!dev.up)
		return err_set(err, ENETDOWN, "interface '%s' is down; set it up with 'ip link set %s up'",
			dev.name, dev.name);
	port->ifindex = dev.ifindex;
	port->mtu = dev.mtu;
	memcpy(port->mac.addr_bytes, dev.mac, sizeof(dev.mac));
	rc = netdev_claim(dev.name, err);
	if (rc < 0)
		return rc;
	port->private->claim = rc;
	rc = netdev_mark(dev.ifindex, err);
	if (rc < 0)
		return rc;
	port->private->mark = rc;
	return 0;
}

static void port_free(struct port *port)
{
	if (port->private->claim >= 0)
		close(port->private->claim);
	if (port->private->mark >= 0)
		close(port->private->mark);
	free(port->private);
	free(port);
}

/* A port with what conf says, not open yet. */
static struct port *port_alloc(const struct port_conf *conf)
{
	static const struct rte_ether_addr none;
	struct port *port = calloc(1, sizeof(*port));
	struct port_private *p = calloc(1, sizeof(*p));

	if (port == NULL || p == NULL) {
		free(port);
		free(p);
		return NULL;
	}
	*p = (struct port_private){.claim = -1,
		.mark = -1,
		.any_kind = conf->kind == PORT_AUTO,
		.queues_most = UINT16_MAX,
		.object = -1,
		.program = -1,
		.maps = {.media = -1, .counters = -1}};
	for (unsigned q = 0; q < PORT_QUEUES_MAX; q++)
		p->fds[q] = -1;
	port->private = p;
	port->index = conf->index;
	port->queues = conf->queues != 0 ? conf->queues : 1;
	port->mtu = MTU_DEFAULT;
	port->mac = conf->mac;
	if (rte_is_same_ether_addr(&port->mac, &none)) /* locally administered, RFC 7042 section 2.1 */
		port->mac = (struct rte_ether_addr){{0x02, 0x53, 0x52, 0x54, 0x50, (uint8_t)conf->index}};
	/* Arguments of a device follow its name. */
	snprintf(port->interface, sizeof(port->interface), "%.*s",
		conf->kind == PORT_DEVICE ? (int)strcspn(conf->interface, ",") : IF_NAMESIZE,
		conf->interface);
	return port;
}

static bool name_fits(const struct port_conf *conf)
{
	size_t n = strcspn(conf->interface, conf->kind == PORT_DEVICE ? "," : "");

	return n > 0 && n < IF_NAMESIZE;
}

int port_open(const struct port_conf *conf, struct port **out, struct err *err)
{
	struct port *port;
	int rc = 0;

	if (conf->interface == NULL || conf->pool == NULL || (size_t)conf->kind >= KINDS ||
		conf->index >= PORTS_MAX || !name_fits(conf))
		return err_set(err, EINVAL, "port '%s': bad interface name, kind, index or no pool",
			conf->interface != NULL ? conf->interface : "");
	port = port_alloc(conf);
	if (port == NULL)
		return err_set(err, ENOMEM, "no memory");
	if (conf->kind == PORT_AUTO || drivers[conf->kind]->on_interface)
		rc = interface_take(port, err);
	if (rc == 0)
		rc = conf->kind == PORT_AUTO ? open_auto(port, conf, err)
					     : open_as(port, drivers[conf->kind], conf, err);
	if (rc < 0) {
		port_free(port);
		return rc;
	}
	*out = port;
	return 0;
}

/* Without rules it works as well, only slower: no reason to refuse. */
static void steer_media(struct port *port, const struct dp_address *addresses, uint32_t n)
{
	char how[sizeof(port->private->steered)], why[STEER_REASON];
	uint32_t rules = steer_set(port->private->steer, addresses, n, why);

	if (rules > 0)
		snprintf(how, sizeof(how), "%u flow rules bring each packet to its worker", rules);
	else
		snprintf(how, sizeof(how), "by hash (RSS), workers hand over: %s", why);
	if (n > 0 && strcmp(how, port->private->steered) != 0) {
		memcpy(port->private->steered, how, sizeof(how));
		log_info("port", "steering", LZ("interface", port->interface), LZ("how", how));
	}
}

int port_set_media(struct port *port, const struct dp_address *addresses, uint32_t n, struct err *err)
{
	int rc = 0;

	if (n > PORT_MEDIA_MAX)
		return err_set(err, E2BIG, "%u media ranges; at most %u", n, PORT_MEDIA_MAX);
	for (uint32_t i = 0; i < n; i++)
		if ((addresses[i].ip.family != IP_V4 && addresses[i].ip.family != IP_V6) ||
			addresses[i].port_lower > addresses[i].port_upper)
			return err_set(err, EINVAL, "media range %u: no address, or ports %u-%u", i,
				addresses[i].port_lower, addresses[i].port_upper);
	if (port->private->driver->set_media != NULL)
		rc = port->private->driver->set_media(port, addresses, n, err);
	if (rc == 0 && port->private->steer)
		steer_media(port, addresses, n);
	return rc;
}

/* Would a port be opened on what has the interface's name now? A text that stays says why not. */
static const char *unfit(const struct port *port)
{
	const struct port_driver *driver = port->private->driver;
	struct netdev dev;
	struct err err = {0};
	int rc = netdev_get(port->interface, &dev, &err);

	if (rc == -ENOTSUP)
		return "the interface is gone, and the one that has its name is not Ethernet";
	if (rc < 0 || !netdev_runs(port->interface))
		return "the interface is gone, and the one that has its name has no link";
	/* With any kind to choose from the next one takes another. */
	return driver->unfit != NULL && !port->private->any_kind ? driver->unfit(port) : NULL;
}

static struct port_link interface_link(const struct port *port)
{
	struct port_link link = {.up = false};

	switch (netdev_state(port->private->mark, port->interface)) {
	case NETDEV_RUNNING:
		link.why = port->private->deaf;
		link.up = link.why == NULL;
		break;
	case NETDEV_STILL:
		break;
	case NETDEV_GONE:
		link.why = "the interface is gone";
		break;
	case NETDEV_REPLACED:
		link.why = unfit(port);
		link.replaced = link.why == NULL;
		if (link.replaced)
			link.why = "the interface is gone, and another one has its name";
		break;
	}
	return link;
}

static bool is_there(const struct port *port)
{
	enum netdev_state state = netdev_state(port->private->mark, port->interface);

	return state == NETDEV_RUNNING || state == NETDEV_STILL;
}

void port_keep(struct port *port)
{
	if (port->private->driver->keep != NULL && is_there(port))
		port->private->deaf = port->private->driver->keep(port);
}

struct port_link port_link(const struct port *port)
{
	struct rte_eth_link link = {0};

	if (port->ifindex != 0)
		return interface_link(port);
	if (rte_eth_link_get_nowait(port->id, &link) < 0 || link.link_status != RTE_ETH_LINK_UP)
		return (struct port_link){.up = false};
	return (struct port_link){
		.up = true, .mbit_s = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed};
}

int port_stats(const struct port *port, struct port_stats *out)
{
	struct rte_eth_stats eth;
	int rc = rte_eth_stats_get(port->id, &eth);

	if (rc < 0)
		return rc;
	*out = (struct port_stats){
		.rx_packets = eth.ipackets,
		.rx_octets = eth.ibytes,
		.tx_packets = eth.opackets,
		.tx_octets = eth.obytes,
		.rx_missed = eth.imissed,
		.rx_errors = eth.ierrors,
		.rx_no_mbuf = eth.rx_nombuf,
		.tx_errors = eth.oerrors,
		.link_up = port_link(port).up,
	};
	if (port->private->driver->stats != NULL)
		port->private->driver->stats(port, out);
	return 0;
}

void port_close(struct port *port)
{
	if (port == NULL)
		return;
	undo(port);
	port_free(port);
}
