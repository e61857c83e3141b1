/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a port hands over: what is called a datagram lies within the frame. */
#include <stdlib.h>

#include "dataplane/batch.h"
#include "dataplane/classify.h"

static volatile uint8_t touched; /* so that every octet is really read */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum frame_class class;
	struct plain_frame plain;
	struct plain_frame_v6 plain_v6;
	struct frame f;
	int kind;

	class = classify_frame(data, size, &f);
	/* The readers of usual frames say the same of them. */
	if (classify_plain(data, size, &plain) !=
		(class == FRAME_UDP && f.source.ip.family == IP_V4 && f.l3 == 14 && f.l4 == 34))
		abort();
	if (classify_plain_v6(data, size, &plain_v6) !=
		(class == FRAME_UDP && f.source.ip.family == IP_V6 && f.l3 == 14 && f.l4 == 54))
		abort();
	if (class != FRAME_UDP)
		return 0;
	if ((size_t)f.payload + f.payload_len > size || f.l3 >= f.l4 || f.l4 + 8 != f.payload)
		abort();
	for (size_t i = f.l3; i < (size_t)f.payload + f.payload_len; i++)
		touched = data[i];
	kind = classify_payload(data + f.payload, f.payload_len);
	if (kind < -1 || kind > PACKET_STUN)
		abort();
	return 0;
}
