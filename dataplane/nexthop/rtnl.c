/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/nexthop/rtnl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#define REQUEST_MAX 512
#define EVENT_BUFFER (4 * 1024 * 1024) /* thousands of route changes while the thread is busy */
#define ANSWER_TIMEOUT_S 2
#define ATTRS 32

struct attrs {
	const struct nlattr *at[ATTRS];
};

static int family_of(const struct ip_addr *ip)
{
	return ip->family == IP_V4 ? AF_INET : AF_INET6;
}

static size_t octets_of(const struct ip_addr *ip)
{
	return ip->family == IP_V4 ? 4 : 16;
}

/* libmnl compares lengths as int: one above INT_MAX passes its test. */
static bool message_ok(const struct nlmsghdr *h, int left)
{
	return mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (uint32_t)left;
}

static int rtnl_socket(int flags)
{
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE), code;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	code = errno;
	close(fd);
	return -code;
}

int rtnl_open(void)
{
	struct timeval limit = {.tv_sec = ANSWER_TIMEOUT_S};
	int fd = rtnl_socket(0), one = 1;

	if (fd < 0)
		return fd;
	/* The kernel answers within the send; the limit is for a kernel that is out of memory for the answer.
	 */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return fd;
}

int rtnl_listen(void)
{
	static const int groups[] = {RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_LINK,
		RTNLGRP_NEXTHOP};
	int fd = rtnl_socket(SOCK_NONBLOCK), size = EVENT_BUFFER;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(int)) < 0 &&
			groups[i] !=
				RTNLGRP_NEXTHOP) { /* not in every kernel; its routes are announced too */
			int code = errno;

			close(fd);
			return -code;
		}
	}
	return fd;
}

static int attr_collect(const struct nlattr *attr, void *data)
{
	struct attrs *a = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < ATTRS)
		a->at[type] = attr;
	return MNL_CB_OK;
}

/*
 * libmnl rounds a message's length up and so reads up to 3 octets behind one that is no multiple of 4. The
 * kernel's all are.
 */
static void attrs_parse(const struct nlmsghdr *h, unsigned offset, struct attrs *a)
{
	if (h->nlmsg_len % MNL_ALIGNTO == 0)
		mnl_attr_parse(h, offset, attr_collect, a);
}

/* An address attribute; false when it is absent or too short for the family. */
static bool attr_ip(const struct nlattr *attr, int family, struct ip_addr *out)
{
	size_t n = family == AF_INET ? 4 : 16;

	if (attr == NULL || (family != AF_INET && family != AF_INET6) || mnl_attr_get_payload_len(attr) < n)
		return false;
	*out = (struct ip_addr){.family = family == AF_INET ? IP_V4 : IP_V6};
	memcpy(out->octets, mnl_attr_get_payload(attr), n);
	return true;
}

static bool attr_u32(const struct nlattr *attr, uint32_t *out)
{
	if (attr == NULL || mnl_attr_get_payload_len(attr) < sizeof(*out))
		return false;
	memcpy(out, mnl_attr_get_payload(attr), sizeof(*out));
	return true;
}

typedef int (*answer_fn)(const struct nlmsghdr *h, void *ctx);

/*
 * Sends a request and gives every message of its answer to fn (which may be NULL) until the acknowledgement,
 * the error or the end of the dump. Answers of earlier requests that timed out are passed over by their
 * sequence number.
 */
static int ask(int fd, struct nlmsghdr *request, answer_fn fn, void *ctx)
{
	static _Thread_local uint32_t seq;
	_Alignas(8) char buf[RTNL_DATAGRAM_MAX];

	request->nlmsg_seq = ++seq;
	if (send(fd, request, request->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t got = recv(fd, buf, sizeof(buf), 0);
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (const struct nlmsghdr *h = (const void *)buf; mnl_nlmsg_ok(h, left);
			h = mnl_nlmsg_next(h, &left)) {
			if (h->nlmsg_seq != request->nlmsg_seq)
				continue;
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return mnl_nlmsg_get_payload_len(h) >= sizeof(struct nlmsgerr)
					       ? ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error
					       : -EPROTO;
			if (fn != NULL && fn(h, ctx) < 0)
				return -EPROTO;
		}
	}
}

static struct nlmsghdr *request_start(char buf[REQUEST_MAX], uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return h;
}

static int route_answer(const struct nlmsghdr *h, void *ctx)
{
	struct rtnl_route *out = ctx;
	struct attrs a = {0}, metrics = {0};

	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(struct rtmsg))
		return 0;
	const struct rtmsg *rt = mnl_nlmsg_get_payload(h);
	attrs_parse(h, sizeof(*rt), &a);
	out->kind = rt->rtm_type == RTN_UNICAST ? RTNL_ROUTE_UNICAST
		    : rt->rtm_type == RTN_LOCAL ? RTNL_ROUTE_LOCAL
						: RTNL_ROUTE_OTHER;
	(void)attr_u32(a.at[RTA_OIF], &out->ifindex);
	(void)attr_ip(a.at[RTA_GATEWAY], rt->rtm_family, &out->next_hop);
	if (a.at[RTA_VIA] != NULL && mnl_attr_get_payload_len(a.at[RTA_VIA]) >= sizeof(struct rtvia) + 16) {
		const struct rtvia *via = mnl_attr_get_payload(a.at[RTA_VIA]);

		if (via->rtvia_family == AF_INET6) { /* IPv4 over an IPv6 gateway, RFC 8950 */
			out->next_hop = (struct ip_addr){.family = IP_V6};
			memcpy(out->next_hop.octets, via->rtvia_addr, 16);
		}
	}
	if (a.at[RTA_METRICS] != NULL) {
		mnl_attr_parse_nested(a.at[RTA_METRICS], attr_collect, &metrics);
		(void)attr_u32(metrics.at[RTAX_MTU], &out->mtu);
	}
	return 0;
}

int rtnl_route_get(int fd, const struct ip_addr *local, const struct ip_addr *remote, struct rtnl_route *out)
{
	_Alignas(8) char buf[REQUEST_MAX];
	struct nlmsghdr *h = request_start(buf, RTM_GETROUTE, 0);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));
	struct rtnl_route route = {.kind = RTNL_ROUTE_OTHER};
	size_t n = octets_of(remote);
	int rc;

	if (local->family != remote->family)
		return -EINVAL;
	rt->rtm_family = (uint8_t)family_of(remote);
	rt->rtm_dst_len = rt->rtm_src_len = (uint8_t)(n * 8);
	mnl_attr_put(h, RTA_DST, n, remote->octets);
	mnl_attr_put(h, RTA_SRC, n, local->octets);
	mnl_attr_put_u8(h, RTA_IP_PROTO, IPPROTO_UDP);
	rc = ask(fd, h, route_answer, &route);
	if (rc < 0)
		return rc;
	if (route.next_hop.family == IP_NONE)
		route.next_hop = *remote;
	*out = route;
	return 0;
}

static int link_answer(const struct nlmsghdr *h, void *ctx)
{
	struct rtnl_link *out = ctx;
	struct attrs a = {0};

	if (h->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(h) < sizeof(struct ifinfomsg))
		return 0;
	attrs_parse(h, sizeof(struct ifinfomsg), &a);
	if (!attr_u32(a.at[IFLA_MTU], &out->mtu) || a.at[IFLA_ADDRESS] == NULL ||
		mnl_attr_get_payload_len(a.at[IFLA_ADDRESS]) != sizeof(out->mac))
		return -EPROTO;
	memcpy(out->mac, mnl_attr_get_payload(a.at[IFLA_ADDRESS]), sizeof(out->mac));
	return 0;
}

int rtnl_link_get(int fd, uint32_t ifindex, struct rtnl_link *out)
{
	_Alignas(8) char buf[REQUEST_MAX];
	struct nlmsghdr *h = request_start(buf, RTM_GETLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)ifindex;
	return ask(fd, h, link_answer, out);
}

static bool neighbour_parse(const struct nlmsghdr *h, struct rtnl_neighbour *out)
{
	struct attrs a = {0};

	if (mnl_nlmsg_get_payload_len(h) < sizeof(struct ndmsg))
		return false;
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	attrs_parse(h, sizeof(*nd), &a);
	*out = (struct rtnl_neighbour){.ifindex = (uint32_t)nd->ndm_ifindex, .state = nd->ndm_state};
	if (!attr_ip(a.at[NDA_DST], nd->ndm_family, &out->ip))
		return false;
	if (a.at[NDA_LLADDR] != NULL && mnl_attr_get_payload_len(a.at[NDA_LLADDR]) == sizeof(out->mac)) {
		memcpy(out->mac, mnl_attr_get_payload(a.at[NDA_LLADDR]), sizeof(out->mac));
		out->has_mac = true;
	}
	if (h->nlmsg_type == RTM_DELNEIGH)
		out->state = 0;
	return true;
}

static int neighbour_answer(const struct nlmsghdr *h, void *ctx)
{
	if (h->nlmsg_type == RTM_NEWNEIGH && !neighbour_parse(h, ctx))
		return -EPROTO;
	return 0;
}

static struct nlmsghdr *neighbour_request(char buf[REQUEST_MAX], uint16_t type, uint16_t flags,
	uint32_t ifindex, const struct ip_addr *ip, uint8_t ntf)
{
	struct nlmsghdr *h = request_start(buf, type, flags);
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));

	nd->ndm_family = (uint8_t)family_of(ip);
	nd->ndm_ifindex = (int)ifindex;
	nd->ndm_flags = ntf;
	mnl_attr_put(h, NDA_DST, octets_of(ip), ip->octets);
	return h;
}

int rtnl_neighbour_get(int fd, uint32_t ifindex, const struct ip_addr *ip, struct rtnl_neighbour *out)
{
	_Alignas(8) char buf[REQUEST_MAX];

	return ask(fd, neighbour_request(buf, RTM_GETNEIGH, 0, ifindex, ip, 0), neighbour_answer, out);
}

int rtnl_neighbour_use(int fd, uint32_t ifindex, const struct ip_addr *ip)
{
	_Alignas(8) char buf[REQUEST_MAX];

	return ask(fd, neighbour_request(buf, RTM_NEWNEIGH, NLM_F_CREATE, ifindex, ip, NTF_USE), NULL, NULL);
}

struct addresses_ctx {
	void (*each)(void *ctx, uint32_t ifindex, const struct ip_addr *ip);
	void *ctx;
};

static int address_answer(const struct nlmsghdr *h, void *ctx)
{
	const struct addresses_ctx *c = ctx;
	struct attrs a = {0};
	struct ip_addr ip;

	if (h->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(h) < sizeof(struct ifaddrmsg))
		return 0;
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	attrs_parse(h, sizeof(*ifa), &a);
	/* On a point-to-point link IFA_ADDRESS is the peer's. */
	if (attr_ip(a.at[IFA_LOCAL] != NULL ? a.at[IFA_LOCAL] : a.at[IFA_ADDRESS], ifa->ifa_family, &ip))
		c->each(c->ctx, ifa->ifa_index, &ip);
	return 0;
}

int rtnl_addresses(int fd, void (*each)(void *ctx, uint32_t ifindex, const struct ip_addr *ip), void *ctx)
{
	_Alignas(8) char buf[REQUEST_MAX];
	struct nlmsghdr *h = request_start(buf, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));
	struct addresses_ctx c = {.each = each, .ctx = ctx};

	ifa->ifa_family = AF_UNSPEC;
	return ask(fd, h, address_answer, &c);
}

const void *rtnl_message(const void *data, const void *at, size_t *left)
{
	const struct nlmsghdr *h = at != NULL ? at : data;
	int n = *left > RTNL_DATAGRAM_MAX ? 0 : (int)*left;

	if (at != NULL) {
		h = mnl_nlmsg_next(
			h, &n); /* n may fall below 0: the last message's padding need not be there */
		*left = n > 0 ? (size_t)n : 0;
	}
	return message_ok(h, n) ? h : NULL;
}

enum rtnl_event rtnl_event_parse(const void *message, size_t n, struct rtnl_neighbour *neighbour)
{
	const struct nlmsghdr *h = message;

	if (n > RTNL_DATAGRAM_MAX || !message_ok(h, (int)n))
		return RTNL_NOTHING;
	switch (h->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return neighbour_parse(h, neighbour) ? RTNL_NEIGHBOUR_CHANGED : RTNL_NOTHING;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return RTNL_ADDRESSES_CHANGED;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_NEWLINK:
	case RTM_DELLINK:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		return RTNL_ROUTES_CHANGED;
	default:
		return RTNL_NOTHING;
	}
}
