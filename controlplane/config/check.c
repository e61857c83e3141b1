/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "controlplane/audit/audit.h"
#include "controlplane/config/check_pem.h"
#include "controlplane/config/config.h"
#include "controlplane/config/password.h"
#include "controlplane/config/snapshot.h"
#include "lib/base/secret.h"

/* One leaf that names a file, for the messages. */
struct file {
	const struct config_tls_profile *profile;
	const char *leaf, *path;
};

static int complain(const struct file *f, struct err *e, const char *what)
{
	ERR_clear_error();
	return err_set(e, EINVAL, "/srtp-gateway:gateway/tls-profiles/tls-profile[name='%s']/%s: %s: %s",
		f->profile->name, f->leaf, f->path, what);
}

static int open_file(const struct file *f, BIO **out, struct err *e)
{
	/* Whoever may read can have a configuration validated: a pipe that nobody writes to must not stop the
	 * calls. */
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *in = NULL;
	struct err reason;
	struct stat st;
	char what[ERR_TEXT_MAX];

	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(fd);
		return complain(f, e, "is not a file");
	}
	if (fd < 0 || !(in = fdopen(fd, "r")) || !(*out = BIO_new_fp(in, BIO_CLOSE))) {
		snprintf(what, sizeof what, "cannot be read: %s", err_read_reason(errno, &reason));
		if (in)
			fclose(in);
		else if (fd >= 0)
			close(fd);
		return complain(f, e, what);
	}
	return 0;
}

static int read_certificate(const struct file *f, X509 **out, struct err *e)
{
	BIO *in;
	int rc = open_file(f, &in, e);

	if (rc)
		return rc;
	*out = PEM_read_bio_X509(in, NULL, secret_no_passphrase, NULL);
	BIO_free(in);
	return *out ? 0 : complain(f, e, pem_instead(f->path, PEM_CERTIFICATE));
}

static int read_key(const struct file *f, EVP_PKEY **out, struct err *e)
{
	struct stat st;
	BIO *in;
	int rc = open_file(f, &in, e);

	if (rc)
		return rc;
	FILE *fp;

	/* Else the C library's buffer keeps the key's text when it is freed; OpenSSL wipes its own. */
	if (BIO_get_fp(in, &fp) > 0)
		setvbuf(fp, NULL, _IONBF, 0);
	*out = PEM_read_bio_PrivateKey(in, NULL, secret_no_passphrase, NULL);
	BIO_free(in);
	if (!*out)
		return complain(f, e, pem_instead(f->path, PEM_KEY));
	if (stat(f->path, &st) == 0 && st.st_mode & (S_IRGRP | S_IROTH))
		log_warn("config", "private key is readable by others: chmod 600", LZ("file", f->path));
	return 0;
}

static int check_trust_bag(const struct file *f, struct err *e)
{
	X509 *authority = NULL;
	int rc = read_certificate(f, &authority, e);

	X509_free(authority);
	return rc;
}

/* The key is not that of the file's first certificate, which is the one that is shown. */
static int complain_of_pair(
	const struct file *certificate, const struct file *key_file, const EVP_PKEY *key, struct err *e)
{
	unsigned other = pem_certificate_of_key(certificate->path, key);
	char what[ERR_TEXT_MAX];

	if (!other)
		return complain(key_file, e, "is not the key of the profile's certificate");
	snprintf(what, sizeof what,
		"the private key is that of certificate %u in it: put that first and its intermediates after "
		"it, in order",
		other);
	return complain(certificate, e, what);
}

static int check_profile(const struct config_tls_profile *p, struct err *e)
{
	const struct file certificate = {p, "certificate", p->certificate};
	const struct file key_file = {p, "private-key", p->private_key};
	const struct file trust = {p, "trust-bag", p->trust_bag};
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	int rc = read_certificate(&certificate, &cert, e);

	if (!rc)
		rc = read_key(&key_file, &key, e);
	if (!rc && X509_check_private_key(cert, key) != 1)
		rc = complain_of_pair(&certificate, &key_file, key, e);
	if (!rc && p->trust_bag)
		rc = check_trust_bag(&trust, e);
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

/* Not refused, because a laboratory may want it; but SDES keys are then anyone's who sits between. */
static void warn_of_blind_trunks(const struct config *c)
{
	for (uint32_t i = 0; i < c->n_trunks; i++) {
		const struct config_trunk *t = &c->trunks[i];

		if (t->srtp == CONFIG_SRTP_REQUIRED && t->tls && t->tls->verify == CONFIG_VERIFY_NONE)
			log_warn("config", "trunk requires SRTP but its tls-profile verifies nobody",
				LZ("trunk", t->name), LZ("tls_profile", t->tls->name));
	}
}

static int check_password(
	const struct config_trunk *t, const char *container, const char *path, struct err *e)
{
	struct secret SECRET_AUTO s = {0};
	struct err reason;
	bool others;
	int rc = path ? config_password_read(path, &s, &others) : 0;

	if (rc < 0)
		return err_set(e, EINVAL,
			"/srtp-gateway:gateway/trunks/trunk[name='%s']/%s/password-file: %s: %s", t->name,
			container, path,
			rc == -EINVAL
				? "has no password on its first line: plain text without control characters"
			: rc == -E2BIG ? "the password is longer than 64 octets"
				       : err_read_reason(-rc, &reason));
	if (path && others)
		log_warn("config", "a trunk's password is readable by others: chmod 600", LZ("file", path));
	return 0;
}

static int check_passwords(const struct config *c, struct err *e)
{
	int rc = 0;

	for (uint32_t i = 0; i < c->n_trunks && rc == 0; i++) {
		const struct config_trunk *t = &c->trunks[i];

		rc = check_password(t, "auth", t->auth.password_file, e);
		if (rc == 0)
			rc = check_password(t, "peer-auth", t->peer_auth.password_file, e);
	}
	return rc;
}

#define AUDIT_FILE "/srtp-gateway:gateway/audit/file: "

/* What the start would say of the records that are there. */
static int check_records(const char *file, struct err *e)
{
	struct err why;

	if (audit_check(file, &why) == 0)
		return 0;
	return err_set(e, EINVAL, AUDIT_FILE "%s", why.text);
}

/* Can records be written there, and the key beside them be made? The file itself is made when the gateway
 * starts. */
static int check_audit(const char *file, struct err *e)
{
	char folder[PATH_MAX], key[PATH_MAX];
	struct stat st;
	int why;

	if (!file)
		return 0;
	snprintf(folder, sizeof folder, "%.*s/", (int)(strrchr(file, '/') - file), file);
	snprintf(key, sizeof key, "%s.key", file);
	if (stat(folder, &st) != 0)
		return err_set(
			e, EINVAL, AUDIT_FILE "%s: its folder cannot be used: %s", file, strerror(errno));
	why = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
	if (why && (access(file, F_OK) != 0 || access(key, F_OK) != 0))
		return err_set(e, EINVAL,
			AUDIT_FILE
			"%s: nothing can be written to its folder: %s: give it to the account that the gateway runs as",
			file, strerror(why));
	if (stat(file, &st) != 0)
		return check_records(file, e);
	if (S_ISDIR(st.st_mode))
		return err_set(e, EINVAL, AUDIT_FILE "%s: is a folder: give the path of a file", file);
	if (faccessat(AT_FDCWD, file, R_OK | W_OK, AT_EACCESS) != 0)
		return err_set(e, EINVAL, AUDIT_FILE "%s: cannot be written: %s", file, strerror(errno));
	return check_records(file, e);
}

/* It is looked up at the next start, which shall not fail then for what is committed now. */
static int check_group(const char *group, struct err *e)
{
	if (!group || getgrnam(group))
		return 0;
	return err_set(e, EINVAL,
		"/srtp-gateway:gateway/management/group: there is no group '%s': groupadd %s", group, group);
}

/* What becomes of the file that is written has its alarms, and is no mistake of what is committed; that the
 * key is gone nothing else says. */
static int check_open_audit(const char *file, struct err *e)
{
	struct err why;

	return audit_key_check(file, true, &why) ? err_set(e, EINVAL, AUDIT_FILE "%s", why.text) : 0;
}

static bool is_open(const char *file, const struct config *running)
{
	const char *now = running ? running->audit.file : NULL;

	return file && now && strcmp(file, now) == 0;
}

int config_check_files(const struct config *c, const struct config *running, struct err *e)
{
	for (uint32_t i = 0; i < c->n_tls_profiles; i++) {
		int rc = check_profile(&c->tls_profiles[i], e);

		if (rc)
			return rc;
	}
	warn_of_blind_trunks(c);
	int rc = check_passwords(c, e);

	if (!rc)
		rc = is_open(c->audit.file, running) ? check_open_audit(c->audit.file, e)
						     : check_audit(c->audit.file, e);
	if (!rc)
		rc = check_group(c->management.group, e);
	return rc ? rc : config_check_socket(c, e);
}
