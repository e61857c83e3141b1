/* SPDX-License-Identifier: Apache-2.0 */
/* Records of calls: those that older versions left are taken over, and nothing of a new one is lost. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/b2bua/recovery/saved_call.h"
#include "tests/support/cmocka_std.h"

static struct saved_call call, again;
static char text[SAVED_CALL_MAX];

static size_t read_record(const char *name)
{
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, SAVED_CALLS "/%s", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(text, 1, sizeof text, f);
	fclose(f);
	return n;
}

/* Of the versions 1 and 2: their keys are those of the first transport. */
static void records_of_older_versions_are_read(void **state)
{
	unsigned of_version[SAVED_CALL_VERSION + 1] = {0};
	struct dirent *entry;
	DIR *all = opendir(SAVED_CALLS);

	(void)state;
	assert_non_null(all);
	while ((entry = readdir(all)) != NULL) {
		size_t n;

		if (entry->d_name[0] == '.')
			continue;
		n = read_record(entry->d_name);
		assert_in_range(text[0], 1, SAVED_CALL_VERSION);
		of_version[(unsigned char)text[0]]++;
		if (saved_call_read(text, n, &call) < 0)
			fail_msg("%s is not read", entry->d_name);
		if (text[0] >= 3)
			continue;
		for (unsigned side = 0; side < 2; side++) {
			assert_int_equal(call.legs[side].n_more, 0);
			for (unsigned i = 0; i < call.legs[side].n_epochs; i++)
				assert_int_equal(call.legs[side].epochs[i].transport, 0);
		}
	}
	closedir(all);
	assert_true(of_version[1] && of_version[2]);
}

static struct saved_handshake handshake(void)
{
	struct saved_handshake h = {
		.version = STR("DTLSv1.3"), .cipher = STR("TLS_AES_256_GCM_SHA384"), .group = STR("X25519"), .n_peer = 1};

	h.peer[0] = (struct dtls_fingerprint){.hash = DTLS_SHA256, .len = 32};
	memset(h.peer[0].octets, 7, 32);
	return h;
}

/* The keys of a second transport go with the call; a record that is cut off anywhere is none. */
static void the_keys_of_every_transport_are_kept(void **state)
{
	static char kept[SAVED_CALL_MAX]; /* what is read has its texts in what it is read from */
	struct wbuf w = wbuf_make(text, sizeof text), copy = wbuf_make(kept, sizeof kept);
	struct saved_leg *l = &call.legs[1];
	size_t n = read_record("renewed0");

	(void)state;
	assert_int_equal(saved_call_read(text, n, &again), 0);
	call = again;
	l->n_epochs = 2;
	for (uint8_t i = 0; i < 2; i++)
		l->epochs[i] = (struct key_epoch){.number = 3, .transport = i, .before.rx_packets = 10 + i};
	l->n_more = 1;
	l->more[0] = (struct saved_keyed){
		.transport = 1, .keys = 3, .keyed_ms = 0x123456789abull, .handshake = handshake()};
	l->agreed_seq = 70007;
	l->media[0].before =
		(struct ip_port){.ip = {.family = IP_V4, .octets = {192, 0, 2, 9}}, .port = 4000};
	l->media[0].before_rtcp =
		(struct ip_port){.ip = {.family = IP_V6, .octets = {0x20, 1}}, .port = 4001};
	saved_call_write(&call, &copy);
	assert_false(copy.overflow);
	assert_int_equal(saved_call_read(kept, copy.len, &again), 0);
	l = &again.legs[1];
	assert_int_equal(l->n_epochs, 2);
	assert_int_equal(l->epochs[1].transport, 1);
	assert_true(l->epochs[1].before.rx_packets == 11);
	assert_int_equal(l->n_more, 1);
	assert_int_equal(l->more[0].transport, 1);
	assert_int_equal(l->more[0].keys, 3);
	assert_true(l->more[0].keyed_ms == 0x123456789abull);
	assert_true(str_eq(l->more[0].handshake.group, STR("X25519")));
	assert_memory_equal(l->more[0].handshake.peer[0].octets, handshake().peer[0].octets, 32);
	assert_int_equal(l->agreed_seq, 70007);
	assert_true(ip_port_equal(&l->media[0].before, &call.legs[1].media[0].before));
	assert_true(ip_port_equal(&l->media[0].before_rtcp, &call.legs[1].media[0].before_rtcp));
	assert_int_equal(again.legs[0].media[0].before.ip.family, IP_NONE);
	saved_call_write(&again, &w);
	assert_int_equal(w.len, copy.len);
	assert_memory_equal(w.p, copy.p, w.len);
	for (size_t cut = 0; cut < w.len; cut++)
		assert_true(saved_call_read(w.p, cut, &call) < 0);
}

/* Of one that has ended there is what the audit is to have of it, and nothing else. */
static void the_record_of_an_ended_call_is_kept(void **state)
{
	static char longest[UINT16_MAX + 1];
	const struct saved_call ended = {.record = STR("{\"type\":\"session\",\"call\":\"00000007\"}")};
	const struct saved_call over = {.record = {longest, sizeof longest}};
	struct wbuf w = wbuf_make(text, sizeof text);

	(void)state;
	saved_call_write(&ended, &w);
	assert_int_equal(text[0], 5);
	assert_int_equal(saved_call_read(text, w.len, &again), 0);
	assert_true(str_eq(again.record, ended.record));
	for (size_t cut = 0; cut < w.len; cut++)
		assert_true(saved_call_read(text, cut, &again) < 0);
	text[w.len] = ' ';
	assert_true(saved_call_read(text, w.len + 1, &again) < 0);
	text[w.len - 1] = '\n'; /* the audit's lines are its own */
	assert_true(saved_call_read(text, w.len, &again) < 0);
	assert_true(saved_call_read("\5\0\0", 3, &again) < 0);
	memset(longest, 'x', sizeof longest);
	w = wbuf_make(text, sizeof text);
	saved_call_write(&over, &w);
	assert_true(w.overflow);
}

/* A program of before takes over the calls that stand. */
static void calls_that_stand_are_written_as_before(void **state)
{
	static char kept[SAVED_CALL_MAX];
	struct wbuf w = wbuf_make(kept, sizeof kept);
	size_t n = read_record("renewed0");

	(void)state;
	assert_int_equal(saved_call_read(text, n, &call), 0);
	saved_call_write(&call, &w);
	assert_int_equal(kept[0], 4);
	call.predecessor[1] = STR("00000007"); /* unless there is more to be said of them */
	w = wbuf_make(kept, sizeof kept);
	saved_call_write(&call, &w);
	assert_int_equal(saved_call_read(kept, w.len, &again), 0);
	assert_int_equal(again.predecessor[0].n, 0);
	assert_true(str_eq(again.predecessor[1], STR("00000007")));
	for (size_t cut = 0; cut < w.len; cut++)
		assert_true(saved_call_read(kept, cut, &again) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_older_versions_are_read),
		cmocka_unit_test(the_keys_of_every_transport_are_kept),
		cmocka_unit_test(the_record_of_an_ended_call_is_kept),
		cmocka_unit_test(calls_that_stand_are_written_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
