/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of srtpgw-gen --live, and when everybody speaks. */
#include "perf/gen_live.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define LINE_MAX_OCTETS 512
#define WORDS 6

struct live {
	unsigned side;
	uint64_t interval_ns, next_ns;
	struct live_end *ends[LIVE_CALLS_MAX];
	struct pollfd fds[LIVE_CALLS_MAX + 1]; /* stdin, then one for each end */
	uint32_t of[LIVE_CALLS_MAX + 1];       /* whose descriptor that is */
	nfds_t n_fds;
	bool quit;
};

static struct live_end *end_of(const struct live *l, const char *word)
{
	uint64_t call;

	return word && str_to_u64(str_z(word), LIVE_CALLS_MAX - 1, &call) == 0 ? l->ends[call] : NULL;
}

static void list_fds(struct live *l)
{
	l->n_fds = 1;
	for (uint32_t i = 0; i < LIVE_CALLS_MAX; i++) {
		if (!l->ends[i])
			continue;
		l->fds[l->n_fds] = (struct pollfd){.fd = l->ends[i]->fd, .events = POLLIN};
		l->of[l->n_fds++] = i;
	}
}

static int address(const char *ip, const char *port, struct ip_port *out)
{
	uint64_t n;

	if (!ip || !port || ip_parse(str_z(ip), &out->ip) < 0 || str_to_u64(str_z(port), UINT16_MAX, &n) < 0)
		return -EINVAL;
	out->port = (uint16_t)n;
	return 0;
}

static int begin(struct live *l, char **w)
{
	struct ip_port local = {0};
	uint64_t call;
	int rc = w[1] ? str_to_u64(str_z(w[1]), LIVE_CALLS_MAX - 1, &call) : -EINVAL;

	if (rc == 0)
		rc = address(w[2], w[3], &local);
	if (rc < 0 || l->ends[call])
		return rc < 0 ? rc : -EEXIST;
	l->ends[call] = calloc(1, sizeof **l->ends);
	rc = l->ends[call] ? live_end_open(l->ends[call], (uint32_t)call, &local) : -ENOMEM;
	if (rc < 0) {
		free(l->ends[call]);
		l->ends[call] = NULL;
	}
	list_fds(l);
	return rc;
}

static void end(struct live *l, struct live_end *e)
{
	l->ends[e->call] = NULL;
	live_end_close(e);
	free(e);
	list_fds(l);
}

static void print(const struct live_end *e)
{
	const struct live_stats s = live_end_stats(e);

	printf("{\"call\":%u,\"sent\":%llu,\"good\":%llu,\"copies\":%llu,\"foreign\":%llu,\"clear\":%llu,\"unopened\":%llu,\"first\":%llu,\"last\":%llu}\n",
		e->call, (unsigned long long)s.sent, (unsigned long long)s.good, (unsigned long long)s.copies,
		(unsigned long long)s.foreign, (unsigned long long)s.clear, (unsigned long long)s.unopened,
		(unsigned long long)s.first, (unsigned long long)s.last);
}

static void print_all(const struct live *l)
{
	for (uint32_t i = 0; i < LIVE_CALLS_MAX; i++)
		if (l->ends[i])
			print(l->ends[i]);
	puts("end");
}

/* 0: "ok" is the answer; 1: it was given; else an error. */
static int command(struct live *l, char **w)
{
	struct live_end *e = end_of(l, w[1]);

	if (!strcmp(w[0], "bind"))
		return begin(l, w);
	if (!strcmp(w[0], "all")) {
		print_all(l);
		return 1;
	}
	if (!strcmp(w[0], "quit")) {
		l->quit = true;
		return 0;
	}
	if (!e)
		return -ENOENT;
	if (!strcmp(w[0], "remote"))
		return address(w[2], w[3], &e->remote);
	if (!strcmp(w[0], "tx") || !strcmp(w[0], "rx"))
		return w[3] ? live_end_key(e, l->side, w[0][0] == 't', w[2], w[3]) : -EINVAL;
	if (!strcmp(w[0], "plain"))
		e->plain = true;
	else if (!strcmp(w[0], "send"))
		e->sending = w[2] && !strcmp(w[2], "on");
	else if (!strcmp(w[0], "stats"))
		print(e);
	else if (!strcmp(w[0], "end"))
		end(l, e);
	else
		return -EINVAL;
	return !strcmp(w[0], "stats");
}

static void line(struct live *l, char *text)
{
	char *w[WORDS] = {0}, *rest = text;
	int rc = -EINVAL;

	for (unsigned i = 0; i < WORDS && (w[i] = strtok_r(rest, " \r\n", &rest)) != NULL; i++)
		;
	if (w[0])
		rc = command(l, w);
	if (rc == 0)
		puts("ok");
	else if (rc < 0)
		printf("error: %s: %s\n", w[0] ? w[0] : "", strerror(-rc));
	fflush(stdout);
	mem_wipe(text, LINE_MAX_OCTETS);
}

/* Whole lines of stdin; what is left stays. */
static void read_lines(struct live *l, char buf[LINE_MAX_OCTETS], size_t *have)
{
	ssize_t n = read(STDIN_FILENO, buf + *have, LINE_MAX_OCTETS - 1 - *have);
	char *newline, text[LINE_MAX_OCTETS];

	if (n <= 0) {
		l->quit = true;
		return;
	}
	*have += (size_t)n;
	while ((newline = memchr(buf, '\n', *have)) != NULL) {
		size_t used = (size_t)(newline - buf) + 1;

		memcpy(text, buf, used);
		text[used - 1] = '\0';
		*have -= used;
		memmove(buf, buf + used, *have);
		line(l, text);
	}
	if (*have == LINE_MAX_OCTETS - 1)
		*have = 0; /* no command is that long */
}

static void speak(struct live *l, uint64_t now)
{
	if (now < l->next_ns)
		return;
	/* After a pause of the machine nobody catches up in a burst. */
	l->next_ns = now - l->next_ns > l->interval_ns ? now + l->interval_ns : l->next_ns + l->interval_ns;
	for (uint32_t i = 0; i < LIVE_CALLS_MAX; i++)
		if (l->ends[i])
			live_end_send(l->ends[i], l->side);
}

static void hear(struct live *l)
{
	const nfds_t n = l->n_fds;

	for (nfds_t i = 1; i < n; i++)
		if (l->fds[i].revents)
			live_end_hear(l->ends[l->of[i]], l->side);
}

int live_run(unsigned side, unsigned rate)
{
	struct live *l = calloc(1, sizeof *l);
	char buf[LINE_MAX_OCTETS];
	size_t have = 0;

	if (!l)
		return 1;
	l->side = side;
	l->interval_ns = NS_PER_S / rate;
	l->next_ns = clock_mono_ns();
	l->fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	list_fds(l);
	while (!l->quit) {
		uint64_t now = clock_mono_ns();
		int wait = now < l->next_ns ? (int)((l->next_ns - now) / NS_PER_MS) + 1 : 0;

		if (poll(l->fds, l->n_fds, wait) > 0) {
			hear(l);
			if (l->fds[0].revents)
				read_lines(l, buf, &have);
		}
		speak(l, clock_mono_ns());
	}
	for (uint32_t i = 0; i < LIVE_CALLS_MAX; i++)
		if (l->ends[i])
			end(l, l->ends[i]);
	mem_wipe(buf, sizeof buf);
	free(l);
	return 0;
}
