/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of test_device share: one device with one ring at a time. */
#pragma once

#include "sim/test/bench.h"

extern struct bench b;
extern struct fpga_ring *ring;

void start(const char *library);
void stop(void);
/* One descriptor must end with this status, and with nothing written unless it is OK. */
void expect(const char *what, struct fpga_desc d, unsigned status);

/* Tests, in test_device_registers.c and test_device_emptied.c. */
void registers(const char *library);
void wipes(const char *library);
void resets(const char *library);
