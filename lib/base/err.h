/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How functions here say that they failed: 0 or a positive count is success, a negative errno value is a
 * failure. Where a person will read the reason, the caller passes a `struct err` that receives one line.
 */
#pragma once

#define ERR_TEXT_MAX 384

/* One line that a person can act on. Owned by the caller, usually on the stack; zero it before use. */
struct err {
	char text[ERR_TEXT_MAX];
};

/*
 * Writes the reason into e (which may be NULL) and returns -code, so that a caller can
 * `return err_set(e, EINVAL, "trunk '%s' names no realm", name);`. Text that does not fit is cut.
 */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "what: " before the text that e holds already. */
void err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Why bind() failed with this errno value, and what to do, for an operator. Static text, or that of
 * strerror(). */
const char *err_bind_reason(int code);

/*
 * What is wrong with the path of a Unix socket that connect() failed at with this errno value. Static text;
 * NULL when the path is good and nobody answers there, or may not be asked.
 */
const char *err_connect_reason(int code, const char *path);

/*
 * Why a file could not be opened to read, and what to do: of EACCES with the account that this process has,
 * which is who the file is to be given to. Text in room, or that of strerror(). errno stays
 * as it was.
 */
const char *err_read_reason(int code, struct err *room);
