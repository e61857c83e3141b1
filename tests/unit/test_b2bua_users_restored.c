/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations outlive the control plane: who can still be reached is called, who cannot is told apart. */
#include "tests/unit/b2bua_accounts.h"

#include <dirent.h>
#include <errno.h>

#include "controlplane/b2bua/b2bua_private.h"
#include "controlplane/b2bua/recovery/checkpoint.h"
#include "controlplane/b2bua/recovery/saved_binding.h"
#include "controlplane/b2bua/users/users.h"
#include "lib/base/clock.h"
#include "tests/unit/b2bua_audit.h"

#define BY_TCP "<sip:alice@10.20.0.5:5070;transport=tcp>"

static int setup(void **state)
{
	int rc = bench_setup(state);

	bench_keep_calls();
	return rc;
}

static const char *contact; /* that alice says in place of her own */

static char *with_contact(char *text)
{
	static const char own[] = "Contact: <sip:alice@10.20.0.5>";
	char *at = strstr(text, own), *out = NULL;

	if (!at)
		return text;
	assert_true(
		asprintf(&out, "%.*sContact: %s%s", (int)(at - text), text, contact, at + strlen(own)) > 0);
	free(text);
	return out;
}

static void registers_as(const char *value, const char *more)
{
	contact = value;
	bench.garble = with_contact;
	registers(&alice, more);
	bench.garble = NULL;
}

static void called(struct phone *p)
{
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(p, "INVITE");
	answer(p, "486 Busy Here", "", "");
	hear(p, "ACK");
	hear(&bob, "486");
	say(&bob, "ACK", "", "");
	silence(NULL);
}

static void not_called(const char *why)
{
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&bob, "480");
	assert_non_null(strstr(last_reason(), why));
	say(&bob, "ACK", "", "");
	silence(NULL);
}

/* Over UDP, after any number of restarts, until it ends; then after none. */
static void test_called_after_a_restart(void **state)
{
	(void)state;
	with_users("");
	registers(&alice, "Expires: 600\r\n");
	for (unsigned i = 0; i < 3; i++) {
		bench_crash(i == 1);
		assert_int_equal(counter("users_restored"), 1);
		called(&alice);
	}
	registers(&alice, "Expires: 0\r\n");
	not_called("not registered");
	bench_crash(false);
	assert_int_equal(counter("users_restored"), 0);
	not_called("not registered");
}

/* It is the one that it was: refreshed, and no older REGISTER of the phone's counts. */
static void test_refreshed_after_a_restart(void **state)
{
	(void)state;
	with_users("");
	alice.cseq = 50;
	registers(&alice, "");
	bench_crash(false);
	challenged();
	with_proof("", DIGEST_MD5, PASSWORD, 1, "200");
	assert_int_equal(counter("users_registered"), 0);
	assert_int_equal(counter("users_refreshed"), 1);
	bench_crash(false);
	alice.cseq = 10;
	challenged();
	with_proof("", DIGEST_MD5, PASSWORD, 1, "500");
	alice.cseq = 100;
	with_proof("", DIGEST_MD5, PASSWORD, 2, "200");
}

/* What was overheard before it opens nothing after it. */
static void test_challenges_do_not_outlive_it(void **state)
{
	(void)state;
	with_users("");
	registers(&alice, "");
	bench_crash(false);
	with_proof("Expires: 0\r\n", DIGEST_MD5, PASSWORD, 2, "401");
	assert_int_equal(bench.b2bua->users.n, 1);
}

static void test_one_that_is_not_refreshed_ends(void **state)
{
	(void)state;
	with_users("");
	registers(&alice, "Expires: 100\r\n");
	bench_crash(false);
	pass(60000);
	called(&alice);
	pass(45000);
	assert_int_equal(counter("users_ended"), 1);
	bench_crash(false);
	not_called("not registered");
}

/* What was said of it holds: device, flow, preference, way. */
static void test_what_is_kept_of_it(void **state)
{
	(void)state;
	with_users("");
	registers_as("<sip:alice@there.invalid>;reg-id=3;+sip.instance=\"<urn:uuid:1>\";q=0.5",
		"Supported: path, outbound\r\nPath: <sip:edge.example;lr>\r\nExpires: 500\r\n");
	bench_crash(false);
	dial(&bob, "+3001", "", sdp(&bob, 1));
	assert_true(str_eq(hear(&alice, "INVITE")->uri.text, STR("sip:alice@there.invalid")));
	expect_heard(&alice, "Route: <sip:edge.example;lr>\r\n");
	answer(&alice, "486 Busy Here", "", "");
	hear(&alice, "ACK");
	hear(&bob, "486");
	say(&bob, "ACK", "", "");
	registers(&alice, "Expires: 300\r\n");
	expect_heard(&alice,
		"<sip:alice@there.invalid>;expires=500;q=0.500;+sip.instance=\"<urn:uuid:1>\";reg-id=3\r\n");
	registers_as("<sip:alice@new.invalid>;reg-id=3;+sip.instance=\"<urn:uuid:1>\"", "");
	expect_not_heard(&alice, "there.invalid");
	expect_heard(&alice, "alice@new.invalid");
}

/* By plain TCP: its Contact is its own address, and leads there by a connection of ours. */
static void test_tcp_by_its_contact(void **state)
{
	(void)state;
	with_users_by("inside-tcp", "", 2);
	alice.listener = INSIDE_TCP;
	phone_connect(&alice, "phone");
	registers_as(BY_TCP, "");
	for (unsigned i = 0; i < 2; i++) {
		bench_crash(false);
		alice.conn = 0;
		dial(&bob, "+3001", "", sdp(&bob, 1));
		hear(&alice, "INVITE");
		assert_int_equal(alice.flow.transport, SIP_TCP);
		assert_int_equal(alice.flow.remote.port, 5070);
		assert_true(alice.flow.conn == 0);
		answer(&alice, "486 Busy Here", "", "");
		hear(&alice, "ACK");
		hear(&bob, "486");
		say(&bob, "ACK", "", "");
	}
}

/* Nobody listens there any more: the user is not there, and the gateway not down, as a 503 would say to a
 * carrier. */
static void test_tcp_where_nobody_listens(void **state)
{
	(void)state;
	with_users_by("inside-tcp", "", 2);
	alice.listener = INSIDE_TCP;
	phone_connect(&alice, "phone");
	registers_as(BY_TCP, "");
	bench_crash(false);
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	cut_connection("connection refused", false);
	hear(&bob, "480");
	say(&bob, "ACK", "", "");
	bench.refuse_ip = alice.ip;
	bench.send_result = -ENOTCONN;
	dial(&bob, "+3001", "", sdp(&bob, 2));
	hear(&bob, "480");
	say(&bob, "ACK", "", "");
	expect_no_calls();
}

/* It had a connection that nobody but its device can make again: 480 until that is back, and it is in
 * nobody's way. */
static void adrift(const char *first, const char *again)
{
	with_users_by("inside-tcp", "", 1);
	alice.listener = INSIDE_TCP;
	phone_connect(&alice, "phone");
	registers_as(first, "");
	called(&alice);
	bench_crash(false);
	phone_connect(&alice, "phone");
	assert_int_equal(counter("users_restored"), 1);
	assert_int_equal(bench.b2bua->users.n_adrift, 1);
	not_called("has not connected again");
	bench_crash(false); /* nor does it come back by itself */
	phone_connect(&alice, "phone");
	not_called("has not connected again");
	registers_as(again, "");
	assert_int_equal(bench.b2bua->users.n, 1);
	assert_int_equal(bench.b2bua->users.n_adrift, 0);
	called(&alice);
	phone_disconnect(&alice);
}

static void test_adrift_by_a_counted_flow(void **state)
{
	(void)state;
	adrift(BY_TCP ";reg-id=1;+sip.instance=\"<urn:uuid:1>\"",
		BY_TCP ";reg-id=1;+sip.instance=\"<urn:uuid:1>\"");
	assert_int_equal(counter("users_refreshed"), 1);
}

static void test_adrift_behind_nat(void **state)
{
	(void)state;
	adrift("<sip:alice@192.168.1.5:40001;transport=tcp>", "<sip:alice@192.168.1.5:40002;transport=tcp>");
	assert_int_equal(counter("users_registered"), 1);
	assert_int_equal(counter("users_ended"), 1);
}

/* The answer to a REGISTER does not name what is reached no more. */
static void test_adrift_is_not_said(void **state)
{
	(void)state;
	with_users_by("inside-tcp", "", 2);
	alice.listener = INSIDE_TCP;
	phone_connect(&alice, "phone");
	registers_as("<sip:alice@192.168.1.5:40001;transport=tcp>", "");
	bench_crash(false);
	phone_connect(&alice, "phone");
	registers_as("<sip:alice@192.168.1.5:40002;transport=tcp>", "");
	expect_heard(&alice, ":40002");
	expect_not_heard(&alice, ":40001");
	assert_int_equal(bench.b2bua->users.n_adrift, 1);
	alice.call_id[0] = '\0';
	registers_as("*", "Expires: 0\r\n");
	assert_int_equal(bench.b2bua->users.n, 0);
	bench_crash(false);
	assert_int_equal(counter("users_restored"), 0);
	phone_disconnect(&alice);
}

/* An account that was removed while it was registered is not back, though it is configured again. */
static void test_removed_in_between(void **state)
{
	(void)state;
	with_users("");
	registers(&alice, "");
	bench_change("\"max-calls\":250", "\"max-calls\":251");
	with_users("");
	bench_crash(false);
	assert_int_equal(counter("users_restored"), 0);
	not_called("not registered");
}

static enum user_restored restore(uint64_t id, const struct saved_binding *s)
{
	char text[SAVED_BINDING_MAX];
	struct wbuf w = wbuf_make(text, sizeof text);

	saved_binding_write(s, &w);
	assert_false(w.overflow);
	return users_restore(bench.b2bua, id, w.p, w.len);
}

static struct saved_binding one(void)
{
	struct saved_binding s = {
		.trunk = STR("core"),
		.user = STR("alice"),
		.contact = STR("sip:alice@10.20.0.5"),
		.call_id = STR("1@phone"),
		.q = 1000,
		.transport = SIP_UDP,
		.remote.port = 5060,
		.local = bench.config->listeners[INSIDE_UDP].local,
		.ends_ms = clock_wall_ms() + 600000,
	};

	ip_parse(STR("10.20.0.5"), &s.remote.ip);
	return s;
}

/* What the configuration has no more, what is over, and what is none. */
static void test_records_that_are_dropped(void **state)
{
	struct saved_binding s;
	struct audit *a;
	json_t *all;

	(void)state;
	with_users("");
	a = audit_begin();
	s = one();
	s.user = STR("nobody");
	assert_int_equal(restore(1, &s), USER_UNWANTED);
	s.user = STR("+3001"); /* a number of alice's is not her name */
	assert_int_equal(restore(1, &s), USER_UNWANTED);
	s = one();
	s.trunk = STR("carrier-a");
	assert_int_equal(restore(1, &s), USER_UNWANTED);
	s = one();
	s.local.port = 5061;
	assert_int_equal(restore(1, &s), USER_UNWANTED);
	s = one();
	s.transport = SIP_TLS;
	assert_int_equal(restore(1, &s), USER_UNWANTED);
	s = one();
	s.ends_ms = clock_wall_ms() - 1;
	assert_int_equal(restore(1, &s), USER_EXPIRED);
	s = one();
	assert_int_equal(restore(0, &s), USER_DAMAGED);
	assert_int_equal(restore(SAVED_BINDING_KEY - 1, &s), USER_DAMAGED);
	assert_int_equal(users_restore(bench.b2bua, 1, "\x81\0\0", 3), USER_DAMAGED);
	assert_int_equal(bench.b2bua->users.n, 0);
	not_called("not registered");
	/* A clock that was set back lets nothing live for longer than it may. */
	s.ends_ms = UINT64_MAX;
	assert_int_equal(restore(5, &s), USER_RESTORED);
	assert_int_equal(restore(5, &s), USER_DAMAGED);
	assert_in_range(users_left_s(users_binding(bench.b2bua, 5)), 3590, 3601);
	called(&alice);
	all = audit_read("registration"); /* what began in a process before ends in this one's audit */
	assert_int_equal(json_array_size(all), 6);
	assert_string_equal(text_in(json_array_get(all, 5), "reason"), "it was not refreshed");
	json_decref(all);
	audit_end(a);
}

static void ends_recorded(size_t n)
{
	json_t *all = audit_read("registration");

	assert_int_equal(json_array_size(all), n);
	json_decref(all);
}

/* Its end is recorded once, however soon the process that dropped it is followed by another. */
static void test_dropped_once(void **state)
{
	struct audit *a;

	(void)state;
	with_users("");
	registers(&alice, "");
	pass(100);
	bench_freeze();
	bench_change("\"max-calls\":250", "\"max-calls\":251");
	a = audit_begin();
	bench_kill();
	ends_recorded(1);
	bench_freeze();
	bench_kill();
	ends_recorded(1);
	audit_end(a);
}

/* The newest stay, and of them who can be reached. */
static void test_no_more_than_there_may_be(void **state)
{
	static const char *const uris[] = {
		"sip:a@10.20.0.5", "sip:b@10.20.0.5", "sip:c@10.20.0.5", "sip:d@10.20.0.5"};
	struct user_binding *all[USER_BINDINGS_MAX];
	struct saved_binding s;

	(void)state;
	with_users_at("", 2);
	for (unsigned i = 0; i < 3; i++) {
		s = one();
		s.contact = str_z(uris[i]);
		assert_int_equal(restore(i + 1, &s), USER_RESTORED);
	}
	s.contact = str_z(uris[3]);
	s.transport = SIP_TCP;
	s.reg_id = 1;
	assert_int_equal(restore(4, &s), USER_UNWANTED);
	assert_int_equal(users_of(bench.b2bua, &bench.config->users[0], all), 2);
	assert_string_equal(all[0]->contact, uris[2]);
	assert_string_equal(all[1]->contact, uris[1]);
	/* Ids go on behind them. */
	registers(&alice, "Contact: <sip:b@10.20.0.5>;expires=0\r\n");
	assert_int_equal(users_of(bench.b2bua, &bench.config->users[0], all), 2);
	assert_true(all[0]->id > 4);
}

#define ROOM (16u << 20)

/* All that is in the folder, and how many segments. */
static size_t read_folder(char *out, unsigned *segments)
{
	char path[400];
	struct dirent *entry;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof path, "%s/calls", bench.folder);
	d = opendir(path);
	assert_non_null(d);
	*segments = 0;
	while ((entry = readdir(d)) != NULL) {
		FILE *f;

		if (strncmp(entry->d_name, "calls.", 6) != 0)
			continue;
		++*segments;
		snprintf(path, sizeof path, "%s/calls/%s", bench.folder, entry->d_name);
		f = fopen(path, "rb");
		assert_non_null(f);
		n += fread(out + n, 1, ROOM - n, f);
		fclose(f);
	}
	closedir(d);
	return n;
}

static void assert_not_in(const char *text, const char *all, size_t n)
{
	assert_true(strlen(text) > 7);
	if (memmem(all, n, text, strlen(text)))
		fail_msg("%s is kept", text);
}

/* Nothing of it lets anybody register. */
static void test_no_secret_is_written(void **state)
{
	char *all = malloc(ROOM), sha[DIGEST_HEX_MAX], md5[DIGEST_HEX_MAX];
	struct secret password = {.len = 9, .octets = PASSWORD};
	unsigned segments;
	size_t n;

	(void)state;
	with_users("");
	registers(&alice, "");
	pass(100);
	n = read_folder(all, &segments);
	assert_non_null(memmem(all, n, "sip:alice@10.20.0.5", 19));
	assert_int_equal(digest_ha1(DIGEST_SHA_256, STR("alice"), STR("srtpgw"), &password, sha), 0);
	assert_int_equal(digest_ha1(DIGEST_MD5, STR("alice"), STR("srtpgw"), &password, md5), 0);
	assert_not_in(PASSWORD, all, n);
	assert_not_in(sha, all, n);
	assert_not_in(md5, all, n);
	assert_not_in(nonce, all, n);
	assert_not_in("response=", all, n);
	free(all);
}

/* However often it is refreshed, what was written before is cleared away. */
static void test_room_is_bounded(void **state)
{
	enum { LARGE = 7000, TIMES = 1500 };
	char *all = malloc(ROOM), *lines = malloc(LARGE + 100);
	unsigned segments;
	size_t n;

	(void)state;
	with_users("");
	snprintf(lines, LARGE + 100, "Path: <sip:%0*d@edge.example;lr>\r\n", LARGE, 7);
	registers(&alice, lines);
	for (unsigned i = 0; i < TIMES; i++) {
		keep_user(TAILQ_FIRST(&bench.b2bua->users.all));
		pass(20);
	}
	pass(1000);
	n = read_folder(all, &segments);
	assert_in_range(n, LARGE, 5 << 20);
	assert_int_equal(segments, 1);
	bench_crash(false);
	called(&alice);
	free(lines);
	free(all);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_called_after_a_restart, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_refreshed_after_a_restart, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_challenges_do_not_outlive_it, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_one_that_is_not_refreshed_ends, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_what_is_kept_of_it, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_tcp_by_its_contact, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_tcp_where_nobody_listens, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_adrift_by_a_counted_flow, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_adrift_behind_nat, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_adrift_is_not_said, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_removed_in_between, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_records_that_are_dropped, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_dropped_once, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_no_more_than_there_may_be, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_no_secret_is_written, setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_room_is_bounded, setup, bench_teardown),
	};

	return cmocka_run_group_tests_name("b2bua_users_restored", tests, NULL, NULL);
}
