/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port/pci.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_pci.h>

bool pci_name(const char *address, char name[PCI_NAME_MAX])
{
	struct rte_pci_addr a;

	if (rte_pci_addr_parse(address, &a) < 0)
		return false;
	rte_pci_device_name(&a, name, PCI_NAME_MAX);
	return true;
}

#define INTEL 0x8086
/* 82540 to 82547, as virtual machines of several makers have them; from 82571 on there are two queues. */
#define ONE_QUEUE_FIRST 0x1000
#define ONE_QUEUE_LAST 0x104f
#define ONE_QUEUE_TOO_FIRST 0x1075 /* 82547GI, 82541 */
#define ONE_QUEUE_TOO_LAST 0x107c

/* The last name of where the link at path leads; "" for no link. */
static const char *link_name(const char *path, char *text, size_t cap)
{
	ssize_t n = readlink(path, text, cap - 1);
	const char *slash;

	text[n > 0 ? n : 0] = '\0';
	slash = strrchr(text, '/');
	return slash ? slash + 1 : text;
}

int pci_refusal(const char *devices, const char *name, struct err *err)
{
	static const char *const passed_on[] = {"vfio-pci", "uio_pci_generic", "igb_uio"};
	char path[PATH_MAX], text[PATH_MAX];
	const char *driver;

	snprintf(path, sizeof(path), "%s/%s", devices, name);
	if (access(path, F_OK) < 0)
		return err_set(err, ENODEV,
			"there is no PCI device '%s'; dpdk-devbind.py -s lists those that there are", name);
	snprintf(path, sizeof(path), "%s/%s/driver", devices, name);
	driver = link_name(path, text, sizeof(text));
	if (!*driver)
		return err_set(err, ENODEV,
			"device '%s' has no driver: bind it to vfio-pci (dpdk-devbind.py -b vfio-pci %s)",
			name, name);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		if (strcmp(driver, passed_on[i]) == 0)
			return err_set(err, ENODEV,
				"DPDK cannot use device '%s' by way of %s: it has no driver for it, another "
				"process has "
				"the device, or vfio-pci finds no IOMMU; --log-level debug says more",
				name, driver);
	return err_set(err, ENODEV,
		"device '%s' is the kernel's, with its driver %.64s: bind it to vfio-pci (dpdk-devbind.py -b "
		"vfio-pci %s)",
		name, driver, name);
}

/* What the file of a device says, such as 0x8086; 0: nothing. */
static unsigned id_read(const char *devices, const char *name, const char *file)
{
	char path[PATH_MAX];
	unsigned id = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", devices, name, file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%x", &id) != 1)
		id = 0;
	fclose(f);
	return id;
}

uint16_t pci_queues(const char *devices, const char *name)
{
	unsigned id = id_read(devices, name, "device");
	bool one = (id >= ONE_QUEUE_FIRST && id <= ONE_QUEUE_LAST) ||
		   (id >= ONE_QUEUE_TOO_FIRST && id <= ONE_QUEUE_TOO_LAST);

	return one && id_read(devices, name, "vendor") == INTEL ? 1 : UINT16_MAX;
}
