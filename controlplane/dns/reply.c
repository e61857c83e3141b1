/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dns/reply.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"

#define CLASS_IN 1
#define RCODE_NONE 0
#define RCODE_NO_NAME 3
#define ALIASES_MAX 8
#define NOTHING_TTL_S 60 /* when the server does not say how long nothing holds */

struct message {
	const uint8_t *p;
	size_t n;
};

/* One record as it stands. */
struct rr {
	char owner[DNS_NAME_MAX];
	uint16_t type, class;
	uint32_t ttl;
	struct rbuf data;
};

/* What can stand in the names of hosts and services; anything else is nobody's that is looked for here. */
static bool is_name_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '*';
}

static bool put_label(char out[DNS_NAME_MAX], size_t *len, const uint8_t *label, size_t n)
{
	if (!label || *len + n + 2 > DNS_NAME_MAX)
		return false;
	if (*len)
		out[(*len)++] = '.';
	for (size_t i = 0; i < n; i++) {
		if (!is_name_char(label[i]))
			return false;
		out[(*len)++] = (char)label[i];
	}
	out[*len] = '\0';
	return true;
}

/* A name, perhaps compressed (section 4.1.4): every jump goes to before the one ahead of it, so that it ends.
 */
static bool read_name(const struct message *m, struct rbuf *r, char out[DNS_NAME_MAX])
{
	size_t len = 0, limit = (size_t)(r->p - m->p);
	struct rbuf at = *r;
	bool jumped = false;

	out[0] = '\0';
	for (;;) {
		uint8_t n = rbuf_u8(&at);

		if (at.short_read)
			return false;
		if (n == 0)
			break;
		if ((n & 0xc0) == 0xc0) {
			size_t to = (size_t)(n & 0x3f) << 8 | rbuf_u8(&at);

			if (!jumped)
				*r = at;
			if (at.short_read || to >= limit)
				return false;
			jumped = true;
			limit = to;
			at = rbuf_make(m->p + to, m->n - to);
		} else if (n > 63 || !put_label(out, &len, rbuf_bytes(&at, n), n)) {
			return false;
		}
	}
	if (!jumped)
		*r = at;
	return true;
}

static bool read_rr(const struct message *m, struct rbuf *r, struct rr *out)
{
	uint16_t n;
	const uint8_t *data;

	if (!read_name(m, r, out->owner))
		return false;
	out->type = rbuf_u16(r);
	out->class = rbuf_u16(r);
	out->ttl = rbuf_u32(r);
	n = rbuf_u16(r);
	data = rbuf_bytes(r, n);
	if (!data)
		return false;
	if (out->ttl > INT32_MAX)
		out->ttl = 0; /* RFC 2181 section 8 */
	out->data = rbuf_make(data, n);
	return true;
}

/* A <character-string>; one that does not fit is as good as another one that is not known. */
static void read_text(struct rbuf *r, char *out, size_t cap)
{
	uint8_t n = rbuf_u8(r);
	const uint8_t *p = rbuf_bytes(r, n);

	out[0] = '\0';
	if (p)
		(void)str_copy(out, cap, (struct str){(const char *)p, n});
}

static bool read_address(struct rr *rr, uint8_t family, size_t n, struct ip_addr *out)
{
	const uint8_t *p = rbuf_bytes(&rr->data, n);

	*out = (struct ip_addr){.family = family};
	if (!p || rr->data.left)
		return false;
	memcpy(out->octets, p, n);
	return true;
}

static bool read_data(const struct message *m, struct rr *rr, struct dns_record *out)
{
	struct rbuf *r = &rr->data;

	memset(out, 0, sizeof *out);
	out->ttl = rr->ttl;
	switch (rr->type) {
	case DNS_A:
		return read_address(rr, IP_V4, 4, &out->ip);
	case DNS_AAAA:
		return read_address(rr, IP_V6, 16, &out->ip);
	case DNS_SRV:
		out->srv.priority = rbuf_u16(r);
		out->srv.weight = rbuf_u16(r);
		out->srv.port = rbuf_u16(r);
		return read_name(m, r, out->srv.target);
	case DNS_NAPTR:
		out->naptr.order = rbuf_u16(r);
		out->naptr.preference = rbuf_u16(r);
		read_text(r, out->naptr.flags, sizeof out->naptr.flags);
		read_text(r, out->naptr.service, sizeof out->naptr.service);
		read_text(r, (char[DNS_NAME_MAX]){0}, DNS_NAME_MAX); /* regexp: not with flag "s" */
		return read_name(m, r, out->naptr.replacement);
	default:
		return false;
	}
}

static void least(uint32_t *ttl, uint32_t other)
{
	if (other < *ttl)
		*ttl = other;
}

/* Is a tried before b? Of equals it is left to those who draw from them. */
static bool is_better(enum dns_type type, const struct dns_record *a, const struct dns_record *b)
{
	if (type == DNS_SRV)
		return a->srv.priority < b->srv.priority ||
		       (a->srv.priority == b->srv.priority && a->srv.weight > b->srv.weight);
	if (type == DNS_NAPTR)
		return a->naptr.order < b->naptr.order ||
		       (a->naptr.order == b->naptr.order && a->naptr.preference < b->naptr.preference);
	return false;
}

/* One more record; where there is no room the worst of all is left out. */
static void add(struct dns_reply *out, enum dns_type type, const struct dns_record *r)
{
	struct dns_record *worst = &out->records[0];

	if (out->n < DNS_RECORDS_MAX) {
		out->records[out->n++] = *r;
		return;
	}
	for (unsigned i = 1; i < out->n; i++)
		if (is_better(type, worst, &out->records[i]))
			worst = &out->records[i];
	if (is_better(type, r, worst))
		*worst = *r;
}

/* The records of one name. alias: where the name only points to, "" when it does not. */
static bool collect(const struct message *m, struct rbuf r, unsigned count, const char *name,
	enum dns_type type, struct dns_reply *out, char alias[DNS_NAME_MAX])
{
	struct dns_record record;
	struct rr rr;

	alias[0] = '\0';
	while (count--) {
		if (!read_rr(m, &r, &rr))
			return false;
		if (rr.class != CLASS_IN || strcasecmp(rr.owner, name) != 0)
			continue;
		if (rr.type == DNS_CNAME) {
			if (!read_name(m, &rr.data, alias))
				return false;
			least(&out->ttl, rr.ttl);
		} else if (rr.type == type) {
			if (!read_data(m, &rr, &record))
				return false;
			add(out, type, &record);
			least(&out->ttl, rr.ttl);
		}
	}
	return true;
}

/* RFC 2308: nothing holds as long as the zone's SOA says, and the record itself. */
static uint32_t nothing_ttl(const struct message *m, struct rbuf r, unsigned answers, unsigned authority)
{
	char name[DNS_NAME_MAX];
	struct rr rr;

	while (answers + authority > 0 && read_rr(m, &r, &rr)) {
		if (answers) {
			answers--;
			continue;
		}
		authority--;
		if (rr.type != DNS_SOA || !read_name(m, &rr.data, name) || !read_name(m, &rr.data, name) ||
			!rbuf_bytes(&rr.data, 16))
			continue;
		uint32_t ttl = rbuf_u32(&rr.data);

		if (rr.data.short_read)
			break;
		least(&ttl, rr.ttl);
		return ttl;
	}
	return NOTHING_TTL_S;
}

int dns_reply_parse(const void *p, size_t n, const char *name, enum dns_type type, struct dns_reply *out)
{
	const struct message m = {p, n};
	struct rbuf r = rbuf_make(p, n);
	char current[DNS_NAME_MAX], alias[DNS_NAME_MAX];
	uint16_t flags, questions, answers, authority;

	*out = (struct dns_reply){.ttl = UINT32_MAX};
	rbuf_u16(&r); /* id */
	flags = rbuf_u16(&r);
	questions = rbuf_u16(&r);
	answers = rbuf_u16(&r);
	authority = rbuf_u16(&r);
	rbuf_u16(&r); /* additional */
	if (r.short_read || !(flags & 0x8000) || questions != 1 || !read_name(&m, &r, current) ||
		rbuf_u16(&r) != type || rbuf_u16(&r) != CLASS_IN || strcasecmp(current, name) != 0)
		return -EBADMSG;
	if ((flags & 0xf) != RCODE_NONE && (flags & 0xf) != RCODE_NO_NAME)
		return -EAGAIN;
	for (unsigned hops = 0; hops <= ALIASES_MAX; hops++) {
		if (!collect(&m, r, answers, current, type, out, alias))
			return -EBADMSG;
		if (out->n || !alias[0])
			break;
		memcpy(current, alias, sizeof current);
	}
	if (!out->n)
		least(&out->ttl, nothing_ttl(&m, r, answers, authority));
	return 0;
}
