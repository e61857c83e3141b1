/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the functions of this folder may have left of keys: in registers, and on the stack below their caller.
 */
void lanes_wipe(void);
