/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a configuration names: made here with the system's own library, then spoilt one by one. */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "controlplane/config/config.h"
#include "controlplane/config/password.h"

struct files {
	char folder[64], certificate[96], key[96], trust[96];
	struct config *config;
};

static EVP_PKEY *write_key(const char *path, const EVP_CIPHER *cipher)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *f = fopen(path, "w");

	assert_non_null(key);
	assert_non_null(f);
	assert_int_equal(
		PEM_write_PrivateKey(f, key, cipher, NULL, 0, NULL, cipher ? (void *)"secret" : NULL), 1);
	fclose(f);
	chmod(path, 0600);
	return key;
}

static void write_certificate(const char *path, EVP_PKEY *key)
{
	X509 *cert = X509_new();
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	fclose(f);
	X509_free(cert);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int setup(void **state)
{
	struct files *f = calloc(1, sizeof *f);
	char text[1024];
	struct err e = {0};

	strcpy(f->folder, "/tmp/srtpgw-files-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->certificate, sizeof f->certificate, "%s/c.pem", f->folder);
	snprintf(f->key, sizeof f->key, "%s/k.pem", f->folder);
	snprintf(f->trust, sizeof f->trust, "%s/t.pem", f->folder);
	EVP_PKEY *key = write_key(f->key, NULL);

	write_certificate(f->certificate, key);
	write_certificate(f->trust, key);
	EVP_PKEY_free(key);
	snprintf(text, sizeof text,
		"{\"srtp-gateway:gateway\":{\"tls-profiles\":{\"tls-profile\":[{\"name\":\"p\","
		"\"certificate\":\"%s\","
		"\"private-key\":\"%s\",\"trust-bag\":\"%s\"}]}}}",
		f->certificate, f->key, f->trust);
	assert_int_equal(config_parse(str_z(text), "test", &f->config, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct files *f = *state;

	unlink(f->certificate);
	unlink(f->key);
	unlink(f->trust);
	rmdir(f->folder);
	config_unref(f->config);
	free(f);
	return 0;
}

/* Each is named by its leaf, its path and what is wrong with it. */
static void expect(const struct files *f, const char *leaf, const char *path, const char *reason)
{
	struct err e = {0};
	char place[160];

	snprintf(place, sizeof place,
		"/srtp-gateway:gateway/tls-profiles/tls-profile[name='p']/%s: %s: ", leaf, path);
	if (config_check_files(f->config, NULL, &e) != -EINVAL ||
		strncmp(e.text, place, strlen(place)) != 0 || !strstr(e.text, reason))
		fail_msg("'%s' instead of %s...%s", e.text, place, reason);
}

static void good_files_pass(void **state)
{
	const struct files *f = *state;
	struct err e = {0};

	if (config_check_files(f->config, NULL, &e))
		fail_msg("%s", e.text);
}

static void missing_files_are_named(void **state)
{
	const struct files *f = *state;

	unlink(f->trust);
	expect(f, "trust-bag", f->trust, "No such file");
	unlink(f->key);
	expect(f, "private-key", f->key, "No such file");
	unlink(f->certificate);
	expect(f, "certificate", f->certificate, "No such file");
}

/* As a key that root copied there and the service cannot read. */
static void who_cannot_read_is_named(void **state)
{
	const struct files *f = *state;
	const struct passwd *other = getpwuid(65534);
	char reason[160];

	if (geteuid() != 0 || !other)
		skip();
	snprintf(reason, sizeof reason,
		"Permission denied: user '%s', which this program runs as, has to be able to read it",
		other->pw_name);
	assert_int_equal(chmod(f->folder, 0711), 0);
	chmod(f->certificate, 0644);
	assert_int_equal(seteuid(65534), 0);
	expect(f, "private-key", f->key, reason);
	assert_int_equal(seteuid(0), 0);
}

static void another_key_is_noticed(void **state)
{
	const struct files *f = *state;

	EVP_PKEY_free(write_key(f->key, NULL));
	expect(f, "private-key", f->key, "is not the key of the profile's certificate");
}

/* As a chain that was put together with the issuer first. */
static void a_chain_that_is_upside_down_is_noticed(void **state)
{
	const struct files *f = *state;
	EVP_PKEY *key = write_key(f->key, NULL), *issuer = EVP_EC_gen("P-256");
	char ours[4096] = {0};
	FILE *in;

	write_certificate(f->trust, key);
	in = fopen(f->trust, "r");
	assert_non_null(in);
	assert_true(fread(ours, 1, sizeof ours - 1, in) > 0);
	fclose(in);
	write_certificate(f->certificate, issuer);
	in = fopen(f->certificate, "a");
	assert_non_null(in);
	fputs(ours, in);
	fclose(in);
	expect(f, "certificate", f->certificate,
		"the private key is that of certificate 2 in it: put that first");
	EVP_PKEY_free(key);
	EVP_PKEY_free(issuer);
}

/* A gateway that starts at night has nobody to ask. */
static void a_passphrase_is_refused_at_once(void **state)
{
	const struct files *f = *state;

	EVP_PKEY_free(write_key(f->key, EVP_aes_128_cbc()));
	expect(f, "private-key", f->key,
		"behind a passphrase: 'openssl pkey -in FILE -out NEW' stores it without");
}

static void what_is_not_pem_is_refused(void **state)
{
	const struct files *f = *state;

	write_text(f->trust, "");
	expect(f, "trust-bag", f->trust, "is empty");
	write_text(f->trust, "-----BEGIN PRIVATE KEY-----\n");
	expect(f, "trust-bag", f->trust, "has a private key and no PEM certificate");
	write_text(f->trust, "0\x82\x03\x1f");
	expect(f, "trust-bag", f->trust, "is binary, not PEM: 'openssl x509 -inform DER");
	write_text(f->certificate, "hello\n");
	expect(f, "certificate", f->certificate, "no PEM certificate");
	unlink(f->certificate);
	assert_int_equal(mkdir(f->certificate, 0700), 0);
	expect(f, "certificate", f->certificate, "not a file");
	rmdir(f->certificate);
	/* One that nobody writes to is not waited for. */
	assert_int_equal(mkfifo(f->certificate, 0600), 0);
	expect(f, "certificate", f->certificate, "not a file");
}

/* What the next start could not go on without is refused now. */
static void expect_of(const char *text, const char *reason)
{
	struct config *c;
	struct err e = {0};

	assert_int_equal(config_parse(str_z(text), "test", &c, &e), 0);
	if (config_check_files(c, NULL, &e) != -EINVAL || !strstr(e.text, reason))
		fail_msg("'%s' instead of %s", e.text, reason);
	config_unref(c);
}

static void what_the_next_start_needs_is_there(void **state)
{
	struct files *f = *state;
	struct config *c;
	struct err e = {0};
	char text[256];

	expect_of("{\"srtp-gateway:gateway\":{\"management\":{\"group\":\"no-such-group\"}}}",
		"/srtp-gateway:gateway/management/group: there is no group 'no-such-group': groupadd");
	expect_of("{\"srtp-gateway:gateway\":{\"audit\":{\"file\":\"/nowhere/audit.jsonl\"}}}",
		"/srtp-gateway:gateway/audit/file: /nowhere/audit.jsonl: its folder cannot be used: No such file");
	snprintf(text, sizeof text, "{\"srtp-gateway:gateway\":{\"audit\":{\"file\":\"%s\"}}}", f->folder);
	expect_of(text, "is a folder: give the path of a file");
	snprintf(text, sizeof text,
		"{\"srtp-gateway:gateway\":{\"audit\":{\"file\":\"%s/audit.jsonl\"},\"management\":{\"group\":\"root\"}}}",
		f->folder);
	assert_int_equal(config_parse(str_z(text), "test", &c, &e), 0);
	if (config_check_files(c, NULL, &e))
		fail_msg("%s", e.text);
	config_unref(c);
}

static struct config *with_audit(const char *file)
{
	char text[256];
	struct config *c;
	struct err e = {0};

	snprintf(text, sizeof text, "{\"srtp-gateway:gateway\":{\"audit\":{\"file\":\"%s\"}}}", file);
	assert_int_equal(config_parse(str_z(text), "test", &c, &e), 0);
	return c;
}

/* now: the file that is written meanwhile; NULL: at a start. */
static const char *audit_says_beside(const char *file, const char *now)
{
	struct config *c = with_audit(file), *running = now ? with_audit(now) : NULL;
	static struct err e;
	int rc;

	e.text[0] = 0;
	rc = config_check_files(c, running, &e);
	assert_int_equal(rc, e.text[0] ? -EINVAL : 0);
	config_unref(c);
	config_unref(running);
	return e.text;
}

static const char *audit_says(const char *file)
{
	return audit_says_beside(file, NULL);
}

#define AUDIT "/srtp-gateway:gateway/audit/file: "
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* Before the first record, not with it. */
static void an_audit_that_cannot_be_written_is_named(void **state)
{
	const struct files *f = *state;
	char folder[96], file[128], older[136], expected[512];

	snprintf(folder, sizeof folder, "%s/audit", f->folder);
	snprintf(file, sizeof file, "%s/a.jsonl", folder);
	snprintf(expected, sizeof expected, AUDIT "%s: its folder cannot be used: No such file", file);
	assert_memory_equal(audit_says(file), expected, strlen(expected));
	write_text(folder, "");
	snprintf(expected, sizeof expected, AUDIT "%s: its folder cannot be used: Not a directory", file);
	assert_string_equal(audit_says(file), expected);
	unlink(folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_string_equal(audit_says(file), "");
	assert_int_equal(access(file, F_OK), -1); /* only looked at */
	assert_int_equal(mkdir(file, 0700), 0);
	snprintf(expected, sizeof expected, AUDIT "%s: is a folder: give the path of a file", file);
	assert_string_equal(audit_says(file), expected);
	rmdir(file);
	if (geteuid() == 0) {
		/* Another account may not even look into the folder; the next one may look, and not write. */
		assert_int_equal(seteuid(65534), 0);
		assert_non_null(strstr(audit_says(file), "Permission denied"));
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(chmod(f->folder, 0711), 0);
		assert_int_equal(chmod(folder, 0711), 0);
		assert_int_equal(seteuid(65534), 0);
		snprintf(expected, sizeof expected,
			AUDIT "%s: nothing can be written to its folder: Permission denied", file);
		assert_memory_equal(audit_says(file), expected, strlen(expected));
		assert_int_equal(seteuid(0), 0);
	}
	write_text(file, "");
	assert_string_equal(audit_says(file), "");
	/* The machine went down with the first record: the start takes it away, and makes the key. */
	write_text(file, "{\"seq\":1,\"prev");
	assert_string_equal(audit_says(file), "");
	write_text(file, "{\"seq\":1,\"prev\":\"" ZEROS "\",\"type\":\"x\"}\n");
	snprintf(expected, sizeof expected,
		AUDIT "%s.key: is missing, and there are records that it has signed", file);
	assert_memory_equal(audit_says(file), expected, strlen(expected));
	/* A rotation that was cut short: the records are in the file before. */
	snprintf(older, sizeof older, "%s.1", file);
	assert_int_equal(rename(file, older), 0);
	assert_memory_equal(audit_says(file), expected, strlen(expected));
	unlink(older);
	write_text(file, "a shopping list\n");
	snprintf(expected, sizeof expected, AUDIT "%s: its last line is no record: move it away", file);
	assert_string_equal(audit_says(file), expected);
	unlink(file);
	rmdir(folder);
}

/* It was moved away, and is written where it is: no commit is refused for what has its path now. The next
 * start is. */
static void an_audit_that_is_open_is_not_looked_at(void **state)
{
	const struct files *f = *state;
	char folder[96], file[128], key[136], other[128], expected[256];

	snprintf(folder, sizeof folder, "%s/audit", f->folder);
	snprintf(file, sizeof file, "%s/a.jsonl", folder);
	snprintf(key, sizeof key, "%s.key", file);
	snprintf(other, sizeof other, "%s/b.jsonl", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	write_text(key, "");
	write_text(file, "a shopping list\n");
	snprintf(expected, sizeof expected, AUDIT "%s: its last line is no record: move it away", file);
	assert_string_equal(audit_says_beside(file, file), "");
	assert_string_equal(audit_says_beside(file, NULL), expected);
	assert_string_equal(audit_says_beside(file, other), expected);
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_string_equal(audit_says_beside(file, file), "");
	rmdir(file);
	/* No alarm says this. */
	unlink(key);
	snprintf(expected, sizeof expected, AUDIT "%s: is missing, and there are records", key);
	assert_memory_equal(audit_says_beside(file, file), expected, strlen(expected));
	rmdir(folder);
}

static void passwords_are_first_lines(void **state)
{
	char path[] = "/tmp/srtpgw-password-XXXXXX";
	int fd = mkstemp(path);
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"secret\nrest", 6},
		{"secret", 6},
		{"with spaces \r\n", 12},
		{"\nsecret", -EINVAL},
		{"", -EINVAL},
		{"a\tb\n", -EINVAL},
		{"0123456789012345678901234567890123456789012345678901234567890123\n", 64},
		{"01234567890123456789012345678901234567890123456789012345678901234\n", -E2BIG},
		{"0123456789012345678901234567890123456789012345678901234567890123456789", -E2BIG},
	};
	struct secret s;
	bool others;

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, cases[i].text, strlen(cases[i].text), 0), strlen(cases[i].text));
		rc = config_password_read(path, &s, &others);
		if (rc < 0 ? rc != cases[i].result : s.len != cases[i].result)
			fail_msg("%d, %u octets of: %s", rc, s.len, cases[i].text);
		assert_false(others);
	}
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(config_password_read(path, &s, &others), -E2BIG);
	assert_true(others);
	assert_int_equal(s.len, 0);
	close(fd);
	unlink(path);
	assert_int_equal(config_password_read(path, &s, &others), -ENOENT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

struct heard {
	unsigned n;
	char lines[4][512];
};

static void hear(void *ctx, const char *line)
{
	struct heard *h = ctx;

	assert_true(h->n < 4);
	snprintf(h->lines[h->n++], sizeof h->lines[0], "%s", line);
}

static struct config *with_places(const char *device, const char *socket)
{
	struct config *c;
	struct err e = {0};
	char text[512];

	snprintf(text, sizeof text,
		"{\"srtp-gateway:gateway\":{\"media\":{\"interface\":[{\"name\":\"in\",\"device\":\"%s\",\"address\":[{"
		"\"ip\":\"127.0.0.1\",\"port-range\":[{\"lower\":20000,\"upper\":20999}]}]}]},"
		"\"management\":{\"socket\":\"%s\"}}}",
		device, socket);
	if (config_parse(str_z(text), "test", &c, &e))
		fail_msg("%s", e.text);
	return c;
}

/* What may come later is said with the leaf that names it, and refused by nobody. */
static void what_is_not_there_is_said(void **state)
{
	struct files *f = *state;
	char socket[128];
	struct heard all = {0}, good = {0}, same = {0}, elsewhere = {0};
	struct err e = {0};

	snprintf(socket, sizeof socket, "%s/ctl.sock", f->folder);
	struct config *bad = with_places("no-such-if0", "/nowhere/at/all/ctl.sock"),
		      *c = with_places("lo", socket);

	if (config_check_files(bad, NULL, &e) || config_check_files(c, NULL, &e))
		fail_msg("%s", e.text);
	config_look_at_places(NULL, bad, NULL, hear, &all);
	assert_int_equal(all.n, 2);
	assert_non_null(strstr(all.lines[0],
		"/srtp-gateway:gateway/media/interface[name='in']/device: there is no network "
		"interface 'no-such-if0'"));
	assert_non_null(strstr(all.lines[1],
		"/srtp-gateway:gateway/management/socket: /nowhere/at/all/ctl.sock: the folder "
		"/nowhere/at/all is not there"));
	config_look_at_places(NULL, c, NULL, hear, &good);
	assert_int_equal(good.n, 0);
	/* A commit says what it brings, and not what was there before. */
	config_look_at_places(bad, bad, NULL, hear, &same);
	assert_int_equal(same.n, 0);
	config_look_at_places(c, bad, "/run/other.sock", hear, &elsewhere);
	assert_int_equal(elsewhere.n, 1);
	config_unref(bad);
	config_unref(c);
}

/* Where there is something else no socket can ever be. */
static void a_socket_that_can_never_be_is_refused(void **state)
{
	struct files *f = *state;
	char text[256];

	snprintf(text, sizeof text, "{\"srtp-gateway:gateway\":{\"management\":{\"socket\":\"%s\"}}}",
		f->trust);
	expect_of(text, "/srtp-gateway:gateway/management/socket: /tmp/srtpgw-files-");
	expect_of(text, "is not a socket: give another path");
	snprintf(text, sizeof text, "{\"srtp-gateway:gateway\":{\"management\":{\"socket\":\"%s/x\"}}}",
		f->trust);
	expect_of(text, "is not a folder");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(good_files_pass),
		CASE(missing_files_are_named),
		CASE(who_cannot_read_is_named),
		CASE(another_key_is_noticed),
		CASE(a_chain_that_is_upside_down_is_noticed),
		CASE(a_passphrase_is_refused_at_once),
		CASE(what_is_not_pem_is_refused),
		CASE(what_the_next_start_needs_is_there),
		CASE(an_audit_that_cannot_be_written_is_named),
		CASE(an_audit_that_is_open_is_not_looked_at),
		CASE(what_is_not_there_is_said),
		CASE(a_socket_that_can_never_be_is_refused),
		cmocka_unit_test(passwords_are_first_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
