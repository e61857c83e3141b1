/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that is full in the middle of the next record: this process may not make a file longer than a file now is and
 * a little. Nothing else that the process writes to files may be longer meanwhile.
 */
#pragma once

#include "tests/support/cmocka_std.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct full_file {
	struct rlimit was;
};

static inline void full_file_begin(struct full_file *f, const char *path)
{
	struct rlimit none;
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &f->was), 0);
	none = f->was;
	none.rlim_cur = (rlim_t)st.st_size + 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
}

static inline void full_file_end(const struct full_file *f)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &f->was), 0);
}
