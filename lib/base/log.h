/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured logs: one line per event on standard error, `time level module "message" name=value ...` for
 * people or one JSON object per line. Values from the network are escaped. There is no field for key
 * material and none must be made: `struct secret` fits no field type.
 *
 * Thread-safe (one write() a line). Never called per packet.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

enum log_kind { LOG_END, LOG_STR, LOG_U64, LOG_I64, LOG_BOOL };

struct log_field {
	enum log_kind kind;
	const char *name;
	union {
		struct str s;
		uint64_t u;
		int64_t i;
		bool b;
	};
};

#define LS(n, value) ((struct log_field){LOG_STR, (n), {.s = (value)}})       /* struct str */
#define LZ(n, value) ((struct log_field){LOG_STR, (n), {.s = str_z(value)}})  /* const char * */
#define LU(n, value) ((struct log_field){LOG_U64, (n), {.u = (value)}})
#define LI(n, value) ((struct log_field){LOG_I64, (n), {.i = (value)}})
#define LB(n, value) ((struct log_field){LOG_BOOL, (n), {.b = (value)}})

/* Process-wide; called once by main() before threads start. Default: LOG_INFO, LOG_TEXT. */
void log_setup(enum log_level least, enum log_format format);
bool log_enabled(enum log_level level);

/* fields ends with kind LOG_END. module is the folder or file that speaks, such as "sip" or "port". */
void log_write(enum log_level level, const char *module, const char *message, const struct log_field *fields);

#define log_at(level, module, message, ...)                                                                  \
	do {                                                                                                  \
		if (log_enabled(level))                                                                       \
			log_write(level, module, message,                                                     \
				(const struct log_field[]){__VA_ARGS__ __VA_OPT__(,) {.kind = LOG_END}});      \
	} while (0)
#define log_debug(module, message, ...) log_at(LOG_DEBUG, module, message __VA_OPT__(,) __VA_ARGS__)
#define log_info(module, message, ...) log_at(LOG_INFO, module, message __VA_OPT__(,) __VA_ARGS__)
#define log_warn(module, message, ...) log_at(LOG_WARN, module, message __VA_OPT__(,) __VA_ARGS__)
#define log_error(module, message, ...) log_at(LOG_ERROR, module, message __VA_OPT__(,) __VA_ARGS__)
