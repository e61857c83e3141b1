/* SPDX-License-Identifier: Apache-2.0 */
/* One call's media: what the data plane is told of it, and told again. */
#include "tests/unit/dp_client_bench.h"

#include "tests/support/oa_call.h"

static void on_failed(void *arg, int result, const char *reason)
{
	(void)arg;
	(void)reason;
	seen.failed++;
	seen.result = result;
}

static struct call_media media;
static unsigned settlements;

static void on_settled(void *arg)
{
	(void)arg;
	assert_int_equal(media.pending, 0);
	settlements++;
}

static const unsigned groups[] = {0};

static void lease_ports(struct oa_call *c, void *arg)
{
	struct err e = {0};

	(void)c;
	if (call_media_ports(arg, &e) < 0)
		fail_msg("%s", e.text);
}

static struct oa_call *call_up(struct port_alloc **ports)
{
	struct oa_call *c = oa_call_new(&oa_call_plain, &oa_call_secure);
	struct port_range r = {.lower = 20000, .upper = 20999};
	struct err e = {0};

	ip_parse(STR("192.0.2.1"), &r.ip);
	r.advertised = r.ip;
	assert_int_equal(port_alloc_new(&r, 1, 1, ports, &e), 0);
	settlements = 0;
	media = (struct call_media){.client = client, .ports = *ports, .settled = on_settled};
	for (unsigned s = 0; s < 2; s++)
		media.side[s] = (struct call_media_side){.leg = s ? &c->b : &c->a,
			.groups = groups,
			.n_groups = 1,
			.family = s ? IP_V6 : IP_NONE};
	c->ports = lease_ports;
	c->arg = &media;
	until(seen.ready);
	assert_int_equal(call_media_open(&media, c), 0);
	oa_call_offer(c, &c->a, HEAD_A("1") "m=audio 4000 RTP/AVP 8\r\n");
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	assert_int_equal(count_of(DP_SESSION_ADD), 0);
	oa_call_answer(c, &c->b, HEAD_B("1") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	oa_call_commit(c);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	return c;
}

static void settle(void)
{
	struct dp_client_counters n;

	do {
		event_base_loop(base, EVLOOP_ONCE);
		dp_client_counters(client, &n);
	} while (n.outstanding);
}

static void call_down(struct oa_call *c, struct port_alloc *ports)
{
	struct port_usage usage;

	call_media_close(&media);
	call_media_close(&media);
	port_alloc_usage(ports, 0, &usage);
	assert_int_equal(usage.used, 0);
	oa_call_free(c);
	port_alloc_free(ports);
}

static void a_call_is_programmed_and_ended(void **state)
{
	struct port_alloc *ports;
	struct oa_call *c = call_up(&ports);
	dp_session_id id = media.session;

	(void)state;
	assert_true(media.pending > 0);
	assert_int_equal(settlements, 0);
	settle();
	assert_int_equal(media.pending, 0);
	assert_int_equal(settlements, 1); /* once, when the last command is answered */
	assert_int_equal(count_of(DP_KEY_ADD), 2);
	assert_int_equal(seen.failed, 0);
	assert_true(fake_plane_has(&plane, id));
	call_down(c, ports);
	until(!fake_plane_has(&plane, id));
}

/* The data plane restarts: everything comes again but the send key, which comes with the rekey. */
static void a_call_survives_a_restart(void **state)
{
	struct port_alloc *ports;
	struct oa_call *c = call_up(&ports);
	struct wbuf w = wbuf_make(c->text, sizeof c->text);
	struct oa_refusal r;
	unsigned tx = 0;

	(void)state;
	settle();
	uint32_t burnt = oa_media_now(&c->b, 0)->keys->tx.epoch;

	fake_plane_hang_up(&plane);
	plane.n = 0;
	plane.instance = 2;
	until(seen.ready == 2);
	assert_int_equal(seen.lost, 1);
	n_last = 0;
	assert_int_equal(call_media_lost(&media, on_failed, NULL), 0);
	settle();
	assert_int_equal(count_of(DP_SESSION_ADD), 1);
	assert_int_equal(count_of(DP_LEG_UPDATE), 2);
	assert_int_equal(count_of(DP_KEY_ADD), 1);
	assert_int_equal(oa_offer_rekey(&c->b, &w, &r), 0);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	assert_int_equal(
		oa_answer_received(&c->b, str_z(HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B), &r), 0);
	assert_int_equal(oa_commit(&c->b), 0);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	settle();
	for (unsigned i = 0; i < n_last; i++)
		if (last[i].h.type == DP_KEY_ADD && last[i].key_add.direction == DP_KEY_TX) {
			assert_true(last[i].key_add.epoch > burnt);
			tx++;
		}
	assert_int_equal(tx, 1);
	assert_int_equal(seen.failed, 0);
	call_down(c, ports);
}

/* The connection breaks in the middle of a change: it is made good when the connection is back. */
static void a_lost_change_is_made_good(void **state)
{
	struct port_alloc *ports;
	struct oa_call *c = call_up(&ports);

	(void)state;
	settle();
	fake_plane_hang_up(&plane);
	until(seen.down);
	oa_call_offer(c, &c->a, HEAD_A("2") "m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n");
	oa_call_answer(c, &c->b, HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\na=recvonly\r\n" CRYPTO);
	oa_call_commit(c);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	until(seen.ready == 2);
	assert_int_equal(seen.found, 1);
	n_last = 0;
	assert_int_equal(call_media_found(&media, on_failed, NULL), 0);
	settle();
	assert_int_equal(count_of(DP_LEG_UPDATE), 2);
	for (unsigned i = 0; i < n_last; i++)
		if (last[i].h.type == DP_LEG_UPDATE)
			assert_int_equal(last[i].leg_update.streams[0].direction,
				last[i].leg_update.leg ? DP_SEND : DP_RECV);
	/* Nothing is open any more: asked again, it sends nothing. */
	n_last = 0;
	assert_int_equal(call_media_found(&media, on_failed, NULL), 0);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	assert_int_equal(seen.failed, 0);
	call_down(c, ports);
}

static void a_refused_leg_ends_the_call(void **state)
{
	struct port_alloc *ports;

	(void)state;
	plane.refuse_type = DP_LEG_UPDATE;
	struct oa_call *c = call_up(&ports);

	until(seen.failed);
	assert_int_equal(seen.result, -EINVAL);
	unsigned failed = seen.failed;

	/* Nothing is said to a call that is gone. */
	call_down(c, ports);
	settle();
	assert_int_equal(seen.failed, failed);
}

static int no_room(const union dp_msg *m)
{
	return m->h.type == DP_KEY_ADD && m->key_add.role == DP_KEY_NEXT ? -ENOSPC : 0;
}

static unsigned deferred;

static void on_deferred(void *arg, unsigned leg)
{
	(void)arg;
	assert_int_equal(leg, 1);
	deferred++;
}

/*
 * The data plane has no slot for the key that the peer offers: it takes it when it is agreed on. early: that is before
 * it has said so.
 */
static void offer_without_room(bool early)
{
	struct port_alloc *ports;
	struct oa_call *c = call_up(&ports);
	unsigned current = 0;

	settle();
	plane.command = no_room;
	media.deferred = on_deferred;
	deferred = n_last = 0;
	oa_call_offer(c, &c->b, HEAD_B("2") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO_B);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	if (!early)
		settle();
	assert_int_equal(deferred, !early);
	oa_call_answer(c, &c->a, HEAD_A("2") "m=audio 4000 RTP/AVP 8\r\n");
	oa_call_commit(c);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	settle();
	for (unsigned i = 0; i < n_last; i++)
		if (last[i].h.type == DP_KEY_ADD && last[i].key_add.direction == DP_KEY_RX &&
			last[i].key_add.role == DP_KEY_CURRENT) {
			assert_int_equal(last[i].key_add.epoch, oa_media_now(&c->b, 0)->keys->rx.epoch);
			assert_int_equal(last[i].key_add.fresh_index, 1);
			current++;
		}
	assert_int_equal(current, 1);
	assert_int_equal(deferred, 1);
	assert_int_equal(seen.failed, 0);
	assert_int_equal(media.pending, 0);
	/* Whoever hangs up meanwhile leaves nothing behind. */
	oa_call_offer(c, &c->b, HEAD_B("3") "m=audio 5000 RTP/SAVP 8\r\n" CRYPTO);
	assert_int_equal(call_media_program(&media, on_failed, NULL), 0);
	plane.command = NULL;
	call_down(c, ports);
}

static void an_offered_key_without_room_waits_for_the_answer(void **state)
{
	(void)state;
	offer_without_room(false);
}

static void an_answer_may_be_faster_than_the_refusal(void **state)
{
	(void)state;
	offer_without_room(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_call_is_programmed_and_ended),
		test(a_call_survives_a_restart),
		test(a_lost_change_is_made_good),
		test(a_refused_leg_ends_the_call),
		test(an_offered_key_without_room_waits_for_the_answer),
		test(an_answer_may_be_faster_than_the_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
