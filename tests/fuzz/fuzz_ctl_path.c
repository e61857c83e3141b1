/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a path: it is refused or becomes one that begins at the top and means itself again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keys(void *ctx, const char *list, const char *key, path_each_fn each, void *arg)
{
	(void)ctx;
	if (list[0] != '/' || !*key)
		abort();
	each(arg, "a");
	each(arg, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *candidates = NULL;
	char path[PATH_MAX_OCTETS], again[PATH_MAX_OCTETS];
	struct err e = {0};
	size_t n = 0;
	FILE *to = open_memstream(&candidates, &n);

	if (path_expand(text, path, &e) == 0) {
		if (path[0] != '/' || strlen(path) >= sizeof path)
			abort();
		if (path_expand(path_short(path), again, &e) == 0 && again[0] != '/')
			abort();
	}
	path_node(text);
	path_complete(text, keys, NULL, to);
	fclose(to);
	free(candidates);
	free(text);
	return 0;
}
