# SPDX-License-Identifier: Apache-2.0
"""A laboratory on one machine: hosts as network namespaces, real phones, captures and the gateway between them.

Used by the end-to-end tests and by scripts/demo. Everything is named after this process's pid and is removed when
the laboratory closes, also after an interrupt; processes are ended by pid, and only those that were started here.
"""
