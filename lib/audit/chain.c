/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/audit/chain.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#define SIGNATURE 64 /* octets */

static const struct str begin = STR("{\"seq\":"), prev = STR(",\"prev\":\""), sign = STR(",\"signature\":\""),
			checkpoint = STR("\"type\":\"checkpoint\","), gap = STR("\"type\":\"gap\",\"records\":");

static void put_hex(struct wbuf *w, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wbuf_fmt(w, "%02x", p[i]);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool get_hex(struct str s, uint8_t *out, size_t n)
{
	if (s.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = digit(s.p[2 * i]), low = digit(s.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void audit_line_hash(struct str line, uint8_t out[AUDIT_HASH])
{
	SHA256((const unsigned char *)line.p, line.n, out);
}

/* The line that begins at `start` of w is complete but for its line end. */
static void end_line(struct audit_chain *c, struct wbuf *w, size_t start)
{
	struct str line = {w->p + start, w->len - start};

	wbuf_z(w, "\n");
	if (w->overflow)
		return;
	audit_line_hash(line, c->hash);
	c->seq++;
}

static void put_head(const struct audit_chain *c, struct wbuf *w)
{
	wbuf_fmt(w, "{\"seq\":%" PRIu64 ",\"prev\":\"", c->seq + 1);
	put_hex(w, c->hash, sizeof c->hash);
	wbuf_z(w, "\",");
}

void audit_chain_add(struct audit_chain *c, struct str members, struct wbuf *w)
{
	size_t start = w->len;

	put_head(c, w);
	wbuf_str(w, members);
	wbuf_z(w, "}");
	end_line(c, w, start);
}

int audit_chain_sign(struct audit_chain *c, struct evp_pkey_st *key, const char *time, struct wbuf *w)
{
	size_t start = w->len, n = SIGNATURE;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[SIGNATURE];
	int ok;

	put_head(c, w);
	wbuf_fmt(w, "\"type\":\"checkpoint\",\"time\":\"%s\"", time);
	ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	     EVP_DigestSign(ctx, signature, &n, (const unsigned char *)w->p + start, w->len - start) == 1 &&
	     n == SIGNATURE;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -EIO;
	wbuf_str(w, sign);
	put_hex(w, signature, sizeof signature);
	wbuf_z(w, "\"}");
	end_line(c, w, start);
	return 0;
}

/* What a line says of itself; rest: behind its prev. */
struct head {
	uint64_t seq;
	uint8_t prev[AUDIT_HASH];
	struct str rest;
};

static bool read_head(struct str line, struct head *h)
{
	size_t n = 0;
	struct str s;

	if (line.n >= AUDIT_LINE_MAX || !str_starts(line, begin) || line.p[line.n - 1] != '}')
		return false;
	s = str_sub(line, begin.n, line.n);
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	if (str_to_u64(str_sub(s, 0, n), UINT64_MAX - 1, &h->seq) < 0 || !h->seq)
		return false;
	s = str_sub(s, n, s.n);
	if (!str_starts(s, prev))
		return false;
	s = str_sub(s, prev.n, s.n);
	if (!get_hex(str_sub(s, 0, 2 * AUDIT_HASH), h->prev, sizeof h->prev))
		return false;
	s = str_sub(s, 2 * AUDIT_HASH, s.n);
	if (!str_starts(s, STR("\",")))
		return false;
	h->rest = str_sub(s, 2, s.n);
	return true;
}

bool audit_line_seq(struct str line, uint64_t *seq)
{
	struct head h;

	if (!line.n || !read_head(line, &h))
		return false;
	*seq = h.seq;
	return true;
}

static bool signature_right(struct evp_pkey_st *key, struct str line, struct str rest)
{
	size_t tail = sign.n + 2 * SIGNATURE + 2;
	EVP_MD_CTX *ctx;
	uint8_t signature[SIGNATURE];
	bool ok;

	if (rest.n < tail || line.p[line.n - 2] != '"' ||
		!str_starts(str_sub(line, line.n - tail, line.n), sign) ||
		!get_hex(str_sub(line, line.n - 2 * SIGNATURE - 2, 2 * SIGNATURE), signature, SIGNATURE))
		return false;
	if (!key)
		return true;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	     EVP_DigestVerify(ctx, signature, SIGNATURE, (const unsigned char *)line.p, line.n - tail) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static int out_of_order(const struct audit_verify *v, uint64_t seq, struct err *e)
{
	uint64_t wanted = v->at.seq + 1;

	if (seq < wanted)
		return err_set(e, EBADMSG,
			"record %" PRIu64 " is repeated or stands in another place, where %" PRIu64
			" belongs",
			seq, wanted);
	if (seq == wanted + 1)
		return err_set(e, EBADMSG, "record %" PRIu64 " was removed", wanted);
	return err_set(e, EBADMSG, "records %" PRIu64 " to %" PRIu64 " were removed", wanted, seq - 1);
}

static void see_gap(struct audit_verify *v, struct str rest)
{
	struct str s = str_sub(rest, gap.n, rest.n);
	uint64_t n;

	if (!str_starts(rest, gap) || str_to_u64(str_cut(&s, ','), UINT32_MAX, &n) < 0)
		return;
	v->gaps++;
	v->missing += n;
}

int audit_verify_line(struct audit_verify *v, struct str line, struct err *e)
{
	struct head h;

	if (!line.n || !read_head(line, &h))
		return err_set(e, EBADMSG,
			v->begun ? "record %" PRIu64 " was changed: this is no record" : "this is no audit",
			v->at.seq + 1);
	if (v->begun && h.seq != v->at.seq + 1)
		return out_of_order(v, h.seq, e);
	if (v->begun && memcmp(h.prev, v->at.hash, AUDIT_HASH) != 0)
		return err_set(e, EBADMSG,
			"record %" PRIu64 " was changed: the next one does not follow from it", v->at.seq);
	if (str_starts(h.rest, checkpoint)) {
		if (!signature_right(v->key, line, h.rest))
			return err_set(e, EBADMSG,
				"record %" PRIu64
				" was changed, or is not signed with this key: its signature is wrong",
				h.seq);
		v->checkpoints++;
		v->signed_to = h.seq;
	}
	see_gap(v, h.rest);
	if (!v->begun)
		v->first = h.seq;
	v->begun = true;
	v->at.seq = h.seq;
	audit_line_hash(line, v->at.hash);
	return 0;
}
