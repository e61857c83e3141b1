/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crypto/ipsec_mb_options.h"

#include <errno.h>
#include <stddef.h>

#include "dataplane/crypto/ipsec_mb.h"
#include "lib/base/str.h"

static const struct {
	struct str text;
	enum pages_kind pages;
} page_kinds[] = {
	{{"pages=thp", 9}, PAGES_THP},
	{{"pages=huge", 10}, PAGES_HUGE},
	{{"pages=small", 11}, PAGES_SMALL},
};

/* In the order of enum imb_isa. */
static const struct {
	struct str text;
	enum imb_isa isa;
	const char *name;
	uint64_t needs;
} isas[] = {
	{{"isa=auto", 8}, IMB_ISA_AUTO, "", 0},
	{{"isa=sse", 7}, IMB_ISA_SSE, "SSE", IMB_CPUFLAGS_SSE | IMB_FEATURE_PCLMULQDQ},
	{{"isa=avx", 7}, IMB_ISA_AVX, "AVX", IMB_CPUFLAGS_AVX | IMB_FEATURE_PCLMULQDQ},
	{{"isa=avx2", 8}, IMB_ISA_AVX2, "AVX2", IMB_CPUFLAGS_AVX2 | IMB_FEATURE_PCLMULQDQ},
	{{"isa=avx512", 10}, IMB_ISA_AVX512, "AVX-512", IMB_CPUFLAGS_AVX512 | IMB_FEATURE_PCLMULQDQ},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int set(struct imb_options *o, struct str text, struct err *e)
{
	for (size_t i = 0; i < COUNT(page_kinds); i++) {
		if (str_eq(text, page_kinds[i].text)) {
			o->pages = page_kinds[i].pages;
			return 0;
		}
	}
	for (size_t i = 0; i < COUNT(isas); i++) {
		if (str_eq(text, isas[i].text)) {
			o->isa = isas[i].isa;
			return 0;
		}
	}
	o->no_lanes = str_eq(text, str_z("lanes=off"));
	if (o->no_lanes || str_eq(text, str_z("lanes=auto")))
		return 0;
	return err_set(e, EINVAL,
		"ipsec-mb takes pages=thp, huge or small, isa=auto, sse, avx, avx2 or avx512, and lanes=auto or off, not '%.*s'",
		STR_ARG(text));
}

int imb_options_parse(struct imb_options *o, const char *text, struct err *e)
{
	struct str rest = str_z(text);
	int rc = 0;

	*o = (struct imb_options){PAGES_THP, IMB_ISA_AUTO, false};
	while (rc == 0 && rest.n)
		rc = set(o, str_cut(&rest, ','), e);
	return rc;
}

const char *imb_isa_name(enum imb_isa isa)
{
	return isas[isa].name;
}

int imb_isa_choose(uint64_t features, enum imb_isa wanted, enum imb_isa *isa, struct err *e)
{
	const uint64_t aes = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;

	if ((features & aes) != aes)
		return err_set(e, ENOTSUP,
			"this processor has no AES instructions (AES-NI with PCLMULQDQ), which the gateway "
			"needs; "
			"on a virtual machine, give it the host's processor model");
	*isa = IMB_ISA_AUTO;
	for (size_t i = 1; i < COUNT(isas); i++)
		if ((features & isas[i].needs) == isas[i].needs &&
			(wanted == IMB_ISA_AUTO || wanted == isas[i].isa))
			*isa = isas[i].isa;
	if (*isa != IMB_ISA_AUTO)
		return 0;
	return err_set(e, ENOTSUP, "this processor has no %s: leave out %s, or choose what it has",
		wanted == IMB_ISA_AUTO ? "SSE 4.2" : isas[wanted].name,
		wanted == IMB_ISA_AUTO ? "ipsec-mb" : isas[wanted].text.p);
}
