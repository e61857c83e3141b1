/* SPDX-License-Identifier: Apache-2.0 */
/* A trunk of people: who may register, what a registration is, and calls from and to an account. */
#include "tests/unit/b2bua_accounts.h"

#include <openssl/evp.h>

#include "controlplane/b2bua/users/users.h"
#include "lib/base/clock.h"
#include "tests/unit/b2bua_audit.h"

/* Of a text, in hexadecimal. */
static void sha256_hex(const char *text, char hex[65])
{
	unsigned char octets[32];

	assert_int_equal(EVP_Digest(text, strlen(text), octets, NULL, EVP_sha256(), NULL), 1);
	for (unsigned i = 0; i < sizeof octets; i++)
		snprintf(hex + 2 * i, 3, "%02x", octets[i]);
}

/* A REGISTER by who knows no password, but how the gateway compares with accounts that have none. */
static void with_no_hash(const char *user, const char *status)
{
	char ha2[65], text[600], response[65], lines[1024];

	sha256_hex("REGISTER:sip:gw.invalid", ha2);
	snprintf(text, sizeof text, "%064d:%s:00000001:c:auth:%s", 0, nonce, ha2);
	sha256_hex(text, response);
	snprintf(lines, sizeof lines,
		"Authorization: Digest username=\"%s\", realm=\"srtpgw\", nonce=\"%s\", uri=\"sip:gw.invalid\", "
		"algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"c\", response=\"%s\"\r\n",
		user, nonce, response);
	snprintf(alice.number, sizeof alice.number, "%s", user);
	say(&alice, "REGISTER", lines, "");
	hear(&alice, status);
}

static void test_algorithms(void **state)
{
	(void)state;
	with_users("");
	challenged();
	expect_heard(&alice, "algorithm=SHA-256");
	expect_heard(&alice, "algorithm=MD5");
	with_proof("Expires: 600\r\n", DIGEST_SHA_256, PASSWORD, 1, "200");
	expect_heard(&alice, "Contact: <sip:alice@10.20.0.5>;expires=600\r\n");
	with_proof("", DIGEST_MD5, PASSWORD, 2, "200");
	with_proof("", DIGEST_SHA_512_256, PASSWORD, 3, "403"); /* not offered */
	with_proof("", DIGEST_MD5, "password", 3, "403");
	assert_int_equal(counter("register_refused_credentials"), 2);
	assert_int_equal(counter("users_registered"), 1);
	assert_int_equal(counter("users_refreshed"), 1);
	/* An account answers by the hashes that it has. */
	snprintf(alice.number, sizeof alice.number, "ann");
	with_proof("", DIGEST_MD5, PASSWORD, 3, "403");
	with_proof("", DIGEST_SHA_256, PASSWORD, 3, "200");
	snprintf(alice.number, sizeof alice.number, "nobody");
	with_proof("", DIGEST_SHA_256, PASSWORD, 4, "403");
	silence(NULL);
}

/* No account and no hash are as a wrong password is: they admit nobody, and do not show that they are missing. */
static void test_accounts_without_a_hash(void **state)
{
	(void)state;
	with_users("");
	challenged();
	with_no_hash("max", "403");
	with_no_hash("nobody", "403");
	with_no_hash("alice", "403");
	keep_nonce_of("0000000000000000000000000000000000000000");
	with_no_hash("nobody", "403");
	assert_int_equal(counter("users_registered"), 0);
}

/* A count is good once, and nonces are ours: what was overheard opens nothing. */
static void test_replay(void **state)
{
	(void)state;
	with_users("");
	challenged();
	with_proof("", DIGEST_MD5, PASSWORD, 1, "200");
	with_proof("", DIGEST_MD5, PASSWORD, 1, "401");
	assert_int_equal(counter("auth_replayed"), 1);
	expect_heard(&alice, "stale=true"); /* the password was right: it is not asked for again */
	with_proof("", DIGEST_MD5, PASSWORD, 2, "200");
	keep_nonce_of("deadbeef");
	with_proof("", DIGEST_MD5, PASSWORD, 1, "401"); /* none of ours */
	keep_nonce();
	with_proof("", DIGEST_MD5, PASSWORD, 1, "200");
	with_proof("", DIGEST_SHA_256, "password", 2, "403");
}

static void test_times(void **state)
{
	(void)state;
	with_users("\"min-expires\":60,\"max-expires\":900,\"default-expires\":300");
	challenged();
	with_proof("Expires: 59\r\n", DIGEST_MD5, PASSWORD, 1, "423");
	expect_heard(&alice, "Min-Expires: 60\r\n");
	with_proof("Expires: 86400\r\n", DIGEST_MD5, PASSWORD, 2, "200");
	expect_heard(&alice, ";expires=900\r\n");
	with_proof("", DIGEST_MD5, PASSWORD, 3, "200");
	expect_heard(&alice, ";expires=300\r\n");
	pass(200000);
	challenged();
	with_proof("Expires: 100\r\n", DIGEST_MD5, PASSWORD, 1, "200");
	pass(99000);
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "486 Busy Here", "", "");
	hear(&alice, "ACK");
	hear(&bob, "486");
	say(&bob, "ACK", "", "");
	pass(2000);
	assert_int_equal(counter("users_ended"), 1);
	dial(&bob, "+3001", "", sdp(&bob, 2));
	hear(&bob, "480");
	expect_heard(&bob, "not registered");
	say(&bob, "ACK", "", "");
	dial(&bob, "+3002", "", sdp(&bob, 3));
	hear(&bob, "404");
	say(&bob, "ACK", "", "");
	assert_int_equal(counter("refused_not_registered"), 2);
	expect_no_calls();
}

/* Several places, each by its URI or its device; too many, out of order, all at once. */
static void test_contacts(void **state)
{
	(void)state;
	with_users("");
	challenged();
	with_proof("Contact: <sip:alice@there.invalid;transport=ws>;reg-id=1;+sip.instance=\"<urn:uuid:1>\";q=0.5\r\n"
		   "Supported: path, outbound\r\nPath: <sip:edge.example;lr>\r\n",
		DIGEST_MD5, PASSWORD, 1, "200");
	expect_heard(&alice, "Contact: <sip:alice@10.20.0.5>;expires=600\r\n");
	expect_heard(&alice, "<sip:alice@there.invalid;transport=ws>;expires=600;q=0.500;"
			     "+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n");
	expect_heard(&alice, "Require: outbound\r\n");
	expect_heard(&alice, "Path: <sip:edge.example;lr>\r\n");
	/* The same device by another address takes its place. */
	with_proof("Contact: <sip:alice@elsewhere.invalid>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n", DIGEST_MD5,
		PASSWORD, 2, "200");
	expect_heard(&alice, "alice@elsewhere.invalid");
	expect_not_heard(&alice, "alice@there.invalid");
	with_proof("Contact: <sip:alice@third.invalid>\r\n", DIGEST_MD5, PASSWORD, 3, "403");
	assert_int_equal(counter("register_refused_limit"), 1);
	with_proof("Contact: *\r\nExpires: 0\r\n", DIGEST_MD5, PASSWORD, 4, "400");
	with_proof("Contact: <tel:+3001>\r\n", DIGEST_MD5, PASSWORD, 5, "400");
	with_proof("Require: tricks\r\n", DIGEST_MD5, PASSWORD, 6, "420");
	alice.cseq = 0; /* an old one that was under way for long */
	snprintf(alice.local_tag, sizeof alice.local_tag, "other");
	with_proof("", DIGEST_MD5, PASSWORD, 7, "500");
	assert_int_equal(counter("register_refused_request"), 4);
	alice.cseq = 100;
	with_proof("Expires: 0\r\n", DIGEST_MD5, PASSWORD, 8, "200");
	expect_not_heard(&alice, "alice@10.20.0.5");
	expect_heard(&alice, "alice@elsewhere.invalid");
	assert_int_equal(counter("users_ended"), 1);
}

/* A device that does not count its flows is in one place all the same, unless it names two at once. */
static void test_a_device_without_reg_id(void **state)
{
	(void)state;
	with_users("");
	challenged();
	with_proof("Contact: <sip:alice@one.invalid>;+sip.instance=\"<urn:uuid:1>\"\r\n", DIGEST_MD5, PASSWORD, 1, "200");
	with_proof("Contact: <sip:alice@two.invalid>;+sip.instance=\"<urn:uuid:1>\"\r\n", DIGEST_MD5, PASSWORD, 2, "200");
	expect_heard(&alice, "alice@two.invalid");
	expect_not_heard(&alice, "alice@one.invalid");
	assert_int_equal(counter("users_ended"), 0);
	with_users_at("", 4);
	with_proof("Contact: <sip:alice@v4.invalid>;+sip.instance=\"<urn:uuid:1>\"\r\n"
		   "Contact: <sip:alice@v6.invalid>;+sip.instance=\"<urn:uuid:1>\"\r\n",
		DIGEST_MD5, PASSWORD, 3, "200");
	expect_heard(&alice, "alice@v4.invalid");
	expect_heard(&alice, "alice@v6.invalid");
	expect_not_heard(&alice, "alice@two.invalid");
}

/* A call of an account is challenged, and is by its number; From cannot be another's. */
static void test_calls(void **state)
{
	char lines[1024];

	(void)state;
	with_users("");
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&alice, "401");
	keep_nonce();
	say(&alice, "ACK", "", "");
	snprintf(lines, sizeof lines, "%s", proof("INVITE", "alice", PASSWORD, DIGEST_MD5, 1));
	dial(&alice, "+1001", lines, sdp(&alice, 1));
	hear(&bob, "INVITE");
	expect_heard(&bob, "From: \"Al\" <sip:+3001@");
	expect_not_heard(&bob, "Authorization");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
	snprintf(alice.number, sizeof alice.number, "ann");
	snprintf(lines, sizeof lines, "%s", proof("INVITE", "alice", PASSWORD, DIGEST_MD5, 2));
	dial(&alice, "+1001", lines, sdp(&alice, 2));
	hear(&alice, "403");
	expect_heard(&alice, "neither the account's name");
	say(&alice, "ACK", "", "");
	expect_no_calls();
}

/* Whom an operator logs out is in no call any more: neither in one that it made, nor where it is called, whatever way it takes. */
static void test_logged_out(void **state)
{
	char lines[2048];
	unsigned n;

	(void)state;
	with_users("");
	registers(&alice, "");
	snprintf(lines, sizeof lines, "%sRecord-Route: <sip:10.20.0.5;lr>\r\n",
		proof("INVITE", "alice", PASSWORD, DIGEST_MD5, 2));
	dial(&alice, "+1001", lines, sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "200 OK", "", sdp(&bob, 1));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	assert_int_equal(b2bua_disconnect(bench.b2bua, "max", &n), 0);
	silence(NULL);
	assert_int_equal(b2bua_disconnect(bench.b2bua, "alice", &n), 0);
	assert_int_equal(n, 1);
	hear(&bob, "BYE");
	reply(&bob, "200 OK");
	hear(&alice, "BYE");
	reply(&alice, "200 OK");
	expect_no_calls();
	/* Called, and not answered yet. */
	registers(&alice, "");
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "180 Ringing", "", "");
	hear(&bob, "180");
	assert_int_equal(b2bua_disconnect(bench.b2bua, "alice", &n), 0);
	hear(&bob, "480");
	say(&bob, "ACK", "", "");
	hear(&alice, "CANCEL");
	reply(&alice, "200 OK");
	answer(&alice, "487 Request Terminated", "", "");
	hear(&alice, "ACK");
	expect_no_calls();
}

/* An account that is gone loses its registrations; a trunk without registrar registers nobody. */
static void test_configuration(void **state)
{
	(void)state;
	say(&alice, "REGISTER", "", "");
	hear(&alice, "405");
	with_users("");
	challenged();
	with_proof("", DIGEST_MD5, PASSWORD, 1, "200");
	bench_change("\"max-calls\":250", "\"max-calls\":251");
	assert_int_equal(counter("users_ended"), 1);
	say(&alice, "REGISTER", "", "");
	hear(&alice, "405");
}

static void assert_record(const json_t *all, size_t i, const char *event, const char *what)
{
	const json_t *o = json_array_get(all, i);
	char *text = json_dumps(o, JSON_COMPACT);

	if (!text || strcmp(text_in(o, "event"), event) != 0 || !strstr(text, what) || !strstr(text, "10.20.0.5"))
		fail_msg("record %zu, %s and %s: %s", i, event, what, text ? text : "there is none");
	free(text);
}

/* Who came, who left and why, and who was not let in; a refresh is no news. */
static void test_what_the_audit_keeps(void **state)
{
	struct audit *a;
	json_t *all;

	(void)state;
	with_users("");
	a = audit_begin();
	challenged();
	with_proof("Expires: 600\r\n", DIGEST_MD5, PASSWORD, 1, "200");
	with_proof("Expires: 600\r\n", DIGEST_MD5, PASSWORD, 2, "200");
	with_proof("", DIGEST_MD5, "password", 3, "403");
	with_proof("Expires: 0\r\n", DIGEST_MD5, PASSWORD, 3, "200");
	with_proof("Expires: 100\r\n", DIGEST_MD5, PASSWORD, 4, "200");
	pass(101000);
	all = audit_read("registration");
	assert_int_equal(json_array_size(all), 5);
	assert_record(all, 0, "began", "\"user\":\"alice\",\"contact\":\"sip:alice@10.20.0.5\"");
	assert_record(all, 1, "refused", "the user name or password is wrong");
	assert_record(all, 2, "ended", "the user unregistered");
	assert_record(all, 3, "began", "\"trunk\":\"core\"");
	assert_record(all, 4, "ended", "it was not refreshed");
	json_decref(all);
	audit_end(a);
}

static size_t refused_records(json_int_t *left_out)
{
	json_t *all = audit_read("registration"), *o;
	size_t i, n = json_array_size(all);

	*left_out = 0;
	json_array_foreach(all, i, o) *left_out += json_integer_value(json_object_get(o, "left-out"));
	json_decref(all);
	return n;
}

/* Who tries passwords does not fill the audit: some are kept, and how many were not. */
static void test_a_flood_does_not_fill_the_audit(void **state)
{
	enum { FLOOD = 200, BURST = 10, PER_S = 5 };
	struct audit *a;
	json_int_t left_out = 0;
	unsigned tries = 0;
	uint64_t began;
	size_t n;

	(void)state;
	with_users("");
	a = audit_begin();
	challenged();
	began = clock_mono_ns();
	while (tries < FLOOD) {
		with_proof("", DIGEST_MD5, "password", ++tries, "403");
	}
	n = refused_records(&left_out);
	assert_in_range(n, BURST, BURST + PER_S * ((clock_mono_ns() - began) / NS_PER_S + 1));
	/* Every try is in a record, or in the number of those that were left out. */
	for (size_t before = n; n == before; n = refused_records(&left_out))
		with_proof("", DIGEST_MD5, "password", ++tries, "403");
	assert_int_equal((json_int_t)n + left_out, tries);
	audit_end(a);
}

#define MANY 5000

/* However many are registered: each is found by its account and by its id, until it ends. */
static void test_many(void **state)
{
	static struct user_binding all[MANY];
	static char names[MANY][8];
	struct user_index x = {0};

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "%u", i / 2); /* two of each account */
		all[i] = (struct user_binding){.id = i + 1, .trunk = "t", .user = names[i]};
		assert_int_equal(user_index_add(&x, &all[i], i), 0);
	}
	for (uint32_t i = 0; i < MANY; i += 3)
		user_index_remove(&x, &all[i]);
	for (uint32_t i = 0; i < MANY; i++) {
		const struct user_binding *u = user_index_of(&x, "t", names[i]);

		while (u && u != &all[i])
			u = u->next_of;
		assert_ptr_equal(u, i % 3 ? &all[i] : NULL);
		assert_ptr_equal(user_index_id(&x, i + 1), i % 3 ? &all[i] : NULL);
	}
	assert_null(user_index_id(&x, 0));
	assert_null(user_index_id(&x, MANY + 1));
	user_index_free(&x);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_algorithms, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_accounts_without_a_hash, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_replay, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_times, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_contacts, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_a_device_without_reg_id, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_calls, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_logged_out, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_configuration, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_what_the_audit_keeps, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_a_flood_does_not_fill_the_audit, bench_setup, bench_teardown),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("b2bua_users", tests, NULL, NULL);
}
