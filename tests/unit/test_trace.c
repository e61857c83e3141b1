/* SPDX-License-Identifier: Apache-2.0 */
/* The trace of calls: what is kept, what never is, and how much. */
#include "tests/support/cmocka_std.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/obs/redact.h"
#include "controlplane/obs/trace.h"

#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define HEAD                                                                                                 \
	"INVITE sip:bob@192.0.2.2 SIP/2.0\r\n"                                                               \
	"Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n"                                                     \
	"From: <sip:alice@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.2>\r\n"                                   \
	"Call-ID: id-1\r\nCSeq: 1 INVITE\r\n"
#define SDP HEAD "Content-Type: application/sdp\r\n\r\n"

static char shown[16384];

static const char *redacted(const char *message)
{
	struct wbuf w = wbuf_make(shown, sizeof shown - 1);

	redact_sip(str_z(message), &w);
	assert_false(w.overflow);
	shown[w.len] = 0;
	return shown;
}

static void expect_redacted(const char *message, const char *to)
{
	assert_string_equal(redacted(message), to);
}

static void keys_of_media_are_left_out(void **state)
{
	(void)state;
	expect_redacted(SDP "v=0\r\na=crypto:1 AEAD_AES_256_GCM inline:" KEY "\r\na=sendrecv\r\n",
		SDP "v=0\r\na=crypto:1 AEAD_AES_256_GCM inline:***\r\na=sendrecv\r\n");
	/* The lifetime and the MKI say something about interworking; two keys in one line are two keys. */
	expect_redacted(SDP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4;inline:" KEY
			    " KDR=3 UNENCRYPTED_SRTCP FEC_KEY=inline:" KEY "\r\n",
		SDP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20|1:4;inline:*** KDR=3 "
		    "UNENCRYPTED_SRTCP ***\r\n");
	expect_redacted(SDP "k=base64:" KEY "\r\na=key-mgmt:mikey " KEY "\na=ice-pwd:" KEY
			    "\r\na=ice-ufrag:F7gI\r\n",
		SDP "k=***\r\na=key-mgmt:***\na=ice-pwd:***\r\na=ice-ufrag:F7gI\r\n");
	expect_redacted(SDP "a=fingerprint:sha-256 AA:BB\r\n", SDP "a=fingerprint:sha-256 AA:BB\r\n");
}

/* However a peer may write it: the text is searched, not parsed. */
static void odd_spellings_do_not_carry_keys_out(void **state)
{
	(void)state;
	static const char *const odd[] = {
		SDP "A=CRYPTO:1 X INLINE:" KEY "\n",
		SDP " a=crypto:1 X inline:" KEY "\r",
		SDP "a=crypto:1 X other:" KEY "\r\n",
		SDP "a=crypto:1 inline:" KEY "\r\n",
		SDP "a=crypto:1 X " KEY "\r\n",
		SDP "a=crypto:1 X inline:1|" KEY "\r\n",
		SDP "a=crypto:1 X inline:1 KDR=" KEY "\r\n",
		SDP "a=crypto:1 X\r\n inline:1 " KEY "\r\n",
		SDP "a=mid:1 inline:" KEY "\r\n",
		SDP "a=mid:1 inline:x|" KEY,
		HEAD "X-Note: a=crypto:1 X inline:" KEY "\r\n\r\n",
		/* Bodies that are not plain SDP are not looked through. */
		HEAD "Content-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\n\r\nkey " KEY "\r\n--b--\r\n",
		HEAD "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\n" KEY,
		HEAD "\r\n" KEY,
		"c: application/pkcs7-mime\n" HEAD "\n" KEY,
	};

	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		if (strstr(redacted(odd[i]), KEY))
			fail_msg("%s", odd[i]);
}

static void credentials_are_left_out(void **state)
{
	(void)state;
	expect_redacted("BYE sip:a@b SIP/2.0\r\nAuthorization: Digest username=\"a\",\r\n response=\"" KEY
			"\"\r\nproxy-authorization :Basic " KEY "\r\nSubject: x\r\n\r\n",
		"BYE sip:a@b SIP/2.0\r\nAuthorization: Digest ***\r\n ***\r\nproxy-authorization: Basic "
		"***\r\nSubject: x\r\n\r\n");
	expect_redacted("Contact: <sip:carol:secret@host:5061>, \"x\" <sips:d:pw;x@h>\r\n\r\n",
		"Contact: <sip:carol:***@host:5061>, \"x\" <sips:d:***@h>\r\n\r\n");
	expect_redacted(
		"Contact: <sip:192.0.2.1:5061>;q=1\r\n\r\n", "Contact: <sip:192.0.2.1:5061>;q=1\r\n\r\n");
}

#define PLENTY (1u << 20)

static struct trace *made(size_t octets)
{
	struct trace *t = NULL;

	assert_int_equal(trace_new(octets, &t), 0);
	return t;
}

static void note(struct trace *t, bool sent, uint64_t time_ms, const char *text)
{
	struct trace_message m = {.sent = sent, .transport = "tls", .time_ms = time_ms, .text = str_z(text)};

	ip_parse(STR("192.0.2.7"), &m.remote.ip);
	m.remote.port = 5061;
	trace_note(t, &m);
}

static size_t count(const struct trace *t, const char *call)
{
	json_t *data = trace_json(t, call);
	size_t n = json_array_size(json_object_get(data, "messages"));

	json_decref(data);
	return n;
}

static const char *member(const json_t *data, size_t i, const char *name)
{
	return json_string_value(json_object_get(json_array_get(json_object_get(data, "messages"), i), name));
}

static void a_call_is_its_two_dialogs_in_order(void **state)
{
	(void)state;
	struct trace *t = made(PLENTY);

	note(t, false, 1000, SDP "a=crypto:1 X inline:" KEY "\r\n");
	trace_bind(t, STR("id-1"), "0a", 'a');
	note(t, true, 1001, "INVITE sip:b SIP/2.0\r\ni: id-2\r\nCSeq: 1 INVITE\r\n\r\n");
	trace_bind(t, STR("id-2"), "0a", 'b');
	note(t, false, 1002, "SIP/2.0 180 Ringing\r\ncall-id : id-2 \r\nCSeq: 1  INVITE\r\n\r\n");
	note(t, false, 1003, "SIP/2.0 180 Ringing\r\nCall-ID: other\r\nCSeq: 1 INVITE\r\n\r\n");
	json_t *data = trace_json(t, "0a");

	assert_int_equal(json_array_size(json_object_get(data, "messages")), 3);
	assert_string_equal(member(data, 0, "time"), "1970-01-01T00:00:01.000Z");
	assert_string_equal(member(data, 0, "leg"), "a");
	assert_string_equal(member(data, 0, "direction"), "in");
	assert_string_equal(member(data, 0, "remote"), "192.0.2.7:5061");
	assert_string_equal(member(data, 1, "leg"), "b");
	assert_string_equal(member(data, 1, "direction"), "out");
	assert_string_equal(member(data, 2, "direction"), "in");
	assert_non_null(strstr(member(data, 0, "text"), "inline:***"));
	json_decref(data);
	/* A request that was refused before it became a call has a Call-ID and nothing else. */
	data = trace_json(t, "other");
	assert_null(member(data, 0, "leg"));
	json_decref(data);
	assert_null(trace_json(t, "nothing"));
	trace_free(t);
}

static void pings_and_scanners_are_not_kept(void **state)
{
	(void)state;
	struct trace *t = made(PLENTY);

	note(t, false, 1, "OPTIONS sip:b SIP/2.0\r\nCall-ID: p\r\nCSeq: 1 OPTIONS\r\n\r\n");
	note(t, true, 1, "SIP/2.0 200 OK\r\nCall-ID: p\r\nCSeq: 1 OPTIONS\r\n\r\n");
	note(t, false, 1, "REGISTER sip:b SIP/2.0\r\nCall-ID: p\r\nCSeq: 1 REGISTER\r\n\r\n");
	note(t, false, 1, "INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n");
	assert_int_equal(count(t, "p"), 0);
	assert_int_equal(count(t, ""), 0);
	trace_free(t);
}

static void one_call_does_not_take_all_the_room(void **state)
{
	(void)state;
	struct trace *t = made(PLENTY);
	char text[1200];

	note(t, false, 1, "INVITE sip:b SIP/2.0\r\nCall-ID: quiet\r\nCSeq: 1 INVITE\r\n\r\n");
	for (unsigned i = 1; i <= 3 * TRACE_DIALOG_MESSAGES_MAX; i++) {
		snprintf(
			text, sizeof text, "INFO sip:b SIP/2.0\r\nCall-ID: loud\r\nCSeq: %u INFO\r\n\r\n", i);
		note(t, false, i, text);
	}
	assert_int_equal(count(t, "loud"), TRACE_DIALOG_MESSAGES_MAX);
	json_t *data = trace_json(t, "loud");

	/* The last ones are there. */
	assert_non_null(strstr(member(data, TRACE_DIALOG_MESSAGES_MAX - 1, "text"), "CSeq: 300 INFO"));
	json_decref(data);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(text, sizeof text,
			"INFO sip:b SIP/2.0\r\nCall-ID: long\r\nCSeq: %u INFO\r\nX: %0*u\r\n\r\n", i, 1000,
			0);
		note(t, false, i, text);
	}
	assert_true(count(t, "long") > 10);
	assert_true(count(t, "long") * 1000 <= TRACE_DIALOG_OCTETS_MAX);
	assert_int_equal(count(t, "quiet"), 1);
	trace_free(t);
}

static void the_oldest_go_when_the_room_is_full(void **state)
{
	(void)state;
	struct trace *t = made(20000);
	char text[200], name[20];
	unsigned kept = 0;

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "INVITE sip:b SIP/2.0\r\nCall-ID: c%u\r\nCSeq: 1 INVITE\r\n\r\n",
			i);
		note(t, false, i, text);
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "c%u", i);
		kept += (unsigned)count(t, name);
	}
	assert_true(kept > 20 && kept < 20000 / 56);
	assert_int_equal(count(t, "c0"), 0);
	assert_int_equal(count(t, "c999"), 1);
	trace_free(t);
}

#define DIALOGS 9

/* Of each dialog the last so many messages, numbered without a gap, as long as they are. */
static void expect_the_last(const struct trace *t, const unsigned noted[DIALOGS])
{
	for (unsigned d = 0; d < DIALOGS; d++) {
		char name[8], cseq[40];
		json_t *data;
		size_t n;

		snprintf(name, sizeof name, "d%u", d);
		data = trace_json(t, name);
		n = json_array_size(json_object_get(data, "messages"));
		assert_true(n <= noted[d]);
		for (size_t i = 0; i < n; i++) {
			const char *text = member(data, i, "text");

			snprintf(cseq, sizeof cseq, "CSeq: %u INFO\r\n", noted[d] - (unsigned)(n - 1 - i));
			assert_non_null(strstr(text, cseq));
			assert_string_equal(text + strlen(text) - 4, "!\r\n\r");
		}
		json_decref(data);
	}
}

/* Messages of all lengths, some dialogs louder than others, in room that changes meanwhile: round and round. */
static void the_newest_are_whole_however_they_come(void **state)
{
	static const size_t rooms[] = {70000, 30000, 200000, 9000, 0, 40000, 20000};
	static char text[6000];
	unsigned noted[DIALOGS] = {0}, lengths = 1;
	struct trace *t = made(rooms[5]);

	(void)state;
	for (unsigned i = 0; i < 7000; i++) {
		unsigned d = i % 7 ? i % DIALOGS : 0, pad;

		lengths = lengths * 1103515245 + 12345;
		pad = 1 + (lengths >> 16) % (i % 5 ? 300 : 5000);
		snprintf(text, sizeof text, "INFO sip:b SIP/2.0\r\nCall-ID: d%u\r\nCSeq: %u INFO\r\nX: %0*u!\r\n\r", d,
			++noted[d], (int)pad, 0);
		note(t, false, i, text);
		if (i % 100 == 99)
			expect_the_last(t, noted);
		if (i % 1000 == 999)
			trace_limit(t, rooms[i / 1000]);
		if (i % 1000 == 999)
			expect_the_last(t, noted);
	}
	assert_int_equal(count(t, "d0") > 0, true);
	trace_free(t);
}

static void what_is_long_is_cut_and_what_is_not_text_is_shown(void **state)
{
	(void)state;
	static char text[3 * TRACE_MESSAGE_MAX];
	struct trace *t = made(PLENTY);
	size_t n = (size_t)snprintf(text, sizeof text, "%s", HEAD);

	memset(text + n, 'x', sizeof text - n - 1);
	note(t, false, 1, text);
	json_t *data = trace_json(t, "id-1");

	assert_true(strlen(member(data, 0, "text")) >= strlen(HEAD));
	assert_true(strlen(member(data, 0, "text")) <= TRACE_MESSAGE_MAX);
	json_decref(data);
	note(t, false, 1, "BYE sip:\xff SIP/2.0\r\nCall-ID: bin\r\nCSeq: 2 BYE\r\n\r\n");
	data = trace_json(t, "bin");
	assert_non_null(strstr(member(data, 0, "text"), "BYE sip:? SIP/2.0"));
	json_decref(data);
	trace_free(t);
}

static void test_nothing_is_kept_where_none_is_wanted(void **state)
{
	struct trace *t = made(0);

	(void)state;
	note(t, true, 1, "INVITE sip:b SIP/2.0\r\nCall-ID: none\r\nCSeq: 1 INVITE\r\n\r\n");
	assert_null(trace_json(t, "none"));
	trace_limit(t, PLENTY);
	note(t, true, 1, "INVITE sip:b SIP/2.0\r\nCall-ID: none\r\nCSeq: 1 INVITE\r\n\r\n");
	json_t *kept = trace_json(t, "none");
	assert_non_null(kept);
	json_decref(kept);
	trace_limit(t, 0);
	assert_null(trace_json(t, "none"));
	trace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_media_are_left_out),
		cmocka_unit_test(odd_spellings_do_not_carry_keys_out),
		cmocka_unit_test(credentials_are_left_out),
		cmocka_unit_test(a_call_is_its_two_dialogs_in_order),
		cmocka_unit_test(pings_and_scanners_are_not_kept),
		cmocka_unit_test(one_call_does_not_take_all_the_room),
		cmocka_unit_test(the_oldest_go_when_the_room_is_full),
		cmocka_unit_test(the_newest_are_whole_however_they_come),
		cmocka_unit_test(what_is_long_is_cut_and_what_is_not_text_is_shown),
		cmocka_unit_test(test_nothing_is_kept_where_none_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
