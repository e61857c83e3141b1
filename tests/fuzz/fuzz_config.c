/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a configuration: it becomes a snapshot or is refused with a reason that names the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/config/schema.h"
#include "controlplane/config/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct config *c)
{
	for (uint32_t i = 0; i < c->n_listeners; i++) {
		struct config_source from = {
			.listener = &c->listeners[i], .remote = c->listeners[i].local.ip};
		const struct config_trunk *t = config_find_trunk(c, &from);

		config_find_route(c, t, STR("a.example"), STR("+4930123"));
		/* What the model promises, whatever the text was. */
		if (!c->listeners[i].realm->trusted && c->listeners[i].transport != CONFIG_TLS)
			abort();
	}
	for (uint32_t i = 0; i < c->n_trunks; i++) {
		if (c->trunks[i].srtp == CONFIG_SRTP_NONE && !c->trunks[i].realm->trusted)
			abort();
		if (config_trunk_named(c, c->trunks[i].name) != &c->trunks[i])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ly_ctx *ctx; /* compiling the model anew would take all the time */
	struct config *c = NULL;
	struct err e = {0};
	char *text = malloc(size + 1);

	if (!text || (!ctx && schema_context(&ctx, &e)))
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	if (load_text(ctx, text, size, "fuzz", &c, &e) == 0)
		use(c);
	else if (strncmp(e.text, "fuzz:", 5) != 0)
		abort();
	config_unref(c);
	free(text);
	return 0;
}
