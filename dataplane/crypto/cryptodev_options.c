/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto/cryptodev_options.h"

#include <errno.h>
#include <string.h>

#include "lib/base/str.h"

#define KEYS_DEFAULT 8192
#define KEYS_MAX 1000000
#define SESSION_OCTETS 4096 /* the largest of the known devices: 3 kB, and what its pool adds */

static int text_set(char *to, struct str name, struct str value, struct err *e)
{
	if (!value.n || value.n >= CRYPTODEV_VALUE_MAX)
		return err_set(e, EINVAL, "cryptodev option %.*s: empty or too long", STR_ARG(name));
	memcpy(to, value.p, value.n);
	to[value.n] = 0;
	return 0;
}

static int set(struct cryptodev_options *o, struct str name, struct str value, struct err *e)
{
	uint64_t n;

	if (str_eq(name, STR("vdev")))
		return text_set(o->vdev, name, value, e);
	if (str_eq(name, STR("pci")))
		return text_set(o->pci, name, value, e);
	if (!str_eq(name, STR("keys")))
		return err_set(e, EINVAL, "unknown cryptodev option '%.*s'", STR_ARG(name));
	if (str_to_u64(value, KEYS_MAX, &n) < 0 || n == 0)
		return err_set(e, EINVAL, "cryptodev option keys takes a number from 1 to %d, not '%.*s'",
			KEYS_MAX, STR_ARG(value));
	o->keys = (uint32_t)n;
	return 0;
}

int cryptodev_options_parse(struct cryptodev_options *o, const char *text, struct err *e)
{
	struct str rest = str_z(text);

	*o = (struct cryptodev_options){.keys = KEYS_DEFAULT};
	while (rest.n) {
		struct str value = str_cut(&rest, ',');
		struct str name = str_cut(&value, '=');
		int rc = set(o, name, value, e);

		if (rc < 0)
			return rc;
	}
	if (!o->vdev[0] == !o->pci[0])
		return err_set(e, EINVAL,
			"say which crypto device: vdev=DRIVER for a software one, or pci=ADDRESS for a card");
	return 0;
}

uint32_t cryptodev_options_memory(const struct cryptodev_options *o)
{
	return (uint32_t)((uint64_t)o->keys * CRYPTODEV_SESSIONS_PER_KEY * SESSION_OCTETS >> 20) + 2;
}
