/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/gen_live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/srtp/be.h"

#define RTP 12
#define MAGIC 0x53524750u

int live_end_open(struct live_end *e, uint32_t call, const struct ip_port *local)
{
	struct sockaddr_storage at;
	socklen_t n = ip_port_to_sockaddr(local, &at);
	int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int room = 1 << 20;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (bind(fd, (struct sockaddr *)&at, n) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	*e = (struct live_end){
		.call = call, .fd = fd, .ssrc = 0x20000000u + call * 7919u, .seq = (uint16_t)call};
	return 0;
}

void live_end_close(struct live_end *e)
{
	if (e->fd >= 0)
		close(e->fd);
	srtp_context_free(e->tx);
	srtp_context_free(e->rx[0]);
	srtp_context_free(e->rx[1]);
	*e = (struct live_end){.fd = -1};
}

static int read_key(const char *suite, const char *hex, struct srtp_context_conf *conf, struct secret *master)
{
	uint8_t octets[SECRET_MAX];
	size_t n = strlen(hex) / 2;
	unsigned v;
	int rc;

	conf->suite = srtp_suite_by_name(str_z(suite));
	conf->master = master;
	if (conf->suite == SRTP_SUITE_NONE || n > sizeof octets || strlen(hex) % 2)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (sscanf(hex + 2 * i, "%2x", &v) != 1)
			return -EINVAL;
		octets[i] = (uint8_t)v;
	}
	rc = n == srtp_suite_master_len(srtp_suite_info(conf->suite)) ? secret_set(master, octets, n)
								      : -EINVAL;
	mem_wipe(octets, sizeof octets);
	return rc;
}

/* What the other side's packet of this number has in it. */
static void fill(uint8_t *p, unsigned side, uint32_t call, uint64_t number)
{
	be32_put(p, MAGIC + side);
	be32_put(p + 4, call);
	be32_put(p + 8, (uint32_t)(number >> 32));
	be32_put(p + 12, (uint32_t)number);
	for (unsigned i = 16; i < LIVE_PAYLOAD; i++)
		p[i] = (uint8_t)(call * 7 + number * 3 + i + side);
}

static void judge(struct live_end *e, unsigned side, const uint8_t *p, size_t n)
{
	uint8_t expected[LIVE_PAYLOAD];
	uint64_t number = n == RTP + LIVE_PAYLOAD
				  ? (uint64_t)be32_get(p + RTP + 8) << 32 | be32_get(p + RTP + 12)
				  : UINT64_MAX;
	uint8_t *seen = &e->seen[number % LIVE_SEEN / 8], bit = (uint8_t)(1 << number % 8);

	fill(expected, !side, e->call, number);
	if (number >= LIVE_SEEN || memcmp(p + RTP, expected, LIVE_PAYLOAD) != 0) {
		e->stats.foreign++;
		return;
	}
	if (*seen & bit) {
		e->stats.copies++;
		return;
	}
	*seen |= bit;
	if (!e->stats.good || number < e->stats.first)
		e->stats.first = number;
	if (number > e->stats.last)
		e->stats.last = number;
	e->stats.good++;
}

/* True: it was opened, whatever was in it. */
static bool open_packet(struct live_end *e, unsigned side, const uint8_t *packet, size_t n)
{
	for (unsigned k = 0; k < 2 && e->rx[k]; k++) {
		uint8_t copy[LIVE_PACKET_MAX];
		size_t left = n;

		memcpy(copy, packet, n);
		int rc = srtp_context_unprotect(e->rx[k], copy, &left);

		if (rc == 0)
			judge(e, side, copy, left);
		else if (rc == -EALREADY)
			e->stats.copies++;
		if (rc == 0 || rc == -EALREADY)
			return true;
	}
	return false;
}

static bool is_clear(const uint8_t *p, size_t n)
{
	return n == RTP + LIVE_PAYLOAD && (be32_get(p + RTP) == MAGIC || be32_get(p + RTP) == MAGIC + 1);
}

static void take(struct live_end *e, unsigned side, const uint8_t *packet, size_t n)
{
	struct live_held *h = &e->held[e->next_held];

	if (n >= 2 && packet[1] >= 192 && packet[1] <= 223)
		return; /* RTCP */
	if (e->plain) {
		judge(e, side, packet, n);
		return;
	}
	if (is_clear(packet, n)) {
		e->stats.clear++;
		return;
	}
	if (open_packet(e, side, packet, n))
		return;
	e->stats.unopened += h->n != 0;
	h->n = (uint16_t)n;
	memcpy(h->packet, packet, n);
	e->next_held = (e->next_held + 1) % LIVE_HELD;
}

int live_end_key(struct live_end *e, unsigned side, bool tx, const char *suite, const char *hex)
{
	SECRET_AUTO struct secret master = {0};
	struct srtp_context_conf conf = {.direction = tx ? SRTP_PROTECT : SRTP_UNPROTECT};
	struct srtp_context *c;
	int rc = read_key(suite, hex, &conf, &master);

	rc = rc < 0 ? rc : srtp_context_alloc(&c, &conf);
	if (rc < 0)
		return rc;
	e->plain = false;
	if (tx) {
		srtp_context_free(e->tx);
		e->tx = c;
		return 0;
	}
	srtp_context_free(e->rx[1]);
	e->rx[1] = e->rx[0];
	e->rx[0] = c;
	for (unsigned i = 0; i < LIVE_HELD; i++)
		if (e->held[i].n && open_packet(e, side, e->held[i].packet, e->held[i].n))
			e->held[i].n = 0;
	return 0;
}

void live_end_send(struct live_end *e, unsigned side)
{
	uint8_t p[LIVE_PACKET_MAX] = {0x80, 0};
	size_t n = RTP + LIVE_PAYLOAD;
	struct sockaddr_storage to;
	socklen_t to_len = ip_port_to_sockaddr(&e->remote, &to);

	if (!e->sending || !to_len || (!e->plain && !e->tx) || e->stats.sent == LIVE_SEEN)
		return;
	be16_put(p + 2, e->seq++);
	be32_put(p + 4, e->ts);
	be32_put(p + 8, e->ssrc);
	e->ts += LIVE_PAYLOAD;
	fill(p + RTP, side, e->call, e->stats.sent);
	if (e->tx && srtp_context_protect(e->tx, p, &n, sizeof p) < 0)
		return;
	if (sendto(e->fd, p, n, 0, (struct sockaddr *)&to, to_len) == (ssize_t)n)
		e->stats.sent++;
}

void live_end_hear(struct live_end *e, unsigned side)
{
	uint8_t packet[LIVE_PACKET_MAX];
	ssize_t n;

	while ((n = recv(e->fd, packet, sizeof packet, 0)) >= 0 || errno == EINTR || errno == ECONNREFUSED)
		if (n > 0)
			take(e, side, packet, (size_t)n);
}

struct live_stats live_end_stats(const struct live_end *e)
{
	struct live_stats s = e->stats;

	for (unsigned i = 0; i < LIVE_HELD; i++)
		s.unopened += e->held[i].n != 0;
	return s;
}
