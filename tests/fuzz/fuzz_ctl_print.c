/* SPDX-License-Identifier: Apache-2.0 */
/* Any answer of a gateway, printed for people: whatever it holds, nothing but text and line ends comes out.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "ctl/configure.h"
#include "ctl/ladder.h"
#include "ctl/monitor.h"
#include "ctl/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_all(const json_t *answer, FILE *to)
{
	ladder_print(answer, true, to);
	diff_print(json_object_get(answer, "changes"), false, to);
	monitor_print(json_object_get(answer, "notification"), to);
	monitor_print(answer, to);
	print_calls(json_object_get(answer, "calls"), to);
	print_call(json_object_get(answer, "call"), to);
	print_stats(json_object_get(answer, "statistics"), to);
	print_trunks(json_object_get(answer, "trunks"), to);
	print_legs(json_object_get(json_object_get(answer, "calls"), "call"), to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *answer = json_loadb((const char *)data, size, 0, NULL);
	char *text = NULL;
	size_t n = 0;
	FILE *to = answer ? open_memstream(&text, &n) : NULL;

	if (!to)
		return 0;
	print_all(answer, to);
	fclose(to);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 && text[i] != '\n')
			abort();
	free(text);
	json_decref(answer);
	return 0;
}
