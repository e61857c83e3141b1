/* SPDX-License-Identifier: Apache-2.0 */
/* NSS as a whole: started, checked, and left. */
#include <errno.h>

#include <secoid.h>

#include "controlplane/dtls/module.h"
#include "controlplane/dtls/nss/private.h"

static NSSInitContext *context;

/* What a distribution's policy may have turned off. */
static SECStatus allow_hybrid(void)
{
	return NSS_SetAlgorithmPolicy(SEC_OID_MLKEM768X25519, NSS_USE_ALG_IN_SSL_KX, 0);
}

static void shut(void)
{
	if (context)
		NSS_ShutdownContext(context);
	context = NULL;
}

static int start(const struct dtls_backend *with_cookies, struct err *e)
{
	/* No database: certificates and keys are in memory, and come from us. */
	const PRUint32 flags = NSS_INIT_READONLY | NSS_INIT_NOCERTDB | NSS_INIT_NOMODDB | NSS_INIT_FORCEOPEN |
			       NSS_INIT_NOROOTINIT | NSS_INIT_OPTIMIZESPACE;
	int rc;

	if (!NSS_VersionCheck(NSS_OLDEST))
		return err_set(e, ENOTSUP, "NSS here is %s, and " NSS_OLDEST " is needed: install Debian 13's libnss3",
			NSS_GetVersion());
	nss_with_cookies = with_cookies;
	context = NSS_InitContext("", "", "", "", NULL, flags);
	if (!context || allow_hybrid() != SECSuccess)
		rc = err_set(e, EIO, "NSS does not start: %s",
			PR_ErrorToString(PR_GetError(), PR_LANGUAGE_I_DEFAULT));
	else
		rc = nss_wire_open(e);
	if (rc == 0)
		rc = nss_self_test(e);
	if (rc < 0)
		shut();
	return rc;
}

extern const struct dtls_module srtpgw_dtls_module;

const struct dtls_module srtpgw_dtls_module __attribute__((visibility("default"))) = {
	.abi = DTLS_MODULE_ABI,
	.backend = &nss_backend,
	.open = start,
	.close = shut,
};
