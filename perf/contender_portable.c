/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "lib/srtp/be.h"
#include "lib/srtp/packet.h"
#include "perf/contender.h"

/* It keeps its own indexes, so that it numbers each session's packets itself. */
struct portable {
	uint32_t sessions;
	struct srtp_context **protect, **unprotect;
	uint16_t *seq;
};

static void portable_close(void *ctx)
{
	struct portable *p = ctx;

	for (uint32_t s = 0; s < p->sessions; s++) {
		if (p->protect)
			srtp_context_free(p->protect[s]);
		if (p->unprotect)
			srtp_context_free(p->unprotect[s]);
	}
	free(p->protect);
	free(p->unprotect);
	free(p->seq);
	free(p);
}

static int portable_open(void **ctx, const struct bench_load *load)
{
	struct portable *p = calloc(1, sizeof(*p));
	int rc = 0;

	if (!p)
		return -ENOMEM;
	p->sessions = load->sessions;
	p->protect = calloc(load->sessions, sizeof(*p->protect));
	p->unprotect = calloc(load->sessions, sizeof(*p->unprotect));
	p->seq = calloc(load->sessions, sizeof(*p->seq));
	if (!p->protect || !p->unprotect || !p->seq)
		rc = -ENOMEM;
	for (uint32_t s = 0; s < load->sessions && !rc; s++) {
		struct srtp_context_conf conf = {
			.suite = load->suite,
			.master = &load->masters[s],
			.replay_window = 64,
			.ssrc_max = 1,
		};

		conf.direction = SRTP_PROTECT;
		rc = srtp_context_alloc(&p->protect[s], &conf);
		conf.direction = SRTP_UNPROTECT;
		rc = rc ? rc : srtp_context_alloc(&p->unprotect[s], &conf);
	}
	if (rc)
		portable_close(p);
	else
		*ctx = p;
	return rc;
}

static unsigned portable_run(void *ctx, struct crypto_job *jobs, unsigned n, bool protect)
{
	struct portable *p = ctx;
	unsigned ok = 0;

	for (unsigned i = 0; i < n; i++) {
		struct crypto_job *j = &jobs[i];
		size_t octets = j->len;

		if (protect) {
			be16_put(j->pkt + 2, p->seq[j->slot]++);
			ok += !srtp_context_protect(
				p->protect[j->slot], j->pkt, &octets, octets + CRYPTO_TAILROOM);
		} else {
			octets += j->tag_len;
			ok += !srtp_context_unprotect(p->unprotect[j->slot], j->pkt, &octets);
		}
	}
	return ok;
}

const struct contender contender_portable = {
	.name = "portable",
	.sessions_max = 10000, /* two contexts of OpenSSL for each */
	.open = portable_open,
	.run = portable_run,
	.close = portable_close,
};
