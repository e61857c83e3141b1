/* SPDX-License-Identifier: Apache-2.0 */
/* Who an account's request is from: digest by the hashes that the configuration has (RFC 8760). */
#include <string.h>

#include "controlplane/b2bua/call.h"
#include "controlplane/b2bua/trunks/auth.h"

/* What nobody's password gives: an account that is not there takes as long to refuse as a wrong password. */
static const char nobody[] = "0000000000000000000000000000000000000000000000000000000000000000";

static const struct config_user *account_named(const struct config_trunk *t, struct str name)
{
	const struct config_user *u = config_find_user(t, name);

	return u && u->enabled && str_eq(str_z(u->name), name) ? u : NULL;
}

/* The credentials of the request for the registrar's realm, the first after *at; false: there are no more. */
static bool next_credentials(
	const struct sip_msg *m, const struct config_trunk *t, uint8_t *at, struct digest_credentials *c)
{
	while (*at != SIP_HDR_NONE) {
		const struct sip_hdr *h = &m->hdrs[*at];

		*at = h->next;
		if (digest_credentials_parse(h->value, c) == 0 && str_eq(c->realm, str_z(t->registrar.realm)))
			return true;
	}
	return false;
}

const struct config_user *user_of(const struct config_trunk *t, const struct sip_msg *m)
{
	uint8_t at = m->first[SIP_H_AUTHORIZATION];
	struct digest_credentials c;

	return next_credentials(m, t, &at, &c) ? account_named(t, c.username) : NULL;
}

static enum digest_verdict check(struct b2bua *b, const struct config_trunk *t, const struct sip_msg *m,
	const struct digest_credentials *c)
{
	const struct config_registrar *g = &t->registrar;
	const struct config_user *u = account_named(t, c->username);
	struct digest_wanted wanted = {
		.username = c->username,
		.realm = str_z(g->realm),
		.lifetime_ms = g->nonce_lifetime_s * 1000,
	};
	enum digest_verdict verdict;
	bool known = false;

	for (uint32_t i = 0; i < g->n_algorithms; i++) {
		enum config_digest a = g->algorithms[i];
		bool has = u && u->ha1[a];

		known |= has && auth_algorithm(a) == c->algorithm;
		wanted.algorithms |= 1u << auth_algorithm(a);
		wanted.ha1[auth_algorithm(a)] = has ? u->ha1[a] : nobody;
	}
	verdict = auth_check(b, m, c, &wanted);
	/* The hash that stands for none is no secret: what fits it is as wrong as the rest, whatever else it is. */
	return known ? verdict : DIGEST_WRONG;
}

enum auth_result user_admit(struct b2bua *b, struct sip_stx *stx, const struct sip_msg *m,
	const struct config_trunk *t, const struct config_user **user)
{
	const struct config_registrar *g = &t->registrar;
	uint8_t at = m->first[SIP_H_AUTHORIZATION];
	enum digest_verdict verdict = DIGEST_WRONG;
	struct digest_credentials c;
	bool any = false;

	while (verdict == DIGEST_WRONG && next_credentials(m, t, &at, &c)) {
		any = true;
		verdict = check(b, t, m, &c);
	}
	if (verdict == DIGEST_RIGHT && (*user = account_named(t, c.username))) {
		sip_net_know(b->net, sip_stx_flow(stx));
		return AUTH_ADMITTED;
	}
	return auth_refuse(
		b, stx, &(struct auth_question){g->realm, g->algorithms, g->n_algorithms}, verdict, any);
}
