/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports over AF_XDP: DPDK's net_af_xdp with this project's XDP program. DPDK loads and attaches the program,
 * binds a socket to each queue and puts the sockets into the program's map; the maps of media addresses and
 * of counters are this file's (see xdp/program.h for how they are found).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/port/port_driver.h"
#include "dataplane/xdp/note.h"
#include "lib/base/log.h"
#include "lib/base/plural.h"

/*
 * Every receive queue must be bound: media on another one would fall to the kernel. Where an interface has
 * more queues than there are workers it is set to what is needed.
 */
static int queues_fit(struct port *port, struct err *err)
{
	struct netdev_queues q;
	int rc = netdev_queues_get(port->interface, &q);

	if (rc < 0)
		return err_set(
			err, -rc, "cannot ask '%s' for its queues: %s", port->interface, strerror(-rc));
	if (q.rx < port->queues)
		return err_set(err, EINVAL, "'%s' has %u receive queues, %u are needed, one per worker",
			port->interface, q.rx, port->queues);
	if (q.rx == port->queues)
		return 0;
	rc = netdev_queues_set(port->interface, port->queues);
	if (rc < 0)
		return err_set(err, -rc,
			"'%s' has %u receive queues and cannot be set to %u (%s); media on an unbound queue "
			"would "
			"go to the kernel; try 'ethtool -L %s combined %u'",
			port->interface, q.rx, port->queues, strerror(-rc), port->interface, port->queues);
	port->private->queues_before = q.rx;
	return 0;
}

static int af_xdp_attach(struct port *port, const struct port_conf *conf, struct err *err)
{
	char args[160], path[XDP_PATH_MAX];
	int fd, rc;

	/* It registers a pool with the kernel as one stretch of memory, from its first chunk on. */
	if (conf->pool->nb_mem_chunks != 1)
		return err_set(err, ENOMEM,
			"frames lie in %u stretches of memory where AF_XDP takes one; start with fewer "
			"interfaces, or without "
			"devices that need uio",
			conf->pool->nb_mem_chunks);
	port->private->notes = conf->notes;
	rc = xdp_detach(port->ifindex, xdp_note_read(conf->notes, port->interface), err);
	if (rc > 0)
		log_info("port", "XDP program of a killed predecessor removed",
			LZ("interface", port->interface));
	if (rc < 0)
		return rc;
	exception_remove_stale(port->interface);
	rc = queues_fit(port, err);
	if (rc < 0)
		return rc;
	rc = xdp_object_file(&fd, path, err);
	if (rc < 0)
		return rc;
	port->private->object = fd;
	xdp_complaints_listen();
	snprintf(port->private->vdev, PORT_VDEV_MAX, "net_af_xdp_%s", port->interface);
	/*
	 * In copy mode the kernel delivers by itself. DPDK's default, busy polling, is a system call at every look
	 * that finds nothing, and at every burst that is sent another turn of the interface's poll function.
	 */
	snprintf(args, sizeof(args), "iface=%s,queue_count=%u,xdp_prog=%s%s", port->interface, port->queues,
		path, conf->zero_copy ? "" : ",force_copy=1,busy_budget=0");
	return port_vdev_create(port, args, err);
}

static int af_xdp_started(struct port *port, const struct port_conf *conf, struct err *err)
{
	int rc = xdp_program(port->ifindex, err);

	if (rc < 0)
		return rc;
	port->private->program = rc;
	rc = xdp_maps_of_program(port->private->program, &port->private->maps, err);
	if (rc < 0)
		return rc;
	rc = xdp_note_write(conf->notes, port->interface, xdp_program_id(port->ifindex));
	if (rc < 0)
		log_warn("port", "the number of the XDP program cannot be noted beside the socket",
			LZ("interface", port->interface), LZ("why", strerror(-rc)));
	snprintf(port->report, sizeof(port->report), "af_xdp, %s program, %s, %u queue%s",
		xdp_mode(port->ifindex), conf->zero_copy ? "zero-copy where the driver can" : "copy mode",
		port->queues, plural(port->queues));
	if (port->private->queues_before != 0) {
		size_t n = strlen(port->report);

		snprintf(port->report + n, sizeof(port->report) - n, " (the interface had %u)",
			port->private->queues_before);
	}
	return 0;
}

static const char *af_xdp_why(void)
{
	const char *said = xdp_complaints_said();

	if (said[0] == '\0' && geteuid() != 0)
		return "not root; CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_IPC_LOCK are needed";
	return said;
}

static int af_xdp_set_media(
	struct port *port, const struct dp_address *addresses, uint32_t n, struct err *err)
{
	return xdp_set_media(&port->private->maps, addresses, n, err);
}

/* Whoever takes the program off ('ip link set ... xdp off') takes all media away, and no packet tells. */
static const char *af_xdp_keep(struct port *port)
{
	int rc = xdp_keep(port->ifindex, port->private->program);

	if (rc == 1)
		log_warn("port",
			"the XDP program had been taken off and is back: no media was heard meanwhile",
			LZ("interface", port->interface));
	if (rc == -EBUSY)
		return "another XDP program has taken the place of ours; take it off with 'ip link set ... xdp off'";
	if (rc >= 0 || rc == -ENODEV)
		return NULL;
	if (port->private->deaf == NULL)
		log_warn("port", "the XDP program was taken off and cannot be put back: no media is heard",
			LZ("interface", port->interface), LZ("why", strerror(-rc)));
	return "the XDP program was taken off and cannot be put back";
}

static const char *af_xdp_unfit(const struct port *port)
{
	struct netdev_queues q;

	return netdev_queues_get(port->interface, &q) < 0 || q.rx < port->queues
		       ? "the interface is gone, and the one that has its name has too few queues"
		       : NULL;
}

static void af_xdp_stats(const struct port *port, struct port_stats *out)
{
	uint64_t counters[XDP_COUNTERS];

	if (xdp_counters(&port->private->maps, counters) < 0)
		return;
	out->to_kernel = counters[XDP_COUNT_PASSED];
	out->fragments = counters[XDP_COUNT_FRAGMENT];
}

static void af_xdp_detach(struct port *port)
{
	struct port_private *p = port->private;
	struct err err = {0};

	/* DPDK takes its program off when it closes, but not when it failed half way. */
	if (xdp_detach(port->ifindex, xdp_note_read(p->notes, port->interface), &err) < 0)
		log_warn("port", "XDP program stays", LZ("interface", port->interface), LZ("why", err.text));
	else
		(void)xdp_note_write(p->notes, port->interface, 0);
	xdp_maps_close(&p->maps);
	if (p->program >= 0)
		close(p->program);
	p->program = -1;
	if (p->object >= 0)
		close(p->object);
	p->object = -1;
	if (p->queues_before != 0 && netdev_queues_set(port->interface, p->queues_before) < 0)
		log_warn("port", "cannot give the interface its queues back",
			LZ("interface", port->interface), LU("queues", p->queues_before));
	p->queues_before = 0;
}

const struct port_driver port_driver_af_xdp = {
	.kind = PORT_AF_XDP,
	.on_interface = true,
	.domain = AF_XDP,
	.attach = af_xdp_attach,
	.started = af_xdp_started,
	.set_media = af_xdp_set_media,
	.why = af_xdp_why,
	.keep = af_xdp_keep,
	.unfit = af_xdp_unfit,
	.stats = af_xdp_stats,
	.detach = af_xdp_detach,
};
