/* SPDX-License-Identifier: Apache-2.0 */
/* One line from a management client, parsed. */
#pragma once

#include <jansson.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REQUEST_OP_MAX 48
#define REQUEST_VALUES_MAX 250000u

struct request {
	char op[REQUEST_OP_MAX]; /* [a-z0-9-]+ */
	json_t *args;            /* an object; the owner's to json_decref() */
};

/* line without its newline. -EINVAL and -E2BIG with the reason, -ENOMEM; out is then untouched. */
int request_parse(struct str line, struct request *out, struct err *e);

/* The answers as one line with its newline, free() it. NULL without memory. data is borrowed. */
char *request_answer(json_t *data, json_t *warnings, size_t *n);
char *request_error(json_t *error, size_t *n); /* takes error over */
char *request_line(json_t *root, size_t *n);   /* any object; takes it over */
/* An error of docs/management.md; text that is not UTF-8 is replaced. NULL without memory. */
json_t *request_error_object(const char *tag, const char *type, const char *path, const char *message);

/* The operation of a line of which only the beginning has come; -EINVAL: it does not begin with it. */
int request_peek_op(struct str line, char out[REQUEST_OP_MAX]);
