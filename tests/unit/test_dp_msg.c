/* SPDX-License-Identifier: Apache-2.0 */
/* The planes' contract: what a receiver refuses, and what the socket in between keeps and loses. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/msg/framing.h"
#include "tests/support/cmocka_std.h"

static union dp_msg leg_update(void)
{
	union dp_msg m;

	dp_msg_init(&m, DP_LEG_UPDATE, 1);
	m.leg_update.security = DP_SECURITY_SRTP;
	m.leg_update.suite = SRTP_AEAD_AES_128_GCM;
	m.leg_update.learn = DP_LEARN_AUTHENTIC;
	m.leg_update.flags = DP_LEG_RTCP_MUX;
	m.leg_update.n_streams = 2;
	m.leg_update.streams[1].id = 1;
	m.leg_update.local =
		(struct ip_port){.ip = {.family = IP_V4, .octets = {10, 0, 0, 1}}, .port = 20000};
	m.leg_update.remote =
		(struct ip_port){.ip = {.family = IP_V4, .octets = {10, 0, 0, 9}}, .port = 5000};
	return m;
}

static union dp_msg key_add(void)
{
	union dp_msg m;

	dp_msg_init(&m, DP_KEY_ADD, 2);
	m.key_add.suite = SRTP_AES_CM_128_HMAC_SHA1_80;
	m.key_add.master_len = 30;
	memset(m.key_add.master, 0x5e, 30);
	return m;
}

static union dp_msg configure(void)
{
	union dp_msg m;

	dp_msg_init(&m, DP_CONFIGURE, 3);
	m.configure.pages = 1;
	m.configure.n_addresses = 1;
	m.configure.addresses[0].ip = (struct ip_addr){.family = IP_V4, .octets = {10, 0, 0, 1}};
	m.configure.addresses[0].port_lower = 20000;
	m.configure.addresses[0].port_upper = 29999;
	return m;
}

static union dp_msg alarm_raised(void)
{
	union dp_msg m;

	dp_msg_init(&m, DP_ALARM, 0);
	m.alarm.raised = 1;
	return m;
}

static union dp_msg link_alarm(void)
{
	union dp_msg m = alarm_raised();

	m.alarm.kind = DP_ALARM_LINK;
	strcpy(m.alarm.interface, "eth0");
	return m;
}

static union dp_msg port_figures(void)
{
	union dp_msg m;

	dp_msg_init(&m, DP_STATS_PORT, 6);
	strcpy(m.stats_port.interface, "eth0");
	return m;
}

static union dp_msg leg_ice(void)
{
	union dp_msg m;

	dp_msg_init(&m, DP_LEG_ICE, 5);
	for (unsigned i = 0; i < 2; i++) {
		struct dp_ice_credentials *c = &m.leg_ice.credentials[i];

		c->ufrag_len = 4;
		c->pwd_len = 22;
		memset(c->pwd, 0x5e, c->pwd_len);
	}
	return m;
}

static int check(const union dp_msg *m)
{
	const char *why;
	int rc = dp_msg_check(m, m->h.length, &why);

	assert_true(rc == 0 ? why == NULL : why[0] != 0);
	return rc;
}

/* One field at a time is made wrong. */
#define REFUSED(make, spoil)                                                                                 \
	do {                                                                                                 \
		union dp_msg m = make();                                                                     \
                                                                                                             \
		assert_int_equal(check(&m), 0);                                                              \
		spoil;                                                                                       \
		assert_int_equal(check(&m), -EPROTO);                                                        \
	} while (0)

static void test_refused(void **state)
{
	(void)state;
	REFUSED(leg_update, m.h.version++);
	REFUSED(alarm_raised, m.alarm.raised = 2);
	REFUSED(alarm_raised, m.alarm.kind = DP_ALARM_KINDS);
	REFUSED(link_alarm, m.alarm.interface[0] = 0);
	REFUSED(link_alarm, memset(m.alarm.interface, 'e', sizeof m.alarm.interface));
	REFUSED(port_figures, m.stats_port.interface[0] = 0);
	REFUSED(port_figures, memset(m.stats_port.interface, 'e', sizeof m.stats_port.interface));
	REFUSED(port_figures, m.stats_port.link_up = 2);
	REFUSED(leg_update, m.h.type = 999);
	REFUSED(leg_update, m.h.type = DP_KEY_ADD);
	REFUSED(leg_update, m.leg_update.leg = DP_LEGS_MAX);
	REFUSED(leg_update, m.leg_update.side = 2);
	REFUSED(leg_update, m.leg_update.security = 2);
	REFUSED(leg_update, m.leg_update.security = DP_SECURITY_PLAIN);
	REFUSED(leg_update, m.leg_update.suite = SRTP_SUITE_COUNT);
	REFUSED(leg_update, m.leg_update.learn = DP_LEARN_ANY);
	REFUSED(leg_update, m.leg_update.dscp = 64);
	REFUSED(leg_update, m.leg_update.n_streams = 0);
	REFUSED(leg_update, m.leg_update.n_streams = DP_STREAMS_MAX + 1);
	REFUSED(leg_update, m.leg_update.streams[1].id = 0);
	REFUSED(leg_update, m.leg_update.streams[1].direction = 4);
	REFUSED(leg_update, m.leg_update.streams[0].mid_len = 17);
	REFUSED(leg_update, m.leg_update.streams[0].n_ssrcs = DP_SELECTORS_MAX + 1);
	REFUSED(leg_update, m.leg_update.flags |= 1 << 15);
	REFUSED(leg_update, m.leg_update.replay_window = 65);
	REFUSED(leg_update, m.leg_update.local.ip.family = IP_NONE);
	REFUSED(leg_update, m.leg_update.local.ip.octets[4] = 1);
	REFUSED(leg_update, m.leg_update.remote.ip.octets[15] = 1);
	REFUSED(leg_update, m.leg_update.local.port = 0);
	REFUSED(leg_update, m.leg_update.remote.ip.family = IP_V6);
	REFUSED(leg_update, (m.leg_update.flags = 0, m.leg_update.local_rtcp = m.leg_update.local));
	REFUSED(key_add, m.key_add.direction = 2);
	REFUSED(key_add, m.key_add.role = 2);
	REFUSED(key_add, (m.key_add.direction = DP_KEY_TX, m.key_add.role = DP_KEY_NEXT));
	REFUSED(key_add, m.key_add.suite = SRTP_SUITE_NONE);
	REFUSED(key_add, m.key_add.master_len = 28);
	REFUSED(key_add, m.key_add.mki_len = DP_MKI_MAX + 1);
	REFUSED(key_add, m.key_add.fresh_index = 2);
	REFUSED(leg_ice, m.leg_ice.leg = DP_LEGS_MAX);
	REFUSED(leg_ice, m.leg_ice.credentials[0].ufrag_len = 3);
	REFUSED(leg_ice, m.leg_ice.credentials[0].ufrag_len = DP_ICE_UFRAG_MAX + 1);
	REFUSED(leg_ice, m.leg_ice.credentials[1].pwd_len = 21);
	REFUSED(leg_ice, m.leg_ice.credentials[1].pwd_len = DP_ICE_PWD_MAX + 1);
	REFUSED(leg_ice, m.leg_ice.credentials[1].ufrag_len = 0);
	REFUSED(leg_ice, (m.leg_ice.credentials[0].ufrag_len = m.leg_ice.credentials[0].pwd_len = 0));
	REFUSED(configure, m.configure.pages = 0);
	REFUSED(configure, m.configure.page = 1);
	REFUSED(configure, m.configure.nap_us = DP_NAP_US_MAX + 1);
	REFUSED(configure, m.configure.nap_us = DP_NAP_NEVER - 1);
	REFUSED(configure, m.configure.n_addresses = DP_ADDRESSES_MAX + 1);
	REFUSED(configure, m.configure.addresses[0].port_lower = 0);
	REFUSED(configure, m.configure.addresses[0].port_upper = 19999);
	REFUSED(configure, m.configure.addresses[0].ip.family = 5);
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned v = 0; v < DP_V_COUNT; v++) {
		assert_string_not_equal(dp_verdict_name(v), "unknown");
		for (unsigned other = 0; other < v; other++)
			assert_string_not_equal(dp_verdict_name(v), dp_verdict_name(other));
	}
	assert_string_equal(dp_verdict_name(DP_V_COUNT), "unknown");
	assert_string_equal(dp_type_name(999), "unknown");
	assert_int_equal(dp_type_size(999), 0);
}

static void pair(struct framing **a, struct framing **b, uint32_t queue_max)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
	assert_int_equal(framing_open(fd[0], queue_max, a), 0);
	assert_int_equal(framing_open(fd[1], queue_max, b), 0);
}

/* Far more than a socket takes at once: in order, none lost, and then a full queue that says so. */
static void test_order_and_bounds(void **state)
{
	struct framing *a, *b;
	const char *why;
	union dp_msg m;
	uint64_t sent = 0, got = 0;

	(void)state;
	pair(&a, &b, 50);
	for (;;) {
		dp_msg_init(&m, DP_DELETED, sent + 1);
		int rc = framing_send(a, &m);

		if (rc < 0) {
			assert_int_equal(rc, -ENOBUFS);
			break;
		}
		sent++;
	}
	assert_int_equal(framing_queued(a), 50);
	assert_int_equal(framing_room(a), 0);
	assert_true(framing_wants_write(a));
	assert_int_equal(framing_flush(a), -EAGAIN);
	while (got < sent) {
		int rc = framing_recv(b, &m, &why);

		assert_int_equal(rc, 1);
		assert_int_equal(m.h.seq, ++got);
		framing_flush(a);
	}
	assert_int_equal(framing_recv(b, &m, &why), 0);
	assert_false(framing_wants_write(a));
	framing_close(a);
	assert_int_equal(framing_recv(b, &m, &why), -ECONNRESET);
	dp_msg_init(&m, DP_DELETED, 1);
	assert_int_equal(framing_send(b, &m), -EPIPE);
	framing_close(b);
}

/* A key leaves the sender's memory with the call, sent, queued or refused; the receiver's when it says so. */
static void test_keys_wiped(void **state)
{
	static const uint8_t zero[48];
	struct framing *a, *b;
	const char *why;
	union dp_msg m;
	int rc;

	(void)state;
	pair(&a, &b, 2);
	do {
		m = key_add();
		rc = framing_send(a, &m);
		assert_memory_equal(m.key_add.master, zero, sizeof zero);
	} while (rc == 0);
	assert_int_equal(rc, -ENOBUFS);
	assert_int_equal(framing_recv(b, &m, &why), 1);
	assert_int_equal(m.key_add.master[29], 0x5e);
	dp_msg_wipe(&m);
	assert_memory_equal(m.key_add.master, zero, sizeof zero);
	framing_close(a);
	framing_close(b);
}

/* Something else on the socket is refused by name; the connection goes on. */
static void test_garbage(void **state)
{
	uint8_t junk[sizeof(union dp_msg) + 100] = {0};
	struct framing *a, *b;
	const char *why;
	union dp_msg m;

	(void)state;
	pair(&a, &b, 0);
	assert_int_equal(send(framing_fd(a), junk, 3, 0), 3);
	memset(&m, 0xee, sizeof m);
	assert_int_equal(framing_recv(b, &m, &why), -EPROTO);
	assert_non_null(why);
	/* The refusal will name its type and number: nothing that was in memory before. */
	assert_int_equal(m.h.seq, 0);
	assert_int_equal(m.h.type, DP_TYPE_NONE);
	assert_int_equal(send(framing_fd(a), junk, sizeof junk, 0), sizeof junk);
	assert_int_equal(framing_recv(b, &m, &why), -EPROTO);
	assert_string_equal(why, "longer than any message");
	m = configure();
	assert_int_equal(framing_send(a, &m), 0);
	assert_int_equal(framing_recv(b, &m, &why), 1);
	framing_close(a);
	framing_close(b);
}

/* The path: only the owner may connect, one listener at a time, what a killed one left is replaced. */
static void test_path(void **state)
{
	char path[64];
	struct err err = {""};
	struct stat st;
	int listener, again, fd, peer;
	uid_t uid;

	(void)state;
	snprintf(path, sizeof path, "/tmp/srtpgw-test-%d.sock", (int)getpid());
	assert_int_equal(framing_connect(path, &fd, &err), -ENOENT);
	assert_int_equal(framing_listen(path, NULL, &listener, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(framing_listen(path, NULL, &again, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, path));
	/* That question was a connection too. */
	assert_int_equal(framing_accept(listener, &peer, &uid), 0);
	close(peer);
	assert_int_equal(framing_accept(listener, &peer, &uid), -EAGAIN);
	assert_int_equal(framing_connect(path, &fd, &err), 0);
	assert_int_equal(framing_accept(listener, &peer, &uid), 0);
	assert_int_equal(uid, geteuid());
	close(peer);
	close(fd);
	close(listener);
	assert_int_equal(framing_listen(path, NULL, &listener, &err), 0);
	close(listener);
	unlink(path);
	assert_int_equal(framing_listen("/proc/self/status", NULL, &listener, &err), -EEXIST);
	assert_int_equal(framing_listen(path, "no-such-group", &listener, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no-such-group"));
	assert_int_not_equal(access(path, F_OK), 0);
}

/* What an operator takes for the planes' socket, and is not: named, and left as it is. */
static void test_path_of_another(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct err err = {""};
	int other, fd;

	(void)state;
	snprintf(sun.sun_path, sizeof sun.sun_path, "/tmp/srtpgw-test-%d.other", (int)getpid());
	fd = open(sun.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(framing_connect(sun.sun_path, &fd, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, "is not a socket"));
	unlink(sun.sun_path);
	other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(other, (struct sockaddr *)&sun, sizeof sun), 0);
	assert_int_equal(listen(other, 1), 0);
	assert_int_equal(framing_connect(sun.sun_path, &fd, &err), -EPROTOTYPE);
	assert_non_null(strstr(err.text, "a socket of another kind"));
	assert_int_equal(framing_listen(sun.sun_path, NULL, &fd, &err), -EADDRINUSE);
	assert_int_equal(access(sun.sun_path, F_OK), 0);
	close(other);
	unlink(sun.sun_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_order_and_bounds),
		cmocka_unit_test(test_keys_wiped),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_path_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
