/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts for the bench: the core's phones register, and prove who they are. */
#pragma once

#include "tests/unit/b2bua_bench.h"

#include "controlplane/sip/digest.h"

#define PASSWORD "pass word"

/* The core's phones are accounts: alice with a number and both hashes, ann with SHA-256 only, max with MD5 only. */
static inline void with_users_by(const char *listener, const char *registrar, unsigned registrations)
{
	static char trunk[512], users[1024];
	char sha[DIGEST_HEX_MAX], md5[DIGEST_HEX_MAX], ann[DIGEST_HEX_MAX], max[DIGEST_HEX_MAX];
	struct secret password = {.len = 9, .octets = PASSWORD};
	struct str realm = STR("srtpgw");

	assert_int_equal(digest_ha1(DIGEST_SHA_256, STR("alice"), realm, &password, sha), 0);
	assert_int_equal(digest_ha1(DIGEST_MD5, STR("alice"), realm, &password, md5), 0);
	assert_int_equal(digest_ha1(DIGEST_SHA_256, STR("ann"), realm, &password, ann), 0);
	assert_int_equal(digest_ha1(DIGEST_MD5, STR("max"), realm, &password, max), 0);
	snprintf(trunk, sizeof trunk,
		"\"name\":\"core\",\"realm\":\"core\",\"registrar\":{%s},\"identify\":{\"listener\":[\"%s\"]},",
		registrar, listener);
	snprintf(users, sizeof users,
		"\"users\":{\"user\":[{\"name\":\"alice\",\"trunk\":\"core\",\"number\":[\"+3001\"],"
		"\"max-registrations\":%u,\"password-hash\":{\"sha-256\":\"%s\",\"md5\":\"%s\"}},"
		"{\"name\":\"ann\",\"trunk\":\"core\",\"password-hash\":{\"sha-256\":\"%s\"}},"
		"{\"name\":\"max\",\"trunk\":\"core\",\"password-hash\":{\"md5\":\"%s\"}}]},\"routing\":{",
		registrations, sha, md5, ann, max);
	bench_change_all(
		(struct bench_edit[]){
			{"\"name\":\"core\",\"realm\":\"core\",\"peer\":[{\"name\":\"p\",\"host\":\"10.20.0.5\","
			 "\"transport\":\"udp\"}],\"identify\":{\"source-address\":[\"10.20.0.5/32\"]},",
				trunk},
			{"\"routing\":{", users}},
		2);
	snprintf(alice.number, sizeof alice.number, "alice");
}

static inline void with_users_at(const char *registrar, unsigned registrations)
{
	with_users_by("inside-udp", registrar, registrations);
}

static inline void with_users(const char *registrar)
{
	with_users_at(registrar, 2);
}

static char nonce[200];

static inline void keep_nonce_for(const struct phone *p)
{
	const struct sip_msg *m = p->heard;
	struct digest_challenge c;

	assert_int_equal(digest_challenge_parse(sip_msg_value(m, SIP_H_WWW_AUTHENTICATE), &c), 0);
	assert_true(c.qop);
	snprintf(nonce, sizeof nonce, "%.*s", STR_ARG(c.nonce));
}

static inline void keep_nonce(void)
{
	keep_nonce_for(&alice);
}

static inline void keep_nonce_of(const char *text)
{
	snprintf(nonce, sizeof nonce, "%s", text);
}

/* For the last challenge. */
static inline const char *proof(const char *method, const char *user, const char *password,
	enum digest_algorithm algorithm, uint32_t nc)
{
	static char line[1024];
	struct secret secret = {0};
	char hex[DIGEST_HEX_MAX], value[900];
	struct wbuf w = wbuf_make(value, sizeof value - 1);
	struct digest_credentials c = {
		.username = str_z(user),
		.realm = STR("srtpgw"),
		.nonce = str_z(nonce),
		.uri = STR("sip:gw.invalid"),
		.cnonce = STR("c"),
		.algorithm = algorithm,
		.qop = true,
		.nc = nc,
	};

	assert_int_equal(secret_set(&secret, password, strlen(password)), 0);
	assert_int_equal(digest_compute(&c, str_z(method), &secret, hex), 0);
	c.response = str_z(hex);
	digest_credentials_write(&c, &w);
	value[w.len] = '\0';
	snprintf(line, sizeof line, "Authorization: %s\r\n", value);
	return line;
}

/* A REGISTER with the password; more: further lines. */
static inline const struct sip_msg *with_proof(
	const char *more, enum digest_algorithm algorithm, const char *password, uint32_t nc, const char *status)
{
	char lines[2048];

	snprintf(lines, sizeof lines, "%s%s", proof("REGISTER", alice.number, password, algorithm, nc), more);
	say(&alice, "REGISTER", lines, "");
	return hear(&alice, status);
}

static inline void challenged(void)
{
	say(&alice, "REGISTER", "", "");
	hear(&alice, "401");
	keep_nonce();
}

/* The phone registers as alice. more: further lines. */
static inline void registers(struct phone *p, const char *more)
{
	char lines[2048];

	p->call_id[0] = p->local_tag[0] = p->remote_tag[0] = p->target[0] = '\0';
	snprintf(p->number, sizeof p->number, "alice");
	say(p, "REGISTER", "", "");
	hear(p, "401");
	keep_nonce_for(p);
	snprintf(lines, sizeof lines, "%s%s", proof("REGISTER", "alice", PASSWORD, DIGEST_MD5, 1), more);
	say(p, "REGISTER", lines, "");
	hear(p, "200");
}
