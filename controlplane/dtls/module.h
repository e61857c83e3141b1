/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A DTLS backend in a shared object, so that the gateway runs where its library is missing: loaded when it is
 * there, and the reason is said when it is not.
 *
 *   dtls_module_open() -> { dtls_new(module->backend, ...) }... -> dtls_module_close()
 */
#pragma once

#include "controlplane/dtls/dtls.h"
#include "lib/base/err.h"

#define DTLS_MODULE_ABI 3 /* of this header and of dtls.h; another number: built for another gateway */
#define DTLS_MODULE_SYMBOL "srtpgw_dtls_module"

/* What the shared object exports under DTLS_MODULE_SYMBOL. Constant. */
struct dtls_module {
	unsigned abi;
	const struct dtls_backend *backend;
	/*
	 * Starts the library, and checks it by handshakes with itself. with_cookies: the backend that asks DTLS 1.2
	 * clients for a cookie, where they must be asked. -ENOTSUP: the library is too old; -EIO: it does not do what it must. Once in a process.
	 */
	int (*open)(const struct dtls_backend *with_cookies, struct err *e);
	void (*close)(void); /* after every association and every identity that it has seen */
};

/*
 * The module of NSS, DTLS 1.3: what the file holds, started. file NULL: where it is installed, or beside the
 * running program in a build tree; "none": no module. -ENOENT: there is none; otherwise as of open(), or -EINVAL: not such a module.
 */
int dtls_module_open(const char *file, const struct dtls_module **out, struct err *e);
void dtls_module_close(const struct dtls_module *m); /* NULL is ignored */
