/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A redirection that is followed diverts the call, and the gateway is who does it: the new target hears for
 * whom the call was. In Diversion (RFC 5806), and in a History-Info (RFC 7044) that the caller's side has
 * begun.
 */
#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/route/identity.h"
#include "controlplane/b2bua/route/number.h"
#include "controlplane/b2bua/route/redirect.h"

#define LIST_MAX 2048
#define INDEX_MAX 64 /* octets of an entry's index */

/* Causes of RFC 4458 and the reasons of RFC 5806 that are the same (RFC 7544 section 7.1). */
static const struct {
	unsigned cause;
	const char *reason;
} causes[] = {
	{302, "unconditional"},
	{404, "unknown"},
	{408, "no-answer"},
	{480, "deflection"}, /* at once */
	{486, "user-busy"},
	{487, "deflection"}, /* while it rang */
	{503, "unavailable"},
};
#define CAUSES (sizeof causes / sizeof *causes)

unsigned redirect_cause(const struct sip_uri *contact)
{
	struct str value;
	uint64_t said;

	if (sip_param(contact->params, STR("cause"), &value) && str_to_u64(value, 999, &said) == 0)
		for (unsigned i = 0; i < CAUSES; i++)
			if (causes[i].cause == said)
				return causes[i].cause;
	return 302; /* whichever 3xx it was */
}

static const char *reason_of(unsigned cause)
{
	for (unsigned i = 0; i < CAUSES; i++)
		if (causes[i].cause == cause)
			return causes[i].reason;
	return "unknown";
}

/* Who has diverted it to where it goes now, the last one first. How many. */
static unsigned chain_of(const struct redirection *r, const struct redirect_past *chain[REDIRECT_DEPTH_MAX])
{
	unsigned n = 0;

	for (unsigned at = r->by; at && n < REDIRECT_DEPTH_MAX; at = r->past[at - 1].by)
		chain[n++] = &r->past[at - 1];
	return n;
}

bool redirect_is_private(const struct redirection *r)
{
	const struct redirect_past *chain[REDIRECT_DEPTH_MAX];
	unsigned n = chain_of(r, chain);

	while (n)
		if (chain[--n]->private)
			return true;
	return false;
}

static void put_uri(
	struct wbuf *w, const struct identity_ends *e, const struct config_host_part *part, struct str user)
{
	wbuf_z(w, "<sip:");
	number_write(&e->to->numbers, user, w);
	wbuf_z(w, "@");
	wbuf_str(w, identity_host(e, part, STR("")));
}

/* privacy: the caller's, which is about all that the call has come by (RFC 7544). */
static void tell_diversion(struct header_set *s, const struct identity_ends *e, unsigned privacy,
	const struct redirect_past *const *chain, unsigned n, unsigned cause)
{
	bool all_private = privacy & (PRIVACY_HISTORY | PRIVACY_HEADER);
	struct header_line *before = header_set_find(s, SIP_H_DIVERSION);
	char buf[LIST_MAX];
	struct wbuf w = wbuf_make(buf, sizeof buf);

	for (unsigned i = 0; i < n; i++) {
		bool private = all_private || chain[i]->private;

		if (private && !e->to->identity_trusted)
			continue;
		wbuf_z(&w, w.len ? ", " : "");
		put_uri(&w, e, &e->to->diversion, str_z(chain[i]->user));
		wbuf_fmt(&w, ">;reason=%s", reason_of(i ? chain[i - 1]->cause : cause));
		if (private)
			wbuf_z(&w, ";privacy=full");
	}
	if (!w.len)
		return;
	s->full |= w.overflow;
	if (!before) {
		header_set_add(s, SIP_H_DIVERSION, sip_hdr_name(SIP_H_DIVERSION), wbuf_view(&w));
		return;
	}
	wbuf_z(&w, ", "); /* the latest is on top */
	wbuf_str(&w, before->value);
	s->full |= w.overflow;
	before->value = header_set_keep(s, wbuf_view(&w));
}

/* The index of the last entry that there is; "" where there is none to go on from. */
static struct str last_index(const struct header_set *s)
{
	struct str rest, one, last = STR(""), index;
	struct sip_addr a;

	for (unsigned i = 0; i < s->n; i++)
		if (s->lines[i].id == SIP_H_HISTORY_INFO)
			for (rest = s->lines[i].value; sip_list_next(&rest, &one);)
				last = one;
	if (!last.n || sip_addr_parse(last, &a) < 0 || !sip_param(a.params, STR("index"), &index))
		return STR("");
	for (size_t i = 0; i < index.n; i++)
		if (index.p[i] != '.' && (index.p[i] < '0' || index.p[i] > '9'))
			return STR("");
	return index.n < INDEX_MAX ? index : STR("");
}

/*
 * The one who was called is below the entry before; each target of a response is beside the one that sent it
 * there, with the next number, and says which one that is (RFC 7044 section 10.3).
 */
static void tell_history(struct header_set *s, const struct identity_ends *e, unsigned privacy,
	const struct redirect_past *const *chain, unsigned n, struct str called, unsigned cause)
{
	struct str index = last_index(s);
	bool outside = !e->to->identity_trusted,
	     hide = outside && (privacy & (PRIVACY_HISTORY | PRIVACY_HEADER));
	char buf[LIST_MAX];
	struct wbuf w = wbuf_make(buf, sizeof buf);

	if (!index.n)
		return;
	for (unsigned i = 0; i <= n; i++) {
		const struct redirect_past *by = i < n ? chain[n - 1 - i] : NULL;
		bool private = by && by->private;

		wbuf_z(&w, i ? ", " : "");
		if (hide || (private && outside))
			wbuf_z(&w, "<sip:anonymous@anonymous.invalid");
		else
			put_uri(&w, e, &e->to->history, by ? str_z(by->user) : called);
		if (i)
			wbuf_fmt(&w, ";cause=%u", by ? by->cause : cause);
		if (by)
			wbuf_fmt(&w, "?Reason=SIP%%3Bcause%%3D%u", by->status);
		/* RFC 7044 section 10.1.2: for whoever tells it on. */
		wbuf_z(&w, private && !outside ? "&Privacy=history" : "");
		wbuf_fmt(&w, ">;index=%.*s.%u", STR_ARG(index), i + 1);
		if (i)
			wbuf_fmt(&w, ";mp=%.*s.%u", STR_ARG(index), i);
	}
	s->full |= w.overflow;
	header_set_add(s, SIP_H_HISTORY_INFO, sip_hdr_name(SIP_H_HISTORY_INFO), wbuf_view(&w));
}

void redirect_tell(struct header_set *s, const struct identity_ends *e, unsigned privacy,
	const struct redirection *r, struct str called)
{
	const struct redirect_past *chain[REDIRECT_DEPTH_MAX];
	unsigned n = chain_of(r, chain);

	if (!n)
		return;
	tell_diversion(s, e, privacy, chain, n, r->cause);
	tell_history(s, e, privacy, chain, n, called, r->cause);
}
