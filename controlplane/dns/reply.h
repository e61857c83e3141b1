/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a DNS server answered to one question (RFC 1035), as far as finding a SIP server needs it: A, AAAA,
 * SRV (RFC 2782) and NAPTR (RFC 3403) records with their time to live. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/netaddr.h"

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_SOA = 6, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 };

#define DNS_NAME_MAX 256   /* text of a name, without a dot at its end, and a NUL */
#define DNS_RECORDS_MAX 64 /* of one answer: of SRV and NAPTR the best, of addresses the first */

struct dns_record {
	uint32_t ttl; /* seconds */
	union {
		struct ip_addr ip;
		struct {
			uint16_t priority, weight, port;
			char target[DNS_NAME_MAX]; /* "": the service is decidedly not there */
		} srv;
		struct {
			uint16_t order, preference;
			char flags[8], service[32]; /* "s", "SIPS+D2T" */
			char replacement[DNS_NAME_MAX];
		} naptr;
	};
};

struct dns_reply {
	unsigned n;   /* 0: the name has no such records */
	uint32_t ttl; /* seconds: the least of the records and aliases; of nothing: how long that holds */
	struct dns_record records[DNS_RECORDS_MAX];
};

/*
 * A whole message, the answer to a question for name and type. Aliases are followed within it, records of
 * other names are not looked at. -EBADMSG: malformed; -EAGAIN: the server failed or refused.
 */
int dns_reply_parse(const void *p, size_t n, const char *name, enum dns_type type, struct dns_reply *out);
