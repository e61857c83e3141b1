/* SPDX-License-Identifier: Apache-2.0 */
/* A module that is not there, or is none, is said to be so; a gateway without one runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "controlplane/dtls/module.h"
#include "tests/support/cmocka_std.h"

static void not_there(void **state)
{
	const struct dtls_module *m = NULL;
	struct err e = {0};

	(void)state;
	/* Beside this test there is none, and nothing is installed where a build tree looks. */
	if (access(SRTPGW_TEST_MODULES, F_OK) == 0)
		skip();
	assert_int_equal(dtls_module_open(NULL, &m, &e), -ENOENT);
	assert_null(m);
	assert_non_null(strstr(e.text, "srtpgw-dtls-nss.so"));
	assert_non_null(strstr(e.text, "NSS 3.110"));
	dtls_module_close(m);
}

static void not_a_module(void **state)
{
	char text[] = "/tmp/srtpgw_module_XXXXXX";
	const struct dtls_module *m = NULL;
	struct err e = {0};
	int fd = mkstemp(text);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "no module", 9), 9);
	close(fd);
	assert_int_equal(dtls_module_open(text, &m, &e), -EINVAL);
	assert_non_null(strstr(e.text, text));
	unlink(text);
	/* A library, and another's. */
	assert_int_equal(dtls_module_open("libcrypto.so.3", &m, &e), -EINVAL);
	assert_non_null(strstr(e.text, "not a DTLS module"));
	assert_null(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(not_there), cmocka_unit_test(not_a_module)};

	return cmocka_run_group_tests_name("dtls_module", tests, NULL, NULL);
}
