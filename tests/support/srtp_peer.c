/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A media endpoint for the end-to-end tests: speaks and hears RTP or SRTP with RTCP, over libsrtp2, so that
 * what the gateway encrypts is opened by an implementation that shares nothing with it. Told what to do on
 * stdin, a command a line, each answered with one line: "ok", a JSON object, or "error ...":
 *
 *     bind ADDRESS PORT             RTP at PORT, RTCP at PORT + 1 (RTCP heard at PORT counts too)
 *     remote ADDRESS RTP RTCP       where to send; RTCP equal to RTP is rtcp-mux
 *     tx clear | tx SUITE KEY [MKI] what is sent; KEY: master key and salt, hexadecimal; MKI: hexadecimal
 *     rx clear | rx SUITE KEY [MKI] what is heard; earlier keys go on being tried behind the newest
 *     promise                       SRTP was agreed on: what comes before its key waits for that
 *     identity                      a new certificate for the next association; answers its fingerprint
 *     dtls active | passive FINGERPRINT [MODULE]   keys come from an association where media goes; FINGERPRINT: the
 *                                   gateway's as in SDP, with "_" for its space; MODULE: the file of a DTLS library
 *     send on | off                 a packet every 20 ms, an RTCP compound with every 25th
 *     pace MS                       a packet that often instead
 *     twice on | off                each packet is sent twice
 *     source                        from here on another SSRC, sequence and timestamp: a phone that restarts
 *     seq NUMBER                    the next packet's sequence number; before the first: libsrtp2 guesses on from it
 *     stats                         what was sent and heard
 *     quit
 *
 * Every packet says who speaks and carries a number, so that a loss, a copy or a changed octet shows whatever
 * becomes of the RTP headers on the way.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <srtp2/srtp.h>

#include "tests/support/srtp_peer.h"

struct peer peer_root = {.fd = {-1, -1}, .pace_ms = 20};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void new_source(struct peer *p)
{
	uint32_t r[3] = {0};

	if (getrandom(r, sizeof r, 0) != sizeof r)
		abort();
	p->ssrc = r[0];
	p->seq = (uint16_t)(r[1] % 20000);
	p->ts = r[2];
}

static bool address(const char *ip, const char *port, struct sockaddr_storage *out, socklen_t *len)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found;

	if (getaddrinfo(ip, port, &hints, &found) != 0)
		return false;
	memcpy(out, found->ai_addr, found->ai_addrlen);
	*len = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static const char *do_bind(struct peer *p, char **argv, int argc)
{
	struct sockaddr_storage a;
	socklen_t len;
	char port[8];

	if (argc != 3)
		return "bind ADDRESS PORT";
	for (int i = 0; i < 2; i++) {
		snprintf(port, sizeof port, "%d", atoi(argv[2]) + i);
		if (!address(argv[1], port, &a, &len))
			return "not an address and port";
		if (p->fd[i] >= 0)
			close(p->fd[i]);
		p->fd[i] = socket(a.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (p->fd[i] < 0 || bind(p->fd[i], (struct sockaddr *)&a, len) < 0)
			return "cannot bind";
	}
	return NULL;
}

static const char *do_remote(struct peer *p, char **argv, int argc)
{
	if (argc != 4 || !address(argv[1], argv[2], &p->remote[0], &p->remote_len) ||
		!address(argv[1], argv[3], &p->remote[1], &p->remote_len))
		return "remote ADDRESS RTP RTCP";
	return NULL;
}

const char *peer_take_key(struct peer *p, bool send, const char *suite, const char *text, const char *mki)
{
	struct peer_key key = {0};

	if (!peer_key_open(&key, suite, text, mki, send))
		return "not a suite, key and MKI";
	if (send) {
		if (p->tx_secure)
			srtp_dealloc(p->tx.session);
		p->tx = key;
		p->tx_secure = true;
		return NULL;
	}
	if (p->n_rx == RX_KEYS)
		srtp_dealloc(p->rx[--p->n_rx].session);
	memmove(p->rx + 1, p->rx, p->n_rx * sizeof *p->rx);
	p->rx[0] = key;
	p->n_rx++;
	p->heard_by_newest = 0;
	peer_hear_again(p, now_ms());
	return NULL;
}

static const char *do_key(struct peer *p, char **argv, int argc)
{
	bool send = argv[0][0] == 't';

	if (argc == 2 && strcmp(argv[1], "clear") == 0) {
		if (send)
			p->tx_secure = false;
		else
			p->n_rx = 0;
		return NULL;
	}
	if (argc < 3 || argc > 4)
		return "a suite, a key, perhaps an MKI";
	return peer_take_key(p, send, argv[1], argv[2], argc > 3 ? argv[3] : "");
}

static const char *do_dtls(struct peer *p, char **argv, int argc)
{
	char *space;

	if (argc < 3 || argc > 4 || !(space = strchr(argv[2], '_')))
		return "dtls active|passive FINGERPRINT [MODULE]";
	*space = ' ';
	return peer_dtls_open(p, strcmp(argv[1], "active") == 0, argv[2], argc > 3 ? argv[3] : NULL);
}

static const char *do_send(struct peer *p, char **argv, int argc)
{
	if (argc != 2)
		return "send on|off";
	p->sending = strcmp(argv[1], "on") == 0;
	p->next_ms = now_ms();
	return NULL;
}

static const char *do_pace(struct peer *p, char **argv, int argc)
{
	if (argc != 2 || atoi(argv[1]) <= 0)
		return "pace MS";
	p->pace_ms = (unsigned)atoi(argv[1]);
	return NULL;
}

static void command(struct peer *p, char *line)
{
	char *argv[8], *save = NULL;
	const char *error = "unknown command";
	int argc = 0;

	for (char *w = strtok_r(line, " \n", &save); w && argc < 8; w = strtok_r(NULL, " \n", &save))
		argv[argc++] = w;
	if (argc == 0)
		return;
	if (strcmp(argv[0], "stats") == 0) {
		peer_print(p, now_ms());
		return;
	}
	if (strcmp(argv[0], "identity") == 0) {
		const char *fingerprint = peer_dtls_identity(p);

		printf("%s\n", fingerprint ? fingerprint : "error no certificate could be made");
		return;
	}
	if (strcmp(argv[0], "bind") == 0) {
		error = do_bind(p, argv, argc);
	} else if (strcmp(argv[0], "remote") == 0) {
		error = do_remote(p, argv, argc);
	} else if (strcmp(argv[0], "tx") == 0 || strcmp(argv[0], "rx") == 0) {
		error = do_key(p, argv, argc);
	} else if (strcmp(argv[0], "dtls") == 0) {
		error = do_dtls(p, argv, argc);
	} else if (strcmp(argv[0], "send") == 0) {
		error = do_send(p, argv, argc);
	} else if (strcmp(argv[0], "pace") == 0) {
		error = do_pace(p, argv, argc);
	} else if (strcmp(argv[0], "promise") == 0) {
		p->promised = true;
		error = NULL;
	} else if (strcmp(argv[0], "twice") == 0) {
		p->twice = argc == 2 && strcmp(argv[1], "on") == 0;
		error = NULL;
	} else if (strcmp(argv[0], "source") == 0) {
		new_source(p);
		error = NULL;
	} else if (strcmp(argv[0], "seq") == 0) {
		error = argc == 2 ? NULL : "seq NUMBER";
		p->seq = argc == 2 ? (uint16_t)strtoul(argv[1], NULL, 10) : p->seq;
	} else if (strcmp(argv[0], "quit") == 0) {
		p->quit = true;
		error = NULL;
	}
	printf(error ? "error %s\n" : "ok\n", error);
}

/* Commands as they come; a line may arrive in pieces. */
static void read_commands(struct peer *p)
{
	static char text[1024];
	static size_t n;
	ssize_t got = read(0, text + n, sizeof text - 1 - n);
	char *end;

	if (got <= 0) {
		p->quit = true;
		return;
	}
	n += (size_t)got;
	text[n] = '\0';
	while ((end = memchr(text, '\n', n)) != NULL) {
		size_t line = (size_t)(end - text) + 1;

		*end = '\0';
		command(p, text);
		n -= line;
		memmove(text, text + line, n + 1);
	}
	fflush(stdout);
}

static void read_media(struct peer *p, int fd)
{
	uint8_t packet[2048];
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	ssize_t n;

	while ((n = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &len)) > 0) {
		if (packet[0] >= 20 && packet[0] <= 63) /* RFC 7983 */
			peer_dtls_input(p, &from, packet, (size_t)n);
		else
			peer_hear(p, packet, (size_t)n, now_ms());
		len = sizeof from;
	}
}

static void transmit(struct peer *p, bool rtcp, uint8_t *packet, size_t n)
{
	int fd = p->fd[rtcp && memcmp(&p->remote[0], &p->remote[1], sizeof p->remote[0]) != 0];

	if (n && sendto(fd, packet, n, 0, (struct sockaddr *)&p->remote[rtcp], p->remote_len) == (ssize_t)n)
		p->sent[rtcp]++;
	if (n && p->twice)
		(void)!sendto(fd, packet, n, 0, (struct sockaddr *)&p->remote[rtcp], p->remote_len);
}

static void speak(struct peer *p)
{
	uint8_t packet[2048];

	transmit(p, false, packet, peer_make_rtp(p, packet));
	if (p->sent[0] % 25 == 0)
		transmit(p, true, packet, peer_make_rtcp(p, packet));
}

int main(int argc, char **argv)
{
	struct peer *p = &peer_root;

	if (argc != 2 || strlen(argv[1]) > PEER_NAME_MAX) {
		fputs("usage: srtp_peer NAME     NAME: up to 12 characters\n", stderr);
		return 2;
	}
	strcpy(p->name, argv[1]);
	if (srtp_init() != srtp_err_status_ok)
		return 1;
	new_source(p);
	while (!p->quit) {
		struct pollfd fds[3] = {{.fd = 0, .events = POLLIN}, {.fd = p->fd[0], .events = POLLIN},
			{.fd = p->fd[1], .events = POLLIN}};
		uint64_t now = now_ms();
		int wait = !p->sending ? -1 : p->next_ms > now ? (int)(p->next_ms - now) : 0, dtls = peer_dtls_wait_ms(p);

		poll(fds, 3, dtls >= 0 && (wait < 0 || dtls < wait) ? dtls : wait);
		peer_dtls_tick(p);
		for (int i = 1; i < 3; i++)
			if (fds[i].revents)
				read_media(p, p->fd[i - 1]);
		if (fds[0].revents)
			read_commands(p);
		if (p->sending && now_ms() >= p->next_ms) {
			p->next_ms += p->pace_ms;
			speak(p);
		}
	}
	srtp_shutdown();
	return 0;
}
