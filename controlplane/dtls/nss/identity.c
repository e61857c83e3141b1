/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include <cert.h>
#include <keyhi.h>
#include <pk11pub.h>

#include "controlplane/dtls/nss/private.h"

static void drop_form(void *arg)
{
	struct nss_form *f = arg;

	if (f->model)
		PR_Close(f->model);
	if (f->key)
		SECKEY_DestroyPrivateKey(f->key);
	if (f->certificate)
		CERT_DestroyCertificate(f->certificate);
	free(f);
}

static CERTCertificate *import_certificate(const struct der *der)
{
	SECItem item = {siDERCertBuffer, der->octets, (unsigned)der->n};

	return CERT_NewTempCertificate(CERT_GetDefaultCertDB(), &item, NULL, PR_FALSE, PR_TRUE);
}

/* Into the software token's memory; nothing of it is stored. */
static SECKEYPrivateKey *import_key(const struct der *der)
{
	SECItem item = {siBuffer, der->octets, (unsigned)der->n};
	PK11SlotInfo *slot = PK11_GetInternalSlot();
	SECKEYPrivateKey *key = NULL;

	if (slot && PK11_ImportDERPrivateKeyInfoAndReturnKey(slot, &item, NULL, NULL, PR_FALSE, PR_TRUE,
			    KU_DIGITAL_SIGNATURE, &key, NULL) != SECSuccess)
		key = NULL;
	if (slot)
		PK11_FreeSlot(slot);
	return key;
}

static PRFileDesc *make_model(const struct nss_form *f)
{
	PRFileDesc *wire = nss_wire_new(NULL), *fd = wire ? DTLS_ImportFD(NULL, wire) : NULL;

	if (!fd) {
		if (wire)
			PR_Close(wire);
		return NULL;
	}
	if (nss_set_rules(fd) == SECSuccess &&
		SSL_ConfigServerCert(fd, f->certificate, f->key, NULL, 0) == SECSuccess)
		return fd;
	PR_Close(fd);
	return NULL;
}

static void *make_form(const struct dtls_identity *id)
{
	struct nss_form *f = calloc(1, sizeof *f);
	struct der certificate = {0}, key = {0};

	if (f && nss_der_of(id, &certificate, &key)) {
		f->certificate = import_certificate(&certificate);
		f->key = import_key(&key);
		if (f->certificate && f->key)
			f->model = make_model(f);
	}
	nss_der_free(&certificate);
	nss_der_free(&key);
	if (!f || f->model)
		return f;
	drop_form(f);
	return NULL;
}

const struct nss_form *nss_form_of(struct dtls_identity *id)
{
	return dtls_identity_form(id, make_form, drop_form);
}
