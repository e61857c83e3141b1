/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto/lanes/wipe.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_OCTETS 4096 /* more than any of them uses: meson.build has the compiler look */

/* Not inlined: its frame is where theirs were. After every run, so by whole registers and not by mem_wipe().
 */
static __attribute__((noinline)) void wipe_stack(void)
{
	uint8_t below[STACK_OCTETS] __attribute__((aligned(64)));

	/* By hand: the compiler would call memset(). */
	for (size_t i = 0; i < sizeof(below); i += 64)
		__asm__ volatile("vmovdqa64 %1, %0"
				 : "=m"(*(__m512i *)(below + i))
				 : "v"(_mm512_setzero_si512()));
}

void lanes_wipe(void)
{
	_mm256_zeroall(); /* the first sixteen */
	__asm__ volatile("vpxord %%zmm16, %%zmm16, %%zmm16\n\t"
			 "vpxord %%zmm17, %%zmm17, %%zmm17\n\t"
			 "vpxord %%zmm18, %%zmm18, %%zmm18\n\t"
			 "vpxord %%zmm19, %%zmm19, %%zmm19\n\t"
			 "vpxord %%zmm20, %%zmm20, %%zmm20\n\t"
			 "vpxord %%zmm21, %%zmm21, %%zmm21\n\t"
			 "vpxord %%zmm22, %%zmm22, %%zmm22\n\t"
			 "vpxord %%zmm23, %%zmm23, %%zmm23\n\t"
			 "vpxord %%zmm24, %%zmm24, %%zmm24\n\t"
			 "vpxord %%zmm25, %%zmm25, %%zmm25\n\t"
			 "vpxord %%zmm26, %%zmm26, %%zmm26\n\t"
			 "vpxord %%zmm27, %%zmm27, %%zmm27\n\t"
			 "vpxord %%zmm28, %%zmm28, %%zmm28\n\t"
			 "vpxord %%zmm29, %%zmm29, %%zmm29\n\t"
			 "vpxord %%zmm30, %%zmm30, %%zmm30\n\t"
			 "vpxord %%zmm31, %%zmm31, %%zmm31"
			 :
			 :
			 : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",
			 "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");
	wipe_stack();
}
