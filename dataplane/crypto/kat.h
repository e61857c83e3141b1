/* SPDX-License-Identifier: Apache-2.0 */
/* Known-answer tests, the same for every backend: what open() runs before it lets a queue be used. */
#pragma once

#include "dataplane/crypto/backend.h"

/*
 * Protects and unprotects one known SRTP and one known SRTCP packet with each suite of the backend, alone and
 * in a batch, and sees that a wrong tag is refused. Uses slot 0, which must be free, and leaves it wiped.
 * 0, -EBADMSG when an answer is wrong or missing, or what key_load() said.
 */
int crypto_kat_run(const struct crypto_backend *backend, struct crypto_queue *queue);
