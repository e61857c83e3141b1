/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fpga/hw_vfio.h"

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/secret.h"

#define BAR_SIZE 4096
#define IOVA_FIRST                                                                                           \
	0x100000000ull /* above what the IOMMU keeps for interrupts, within the narrowest one's reach */
#define CLOCK_NS 4     /* the block is meant for 250 MHz */

struct hw_vfio {
	int container, group, device;
	volatile uint8_t *bar;
	uint64_t next_iova;
	struct hw_shown own;   /* dma_alloc() */
	struct hw_shown shown; /* dma_map() */
};

/* "0000:3b:00.0" */
static bool address_ok(const char *a)
{
	static const char form[] = "hhhh:hh:hh.o";

	if (strlen(a) != sizeof(form) - 1)
		return false;
	for (unsigned i = 0; form[i]; i++) {
		if (form[i] == 'h'       ? !strchr("0123456789abcdef", a[i])
			: form[i] == 'o' ? a[i] < '0' || a[i] > '7'
					 : a[i] != form[i])
			return false;
	}
	return true;
}

static int group_open(struct hw_vfio *v, const char *address, struct err *e)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	char path[64], link[256];
	const char *number;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", address);
	if (access(path, F_OK) < 0)
		return err_set(e, ENODEV, "no device: there is no PCI device %s", address);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return err_set(e, ENODEV, "no device: %s has no IOMMU; turn it on (firmware, intel_iommu=on)",
			address);
	link[n] = 0;
	number = strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
	snprintf(path, sizeof(path), "/dev/vfio/%.16s", number);
	v->group = open(path, O_RDWR | O_CLOEXEC);
	if (v->group < 0 && errno == EBUSY)
		return err_set(e, EBUSY, "device %s is in use by another process or worker", address);
	if (v->group < 0 && errno == ENOENT)
		return err_set(e, ENODEV, "no device: %s is not bound to vfio-pci", address);
	if (v->group < 0)
		return err_set(e, errno, "%s: %s", path, strerror(errno));
	if (ioctl(v->group, VFIO_GROUP_GET_STATUS, &status) < 0 || !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return err_set(e, ENODEV,
			"no device: not all of IOMMU group %.16s of %s is bound to vfio-pci", number,
			address);
	return 0;
}

static int container_open(struct hw_vfio *v, struct err *e)
{
	v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (v->container < 0)
		return err_set(e, errno == ENOENT ? ENODEV : errno, "no device: /dev/vfio/vfio: %s",
			strerror(errno));
	if (ioctl(v->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
		ioctl(v->container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
		return err_set(e, ENODEV, "no device: this kernel's VFIO is of another kind");
	if (ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container) < 0 ||
		ioctl(v->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return err_set(e, EIO, "VFIO container: %s", strerror(errno));
	return 0;
}

/* Without it the device may not reach memory by itself. */
static int bus_master(struct hw_vfio *v, struct err *e)
{
	struct vfio_region_info r = {.argsz = sizeof(r), .index = VFIO_PCI_CONFIG_REGION_INDEX};
	uint16_t command;

	if (ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, &r) < 0 ||
		pread(v->device, &command, 2, (off_t)r.offset + PCI_COMMAND) != 2)
		return err_set(e, EIO, "PCI configuration space: %s", strerror(errno));
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(v->device, &command, 2, (off_t)r.offset + PCI_COMMAND) != 2)
		return err_set(e, EIO, "PCI configuration space: %s", strerror(errno));
	return 0;
}

static int bar_open(struct hw_vfio *v, const char *address, struct err *e)
{
	struct vfio_region_info r = {.argsz = sizeof(r), .index = VFIO_PCI_BAR0_REGION_INDEX};
	void *p;

	v->device = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, address);
	if (v->device < 0)
		return err_set(e, errno, "device %s: %s", address, strerror(errno));
	if (ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, &r) < 0 || r.size < BAR_SIZE ||
		!(r.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return err_set(e, ENODEV, "no device: %s has no BAR 0 of %u octets: not an SRTP block",
			address, BAR_SIZE);
	p = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, v->device, (off_t)r.offset);
	if (p == MAP_FAILED)
		return err_set(e, errno, "BAR 0 of %s: %s", address, strerror(errno));
	v->bar = p;
	return bus_master(v, e);
}

static void vfio_close(void *hw)
{
	struct hw_vfio *v = hw;

	if (v->bar)
		munmap((void *)v->bar, BAR_SIZE);
	/* With the container the kernel takes every mapping away from the device. */
	if (v->device >= 0)
		close(v->device);
	if (v->group >= 0)
		close(v->group);
	if (v->container >= 0)
		close(v->container);
	free(v);
}

int hw_vfio_open(void **hw, const char *address, struct err *e)
{
	struct hw_vfio *v;
	int rc;

	if (!address_ok(address))
		return err_set(e, EINVAL, "'%s' is no PCI address such as 0000:3b:00.0", address);
	v = calloc(1, sizeof(*v));
	if (!v)
		return err_set(e, ENOMEM, "no memory for a device");
	v->container = v->group = v->device = -1;
	v->next_iova = IOVA_FIRST;
	rc = group_open(v, address, e);
	if (rc == 0)
		rc = container_open(v, e);
	if (rc == 0)
		rc = bar_open(v, address, e);
	if (rc < 0) {
		vfio_close(v);
		return rc;
	}
	*hw = v;
	return 0;
}

static uint32_t vfio_rd32(void *hw, uint32_t at)
{
	return *(volatile uint32_t *)(((struct hw_vfio *)hw)->bar + at);
}

static void vfio_wr32(void *hw, uint32_t at, uint32_t value)
{
	*(volatile uint32_t *)(((struct hw_vfio *)hw)->bar + at) = value;
}

static void vfio_wmb(void *hw)
{
	(void)hw;
	__builtin_ia32_sfence();
}

/* p and n in whole pages. */
static int map(struct hw_vfio *v, void *p, size_t n, uint32_t may, uint64_t *iova)
{
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m),
		.flags = may,
		.vaddr = (uintptr_t)p,
		.iova = v->next_iova,
		.size = n,
	};

	if (ioctl(v->container, VFIO_IOMMU_MAP_DMA, &m) < 0)
		return -errno;
	*iova = v->next_iova;
	v->next_iova += n + HW_PAGE; /* a page is left unmapped between */
	return 0;
}

static void unmap(struct hw_vfio *v, uint64_t iova, size_t n)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = iova, .size = n};

	(void)ioctl(v->container, VFIO_IOMMU_UNMAP_DMA, &u);
}

static size_t pages(size_t n)
{
	return (n + HW_PAGE - 1) & ~(size_t)(HW_PAGE - 1);
}

static void *vfio_dma_alloc(void *hw, size_t n, uint64_t *iova)
{
	struct hw_vfio *v = hw;
	void *p;

	n = pages(n);
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, n, MADV_DONTFORK);
	if (map(v, p, n, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE, iova) == 0) {
		if (hw_shown_add(&v->own, p, n, *iova) == 0)
			return p;
		unmap(v, *iova, n);
	}
	munmap(p, n);
	return NULL;
}

static void vfio_dma_free(void *hw, void *p, size_t n)
{
	struct hw_vfio *v = hw;
	uint64_t iova;

	n = pages(n);
	if (hw_shown_find(&v->own, p, n, &iova) == 0)
		unmap(v, iova, n);
	hw_shown_remove(&v->own, p);
	mem_wipe(p, n);
	munmap(p, n);
}

/* The device only reads packets: what it makes of them goes to memory of the driver's. */
static int vfio_dma_map(void *hw, void *p, size_t n)
{
	struct hw_vfio *v = hw;
	uint64_t iova = 0;
	int rc = hw_whole_pages(&p, &n);

	if (rc == 0)
		rc = map(v, p, n, VFIO_DMA_MAP_FLAG_READ, &iova);
	return rc == 0 ? hw_shown_add(&v->shown, p, n, iova) : rc;
}

static int vfio_iova_of(void *hw, const void *p, size_t n, uint64_t *iova)
{
	return hw_shown_find(&((struct hw_vfio *)hw)->shown, p, n, iova);
}

static void vfio_poll_hint(void *hw)
{
	(void)hw;
	__builtin_ia32_pause();
}

static uint64_t vfio_clocks(void *hw)
{
	struct timespec t;

	(void)hw;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec) / CLOCK_NS;
}

const struct hw_ops hw_vfio_ops = {
	.name = "card",
	.rd32 = vfio_rd32,
	.wr32 = vfio_wr32,
	.wmb = vfio_wmb,
	.dma_alloc = vfio_dma_alloc,
	.dma_free = vfio_dma_free,
	.dma_map = vfio_dma_map,
	.iova_of = vfio_iova_of,
	.poll_hint = vfio_poll_hint,
	.clocks = vfio_clocks,
	.close = vfio_close,
};
