/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports over AF_PACKET: works on every interface, at a fraction of AF_XDP's rate, and every frame arrives.
 * The kernel gets its copy of media too; exception.h keeps it from answering.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "dataplane/port/port_driver.h"
#include "dataplane/xdp/note.h"
#include "lib/base/log.h"
#include "lib/base/plural.h"

/*
 * Rings of 4096 frames in blocks of 64 KB instead of DPDK's 512 frames: with bypassed queueing disciplines
 * that trebles the packet rate on veth. A frame of 2048 octets holds the kernel's header and an Ethernet
 * frame of 1518.
 */
#define AF_PACKET_ARGS "blocksz=65536,framesz=2048,framecnt=4096,qdisc_bypass=1"

static int af_packet_attach(struct port *port, const struct port_conf *conf, struct err *err)
{
	char args[160];
	int rc;

	rc = xdp_detach(port->ifindex, xdp_note_read(conf->notes, port->interface), err);
	if (rc > 0)
		log_info("port", "XDP program of a killed predecessor removed",
			LZ("interface", port->interface));
	if (rc >= 0)
		(void)xdp_note_write(conf->notes, port->interface, 0);
	/* A foreign program is not ours to judge; whatever it passes arrives here. */
	if (rc == -EPERM)
		log_error("port",
			"an XDP program is on the interface: if a killed data plane left it, media is dropped by it",
			LZ("interface", port->interface), LZ("why", err->text));
	else if (rc < 0 && rc != -EBUSY)
		log_debug("port", "XDP not asked", LZ("interface", port->interface), LZ("why", err->text));
	rc = exception_open(port->interface, &port->private->exception, err);
	if (rc < 0) {
		err_prefix(err, "af_packet on '%s' needs nftables, or the kernel answers media itself",
			port->interface);
		return rc;
	}
	snprintf(port->private->vdev, PORT_VDEV_MAX, "net_af_packet_%s", port->interface);
	snprintf(args, sizeof(args), "iface=%s,qpairs=%u," AF_PACKET_ARGS, port->interface, port->queues);
	rc = port_vdev_create(port, args, err);
	if (rc == 0)
		snprintf(port->report, sizeof(port->report), "af_packet, %u queue%s", port->queues,
			plural(port->queues));
	return rc;
}

static int af_packet_set_media(
	struct port *port, const struct dp_address *addresses, uint32_t n, struct err *err)
{
	return exception_set_media(port->private->exception, addresses, n, err);
}

static const char *af_packet_keep(struct port *port)
{
	struct err err = {0};
	int rc = exception_keep(port->private->exception, &err);

	if (rc == 1)
		log_warn("port",
			"the nftables table had been taken away and is back: the kernel answered media meanwhile",
			LZ("interface", port->interface));
	else if (rc < 0 && !port->private->kernel_answers)
		log_error("port", "the nftables table was taken away: the kernel answers media with errors",
			LZ("interface", port->interface), LZ("why", err.text));
	port->private->kernel_answers = rc < 0;
	return NULL; /* media is heard all the same */
}

static void af_packet_detach(struct port *port)
{
	exception_close(port->private->exception);
	port->private->exception = NULL;
}

const struct port_driver port_driver_af_packet = {
	.kind = PORT_AF_PACKET,
	.on_interface = true,
	.domain = AF_PACKET,
	.attach = af_packet_attach,
	.set_media = af_packet_set_media,
	.keep = af_packet_keep,
	.detach = af_packet_detach,
};
