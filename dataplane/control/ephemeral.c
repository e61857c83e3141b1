/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/control/ephemeral.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

#define SYSCTL "/proc/sys/net/ipv4/"
#define TEXT_MAX 4096

/* Is a port in a list such as "8080,9000-9100"? */
static bool listed(const char *list, unsigned long port)
{
	while (*list) {
		char *end;
		unsigned long lower = strtoul(list, &end, 10), upper = lower;

		if (end == list)
			return false;
		if (*end == '-')
			upper = strtoul(end + 1, &end, 10);
		if (port >= lower && port <= upper)
			return true;
		list = end + strspn(end, ", \t\n");
	}
	return false;
}

static bool is_media(const struct dp_address *media, uint32_t n, unsigned long port)
{
	for (uint32_t i = 0; i < n; i++)
		if (port >= media[i].port_lower && port <= media[i].port_upper)
			return true;
	return false;
}

bool ephemeral_overlap(const char *range, const char *reserved, const struct dp_address *media, uint32_t n,
	uint16_t *lower, uint16_t *upper)
{
	unsigned first, last;
	bool found = false;

	if (sscanf(range, "%u %u", &first, &last) != 2 || last > UINT16_MAX)
		return false;
	for (unsigned port = first; port <= last; port++) {
		if (!is_media(media, n, port) || listed(reserved, port))
			continue;
		if (!found)
			*lower = (uint16_t)port;
		*upper = (uint16_t)port;
		found = true;
	}
	return found;
}

/* "" when it cannot be read: then nothing is known and nothing said. */
static void sysctl_read(const char *path, char text[TEXT_MAX])
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, TEXT_MAX - 1, f) : 0;

	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	if (f)
		fclose(f);
}

void ephemeral_warn(const struct dp_address *media, uint32_t n)
{
	char range[TEXT_MAX], reserved[TEXT_MAX], command[TEXT_MAX + 128];
	uint16_t lower, upper;

	sysctl_read(SYSCTL "ip_local_port_range", range);
	sysctl_read(SYSCTL "ip_local_reserved_ports", reserved);
	if (!ephemeral_overlap(range, reserved, media, n, &lower, &upper))
		return;
	snprintf(command, sizeof command, "sysctl -w net.ipv4.ip_local_reserved_ports=%s%s%u-%u", reserved,
		reserved[0] ? "," : "", lower, upper);
	log_warn("control",
		"the kernel may give media ports to sockets of this machine, which then hear no answer",
		LU("lower", lower), LU("upper", upper), LZ("remedy", command));
}
