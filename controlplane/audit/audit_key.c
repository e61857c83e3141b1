/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "controlplane/audit/audit.h"
#include "controlplane/audit/audit_private.h"
#include "lib/base/secret.h"

static int key_path(char out[AUDIT_PATH_MAX], const char *file, const char *suffix, struct err *e)
{
	int n = snprintf(out, AUDIT_PATH_MAX, "%s%s", file, suffix);

	return n < 0 || n >= AUDIT_PATH_MAX ? err_set(e, ENAMETOOLONG, "%s: the path is too long", file) : 0;
}

static int write_public(const char *file, EVP_PKEY *key, struct err *e)
{
	char path[AUDIT_PATH_MAX];
	int rc = key_path(path, file, ".pub", e);
	FILE *f = rc ? NULL : fopen(path, "we");

	if (rc)
		return rc;
	if (!f)
		return err_set(e, errno, "%s: cannot be written: %s", path, strerror(errno));
	rc = PEM_write_PUBKEY(f, key) == 1 ? 0 : -EIO;
	if (fclose(f) != 0)
		rc = -EIO;
	return rc ? err_set(e, EIO, "%s: cannot be written", path) : 0;
}

/* Lasting once it has its name, and the name once the folder is written. */
static int settle(const char *path, const char *made)
{
	return rename(made, path) < 0 ? -1 : audit_sync_folder(path);
}

/*
 * On the disk before there is a record: the machine may go down at any time, and records without their key,
 * or with an empty one, are refused at the next start. What is left of an attempt that was cut short is made
 * anew.
 */
static int make(const char *path, EVP_PKEY **out, struct err *e)
{
	char made[AUDIT_PATH_MAX];
	int rc = key_path(made, path, ".new", e);

	if (rc)
		return rc;
	unlink(made);

	int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	bool ok = f && key && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		  fflush(f) == 0 && fsync(fd) == 0;

	if (f)
		ok = fclose(f) == 0 && ok;
	else if (fd >= 0)
		close(fd);
	if (ok && settle(path, made) == 0) {
		*out = key;
		return 0;
	}
	rc = err_set(e, errno ? errno : EIO, "%s: a signing key cannot be made: %s", path, strerror(errno));
	if (fd >= 0)
		unlink(made);
	EVP_PKEY_free(key);
	return rc;
}

/* With another key the chain would go on, and nobody could verify it: FILE.pub is of one key. */
static int missing(const char *path, const char *file, struct err *e)
{
	return err_set(e, ENOENT,
		"%s: is missing, and there are records that it has signed: put it back, or move %s and its "
		"older files away",
		path, file);
}

int audit_key_check(const char *file, bool begun, struct err *e)
{
	char path[AUDIT_PATH_MAX];
	int rc = key_path(path, file, ".key", e);

	if (!rc && begun && access(path, F_OK) < 0 && errno == ENOENT)
		rc = missing(path, file, e);
	return rc;
}

int audit_key_open(const char *file, bool begun, struct evp_pkey_st **out, struct err *e)
{
	char path[AUDIT_PATH_MAX];
	EVP_PKEY *key = NULL;
	int rc = key_path(path, file, ".key", e);
	FILE *f = rc ? NULL : fopen(path, "re");

	if (rc)
		return rc;
	if (f) {
		key = PEM_read_PrivateKey(f, NULL, secret_no_passphrase, NULL);
		fclose(f);
		if (!key || !EVP_PKEY_is_a(key, "ED25519")) {
			EVP_PKEY_free(key);
			return err_set(
				e, EINVAL, "%s: this is no Ed25519 private key without a passphrase", path);
		}
	} else if (errno != ENOENT) {
		return err_set(e, errno, "%s: cannot be read: %s", path, strerror(errno));
	} else if (begun) {
		rc = missing(path, file, e);
	} else {
		rc = make(path, &key, e);
	}
	if (!rc)
		rc = write_public(file, key, e);
	if (rc) {
		EVP_PKEY_free(key);
		return rc;
	}
	*out = key;
	return 0;
}
