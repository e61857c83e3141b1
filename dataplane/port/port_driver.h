/* SPDX-License-Identifier: Apache-2.0 */
/* Between port.c and the kinds of port: what a kind adds to an ethdev. Private to this folder. */
#pragma once

#include "dataplane/port/exception.h"
#include "dataplane/port/netdev.h"
#include "dataplane/port/port.h"
#include "dataplane/port/steer.h"
#include "dataplane/xdp/program.h"

#define PORT_VDEV_MAX 48
#define PORT_QUEUES_MAX 64

struct port_driver {
	enum port_kind kind;
	bool on_interface; /* sits on a kernel interface, which must exist and be up, and is claimed */
	int domain;        /* of the sockets that packets arrive by, such as AF_XDP; 0: there are none */
	/* Makes the ethdev: writes port->id and private->vdev (and whatever detach() must undo). */
	int (*attach)(struct port *port, const struct port_conf *conf, struct err *err);
	/* Optional: after the ethdev started. */
	int (*started)(struct port *port, const struct port_conf *conf, struct err *err);
	/* Optional: without it all that arrives is the data plane's. */
	int (*set_media)(struct port *port, const struct dp_address *addresses, uint32_t n, struct err *err);
	const char *(*why)(void); /* optional: more about a refusal than DPDK's number, "" for nothing */
	/* Optional: puts back what somebody took off the interface; why it is deaf: a text that stays, or
	 * NULL. */
	const char *(*keep)(struct port *port);
	/* Optional: why the interface that has the port's name now could not be opened: a text that stays, or
	 * NULL. */
	const char *(*unfit)(const struct port *port);
	void (*stats)(const struct port *port,
		struct port_stats *out);   /* optional: what the ethdev does not know */
	void (*detach)(struct port *port); /* optional: after the ethdev is gone, or was never made */
};

struct port_private {
	const struct port_driver *driver;
	char vdev[PORT_VDEV_MAX]; /* the DPDK device; "" before there is one */
	bool configured;          /* the ethdev may be stopped and closed */
	uint16_t queues_most;     /* of the device, whatever its driver says */
	int claim;                /* netdev_claim(), -1 for none */
	int mark;                 /* netdev_mark(), -1 for none */
	bool any_kind;            /* conf has PORT_AUTO */
	uint32_t queues_before;   /* receive queues to give back to the interface, 0: unchanged */
	int object;               /* the XDP program's file, -1 for none */
	int program;              /* itself, -1 for none */
	const char *deaf;         /* as port_keep() found it */
	struct xdp_maps maps;
	const char *notes; /* conf's */
	struct exception *exception;
	bool kernel_answers;      /* exception is gone, as was said */
	int fds[PORT_QUEUES_MAX]; /* the queues' sockets, which are DPDK's; -1: not known */
	struct steer *steer;      /* NULL: the kernel, or a single queue, decides where packets arrive */
	char steered[STEER_REASON + 64]; /* how, as was logged last */
};

extern const struct port_driver port_driver_af_xdp;
extern const struct port_driver port_driver_af_packet;
extern const struct port_driver port_driver_device;

/* Makes the DPDK device private->vdev with these arguments and finds its number. */
int port_vdev_create(struct port *port, const char *args, struct err *err);

/*
 * DPDK tells nobody which sockets its queues have, so it is seen: what appeared in this process while a queue
 * was set up. `known` is the caller's, zeroed before.
 */
struct port_sockets {
	uint64_t known[64]; /* a bit for each descriptor */
};

/* The one socket of that domain that was not there at the call before; -1: none, or several. */
int port_socket_new(struct port_sockets *s, int domain);
