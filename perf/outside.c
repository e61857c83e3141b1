/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/outside.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

bool outside_net_read(const char *text, struct outside_net *out)
{
	struct str s = str_z(text), ip = str_cut(&s, '/');
	struct ip_addr addr;
	uint64_t bits = 32;

	if (ip_parse(ip, &addr) < 0 || addr.family != IP_V4 || (s.n && str_to_u64(s, 32, &bits) < 0))
		return false;
	memcpy(&out->base, addr.octets, 4);
	out->mask = bits ? UINT32_MAX << (32 - bits) : 0;
	out->base = ntohl(out->base) & out->mask;
	return true;
}

bool outside_port_read(const char *text, uint16_t usual, struct ip_port *out)
{
	struct str s = str_z(text), ip = str_cut(&s, ':');
	uint64_t port = usual;

	if (ip_parse(ip, &out->ip) < 0 || out->ip.family != IP_V4 ||
		(s.n && str_to_u64(s, UINT16_MAX, &port) < 0))
		return false;
	out->port = (uint16_t)port;
	return true;
}

double outside_now_s(void)
{
	return (double)clock_mono_ns() / 1e9;
}

uint64_t outside_random(void)
{
	return clock_mono_ns() | 1;
}

uint32_t outside_draw(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (uint32_t)(*random >> 32);
}

uint32_t outside_host(const struct outside_net *net, uint64_t *random)
{
	return net->base | (outside_draw(random) & ~net->mask);
}
