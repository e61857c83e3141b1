/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet of lanes_hmac_sha1() by SHA instructions. They exist only in the old encoding, and to change
 * between that and vectors whose upper halves are in use costs hundreds of cycles: this is compiled without
 * AVX, and who calls it has cleared them.
 */
#pragma once

#include "dataplane/crypto/lanes/sha1.h"

void sha1_ni_hmac(const struct lanes_hmac *job);
