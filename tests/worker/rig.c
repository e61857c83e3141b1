/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/worker/rig.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/port/eal.h"
#include "lib/srtp/be.h"
#include "tests/support/cmocka_std.h"

static struct eal eal;
static bool eal_up;

static int take_out(void *user, union dp_msg *m)
{
	struct rig *r = user;

	if (r->refuse_out)
		return -ENOBUFS;
	const char *why;

	assert_int_equal(dp_msg_check(m, dp_type_size((enum dp_type)m->h.type), &why), 0);
	if (r->n_messages < RIG_MESSAGES)
		memcpy(&r->messages[r->n_messages++], m, dp_type_size((enum dp_type)m->h.type));
	return 0;
}

uint8_t rig_next_hop[6] = {2, 0, 0, 0, 0, 99};

struct ip_port rig_addr(const char *ip, uint16_t port)
{
	struct ip_port a = {.port = port};

	assert_int_equal(ip_parse(str_z(ip), &a.ip), 0);
	return a;
}

static void ports_open(struct rig *r)
{
	struct port_conf conf = {.kind = PORT_RING,
		.interface = "rig",
		.queues = RIG_WORKERS,
		.rx_rings = r->rx,
		.tx_rings = r->tx};
	const struct ip_addr any = {.family = IP_NONE};
	struct err err = {""};
	char name[32];

	for (unsigned q = 0; q < RIG_WORKERS; q++) {
		snprintf(name, sizeof name, "rig_rx%u", q);
		r->rx[q] = rte_ring_create(name, RIG_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		snprintf(name, sizeof name, "rig_tx%u", q);
		r->tx[q] = rte_ring_create(name, RIG_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		assert_true(r->rx[q] && r->tx[q]);
	}
	assert_int_equal(port_pool_create(4095, &r->pool, &err), 0);
	conf.pool = r->pool;
	if (port_open(&conf, &r->port, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(neighbour_open(&r->port, 1, 0, &r->neighbour, &err), 0);
	assert_int_equal(neighbour_add_static(r->neighbour, &any, &any, 0, rig_next_hop), 0);
}

union dp_msg rig_configuration(void)
{
	union dp_msg m;

	dp_msg_init(&m, DP_CONFIGURE, 0);
	m.configure.pages = 1;
	m.configure.trial_per_second = 10;
	return m;
}

struct dp_address rig_range(const char *ip, uint16_t lower, uint16_t upper, uint8_t worker)
{
	return (struct dp_address){
		.ip = rig_addr(ip, 1).ip, .port_lower = lower, .port_upper = upper, .worker = worker};
}

static void configure(struct rig *r)
{
	static const char *const ips[] = {"10.0.0.1", "fd00::1"};
	union dp_msg m = rig_configuration();

	m.configure.n_addresses = 4;
	for (unsigned i = 0; i < 2; i++) {
		m.configure.addresses[2 * i] = rig_range(ips[i], 20000, RIG_PORTS_1 - 1, 0);
		m.configure.addresses[2 * i + 1] = rig_range(ips[i], RIG_PORTS_1, 29999, 1);
	}
	assert_int_equal(rig_command(r, &m), 0);
}

static uint32_t lcores;

void rig_lcores(uint32_t n)
{
	lcores = n;
}

int rig_open(void **state)
{
	struct eal_conf conf = {.pages = EAL_PAGES_SMALL, .memory_mb = 256, .workers = lcores};
	struct rig *r = calloc(1, sizeof *r);
	struct err err = {""};

	if (!eal_up && eal_start(&conf, &eal, &err) < 0)
		fail_msg("%s", err.text);
	eal_up = true;
	r->now = 1000 * NS_PER_S;
	ports_open(r);
	assert_int_equal(leg_table_create(&r->table), 0);
	for (unsigned i = 0; i < RIG_WORKERS; i++) {
		struct worker_conf w = {
			.index = i,
			.sessions = RIG_SESSIONS,
			.legs = 128,
			.n_ports = 1,
			.ports = &r->port,
			.neighbour = r->neighbour,
			.table = r->table,
			.pool = r->pool,
			.backend = &crypto_ipsec_mb,
			.socket = -1,
		};

		if (worker_create(&w, &r->w[i], &err) < 0)
			fail_msg("%s", err.text);
	}
	worker_introduce(r->w, RIG_WORKERS);
	struct control_conf control = {
		.sessions = RIG_SESSIONS,
		.n_workers = RIG_WORKERS,
		.workers = r->w,
		.table = r->table,
		.n_ports = 1,
		.ports = &r->port,
		.neighbour = r->neighbour,
		.backend = &crypto_ipsec_mb,
		.out = take_out,
		.user = r,
	};

	assert_int_equal(control_open(&control, &r->control, &err), 0);
	configure(r);
	rig_run(r, 2);
	rig_forget(r);
	*state = r;
	return 0;
}

int rig_close(void **state)
{
	struct rig *r = *state;
	void *m;

	control_close(r->control);
	for (unsigned i = 0; i < RIG_WORKERS; i++) {
		worker_destroy(r->w[i]);
		while (rte_ring_dequeue(r->tx[i], &m) == 0 || rte_ring_dequeue(r->rx[i], &m) == 0)
			rte_pktmbuf_free(m);
	}
	assert_int_equal(rte_mempool_in_use_count(r->pool), 0);
	leg_table_destroy(r->table);
	neighbour_close(r->neighbour);
	port_close(r->port);
	for (unsigned i = 0; i < RIG_WORKERS; i++) {
		rte_ring_free(r->rx[i]);
		rte_ring_free(r->tx[i]);
	}
	rte_mempool_free(r->pool);
	free(r);
	return 0;
}

void rig_run(struct rig *r, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++) {
		r->now += NS_PER_MS;
		for (unsigned w = 0; w < RIG_WORKERS; w++)
			worker_step(r->w[w], r->now);
		control_poll(r->control);
	}
}

uint32_t rig_slots_used(struct rig *r)
{
	struct crypto_health h;

	assert_int_equal(r->w[0]->backend->health(r->w[0]->crypto, &h), 0);
	return h.slots_used;
}

bool rig_keys_in_legs(struct rig *r)
{
	if (!r->w[0]->near_slots)
		print_message("# not tested: with this processor keys have a table of their own\n");
	return r->w[0]->near_slots > 0;
}

int rig_command(struct rig *r, union dp_msg *m)
{
	uint64_t seq = m->h.seq = ++r->seq;
	unsigned before = r->n_messages;

	control_handle(r->control, m);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = before; k < r->n_messages; k++)
			if (r->messages[k].h.type == DP_ACK && r->messages[k].h.seq == seq)
				return r->messages[k].ack.result;
		rig_run(r, 1);
	}
	fail_msg("no answer to %s", dp_type_name((enum dp_type)m->h.type));
	return -ETIMEDOUT;
}

const union dp_msg *rig_message(const struct rig *r, enum dp_type type)
{
	for (unsigned i = r->n_messages; i > 0; i--)
		if (r->messages[i - 1].h.type == type)
			return &r->messages[i - 1];
	return NULL;
}

unsigned rig_count(const struct rig *r, enum dp_type type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n_messages; i++)
		n += r->messages[i].h.type == type;
	return n;
}

void rig_forget(struct rig *r)
{
	r->n_messages = 0;
}

union dp_msg rig_leg(
	dp_session_id s, uint8_t leg, enum dp_security security, struct ip_port local, struct ip_port remote)
{
	union dp_msg m;
	struct dp_leg_update *u = &m.leg_update;

	dp_msg_init(&m, DP_LEG_UPDATE, 0);
	u->session = s;
	u->leg = leg;
	u->side = leg % 2;
	u->security = (uint8_t)security;
	u->learn = security == DP_SECURITY_SRTP ? DP_LEARN_AUTHENTIC : DP_LEARN_NEVER;
	u->flags = DP_LEG_RTCP_MUX;
	u->local = local;
	u->remote = remote;
	u->n_streams = 1;
	u->streams[0].direction = DP_SENDRECV;
	return m;
}

int rig_session(struct rig *r, dp_session_id s, uint32_t worker)
{
	union dp_msg m;

	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = s;
	m.session_add.worker = worker;
	return rig_command(r, &m);
}

int rig_session_delete(struct rig *r, dp_session_id s)
{
	union dp_msg m;

	dp_msg_init(&m, DP_SESSION_DEL, 0);
	m.session_del.session = s;
	return rig_command(r, &m);
}

void rig_media_timeout(struct rig *r, dp_session_id s, uint32_t a, uint32_t b)
{
	union dp_msg m;

	dp_msg_init(&m, DP_SESSION_ADD, 0);
	m.session_add.session = s;
	m.session_add.media_timeout_s[DP_SIDE_A] = a;
	m.session_add.media_timeout_s[DP_SIDE_B] = b;
	assert_int_equal(rig_command(r, &m), 0);
}

struct secret rig_master(enum srtp_suite suite, unsigned seed)
{
	struct secret s = {.len = (uint8_t)srtp_suite_master_len(srtp_suite_info(suite))};

	for (unsigned i = 0; i < s.len; i++)
		s.octets[i] = (uint8_t)(seed * 151 + i * 7 + 1);
	return s;
}

union dp_msg rig_key(
	dp_session_id s, uint8_t leg, enum dp_key_direction d, enum srtp_suite suite, unsigned seed)
{
	struct secret master = rig_master(suite, seed);
	union dp_msg m;

	dp_msg_init(&m, DP_KEY_ADD, 0);
	m.key_add.session = s;
	m.key_add.leg = leg;
	m.key_add.direction = (uint8_t)d;
	m.key_add.suite = (uint8_t)suite;
	m.key_add.epoch = seed;
	m.key_add.fresh_index = 1;
	m.key_add.master_len = master.len;
	memcpy(m.key_add.master, master.octets, master.len);
	return m;
}

void rig_key_retire(struct rig *r, dp_session_id s, enum dp_key_direction d, uint32_t epoch)
{
	union dp_msg m;

	dp_msg_init(&m, DP_KEY_RETIRE, 0);
	m.key_retire.session = s;
	m.key_retire.direction = (uint8_t)d;
	m.key_retire.epoch = epoch;
	assert_int_equal(rig_command(r, &m), 0);
}

/* ssrc_max 0: as many as a context has by default. */
static struct srtp_context *peer_open(
	enum srtp_suite suite, unsigned seed, enum srtp_direction d, uint32_t ssrc_max)
{
	struct secret master = rig_master(suite, seed);
	struct srtp_context_conf conf = {
		.suite = suite, .direction = d, .ssrc_max = ssrc_max, .master = &master};
	struct srtp_context *c;

	assert_int_equal(srtp_context_alloc(&c, &conf), 0);
	return c;
}

struct srtp_context *rig_peer(enum srtp_suite suite, unsigned seed, enum srtp_direction d)
{
	return peer_open(suite, seed, d, 0);
}

struct srtp_context *rig_peer_of_many(enum srtp_suite suite, unsigned seed)
{
	return peer_open(suite, seed, SRTP_PROTECT, 128);
}

struct leg *rig_leg_state(struct rig *r, dp_session_id s, uint8_t leg)
{
	for (unsigned w = 0; w < RIG_WORKERS; w++) {
		struct session *found = session_find(r->w[w], s);

		if (found)
			return found->legs[leg];
	}
	fail_msg("no such session");
	return NULL;
}

const struct dp_stats_leg *rig_leg_stats(struct rig *r, dp_session_id s, uint8_t leg)
{
	union dp_msg m;

	rig_forget(r);
	dp_msg_init(&m, DP_STATS, 0);
	m.stats.scope = DP_STATS_SCOPE_SESSION;
	m.stats.session = s;
	assert_int_equal(rig_command(r, &m), 0);
	for (unsigned i = 0; i < r->n_messages; i++)
		if (r->messages[i].h.type == DP_STATS_LEG && r->messages[i].stats_leg.leg == leg)
			return &r->messages[i].stats_leg;
	fail_msg("no figures of leg %u", leg);
	return NULL;
}

uint64_t rig_verdict(struct rig *r, dp_session_id s, uint8_t leg, enum dp_verdict v)
{
	return leg_verdict(rig_leg_state(r, s, leg), v);
}
