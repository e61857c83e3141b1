/* SPDX-License-Identifier: Apache-2.0 */
/* Digest: the RFCs' own examples, what challenges and credentials look like, and both ends of the exchange.
 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/sip/digest_client.h"
#include "controlplane/sip/digest_server.h"

static struct secret password_of(const char *text)
{
	struct secret s = {0};

	assert_int_equal(secret_set(&s, text, strlen(text)), 0);
	return s;
}

/* RFC 7616 section 3.9.1's request, and RFC 2617 section 3.5's. */
#define NONCE_7616 "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define CNONCE_7616 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define NONCE_2617 "dcd98b7102dd2f0e8b11d0f600bfb0c093"

static const struct vector {
	const char *realm, *password, *nonce, *cnonce;
	enum digest_algorithm algorithm;
	bool session, qop;
	const char *response;
} vectors[] = {
	{"http-auth@example.org", "Circle of Life", NONCE_7616, CNONCE_7616, DIGEST_MD5, false, true,
		"8ca523f5e9506fed4657c9700eebdbec"},
	{"http-auth@example.org", "Circle of Life", NONCE_7616, CNONCE_7616, DIGEST_SHA_256, false, true,
		"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	{"testrealm@host.com", "Circle Of Life", NONCE_2617, "0a4f113b", DIGEST_MD5, false, true,
		"6629fae49393a05397450978507c4ef1"},
	/* RFC 2069's form, with the response that its erratum gives. */
	{"testrealm@host.com", "CircleOfLife", NONCE_2617, "", DIGEST_MD5, false, false,
		"1949323746fe6a43ef61f9606e7febea"},
	/* Of these the RFCs have no example: computed with Python's hashlib. */
	{"http-auth@example.org", "Circle of Life", NONCE_7616, CNONCE_7616, DIGEST_SHA_512_256, false, true,
		"430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0"},
	{"http-auth@example.org", "Circle of Life", NONCE_7616, CNONCE_7616, DIGEST_SHA_256, true, true,
		"2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"},
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		const struct vector *v = &vectors[i];
		struct secret password = password_of(v->password), wrong = password_of("circle of life");
		char hex[DIGEST_HEX_MAX];
		struct digest_credentials c = {
			.username = STR("Mufasa"),
			.realm = str_z(v->realm),
			.nonce = str_z(v->nonce),
			.uri = STR("/dir/index.html"),
			.cnonce = str_z(v->cnonce),
			.algorithm = v->algorithm,
			.session = v->session,
			.qop = v->qop,
			.nc = 1,
		};

		assert_int_equal(digest_compute(&c, STR("GET"), &password, hex), 0);
		assert_string_equal(hex, v->response);
		c.response = str_z(v->response);
		assert_true(digest_verify(&c, STR("GET"), &password));
		assert_false(digest_verify(&c, STR("GET"), &wrong));
		assert_false(digest_verify(&c, STR("PUT"), &password));
		c.response.n--;
		assert_false(digest_verify(&c, STR("GET"), &password));
	}
}

static void test_challenges(void **state)
{
	static const struct {
		const char *value;
		int result;
		enum digest_algorithm algorithm;
		bool qop, stale, session;
	} cases[] = {
		{"Digest realm=\"a\", nonce=\"b\"", 0, DIGEST_MD5, false, false, false},
		{"digest  realm = \"a\" ,nonce=\"b\",stale=TRUE,algorithm=sha-256,qop=\"auth-int , auth\"", 0,
			DIGEST_SHA_256, true, true, false},
		{"Digest realm=\"a, b=\\\"c\\\"\", domain=\"sip:x\", nonce=\"\", qop=auth, "
		 "algorithm=SHA-512-256-sess, opaque=\"\"",
			0, DIGEST_SHA_512_256, true, false, true},
		{"Digest realm=\"a\", nonce=\"b\", algorithm=\"MD5\", stale=\"false\",, future=1", 0,
			DIGEST_MD5, false, false, false},
		{"Digest realm=\"a\", nonce=\"b\", algorithm=AKAv1-MD5", -EPROTONOSUPPORT, 0, 0, 0, 0},
		{"Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\"", -EPROTONOSUPPORT, 0, 0, 0, 0},
		{"Basic realm=\"a\"", -EPROTONOSUPPORT, 0, 0, 0, 0},
		{"Digestrealm=\"a\", nonce=\"b\"", -EPROTONOSUPPORT, 0, 0, 0, 0},
		{"Digest", -EPROTONOSUPPORT, 0, 0, 0, 0},
		{"Digest realm=\"a\"", -EINVAL, 0, 0, 0, 0},
		{"Digest nonce=\"b\"", -EINVAL, 0, 0, 0, 0},
		{"Digest realm=\"a\", nonce=\"b", -EINVAL, 0, 0, 0, 0},
		{"Digest realm=\"a\" nonce=\"b\"", -EINVAL, 0, 0, 0, 0},
		{"Digest realm=\"a\", nonce=\"b\\\"", -EINVAL, 0, 0, 0, 0},
		{"Digest stale, realm=\"a\", nonce=\"b\"", -EINVAL, 0, 0, 0, 0},
		{"Digest =\"a\", realm=\"a\", nonce=\"b\"", -EINVAL, 0, 0, 0, 0},
	};
	struct digest_challenge c;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc = digest_challenge_parse(str_z(cases[i].value), &c);

		if (rc != cases[i].result)
			fail_msg("%d: %s", rc, cases[i].value);
		if (rc == 0 && (c.algorithm != cases[i].algorithm || c.qop != cases[i].qop ||
				       c.stale != cases[i].stale || c.session != cases[i].session))
			fail_msg("misread: %s", cases[i].value);
	}
	assert_int_equal(digest_challenge_parse(STR("Digest realm=\"a, b=\\\"c\\\"\", nonce=\"n\""), &c), 0);
	assert_true(str_eq(c.realm, STR("a, b=\\\"c\\\"")));
}

static void test_credentials(void **state)
{
	static const char good[] = "Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", "
				   "response=\"0123\", cnonce=\"c\", qop=auth, nc=0000001f, algorithm=MD5";
	static const char *const bad[] = {
		"Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"\"",
		"Digest username=\"\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"1\"",
		"Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"1\", qop=auth, "
		"cnonce=\"c\"",
		"Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"1\", qop=auth, "
		"cnonce=\"c\", nc=1",
		"Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"1\", qop=auth, "
		"cnonce=\"c\", nc=0000000g",
		"Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"1\", qop=auth, "
		"nc=00000001",
		"Digest username=\"bob\", nonce=\"n\", uri=\"sip:x\", response=\"1\"",
	};
	struct digest_credentials c, again;
	char text[512];
	struct wbuf w = wbuf_make(text, sizeof text);

	(void)state;
	assert_int_equal(digest_credentials_parse(STR(good), &c), 0);
	assert_int_equal(c.nc, 0x1f);
	assert_true(c.qop && str_eq(c.username, STR("bob")) && str_eq(c.uri, STR("sip:x")));
	digest_credentials_write(&c, &w);
	assert_int_equal(digest_credentials_parse(wbuf_view(&w), &again), 0);
	assert_int_equal(again.nc, 0x1f);
	assert_true(str_eq(again.response, STR("0123")) && str_eq(again.cnonce, STR("c")));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (digest_credentials_parse(str_z(bad[i]), &c) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
}

/* A 401 or 407 with these challenges, one a line. */
static struct sip_msg *challenge(unsigned status, const char *lines)
{
	static struct sip_msg m;
	static char text[4096];
	struct sip_reject why;

	snprintf(text, sizeof text,
		"SIP/2.0 %u x\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\n"
		"To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n%s\r\n",
		status, lines);
	assert_int_equal(sip_msg_parse(&m, text, strlen(text), true, &why), 0);
	return &m;
}

#define WWW "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", "

static struct str answers(struct digest_client *c, char *text, size_t cap)
{
	struct digest_account account = {"bob", password_of("secret")};
	struct wbuf w = wbuf_make(text, cap);

	assert_int_equal(digest_client_answer(c, &account, STR("INVITE"), STR("sip:x"), &w), 0);
	text[w.len] = '\0';
	return wbuf_view(&w);
}

static void test_client_takes_the_strongest(void **state)
{
	struct digest_client c = {0};
	char text[2048];

	(void)state;
	assert_int_equal(answers(&c, text, sizeof text).n, 0);
	assert_int_equal(digest_client_challenged(&c,
				 challenge(401, WWW "nonce=\"1\", algorithm=MD5\r\n" WWW
						    "nonce=\"2\", algorithm=SHA-256\r\n" WWW
						    "nonce=\"3\", algorithm=unknown\r\n"),
				 false),
		0);
	answers(&c, text, sizeof text);
	assert_non_null(strstr(text, "Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"2\""));
	assert_non_null(strstr(text, "algorithm=SHA-256"));
	assert_non_null(strstr(text, "nc=00000001\r\n"));
	assert_null(strstr(text, "nonce=\"1\""));
	answers(&c, text, sizeof text);
	assert_non_null(strstr(text, "nc=00000002\r\n"));
	digest_client_free(&c);
}

static void test_client_knows_a_wrong_password(void **state)
{
	struct digest_client c = {0};
	char text[2048];

	(void)state;
	assert_int_equal(digest_client_challenged(&c, challenge(401, ""), false), -EPROTONOSUPPORT);
	assert_int_equal(digest_client_challenged(
				 &c, challenge(401, "WWW-Authenticate: Basic realm=\"r\"\r\n"), false),
		-EPROTONOSUPPORT);
	assert_int_equal(digest_client_challenged(&c, challenge(401, WWW "nonce=\"1\"\r\n"), false), 0);
	/* Stale: once more with the new nonce. The same question: it was the password. */
	assert_int_equal(
		digest_client_challenged(&c, challenge(401, WWW "nonce=\"2\", stale=true\r\n"), true), 0);
	answers(&c, text, sizeof text);
	assert_non_null(strstr(text, "nonce=\"2\""));
	assert_non_null(strstr(text, "nc=00000001"));
	assert_int_equal(digest_client_challenged(&c, challenge(401, WWW "nonce=\"3\"\r\n"), true), -EACCES);
	/* A proxy behind it asks for its own. */
	assert_int_equal(
		digest_client_challenged(
			&c, challenge(407, "Proxy-Authenticate: Digest realm=\"p\", nonce=\"4\"\r\n"), true),
		0);
	answers(&c, text, sizeof text);
	assert_non_null(strstr(text, "Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"2\""));
	assert_non_null(strstr(text, "\r\nProxy-Authorization: Digest username=\"bob\", realm=\"p\""));
	/* A later request of the dialog: whoever forgot the nonce without saying stale is answered. */
	assert_int_equal(digest_client_challenged(&c, challenge(401, WWW "nonce=\"5\"\r\n"), false), 0);
	digest_client_free(&c);
}

static void test_client_keeps_few_realms(void **state)
{
	struct digest_client c = {0};
	char line[100];

	(void)state;
	for (unsigned i = 0; i < DIGEST_REALMS_MAX; i++) {
		snprintf(line, sizeof line, "WWW-Authenticate: Digest realm=\"%u\", nonce=\"4\"\r\n", i);
		assert_int_equal(digest_client_challenged(&c, challenge(401, line), false), 0);
	}
	assert_int_equal(digest_client_challenged(&c, challenge(401, WWW "nonce=\"4\"\r\n"), false), -ENOSPC);
	digest_client_free(&c);
}

/* ---- server ---- */

static struct secret right;
static const struct digest_wanted wanted = {
	.username = {"bob", 3},
	.realm = {"gw", 2},
	.password = &right,
	.algorithms = 1u << DIGEST_SHA_256 | 1u << DIGEST_MD5,
	.lifetime_ms = 10000,
};

struct answer {
	struct digest_credentials c;
	char nonce[256], response[DIGEST_HEX_MAX];
};

/* A client with this password answers with count nc. */
static void answer_with(struct digest_server *s, struct answer *a, const char *password, uint64_t now)
{
	struct secret p = password_of(password);

	if (!a->nonce[0]) {
		struct wbuf w = wbuf_make(a->nonce, sizeof a->nonce);
		struct digest_challenge asked;

		digest_server_challenge(s, STR("gw"), DIGEST_SHA_256, false, now, &w);
		assert_int_equal(digest_challenge_parse(wbuf_view(&w), &asked), 0);
		assert_true(asked.qop && asked.algorithm == DIGEST_SHA_256 && !asked.stale);
		a->c.nonce = asked.nonce;
		a->c.username = STR("bob");
		a->c.realm = asked.realm;
		a->c.uri = STR("sip:gw");
		a->c.cnonce = STR("c");
		a->c.algorithm = asked.algorithm;
		a->c.qop = true;
	}
	assert_int_equal(digest_compute(&a->c, STR("INVITE"), &p, a->response), 0);
	a->c.response = str_z(a->response);
}

static enum digest_verdict check(struct digest_server *s, struct answer *a, uint32_t nc, uint64_t now)
{
	a->c.nc = nc;
	answer_with(s, a, "secret", now);
	return digest_server_check(s, &a->c, STR("INVITE"), &wanted, now);
}

static void test_server(void **state)
{
	struct digest_server *s, *after;
	struct answer a = {0}, b = {0}, c = {0};

	(void)state;
	right = password_of("secret");
	assert_int_equal(digest_server_new(&s), 0);
	assert_int_equal(digest_server_new(&after), 0);
	assert_int_equal(check(s, &a, 1, 1000), DIGEST_RIGHT);
	assert_int_equal(check(s, &a, 1, 1000), DIGEST_REPLAYED);
	/* Out of order once each; what is too far behind is not known any more, so not taken. */
	assert_int_equal(check(s, &a, 100, 1000), DIGEST_RIGHT);
	assert_int_equal(check(s, &a, 99, 1000), DIGEST_RIGHT);
	assert_int_equal(check(s, &a, 99, 1000), DIGEST_REPLAYED);
	assert_int_equal(check(s, &a, 37, 1000), DIGEST_RIGHT);
	assert_int_equal(check(s, &a, 36, 1000), DIGEST_REPLAYED);
	assert_int_equal(check(s, &a, 0, 1000), DIGEST_REPLAYED);
	assert_int_equal(check(s, &a, 101, 11000), DIGEST_RIGHT);
	assert_int_equal(check(s, &a, 102, 11001), DIGEST_STALE);
	/* A nonce of before a restart, with the right password. */
	assert_int_equal(check(after, &a, 103, 1000), DIGEST_STALE);
	a.c.nonce = STR("0123");
	assert_int_equal(check(s, &a, 1, 1000), DIGEST_STALE);
	/* Another user, password, method, realm, algorithm, none of RFC 2617's protection. */
	b.c.nc = 1;
	answer_with(s, &b, "guess", 1000);
	assert_int_equal(digest_server_check(s, &b.c, STR("INVITE"), &wanted, 1000), DIGEST_WRONG);
	answer_with(s, &c, "secret", 1000);
	c.c.nc = 1;
	answer_with(s, &c, "secret", 1000);
	assert_int_equal(digest_server_check(s, &c.c, STR("BYE"), &wanted, 1000), DIGEST_WRONG);
	c.c.username = STR("eve");
	assert_int_equal(check(s, &c, 1, 1000), DIGEST_WRONG);
	c.c.username = STR("bob");
	c.c.realm = STR("other");
	assert_int_equal(check(s, &c, 1, 1000), DIGEST_WRONG);
	c.c.realm = STR("gw");
	c.c.algorithm = DIGEST_SHA_512_256;
	assert_int_equal(check(s, &c, 1, 1000), DIGEST_WRONG);
	c.c.algorithm = DIGEST_MD5;
	c.c.qop = false;
	assert_int_equal(check(s, &c, 1, 1000), DIGEST_WRONG);
	c.c.qop = true;
	assert_int_equal(check(s, &c, 1, 1000), DIGEST_RIGHT);
	digest_server_free(s);
	digest_server_free(after);
}

/* However many nonces are used, a count that was used is never good again. */
static void test_server_forgets_safely(void **state)
{
	struct digest_server *s;
	struct answer first = {0};

	(void)state;
	right = password_of("secret");
	assert_int_equal(digest_server_new(&s), 0);
	assert_int_equal(check(s, &first, 1, 1000), DIGEST_RIGHT);
	for (unsigned i = 0; i < 16384; i++) {
		struct answer other = {0};

		assert_int_equal(check(s, &other, 1, 1000), DIGEST_RIGHT);
	}
	assert_int_equal(check(s, &first, 1, 1000), DIGEST_STALE);
	assert_int_equal(check(s, &first, 2, 1000), DIGEST_STALE);
	digest_server_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_challenges),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_client_takes_the_strongest),
		cmocka_unit_test(test_client_knows_a_wrong_password),
		cmocka_unit_test(test_client_keeps_few_realms),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_server_forgets_safely),
	};

	return cmocka_run_group_tests_name("sip_digest", tests, NULL, NULL);
}
