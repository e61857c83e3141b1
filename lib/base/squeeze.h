/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain data that is mostly zeros, in little memory: runs of zeros are counted, all else is kept as it is. For what is
 * kept long and seldom looked at. What held secrets holds them still: its owner wipes both forms.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Octets that n octets at p take. */
size_t squeeze_size(const void *p, size_t n);
/* Writes them to out, which has room for as many as squeeze_size() said. */
void squeeze(const void *p, size_t n, void *out);
/* The n octets again. False: this is not what squeeze() made of n octets. */
bool unsqueeze(const void *squeezed, size_t size, void *out, size_t n);
