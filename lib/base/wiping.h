/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc() for libraries that are given messages with keys in them (libevent's buffers, jansson's texts):
 * what is freed, or left behind by growing, is overwritten first.
 */
#pragma once

#include <stddef.h>

void *wiping_malloc(size_t n);
void *wiping_realloc(void *p, size_t n);
void wiping_free(void *p);
