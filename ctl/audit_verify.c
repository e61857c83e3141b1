/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "ctl/audit.h"
#include "ctl/audit_files.h"
#include "lib/audit/chain.h"
#include "lib/base/secret.h"

#define KEY_PATH_MAX 4096

static EVP_PKEY *read_key(const char *path, struct err *e)
{
	FILE *f = fopen(path, "re");
	EVP_PKEY *key = f ? PEM_read_PUBKEY(f, NULL, secret_no_passphrase, NULL) : NULL;

	if (!f)
		err_set(e, errno, "%s: %s: name the public key with --key", path, strerror(errno));
	else if (!key || !EVP_PKEY_is_a(key, "ED25519"))
		err_set(e, EINVAL, "%s: this is no public Ed25519 key (PEM)", path);
	else
		e->text[0] = 0;
	if (f)
		fclose(f);
	if (e->text[0]) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

/* FILE.pub, also of FILE.7 that was closed. */
static void key_beside(const char *file, char out[KEY_PATH_MAX])
{
	size_t n = strlen(file), digits = 0;

	snprintf(out, KEY_PATH_MAX, "%s.pub", file);
	while (digits < n && file[n - 1 - digits] >= '0' && file[n - 1 - digits] <= '9')
		digits++;
	if (digits && digits + 1 < n && file[n - 1 - digits] == '.' && access(out, F_OK) < 0)
		snprintf(out, KEY_PATH_MAX, "%.*s.pub", (int)(n - 1 - digits), file);
}

static enum ctl_exit verify_line(void *arg, struct str line, struct err *e)
{
	return audit_verify_line(arg, line, e) < 0 ? CTL_REFUSED : CTL_OK;
}

static void say_verified(const struct ctl_args *a, const struct audit_verify *v)
{
	uint64_t unsigned_records = v->at.seq - (v->signed_to ? v->signed_to : v->first - 1);

	if (args_json(a)) {
		printf("{\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"checkpoints\":%" PRIu64
		       ",\"signed-to\":%" PRIu64 ",\"unsigned\":%" PRIu64 ",\"missing\":%" PRIu64 "}\n",
			v->first, v->at.seq, v->checkpoints, v->signed_to, unsigned_records, v->missing);
		return;
	}
	printf("ok: records %" PRIu64 " to %" PRIu64 ", %" PRIu64 " checkpoints signed\n", v->first,
		v->at.seq, v->checkpoints);
	if (v->first > 1)
		printf("what came before record %" PRIu64 " is in other files\n", v->first);
	if (v->missing)
		printf("%" PRIu64
		       " record%s missing, which could not be written: 'audit show' says when and why\n",
			v->missing, v->missing == 1 ? " is" : "s are");
	if (unsigned_records)
		printf("the last %" PRIu64 " are not signed yet: what was cut off behind record %" PRIu64
		       " would not be seen\n",
			unsigned_records, v->signed_to);
}

enum ctl_exit audit_verify(struct client *c, const struct ctl_args *a, struct err *e)
{
	struct audit_verify v = {0};
	char beside[KEY_PATH_MAX];
	enum ctl_exit code;

	(void)c;
	if (!a->text[OPT_KEY])
		key_beside(audit_newest(a), beside);
	v.key = read_key(a->text[OPT_KEY] ? a->text[OPT_KEY] : beside, e);
	if (!v.key)
		return CTL_FAILED;
	code = audit_each_line(a, verify_line, &v, e);
	if (code == CTL_OK && !v.begun) {
		err_set(e, EBADMSG, "%s: there is no record", a->words[0]);
		code = CTL_REFUSED;
	}
	if (code == CTL_OK)
		say_verified(a, &v);
	EVP_PKEY_free(v.key);
	return code;
}
