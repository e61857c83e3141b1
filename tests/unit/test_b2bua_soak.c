/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of every kind set up and torn down, thousands of them: when they are over, the memory in use is what
 * it was when the first ones were. How many: SRTPGW_SOAK_CALLS (scripts/test --long: 50,000).
 */
#include <malloc.h>

#include "lib/base/log.h"
#include "tests/unit/b2bua_bench.h"

#define CALLS_DEFAULT 3000
#define BATCH 50        /* calls, then all that is left of them ends */
#define LINGER_MS 70000 /* longer than any transaction, or the timer of a call that is over */
#define WARM (2 * CALL_KINDS * BATCH)
#define SLACK 16384 /* octets for all calls together: where each left 16, 3000 would leave 48,000 */

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

/* Octets that were allocated and not freed. */
static size_t in_use(void)
{
	struct mallinfo2 m;

	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

static void answered(void)
{
	call_up(&alice, &bob);
	hang_up(&alice, &bob);
}

static void secure_both_ways(void)
{
	call_up(&bob, &carol);
	hang_up(&carol, &bob);
}

static void changed(void)
{
	call_up(&bob, &alice);
	say(&bob, "INVITE", "", sdp_as(&bob, 2, 2, "sendonly"));
	hear(&alice, "INVITE");
	answer(&alice, "200 OK", "", sdp_as(&alice, 1, 2, "recvonly"));
	hear(&alice, "ACK");
	hear(&bob, "200");
	say(&bob, "ACK", "", "");
	say(&alice, "INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\n");
	hear(&bob, "INFO");
	reply(&bob, "200 OK");
	hear(&alice, "200");
	hang_up(&bob, &alice);
}

static void refused_there(void)
{
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer(&bob, "180 Ringing", "", "");
	hear(&alice, "180");
	answer(&bob, "486 Busy Here", "", "");
	hear(&bob, "ACK");
	hear(&alice, "486");
	say(&alice, "ACK", "", "");
}

static void refused_here(void)
{
	dial(&alice, "+9999", "", sdp(&alice, 1));
	hear(&alice, "404");
	say(&alice, "ACK", "", "");
	dial(&bob, "+3001", "", sdp(&alice, 1)); /* without keys */
	hear(&bob, "488");
	say(&bob, "ACK", "", "");
}

static void cancelled(void)
{
	dial(&bob, "+3001", "", sdp(&bob, 1));
	hear(&alice, "INVITE");
	answer(&alice, "183 Session Progress", "", sdp(&alice, 1));
	hear(&bob, "183");
	say(&bob, "CANCEL", "", "");
	hear(&bob, "200");
	hear(&bob, "487");
	say(&bob, "ACK", "", "");
	hear(&alice, "CANCEL");
	reply(&alice, "200 OK");
	answer(&alice, "487 Terminated", "", "");
	hear(&alice, "ACK");
}

static void forked(void)
{
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	answer_as(&bob, "one", "183 Progress", "", sdp(&bob, 1));
	hear(&alice, "183");
	answer_as(&bob, "two", "180 Ringing", "", "");
	hear(&alice, "180");
	answer_as(&bob, "two", "200 OK", "", sdp(&bob, 2));
	hear(&bob, "ACK");
	hear(&alice, "200");
	say(&alice, "ACK", "", "");
	hang_up(&alice, &bob);
}

static void never_answered(void)
{
	dial(&alice, "+1001", "", sdp(&alice, 1));
	hear(&bob, "INVITE");
	cut_connection("reset by peer", true);
	hear(&alice, "503");
	say(&alice, "ACK", "", "");
}

static void (*const kinds[])(void) = {
	answered, secure_both_ways, changed, refused_there, refused_here, cancelled, forked, never_answered};
#define CALL_KINDS (sizeof kinds / sizeof *kinds)

/* Everybody stops, and everything that waits comes to its end. */
static void clear(void)
{
	pass(LINGER_MS);
	while (hear_any(&alice) || hear_any(&bob) || hear_any(&carol))
		;
	expect_no_calls();
	assert_int_equal(sip_txl_count(bench.txl), 0);
}

static void make_calls(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		kinds[i % CALL_KINDS]();
		if (i % BATCH == BATCH - 1)
			clear();
	}
	clear();
}

/* Limits of calls per second are of the machine's time, which hardly passes here. */
static void without_limits(void)
{
	const struct bench_edit edits[] = {
		{"\"max-calls\":250,\"max-call-rate\":1000", "\"max-calls\":250,\"max-call-rate\":100000"},
		{"\"max-calls\":300,\"max-call-rate\":1000", "\"max-calls\":300,\"max-call-rate\":100000"},
	};

	bench_change_all(edits, 2);
}

static void test_calls_leave_no_memory_behind(void **state)
{
	const char *text = getenv("SRTPGW_SOAK_CALLS");
	unsigned calls = text ? (unsigned)strtoul(text, NULL, 10) : CALLS_DEFAULT;
	size_t before, after;

	(void)state;
	log_setup(LOG_ERROR, LOG_TEXT);
	without_limits();
	make_calls(WARM); /* the history is full, tables have their size */
	before = in_use();
	make_calls(calls);
	after = in_use();
	print_message("# %u calls: %zu octets in use before, %zu after\n", calls, before, after);
	if (after > before + SLACK)
		fail_msg("%zu octets more than before %u calls", after - before, calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_calls_leave_no_memory_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
