/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/digest_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/build.h"

/* What one realm asked for. */
struct digest_asked {
	bool proxy;                 /* by a 407 */
	struct digest_challenge is; /* views into text */
	char *text;
	char cnonce[SIP_TOKEN_TEXT];
	uint32_t nc; /* answers with this nonce so far */
};

static void asked_free(struct digest_asked *a)
{
	if (!a)
		return;
	free(a->text);
	free(a);
}

void digest_client_free(struct digest_client *c)
{
	for (unsigned i = 0; i < DIGEST_REALMS_MAX; i++)
		asked_free(c->asked[i]);
	*c = (struct digest_client){0};
}

static struct digest_asked *asked_new(struct str value, bool proxy)
{
	struct digest_asked *a = calloc(1, sizeof *a);

	if (!a || !(a->text = malloc(value.n + 1))) {
		free(a);
		return NULL;
	}
	memcpy(a->text, value.p, value.n);
	a->proxy = proxy;
	sip_token_make(a->cnonce);
	if (digest_challenge_parse((struct str){a->text, value.n}, &a->is) == 0)
		return a;
	asked_free(a);
	return NULL;
}

static struct digest_asked **find(struct digest_client *c, struct str realm, bool proxy)
{
	for (unsigned i = 0; i < DIGEST_REALMS_MAX; i++)
		if (!c->asked[i] || (c->asked[i]->proxy == proxy && str_eq(c->asked[i]->is.realm, realm)))
			return &c->asked[i];
	return NULL;
}

/* Is there a stronger challenge of this realm among the lines? */
static bool stronger_follows(const struct sip_msg *m, enum sip_hdr_id id, const struct digest_challenge *than)
{
	struct digest_challenge c;

	for (uint8_t i = m->first[id]; i != SIP_HDR_NONE; i = m->hdrs[i].next)
		if (digest_challenge_parse(m->hdrs[i].value, &c) == 0 && str_eq(c.realm, than->realm) &&
			c.algorithm > than->algorithm)
			return true;
	return false;
}

static int take(struct digest_client *c, struct str value, bool proxy)
{
	struct digest_asked *a = asked_new(value, proxy), **at;

	if (!a)
		return -ENOMEM;
	at = find(c, a->is.realm, proxy);
	if (!at) {
		asked_free(a);
		return -ENOSPC;
	}
	asked_free(*at);
	*at = a;
	return 0;
}

int digest_client_challenged(struct digest_client *c, const struct sip_msg *m, bool again)
{
	bool proxy = m->status == 407;
	enum sip_hdr_id id = proxy ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE;
	int rc = -EPROTONOSUPPORT;

	for (uint8_t i = m->first[id]; i != SIP_HDR_NONE; i = m->hdrs[i].next) {
		struct digest_challenge asked;
		struct digest_asked **at;
		int taken;

		if (digest_challenge_parse(m->hdrs[i].value, &asked) < 0 || stronger_follows(m, id, &asked))
			continue;
		at = find(c, asked.realm, proxy);
		/* Asked for once more, although the nonce was good: the password is not. */
		if (again && at && *at && !asked.stale) {
			if (rc != 0)
				rc = -EACCES;
			continue;
		}
		taken = take(c, m->hdrs[i].value, proxy);
		if (taken < 0)
			return taken;
		rc = 0;
	}
	return rc;
}

int digest_client_answer(struct digest_client *c, const struct digest_account *account, struct str method,
	struct str uri, struct wbuf *lines)
{
	for (unsigned i = 0; i < DIGEST_REALMS_MAX && c->asked[i]; i++) {
		struct digest_asked *a = c->asked[i];
		char response[DIGEST_HEX_MAX];
		struct digest_credentials says = {
			.username = str_z(account->username),
			.realm = a->is.realm,
			.nonce = a->is.nonce,
			.uri = uri,
			.opaque = a->is.opaque,
			.cnonce = str_z(a->cnonce),
			.algorithm = a->is.algorithm,
			.session = a->is.session,
			.qop = a->is.qop,
			.nc = ++a->nc,
		};
		int rc = digest_compute(&says, method, &account->password, response);

		if (rc < 0)
			return rc;
		says.response = str_z(response);
		wbuf_str(lines, sip_hdr_name(a->proxy ? SIP_H_PROXY_AUTHORIZATION : SIP_H_AUTHORIZATION));
		wbuf_z(lines, ": ");
		digest_credentials_write(&says, lines);
		wbuf_z(lines, "\r\n");
	}
	return lines->overflow ? -EMSGSIZE : 0;
}
