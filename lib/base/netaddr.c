/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/netaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

int ip_parse(struct str text, struct ip_addr *out)
{
	char z[IP_TEXT_MAX];
	struct ip_addr ip = {0};

	if (str_copy(z, sizeof z, text) < 0)
		return -EINVAL;
	if (inet_pton(AF_INET, z, ip.octets) == 1)
		ip.family = IP_V4;
	else if (inet_pton(AF_INET6, z, ip.octets) == 1)
		ip.family = IP_V6;
	else
		return -EINVAL;
	*out = ip;
	return 0;
}

const char *ip_text(const struct ip_addr *ip, char buf[IP_TEXT_MAX])
{
	if (ip->family == IP_NONE || !inet_ntop(ip->family == IP_V4 ? AF_INET : AF_INET6, ip->octets, buf, IP_TEXT_MAX))
		snprintf(buf, IP_TEXT_MAX, "none");
	return buf;
}

const char *ip_port_text(const struct ip_port *a, char buf[IP_PORT_TEXT_MAX])
{
	char ip[IP_TEXT_MAX];

	snprintf(buf, IP_PORT_TEXT_MAX, a->ip.family == IP_V6 ? "[%s]:%u" : "%s:%u", ip_text(&a->ip, ip), a->port);
	return buf;
}

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

bool ip_is_unspecified(const struct ip_addr *ip)
{
	static const uint8_t zero[16];

	return ip->family == IP_NONE || memcmp(ip->octets, zero, sizeof zero) == 0;
}

int ip_port_from_sockaddr(const struct sockaddr *sa, struct ip_port *out)
{
	struct ip_port a = {0};

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		a.ip.family = IP_V4;
		memcpy(a.ip.octets, &in->sin_addr, 4);
		a.port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		a.ip.family = IP_V6;
		memcpy(a.ip.octets, &in6->sin6_addr, 16);
		a.port = ntohs(in6->sin6_port);
	} else {
		return -EAFNOSUPPORT;
	}
	*out = a;
	return 0;
}

socklen_t ip_port_to_sockaddr(const struct ip_port *a, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (a->ip.family == IP_V4) {
		struct sockaddr_in *in = (void *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip.octets, 4);
		return sizeof *in;
	}
	if (a->ip.family == IP_V6) {
		struct sockaddr_in6 *in6 = (void *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(a->port);
		memcpy(&in6->sin6_addr, a->ip.octets, 16);
		return sizeof *in6;
	}
	return 0;
}
