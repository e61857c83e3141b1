/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number of the XDP program that this process has put on an interface, in a file beside its socket. A
 * program stays when its process is killed, and only CAP_SYS_ADMIN may ask whose it is: the next process
 * knows it by this. Numbers are not used again before the machine is started anew, and then the file is gone
 * with its tmpfs.
 */
#pragma once

#include <stdint.h>

/* In PREFIX.INTERFACE.xdp. 0: nothing is noted, or not by this user. A NULL prefix notes nothing. */
uint32_t xdp_note_read(const char *prefix, const char *interface);
/* id 0 removes the file. Negative errno values. */
int xdp_note_write(const char *prefix, const char *interface, uint32_t id);
