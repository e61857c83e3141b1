/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The XDP program's verdict on one packet after another, by the kernel's own BPF_PROG_TEST_RUN: no interface,
 * no sockets. Without a socket bound, media is XDP_DROP (the kernel must not answer it) and all else
 * XDP_PASS.
 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/xdp/note.h"
#include "dataplane/xdp/program.h"

#define MEDIA XDP_DROP
#define KERNEL XDP_PASS
#define FRAME_MAX 256

struct fixture {
	struct bpf_object *object;
	int program;
	struct xdp_maps maps;
	char skip[128]; /* why there is nothing to test here, "" otherwise */
};

static struct fixture fixture;

static int fixture_open(void **state)
{
	struct fixture *f = &fixture;
	struct err err = {0};

	*state = f;
	f->maps = (struct xdp_maps){-1, -1};
	libbpf_set_print(NULL);
	f->object = bpf_object__open_mem(xdp_media_object, xdp_media_object_size, NULL);
	assert_non_null(f->object);
	int rc = bpf_object__load(f->object);
	if (rc == -EPERM || rc == -EACCES || rc == -ENOSYS) {
		snprintf(f->skip, sizeof(f->skip), "this process may not load BPF programs: %s",
			strerror(-rc));
		return 0;
	}
	assert_int_equal(rc, 0);
	f->program = bpf_program__fd(bpf_object__find_program_by_name(f->object, XDP_PROGRAM_NAME));
	assert_true(f->program >= 0);
	assert_int_equal(xdp_maps_of_program(f->program, &f->maps, &err), 0);
	return 0;
}

static int fixture_close(void **state)
{
	struct fixture *f = *state;

	xdp_maps_close(&f->maps);
	bpf_object__close(f->object);
	return 0;
}

static void need_bpf(const struct fixture *f)
{
	if (f->skip[0] != '\0') {
		print_message("%s\n", f->skip);
		skip();
	}
}

static struct dp_address range(const char *ip, uint16_t lower, uint16_t upper)
{
	struct dp_address a = {.port_lower = lower, .port_upper = upper};

	assert_int_equal(ip_parse(str_z(ip), &a.ip), 0);
	return a;
}

static void set_media(struct fixture *f, const struct dp_address *list, uint32_t n)
{
	struct err err = {0};
	int rc = xdp_set_media(&f->maps, list, n, &err);

	if (rc < 0)
		fail_msg("%s", err.text);
}

static int verdict(const struct fixture *f, const void *frame, uint32_t n)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = n, .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(f->program, &opts), 0);
	return (int)opts.retval;
}

/* What a frame is made of; 0 means the ordinary value. */
struct frame {
	const char *to;
	uint16_t port;
	uint16_t ether_type; /* instead of the address's */
	uint8_t protocol;    /* instead of UDP */
	uint8_t options;     /* IPv4: words of options */
	uint16_t fragment;   /* IPv4: flags and offset */
	uint8_t version;     /* instead of the address's, high nibble of the first octet */
	uint32_t cut;        /* octets of the frame that are there */
};

static uint32_t frame_make(const struct frame *w, uint8_t out[FRAME_MAX])
{
	struct dp_address to = range(w->to, 0, 0);
	bool v4 = to.ip.family == IP_V4;
	uint16_t type = htons(w->ether_type != 0 ? w->ether_type : v4 ? 0x0800 : 0x86dd);
	uint8_t *l3 = out + 14, *udp = l3 + (v4 ? 20 + w->options * 4 : 40);
	uint8_t protocol = w->protocol != 0 ? w->protocol : IPPROTO_UDP;
	uint16_t port = htons(w->port), fragment = htons(w->fragment);

	memset(out, 0, FRAME_MAX);
	memcpy(out + 12, &type, 2);
	if (v4) {
		l3[0] = (uint8_t)(0x45 + w->options);
		memcpy(l3 + 6, &fragment, 2);
		l3[9] = protocol;
		memcpy(l3 + 16, to.ip.octets, 4);
	} else {
		l3[0] = 0x60;
		l3[6] = protocol;
		memcpy(l3 + 24, to.ip.octets, 16);
	}
	if (w->version != 0)
		l3[0] = (uint8_t)(w->version << 4 | (l3[0] & 15));
	memcpy(udp + 2, &port, 2);
	return w->cut != 0 ? w->cut : (uint32_t)(udp - out) + 8 + 160;
}

static const struct {
	const char *what;
	struct frame frame;
	int verdict;
} verdicts[] = {
	{"first port of a range", {"192.0.2.1", 20000}, MEDIA},
	{"last port of a range", {"192.0.2.1", 20999}, MEDIA},
	{"below the range", {"192.0.2.1", 19999}, KERNEL},
	{"above the range", {"192.0.2.1", 21000}, KERNEL},
	{"second range of the address", {"192.0.2.1", 40000}, MEDIA},
	{"between its ranges", {"192.0.2.1", 30000}, KERNEL},
	{"SIP", {"192.0.2.1", 5060}, KERNEL},
	{"another address", {"192.0.2.2", 20000}, KERNEL},
	{"second address", {"198.51.100.7", 65535}, MEDIA},
	{"second address, the first one's port", {"198.51.100.7", 20000}, KERNEL},
	{"IPv6", {"2001:db8::1", 20000}, MEDIA},
	{"IPv6, port outside", {"2001:db8::1", 5061}, KERNEL},
	{"IPv6, other address", {"2001:db8::2", 20000}, KERNEL},
	{"TCP to a media port", {"192.0.2.1", 20000, .protocol = IPPROTO_TCP}, KERNEL},
	{"TCP over IPv6", {"2001:db8::1", 20000, .protocol = IPPROTO_TCP}, KERNEL},
	{"ICMP", {"192.0.2.1", 20000, .protocol = IPPROTO_ICMP}, KERNEL},
	{"neighbour discovery", {"2001:db8::1", 20000, .protocol = IPPROTO_ICMPV6}, KERNEL},
	{"ARP", {"192.0.2.1", 20000, .ether_type = 0x0806}, KERNEL},
	{"a VLAN tag", {"192.0.2.1", 20000, .ether_type = 0x8100}, KERNEL},
	{"IPv4 options", {"192.0.2.1", 20000, .options = 3}, MEDIA},
	{"most IPv4 options", {"192.0.2.1", 20000, .options = 10}, MEDIA},
	{"don't-fragment flag", {"192.0.2.1", 20000, .fragment = 0x4000}, MEDIA},
	{"first fragment", {"192.0.2.1", 20000, .fragment = 0x2000}, KERNEL},
	{"last fragment", {"192.0.2.1", 20000, .fragment = 0x00b9}, KERNEL},
	{"IPv6 fragment", {"2001:db8::1", 20000, .protocol = 44}, KERNEL},
	{"IPv6 hop-by-hop header", {"2001:db8::1", 20000, .protocol = 1}, KERNEL},
	{"IPv4 with version 6", {"192.0.2.1", 20000, .version = 6}, KERNEL},
	{"IPv6 with version 4", {"2001:db8::1", 20000, .version = 4}, KERNEL},
	{"Ethernet header alone", {"192.0.2.1", 20000, .cut = 14}, KERNEL},
	{"cut in the IPv4 header", {"192.0.2.1", 20000, .cut = 33}, KERNEL},
	{"cut in the options", {"192.0.2.1", 20000, .options = 10, .cut = 40}, KERNEL},
	{"cut in the UDP header", {"192.0.2.1", 20000, .cut = 41}, KERNEL},
	{"empty datagram", {"192.0.2.1", 20000, .cut = 42}, MEDIA},
	{"cut in the IPv6 header", {"2001:db8::1", 20000, .cut = 53}, KERNEL},
	{"cut in the UDP header over IPv6", {"2001:db8::1", 20000, .cut = 61}, KERNEL},
	{"empty datagram over IPv6", {"2001:db8::1", 20000, .cut = 62}, MEDIA},
};

static void configure(struct fixture *f)
{
	struct dp_address list[] = {
		range("192.0.2.1", 20000, 20999),
		range("198.51.100.7", 50000, 65535),
		range("192.0.2.1", 40000, 40000),
		range("2001:db8::1", 20000, 20001),
	};

	set_media(f, list, 4);
}

static void only_media_leaves_the_kernel(void **state)
{
	struct fixture *f = *state;
	uint8_t frame[FRAME_MAX];

	need_bpf(f);
	configure(f);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		uint32_t n = frame_make(&verdicts[i].frame, frame);
		int got = verdict(f, frame, n);

		if (got != verdicts[i].verdict)
			fail_msg("%s: verdict %d, expected %d", verdicts[i].what, got, verdicts[i].verdict);
	}
}

static void nothing_is_media_before_it_is_configured(void **state)
{
	struct fixture *f = *state;
	uint8_t frame[FRAME_MAX];

	need_bpf(f);
	set_media(f, NULL, 0);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		assert_int_equal(verdict(f, frame, frame_make(&verdicts[i].frame, frame)), KERNEL);
}

static int verdict_of(const struct fixture *f, const char *to, uint16_t port)
{
	uint8_t frame[FRAME_MAX];
	struct frame what = {.to = to, .port = port};

	return verdict(f, frame, frame_make(&what, frame));
}

static void a_new_list_replaces_the_old_one(void **state)
{
	struct fixture *f = *state;
	struct dp_address second[] = {range("192.0.2.1", 20500, 21500), range("203.0.113.5", 7000, 7000)};

	need_bpf(f);
	configure(f);
	set_media(f, second, 2);
	assert_int_equal(verdict_of(f, "192.0.2.1", 20999), MEDIA);     /* in both */
	assert_int_equal(verdict_of(f, "192.0.2.1", 21500), MEDIA);     /* new range */
	assert_int_equal(verdict_of(f, "192.0.2.1", 20000), KERNEL);    /* old range */
	assert_int_equal(verdict_of(f, "192.0.2.1", 40000), KERNEL);    /* old second range */
	assert_int_equal(verdict_of(f, "198.51.100.7", 60000), KERNEL); /* old address */
	assert_int_equal(verdict_of(f, "2001:db8::1", 20000), KERNEL);
	assert_int_equal(verdict_of(f, "203.0.113.5", 7000), MEDIA); /* new address */
}

/* A list as long as the map allows, replaced by another as long: room must be made before it is needed. */
static void a_full_list_can_be_replaced(void **state)
{
	struct fixture *f = *state;
	static struct dp_address list[XDP_ADDRESSES_MAX];
	struct err err = {0};

	need_bpf(f);
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < XDP_ADDRESSES_MAX; i++) {
			list[i] = range("10.0.0.0", 1000, 1001);
			list[i].ip.octets[1] = (uint8_t)round;
			list[i].ip.octets[2] = (uint8_t)(i >> 8);
			list[i].ip.octets[3] = (uint8_t)i;
		}
		set_media(f, list, XDP_ADDRESSES_MAX);
	}
	assert_int_equal(verdict_of(f, "10.0.3.255", 1000), KERNEL);
	assert_int_equal(verdict_of(f, "10.1.3.255", 1000), MEDIA);
	assert_int_equal(verdict_of(f, "10.1.0.0", 1001), MEDIA);

	static struct dp_address longer[XDP_ADDRESSES_MAX + 1];
	memcpy(longer, list, sizeof(list));
	longer[XDP_ADDRESSES_MAX] = range("10.9.9.9", 1, 1);
	assert_int_equal(xdp_set_media(&f->maps, longer, XDP_ADDRESSES_MAX + 1, &err), -E2BIG);
	assert_non_null(strstr(err.text, "10.9.9.9"));
	set_media(f, NULL, 0);
}

static void frames_are_counted_by_where_they_went(void **state)
{
	struct fixture *f = *state;
	uint64_t before[XDP_COUNTERS], after[XDP_COUNTERS];
	uint8_t frame[FRAME_MAX];
	struct frame piece = {.to = "192.0.2.1", .fragment = 0x2000},
		     foreign = {.to = "192.0.2.9", .fragment = 0x2000};

	need_bpf(f);
	configure(f);
	assert_int_equal(xdp_counters(&f->maps, before), 0);
	for (int i = 0; i < 3; i++)
		verdict_of(f, "192.0.2.1", 20000);
	for (int i = 0; i < 5; i++)
		verdict_of(f, "192.0.2.1", 5060);
	verdict(f, frame, frame_make(&piece, frame));
	verdict(f, frame,
		frame_make(&foreign, frame)); /* the kernel's own traffic: none of our counters' business */
	assert_int_equal(xdp_counters(&f->maps, after), 0);
	assert_int_equal(after[XDP_COUNT_MEDIA] - before[XDP_COUNT_MEDIA], 3);
	assert_int_equal(after[XDP_COUNT_PASSED] - before[XDP_COUNT_PASSED], 7);
	assert_int_equal(after[XDP_COUNT_FRAGMENT] - before[XDP_COUNT_FRAGMENT], 1);
}

/* The folder is open to others: what is not this user's alone says nothing, and is never written into. */
static void a_note_is_ones_own(void **state)
{
	char folder[] = "/tmp/xdp-note-XXXXXX", prefix[64], path[80], other[80];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(prefix, sizeof(prefix), "%s/dp.sock", folder);
	snprintf(path, sizeof(path), "%s.eth0.xdp", prefix);
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(xdp_note_read(prefix, "eth0"), 0);
	assert_int_equal(xdp_note_write(prefix, "eth0", 4711), 0);
	assert_int_equal(xdp_note_read(prefix, "eth0"), 4711);
	assert_int_equal(xdp_note_read(prefix, "eth1"), 0);
	assert_int_equal(xdp_note_read(NULL, "eth0"), 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(xdp_note_read(prefix, "eth0"), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(link(path, other), 0);
	assert_int_equal(xdp_note_read(prefix, "eth0"), 0);
	assert_int_equal(xdp_note_write(prefix, "eth0", 4712), 0);
	assert_int_equal(xdp_note_read(prefix, "eth0"), 4712);
	f = fopen(other, "r");
	assert_non_null(f);
	assert_string_equal(fgets(prefix, sizeof(prefix), f), "4711\n");
	fclose(f);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	snprintf(prefix, sizeof(prefix), "%s/dp.sock", folder);
	assert_int_equal(xdp_note_read(prefix, "eth0"), 0);
	assert_int_equal(xdp_note_write(prefix, "eth0", 0), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_media_before_it_is_configured),
		cmocka_unit_test(only_media_leaves_the_kernel),
		cmocka_unit_test(a_new_list_replaces_the_old_one),
		cmocka_unit_test(a_full_list_can_be_replaced),
		cmocka_unit_test(frames_are_counted_by_where_they_went),
		cmocka_unit_test(a_note_is_ones_own),
	};

	return cmocka_run_group_tests_name("xdp", tests, fixture_open, fixture_close);
}
