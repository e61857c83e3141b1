/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/b2bua_bench.h"

#include <unistd.h>

#include <libyang/libyang.h>

#include "controlplane/b2bua/report/report.h"
#include "controlplane/config/schema.h"
#include "controlplane/dtls/pool.h"
#include "controlplane/media/dp_client.h"
#include "controlplane/media/port_alloc.h"
#include "controlplane/obs/gather.h"
#include "controlplane/obs/notify.h"
#include "controlplane/sip/net.h"
#include "lib/base/clock.h"
#include "tests/unit/b2bua_config.h"
#include "tests/unit/b2bua_plane.h"
#include "tests/unit/b2bua_wire.h"

#define BEGIN_MS 1000000

struct bench bench;
struct phone alice, bob, carol;
struct bench_wire wire;

static struct {
	struct event_base *base;
	struct timer_wheel *wheel;
	struct sip_net *net;
	struct sip_listener *listeners[3];
	struct tls_ctx *client_tls[8];
	struct dp_client *client;
	struct port_alloc *ports;
	struct dtls_pool *dtls; /* NULL: a test that shakes no hands */
	struct ly_ctx *yang;
	struct sip_conn conn;
	struct tls_info tls;
	bool keeps; /* calls in the folder */
} own;

static bool with_dtls;

/* ---- the wire ---- */

static uint64_t clock_of(void *arg)
{
	(void)arg;
	return bench.now;
}

static int take(void *ctx, struct sip_flow *flow, struct str text, struct sip_waiter *waiter)
{
	char ip[IP_TEXT_MAX];

	(void)ctx;
	ip_text(&flow->remote.ip, ip);
	if (bench.send_result < 0 && (!bench.refuse_ip || strcmp(bench.refuse_ip, ip) == 0))
		return bench.send_result;
	assert_true(wire.queued < WIRE_QUEUE_MAX);
	wire.queue[wire.queued].flow = *flow;
	snprintf(wire.queue[wire.queued].tls_name, sizeof wire.queue[0].tls_name, "%s",
		flow->tls_name ? flow->tls_name : "");
	wire.queue[wire.queued++].text = strndup(text.p, text.n);
	if (waiter) {
		sip_waiter_detach(waiter);
		waiter->next = bench.waiters;
		waiter->prev = &bench.waiters;
		if (waiter->next)
			waiter->next->prev = &waiter->next;
		bench.waiters = waiter;
	}
	return 0;
}

void lose_all(void)
{
	while (wire.queued)
		free(wire.queue[--wire.queued].text);
}

void cut_connection(const char *why, bool connected)
{
	struct sip_waiter *w = bench.waiters;

	if (!w)
		return;
	sip_waiter_detach(w);
	w->lost(w, why, connected);
	settle();
}

static struct str sent_by(void *ctx, const struct sip_listener *l)
{
	(void)ctx;
	return sip_listener_sent_by(l);
}

static void no_message(void *user, const struct sip_msg *m, const struct sip_flow *from)
{
	(void)user, (void)m, (void)from;
}

/* ---- setup ---- */

static struct port_alloc *new_ports(void)
{
	static const char *const addresses[] = {"203.0.113.10", "10.20.0.10"};
	struct port_range ranges[2];
	struct port_alloc *p;
	struct err e = {0};

	for (unsigned i = 0; i < 2; i++) {
		ranges[i] = (struct port_range){.group = i, .lower = 20000, .upper = 21999};
		ip_parse(str_z(addresses[i]), &ranges[i].ip);
		ranges[i].advertised = ranges[i].ip;
	}
	if (port_alloc_new(ranges, 2, 1, &p, &e) < 0)
		fail_msg("%s", e.text);
	return p;
}

static void open_media(void)
{
	struct dp_client_conf conf = {
		.events = &b2bua_media_events,
		.ctx = bench.b2bua,
		.backoff_min_ms = 1,
		.backoff_max_ms = 1,
		.ack_timeout_ms = 60000,
	};
	struct dp_client_media media = {.generation = 1};
	char path[80];
	struct err e = {0};

	snprintf(path, sizeof path, "%s/dp", bench.folder);
	conf.path = path;
	own.ports = new_ports();
	if (dp_client_new(own.base, &conf, &own.client, &e) < 0 ||
		dp_client_configure(own.client, &media) < 0)
		fail_msg("%s", e.text);
}

static void open_sip(void)
{
	const struct sip_sender sender = {NULL, take, sent_by};
	const struct sip_net_conf net = {0};
	const struct sip_txl_conf txl = {.server = "srtpgw"};

	own.wheel = timer_wheel_new(clock_of, NULL);
	assert_int_equal(sip_net_new(own.base, &net, &bench.sip_counters, no_message, NULL, &own.net), 0);
	assert_int_equal(sip_txl_new(&txl, own.wheel, &sender, &bench.sip_counters, &b2bua_tu, bench.b2bua,
				 &bench.txl),
		0);
	for (unsigned i = 0; i < 3; i++) {
		const struct config_listener *l = &bench.config->listeners[i];

		wire.doors[i] = (struct sip_listener){
			.net = own.net,
			.refs = 1,
			.fd = -1,
			.transport = l->transport == CONFIG_TLS   ? SIP_TLS
				     : l->transport == CONFIG_TCP ? SIP_TCP
								  : SIP_UDP,
			.local = l->local,
			.realm = (void *)l,
		};
		sip_listener_set_host(&wire.doors[i], STR(""));
		own.listeners[i] = &wire.doors[i];
	}
}

static void phone_reset(
	struct phone *p, const char *ip, unsigned listener, const char *suite, const char *own_number)
{
	*p = (struct phone){.ip = ip, .listener = listener, .suite = suite};
	snprintf(p->number, sizeof p->number, "%s", own_number);
}

static void open_control(void)
{
	struct b2bua_conf conf = {bench.config, own.listeners, own.client_tls, NULL};
	struct b2bua_generation *first;

	assert_int_equal(b2bua_new(&bench.b2bua), 0);
	if (with_dtls)
		assert_int_equal(dtls_pool_new(own.base, 1, &own.dtls), 0);
	open_sip();
	open_media();
	b2bua_attach(bench.b2bua, &(struct b2bua_layers){
					  .dns = bench.dns,
					  .net = own.net,
					  .txl = bench.txl,
					  .wheel = own.wheel,
					  .sip_counters = &bench.sip_counters,
					  .client = own.client,
					  .ports = own.ports,
					  .dtls = own.dtls,
					  .notify = bench.notify,
				  });
	assert_int_equal(b2bua_prepare(bench.b2bua, &conf, &first), 0);
	b2bua_commit(bench.b2bua, first);
	b2bua_set_audit(bench.b2bua, bench.audit);
	bench.gather = gather_new(own.yang);
	assert_int_equal(report_register(bench.gather, bench.b2bua), 0);
}

static void connect_plane(void)
{
	while (!dp_client_ready(own.client))
		event_base_loop(own.base, EVLOOP_ONCE);
}

static void keep_calls(void)
{
	char path[80];
	struct err e = {0};

	snprintf(path, sizeof path, "%s/calls", bench.folder);
	if (b2bua_keep_calls(bench.b2bua, path, &e) < 0)
		fail_msg("%s", e.text);
	b2bua_recover(bench.b2bua);
}

void bench_keep_calls(void)
{
	own.keeps = true;
	keep_calls();
}

/* In the order of gateway_free(), so that what calls back late finds what it names. */
static unsigned close_control(bool without_a_word)
{
	unsigned kept = 0;

	b2bua_close(bench.b2bua);
	if (without_a_word)
		silence(NULL);
	dp_client_free(own.client);
	sip_txl_free(bench.txl);
	sip_net_free(own.net);
	timer_wheel_free(own.wheel);
	b2bua_free(bench.b2bua);
	dtls_pool_free(own.dtls);
	own.dtls = NULL;
	port_alloc_free(own.ports);
	gather_free(bench.gather);
	for (unsigned i = 0; i < 3; i++)
		kept += wire.doors[i].flows;
	lose_all();
	return kept;
}

static void open_again(void)
{
	bench.waiters = NULL;
	open_control();
	if (own.keeps)
		keep_calls();
	connect_plane();
	settle();
}

static void begin_next(bool plane_too)
{
	if (plane_too)
		plane_forget();
	fake_plane_listen(&bench.plane);
	open_again();
}

static void begin_again(bool plane_too)
{
	plane_away();
	assert_int_equal(close_control(false), 0);
	begin_next(plane_too);
}

void bench_hand_over(void)
{
	assert_int_equal(b2bua_keep(bench.b2bua), 0);
	assert_int_equal(close_control(true), 0);
	open_again();
}

void bench_crash(bool plane_too)
{
	pass(100);
	begin_again(plane_too);
}

static void in_folder(const char *what)
{
	char command[200];

	snprintf(command, sizeof command, "cd '%s' && %s", bench.folder, what);
	assert_int_equal(system(command), 0);
}

void bench_freeze(void)
{
	in_folder("cp -r calls frozen");
}

void bench_kill(void)
{
	b2bua_set_audit(bench.b2bua, NULL); /* it writes no last words */
	plane_away();
	assert_int_equal(close_control(false), 0);
	in_folder("rm -r calls && mv frozen calls");
	begin_next(false);
}

void bench_renew(void)
{
	begin_again(true);
	wire.branches = wire.calls = 0;
	bench.now = BEGIN_MS;
}

unsigned bench_ports_used(void)
{
	struct port_usage outside, inside;

	port_alloc_usage(own.ports, 0, &outside);
	port_alloc_usage(own.ports, 1, &inside);
	return (unsigned)(outside.used + inside.used);
}

static void remove_folder(void)
{
	char command[100];

	if (own.keeps) {
		snprintf(command, sizeof command, "rm -r '%s/calls'", bench.folder);
		assert_int_equal(system(command), 0);
	}
	rmdir(bench.folder);
}

int bench_setup_with(const char *limits)
{
	char text[8192], path[80];
	struct err e = {0};
	const struct dns_asker dns = bench.dns;

	memset(&bench, 0, sizeof bench);
	bench.dns = dns;
	memset(&own, 0, sizeof own);
	memset(&wire, 0, sizeof wire);
	bench.now = BEGIN_MS;
	phone_reset(&alice, "10.20.0.5", INSIDE_UDP, NULL, "+3001");
	phone_reset(&bob, "198.51.100.1", OUTSIDE_TLS, "AEAD_AES_256_GCM", "+1001");
	phone_reset(&carol, "198.51.100.2", OUTSIDE_TLS, "AES_CM_128_HMAC_SHA1_80", "+2001");
	strcpy(bench.folder, "/tmp/srtpgw-b2bua-XXXXXX");
	assert_non_null(mkdtemp(bench.folder));
	snprintf(text, sizeof text, config_text, limits);
	if (config_parse(str_z(text), "bench", &bench.config, &e) < 0)
		fail_msg("%s", e.text);
	own.base = event_base_new();
	snprintf(path, sizeof path, "%s/dp", bench.folder);
	plane_open(own.base, path);
	if (schema_context(&own.yang, &e) < 0)
		fail_msg("%s", e.text);
	bench.notify = notify_new();
	notify_set_context(bench.notify, own.yang);
	open_control();
	connect_plane();
	return 0;
}

void bench_refuse(const char *was, const char *now, const char *why)
{
	char text[8192], changed[8192];
	struct config *c;
	struct err e = {0};

	snprintf(text, sizeof text, config_text, "\"max-calls\":300,\"max-call-rate\":1000");
	const char *at = strstr(text, was);

	assert_non_null(at);
	snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, now, at + strlen(was));
	if (config_parse(str_z(changed), "bench", &c, &e) == 0)
		fail_msg("taken: %s", now);
	if (!strstr(e.text, why))
		fail_msg("'%s' is missing in: %s", why, e.text);
}

void bench_change_all(const struct bench_edit *edits, unsigned n)
{
	char text[8192], changed[8192];
	struct b2bua_conf conf = {.listeners = own.listeners, .client_tls = own.client_tls};
	struct b2bua_generation *next;
	struct config *c;
	struct err e = {0};

	snprintf(text, sizeof text, config_text, "\"max-calls\":300,\"max-call-rate\":1000");
	for (unsigned i = 0; i < n; i++) {
		const char *at = strstr(text, edits[i].was);

		assert_non_null(at);
		snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, edits[i].now,
			at + strlen(edits[i].was));
		strcpy(text, changed);
	}
	if (config_parse(str_z(text), "bench", &c, &e) < 0)
		fail_msg("%s", e.text);
	conf.config = c;
	assert_int_equal(b2bua_prepare(bench.b2bua, &conf, &next), 0);
	for (unsigned i = 0; i < 3; i++)
		wire.doors[i].realm = (void *)&c->listeners[i];
	b2bua_commit(bench.b2bua, next);
	config_unref(bench.config);
	bench.config = c;
	settle();
}

int bench_setup(void **state)
{
	(void)state;
	return bench_setup_with("\"max-calls\":300,\"max-call-rate\":1000");
}

int bench_setup_dtls(void **state)
{
	with_dtls = true;
	return bench_setup(state);
}

void phone_forget(struct phone *p)
{
	sip_msg_free(p->heard);
	sip_msg_free(p->invite);
	p->heard = p->invite = NULL;
}

int bench_teardown(void **state)
{
	unsigned kept = close_control(false);

	(void)state;
	plane_close();
	config_unref(bench.config);
	event_base_free(own.base);
	phone_forget(&alice);
	phone_forget(&bob);
	phone_forget(&carol);
	notify_free(bench.notify);
	ly_ctx_destroy(own.yang);
	remove_folder();
	with_dtls = false;
	return (int)kept; /* a flow that was never dropped fails the test */
}

void phone_connect(struct phone *p, const char *name)
{
	own.tls = (struct tls_info){.version = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384", .group = "X25519", .san_count = 2};
	own.tls.has_certificate = own.tls.verified = true;
	strcpy(own.tls.sans[0], "URI:sip:nobody.example");
	snprintf(own.tls.sans[1], sizeof own.tls.sans[1], "DNS:%s", name);
	own.conn = (struct sip_conn){
		.net = own.net, .id = 77, .state = CONN_UP, .transport = SIP_TLS, .info = &own.tls};
	own.net->by_id[77 % NET_BUCKETS] = &own.conn;
	p->conn = 77;
}

void phone_disconnect(struct phone *p)
{
	own.net->by_id[77 % NET_BUCKETS] = NULL;
	p->conn = 0;
}

bool phone_connection_used(void)
{
	return own.conn.active_ms != 0;
}

/* ---- time ---- */

void settle(void)
{
	unsigned before;

	/* A Unix socket has its message at once: quiet for a turn of either side is quiet for good. */
	do {
		struct dp_client_counters n, m;

		before = plane_seen();
		dp_client_counters(own.client, &n);
		for (unsigned i = 0; i < 3; i++)
			event_base_loop(own.base, EVLOOP_NONBLOCK);
		dp_client_counters(own.client, &m);
		before += n.commands != m.commands || n.acks != m.acks || n.outstanding != m.outstanding;
	} while (before != plane_seen());
}

void pass(unsigned ms)
{
	settle();
	for (uint64_t end = bench.now + ms; bench.now < end;) {
		bench.now += TIMER_TICK_MS;
		timer_wheel_advance(own.wheel);
		if (bench.now % 1000 == 0)
			settle();
	}
	settle();
}

static void wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

void run_until(bool (*done)(void), const char *what)
{
	uint64_t until = clock_mono_ns() + 60 * NS_PER_S;

	for (settle(); !done(); settle()) {
		if (clock_mono_ns() > until)
			fail_msg("in vain: %s", what);
		/* Something comes from a thread, or else the loop looks again in a moment. */
		event_base_once(own.base, -1, EV_TIMEOUT, wake, NULL, &(struct timeval){.tv_usec = 20000});
		event_base_loop(own.base, EVLOOP_ONCE);
	}
}
