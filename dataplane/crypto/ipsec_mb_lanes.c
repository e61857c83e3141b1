/* SPDX-License-Identifier: Apache-2.0 */
/* RTP through lanes/. */
#include "dataplane/crypto/ipsec_mb.h"

#define STEP 64    /* octets by which lengths are told apart, a power of two */
#define LENGTHS 32 /* of them */

static inline unsigned length_of(const struct crypto_job *job)
{
	unsigned steps = job->len / STEP;

	return steps < LENGTHS ? steps : LENGTHS - 1;
}

/* Packets that are done together take the time of the longest: so those of like length stand together. */
static ASIDE void sort(struct lanes_job *jobs, unsigned n)
{
	struct lanes_job before[IPSEC_MB_DEPTH];
	uint16_t next[LENGTHS + 1] = {0};

	for (unsigned i = 0; i < n; i++) {
		before[i] = jobs[i];
		next[length_of(before[i].job) + 1]++;
	}
	for (unsigned i = 1; i < LENGTHS; i++)
		next[i] = (uint16_t)(next[i] + next[i - 1]);
	for (unsigned i = 0; i < n; i++)
		jobs[next[length_of(before[i].job)]++] = before[i];
}

static void run(struct crypto_queue *q, struct lanes_job *jobs, unsigned n, unsigned kind, bool mixed_lengths)
{
	enum imb_class c = (enum imb_class)(kind / IMB_WAYS);
	bool protect = kind % IMB_WAYS == IMB_PROTECT, aes256 = c == IMB_CM_256 || c == IMB_GCM_256;

	if (mixed_lengths)
		sort(jobs, n);
	if (c < IMB_GCM_128)
		(protect ? lanes_cm_protect : lanes_cm_unprotect)(jobs, n, aes256, q->sha_ni);
	else
		(protect ? lanes_gcm_protect : lanes_gcm_unprotect)(jobs, n, aes256);
	q->batches++;
}

/* One kind after the other. */
static ASIDE void run_mixed(struct crypto_queue *q, const struct imb_lane_todo *t, bool mixed_lengths)
{
	unsigned kinds = 0; /* bit 1 << kind for each that is among them */

	_Static_assert(IMB_CLASSES * IMB_WAYS <= 32, "a bit for each kind");
	for (unsigned i = 0; i < t->n; i++)
		kinds |= 1u << t->kind[i];
	for (; kinds; kinds &= kinds - 1) {
		unsigned kind = (unsigned)__builtin_ctz(kinds), n = 0;
		struct lanes_job jobs[IPSEC_MB_DEPTH];

		for (unsigned i = 0; i < t->n; i++)
			if (t->kind[i] == kind)
				jobs[n++] = t->jobs[i];
		run(q, jobs, n, kind, mixed_lengths);
	}
}

void imb_lanes_run(struct crypto_queue *q)
{
	struct imb_lane_todo *t = &q->lane_todo;
	bool mixed_lengths = (t->len_any ^ t->len_all) >= STEP;

	if (t->mixed)
		run_mixed(q, t, mixed_lengths);
	else if (t->n)
		run(q, t->jobs, t->n, t->kind[0], mixed_lengths);
	q->jobs += t->n;
}
