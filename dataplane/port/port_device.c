/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports over a DPDK device that the kernel has no part in: a NIC that a DPDK driver owns, or a virtual device
 * such as memif. Nobody answers ARP or neighbour discovery there, so that both ends are told where frames go.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/port/pci.h"
#include "dataplane/port/port_driver.h"
#include "lib/base/plural.h"

#define VDEV_PREFIX "net_"

static int device_attach(struct port *port, const struct port_conf *conf, struct err *err)
{
	const char *args = conf->interface + strcspn(conf->interface, ",");
	char name[PCI_NAME_MAX];
	int rc;

	if (strncmp(port->interface, VDEV_PREFIX, strlen(VDEV_PREFIX)) == 0) {
		snprintf(port->private->vdev, PORT_VDEV_MAX, "%s", port->interface);
		rc = port_vdev_create(port, args[0] == ',' ? args + 1 : "", err);
		if (rc < 0)
			err_prefix(err, "device '%s'", conf->interface);
		return rc;
	}
	if (!pci_name(port->interface, name))
		return err_set(err, ENODEV,
			"no DPDK device '%s': a PCI address such as 0000:3b:00.0, bound to vfio-pci, or a "
			"virtual "
			"device such as net_memif0,role=server",
			port->interface);
	rc = rte_eth_dev_get_port_by_name(name, &port->id);
	port->private->queues_most = pci_queues(PCI_DEVICES, name);
	return rc < 0 ? pci_refusal(PCI_DEVICES, name, err) : 0;
}

static int device_started(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_macaddr_get(port->id, &port->mac);

	(void)conf;
	rc = rc < 0 ? rc : rte_eth_dev_get_mtu(port->id, &port->mtu);
	rc = rc < 0 ? rc : rte_eth_dev_info_get(port->id, &info);
	if (rc < 0)
		return err_set(
			err, -rc, "device '%s' does not say what it is: %s", port->interface, strerror(-rc));
	snprintf(port->report, sizeof(port->report),
		"device, driver %s, %u queue%s, " RTE_ETHER_ADDR_PRT_FMT "%s", info.driver_name, port->queues,
		plural(port->queues), RTE_ETHER_ADDR_BYTES(&port->mac),
		port->tx_checksums ? ", checksums by the device" : "");
	return 0;
}

const struct port_driver port_driver_device = {
	.kind = PORT_DEVICE,
	.attach = device_attach,
	.started = device_started,
};
