/* SPDX-License-Identifier: Apache-2.0 */
#include "perf/steps.h"

#include <signal.h>

#define TRAP_FLAG 0x100 /* of RFLAGS: SIGTRAP behind each instruction */

/* Signal handlers know nothing else than what is static. */
static volatile uint64_t steps;
static struct sigaction before;

static void on_step(int signal)
{
	(void)signal;
	steps++;
}

/* Below what the compiler keeps in the red zone. */
static inline void trap_flag(uint64_t keep, uint64_t set)
{
	__asm__ volatile(
		"sub $128, %%rsp\n\tpushfq\n\tandq %0, (%%rsp)\n\torq %1, (%%rsp)\n\tpopfq\n\tadd $128, %%rsp"
		:
		: "r"(keep), "r"(set)
		: "memory", "cc");
}

void steps_begin(void)
{
	struct sigaction step = {.sa_handler = on_step};

	sigaction(SIGTRAP, &step, &before);
	steps = 0;
	trap_flag(~UINT64_C(0), TRAP_FLAG);
}

uint64_t steps_end(void)
{
	trap_flag(~(uint64_t)TRAP_FLAG, 0);
	sigaction(SIGTRAP, &before, NULL);
	return steps;
}
