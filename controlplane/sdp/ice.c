/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sdp/ice.h"

#include <errno.h>
#include <string.h>

#include <openssl/sha.h>

#include "controlplane/keys/base64.h"
#include "lib/msg/dp_msg.h"

#define DISCARD_PORT 9 /* of a description whose candidates come later, RFC 8840 section 4.1.1 */

/* Type preference of a host candidate, one local preference, and the component: RFC 8445 section 5.1.2.1. */
#define HOST_PRIORITY(component) (126u << 24 | 65535u << 8 | (256u - (component)))

/* Base64 of whole groups of three octets has ICE's characters and no padding. */
static int random_text(char *out, size_t characters)
{
	SECRET_AUTO struct secret random = {0};
	struct wbuf w = wbuf_make(out, characters);

	if (secret_random(&random, characters / 4 * 3) < 0)
		return -EIO;
	base64_encode(&w, &random);
	return 0;
}

int ice_credentials_make(struct ice_credentials *c)
{
	int rc;

	ice_credentials_wipe(c);
	rc = random_text(c->ufrag, ICE_UFRAG);
	if (rc == 0)
		rc = random_text((char *)c->pwd.octets, ICE_PWD);
	c->pwd.len = ICE_PWD;
	if (rc < 0)
		ice_credentials_wipe(c);
	return rc;
}

void ice_credentials_wipe(struct ice_credentials *c)
{
	mem_wipe(c, sizeof *c);
}

bool ice_credentials_same(const struct ice_credentials *a, const struct ice_credentials *b)
{
	return strcmp(a->ufrag, b->ufrag) == 0;
}

/* Of the m-line, or else the session's. p NULL: there is none. */
static struct str value_of(const struct sdp *s, const struct sdp_media *m, struct str name)
{
	const struct sdp_attr *a = sdp_attr_find(s, m, name);

	if (!a)
		a = sdp_attr_find(s, NULL, name);
	return a ? str_trim(a->value) : (struct str){NULL, 0};
}

static bool is_ice_text(struct str text, size_t least)
{
	if (text.n < least || text.n > 256)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			c != '+' && c != '/')
			return false;
	}
	return true;
}

/* The fifth and sixth word of a candidate: address and port. Names are no address of ours to compare. */
static bool is_default(struct str candidate, const struct sdp_media *m)
{
	struct ip_addr ip;
	uint64_t port;

	for (unsigned i = 0; i < 4; i++)
		str_cut(&candidate, ' ');
	return ip_parse(str_cut(&candidate, ' '), &ip) == 0 &&
	       str_to_u64(str_cut(&candidate, ' '), UINT16_MAX, &port) == 0 && port == m->port &&
	       ip_equal(&ip, &m->connection);
}

/*
 * RFC 8839 section 4.2.1.2: the default address of a peer that speaks of candidates is one of them. One whose
 * candidates are to come, or are hidden behind names, has no default.
 */
static bool mismatches(const struct sdp *s, const struct sdp_media *m)
{
	unsigned n, candidates = 0;
	const struct sdp_attr *a = sdp_attrs(s, m, &n);

	if (m->port == DISCARD_PORT || ip_is_unspecified(&m->connection))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!str_eq(a[i].name, STR("candidate")))
			continue;
		if (is_default(a[i].value, m))
			return false;
		candidates++;
	}
	return candidates > 0;
}

static bool has_option(const struct sdp *s, const struct sdp_media *m, struct str option)
{
	struct str options = value_of(s, m, STR("ice-options"));

	while (options.n)
		if (str_eq(str_cut(&options, ' '), option))
			return true;
	return false;
}

int ice_read(const struct sdp *s, const struct sdp_media *m, struct ice_said *out, struct err *e)
{
	struct str ufrag = value_of(s, m, STR("ice-ufrag")), pwd = value_of(s, m, STR("ice-pwd"));
	char text[2 * 256 + 1];
	struct wbuf w = wbuf_make(text, sizeof text);

	*out = (struct ice_said){0};
	if (!ufrag.p && !pwd.p)
		return 0;
	if (!is_ice_text(ufrag, 4))
		return err_set(e, EINVAL, "a=ice-ufrag is %s", ufrag.p ? "malformed" : "missing");
	if (!is_ice_text(pwd, 22))
		return err_set(e, EINVAL, "a=ice-pwd is %s", pwd.p ? "malformed" : "missing");
	wbuf_str(&w, ufrag);
	wbuf_u8(&w, ' ');
	wbuf_str(&w, pwd);
	SHA256((const unsigned char *)text, w.len, out->digest);
	mem_wipe(text, sizeof text);
	out->peer = dp_ice_peer(ufrag.p, ufrag.n);
	out->mismatch = mismatches(s, m);
	out->trickle = has_option(s, m, STR("trickle"));
	/* Two lite agents: nobody would check anything. Media goes where each says. */
	out->there = !out->mismatch && !sdp_attr_find(s, NULL, STR("ice-lite")) &&
		     !sdp_attr_find(s, m, STR("ice-mismatch"));
	return 0;
}

static void put_candidate(struct wbuf *w, const struct ice_lines *l, unsigned component, uint16_t port)
{
	char ip[IP_TEXT_MAX];

	wbuf_fmt(w, "a=candidate:1 %u UDP %u %s %u typ host\r\n", component, HOST_PRIORITY(component),
		ip_text(l->ip, ip), port);
}

void ice_print(const struct ice_lines *l, struct wbuf *w)
{
	wbuf_fmt(w, "a=ice-ufrag:%s\r\na=ice-pwd:", l->credentials->ufrag);
	wbuf_bytes(w, l->credentials->pwd.octets, l->credentials->pwd.len);
	wbuf_z(w, "\r\n");
	put_candidate(w, l, 1, l->rtp);
	if (l->rtcp)
		put_candidate(w, l, 2, l->rtcp);
	if (l->end)
		wbuf_z(w, "a=end-of-candidates\r\n");
}
