/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that a file names, and captures. One generator writes what another one's gateway would have sent: its
 * leg in is the other's leg out, seen from the far end.
 */
#include "tests/support/cmocka_std.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/gen_flows.h"
#include "perf/gen_private.h"

#define CALLS 3
#define PACKETS (5 * CALLS)
#define SUITE SRTP_AEAD_AES_128_GCM

static void write_file(char path[32], const char *text)
{
	int fd;

	strcpy(path, "/tmp/srtpgw_flows_XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int read_text(const char *text, struct gen_flow **flows, uint32_t *n, struct err *err)
{
	char path[32];
	int rc;

	write_file(path, text);
	rc = flows_read(path, flows, n, err);
	unlink(path);
	return rc;
}

static void test_a_file_of_calls(void **state)
{
	static const char key[] = "00112233445566778899aabbccddeeff000102030405060708090a0b";
	struct gen_flow *flows;
	struct err err = {""};
	char text[256];
	uint32_t n;

	(void)state;
	snprintf(text, sizeof(text),
		"10.0.0.1:10000 10.9.0.1:4000 10.0.1.1:10002 10.9.1.1:4002 %s\n"
		"10.0.0.1:10004 10.9.0.2:4000 10.0.1.1:10006 10.9.1.2:65535\n"
		"[2001:db8::1]:10008 [2001:db8::9]:4002 10.0.1.1:10008 10.9.1.2:4\n",
		key);
	assert_int_equal(read_text(text, &flows, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(flows[0].gateway[1].port, 10002);
	assert_int_equal(flows[0].peer[0].ip.octets[3], 1);
	assert_int_equal(flows[0].key.len, 28);
	assert_int_equal(flows[0].key.octets[15], 0xff);
	assert_int_equal(flows[1].peer[1].port, 65535);
	assert_int_equal(flows[1].key.len, 0);
	assert_int_equal(flows[2].peer[0].ip.family, IP_V6);
	assert_int_equal(flows[2].peer[0].ip.octets[15], 9);
	assert_int_equal(flows[2].peer[0].port, 4002);
	assert_int_equal(flows[2].peer[1].ip.family, IP_V4);
	flows_free(flows, n);
}

static void test_what_is_no_call_is_named_by_its_line(void **state)
{
	static const char good[] = "10.0.0.1:1 10.9.0.1:2 10.0.1.1:3 10.9.1.1:4\n";
	static const char *const bad[] = {"", "10.0.0.1:1 10.9.0.1:2 10.0.1.1:3",
		"10.0.0.1 10.9.0.1:2 10.0.1.1:3 10.9.1.1:4",
		"10.0.0.1:65536 10.9.0.1:2 10.0.1.1:3 10.9.1.1:4",
		"[2001:db8::1]:1 10.9.0.1:2 10.0.1.1:3 10.9.1.1:4",
		"[10.0.0.1]:1 10.9.0.1:2 10.0.1.1:3 10.9.1.1:4",
		"[2001:db8::1:1 [2001:db8::2]:1 10.0.1.1:3 10.9.1.1:4",
		"2001:db8::1 2001:db8::2 10.0.1.1:3 10.9.1.1:4",
		"[2001:db8::1]x:1 [2001:db8::2]:1 10.0.1.1:3 10.9.1.1:4",
		"10.0.0.1:1 10.9.0.1:2 10.0.1.1:3 10.9.1.1:4 0g",
		"10.0.0.1:1 10.9.0.1:2 10.0.1.1:3 10.9.1.1:4 012"};
	struct gen_flow *flows;
	char text[256];
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {""};

		snprintf(text, sizeof(text), "%s%s\n", good, bad[i]);
		assert_true(read_text(text, &flows, &n, &err) < 0);
		assert_non_null(strstr(err.text, "line 2"));
		assert_null(flows);
	}
}

/* far: where the near generator's gateway sends from is where it sends to, and the other way round. */
static void calls_of(struct gen_flow near[CALLS], struct gen_flow far[CALLS])
{
	for (unsigned s = 0; s < CALLS; s++) {
		for (unsigned side = 0; side < 2; side++) {
			near[s].gateway[side] =
				(struct ip_port){.ip = {.family = IP_V4, .octets = {10, 0, (uint8_t)side, 1}},
					.port = (uint16_t)(10000 + 2 * s)};
			near[s].peer[side] =
				(struct ip_port){.ip = {.family = IP_V4, .octets = {10, 9, (uint8_t)side, 1}},
					.port = (uint16_t)(4000 + 2 * s)};
		}
		far[s].gateway[0] = near[s].peer[1];
		far[s].peer[0] = near[s].gateway[1];
		far[s].gateway[1] = near[s].peer[0];
		far[s].peer[1] = near[s].gateway[0];
	}
}

struct pair {
	struct gen_flow near_flows[CALLS], far_flows[CALLS];
	struct gen *near, *far;
	char path[32];
};

/* A capture of what the far generator sends is at path. */
static void begin(struct pair *p)
{
	struct gen_conf conf = {.sessions = CALLS, .payload = 160, .in = SUITE, .flows = p->far_flows};
	struct err err = {""};

	memset(p, 0, sizeof(*p));
	calls_of(p->near_flows, p->far_flows);
	assert_int_equal(gen_open(&conf, &p->far, &err), 0);
	for (uint32_t s = 0; s < CALLS; s++)
		assert_int_equal(gen_master(p->far, 0, s, DP_KEY_RX, &p->near_flows[s].key), 0);
	conf = (struct gen_conf){.sessions = CALLS, .payload = 160, .out = SUITE, .flows = p->near_flows};
	assert_int_equal(gen_open(&conf, &p->near, &err), 0);
	write_file(p->path, "");
	assert_int_equal(flows_write(p->far, p->path, PACKETS, &err), 0);
}

static void end(struct pair *p)
{
	gen_close(p->near);
	gen_close(p->far);
	unlink(p->path);
}

static void test_a_capture_is_judged_packet_by_packet(void **state)
{
	struct err err = {""};
	struct pair p;

	(void)state;
	begin(&p);
	assert_int_equal(flows_check(p.near, p.path, &err), 0);
	assert_int_equal(gen_stats(p.near)->good, PACKETS);
	/* The same once more: every packet is a replay now. */
	assert_int_equal(flows_check(p.near, p.path, &err), 0);
	assert_int_equal(gen_stats(p.near)->good, PACKETS);
	assert_int_equal(gen_stats(p.near)->bad_auth, PACKETS);
	end(&p);
}

static void test_a_capture_that_is_cut_off_or_none(void **state)
{
	struct err err = {""};
	struct pair p;

	(void)state;
	begin(&p);
	assert_int_equal(truncate(p.path, 100), 0);
	assert_true(flows_check(p.near, p.path, &err) < 0);
	assert_int_equal(truncate(p.path, 10), 0);
	assert_true(flows_check(p.near, p.path, &err) < 0);
	assert_int_equal(gen_stats(p.near)->good, 0);
	end(&p);
}

static void test_packets_that_were_sent_before_are_left_out(void **state)
{
	struct gen_conf conf = {.sessions = 1, .payload = 160};
	uint8_t a[2048], b[2048];
	struct rte_mbuf m[2] = {{.buf_addr = a, .nb_segs = 1}, {.buf_addr = b, .nb_segs = 1}};
	struct rte_mbuf *first = &m[0], *later = &m[1];
	struct gen *whole, *part;
	struct err err = {""};

	(void)state;
	assert_int_equal(gen_open(&conf, &whole, &err), 0);
	assert_int_equal(gen_open(&conf, &part, &err), 0);
	gen_skip(part, 4);
	for (int i = 0; i < 5; i++)
		assert_int_equal(gen_build(whole, &first, 1), 0);
	assert_int_equal(gen_build(part, &later, 1), 0);
	assert_int_equal(m[0].data_len, m[1].data_len);
	assert_memory_equal(a, b, m[0].data_len);
	gen_close(whole);
	gen_close(part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_of_calls),
		cmocka_unit_test(test_what_is_no_call_is_named_by_its_line),
		cmocka_unit_test(test_a_capture_is_judged_packet_by_packet),
		cmocka_unit_test(test_a_capture_that_is_cut_off_or_none),
		cmocka_unit_test(test_packets_that_were_sent_before_are_left_out),
	};

	return cmocka_run_group_tests_name("gen_flows", tests, NULL, NULL);
}
