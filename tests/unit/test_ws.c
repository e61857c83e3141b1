/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket: the HTTP request that opens one, and what frames may look like (RFC 6455, RFC 7118). */
#include "tests/support/cmocka_std.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/sip/ws.h"
#include "controlplane/sip/ws_upgrade.h"
#include "lib/base/secret.h"

#define MAX_OCTETS 1000

static const char *const phone[] = {"https://phone.example.net"};
static const char *const any[] = {"*"};

/* RFC 7118 section 8.1's request, in pieces that the cases below replace. */
static const char *const lines[] = {
	"GET / HTTP/1.1",
	"Host: sip-ws.example.com",
	"Upgrade: websocket",
	"Connection: Upgrade",
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	"Origin: https://phone.example.net",
	"Sec-WebSocket-Protocol: sip",
	"Sec-WebSocket-Version: 13",
};

static const struct refusal {
	const char *instead; /* of the line that begins like it; "-Name": without it; else one more line */
	unsigned status;
} requests[] = {
	{"Host: sip-ws.example.com", 101},
	{"Connection: keep-alive, Upgrade", 101},
	{"Upgrade: WebSocket", 101},
	{"Sec-WebSocket-Protocol: chat, SIP", 101},
	{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", 101},
	{"Origin: HTTPS://Phone.example.net", 101},
	{"-Origin", 101},
	{"GET /sip?token=1 HTTP/1.1", 101},
	{"Origin: https://evil.example", 403},
	{"Origin: https://phone.example.net.evil.example", 403},
	{"Origin: null", 403},
	{"Sec-WebSocket-Protocol: chat", 400},
	{"-Sec-WebSocket-Protocol", 400},
	{"-Sec-WebSocket-Key", 400},
	{"Sec-WebSocket-Key: c2hvcnQ=", 400},
	{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==", 400},
	{"-Host", 400},
	{"X Y: z", 400},
	{" folded", 400},
	{"no colon", 400},
	{"Sec-WebSocket-Version: 8", 426},
	{"-Sec-WebSocket-Version", 426},
	{"-Upgrade", 426},
	{"Connection: close", 426},
	{"POST / HTTP/1.1", 405},
	{"GET / HTTP/1.0", 505},
	{"GET", 400},
};

static bool same_start(const char *a, const char *b)
{
	size_t n = strcspn(a, ": ");

	return strncmp(a, b, n) == 0 && (b[n] == ':' || b[n] == ' ' || b[n] == '\0');
}

static size_t compose(char *out, size_t cap, const char *instead)
{
	bool first = strncmp(instead, "GET", 3) == 0 || strncmp(instead, "POST", 4) == 0, used = false;
	size_t n = 0;

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		const char *line = lines[i];

		if (instead[0] == '-' && same_start(instead + 1, line))
			continue;
		if (i == 0 ? first : same_start(instead, line)) {
			line = instead;
			used = true;
		}
		n += (size_t)snprintf(out + n, cap - n, "%s\r\n", line);
	}
	if (!used && instead[0] != '-')
		n += (size_t)snprintf(out + n, cap - n, "%s\r\n", instead);
	return n + (size_t)snprintf(out + n, cap - n, "\r\n");
}

static unsigned ask(const char *text, size_t n, const char *const *origins, char answer[WS_RESPONSE_MAX + 1])
{
	const struct ws_policy policy = {origins, 1};
	struct wbuf w = wbuf_make(answer, WS_RESPONSE_MAX);
	struct ws_upgrade u;

	assert_int_equal(ws_request_end(text, n), n);
	ws_upgrade((struct str){text, n}, &policy, &u, &w);
	assert_false(w.overflow);
	answer[w.len] = '\0';
	assert_true((u.status == 101) == !u.reason);
	return u.status;
}

static void test_upgrade(void **state)
{
	char text[2048], answer[WS_RESPONSE_MAX + 1], status[8];

	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		size_t n = compose(text, sizeof text, requests[i].instead);
		unsigned got = ask(text, n, phone, answer);

		if (got != requests[i].status)
			fail_msg("'%s': %u instead of %u", requests[i].instead, got, requests[i].status);
		snprintf(status, sizeof status, " %u ", got);
		assert_non_null(strstr(answer, status));
		assert_null(strstr(answer, "Extensions"));
		assert_int_equal(strstr(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") &&
					 strstr(answer, "\r\nSec-WebSocket-Protocol: sip\r\n"),
			got == 101);
	}
	size_t n = compose(text, sizeof text, "Origin: https://elsewhere.example");

	assert_int_equal(ask(text, n, any, answer), 101);
	assert_int_equal(ws_request_end(text, n - 1), 0);
}

/* What came out of a connection. */
static struct {
	char messages[8][MAX_OCTETS + 1];
	unsigned n;
	uint8_t written[512];
	size_t n_written;
} out;

static bool on_message(void *user, char *p, size_t n)
{
	(void)user;
	assert_true(n <= MAX_OCTETS && out.n < 8);
	memcpy(out.messages[out.n], p, n);
	out.messages[out.n++][n] = '\0';
	return strncmp(p, "last", 4) != 0;
}

static void on_write(void *user, const void *p, size_t n)
{
	(void)user;
	assert_true(out.n_written + n <= sizeof out.written);
	memcpy(out.written + out.n_written, p, n);
	out.n_written += n;
}

/* A frame as a client sends it: masked. */
static size_t frame(char *to, uint8_t first, const char *payload, size_t n)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	size_t at = 0;

	to[at++] = (char)first;
	if (n < 126) {
		to[at++] = (char)(0x80 | n);
	} else {
		to[at++] = (char)(0x80 | 126);
		to[at++] = (char)(n >> 8);
		to[at++] = (char)n;
	}
	memcpy(to + at, mask, 4);
	at += 4;
	for (size_t i = 0; i < n; i++)
		to[at++] = (char)(payload[i] ^ mask[i % 4]);
	return at;
}

static struct ws *begin(void)
{
	static const struct ws_ops ops = {on_message, on_write};
	struct ws *ws;

	memset(&out, 0, sizeof out);
	assert_int_equal(ws_new(&ops, NULL, MAX_OCTETS, &ws), 0);
	return ws;
}

#define TEXT 0x81
#define BINARY 0x82
#define FIN 0x80

static void test_messages(void **state)
{
	char buf[4096];
	struct ws *ws = begin();
	size_t n = frame(buf, TEXT, "one", 3);

	(void)state;
	n += frame(buf + n, BINARY, "two", 3);
	n += frame(buf + n, 0x01, "th", 2); /* fragments, with a ping between them */
	n += frame(buf + n, 0x89, "alive?", 6);
	n += frame(buf + n, 0x00, "re", 2);
	n += frame(buf + n, FIN, "e", 1);
	n += frame(buf + n, 0x8a, "", 0); /* a pong that nobody asked for */
	for (size_t i = 0; i < n; i++) {
		assert_true(ws_feed(ws, buf + i, 1));
		if (i == 8)
			assert_false(ws_partial(ws));
	}
	assert_false(ws_partial(ws));
	assert_int_equal(out.n, 3);
	assert_string_equal(out.messages[0], "one");
	assert_string_equal(out.messages[1], "two");
	assert_string_equal(out.messages[2], "three");
	assert_int_equal(out.n_written, 8);
	assert_memory_equal(out.written, "\x8a\x06"
					 "alive?",
		8);
	n = frame(buf, 0x01, "half", 4);
	assert_true(ws_feed(ws, buf, n));
	assert_true(ws_partial(ws));
	ws_ping(ws);
	assert_memory_equal(out.written + 8, "\x89\x00", 2);
	ws_free(ws);
	ws = begin();
	n = frame(buf, TEXT, "last", 4);
	n += frame(buf + n, TEXT, "more", 4);
	assert_false(ws_feed(ws, buf, n));
	assert_int_equal(out.n, 1);
	ws_free(ws);
}

/* What ends a connection, and with which code. */
static void test_ends(void **state)
{
	static char large[MAX_OCTETS + 1];
	static const struct {
		uint8_t first;
		const char *payload;
		size_t n;
		unsigned code;
	} ends[] = {
		{0x88, "\x03\xe8", 2, 1000},      /* theirs, repeated */
		{TEXT, large, sizeof large, 1009},
		{BINARY, large, sizeof large, 1009},
		{TEXT, "\xff\xfe", 2, 1007},
		{0xc1, "compressed", 10, 1002},  /* RSV1: permessage-deflate, which was not agreed on */
		{0x83, "", 0, 1002},             /* an opcode that there is not */
		{FIN, "of nothing", 10, 1002},   /* a continuation of nothing */
		{0x09, "", 0, 0},                /* a ping in fragments: closed without a code */
	};
	char buf[2 * sizeof large];

	(void)state;
	memset(large, 'x', sizeof large);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct ws *ws = begin();
		size_t n = frame(buf, ends[i].first, ends[i].payload, ends[i].n);

		assert_false(ws_feed(ws, buf, n));
		assert_int_equal(out.n, 0);
		if (out.n_written != (ends[i].code ? 4 : 2) || out.written[0] != 0x88)
			fail_msg("case %zu: no close frame", i);
		if (ends[i].code && (unsigned)(out.written[2] << 8 | out.written[3]) != ends[i].code)
			fail_msg("case %zu: code %u", i, (unsigned)(out.written[2] << 8 | out.written[3]));
		assert_true(strlen(ws_end(ws)) > 0);
		ws_free(ws);
	}
	/* Fragments that only together are too large, and a frame without a mask. */
	struct ws *ws = begin();
	size_t n = frame(buf, 0x01, large, MAX_OCTETS / 2);

	n += frame(buf + n, 0x00, large, MAX_OCTETS / 2);
	n += frame(buf + n, FIN, "x", 1);
	assert_false(ws_feed(ws, buf, n));
	assert_int_equal(out.written[2] << 8 | out.written[3], 1009);
	ws_free(ws);
	ws = begin();
	assert_false(ws_feed(ws, "\x81\x02hi", 4));
	assert_int_equal(out.written[2] << 8 | out.written[3], 1002);
	ws_free(ws);
	ws = begin();
	ws_close(ws, WS_GOING_AWAY);
	assert_memory_equal(out.written, "\x88\x02\x03\xe9", 4);
	ws_free(ws);
}

static void test_header(void **state)
{
	uint8_t h[WS_HEADER_MAX];

	(void)state;
	assert_int_equal(ws_header(h, 125), 2);
	assert_memory_equal(h, "\x81\x7d", 2);
	assert_int_equal(ws_header(h, 126), 4);
	assert_memory_equal(h, "\x81\x7e\x00\x7e", 4);
	assert_int_equal(ws_header(h, 65535), 4);
	assert_int_equal(ws_header(h, 65536), 10);
	assert_memory_equal(h, "\x81\x7f\0\0\0\0\0\x01\0\0", 10);
}

enum { NEEDLE = 30, VEIL = 0x5a };

/* A key as only the test knows it: nowhere in memory as it is on the wire. */
static uint8_t veiled[NEEDLE];

static unsigned times_in(const uint8_t *p, size_t n)
{
	unsigned found = 0;

	for (size_t i = 0; i + NEEDLE <= n; i++) {
		size_t k = 0;

		while (k < NEEDLE && (p[i + k] ^ VEIL) == veiled[k])
			k++;
		found += k == NEEDLE;
	}
	return found;
}

/* How often the key is in what this process can write to. */
static unsigned times_in_memory(void)
{
	static uint8_t chunk[64 << 10];
	FILE *maps = fopen("/proc/self/maps", "r");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long from, to;
	unsigned found = 0;
	char line[512], mode[8];

	if (!maps || memory < 0)
		skip();
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || strncmp(mode, "rw", 2) != 0 ||
			to - from > 256ul << 20)
			continue;
		for (; from < to; from += sizeof chunk - NEEDLE) {
			ssize_t n = pread(memory, chunk, to - from < sizeof chunk ? to - from : sizeof chunk, (off_t)from);

			found += n > 0 && from != (unsigned long)(uintptr_t)chunk ? times_in(chunk, (size_t)n) : 0;
			mem_wipe(chunk, sizeof chunk);
		}
	}
	fclose(maps);
	close(memory);
	return found;
}

static unsigned seen_in_message;

static bool on_secret(void *user, char *p, size_t n)
{
	(void)user;
	seen_in_message = times_in((uint8_t *)p, n);
	return true;
}

/* A message with a key in it leaves nothing behind, in our memory or the library's, while the connection goes on. */
static void test_what_was_read_is_wiped(void **state)
{
	static const struct ws_ops ops = {on_secret, on_write};
	static char text[600], buf[700];
	struct ws *ws;
	size_t n;

	(void)state;
	memset(&out, 0, sizeof out);
	for (unsigned i = 0; i < NEEDLE; i++)
		veiled[i] = (uint8_t)((33 + i * 7 % 90) ^ VEIL);
	memset(text, 'x', sizeof text);
	for (unsigned i = 0; i < NEEDLE; i++)
		text[300 + i] = (char)(veiled[i] ^ VEIL);
	n = frame(buf, TEXT, text, sizeof text);
	assert_true(times_in_memory() > 0); /* it can be found */
	mem_wipe(text, sizeof text);
	assert_int_equal(ws_new(&ops, NULL, MAX_OCTETS, &ws), 0);
	assert_true(ws_feed(ws, buf, n));
	assert_int_equal(seen_in_message, 1);
	assert_int_equal(times_in_memory(), 0);
	ws_free(ws);
	assert_int_equal(times_in_memory(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_what_was_read_is_wiped),
	};

	return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}
