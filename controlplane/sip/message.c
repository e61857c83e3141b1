/* SPDX-License-Identifier: Apache-2.0 */
/* Looking things up in a parsed message, and copies of it. */
#include "controlplane/sip/message.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"

const struct sip_hdr *sip_msg_hdr(const struct sip_msg *m, enum sip_hdr_id id)
{
	uint8_t at = (unsigned)id < SIP_H_COUNT ? m->first[id] : SIP_HDR_NONE;

	return at == SIP_HDR_NONE ? NULL : &m->hdrs[at];
}

const struct sip_hdr *sip_msg_hdr_named(const struct sip_msg *m, struct str name)
{
	enum sip_hdr_id id = sip_hdr_by_name(name);

	if (id != SIP_H_OTHER)
		return sip_msg_hdr(m, id);
	for (uint8_t at = m->first[SIP_H_OTHER]; at != SIP_HDR_NONE; at = m->hdrs[at].next)
		if (str_ieq(m->hdrs[at].name, name))
			return &m->hdrs[at];
	return NULL;
}

struct str sip_msg_value(const struct sip_msg *m, enum sip_hdr_id id)
{
	const struct sip_hdr *h = sip_msg_hdr(m, id);

	return h ? h->value : (struct str){0};
}

struct sip_values sip_values(const struct sip_msg *m, enum sip_hdr_id id)
{
	uint8_t at = (unsigned)id < SIP_H_COUNT ? m->first[id] : SIP_HDR_NONE;

	return (struct sip_values){m, at, at == SIP_HDR_NONE ? (struct str){0} : m->hdrs[at].value};
}

bool sip_values_next(struct sip_values *it, struct str *value)
{
	while (it->line != SIP_HDR_NONE) {
		if (sip_list_next(&it->rest, value))
			return true;
		it->line = it->m->hdrs[it->line].next;
		if (it->line != SIP_HDR_NONE)
			it->rest = it->m->hdrs[it->line].value;
	}
	return false;
}

bool sip_msg_has_token(const struct sip_msg *m, enum sip_hdr_id id, struct str token)
{
	struct sip_values it = sip_values(m, id);
	struct str value;

	while (sip_values_next(&it, &value))
		if (str_ieq(value, token))
			return true;
	return false;
}

#define VIEW(field) offsetof(struct sip_msg, field)
#define VIEWS_URI(f)                                                                                         \
	VIEW(f.text), VIEW(f.user), VIEW(f.password), VIEW(f.host), VIEW(f.params), VIEW(f.headers)
#define VIEWS_ADDR(f) VIEW(f.display), VIEWS_URI(f.uri), VIEW(f.params)

/* Every view of a message but those of its header lines. */
static const uint16_t views[] = {
	VIEW(method_name),
	VIEWS_URI(uri),
	VIEW(reason),
	VIEW(via.text),
	VIEW(via.version),
	VIEW(via.transport),
	VIEW(via.host),
	VIEW(via.params),
	VIEW(via.branch),
	VIEWS_ADDR(from),
	VIEWS_ADDR(to),
	VIEW(from_tag),
	VIEW(to_tag),
	VIEW(call_id),
	VIEW(content_type),
	VIEW(body),
	VIEW(text),
};

static void view_move(struct str *s, const char *old_base, char *new_base)
{
	if (s->p)
		s->p = new_base + (s->p - old_base);
}

struct sip_msg *sip_msg_clone(const struct sip_msg *m)
{
	size_t head = offsetof(struct sip_msg, hdrs) + m->hdr_count * sizeof m->hdrs[0];
	struct sip_msg *c = malloc(head + m->text.n);
	const char *old_base = m->text.p;

	if (!c)
		return NULL;
	char *base = (char *)c + head;

	memcpy(c, m, head);
	memcpy(base, m->text.p, m->text.n);
	for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
		view_move((struct str *)((char *)c + views[i]), old_base, base);
	for (unsigned i = 0; i < m->hdr_count; i++) {
		view_move(&c->hdrs[i].name, old_base, base);
		view_move(&c->hdrs[i].value, old_base, base);
	}
	return c;
}

void sip_msg_drop_body(struct sip_msg *clone)
{
	if (clone->body.n)
		mem_wipe((char *)clone->body.p, clone->body.n);
	clone->body.n = 0;
}

void sip_msg_free(struct sip_msg *clone)
{
	if (!clone)
		return;
	mem_wipe(clone,
		offsetof(struct sip_msg, hdrs) + clone->hdr_count * sizeof clone->hdrs[0] + clone->text.n);
	free(clone);
}
