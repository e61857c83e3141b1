/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto/fallback.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"

#define DEPTH 128
#define NOWHERE UINT32_MAX
#define KEYS_PER_TURN 16   /* installed on the device in one maintain(): some ten microseconds */
#define LOOK_PER_TURN 1024 /* slots looked at for it */
#define PAUSE_MIN 1        /* calls of maintain() until a reset is tried; twice as many each time */
#define PAUSE_MAX 6000     /* a minute */
#define WELL_AFTER 3000    /* half a minute without a failure: the next begins with the short pause */

static const struct crypto_backend *const software = &crypto_ipsec_mb;

struct slot {
	uint32_t at; /* slot of the device, or NOWHERE */
	bool used;
	bool evicted; /* the device failed on it: it gets a new place */
};

struct crypto_queue {
	const struct crypto_backend *device;
	struct crypto_queue *dev, *soft;
	bool up;        /* the device is in use */
	bool resetting; /* jobs in flight end with FAULT, whoever has them */
	uint32_t slots, cursor, used, on_device;
	struct slot *map;
	struct srtp_session_keys *keys;
	uint32_t *owner; /* of each device slot: ours */
	uint32_t *free;  /* device slots, a stack */
	uint32_t n_free, n_dev;
	unsigned in_flight;
	unsigned pause, wait, well; /* counted in calls of maintain() */
	uint64_t jobs, faults, overflow_jobs, rescued, failovers;
};

struct crypto_queue *crypto_fallback_device(struct crypto_queue *q)
{
	return q->dev;
}

/* Every place on the device is free. */
static void places_clear(struct crypto_queue *q)
{
	q->n_free = 0;
	for (uint32_t i = q->n_dev; i > 0; i--)
		q->free[q->n_free++] = i - 1;
	for (uint32_t i = 0; i < q->slots; i++) {
		q->map[i].at = NOWHERE;
		q->map[i].evicted = false;
	}
	q->on_device = 0;
}

static void fallback_close(struct crypto_queue *q)
{
	if (!q)
		return;
	if (q->dev)
		q->device->close(q->dev);
	if (q->soft)
		software->close(q->soft);
	if (q->keys)
		mem_wipe(q->keys, q->slots * sizeof(*q->keys));
	free(q->keys);
	free(q->map);
	free(q->owner);
	free(q->free);
	free(q);
}

static int tables_open(struct crypto_queue *q)
{
	struct crypto_health h;
	int rc = software->health(q->soft, &h);

	if (rc < 0)
		return rc;
	q->slots = h.slots;
	rc = q->device->health(q->dev, &h);
	if (rc < 0)
		return rc;
	q->n_dev = h.slots;
	q->map = calloc(q->slots, sizeof(*q->map));
	q->keys = calloc(q->slots, sizeof(*q->keys));
	q->owner = calloc(q->n_dev, sizeof(*q->owner));
	q->free = calloc(q->n_dev, sizeof(*q->free));
	if (!q->map || !q->keys || !q->owner || !q->free)
		return -ENOMEM;
	places_clear(q);
	return 0;
}

static int fallback_open(
	struct crypto_queue **queue, const struct crypto_conf *conf, const struct crypto_backend *device)
{
	struct crypto_conf soft = *conf;
	struct crypto_queue *q = calloc(1, sizeof(*q));
	int rc;

	if (!q)
		return -ENOMEM;
	soft.options = NULL;
	q->device = device;
	q->up = true;
	q->pause = PAUSE_MIN;
	rc = q->device->open(&q->dev, conf);
	if (rc == 0)
		rc = software->open(&q->soft, &soft);
	if (rc == 0)
		rc = tables_open(q);
	if (rc < 0) {
		fallback_close(q);
		return rc;
	}
	*queue = q;
	return 0;
}

static void pause_for_reset(struct crypto_queue *q)
{
	q->wait = q->pause;
	q->pause = q->pause < PAUSE_MAX / 2 ? q->pause * 2 : PAUSE_MAX;
	q->well = 0;
}

/* Does the device say that it is broken? */
static void device_check(struct crypto_queue *q)
{
	struct crypto_health h;

	if (!q->up || (q->device->health(q->dev, &h) == 0 && !h.faulty))
		return;
	q->up = false;
	q->failovers++;
	pause_for_reset(q);
}

static void device_take(struct crypto_queue *q, uint32_t slot)
{
	struct slot *s = &q->map[slot];
	uint32_t at;

	if (!q->up || !q->n_free || !(q->device->suites >> q->keys[slot].suite & 1))
		return;
	at = q->free[q->n_free - 1];
	if (q->device->key_load(q->dev, at, &q->keys[slot]) < 0) {
		device_check(q);
		return;
	}
	q->n_free--;
	q->owner[at] = slot;
	s->at = at;
	q->on_device++;
}

static void device_drop(struct crypto_queue *q, uint32_t slot)
{
	struct slot *s = &q->map[slot];

	s->evicted = false;
	if (s->at == NOWHERE)
		return;
	q->device->key_wipe(q->dev, s->at);
	q->free[q->n_free++] = s->at;
	s->at = NOWHERE;
	q->on_device--;
	device_check(q);
}

static void fallback_key_wipe(struct crypto_queue *q, uint32_t slot)
{
	if (slot >= q->slots || !q->map[slot].used)
		return;
	device_drop(q, slot);
	software->key_wipe(q->soft, slot);
	srtp_session_keys_wipe(&q->keys[slot]);
	q->map[slot].used = false;
	q->used--;
}

static int fallback_key_load(struct crypto_queue *q, uint32_t slot, const struct srtp_session_keys *keys)
{
	int rc;

	if (slot < q->slots)
		fallback_key_wipe(q, slot);
	rc = software->key_load(q->soft, slot, keys);
	if (rc < 0)
		return rc;
	q->keys[slot] = *keys;
	q->map[slot].used = true;
	q->used++;
	device_take(q, slot);
	return 0;
}

/* Gives the job the device's slot when the device is to do it. */
static bool for_device(struct crypto_queue *q, struct crypto_job *job)
{
	uint32_t slot = job->slot;

	if (!q->up || slot >= q->slots || q->map[slot].at == NOWHERE || q->map[slot].evicted ||
		job->len > q->device->len_max)
		return false;
	job->slot = q->map[slot].at;
	if (!q->device->fits || q->device->fits(q->dev, job))
		return true;
	job->slot = slot;
	return false;
}

static uint16_t fallback_submit(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	struct crypto_job *to_dev[DEPTH], *to_soft[DEPTH];
	uint16_t n_dev = 0, n_soft = 0, taken = 0;

	if (n > DEPTH - q->in_flight)
		n = (uint16_t)(DEPTH - q->in_flight);
	for (uint16_t i = 0; i < n; i++) {
		if (for_device(q, jobs[i]))
			to_dev[n_dev++] = jobs[i];
		else
			to_soft[n_soft++] = jobs[i];
	}
	if (n_dev)
		taken = q->device->submit(q->dev, to_dev, n_dev);
	if (taken < n_dev)
		device_check(q);
	for (uint16_t i = taken; i < n_dev; i++) {
		to_dev[i]->slot = q->owner[to_dev[i]->slot];
		to_soft[n_soft++] = to_dev[i];
	}
	/* Both have room for all that are in flight. */
	software->submit(q->soft, to_soft, n_soft);
	q->overflow_jobs += n_soft;
	q->in_flight += n;
	return n;
}

/* Jobs that the device gave back: what it failed on goes to the software. How many are done. */
static uint16_t sort_out(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	uint16_t k = 0;
	bool failed = false;

	for (uint16_t i = 0; i < n; i++) {
		struct crypto_job *job = jobs[i];

		job->slot = q->owner[job->slot];
		if (job->status != CRYPTO_FAULT || q->resetting) {
			jobs[k++] = job;
			continue;
		}
		failed = true;
		q->map[job->slot].evicted = true;
		software->submit(q->soft, &job, 1);
		q->rescued++;
		q->overflow_jobs++;
	}
	if (failed)
		device_check(q);
	return k;
}

static uint16_t fallback_poll(struct crypto_queue *q, struct crypto_job **jobs, uint16_t n)
{
	uint16_t k;

	if (!q->in_flight)
		return 0;
	k = sort_out(q, jobs, q->device->poll(q->dev, jobs, n));
	if (k < n)
		k += software->poll(q->soft, jobs + k, (uint16_t)(n - k));
	for (uint16_t i = 0; i < k; i++)
		q->faults += jobs[i]->status == CRYPTO_FAULT;
	q->jobs += k;
	q->in_flight -= k;
	if (!q->in_flight)
		q->resetting = false;
	return k;
}

static int fallback_health(struct crypto_queue *q, struct crypto_health *out)
{
	struct crypto_health dev, soft;

	q->device->health(q->dev, &dev);
	software->health(q->soft, &soft);
	*out = (struct crypto_health){
		.slots = q->slots,
		.slots_used = q->used,
		.in_flight = q->in_flight,
		.jobs = q->jobs,
		.batches = dev.batches + soft.batches,
		.faults = q->faults,
		.faulty = soft.faulty,
		.degraded = !q->up,
		.overflow_slots = q->up ? q->used - q->on_device : q->used,
		.overflow_jobs = q->overflow_jobs,
		.rescued = q->rescued,
		.failovers = q->failovers,
	};
	return 0;
}

static int fallback_reset(struct crypto_queue *q)
{
	int rc;

	q->resetting = q->in_flight > 0;
	if (q->device->reset(q->dev) < 0)
		device_check(q);
	rc = software->reset(q->soft);
	places_clear(q);
	mem_wipe(q->keys, q->slots * sizeof(*q->keys));
	for (uint32_t i = 0; i < q->slots; i++)
		q->map[i].used = false;
	q->used = 0;
	return rc;
}

static void try_reset(struct crypto_queue *q)
{
	if (--q->wait)
		return;
	if (q->device->reset(q->dev) < 0) {
		pause_for_reset(q);
		return;
	}
	places_clear(q);
	q->up = true;
	q->cursor = 0;
}

static void fallback_maintain(struct crypto_queue *q)
{
	unsigned installed = 0;

	if (q->in_flight)
		return;
	if (q->device->maintain) {
		q->device->maintain(q->dev);
		device_check(q);
	}
	if (!q->up) {
		try_reset(q);
		return;
	}
	if (++q->well == WELL_AFTER)
		q->pause = PAUSE_MIN;
	for (unsigned i = 0; i < LOOK_PER_TURN && i < q->slots && q->up && installed < KEYS_PER_TURN; i++) {
		uint32_t slot = q->cursor++ % q->slots;

		if (q->map[slot].evicted)
			device_drop(q, slot);
		if (q->map[slot].used && q->map[slot].at == NOWHERE && q->n_free) {
			device_take(q, slot);
			installed++;
		}
	}
}

static void fallback_report(struct crypto_queue *q, char *text, size_t n)
{
	int used;

	q->device->report(q->dev, text, n);
	used = (int)strlen(text);
	snprintf(text + used, n - (size_t)used,
		"; in software: jobs %llu, of them rescued %llu; failovers %llu",
		(unsigned long long)q->overflow_jobs, (unsigned long long)q->rescued,
		(unsigned long long)q->failovers);
}

static int fpga_open(struct crypto_queue **queue, const struct crypto_conf *conf)
{
	return fallback_open(queue, conf, &crypto_fpga_device);
}

static int cryptodev_open(struct crypto_queue **queue, const struct crypto_conf *conf)
{
	return fallback_open(queue, conf, &crypto_cryptodev_device);
}

#define FALLBACK_BACKEND                                                                                     \
	.suites = 1u << SRTP_AES_CM_128_HMAC_SHA1_80 | 1u << SRTP_AES_CM_128_HMAC_SHA1_32 |                  \
		  1u << SRTP_AES_192_CM_HMAC_SHA1_80 | 1u << SRTP_AES_192_CM_HMAC_SHA1_32 |                  \
		  1u << SRTP_AES_256_CM_HMAC_SHA1_80 | 1u << SRTP_AES_256_CM_HMAC_SHA1_32 |                  \
		  1u << SRTP_AEAD_AES_128_GCM | 1u << SRTP_AEAD_AES_256_GCM,                                 \
	.burst_min = 32, .depth = DEPTH, .key_load = fallback_key_load, .key_wipe = fallback_key_wipe,       \
	.submit = fallback_submit, .poll = fallback_poll, .health = fallback_health,                         \
	.reset = fallback_reset, .close = fallback_close, .maintain = fallback_maintain,                     \
	.report = fallback_report

const struct crypto_backend crypto_fpga = {.name = "fpga", .open = fpga_open, FALLBACK_BACKEND};
const struct crypto_backend crypto_cryptodev = {
	.name = "cryptodev", .open = cryptodev_open, FALLBACK_BACKEND};

const struct crypto_backend *crypto_backend_find(const char *name)
{
	static const struct crypto_backend *const all[] = {&crypto_ipsec_mb, &crypto_fpga, &crypto_cryptodev};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(name, all[i]->name) == 0)
			return all[i];
	return NULL;
}
