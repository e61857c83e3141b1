/* SPDX-License-Identifier: Apache-2.0 */
/* What backends accept as options, and which vectors ipsec-mb uses on which processor: no device is opened.
 */
#include "tests/support/cmocka_std.h"

#include <errno.h>
#include <string.h>

#include "dataplane/crypto/cryptodev_options.h"
#include "dataplane/crypto/ipsec_mb.h"

#define AES (IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_AESNI)

static void expect_isa(uint64_t features, enum imb_isa wanted, enum imb_isa expected)
{
	struct err err = {""};
	enum imb_isa isa;

	assert_int_equal(imb_isa_choose(features, wanted, &isa, &err), 0);
	assert_int_equal(isa, expected);
}

static void expect_refusal(uint64_t features, enum imb_isa wanted, const char *why)
{
	struct err err = {""};
	enum imb_isa isa;

	assert_int_equal(imb_isa_choose(features, wanted, &isa, &err), -ENOTSUP);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static void test_a_processor_gets_its_widest_vectors(void **state)
{
	(void)state;
	expect_isa(IMB_CPUFLAGS_SSE | AES, IMB_ISA_AUTO, IMB_ISA_SSE);
	expect_isa(IMB_CPUFLAGS_AVX | AES, IMB_ISA_AUTO, IMB_ISA_AVX);
	expect_isa(IMB_CPUFLAGS_AVX2 | AES, IMB_ISA_AUTO, IMB_ISA_AVX2);
	expect_isa(IMB_CPUFLAGS_AVX512 | AES, IMB_ISA_AUTO, IMB_ISA_AVX512);
	expect_isa(IMB_CPUFLAGS_AVX512 | AES, IMB_ISA_SSE, IMB_ISA_SSE);
	expect_isa(IMB_CPUFLAGS_AVX512 | AES, IMB_ISA_AVX2, IMB_ISA_AVX2);
}

static void test_a_processor_without_what_is_needed_is_refused(void **state)
{
	(void)state;
	expect_refusal(IMB_CPUFLAGS_AVX2 & ~IMB_FEATURE_AESNI, IMB_ISA_AUTO, "no AES instructions (AES-NI");
	expect_refusal(IMB_CPUFLAGS_SSE & ~IMB_FEATURE_PCLMULQDQ, IMB_ISA_SSE, "PCLMULQDQ");
	expect_refusal(0, IMB_ISA_AVX512, "no AES instructions");
	expect_refusal(AES, IMB_ISA_AUTO, "no SSE 4.2");
	expect_refusal(IMB_CPUFLAGS_AVX2 | AES, IMB_ISA_AVX512, "no AVX-512: leave out isa=avx512");
	expect_refusal(IMB_CPUFLAGS_SSE | AES, IMB_ISA_AVX, "no AVX: leave out isa=avx,");
}

static void test_ipsec_mb_options(void **state)
{
	struct imb_options o;
	struct err err = {""};

	(void)state;
	assert_int_equal(imb_options_parse(&o, NULL, &err), 0);
	assert_int_equal(o.isa, IMB_ISA_AUTO);
	assert_int_equal(imb_options_parse(&o, "isa=avx2,pages=small", &err), 0);
	assert_int_equal(o.isa, IMB_ISA_AVX2);
	assert_int_equal(o.pages, PAGES_SMALL);
	assert_false(o.no_lanes);
	assert_int_equal(imb_options_parse(&o, "lanes=off,isa=avx512", &err), 0);
	assert_true(o.no_lanes);
	assert_int_equal(imb_options_parse(&o, "lanes=off,lanes=auto", &err), 0);
	assert_false(o.no_lanes);
	assert_int_equal(imb_options_parse(&o, "lanes=4", &err), -EINVAL);
	assert_non_null(strstr(err.text, "lanes=auto or off, not 'lanes=4'"));
	assert_int_equal(imb_options_parse(&o, "isa=neon", &err), -EINVAL);
	assert_non_null(strstr(err.text, "not 'isa=neon'"));
}

static void expect_wrong(const char *text, const char *why)
{
	struct cryptodev_options o;
	struct err err = {""};

	assert_int_equal(cryptodev_options_parse(&o, text, &err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static void test_cryptodev_options(void **state)
{
	struct cryptodev_options o;
	struct err err = {""};

	(void)state;
	assert_int_equal(cryptodev_options_parse(&o, "vdev=crypto_aesni_mb", &err), 0);
	assert_string_equal(o.vdev, "crypto_aesni_mb");
	assert_int_equal(cryptodev_options_parse(&o, "pci=0000:3d:01.0+0000:3d:01.1,keys=100000", &err), 0);
	assert_string_equal(o.pci, "0000:3d:01.0+0000:3d:01.1");
	assert_int_equal(o.keys, 100000);
	assert_in_range(cryptodev_options_memory(&o), 100000 * 2 * 3 / 1024, 2000);
	expect_wrong(NULL, "say which crypto device");
	expect_wrong("keys=5", "say which crypto device");
	expect_wrong("vdev=a,pci=b", "say which crypto device");
	expect_wrong("vdev=", "vdev: empty");
	expect_wrong("vdev=a,keys=0", "keys takes a number");
	expect_wrong("vdev=a,keys=x", "not 'x'");
	expect_wrong("vdev=a,colour=red", "unknown cryptodev option 'colour'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_processor_gets_its_widest_vectors),
		cmocka_unit_test(test_a_processor_without_what_is_needed_is_refused),
		cmocka_unit_test(test_ipsec_mb_options),
		cmocka_unit_test(test_cryptodev_options),
	};

	return cmocka_run_group_tests_name("backend options", tests, NULL, NULL);
}
