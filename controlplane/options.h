/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of srtpgw-controlplane. */
#pragma once

#include <stdbool.h>

#include "controlplane/gateway.h"
#include "lib/base/log.h"

/* As srtpgwctl: 2 usage, 3 refused by validation, 1 everything else. */
enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3 };

struct options {
	const char *config, *dtls_module;
	struct gateway_conf gateway;
	bool check;
	enum log_level level;
	enum log_format format;
};

/* The texts are argv's, and o has to stay where it is. -1: go on; else the exit code. */
int options_parse(int argc, char **argv, struct options *o);
