/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the ipsec-mb backend: AES and SHA-1 on the worker's own core with intel-ipsec-mb. Private to
 * ipsec_mb*.c; everyone else uses backend.h.
 *
 * On processors that have the instructions for it, RTP goes through code of our own (lanes/), which does
 * several packets at a time and needs less memory for their keys: the library does one packet of AES-GCM
 * after the other. It does the rest: SRTCP, suites with AES-192, and everything elsewhere.
 *
 * submit() does AES-GCM at once where the library does it. Other jobs it only sorts by algorithm; poll() and
 * run() do all that is waiting in as few and as large runs as they can, so that small submits of one loop
 * still share the lanes.
 */
#pragma once

/* Without it the library's header gives gcm_key_data another size and alignment than the library has. */
#ifndef LINUX
#define LINUX
#endif
#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>

#include <stdbool.h>
#include <string.h>

#include "lib/srtp/be.h"
#include "lib/srtp/tag.h"
#include "dataplane/aside.h"
#include "dataplane/crypto/backend.h"
#include "dataplane/crypto/ipsec_mb_options.h"
#include "dataplane/crypto/lanes/cm.h"
#include "dataplane/crypto/lanes/gcm.h"

#define IPSEC_MB_DEPTH 128  /* jobs in flight; IMB_MAX_BURST_SIZE, the largest run the library takes */
#define IPSEC_MB_RUN 64     /* CM jobs per run: what stays in the first-level cache between cipher and hash */
#define IPSEC_MB_WIDE_MIN 8 /* HMAC-SHA1: fewer leave most lanes of the wide manager empty */

/* What a slot holds, and what jobs are sorted by. */
enum imb_class {
	IMB_EMPTY,
	IMB_CM_128,
	IMB_CM_192,
	IMB_CM_256,
	IMB_CM_QUIET, /* jobs only: nothing to cipher, with an empty payload or SRTCP with E=0 */
	IMB_GCM_128,
	IMB_GCM_256,
	IMB_CLASSES
};

enum imb_half { IMB_RTP, IMB_RTCP, IMB_HALVES };

/* AES-CM and HMAC-SHA1, ready to use. AES-128 touches 4 of the 5 cache lines. */
struct imb_cm_key {
	uint8_t ipad[IMB_SHA1_DIGEST_SIZE_IN_BYTES]; /* SHA-1 state after the key's inner block */
	uint8_t opad[IMB_SHA1_DIGEST_SIZE_IN_BYTES];
	uint8_t salt[SRTP_SALT_MAX];
	uint8_t pad[10];
	uint8_t round_keys[16 * 15];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct imb_cm_key) == 320, "one CM key is 5 cache lines");

/*
 * The library's GCM key with the salt in its padding: that cache line holds the lowest powers of the hash
 * key, which every packet uses, so that the salt costs no line of its own.
 */
union imb_gcm_key {
	struct gcm_key_data data;
	struct {
		uint8_t used_by_library[1008];
		uint8_t salt[16]; /* 12 in use */
	};
};
_Static_assert(sizeof(union imb_gcm_key) == 1024, "a GCM key is 16 cache lines");

/*
 * Of SRTCP the key itself: expanded, like that of RTP, it would be as large, for a report every few seconds.
 */
struct imb_gcm_rtcp_key {
	uint8_t key[SRTP_KEY_MAX];
	uint8_t salt[16]; /* 12 in use */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct imb_gcm_rtcp_key) == 64, "a GCM key of SRTCP is one cache line");

/* A key of RTP for lanes/. */
union imb_lanes_key {
	struct lanes_gcm_key gcm;
	struct lanes_cm_key cm;
};
_Static_assert(sizeof(union imb_lanes_key) == sizeof(struct lanes_gcm_key) &&
		       sizeof(union imb_lanes_key) == sizeof(struct lanes_cm_key),
	"either kind is found by its slot");
_Static_assert(offsetof(struct lanes_gcm_key, mark) == offsetof(struct lanes_cm_key, mark), "of either kind");

_Static_assert(sizeof(union imb_lanes_key) == CRYPTO_NEAR_OCTETS, "it has room where the caller wants it");

/* Key memory by kind; IMB_PAGES_CM + enum imb_half. */
enum imb_pages_of {
	IMB_PAGES_CLASSES,
	IMB_PAGES_LANES,
	IMB_PAGES_GCM,
	IMB_PAGES_GCM_RTCP,
	IMB_PAGES_CM,
	IMB_PAGES_KINDS = IMB_PAGES_CM + 2
};

/* Jobs of one class and direction that wait for poll(). */
struct imb_list {
	uint16_t n;
	struct crypto_job *jobs[IPSEC_MB_DEPTH];
};

enum imb_way { IMB_PROTECT, IMB_UNPROTECT, IMB_WAYS };

/* Jobs that wait for lanes/, of all kinds: a kind is class * IMB_WAYS + way. */
struct imb_lane_todo {
	uint16_t n;
	uint16_t len_any, len_all; /* their lengths: bits that any has, and that all have */
	uint8_t mixed;             /* not 0: of more than one kind */
	uint8_t kind[IPSEC_MB_DEPTH];
	struct lanes_job jobs[IPSEC_MB_DEPTH];
};

/* AES-GCM of one key length. */
struct imb_gcm_calls {
	aes_gcm_enc_dec_t encrypt, decrypt;
};

struct crypto_queue {
	IMB_MGR *wide;     /* the widest vectors: best for runs of IPSEC_MB_WIDE_MIN hash jobs or more */
	IMB_MGR *narrow;   /* SSE with SHA-NI: best for a few; the same as wide where there is no SHA-NI */
	uint8_t *class_of; /* enum imb_class of each slot, without lanes: imb_class_of() */
	struct crypto_near near; /* of RTP with lanes: imb_lanes_key(); none that is not below slots */
	union imb_lanes_key *lanes_keys; /* the other slots of it */
	union imb_gcm_key *gcm;          /* the same for the library */
	struct imb_gcm_rtcp_key *gcm_rtcp;
	struct imb_cm_key *cm[IMB_HALVES];
	struct pages pages[IMB_PAGES_KINDS];
	uint32_t slots, slots_used;
	enum imb_isa isa;
	bool vaes;  /* decides where in a GCM key its hash keys lie */
	bool lanes; /* lanes/ does what it can */
	bool sha_ni;

	struct imb_gcm_calls gcm_calls[IMB_CLASSES];

	struct imb_list todo[IMB_CLASSES][IMB_WAYS]; /* for the library */
	uint16_t waiting;                            /* of them */
	struct imb_lane_todo lane_todo;
	bool gcm_done;   /* by the library since the last poll(): a batch ends with it */
	uint16_t done_n; /* finished jobs */
	struct crypto_job *done[IPSEC_MB_DEPTH];

	uint64_t jobs, batches, faults;
	bool faulty;

	/* Scratch of one run; wiped with every key, since an IV gives its salt away, and the SRTCP key that
	 * was expanded last stays here. */
	struct imb_scratch {
		uint8_t iv[IPSEC_MB_RUN][16];
		uint8_t mac[IPSEC_MB_RUN][16];
		struct gcm_context_data gcm;
		struct gcm_key_data rtcp_key __attribute__((aligned(64)));
		IMB_JOB run[IPSEC_MB_RUN];
	} scratch __attribute__((aligned(64)));
};

static inline enum imb_half imb_job_half(const struct crypto_job *job)
{
	return job->op == CRYPTO_RTP_PROTECT || job->op == CRYPTO_RTP_UNPROTECT ? IMB_RTP : IMB_RTCP;
}

static inline bool imb_job_protects(const struct crypto_job *job)
{
	return job->op == CRYPTO_RTP_PROTECT || job->op == CRYPTO_RTCP_PROTECT;
}

/* SRTCP with E=0 is authenticated only (RFC 3711 section 3.4). */
static inline bool imb_job_ciphers(const struct crypto_job *job)
{
	return imb_job_half(job) == IMB_RTP || job->index >> 31;
}

/* The 32 bits that are authenticated behind the packet: the ROC, or E flag and SRTCP index. */
static inline uint32_t imb_index_wire(const struct crypto_job *job)
{
	return __builtin_bswap32(job->index);
}

/* What the IV is made of: SSRC, and SRTP's 48 or SRTCP's 31 bits of index. */
static inline uint32_t imb_job_ssrc(const struct crypto_job *job)
{
	return be32_get(job->pkt + (imb_job_half(job) == IMB_RTP ? 8 : 4));
}

static inline uint64_t imb_job_index(const struct crypto_job *job)
{
	if (imb_job_half(job) == IMB_RTCP)
		return job->index & 0x7fffffff;
	return (uint64_t)job->index << 16 | be16_get(job->pkt + 2);
}

/* ipsec_mb_keys.c */
int imb_keys_open(struct crypto_queue *q, const struct crypto_conf *conf, enum pages_kind kind);
void imb_keys_close(struct crypto_queue *q);
int imb_key_load(struct crypto_queue *q, uint32_t slot, const struct srtp_session_keys *keys);
void imb_key_wipe(struct crypto_queue *q, uint32_t slot);
/* A GCM key as the library works with it. */
void imb_gcm_expand(struct crypto_queue *q, struct gcm_key_data *k, enum imb_class c, const uint8_t *key);
void imb_key_fetch(const struct crypto_queue *q, uint32_t slot, enum srtp_suite suite, uint16_t octets);
uint32_t imb_keeps_near(const struct crypto_queue *q);

/* Of one of the slots that near says. */
static inline union imb_lanes_key *imb_near_key(const struct crypto_near *n, uint32_t slot)
{
	return (void *)(n->base + slot / 2 * n->stride + slot % 2 * n->apart);
}

/* With lanes: of a slot that there is. */
static inline union imb_lanes_key *imb_lanes_key(const struct crypto_queue *q, uint32_t slot)
{
	return slot < q->near.slots ? imb_near_key(&q->near, slot) : &q->lanes_keys[slot];
}

/* Where what a slot holds is noted: with lanes in the key, since a line for it alone would be one more. */
static inline uint8_t *imb_class_place(const struct crypto_queue *q, uint32_t slot)
{
	return q->lanes ? &imb_lanes_key(q, slot)->gcm.mark : &q->class_of[slot];
}

static inline enum imb_class imb_class_of(const struct crypto_queue *q, uint32_t slot)
{
	return (enum imb_class) * imb_class_place(q, slot);
}

/* Is RTP with keys of this class done by lanes/? */
static inline bool imb_in_lanes(const struct crypto_queue *q, enum imb_class c)
{
	return q->lanes && (c == IMB_CM_128 || c == IMB_CM_256 || c >= IMB_GCM_128);
}

/* ipsec_mb_lanes.c: does every job that waits for lanes/; they stay in the list. */
void imb_lanes_run(struct crypto_queue *q);
/* ipsec_mb_cm.c: runs every waiting job. ipsec_mb_gcm.c: does one of that class. Both hand jobs to
 * imb_finish(). */
void imb_cm_setup(struct crypto_queue *q);
void imb_cm_run(struct crypto_queue *q);
void imb_gcm_setup(struct crypto_queue *q);
void imb_gcm_do(struct crypto_queue *q, struct crypto_job *job, enum imb_class c);
/* Every job of it that waits: with lanes those of SRTCP. */
void imb_gcm_run(struct crypto_queue *q);

/* ipsec_mb.c: the job is over; poll() returns it. */
static inline void imb_finish(struct crypto_queue *q, struct crypto_job *job, enum crypto_status status)
{
	job->status = (uint8_t)status;
	q->done[q->done_n++] = job;
}
