/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's device on a card: a PCI function bound to vfio-pci, its registers in BAR 0, the IOMMU between
 * it and memory. docs/hardware.md says how a card is made ready.
 */
#pragma once

#include "dataplane/fpga/hw_ops.h"
#include "lib/base/err.h"

extern const struct hw_ops hw_vfio_ops;

/*
 * address: "dddd:bb:dd.f". Alone in its IOMMU group, or with others that are bound to vfio-pci too. -EINVAL:
 * no such form; -ENODEV: no such device, or not one that may be used so; -EBUSY: somebody has it; -EACCES,
 * -EIO.
 */
int hw_vfio_open(void **hw, const char *address, struct err *e);
