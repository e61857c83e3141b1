/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/fault.h"

#include <stdarg.h>
#include <stdio.h>

json_t *fault_make(const char *type, const char *tag, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	/* A name of the client's may have been cut in the middle of a character. */
	json_t *text = json_string(message);

	return json_pack(
		"{s:s,s:s,s:o}", "type", type, "tag", tag, "message", text ? text : json_string("refused"));
}

json_t *fault_info(json_t *fault, const char *name, const char *value)
{
	json_t *info = json_object_get(fault, "info");

	if (fault && !info) {
		info = json_object();
		json_object_set_new(fault, "info", info);
	}
	if (info)
		json_object_set_new(info, name, json_string(value));
	return fault;
}
