/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of test_device share: one device with one ring at a time. */
#pragma once

#include "sim/test/bench.h"

extern struct bench b;
extern struct fpga_ring *ring;

extern const struct sim_conf calm; /* the bus of all tests that ask for no other */
void start(const char *library);
void start_on(const char *library, const struct sim_conf *bus);
void stop(void);
/* One descriptor must end with this status, and with nothing written unless it is OK. */
void expect(const char *what, struct fpga_desc d, unsigned status);

/* Tests, in test_device_registers.c, test_device_rings.c and test_device_emptied.c. */
void registers(const char *library);
void removed(const char *library);
void rings(const char *library);
void wipes(const char *library);
void resets(const char *library);
void resets_stalled(const char *library);
void late_answers(const char *library);
