/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that the kernel has no part in: how they are named, why one cannot be had, and whether its cable is
 * in. */
#include "tests/dataplane/ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_memzone.h>
#include <rte_ring.h>

#include "dataplane/port/link_watch.h"
#include "dataplane/port/pci.h"

int __real_rte_eth_dev_info_get(uint16_t id, struct rte_eth_dev_info *info);
int __wrap_rte_eth_dev_info_get(uint16_t id, struct rte_eth_dev_info *info);

static uint16_t queues_most; /* that devices say they have to send by; 0: what they do say */

int __wrap_rte_eth_dev_info_get(uint16_t id, struct rte_eth_dev_info *info)
{
	int rc = __real_rte_eth_dev_info_get(id, info);

	if (queues_most)
		info->max_tx_queues = queues_most;
	return rc;
}

static void an_address_without_a_domain_is_of_the_first(void **state)
{
	char name[PCI_NAME_MAX];

	(void)state;
	assert_true(pci_name("3b:00.0", name));
	assert_string_equal(name, "0000:3b:00.0");
	assert_true(pci_name("0000:3B:1F.7", name));
	assert_string_equal(name, "0000:3b:1f.7");
	assert_true(pci_name("0001:00:08.0", name));
	assert_string_equal(name, "0001:00:08.0");
	assert_false(pci_name("eth0", name));
	assert_false(pci_name("3b:00", name));
	assert_false(pci_name("", name));
}

/* The kernel's folder of devices, with one that has this driver; NULL: none. */
static void refusal_with(const char *driver, const char *says)
{
	char root[] = "/tmp/srtpgw-pci-XXXXXX", device[64], link[80], target[64];
	struct err err = {""};

	assert_non_null(mkdtemp(root));
	snprintf(device, sizeof(device), "%s/0000:3b:00.0", root);
	snprintf(link, sizeof(link), "%s/driver", device);
	assert_int_equal(mkdir(device, 0700), 0);
	if (driver) {
		snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
		assert_int_equal(symlink(target, link), 0);
	}
	assert_int_equal(pci_refusal(root, "0000:3b:00.0", &err), -ENODEV);
	if (!strstr(err.text, says))
		fail_msg("'%s' is not in '%s'", says, err.text);
	assert_non_null(strstr(err.text, "0000:3b:00.0"));
	(void)unlink(link);
	assert_int_equal(rmdir(device), 0);
	assert_int_equal(pci_refusal(root, "0000:3b:00.0", &err), -ENODEV);
	assert_non_null(strstr(err.text, "there is no PCI device '0000:3b:00.0'"));
	assert_int_equal(rmdir(root), 0);
}

static void what_keeps_a_device_away_is_said(void **state)
{
	(void)state;
	refusal_with(NULL, "has no driver: bind it to vfio-pci (dpdk-devbind.py -b vfio-pci 0000:3b:00.0)");
	refusal_with("ixgbe", "is the kernel's, with its driver ixgbe: bind it to vfio-pci");
	refusal_with("vfio-pci", "DPDK cannot use device '0000:3b:00.0' by way of vfio-pci");
	refusal_with("uio_pci_generic", "by way of uio_pci_generic");
}

static void file_write(const char *folder, const char *name, const char *text)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Frames sent by a queue that is not there are lost without a sign. */
static void a_nic_of_one_queue_is_known(void **state)
{
	static const struct {
		const char *vendor, *device;
		uint16_t queues;
	} nics[] = {
		{"0x8086\n", "0x100e\n", 1},          /* 82540EM: QEMU, VirtualBox */
		{"0x8086\n", "0x100f\n", 1},          /* 82545EM: VMware */
		{"0x8086\n", "0x107c\n", 1},          /* 82541PI */
		{"0x8086\n", "0x10d3\n", UINT16_MAX}, /* 82574L */
		{"0x8086\n", "0x105e\n", UINT16_MAX}, /* 82571EB */
		{"0x1af4\n", "0x1000\n", UINT16_MAX}, /* virtio-net */
		{"", "", UINT16_MAX},
	};
	char root[] = "/tmp/srtpgw-pci-XXXXXX", path[96];

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/0000:3b:00.0", root);
	assert_int_equal(pci_queues(root, "0000:3b:00.0"), UINT16_MAX);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < sizeof(nics) / sizeof(nics[0]); i++) {
		file_write(path, "vendor", nics[i].vendor);
		file_write(path, "device", nics[i].device);
		assert_int_equal(pci_queues(root, "0000:3b:00.0"), nics[i].queues);
	}
	snprintf(path, sizeof(path), "%s/0000:3b:00.0/vendor", root);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/0000:3b:00.0/device", root);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/0000:3b:00.0", root);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(root), 0);
}

static void refused(const char *device, uint16_t queues, int result, const char *says)
{
	struct port_conf conf = {.kind = PORT_DEVICE, .interface = device, .queues = queues, .pool = pool};
	struct port *port = NULL;
	struct err err = {""};

	assert_int_equal(port_open(&conf, &port, &err), result);
	if (!strstr(err.text, says))
		fail_msg("'%s' is not in '%s'", says, err.text);
}

static void a_device_that_cannot_be_opened_is_named(void **state)
{
	(void)state;
	refused("ffff:ff:1f.7", 1, -ENODEV, "there is no PCI device 'ffff:ff:1f.7'");
	refused("eth0", 1, -ENODEV, "no DPDK device 'eth0': a PCI address such as");
}

static void more_workers_than_queues_are_refused(void **state)
{
	struct port_conf conf = {.kind = PORT_DEVICE, .interface = "net_null7", .queues = 2, .pool = pool};
	struct port *port = NULL;
	struct err err = {""};

	(void)state;
	queues_most = 2;
	if (port_open(&conf, &port, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(strstr(port->report, "2 queues"));
	assert_null(strstr(port->report, "checksums by the device"));
	port_close(port);
	refused("net_null7", 3, -ENOSPC, "device 'net_null7' has 2 queues: start with --workers 2");
	queues_most = 1;
	refused("net_null7", 2, -ENOSPC, "device 'net_null7' has 1 queue: start with --workers 1");
	queues_most = 0;
}

/* As where devices see physical addresses, of which hugepages are anywhere. */
static void frames_need_no_single_stretch_of_memory(void **state)
{
	struct port_conf conf = {.kind = PORT_DEVICE, .interface = "net_null8"};
	const struct rte_memzone *zones[6];
	struct err err = {""};
	struct port *port;
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "t_zone%u", i);
		zones[i] = rte_memzone_reserve(name, 7 << 20, SOCKET_ID_ANY, 0);
		assert_non_null(zones[i]);
	}
	for (unsigned i = 0; i < 6; i += 2)
		assert_int_equal(rte_memzone_free(zones[i]), 0);
	if (port_pool_create(4500, &conf.pool, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(conf.pool->nb_mem_chunks > 1);
	if (port_open(&conf, &port, &err) < 0)
		fail_msg("%s", err.text);
	port_close(port);
	rte_mempool_free(conf.pool);
	for (unsigned i = 1; i < 6; i += 2)
		assert_int_equal(rte_memzone_free(zones[i]), 0);
}

static void a_link_that_changes_is_noticed_once(void **state)
{
	struct rte_ring *ring = rte_ring_create("t_link", 64, SOCKET_ID_ANY, 0);
	struct port *ports[2] = {ring_port("link0", 0, &ring, &ring), ring_port("link1", 1, &ring, &ring)};
	struct link_watch w = {0};

	(void)state;
	assert_int_equal(link_watch_look(&w, ports, 2, 5), 2);
	assert_true(w.up[0] && w.up[1]);
	assert_int_equal(rte_eth_dev_set_link_down(ports[1]->id), 0);
	/* Not at every turn of the main thread: a device may take its time to say. */
	assert_int_equal(link_watch_look(&w, ports, 2, 6), 0);
	assert_int_equal(link_watch_look(&w, ports, 2, 5 + LINK_WATCH_NS), 1);
	assert_true(w.up[0] && !w.up[1]);
	assert_int_equal(link_watch_look(&w, ports, 2, 5 + 2 * LINK_WATCH_NS), 0);
	assert_int_equal(rte_eth_dev_set_link_up(ports[1]->id), 0);
	assert_int_equal(link_watch_look(&w, ports, 2, 5 + 3 * LINK_WATCH_NS), 1);
	assert_true(w.up[1]);
	port_close(ports[0]);
	port_close(ports[1]);
	rte_ring_free(ring);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_without_a_domain_is_of_the_first),
		cmocka_unit_test(what_keeps_a_device_away_is_said),
		cmocka_unit_test(a_nic_of_one_queue_is_known),
		cmocka_unit_test(a_device_that_cannot_be_opened_is_named),
		cmocka_unit_test(more_workers_than_queues_are_refused),
		cmocka_unit_test(frames_need_no_single_stretch_of_memory),
		cmocka_unit_test(a_link_that_changes_is_noticed_once),
	};

	return cmocka_run_group_tests_name("dataplane_device", tests, start, stop);
}
