/* SPDX-License-Identifier: Apache-2.0 */
/* What the options of the ipsec-mb backend say, and which vectors it then uses on this processor. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/pages.h"
#include "lib/base/err.h"

/* Ordered: each processor that has one has those before it. */
enum imb_isa { IMB_ISA_AUTO, IMB_ISA_SSE, IMB_ISA_AVX, IMB_ISA_AVX2, IMB_ISA_AVX512 };

struct imb_options {
	enum pages_kind pages; /* of the keys */
	enum imb_isa isa;      /* IMB_ISA_AUTO: the widest that the processor has */
	bool no_lanes;         /* RTP goes through the library, whatever the processor has */
};

/*
 * "pages=thp" (default), "pages=huge" (hugetlbfs) or "pages=small"; "isa=auto" (default), "isa=sse",
 * "isa=avx", "isa=avx2" or "isa=avx512"; "lanes=auto" (default) or "lanes=off"; a comma between. -EINVAL with
 * the reason in e.
 */
int imb_options_parse(struct imb_options *o, const char *text, struct err *e);

/* "AVX2"; not of IMB_ISA_AUTO. */
const char *imb_isa_name(enum imb_isa isa);

/*
 * What to use on a processor with these features (IMB_FEATURE_*), never IMB_ISA_AUTO. -ENOTSUP, with a line
 * for the operator in e: it lacks AES-NI, which the gateway does not do without, or the vectors wanted.
 */
int imb_isa_choose(uint64_t features, enum imb_isa wanted, enum imb_isa *isa, struct err *e);
