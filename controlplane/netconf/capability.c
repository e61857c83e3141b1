/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/netconf/capability.h"

#include <stddef.h>

/* RFC 6241, section 8, unless another is named. */
const char *const capability_uris[] = {
	CAPABILITY_BASE_1_0,
	CAPABILITY_BASE_1_1,
	"urn:ietf:params:netconf:capability:writable-running:1.0",
	"urn:ietf:params:netconf:capability:candidate:1.0",
	"urn:ietf:params:netconf:capability:confirmed-commit:1.1",
	"urn:ietf:params:netconf:capability:rollback-on-error:1.0",
	"urn:ietf:params:netconf:capability:validate:1.1",
	"urn:ietf:params:netconf:capability:startup:1.0",
	"urn:ietf:params:netconf:capability:xpath:1.0",
	/* RFC 5277, sections 3 and 6 */
	"urn:ietf:params:netconf:capability:notification:1.0",
	"urn:ietf:params:netconf:capability:interleave:1.0",
	/* RFC 6243, section 4 */
	"urn:ietf:params:netconf:capability:with-defaults:1.0?basic-mode=explicit"
	"&also-supported=report-all,report-all-tagged,trim",
	NULL,
};
