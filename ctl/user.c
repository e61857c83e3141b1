/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/user.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "lib/base/secret.h"
#include "lib/base/str.h"

#define REALM "srtpgw" /* the model's default */
#define PASSWORD_MAX 256
#define HEX_MAX (2 * EVP_MAX_MD_SIZE + 1)

/* Without an echo where somebody types it. The line's octets without its end; negative: there is none. */
static ssize_t read_line(char *line, size_t cap)
{
	bool typed = isatty(STDIN_FILENO);
	struct termios was, silent;
	ssize_t n = -1;

	typed = typed && tcgetattr(STDIN_FILENO, &was) == 0;
	if (typed) {
		silent = was;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		fputs("password: ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	setvbuf(stdin, NULL, _IONBF, 0); /* no copy of it stays in a buffer */
	if (fgets(line, (int)cap, stdin))
		n = (ssize_t)strcspn(line, "\r\n");
	if (typed) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		fputc('\n', stderr);
	}
	return n;
}

/* H(name:realm:password), RFC 7616 section 3.4.2. */
static int hash(const char *algorithm, struct str name, struct str realm, struct str password, char hex[HEX_MAX])
{
	const struct str parts[] = {name, STR(":"), realm, STR(":"), password};
	EVP_MD *md = EVP_MD_fetch(NULL, algorithm, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char octets[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	bool ok = md && ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1;

	for (size_t i = 0; ok && i < sizeof parts / sizeof *parts; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, octets, &n) == 1;
	for (unsigned i = 0; ok && i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", octets[i]);
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return ok ? 0 : -EIO;
}

static enum ctl_exit print(const struct ctl_args *a, struct str password, struct err *e)
{
	static const struct {
		const char *leaf, *algorithm;
	} all[] = {{"sha-256", "SHA2-256"}, {"sha-512-256", "SHA2-512/256"}, {"md5", "MD5"}};
	struct str name = str_z(a->words[0]), realm = str_z(a->n_words > 1 ? a->words[1] : REALM);
	json_t *hashes = json_object();
	char hex[HEX_MAX];

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (hash(all[i].algorithm, name, realm, password, hex) < 0) {
			json_decref(hashes);
			err_set(e, EIO, "this OpenSSL has no %s", all[i].algorithm);
			return CTL_FAILED;
		}
		json_object_set_new(hashes, all[i].leaf, json_string(hex));
	}
	json_dumpf(hashes, stdout, args_json(a) ? JSON_COMPACT : JSON_INDENT(2));
	fputc('\n', stdout);
	json_decref(hashes);
	return CTL_OK;
}

enum ctl_exit user_hash(struct client *c, const struct ctl_args *a, struct err *e)
{
	char line[PASSWORD_MAX + 2];
	enum ctl_exit code = CTL_FAILED;
	ssize_t n;

	(void)c;
	if (strchr(a->words[0], ':')) {
		err_set(e, EINVAL, "a user's name has no ':'");
		return CTL_USAGE;
	}
	n = read_line(line, sizeof line);
	if (n <= 0)
		err_set(e, EINVAL, "no password came: give it on standard input, in one line");
	else if (n > PASSWORD_MAX)
		err_set(e, E2BIG, "the password has more than %u octets", PASSWORD_MAX);
	else
		code = print(a, (struct str){line, (size_t)n}, e);
	mem_wipe(line, sizeof line);
	return code;
}
