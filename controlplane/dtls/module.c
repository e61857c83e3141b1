/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/dtls/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "srtpgw-dtls-nss.so"

/* Beside the program first: a build tree must not run with another version's module. */
static int find(char path[PATH_MAX], struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 64);
	char *slash;

	path[n < 0 ? 0 : n] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		strcpy(slash, "/dtls/nss/" FILE_NAME);
		if (access(path, F_OK) == 0)
			return 0;
	}
	snprintf(path, PATH_MAX, "%s/%s", SRTPGW_MODULES, FILE_NAME);
	if (access(path, F_OK) == 0)
		return 0;
	return err_set(e, ENOENT, "%s is not there: build with NSS 3.110 or newer (libnss3-dev)", path);
}

int dtls_module_open(const char *file, const struct dtls_module **out, struct err *e)
{
	char path[PATH_MAX];
	const struct dtls_module *m;
	void *object;
	int rc;

	if (file && strcmp(file, "none") == 0)
		return err_set(e, ENOENT, "it is left out (--dtls-module none)");
	if (!file) {
		rc = find(path, e);
		if (rc < 0)
			return rc;
		file = path;
	}
	/* It stays: libraries that have threads' data and exit handlers do not like to be unloaded. */
	object = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!object)
		return err_set(e, EINVAL, "%s", dlerror());
	m = dlsym(object, DTLS_MODULE_SYMBOL);
	if (m && m->abi == DTLS_MODULE_ABI)
		rc = m->open(&dtls_openssl, e);
	else
		rc = err_set(e, EINVAL, "%s: not a DTLS module of this version of srtpgw", file);
	dlclose(object);
	if (rc == 0)
		*out = m;
	return rc;
}

void dtls_module_close(const struct dtls_module *m)
{
	if (m)
		m->close();
}
