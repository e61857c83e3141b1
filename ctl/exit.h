/* SPDX-License-Identifier: Apache-2.0 */
/* What the exit code says. Scripts rely on these: they do not change. */
#pragma once

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED =
		1, /* it could not be done now, or not by this account: nothing wrong with what was asked */
	CTL_USAGE = 2, /* the command line is wrong; nothing was asked */
	CTL_REFUSED =
		3, /* the gateway refused what was asked: a value, a reference, a call that is not there */
	CTL_UNREACHABLE = 4, /* no gateway answers at the socket, or what answers is not one */
};
