/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever arrives on the planes' socket: refused with a reason, or every length and enum in it is within
 * bounds. */
#include <stdlib.h>
#include <string.h>

#include "lib/msg/dp_msg.h"

static void expect(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why;
	union dp_msg m;
	int rc;

	if (size > sizeof m)
		size = sizeof m;
	memset(&m, 0xa5, sizeof m);
	memcpy(&m, data, size);
	rc = dp_msg_check(&m, size, &why);
	expect(rc == 0 ? why == NULL : why && *why);
	if (rc < 0)
		return 0;
	expect(size == dp_type_size((enum dp_type)m.h.type));
	switch ((enum dp_type)m.h.type) {
	case DP_CONFIGURE:
		expect(m.configure.n_addresses <= DP_ADDRESSES_MAX);
		break;
	case DP_LEG_UPDATE:
		expect(m.leg_update.leg < DP_LEGS_MAX && m.leg_update.n_streams <= DP_STREAMS_MAX);
		for (unsigned i = 0; i < m.leg_update.n_streams; i++)
			expect(m.leg_update.streams[i].n_ssrcs <= DP_SELECTORS_MAX &&
				m.leg_update.streams[i].mid_len <= sizeof m.leg_update.streams[i].mid);
		break;
	case DP_KEY_ADD:
		expect(m.key_add.leg < DP_LEGS_MAX && m.key_add.mki_len <= DP_MKI_MAX);
		expect(m.key_add.master_len == srtp_suite_master_len(srtp_suite_info(m.key_add.suite)));
		dp_msg_wipe(&m);
		for (unsigned i = 0; i < sizeof m.key_add.master; i++)
			expect(m.key_add.master[i] == 0);
		break;
	case DP_PUNT_TX:
	case DP_PUNT_RX:
		expect(m.punt.n <= DP_PUNT_MAX && m.punt.leg < DP_LEGS_MAX);
		break;
	case DP_LEG_ICE:
		for (unsigned i = 0; i < 2; i++)
			expect(m.leg_ice.credentials[i].ufrag_len <= DP_ICE_UFRAG_MAX &&
				m.leg_ice.credentials[i].pwd_len <= DP_ICE_PWD_MAX);
		expect(m.leg_ice.leg < DP_LEGS_MAX);
		dp_msg_wipe(&m);
		for (unsigned i = 0; i < sizeof m.leg_ice; i++)
			expect(((const uint8_t *)&m)[i] == 0);
		break;
	case DP_LIST_PAGE:
		expect(m.list_page.n <= DP_LIST_MAX);
		break;
	case DP_STATS_PORT:
		expect(memchr(m.stats_port.interface, 0, sizeof m.stats_port.interface) != NULL);
		break;
	case DP_ALARM:
		expect(m.alarm.kind != DP_ALARM_LINK ||
			memchr(m.alarm.interface, 0, sizeof m.alarm.interface) != NULL);
		break;
	case DP_ACK:
		expect(strlen(m.ack.reason) < sizeof m.ack.reason);
		break;
	default:
		break;
	}
	return 0;
}
