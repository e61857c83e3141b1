/* SPDX-License-Identifier: Apache-2.0 */
/* Which device the options of the FPGA backend name, and how it is opened. */
#pragma once

#include "dataplane/fpga/device.h"

struct fpga_options {
	uint64_t hang; /* clocks without a completion until the device is given up */
};

/*
 * "pci=ADDRESS[+ADDRESS...]": the first card that nobody has open; "sim=LIBRARY": the simulation. Then maybe
 * ",hang=CLOCKS" and, for the simulation, ",step=CLOCKS" (that pass with each look at it), ",latency=CLOCKS"
 * of its bus, ",fail=CLOCKS" after which it stands still for a while. -EINVAL, -ENODEV, or what opening it
 * says; always with the reason in e.
 */
int fpga_options_open(struct fpga_options *o, const char *text, struct fpga_device **dev, struct err *e);
