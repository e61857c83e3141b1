/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a request, in the form in which the engine says it on the management socket (docs/
 * management.md): {"tag":...,"type":...,"path":...,"message":...,"info":{...}}. So one function writes every
 * <rpc-error>, whoever found the mistake.
 */
#pragma once

#include <jansson.h>

/*
 * type: "transport", "rpc", "protocol" or "application"; tag: an error-tag of RFC 6241, appendix A. The
 * caller's; NULL without memory, which reply_fault() understands.
 */
json_t *fault_make(const char *type, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds to error-info: "bad-element", "bad-attribute", "bad-namespace". fault may be NULL; returned. */
json_t *fault_info(json_t *fault, const char *name, const char *value);
