/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of ours: which are refused, which are warned of, when their end is told. */
#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/certs/cert.h"
#include "controlplane/certs/cert_watch.h"
#include "tests/support/certs.h"

#define DAY INT64_C(86400)

static int setup(void **state)
{
	(void)state;
	certs_begin();
	certs_make(&(struct cert_spec){.file = "root", .cn = "root", .days = 400});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	certs_end();
	return 0;
}

static struct cert_info info;
static struct cert_warnings warnings;
static struct err why;

static int check(const char *name, unsigned use)
{
	char file[64];

	snprintf(file, sizeof file, "%s.pem", name);
	why.text[0] = '\0';
	return cert_check(certs_path(file), use, (int64_t)time(NULL), &info, &warnings, &why);
}

static void refused(const char *name, unsigned use, const char *words)
{
	assert_true(check(name, use) < 0);
	if (!strstr(why.text, words) || !strstr(why.text, name))
		fail_msg("'%s' is not in: %s", words, why.text);
}

static bool warned(const char *words)
{
	for (unsigned i = 0; i < warnings.n; i++)
		if (strstr(warnings.text[i], words))
			return true;
	return false;
}

/* Puts one file behind another. */
static void append(const char *to, const char *from)
{
	char text[8192];
	FILE *in = fopen(certs_path(from), "r"), *out = fopen(certs_path(to), "a");
	size_t n = fread(text, 1, sizeof text, in);

	assert_int_equal(fwrite(text, 1, n, out), n);
	fclose(in);
	fclose(out);
}

static void what_it_says(void **state)
{
	(void)state;
	certs_make(&(struct cert_spec){.file = "good",
		.cn = "gw",
		.san = "DNS:gw.example.net,IP:192.0.2.1,IP:2001:db8::1",
		.issuer = "root",
		.days = 100,
		.eku = "serverAuth,clientAuth"});
	assert_int_equal(check("good", CERT_SERVER | CERT_CLIENT), 0);
	assert_int_equal(warnings.n, 0);
	assert_string_equal(info.subject, "CN=gw");
	assert_string_equal(info.issuer, "CN=root");
	assert_int_equal(info.n_sans, 3);
	assert_string_equal(info.sans[0], "gw.example.net");
	assert_string_equal(info.sans[1], "192.0.2.1");
	assert_string_equal(info.sans[2], "2001:db8::1");
	assert_int_equal(strlen(info.fingerprint), 95);
	assert_int_equal(cert_days_left(info.not_after_s, (int64_t)time(NULL) + 60), 99);
	assert_non_null(strstr(info.key, "256"));
}

static void what_is_refused(void **state)
{
	FILE *f = fopen(certs_path("empty.pem"), "w");

	(void)state;
	fclose(f);
	refused("empty", 0, "has no PEM certificate");
	refused("missing", 0, "No such file");
	certs_make(&(struct cert_spec){.file = "old", .cn = "x", .issuer = "root", .expired = true});
	refused("old", CERT_SERVER, "has expired");
	certs_make(&(struct cert_spec){.file = "weak", .cn = "x", .issuer = "root", .rsa_bits = 1024});
	refused("weak", CERT_SERVER, "is weak");
	certs_make(&(struct cert_spec){.file = "client", .cn = "x", .issuer = "root", .eku = "clientAuth"});
	refused("client", CERT_SERVER, "serverAuth");
	assert_int_equal(check("client", CERT_CLIENT), 0);
}

static void what_is_warned_of(void **state)
{
	(void)state;
	certs_make(&(struct cert_spec){
		.file = "server", .cn = "x", .issuer = "root", .days = 20, .eku = "serverAuth"});
	assert_int_equal(check("server", CERT_SERVER | CERT_CLIENT), 0);
	assert_true(warned("clientAuth"));
	assert_true(warned("names nobody"));
	/* That it ends soon is the watch's to say, once. */
	assert_false(warned("expires"));
	/* Of one that nobody uses only its end matters. */
	assert_int_equal(check("server", 0), 0);
	assert_int_equal(warnings.n, 1);
	static const struct {
		int64_t before_s;
		const char *says;
	} ends[] = {{18 * DAY + 5, "18 days"}, {2 * DAY - 1, "1 day"}, {DAY, "1 day"}, {DAY - 1, "less than 1 day"}};

	for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
		char text[80];

		snprintf(text, sizeof text, "nobody uses it, and it expires in %s", ends[i].says);
		assert_int_equal(cert_check(certs_path("server.pem"), 0, info.not_after_s - ends[i].before_s, &info,
					 &warnings, &why),
			0);
		assert_string_equal(warnings.text[warnings.n - 1], text);
	}
}

static void chains(void **state)
{
	(void)state;
	certs_make(&(struct cert_spec){.file = "leaf",
		.cn = "x",
		.san = "DNS:x.example",
		.issuer = "root",
		.days = 500});
	append("leaf.pem", "root.pem");
	assert_int_equal(check("leaf", CERT_SERVER), 0);
	/* What expires first ends it all. */
	assert_int_equal(cert_days_left(info.chain_not_after_s, (int64_t)time(NULL) + 60), 399);
	assert_int_equal(cert_days_left(info.not_after_s, (int64_t)time(NULL) + 60), 499);
	certs_make(&(struct cert_spec){.file = "stranger", .cn = "stranger"});
	certs_make(&(struct cert_spec){
		.file = "broken", .cn = "x", .san = "DNS:x.example", .issuer = "root"});
	append("broken.pem", "stranger.pem");
	refused("broken", CERT_SERVER, "certificate 2 did not issue certificate 1");
}

static void trust(const char *file, const char *says)
{
	cert_check_trust(certs_path(file), (int64_t)time(NULL), &warnings);
	assert_int_equal(warnings.n, says ? 1 : 0);
	if (says && !strstr(warnings.text[0], says))
		fail_msg("'%s' is not in: %s", says, warnings.text[0]);
}

static void trust_bags(void **state)
{
	(void)state;
	trust("root.pem", NULL);
	trust("missing.pem", NULL);
	certs_make(&(struct cert_spec){.file = "was", .cn = "was", .expired = true});
	certs_make(&(struct cert_spec){.file = "will-be", .cn = "will be", .early = true});
	trust("was.pem", "every certificate in the trust bag has expired");
	trust("will-be.pem", "no certificate in the trust bag is valid yet");
	append("was.pem", "will-be.pem");
	trust("was.pem", "have expired or are not valid yet");
	/* One that is good is enough. */
	append("was.pem", "root.pem");
	trust("was.pem", NULL);
}

/* Days before the end at which a watcher that looks every day is told. */
static void when_the_end_is_told(void **state)
{
	static const int expected[] = {30, 7, 1, -1, -2, -3};
	struct cert_said said = {0};
	int64_t end = 1000 * DAY + 3600;
	unsigned n = 0;

	(void)state;
	for (int64_t day = 960; day <= 1003; day++)
		if (cert_notice_due(&said, end, day * DAY + 3600)) {
			assert_true(n < sizeof expected / sizeof *expected);
			assert_int_equal(cert_days_left(end, day * DAY + 3600), expected[n++]);
		}
	assert_int_equal(n, sizeof expected / sizeof *expected);
	/* However often he looks on a day, and whenever he begins. */
	assert_false(cert_notice_due(&said, end, 1003 * DAY + 3601));
	said = (struct cert_said){0};
	assert_true(cert_notice_due(&said, end, end - 3 * DAY));
	assert_false(cert_notice_due(&said, end, end - 2 * DAY));
	assert_true(cert_notice_due(&said, end, end - DAY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_says),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_is_warned_of),
		cmocka_unit_test(chains),
		cmocka_unit_test(trust_bags),
		cmocka_unit_test(when_the_end_is_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
