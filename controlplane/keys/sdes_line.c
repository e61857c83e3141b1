/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "controlplane/keys/base64.h"
#include "controlplane/keys/sdes.h"

void sdes_line_wipe(struct sdes_line *l)
{
	mem_wipe(l, sizeof *l);
}

/* Cuts at the next blank and skips further ones (RFC 4568 section 9.1: 1*WSP). */
static struct str cut_word(struct str *s)
{
	struct str word = *s;

	word.n = 0;
	while (word.n < s->n && s->p[word.n] != ' ' && s->p[word.n] != '\t')
		word.n++;
	*s = str_trim(str_sub(*s, word.n, s->n));
	return word;
}

/* "2^20" or "1048576". At most the suite's limit, RFC 4568 section 6.1. */
static int parse_lifetime(const struct srtp_suite_info *suite, struct str v, uint64_t *out, struct err *e)
{
	uint64_t n;

	if (str_starts(v, STR("2^"))) {
		if (str_to_u64(str_sub(v, 2, v.n), 99, &n) < 0)
			return err_set(e, EINVAL, "its lifetime is not a number");
		n = n < 64 ? UINT64_C(1) << n : UINT64_MAX;
	} else {
		int rc = str_to_u64(v, UINT64_MAX, &n);

		if (rc == -EINVAL)
			return err_set(e, EINVAL, "its lifetime is not a number");
		if (rc < 0)
			n = UINT64_MAX;
	}
	if (!n)
		return err_set(e, EINVAL, "its lifetime is 0 packets");
	if (n > suite->rtp_packets_max)
		return err_set(
			e, EINVAL, "its lifetime is more packets than %s allows for one key", suite->name);
	*out = n;
	return 0;
}

/* "VALUE:LENGTH": a decimal number, big-endian in LENGTH octets. */
static int parse_mki(struct str v, struct sdes_key *k, struct err *e)
{
	struct str digits = str_cut(&v, ':');
	uint64_t length;

	if (str_to_u64(v, SRTP_MKI_MAX, &length) < 0 || !length || v.n > 3)
		return err_set(e, EINVAL, "its MKI length is not a number from 1 to %d", SRTP_MKI_MAX);
	if (!digits.n)
		return err_set(e, EINVAL, "its MKI is not a number");
	for (size_t i = 0; i < digits.n; i++) {
		unsigned carry = (unsigned)(unsigned char)digits.p[i] - '0';

		if (carry > 9)
			return err_set(e, EINVAL, "its MKI is not a number");
		for (size_t j = length; j-- > 0;) {
			carry += k->mki[j] * 10u;
			k->mki[j] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry)
			return err_set(e, EINVAL, "its MKI does not fit into %u octets", (unsigned)length);
	}
	k->mki_len = (uint32_t)length;
	return 0;
}

/* "inline:BASE64[|LIFETIME][|MKI:LENGTH]" */
static int parse_key(const struct srtp_suite_info *suite, struct str v, struct sdes_key *k, struct err *e)
{
	struct str method = str_cut(&v, ':'), text = str_cut(&v, '|');
	int rc = 0;

	if (!str_ieq(method, STR("inline")))
		return err_set(e, EINVAL, "its key method is not inline");
	if (base64_decode(text, &k->master) < 0)
		return err_set(e, EINVAL, "its key is not base64");
	if (k->master.len != srtp_suite_master_len(suite))
		return err_set(e, EINVAL, "its key and salt are %u octets, where %s needs %u", k->master.len,
			suite->name, srtp_suite_master_len(suite));
	if (v.n) {
		struct str rest = v, first = str_cut(&rest, '|');

		if (str_chr(first, ':') < 0) {
			rc = parse_lifetime(suite, first, &k->lifetime, e);
			v = rest;
		}
	}
	if (rc < 0 || !v.n)
		return rc;
	return parse_mki(v, k, e);
}

static int parse_keys(struct str v, struct sdes_line *l, struct err *e)
{
	const struct srtp_suite_info *suite = srtp_suite_info(l->suite);

	do {
		if (l->n_keys == SDES_KEYS_MAX)
			return err_set(e, EINVAL, "it has more than %d keys", SDES_KEYS_MAX);
		int rc = parse_key(suite, str_cut(&v, ';'), &l->keys[l->n_keys], e);

		if (rc < 0)
			return rc;
		/* With several keys each packet must say which one it uses (RFC 4568 section 6.1). */
		if (l->n_keys && (!l->keys[0].mki_len || l->keys[l->n_keys].mki_len != l->keys[0].mki_len))
			return err_set(
				e, EINVAL, "it has several keys, not all of them with an MKI of one length");
		for (unsigned i = 0; i < l->n_keys; i++)
			if (!memcmp(l->keys[i].mki, l->keys[l->n_keys].mki, sizeof l->keys[i].mki))
				return err_set(e, EINVAL, "two of its keys have the same MKI");
		l->n_keys++;
	} while (v.n);
	return 0;
}

enum param_verdict { PARAM_REFUSE, PARAM_ZERO, PARAM_WINDOW, PARAM_ORDER };

/* RFC 4568 section 6.3. What would take protection away, or is not done here, refuses the line. */
static const struct {
	const char *name;
	enum param_verdict verdict;
} params[] = {
	{"KDR", PARAM_ZERO},
	{"UNENCRYPTED_SRTP", PARAM_REFUSE},
	{"UNENCRYPTED_SRTCP", PARAM_REFUSE},
	{"UNAUTHENTICATED_SRTP", PARAM_REFUSE},
	{"FEC_ORDER", PARAM_ORDER},
	{"FEC_KEY", PARAM_REFUSE},
	{"WSH", PARAM_WINDOW},
};

static int judge_param(enum param_verdict verdict, struct str name, struct str value, struct err *e)
{
	uint64_t n;

	switch (verdict) {
	case PARAM_REFUSE:
		return err_set(e, ENOTSUP, "it asks for %.*s", STR_ARG(name));
	case PARAM_ZERO: /* KDR=n derives keys anew every 2^n packets; 0 is how to say "never" */
		if (str_to_u64(value, 24, &n) < 0)
			return err_set(e, EINVAL, "its %.*s is not a number from 0 to 24", STR_ARG(name));
		return n ? err_set(e, ENOTSUP, "it asks for a key derivation rate (KDR) that is not 0") : 0;
	case PARAM_WINDOW: /* a hint at the least size of the replay window; ours is never smaller than 64 */
		if (str_to_u64(value, UINT32_MAX, &n) < 0 || n < 64)
			return err_set(e, EINVAL, "its %.*s is not a number from 64 up", STR_ARG(name));
		return 0;
	case PARAM_ORDER:
		/* FEC made before encryption passes through re-encryption; made after, it cannot. */
		if (str_eq(value, STR("FEC_SRTP")))
			return 0;
		return err_set(e, ENOTSUP, "it asks for FEC over encrypted packets");
	}
	return 0;
}

static int parse_param(struct str v, struct err *e)
{
	bool optional = str_starts(v, STR("-"));
	struct str value = optional ? str_sub(v, 1, v.n) : v, name = str_cut(&value, '=');

	for (unsigned i = 0; i < sizeof params / sizeof params[0]; i++)
		if (str_ieq(name, str_z(params[i].name)))
			return judge_param(params[i].verdict, name, value, e);
	if (optional)
		return 0;
	return err_set(
		e, ENOTSUP, "it has the unknown mandatory parameter '%.*s'", STR_ARG(str_sub(name, 0, 40)));
}

static int parse_line(struct str v, struct sdes_line *l, struct err *e)
{
	struct str tag = cut_word(&v), suite = cut_word(&v), keys = cut_word(&v);
	uint64_t n;
	int rc;

	if (tag.n > 9 || str_to_u64(tag, SDES_TAG_MAX, &n) < 0)
		return err_set(e, EINVAL, "its tag is not a number of 1 to 9 digits");
	l->tag = (uint32_t)n;
	if (!suite.n || !keys.n)
		return err_set(e, EINVAL, "it is not TAG SUITE inline:KEY");
	l->suite = srtp_suite_by_name(suite);
	if (l->suite == SRTP_SUITE_NONE)
		return err_set(e, ENOTSUP, "its suite '%.*s' is unknown", STR_ARG(str_sub(suite, 0, 40)));
	rc = parse_keys(keys, l, e);
	while (rc == 0 && v.n)
		rc = parse_param(cut_word(&v), e);
	return rc;
}

int sdes_parse(struct str value, struct sdes_line *out, struct err *e)
{
	sdes_line_wipe(out);
	if (value.n > SDES_LINE_MAX)
		return err_set(e, EINVAL, "it is longer than %d octets", SDES_LINE_MAX);
	int rc = parse_line(str_trim(value), out, e);

	if (rc < 0) {
		uint32_t tag = out->tag;

		sdes_line_wipe(out);
		out->tag = tag;
	}
	return rc;
}

int sdes_usable(const struct sdes_line *l, struct err *e)
{
	if (l->n_keys != 1)
		return err_set(e, ENOTSUP, "it has %u keys, where this gateway uses one", l->n_keys);
	if (l->keys[0].mki_len > DP_MKI_MAX)
		return err_set(e, ENOTSUP, "its MKI of %u octets is longer than %d",
			(unsigned)l->keys[0].mki_len, DP_MKI_MAX);
	return 0;
}

/* The MKI as the decimal number that it is written as. mki is used up. */
static void put_mki(struct wbuf *w, uint8_t *mki, unsigned len)
{
	char digits[3 * DP_MKI_MAX];
	unsigned n = sizeof digits, any;

	do {
		unsigned rest = 0;

		any = 0;
		for (unsigned i = 0; i < len; i++) {
			rest = rest << 8 | mki[i];
			mki[i] = (uint8_t)(rest / 10);
			rest %= 10;
			any |= mki[i];
		}
		digits[--n] = (char)('0' + rest);
	} while (any && n);
	wbuf_bytes(w, digits + n, sizeof digits - n);
}

void sdes_print(struct wbuf *w, uint32_t tag, const struct agreed_key *k)
{
	wbuf_fmt(w, "a=crypto:%u %s inline:", tag, srtp_suite_info(k->suite)->name);
	base64_encode(w, &k->master);
	if (k->mki_len) {
		uint8_t mki[DP_MKI_MAX];

		memcpy(mki, k->mki, sizeof mki);
		wbuf_u8(w, '|');
		put_mki(w, mki, k->mki_len);
		wbuf_fmt(w, ":%u", k->mki_len);
	}
	wbuf_z(w, "\r\n");
}
