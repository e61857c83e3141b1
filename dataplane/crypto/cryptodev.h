/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the cryptodev backend: one queue pair of a DPDK crypto device (QAT, BlueField, and the software
 * devices crypto_aesni_mb, crypto_aesni_gcm, crypto_openssl). Private to cryptodev*.c and its tests; everyone
 * else uses backend.h.
 *
 * A device's session holds one key, one direction and one length of additional data, so that a key slot has
 * several; each is made when the first packet needs it. Packets are copied into memory of the queue's own and
 * back when the verdict is OK: one that the device fails on, at whatever moment, is whole.
 */
#pragma once

#include <stdbool.h>

#include <rte_cryptodev.h>

#include "dataplane/crypto/backend.h"
#include "dataplane/crypto/done.h"

#define CRYPTODEV_DEPTH 128       /* jobs in flight */
#define CRYPTODEV_DESCRIPTORS 512 /* of the queue pair: devices keep one free, or round up */
#define CRYPTODEV_LEN_MAX 2176    /* header + payload */
#define CRYPTODEV_AAD_MAX 96      /* additional data of GCM; longer headers are the software's */
#define CRYPTODEV_VARIANTS 6      /* sessions of a key: both protocols, and lengths of headers */
_Static_assert(CRYPTODEV_DEPTH <= CRYPTO_DONE_MAX, "each job in flight is once done");

/* What follows a crypto operation in its pool's elements. */
struct cryptodev_private {
	uint8_t iv[16];
	uint8_t aad[CRYPTODEV_AAD_MAX + 16]; /* a device may write into what pads it */
	uint16_t entry;                      /* that the operation belongs to */
};
#define CRYPTODEV_PRIVATE_AT (sizeof(struct rte_crypto_op) + sizeof(struct rte_crypto_sym_op))

static inline struct cryptodev_private *cryptodev_private_of(struct rte_crypto_op *op)
{
	return (struct cryptodev_private *)((uint8_t *)op + CRYPTODEV_PRIVATE_AT);
}

struct cryptodev_variant {
	uint8_t op;   /* enum crypto_op */
	uint16_t aad; /* octets; 0 with AES-CM, whose session does not depend on it */
	void *session;
};

struct cryptodev_key {
	bool used;
	uint8_t n; /* variants */
	struct srtp_session_keys keys;
	struct cryptodev_variant variants[CRYPTODEV_VARIANTS];
};

/* A job on its way. */
struct cryptodev_entry {
	struct crypto_job *job; /* NULL: given up, what comes back is of no interest */
	struct rte_crypto_op *op;
	struct rte_mbuf *m;
};

struct crypto_queue {
	uint8_t dev;
	bool configured, started;
	char name[RTE_CRYPTODEV_NAME_MAX_LEN];
	char vdev[RTE_CRYPTODEV_NAME_MAX_LEN]; /* made by us; "" for a card */
	uint32_t suites;                       /* bit 1 << enum srtp_suite */
	struct rte_mempool *sessions, *ops, *mbufs;

	uint32_t slots, slots_used;
	struct cryptodev_key *keys;

	struct cryptodev_entry entries[CRYPTODEV_DEPTH];
	uint16_t free[CRYPTODEV_DEPTH]; /* entries, a stack */
	unsigned n_free;
	struct crypto_done done;

	uint64_t progress; /* cycles: when the device last answered, or got its first job */
	unsigned silent;   /* looks since then */
};

/* cryptodev_device.c */

/*
 * Opens the device that the options name: "vdev=DRIVER", a software device made for this queue, or
 * "pci=ADDRESS[+ADDRESS...]", the first one of them that is free; then maybe ",keys=N". Fills dev, name,
 * suites, pools and slots. -EINVAL, -ENODEV, -EBUSY, -ENOMEM, with the reason in e.
 */
int cryptodev_device_open(struct crypto_queue *q, const struct crypto_conf *conf, struct err *e);
/* Stops and starts the queue pair; no operation of before comes back. */
int cryptodev_device_restart(struct crypto_queue *q);
void cryptodev_device_close(struct crypto_queue *q);

/* cryptodev_session.c */

/* Of the SRTP suites, those that the device has every part of. */
uint32_t cryptodev_suites(uint8_t dev);
/* The session for such a job, made when it is the first; NULL: the device does not do it, or has no more. */
void *cryptodev_session(struct crypto_queue *q, const struct crypto_job *job);
/* Frees the sessions of a slot and wipes its key. */
void cryptodev_key_drop(struct crypto_queue *q, struct cryptodev_key *key);

static inline bool cryptodev_job_is_rtp(const struct crypto_job *job)
{
	return job->op == CRYPTO_RTP_PROTECT || job->op == CRYPTO_RTP_UNPROTECT;
}

static inline bool cryptodev_job_protects(const struct crypto_job *job)
{
	return job->op == CRYPTO_RTP_PROTECT || job->op == CRYPTO_RTCP_PROTECT;
}

/* Octets of additional data under GCM: the header, and of SRTCP the index word (RFC 7714 section 9.2). */
static inline uint16_t cryptodev_job_aad(const struct crypto_job *job)
{
	return cryptodev_job_is_rtp(job) ? job->aad_len : job->aad_len + SRTCP_INDEX_OCTETS;
}
