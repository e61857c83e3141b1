/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port/netdev.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if_arp.h>

static int request(int fd, unsigned long what, const char *name, struct ifreq *ifr)
{
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	return ioctl(fd, what, ifr) < 0 ? -errno : 0;
}

int netdev_get(const char *name, struct netdev *out, struct err *err)
{
	struct ifreq ifr = {0};
	struct netdev dev = {0};
	int fd, rc;

	if (name == NULL || name[0] == '\0' || strlen(name) >= IF_NAMESIZE)
		return err_set(err, EINVAL, "'%s' is no interface name", name != NULL ? name : "");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, errno, "socket: %s", strerror(errno));
	snprintf(dev.name, sizeof(dev.name), "%s", name);
	rc = request(fd, SIOCGIFINDEX, name, &ifr);
	dev.ifindex = ifr.ifr_ifindex;
	if (rc == 0)
		rc = request(fd, SIOCGIFHWADDR, name, &ifr);
	if (rc == 0 && ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		rc = -ENOTSUP;
	memcpy(dev.mac, ifr.ifr_hwaddr.sa_data, sizeof(dev.mac));
	if (rc == 0)
		rc = request(fd, SIOCGIFMTU, name, &ifr);
	dev.mtu = ifr.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)ifr.ifr_mtu;
	if (rc == 0)
		rc = request(fd, SIOCGIFFLAGS, name, &ifr);
	dev.up = (ifr.ifr_flags & IFF_UP) != 0;
	close(fd);
	if (rc == -ENODEV || rc == -ENXIO)
		return err_set(err, ENODEV, "there is no interface '%s' in this network namespace", name);
	if (rc == -ENOTSUP)
		return err_set(err, ENOTSUP, "interface '%s' is not Ethernet", name);
	if (rc < 0)
		return err_set(err, -rc, "interface '%s': %s", name, strerror(-rc));
	*out = dev;
	return 0;
}

bool netdev_runs(const char *name)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && request(fd, SIOCGIFFLAGS, name, &ifr) == 0 &&
		   (ifr.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);

	if (fd >= 0)
		close(fd);
	return yes;
}

/*
 * The kernel unbinds such a socket from an interface that goes, be it only to another network namespace, and
 * binds it to none that comes. Of no protocol: nothing is received by it.
 */
int netdev_mark(int ifindex, struct err *err)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), code;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	code = errno;
	if (fd >= 0)
		close(fd);
	return err_set(err, code, "interface %d cannot be watched: %s%s", ifindex, strerror(code),
		code == EPERM ? "; CAP_NET_RAW is needed" : "");
}

/* The number of the interface that mark is of; 0: it is gone. */
static unsigned number_of(int mark)
{
	struct sockaddr_ll at;
	socklen_t n = sizeof(at);

	return getsockname(mark, (struct sockaddr *)&at, &n) == 0 && at.sll_ifindex > 0
		       ? (unsigned)at.sll_ifindex
		       : 0;
}

enum netdev_state netdev_state(int mark, const char *name)
{
	unsigned number = number_of(mark);
	char now[IF_NAMESIZE]; /* it may have been given another one */

	if (number != 0 && if_indextoname(number, now) != NULL)
		return netdev_runs(now) ? NETDEV_RUNNING : NETDEV_STILL;
	return if_nametoindex(name) != 0 ? NETDEV_REPLACED : NETDEV_GONE;
}

static int channels(const char *name, struct ethtool_channels *ch)
{
	struct ifreq ifr = {.ifr_data = (void *)ch};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = request(fd, SIOCETHTOOL, name, &ifr);
	close(fd);
	return rc;
}

int netdev_queues_get(const char *name, struct netdev_queues *out)
{
	struct ethtool_channels ch = {.cmd = ETHTOOL_GCHANNELS};
	int rc = channels(name, &ch);

	if (rc == -EOPNOTSUPP || (rc == 0 && ch.max_combined + ch.max_rx == 0)) {
		*out = (struct netdev_queues){.rx = 1, .tx = 1, .fixed = true};
		return 0;
	}
	if (rc < 0)
		return rc;
	*out = (struct netdev_queues){
		.rx = ch.combined_count + ch.rx_count, .tx = ch.combined_count + ch.tx_count};
	return 0;
}

int netdev_queues_set(const char *name, uint32_t n)
{
	struct ethtool_channels ch = {.cmd = ETHTOOL_GCHANNELS};
	int rc = channels(name, &ch);

	if (rc < 0)
		return rc == -EOPNOTSUPP ? -ENOTSUP : rc;
	ch.cmd = ETHTOOL_SCHANNELS;
	if (ch.max_combined > 0) {
		ch.combined_count = n;
		ch.rx_count = ch.tx_count = 0;
	} else {
		/* Transmit queues of virtual pairs are bound to the peer's receive queues: leave them. */
		ch.rx_count = n;
	}
	rc = channels(name, &ch);
	return rc == -EOPNOTSUPP ? -ENOTSUP : rc;
}

int netdev_claim(const char *name, struct err *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), n, code;

	if (fd < 0)
		return err_set(err, errno, "socket: %s", strerror(errno));
	/* sun_path[0] stays 0: the abstract namespace. */
	n = snprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1, "srtpgw-port/%s", name);
	if (bind(fd, (struct sockaddr *)&sun,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == 0)
		return fd;
	code = errno;
	close(fd);
	if (code == EADDRINUSE)
		return err_set(err, EBUSY, "interface '%s' is in use by another srtpgw data plane", name);
	return err_set(err, code, "interface '%s': %s", name, strerror(code));
}
