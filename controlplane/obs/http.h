/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP request, as far as a server of two pages needs it (RFC 9112). */
#pragma once

#include "lib/base/str.h"

#define HTTP_HEAD_MAX 8192

enum http_result {
	HTTP_MORE,  /* the head is not whole yet */
	HTTP_READY, /* *path is set */
	HTTP_WRONG, /* *status says how to refuse */
};

/*
 * Looks at what came. path: of a GET, without its query, a view into head; it begins with '/' and holds no
 * control character. status: 400, 405 (not GET), 431 (head too long), 505 (not HTTP/1.x).
 */
enum http_result http_read(struct str head, struct str *path, unsigned *status);
