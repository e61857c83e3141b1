/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

static const struct algorithm {
	struct str name, session_name;
	const char *evp;
} algorithms[DIGEST_ALGORITHMS] = {
	[DIGEST_MD5] = {{"MD5", 3}, {"MD5-sess", 8}, "MD5"},
	[DIGEST_SHA_256] = {{"SHA-256", 7}, {"SHA-256-sess", 12}, "SHA256"},
	[DIGEST_SHA_512_256] = {{"SHA-512-256", 11}, {"SHA-512-256-sess", 16}, "SHA512-256"},
};

struct str digest_algorithm_name(enum digest_algorithm a)
{
	return algorithms[a].name;
}

static int algorithm_named(struct str name, enum digest_algorithm *out, bool *session)
{
	for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++) {
		*session = str_ieq(name, algorithms[i].session_name);
		if (*session || str_ieq(name, algorithms[i].name)) {
			*out = (enum digest_algorithm)i;
			return 0;
		}
	}
	return -EPROTONOSUPPORT;
}

/* Octets of a token or a quoted string at the beginning of s, quotes included; 0: neither. */
static size_t value_length(struct str s)
{
	size_t n = 0;

	if (s.n && s.p[0] == '"') {
		for (n = 1; n < s.n && s.p[n] != '"'; n++)
			n += s.p[n] == '\\';
		return n < s.n ? n + 1 : 0;
	}
	while (n < s.n && s.p[n] != ',' && s.p[n] != '"' && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	return n;
}

/* Takes `name = value` and the comma behind it off *rest. 1, 0 at the end, -EINVAL. */
static int next_param(struct str *rest, struct str *name, struct str *value)
{
	size_t n;

	*rest = str_trim(*rest);
	while (rest->n && rest->p[0] == ',')
		*rest = str_trim(str_sub(*rest, 1, rest->n));
	if (!rest->n)
		return 0;
	ptrdiff_t equals = str_chr(*rest, '=');

	if (equals <= 0)
		return -EINVAL;
	*name = str_trim(str_sub(*rest, 0, (size_t)equals));
	*rest = str_trim(str_sub(*rest, (size_t)equals + 1, rest->n));
	n = value_length(*rest);
	if (!n || str_chr(*name, ',') >= 0 || str_chr(*name, '"') >= 0)
		return -EINVAL;
	*value = rest->p[0] == '"' ? str_sub(*rest, 1, n - 2) : str_sub(*rest, 0, n);
	*rest = str_trim(str_sub(*rest, n, rest->n));
	return rest->n && rest->p[0] != ',' ? -EINVAL : 1;
}

/* The value behind the scheme's name. */
static int behind_scheme(struct str value, struct str *rest)
{
	struct str scheme = STR("Digest");

	value = str_trim(value);
	if (!str_istarts(value, scheme) || value.n <= scheme.n ||
		(value.p[scheme.n] != ' ' && value.p[scheme.n] != '\t'))
		return -EPROTONOSUPPORT;
	*rest = str_sub(value, scheme.n, value.n);
	return 0;
}

/* Is "auth" in a list of qualities of protection? */
static bool offers_auth(struct str list)
{
	while (list.n)
		if (str_ieq(str_trim(str_cut(&list, ',')), STR("auth")))
			return true;
	return false;
}

int digest_challenge_parse(struct str value, struct digest_challenge *out)
{
	struct digest_challenge c = {.algorithm = DIGEST_MD5};
	struct str rest, name, v;
	bool any_qop = false, nonce = false, realm = false;
	int rc = behind_scheme(value, &rest), unknown = 0;

	if (rc < 0)
		return rc;
	while ((rc = next_param(&rest, &name, &v)) > 0) {
		if (str_ieq(name, STR("realm")))
			c.realm = v, realm = true;
		else if (str_ieq(name, STR("nonce")))
			c.nonce = v, nonce = true;
		else if (str_ieq(name, STR("opaque")))
			c.opaque = v;
		else if (str_ieq(name, STR("stale")))
			c.stale = str_ieq(v, STR("true"));
		else if (str_ieq(name, STR("algorithm")))
			unknown = algorithm_named(v, &c.algorithm, &c.session);
		else if (str_ieq(name, STR("qop")))
			any_qop = true, c.qop = offers_auth(v);
	}
	if (rc < 0 || !realm || !nonce)
		return -EINVAL;
	/* RFC 7616 section 3.4.3: auth-int alone cannot be answered here; no qop at all is RFC 2069's. */
	if (unknown || (any_qop && !c.qop))
		return -EPROTONOSUPPORT;
	*out = c;
	return 0;
}

static void put_quoted(struct wbuf *w, const char *name, struct str value)
{
	wbuf_fmt(w, "%s=\"", name);
	wbuf_str(w, value);
	wbuf_z(w, "\"");
}

static struct str algorithm_text(enum digest_algorithm a, bool session)
{
	return session ? algorithms[a].session_name : algorithms[a].name;
}

void digest_challenge_write(const struct digest_challenge *c, struct wbuf *w)
{
	wbuf_z(w, "Digest ");
	put_quoted(w, "realm", c->realm);
	wbuf_z(w, ", ");
	put_quoted(w, "nonce", c->nonce);
	if (c->opaque.n) {
		wbuf_z(w, ", ");
		put_quoted(w, "opaque", c->opaque);
	}
	if (c->stale)
		wbuf_z(w, ", stale=true");
	wbuf_z(w, ", algorithm=");
	wbuf_str(w, algorithm_text(c->algorithm, c->session));
	if (c->qop)
		wbuf_z(w, ", qop=\"auth\"");
}

/* Exactly eight hexadecimal digits (RFC 7616 section 3.4). */
static int parse_nc(struct str s, uint32_t *out)
{
	uint32_t v = 0;

	if (s.n != 8)
		return -EINVAL;
	for (size_t i = 0; i < 8; i++) {
		char c = s.p[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
							: 16;

		if (digit > 15)
			return -EINVAL;
		v = v << 4 | digit;
	}
	*out = v;
	return 0;
}

int digest_credentials_parse(struct str value, struct digest_credentials *out)
{
	struct digest_credentials c = {.algorithm = DIGEST_MD5};
	const struct field {
		const char *name;
		struct str *at;
		bool seen;
	} wanted[] = {
		{"username", &c.username, false},
		{"realm", &c.realm, false},
		{"nonce", &c.nonce, false},
		{"uri", &c.uri, false},
		{"response", &c.response, false},
		{"cnonce", &c.cnonce, false},
		{"opaque", &c.opaque, false},
	};
	struct str rest, name, v, qop = {0}, nc = {0};
	int rc = behind_scheme(value, &rest), unknown = 0;

	if (rc < 0)
		return rc;
	while ((rc = next_param(&rest, &name, &v)) > 0) {
		if (str_ieq(name, STR("qop")))
			qop = v;
		else if (str_ieq(name, STR("nc")))
			nc = v;
		else if (str_ieq(name, STR("algorithm")))
			unknown = algorithm_named(v, &c.algorithm, &c.session);
		for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
			if (str_ieq(name, str_z(wanted[i].name)))
				*wanted[i].at = v;
	}
	if (rc < 0 || !c.username.n || !c.realm.p || !c.nonce.n || !c.uri.n || !c.response.n)
		return -EINVAL;
	if (unknown || (qop.n && !str_ieq(qop, STR("auth"))))
		return -EPROTONOSUPPORT;
	c.qop = qop.n;
	if (c.qop && (!c.cnonce.n || parse_nc(nc, &c.nc) < 0))
		return -EINVAL;
	*out = c;
	return 0;
}

void digest_credentials_write(const struct digest_credentials *c, struct wbuf *w)
{
	wbuf_z(w, "Digest ");
	put_quoted(w, "username", c->username);
	wbuf_z(w, ", ");
	put_quoted(w, "realm", c->realm);
	wbuf_z(w, ", ");
	put_quoted(w, "nonce", c->nonce);
	wbuf_z(w, ", ");
	put_quoted(w, "uri", c->uri);
	wbuf_z(w, ", ");
	put_quoted(w, "response", c->response);
	wbuf_z(w, ", algorithm=");
	wbuf_str(w, algorithm_text(c->algorithm, c->session));
	if (c->opaque.n) {
		wbuf_z(w, ", ");
		put_quoted(w, "opaque", c->opaque);
	}
	if (c->qop || c->session) {
		wbuf_z(w, ", ");
		put_quoted(w, "cnonce", c->cnonce);
	}
	if (c->qop)
		wbuf_fmt(w, ", qop=auth, nc=%08x", c->nc);
}

/* A hash over parts with ':' between them. */
struct hash {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
	bool failed;
};

static void hash_begin(struct hash *h)
{
	h->failed |= EVP_DigestInit_ex(h->ctx, h->md, NULL) != 1;
}

static void hash_part(struct hash *h, const void *p, size_t n, bool more)
{
	h->failed |= EVP_DigestUpdate(h->ctx, p, n) != 1;
	if (more)
		h->failed |= EVP_DigestUpdate(h->ctx, ":", 1) != 1;
}

static void hash_str_part(struct hash *h, struct str s, bool more)
{
	hash_part(h, s.n ? s.p : "", s.n, more);
}

static void hash_end(struct hash *h, char hex[DIGEST_HEX_MAX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	h->failed |= EVP_DigestFinal_ex(h->ctx, md, &n) != 1 || 2 * n >= DIGEST_HEX_MAX;
	for (unsigned i = 0; !h->failed && i < n; i++) {
		hex[2 * i] = digits[md[i] >> 4];
		hex[2 * i + 1] = digits[md[i] & 15];
	}
	hex[h->failed ? 0 : 2 * n] = '\0';
	mem_wipe(md, sizeof md);
}

static void hash_ha1(struct hash *h, struct str username, struct str realm, const struct secret *password,
	char hex[DIGEST_HEX_MAX])
{
	hash_begin(h);
	hash_str_part(h, username, true);
	hash_str_part(h, realm, true);
	hash_part(h, password->octets, password->len, false);
	hash_end(h, hex);
}

/* From HA1 in hex, which is given or made of the password. */
static void hash_a1(struct hash *h, const struct digest_credentials *c, char hex[DIGEST_HEX_MAX])
{
	if (!c->session)
		return;
	hash_begin(h);
	hash_part(h, hex, strlen(hex), true);
	hash_str_part(h, c->nonce, true);
	hash_str_part(h, c->cnonce, false);
	hash_end(h, hex);
}

int digest_ha1(enum digest_algorithm algorithm, struct str username, struct str realm,
	const struct secret *password, char hex[DIGEST_HEX_MAX])
{
	EVP_MD *md = EVP_MD_fetch(NULL, algorithms[algorithm].evp, NULL);
	struct hash h = {.ctx = EVP_MD_CTX_new(), .md = md};
	int rc = !md ? -ENOSYS : !h.ctx ? -ENOMEM : 0;

	hex[0] = '\0';
	if (rc == 0)
		hash_ha1(&h, username, realm, password, hex);
	if (h.failed)
		rc = -ENOMEM;
	EVP_MD_CTX_free(h.ctx);
	EVP_MD_free(md);
	return rc;
}

/* By the password, or by ha1 where there is none. */
static int compute(const struct digest_credentials *c, struct str method, const struct secret *password,
	const char *ha1, char hex[DIGEST_HEX_MAX])
{
	char a1[DIGEST_HEX_MAX], a2[DIGEST_HEX_MAX], nc[9];
	EVP_MD *md = EVP_MD_fetch(NULL, algorithms[c->algorithm].evp, NULL);
	struct hash h = {.ctx = EVP_MD_CTX_new(), .md = md};
	int rc = !md ? -ENOSYS : -ENOMEM;

	hex[0] = '\0';
	if (!md || !h.ctx)
		goto out;
	if (password)
		hash_ha1(&h, c->username, c->realm, password, a1);
	else
		snprintf(a1, sizeof a1, "%s", ha1);
	hash_a1(&h, c, a1);
	hash_begin(&h);
	hash_str_part(&h, method, true);
	hash_str_part(&h, c->uri, false);
	hash_end(&h, a2);
	hash_begin(&h);
	hash_part(&h, a1, strlen(a1), true);
	hash_str_part(&h, c->nonce, true);
	if (c->qop) {
		snprintf(nc, sizeof nc, "%08x", c->nc);
		hash_part(&h, nc, 8, true);
		hash_str_part(&h, c->cnonce, true);
		hash_str_part(&h, STR("auth"), true);
	}
	hash_part(&h, a2, strlen(a2), false);
	hash_end(&h, hex);
	mem_wipe(a1, sizeof a1);
	rc = h.failed ? -ENOMEM : 0;
out:
	EVP_MD_CTX_free(h.ctx);
	EVP_MD_free(md);
	return rc;
}

int digest_compute(const struct digest_credentials *c, struct str method, const struct secret *password,
	char hex[DIGEST_HEX_MAX])
{
	return compute(c, method, password, NULL, hex);
}

static bool verify(const struct digest_credentials *c, struct str method, const struct secret *password,
	const char *ha1)
{
	char expected[DIGEST_HEX_MAX], said[DIGEST_HEX_MAX] = "";
	bool right;

	if (compute(c, method, password, ha1, expected) < 0)
		return false;
	/* Hexadecimal in lower case (RFC 7616 section 3.4.1 LHEX); some write it in upper case. */
	for (size_t i = 0; i < c->response.n && i < sizeof said - 1; i++) {
		char ch = c->response.p[i];

		said[i] = ch >= 'A' && ch <= 'F' ? (char)(ch - 'A' + 'a') : ch;
	}
	right = c->response.n == strlen(expected) && mem_equal_ct(expected, said, c->response.n);
	mem_wipe(expected, sizeof expected);
	return right;
}

bool digest_verify(const struct digest_credentials *c, struct str method, const struct secret *password)
{
	return verify(c, method, password, NULL);
}

bool digest_verify_ha1(const struct digest_credentials *c, struct str method, const char *ha1)
{
	return verify(c, method, NULL, ha1);
}
