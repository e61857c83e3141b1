/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dataplane/crypto/backend.h"

/* A packet, and its key as the suite's *_load() made it: struct lanes_gcm_key or struct lanes_cm_key. */
struct lanes_job {
	struct crypto_job *job;
	const void *key;
};
