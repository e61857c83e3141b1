/* SPDX-License-Identifier: Apache-2.0 */
/* srtpgw-dataplane's command line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataplane/crypto/backend.h"
#include "dataplane/crypto/cryptodev_options.h"
#include "dataplane/port/port.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/msg/dp_msg.h"

#define OPTIONS_HOPS_MAX 64

/* Where packets go that leave by a device, which no kernel knows the neighbours of. */
struct options_hop {
	uint16_t device;      /* place in devices */
	struct ip_addr local; /* for packets from this address; family IP_NONE: from any */
	uint8_t mac[6];
};

struct options {
	const char *interfaces[PORTS_MAX];
	uint16_t n_interfaces;
	const char *devices[PORTS_MAX]; /* DPDK's; their ports follow the interfaces' */
	uint16_t n_devices;
	struct options_hop hops[OPTIONS_HOPS_MAX];
	uint16_t n_hops;
	const char *socket;
	enum port_kind port;
	uint32_t workers, sessions;
	uint32_t idle_us; /* the longest nap of a worker while packets come */
	bool no_huge, huge, busy_poll, json, help, version;
	const struct crypto_backend *backend;
	const char *backend_options;        /* NULL for none */
	struct cryptodev_options cryptodev; /* what they say, with the backend cryptodev */
	const char *group;                  /* whose users may connect; NULL: none */
	enum log_level level;
};

#define OPTIONS_SESSIONS_DEFAULT 4096
#define OPTIONS_IDLE_US_DEFAULT 200
#define OPTIONS_IDLE_US_MAX DP_NAP_US_MAX

/* -EINVAL with one line that says what is wrong. */
int options_parse(int argc, char **argv, struct options *o, struct err *err);
void options_help(void); /* to standard output */
