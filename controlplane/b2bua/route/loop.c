/* SPDX-License-Identifier: Apache-2.0 */
#include "controlplane/b2bua/route/loop.h"

#include <stdio.h>
#include <string.h>

#define RANDOM_PART (SIP_TOKEN_TEXT - 1)

/* The mark of a random part and a number, behind the random part. */
static void put_mark(const struct hash_key *key, struct str called, char id[LOOP_CALL_ID_TEXT])
{
	char text[RANDOM_PART + 256];
	struct wbuf w = wbuf_make(text, sizeof text);

	wbuf_bytes(&w, id, RANDOM_PART);
	wbuf_str(&w, str_sub(called, 0, sizeof text - RANDOM_PART));
	snprintf(id + RANDOM_PART, LOOP_CALL_ID_TEXT - RANDOM_PART, "%016llx",
		(unsigned long long)hash_str(key, wbuf_view(&w)));
}

void loop_call_id(const struct hash_key *key, struct str called, char out[LOOP_CALL_ID_TEXT])
{
	sip_token_make(out);
	put_mark(key, called, out);
}

bool loop_is_ours(const struct hash_key *key, struct str call_id, struct str called)
{
	char id[LOOP_CALL_ID_TEXT];

	if (call_id.n != LOOP_CALL_ID_TEXT - 1)
		return false;
	memcpy(id, call_id.p, RANDOM_PART);
	put_mark(key, called, id);
	return str_eq(call_id, str_z(id));
}
