/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK 22.11 calls the making of session pools experimental; later versions have it as it is. */
#define ALLOW_EXPERIMENTAL_API
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>

#include "dataplane/crypto/cryptodev.h"
#include "dataplane/crypto/cryptodev_options.h"
#include "lib/base/log.h"

#define VDEVS_MAX 64 /* one for each worker */
#define TRAILER 32   /* octets behind a packet: the word that is authenticated with it, and its tag */

/* Software devices do not run out of queues; each of ours gets a device of its own. */
static int vdev_make(struct crypto_queue *q, const char *driver, int socket, struct err *e)
{
	char args[64];
	int rc = -EEXIST;

	snprintf(args, sizeof(args), "max_nb_queue_pairs=1,socket_id=%d", socket < 0 ? 0 : socket);
	for (unsigned i = 0; rc == -EEXIST && i < VDEVS_MAX; i++) {
		snprintf(q->vdev, sizeof(q->vdev), "%.40s_sgw%u", driver, i);
		rc = rte_vdev_init(q->vdev, args);
	}
	if (rc < 0) {
		q->vdev[0] = 0;
		return err_set(e, ENODEV,
			"DPDK does not make the device vdev=%s (%s); known ones are crypto_aesni_mb, "
			"crypto_aesni_gcm and crypto_openssl",
			driver, strerror(-rc));
	}
	return 0;
}

static int dev_find(struct crypto_queue *q, const char *name)
{
	for (unsigned i = 0; i < RTE_CRYPTO_MAX_DEVS; i++) {
		const char *known =
			rte_cryptodev_is_valid_dev((uint8_t)i) ? rte_cryptodev_name_get((uint8_t)i) : NULL;

		/* A card's device has the address and what part of it: "0000:3d:01.0_qat_sym". */
		if (!known || strncmp(known, name, strlen(name)) != 0)
			continue;
		q->dev = (uint8_t)i;
		snprintf(q->name, sizeof(q->name), "%s", known);
		return 0;
	}
	return -ENODEV;
}

static int configure(struct crypto_queue *q, int socket)
{
	struct rte_cryptodev_config conf = {
		.socket_id = socket < 0 ? rte_cryptodev_socket_id(q->dev) : socket,
		.nb_queue_pairs = 1,
		.ff_disable = RTE_CRYPTODEV_FF_ASYMMETRIC_CRYPTO | RTE_CRYPTODEV_FF_SECURITY,
	};

	return rte_cryptodev_configure(q->dev, &conf); /* -EBUSY: another worker has started it */
}

static int card_find(struct crypto_queue *q, char *addresses, int socket, struct err *e)
{
	int rc = -ENODEV;

	for (char *save, *a = strtok_r(addresses, "+", &save); a; a = strtok_r(NULL, "+", &save)) {
		rc = dev_find(q, a);
		if (rc < 0)
			return err_set(e, ENODEV,
				"DPDK finds no crypto device at pci=%s; is it bound to vfio-pci?", a);
		rc = configure(q, socket);
		if (rc != -EBUSY)
			break;
	}
	if (rc == -EBUSY)
		return err_set(e, EBUSY, "every device named with pci= is in use; name one for each worker");
	return rc < 0 ? err_set(e, -rc, "device %s cannot be configured: %s", q->name, strerror(-rc)) : 0;
}

static int pools_make(struct crypto_queue *q, uint32_t keys, int socket, struct err *e)
{
	unsigned size = rte_cryptodev_sym_get_private_session_size(q->dev);
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "cd%u_sessions", q->dev);
	q->sessions = rte_cryptodev_sym_session_pool_create(
		name, keys * CRYPTODEV_SESSIONS_PER_KEY, size, 0, 0, socket);
	snprintf(name, sizeof(name), "cd%u_ops", q->dev);
	q->ops = rte_crypto_op_pool_create(name, RTE_CRYPTO_OP_TYPE_SYMMETRIC, CRYPTODEV_DEPTH, 0,
		sizeof(struct cryptodev_private), socket);
	snprintf(name, sizeof(name), "cd%u_packets", q->dev);
	q->mbufs = rte_pktmbuf_pool_create(
		name, CRYPTODEV_DEPTH, 0, 0, RTE_PKTMBUF_HEADROOM + CRYPTODEV_LEN_MAX + TRAILER, socket);
	if (!q->sessions || !q->ops || !q->mbufs)
		return err_set(e, ENOMEM,
			"no memory for the sessions of %u keys on %s (%u octets each); give "
			"the device fewer with keys=N",
			keys, q->name, size);
	for (unsigned i = 0; i < CRYPTODEV_DEPTH; i++) {
		struct cryptodev_entry *n = &q->entries[i];

		n->op = rte_crypto_op_alloc(q->ops, RTE_CRYPTO_OP_TYPE_SYMMETRIC);
		n->m = rte_pktmbuf_alloc(q->mbufs);
		if (!n->op || !n->m)
			return err_set(e, ENOMEM, "no memory for packets of %s", q->name);
		n->op->sym->m_src = n->m;
		cryptodev_private_of(n->op)->entry = (uint16_t)i;
		q->free[q->n_free++] = (uint16_t)(CRYPTODEV_DEPTH - 1 - i);
	}
	return 0;
}

static int start(struct crypto_queue *q)
{
	struct rte_cryptodev_qp_conf qp = {
		.nb_descriptors = CRYPTODEV_DESCRIPTORS, .mp_session = q->sessions};
	int rc = rte_cryptodev_queue_pair_setup(q->dev, 0, &qp, rte_cryptodev_socket_id(q->dev));

	if (rc == 0)
		rc = rte_cryptodev_start(q->dev);
	q->started = rc == 0;
	return rc;
}

int cryptodev_device_restart(struct crypto_queue *q)
{
	if (q->started)
		rte_cryptodev_stop(q->dev);
	q->started = false;
	return start(q);
}

/* An operator must not wonder which packets the device carries. */
static void say_what_it_lacks(const struct crypto_queue *q)
{
	char text[256] = "";
	size_t n = 0;

	for (int i = SRTP_SUITE_NONE + 1; i < SRTP_SUITE_COUNT; i++)
		if (!(q->suites >> i & 1))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "",
				srtp_suite_info((enum srtp_suite)i)->name);
	if (n)
		log_info("crypto", "ipsec-mb does the suites that the device lacks", LZ("device", q->name),
			LZ("suites", text));
}

int cryptodev_device_open(struct crypto_queue *q, const struct crypto_conf *conf, struct err *e)
{
	struct cryptodev_options o;
	int rc = cryptodev_options_parse(&o, conf->options, e);

	if (rc < 0)
		return rc;
	if (o.vdev[0]) {
		rc = vdev_make(q, o.vdev, conf->socket, e);
		if (rc == 0)
			rc = dev_find(q, q->vdev);
		if (rc == 0)
			rc = configure(q, conf->socket);
	} else {
		rc = card_find(q, o.pci, conf->socket, e);
	}
	if (rc < 0)
		return rc;
	q->configured = true;
	q->suites = cryptodev_suites(q->dev);
	if (!q->suites)
		return err_set(e, ENOTSUP, "%s has none of SRTP's ciphers", q->name);
	q->slots = conf->slots < o.keys ? conf->slots : o.keys;
	rc = pools_make(q, q->slots, conf->socket, e);
	if (rc < 0)
		return rc;
	rc = start(q);
	if (rc < 0)
		return err_set(e, -rc, "device %s does not start: %s", q->name, strerror(-rc));
	say_what_it_lacks(q);
	return 0;
}

void cryptodev_device_close(struct crypto_queue *q)
{
	if (q->started)
		rte_cryptodev_stop(q->dev);
	for (unsigned i = 0; i < CRYPTODEV_DEPTH; i++) {
		if (q->entries[i].op)
			rte_crypto_op_free(q->entries[i].op);
		rte_pktmbuf_free(q->entries[i].m);
	}
	if (q->configured)
		rte_cryptodev_close(q->dev);
	if (q->vdev[0])
		rte_vdev_uninit(q->vdev);
	rte_mempool_free(q->sessions);
	rte_mempool_free(q->ops);
	rte_mempool_free(q->mbufs);
}
