/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/sip/steer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define V4_SOURCE 12 /* octets into the IP header */
#define V6_SOURCE 8
#define JUMP_SAFE 60 /* a tree of so many comparisons is shorter than the longest conditional jump, 255 */

struct program {
	struct sock_filter *insn;
	unsigned n; /* may pass STEER_INSNS: then the program is too long, and nothing was written beyond */
};

static void put(struct program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (p->n < STEER_INSNS)
		p->insn[p->n] = (struct sock_filter){code, jt, jf, k};
	p->n++;
}

static void load_word(struct program *p, unsigned at)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)SKF_NET_OFF + at);
}

static void answer(struct program *p, bool known)
{
	put(p, BPF_RET | BPF_K, 0, 0, known ? 0 : 1);
}

struct range {
	uint32_t first, last;
};

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* In order and apart from each other; how many are left. */
static size_t merge(struct range *r, size_t n)
{
	size_t kept = 0;

	qsort(r, n, sizeof *r, by_first);
	for (size_t i = 0; i < n; i++) {
		if (kept && (r[kept - 1].last == UINT32_MAX || r[i].first <= r[kept - 1].last + 1)) {
			if (r[i].last > r[kept - 1].last)
				r[kept - 1].last = r[i].last;
		} else {
			r[kept++] = r[i];
		}
	}
	return kept;
}

/*
 * Edges are where addresses begin to be known (at even indexes) and cease to be. An address that is not below
 * `from` of them and below the one at `to` is looked for between.
 */
static void search(struct program *p, const uint32_t *edge, size_t from, size_t to)
{
	if (from == to) {
		answer(p, from % 2 == 1);
		return;
	}
	size_t middle = (from + to) / 2;
	bool far = middle - from > JUMP_SAFE;
	unsigned at = p->n;

	put(p, BPF_JMP | BPF_JGE | BPF_K, 0, far ? 1 : 0, edge[middle]);
	if (far)
		put(p, BPF_JMP | BPF_JA, 0, 0, 0);
	unsigned left = p->n;

	search(p, edge, from, middle);
	if (p->n <= STEER_INSNS) {
		if (far)
			p->insn[at + 1].k = p->n - left;
		else
			p->insn[at].jt = (uint8_t)(p->n - left);
	}
	search(p, edge, middle + 1, to);
}

static int tell_v4(struct program *p, const struct sip_prefix *known, size_t n)
{
	struct range *r = calloc(n + 1, sizeof *r);
	uint32_t *edge = calloc(2 * n + 1, sizeof *edge);
	size_t ranges = 0, edges = 0;

	if (!r || !edge) {
		free(r);
		free(edge);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t ip, mask;

		if (known[i].ip.family != IP_V4)
			continue;
		mask = known[i].bits ? UINT32_MAX << (32 - known[i].bits) : 0;
		memcpy(&ip, known[i].ip.octets, 4);
		r[ranges++] = (struct range){ntohl(ip) & mask, ntohl(ip) | ~mask};
	}
	ranges = merge(r, ranges);
	for (size_t i = 0; i < ranges; i++) {
		edge[edges++] = r[i].first;
		if (r[i].last != UINT32_MAX)
			edge[edges++] = r[i].last + 1;
	}
	load_word(p, V4_SOURCE);
	search(p, edge, 0, edges);
	free(r);
	free(edge);
	return 0;
}

/* One after the other: what differs goes on to the next. */
static void tell_v6(struct program *p, const struct sip_prefix *known)
{
	unsigned words = (known->bits + 31u) / 32, rest = known->bits % 32;
	unsigned left = 2 * words + (rest != 0) + 1; /* instructions of this one */

	for (unsigned i = 0; i < words; i++) {
		uint32_t word, mask = i == words - 1 && rest ? UINT32_MAX << (32 - rest) : UINT32_MAX;

		memcpy(&word, known->ip.octets + (size_t)4 * i, 4);
		load_word(p, V6_SOURCE + 4 * i);
		if (mask != UINT32_MAX)
			put(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
		left -= mask != UINT32_MAX ? 3 : 2;
		put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t)left, ntohl(word) & mask);
	}
	answer(p, true);
}

int steer_program(
	uint8_t family, const struct sip_prefix *known, size_t n, struct sock_filter out[STEER_INSNS])
{
	struct program p = {.insn = out};

	if (family == IP_V4) {
		int rc = tell_v4(&p, known, n);

		if (rc < 0)
			return rc;
	} else {
		for (size_t i = 0; i < n; i++)
			if (known[i].ip.family == IP_V6)
				tell_v6(&p, &known[i]);
		answer(&p, false);
	}
	return p.n <= STEER_INSNS ? (int)p.n : -E2BIG;
}
