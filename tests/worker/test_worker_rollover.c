/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rollover counter of a stream (ROC) through everything that can happen to it, as two tables: what comes
 * from the peer, and what goes to it. Streams are in ROC 1 with a SEQ above 2^15 when the change comes, where
 * a wrong counter cannot be mistaken for a stream that has just begun.
 */
#include <string.h>

#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"
#include "tests/worker/rig_call.h"

#define S 9
#define CM SRTP_AES_CM_128_HMAC_SHA1_80
#define FIRST 0x55
#define SECOND 0x66

static struct ip_port elsewhere;

static void leg_a(struct rig *r, struct ip_port remote)
{
	union dp_msg m = rig_leg(S, 0, DP_SECURITY_SRTP, gw_a, remote);

	assert_int_equal(rig_command(r, &m), 0);
}

static void key_a(struct rig *r, enum dp_key_direction d, unsigned seed, bool fresh)
{
	union dp_msg m = rig_key(S, 0, d, CM, seed);

	m.key_add.fresh_index = fresh;
	assert_int_equal(rig_command(r, &m), 0);
}

static void call_open(struct rig *r)
{
	elsewhere = rig_addr("10.0.0.12", 7000);
	rig_addresses(false);
	rig_call(r, S, DP_SECURITY_SRTP, 0, DP_SECURITY_PLAIN);
	key_a(r, DP_KEY_RX, 1, true);
	key_a(r, DP_KEY_TX, 1, true);
}

static void call_close(struct rig *r)
{
	assert_int_equal(rig_session_delete(r, S), 0);
	rig_run(r, 2);
	rig_forget(r);
}

static size_t sealed(struct srtp_context *c, uint8_t *p, uint32_t ssrc, uint32_t index)
{
	size_t n = rig_rtp(p, ssrc, (uint16_t)index, index * 160u, 160);

	assert_int_equal(srtp_context_protect(c, p, &n, 512), 0);
	return n;
}

static unsigned say(struct rig *r, struct srtp_context *c, struct ip_port from, uint32_t ssrc, uint32_t index)
{
	uint8_t p[512];

	rig_send(r, from, gw_a, p, sealed(c, p, ssrc, index));
	rig_run(r, 1);
	return rig_heard(r);
}

/* Steps that no receiver takes for a wrap of their own, up to ROC 1, SEQ 40000. */
static const uint32_t way[] = {30000, 60000, 0x10000 + 20000, 0x10000 + 40000};
#define NEXT (0x10000 + 40001)

struct rule {
	const char *name;
	bool new_key, fresh; /* fresh: as the control plane says of the new key */
	bool new_ssrc, moved;
	bool resets; /* the peer's own counter */
	unsigned heard;
};

static const struct rule from_peer[] = {
	{"nothing changes", false, false, false, false, false, 1},
	{"the same key, and the peer resets: old indexes are not opened again", false, false, false, false,
		true, 0},
	{"a new key, the peer resets as expected", true, true, false, false, true, 1},
	{"a new key, the peer goes on where it should reset", true, true, false, false, false, 0},
	{"a new key, the peer goes on as expected", true, false, false, false, false, 1},
	{"a new key, the peer resets where it should go on", true, false, false, false, true, 0},
	{"a new SSRC begins at 0", false, false, true, false, true, 1},
	{"a new SSRC and a new key, counters reset", true, true, true, false, true, 1},
	{"a new SSRC and a new key, counters go on", true, false, true, false, true, 1},
	{"another address, the same key: it goes on", false, false, false, true, false, 1},
	{"another address, the same key, and the peer resets", false, false, false, true, true, 0},
	{"another address and a new key", true, true, false, true, true, 1},
};

static void test_from_the_peer(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < sizeof from_peer / sizeof *from_peer; i++) {
		const struct rule *rule = &from_peer[i];
		struct srtp_context *old = rig_peer(CM, 1, SRTP_PROTECT), *now;
		uint32_t ssrc = rule->new_ssrc ? SECOND : FIRST;
		uint8_t p[512];

		call_open(r);
		for (unsigned k = 0; k < 4; k++)
			assert_int_equal(say(r, old, peer_a, FIRST, way[k]), 1);
		now = rig_peer(CM, rule->new_key ? 2 : 1, SRTP_PROTECT);
		for (unsigned k = 0; k < 4 && !rule->resets; k++)
			sealed(now, p, ssrc, way[k]); /* its counter has come as far */
		if (rule->moved)
			leg_a(r, elsewhere);
		if (rule->new_key)
			key_a(r, DP_KEY_RX, 2, rule->fresh);
		if (say(r, now, rule->moved ? elsewhere : peer_a, ssrc, NEXT) != rule->heard)
			fail_msg("%s: heard %u, not %u", rule->name, !rule->heard, rule->heard);
		srtp_context_free(old);
		srtp_context_free(now);
		call_close(r);
	}
}

static bool plain_one(struct rig *r, uint32_t i, struct datagram *d)
{
	uint8_t p[512];
	size_t n = rig_rtp(p, FIRST, (uint16_t)(i * 2900), i * 2900 * 160u, 160);

	rig_send(r, peer_b, gw_b, p, n);
	rig_run(r, 1);
	return rig_receive(r, d);
}

/* A listener under key 1 or 2 that has come to ROC 1, or to nothing yet. */
static struct srtp_context *listener(unsigned seed, bool advanced, uint32_t ssrc)
{
	struct srtp_context *in = rig_peer(CM, seed, SRTP_UNPROTECT), *out = rig_peer(CM, seed, SRTP_PROTECT);
	uint8_t p[512];

	for (unsigned k = 0; k < 3 && advanced; k++) {
		size_t n = sealed(out, p, ssrc, way[k]);

		assert_int_equal(srtp_context_unprotect(in, p, &n), 0);
	}
	srtp_context_free(out);
	return in;
}

static const struct {
	const char *name;
	bool new_key, fresh, moved;
	unsigned roc; /* that the listener has to have */
} to_peer[] = {
	{"nothing changes", false, false, false, 1},
	{"another address, the same key: no index is used twice", false, false, true, 1},
	{"a new key, counters reset", true, true, false, 0},
	{"a new key, counters go on", true, false, false, 1},
	{"another address and a new key", true, true, true, 0},
};

static void test_to_the_peer(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < sizeof to_peer / sizeof *to_peer; i++) {
		struct datagram d;
		uint32_t k = 0;
		unsigned wraps = 0;
		uint16_t seq = 0, last = 0;

		call_open(r);
		while (!(wraps == 1 && last >= 0x9000)) {
			assert_true(plain_one(r, k++, &d));
			seq = be16_get(d.octets + 2);
			wraps += seq < last;
			last = seq;
		}
		if (to_peer[i].moved)
			leg_a(r, elsewhere);
		if (to_peer[i].new_key)
			key_a(r, DP_KEY_TX, 2, to_peer[i].fresh);
		assert_true(plain_one(r, k++, &d));
		for (unsigned roc = 0; roc < 2; roc++) {
			struct srtp_context *in =
				listener(to_peer[i].new_key ? 2 : 1, roc == 1, be32_get(d.octets + 8));
			struct datagram copy = d;
			bool opens = srtp_context_unprotect(in, copy.octets, &copy.n) == 0;

			if (opens != (roc == to_peer[i].roc))
				fail_msg("%s: a listener in ROC %u %s it", to_peer[i].name, roc,
					opens ? "opens" : "does not open");
			srtp_context_free(in);
		}
		call_close(r);
	}
}

/* The packets before the wrap were lost: the first that is heard has ROC 1, and that is counted, once. */
static void test_a_stream_that_had_begun(void **state)
{
	struct rig *r = *state;
	struct srtp_context *c;
	uint8_t p[512];

	call_open(r);
	c = rig_peer(CM, 1, SRTP_PROTECT);
	assert_int_equal(say(r, c, peer_a, 6, 100), 1); /* another one, as usual */
	assert_int_equal(worker_stats(r->w[0])->roc_resyncs, 0);
	for (uint32_t i = 0xfff0; i < 0x10002; i++)
		sealed(c, p, 7, i);
	assert_int_equal(say(r, c, peer_a, 7, 0x10002), 1);
	assert_int_equal(say(r, c, peer_a, 7, 0x10003), 1);
	assert_int_equal(worker_stats(r->w[0])->roc_resyncs, 1);
	srtp_context_free(c);
	call_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_stream_that_had_begun, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_from_the_peer, rig_open, rig_close),
		cmocka_unit_test_setup_teardown(test_to_the_peer, rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
