/* SPDX-License-Identifier: Apache-2.0 */
/* Any line as a management request; what comes out is an operation's name and an object, and every refusal is
 * a line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/obs/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(char *line, size_t n)
{
	if (!line || n == 0 || memchr(line, '\n', n) != line + n - 1)
		abort();
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request rq;
	struct err e = {0};
	size_t n = 0;

	if (request_parse((struct str){(const char *)data, size}, &rq, &e)) {
		char *line = request_error(request_error_object("malformed-message", "rpc", "", e.text), &n);

		check_line(line, n);
		return 0;
	}
	if (!rq.op[0] || !json_is_object(rq.args))
		abort();
	char *line = request_answer(rq.args, NULL, &n);

	check_line(line, n);
	json_decref(rq.args);
	return 0;
}
