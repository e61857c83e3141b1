/* SPDX-License-Identifier: Apache-2.0 */
/* Devices on PCI as an operator names them, and why DPDK has one not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define PCI_NAME_MAX 20 /* "0000:3b:00.0" and its end; DPDK wants room for a domain of eight digits */

/* The name that DPDK gives the device at that address: "3b:00.0" is "0000:3b:00.0". False: no PCI address. */
bool pci_name(const char *address, char name[PCI_NAME_MAX]);

/*
 * Says in err what keeps DPDK from the device of that name, and what to do; -ENODEV. devices: the kernel's
 * folder of all, PCI_DEVICES.
 */
int pci_refusal(const char *devices, const char *name, struct err *err);

/*
 * How many queues the device has that DPDK says more of: its driver of Intel's oldest gigabit NICs takes two
 * for each, and frames that are sent by the second go nowhere. UINT16_MAX: what the driver says is so.
 */
uint16_t pci_queues(const char *devices, const char *name);
