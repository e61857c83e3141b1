/* SPDX-License-Identifier: Apache-2.0 */
/* The first octet chooses the type that was asked for; the name is the one in the message. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/dns/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(enum dns_type type, const struct dns_record *r)
{
	if ((type == DNS_A && r->ip.family != IP_V4) || (type == DNS_AAAA && r->ip.family != IP_V6))
		abort();
	if (type == DNS_SRV && !memchr(r->srv.target, 0, sizeof r->srv.target))
		abort();
	if (type == DNS_NAPTR && (!memchr(r->naptr.replacement, 0, sizeof r->naptr.replacement) ||
					 !memchr(r->naptr.service, 0, sizeof r->naptr.service) ||
					 !memchr(r->naptr.flags, 0, sizeof r->naptr.flags)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR};
	static struct dns_reply reply;

	if (!size)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		enum dns_type type = types[data[0] % 4];

		if (dns_reply_parse(data + 1, size - 1, i ? "sip.example" : "_sips._tcp.sip.example", type,
			    &reply) < 0)
			continue;
		if (reply.n > DNS_RECORDS_MAX)
			abort();
		for (unsigned k = 0; k < reply.n; k++)
			check(type, &reply.records[k]);
	}
	return 0;
}
