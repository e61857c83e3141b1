/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of every crypto backend: batches of packets in, results out, asynchronously and in any order,
 * even where an implementation has the answer at once.
 *
 * A backend ciphers and tags. It knows no streams, no replay windows, no packet layout behind the payload:
 * the stages (srtp_rx, srtp_tx, srtcp) hand it header + payload, where the tag is, and the index to use. Every
 * backend is bit-identical to every other for the same job, checks itself with known answers in open(), and
 * refuses to open when one fails.
 *
 * Threads: one queue per worker; all calls on a queue come from that worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/srtp/kdf.h"
#include "lib/srtp/suite.h"

enum crypto_op {
	CRYPTO_RTP_PROTECT,
	CRYPTO_RTP_UNPROTECT,
	CRYPTO_RTCP_PROTECT,
	CRYPTO_RTCP_UNPROTECT,
};

enum crypto_status {
	CRYPTO_PENDING, /* submitted, not polled yet */
	CRYPTO_OK,
	CRYPTO_TAG_FAIL, /* unprotect: the tag does not match; the packet is as it was submitted */
	CRYPTO_FAULT, /* the backend could not do it (bad slot, device fault); the packet is as submitted */
};

/*
 * Octets behind header + payload that a backend may use as scratch while a job is in flight (it puts the ROC
 * or the SRTCP index there to be authenticated in one run). The stages guarantee them.
 */
#define CRYPTO_TAILROOM 32

/*
 * One packet. Filled by the stage, owned by the backend between submit() and the poll() that returns it. The
 * packet is worked on in place.
 *
 *   pkt .. pkt+aad_len      header: authenticated, never encrypted. RTP: fixed header, CSRCs, extension.
 *                           RTCP: the first 8 octets.
 *   pkt+aad_len .. pkt+len  payload: encrypted and authenticated. May be empty.
 *                           RTCP with E=0: authenticated only.
 *   pkt+len .. +TAILROOM    scratch. After an unprotect, whatever its status, it is as it was submitted; after
 *                           a protect the tag stands where it was wanted, and elsewhere anything.
 */
struct crypto_job {
	uint8_t *pkt;
	/* protect: where the backend writes it; unprotect: the received one. tag_len octets, in the scratch
	 * (most often where it is in the packet) or anywhere else, but not within header and payload. */
	uint8_t *tag;
	uint16_t len;
	uint16_t aad_len;
	uint32_t slot;   /* key slot, loaded with key_load() */
	uint32_t index;  /* RTP: the ROC (SEQ is in the packet). RTCP: E flag (bit 31) and the 31-bit index */
	uint8_t op;      /* enum crypto_op */
	uint8_t status;  /* enum crypto_status; written by the backend */
	uint8_t tag_len; /* octets of tag, from the suite's row, for this op */
	uint8_t pad;
};

/* Memory that packets are in. A device may be shown it; packets from elsewhere are copied for it. */
struct crypto_memory {
	void *p;
	size_t n;
};

/*
 * Memory for keys beside what else a packet reads, so that both are looked up in one page: of slot s, below
 * slots, CRYPTO_NEAR_OCTETS octets on a cache line at base + s / 2 * stride + s % 2 * apart. Zero at open(),
 * the queue's alone until close(), never swapped nor dumped.
 */
#define CRYPTO_NEAR_OCTETS 128
struct crypto_near {
	uint8_t *base;
	size_t stride, apart;
	uint32_t slots;
};

struct crypto_conf {
	uint32_t slots;          /* key slots wanted; a backend may have fewer (see crypto_health.slots) */
	struct crypto_near near; /* slots 0: none. May be used (see keeps_near()) or not */
	int socket;              /* NUMA node of the worker, -1 for any */
	const char *options;     /* backend-specific, "name=value,..."; NULL for none */
	const struct crypto_memory *memory; /* n_memory of them; they outlive the queue. May be NULL */
	uint32_t n_memory;
	struct err *err; /* where open() may say in one line what is wrong; NULL: nowhere */
};

struct crypto_health {
	uint32_t slots; /* key slots there are */
	uint32_t slots_used;
	uint32_t in_flight; /* jobs submitted and not polled */
	uint64_t jobs;      /* completed since open */
	uint64_t batches;   /* cipher runs they were done in: jobs / batches is the mean batch */
	uint64_t faults;    /* jobs that ended CRYPTO_FAULT */
	int faulty;         /* the queue needs reset() before it takes jobs again */
	/* Of a backend that stands on a device and has another to fall back on; 0 elsewhere. */
	int degraded;            /* the device is out of use, the other does everything */
	uint32_t overflow_slots; /* keys in use that the device does not hold */
	uint64_t overflow_jobs;  /* jobs that the other did */
	uint64_t rescued;        /* of them: the device had them, and failed */
	uint64_t failovers;      /* how often the device went out of use */
};

struct crypto_queue; /* one worker's instance; each backend defines its own */

/*
 * A backend as a const table. key_load and key_wipe are called only while no job on that slot is in flight;
 * key_wipe leaves nothing of the key in memory. Integer results: 0 or a negative errno value.
 */
struct crypto_backend {
	const char *name;   /* as in the configuration: "ipsec-mb", "fpga", "cryptodev" */
	uint32_t suites;    /* bit 1 << enum srtp_suite for each that it does */
	uint16_t burst_min; /* smallest batch that makes good use of it */
	uint16_t depth;     /* most jobs in flight per queue */
	uint16_t len_max;   /* longest header + payload, others end CRYPTO_FAULT; 0: any */

	int (*open)(struct crypto_queue **queue, const struct crypto_conf *conf);
	/* -ENOSPC: no such slot (the session then runs on another backend), -ENOTSUP: not this suite. */
	int (*key_load)(struct crypto_queue *queue, uint32_t slot, const struct srtp_session_keys *keys);
	void (*key_wipe)(struct crypto_queue *queue, uint32_t slot);
	/* Takes the first k <= n jobs and returns k; the caller keeps the rest. */
	uint16_t (*submit)(struct crypto_queue *queue, struct crypto_job **jobs, uint16_t n);
	/* Up to n finished jobs, in any order. Flushes partial batches: repeated polls finish every job. */
	uint16_t (*poll)(struct crypto_queue *queue, struct crypto_job **jobs, uint16_t n);
	/*
	 * Optional: as submit(), and ends these jobs and all that submit() took before; poll() has none of
	 * them then. For a caller that would poll until all are done.
	 */
	uint16_t (*run)(struct crypto_queue *queue, struct crypto_job **jobs, uint16_t n);
	int (*health)(struct crypto_queue *queue, struct crypto_health *out);
	/* After a fault: jobs that are not done end CRYPTO_FAULT at the next poll, every key must be loaded
	 * again. */
	int (*reset)(struct crypto_queue *queue);
	void (*close)(struct crypto_queue *queue);
	/*
	 * Optional: brings near what a job of RTP with this key and so many octets of packet will read.
	 * Called for the keys of the next batch while another is worked on. Any slot will do, used or not.
	 */
	void (*key_fetch)(
		const struct crypto_queue *queue, uint32_t slot, enum srtp_suite suite, uint16_t octets);
	/* Optional: bit 1 << enum srtp_suite for each whose keys of RTP it keeps where crypto_conf.near says,
	 * so that those slots are of advantage. Without it: none. */
	uint32_t (*keeps_near)(const struct crypto_queue *queue);
	/* Optional: bit 1 << enum srtp_suite for each whose jobs of RTP submit() does itself: it may as well
	 * be called for each. Without it: none. */
	uint32_t (*at_once)(const struct crypto_queue *queue);
	/* Optional: called about every 10 ms while no job is in flight; what takes longer than a packet may
	 * wait. */
	void (*maintain)(struct crypto_queue *queue);
	/* Optional: with which instructions, for people. */
	const char *(*how)(const struct crypto_queue *queue);
	/* Optional: the device and its own counters in one line, for people. */
	void (*report)(struct crypto_queue *queue, char *text, size_t n);
	/* Optional: can it do this job, which has a key here? Without it: every one up to len_max. */
	bool (*fits)(struct crypto_queue *queue, const struct crypto_job *job);
};

extern const struct crypto_backend crypto_ipsec_mb;
/* The FPGA block (hw/), and ipsec-mb for what it does not hold or when it fails (fallback.c). */
extern const struct crypto_backend crypto_fpga;
/* The FPGA block alone (fpga.c). options: "pci=ADDRESS[+ADDRESS...]" or "sim=LIBRARY"; docs/hardware.md. */
extern const struct crypto_backend crypto_fpga_device;

/* A DPDK crypto device (rte_cryptodev), and ipsec-mb for what it lacks or when it fails. DPDK runs before
 * open(). */
extern const struct crypto_backend crypto_cryptodev;
/* The DPDK device alone (cryptodev.c). options: "vdev=DRIVER" or "pci=ADDRESS[+ADDRESS...]", then maybe
 * ",keys=N". */
extern const struct crypto_backend crypto_cryptodev_device;

/* The backend that a configuration names, or NULL. */
const struct crypto_backend *crypto_backend_find(const char *name);
